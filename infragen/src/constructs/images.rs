//! Container images.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::manifest::types::Packaging;
use crate::plan::Plan;

/// The repository of images, where this environment makes it, and the right to push to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Images<'p>(&'p Plan);

impl<'p> Images<'p> {
    pub(super) const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }
}

impl Construct for Images<'_> {
    fn files(&self) -> Vec<File> {
        self.0.makes_repository.then(|| File::bootstrap("ecr")).into_iter().collect()
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        if [&self.0.stream, &self.0.dashboard].iter().all(|function| function.package == Packaging::Zip) {
            return Vec::new();
        }
        let write = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer",
            "ecr:GetRepositoryPolicy",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:SetRepositoryPolicy",
            "ecr:UploadLayerPart",
        ];
        let repository = arns.arn("ecr", &format!("repository/{}", self.0.names.repository));
        let images = "Push images; Lambda has itself allowed to pull them on behalf of whoever creates the function.";
        let sign_in = "Amazon ECR narrows this one to no resource.";
        vec![
            StatementPlan::new("Images", images, &[], &write).on([repository]),
            StatementPlan::new("SignInToRegistry", sign_in, &[], &["ecr:GetAuthorizationToken"]).on(["*"]),
        ]
    }
}
