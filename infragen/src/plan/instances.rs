//! The managed instances under the stream function: EC2 instances that Lambda runs, where one environment serves many.

use serde::Serialize;

use super::types::VpcPlan;
use crate::manifest::aws::Compute;
use crate::manifest::{Manifest, Names};

/// A capacity provider, and how the stream function uses it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InstancesPlan {
    /// Its name.
    pub name: String,
    /// Name of the role with which Lambda starts and stops the instances.
    pub operator_role: String,
    /// The network of the instances: the function has none of its own.
    pub vpc: VpcPlan,
    /// Most processors at once.
    pub max_vcpus: u32,
    /// Streams that one environment serves at once.
    pub concurrency: u32,
    /// Memory that goes with one processor, GiB.
    pub memory_gibibytes_per_vcpu: u32,
}

/// Decides what runs under the stream function, where it is more than Lambda itself.
pub(super) fn instances(manifest: &Manifest, names: &Names) -> Option<InstancesPlan> {
    let section = &manifest.stream;
    if section.compute == Compute::Classic {
        return None;
    }
    Some(InstancesPlan {
        name: format!("{}-stream", names.base),
        operator_role: format!("{}-operator", names.base),
        vpc: VpcPlan::of(&section.vpc)?,
        max_vcpus: section.instances.max_vcpus.get(),
        concurrency: section.instances.concurrency.get(),
        memory_gibibytes_per_vcpu: section.instances.memory_per_vcpu.gibibytes(),
    })
}
