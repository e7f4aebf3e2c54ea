//! Rights to make roles. Where a policy bounds these, whoever deploys can make none without it, and so none that may do more.

use super::arns::Arns;
use super::statement::StatementPlan;

/// What is done to a role whatever bounds it: none of it gives the role a right.
const KEEP: [&str; 5] =
    ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"];
/// What sets the bound of a role that was made before there was one.
const BOUND: &str = "iam:PutRolePermissionsBoundary";

/// Returns the right to make roles and to `give` them rights: under the names of one statement, and of the second where a policy
/// bounds the roles.
pub(super) fn roles(
    [sid, bounded]: [&'static str; 2],
    comment: &'static str,
    give: &[&'static str],
    arns: &Arns<'_>,
    roles: &[String],
) -> Vec<StatementPlan> {
    let read = ["iam:Get*", "iam:List*"];
    let Some(boundary) = arns.boundary() else {
        let write = [give, &KEEP].concat();
        return vec![StatementPlan::new(sid, comment, &read, &write).on(roles)];
    };
    let why = "They are given rights only within the policy that bounds them, which nobody takes off here.";
    vec![
        StatementPlan::new(sid, comment, &read, &KEEP).on(roles),
        StatementPlan::new(bounded, why, &[], &[give, &[BOUND]].concat())
            .on(roles)
            .when("iam:PermissionsBoundary", [boundary]),
    ]
}
