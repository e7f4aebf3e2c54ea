//! Managed instances under the stream function.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::roles;
use super::statement::StatementPlan;
use crate::plan::Plan;

/// The capacity provider and the role with which Lambda runs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instances<'p>(&'p Plan);

impl<'p> Instances<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.instances.as_ref().map(|_| Self(plan))
    }
}

impl Construct for Instances<'_> {
    fn name(&self) -> &'static str {
        "managed instances"
    }

    fn summary(&self) -> &'static str {
        "The capacity provider under the stream function (`stream.compute = \"managed-instances\"`)."
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("instances")]
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let Some(instances) = &self.0.instances else { return Vec::new() };
        let capacity = arns.arn("lambda", &format!("capacity-provider:{}", instances.name));
        let operator = [arns.role(&instances.operator_role)];
        let write = [
            "lambda:CreateCapacityProvider",
            "lambda:DeleteCapacityProvider",
            "lambda:PassCapacityProvider",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateCapacityProvider",
        ];
        let give = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DetachRolePolicy"];
        let read = ["lambda:GetCapacityProvider", "lambda:ListTags"];
        let comment = "The instances under the stream function.";
        let operator_comment = "The role with which Lambda runs them.";
        let pass = StatementPlan::new("HandOperatorToLambda", "And to nobody else.", &[], &["iam:PassRole"])
            .on(&operator)
            .when("iam:PassedToService", ["lambda.amazonaws.com"]);
        let mut statements = vec![StatementPlan::new("Instances", comment, &read, &write).on([capacity])];
        statements.extend(roles::roles(["Operator", "BoundedOperator"], operator_comment, &give, arns, &operator));
        statements.push(pass);
        statements
    }
}
