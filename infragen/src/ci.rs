//! Who deploys on a push: what the workflow does, and what its two roles may.
//!
//! Pull requests get a role of their own that only reads: whoever may open one in the repository decides what runs there.

use serde::Serialize;

use crate::constructs::{Arns, Construct, StatementPlan};
use crate::load::{Loaded, Target};
use crate::manifest::aws::CiProvider;
use crate::manifest::types::Packaging;
use crate::plan::{FunctionPlan, Plan};

/// What deploys on a push.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CiPlan {
    /// Owner of the repository.
    pub owner: String,
    /// Its name.
    pub repository: String,
    /// The branch that is deployed.
    pub branch: String,
    /// The role that deploys, where there is one already; otherwise `generated/bootstrap` makes it.
    pub role_arn: Option<String>,
    /// The Terraform that runs: the lowest that the manifest allows, so that nothing moves by itself.
    pub terraform_version: String,
    /// Whether archives are built.
    pub has_zip: bool,
    /// Functions whose images are built.
    pub image_roles: Vec<&'static str>,
    /// What the roles may do.
    pub statements: Vec<StatementPlan>,
}

/// Decides what deploys on a push, from the manifest and everything else that must exist.
///
/// The workflow is that of the first environment: the others are deployed by hand, with an eye on them.
#[must_use]
pub fn ci(loaded: &Loaded, plan: &Plan, constructs: &[&dyn Construct]) -> Option<CiPlan> {
    if loaded.target != Target::Base {
        return None;
    }
    let manifest = &loaded.manifest;
    let section = &manifest.ci;
    let (owner, repository) = section.repository.as_ref()?.as_str().split_once('/')?;
    if section.provider == CiProvider::None {
        return None;
    }
    let functions = [&plan.stream, &plan.dashboard];
    let is_built =
        |package| move |function: &&&FunctionPlan| function.package == package && function.image_uri.is_none();
    let role_arn = section.role_arn.as_ref().map(|arn| arn.as_str().to_owned());
    Some(CiPlan {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        branch: section.branch.as_str().to_owned(),
        terraform_version: manifest.terraform.required_version.get().floor().to_string(),
        has_zip: functions.iter().any(|function| function.package == Packaging::Zip),
        image_roles: functions.iter().filter(is_built(Packaging::Image)).map(|function| function.role).collect(),
        statements: if role_arn.is_some() { Vec::new() } else { statements(plan, constructs) },
        role_arn,
    })
}

/// What both roles may do: what each construct needs.
fn statements(plan: &Plan, constructs: &[&dyn Construct]) -> Vec<StatementPlan> {
    let arns = Arns::of(plan);
    constructs.iter().flat_map(|construct| construct.statements(&arns)).collect()
}
