//! The network of a function.

use super::arns::Arns;
use super::construct::Construct;
use super::statement::StatementPlan;
use crate::plan::Plan;

/// The dashboard function's network, which is somebody else's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network;

impl Network {
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        plan.dashboard.vpc.as_ref().map(|_| Self)
    }
}

impl Construct for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn summary(&self) -> &'static str {
        "The dashboard function in a network that is there already (`[dashboard.vpc]`)."
    }

    fn statements(&self, _: &Arns<'_>) -> Vec<StatementPlan> {
        let actions = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
        let comment = "Lambda wants this of whoever gives a function a network; EC2 narrows these to no resource.";
        vec![StatementPlan::new("FindNetworks", comment, &[], &actions).on(["*"])]
    }
}
