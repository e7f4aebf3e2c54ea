//! Where Terraform keeps its state.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::plan::Plan;

/// The state, and the bucket of it where this environment makes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct State<'p>(&'p Plan);

impl<'p> State<'p> {
    pub(super) const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }
}

impl Construct for State<'_> {
    fn name(&self) -> &'static str {
        "state"
    }

    fn summary(&self) -> &'static str {
        "Where Terraform keeps what it made: with `terraform.backend.kind = \"s3\"` in a bucket, which the first environment makes."
    }

    fn files(&self) -> Vec<File> {
        self.0.terraform.makes_state_bucket.then(|| File::bootstrap("state")).into_iter().collect()
    }

    fn statements(&self, _: &Arns<'_>) -> Vec<StatementPlan> {
        let Some(bucket) = &self.0.terraform.state_bucket else { return Vec::new() };
        let bucket = format!("arn:{}:s3:::{bucket}", self.0.partition);
        let key = format!("{bucket}/{}", self.0.names.state_key);
        vec![
            StatementPlan::new("FindState", "Terraform looks whether there is a state yet.", &["s3:ListBucket"], &[])
                .on([&bucket]),
            StatementPlan::new("KeepState", "The state itself.", &["s3:GetObject"], &["s3:PutObject"]).on([&key]),
            StatementPlan::new(
                "LockState",
                "Two deployments at once wait for each other; a plan takes no lock.",
                &[],
                &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            )
            .on([format!("{key}.tflock")]),
        ]
    }
}
