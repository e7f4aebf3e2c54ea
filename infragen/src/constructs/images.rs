//! Container images.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::cost::{Charge, Prices};
use crate::manifest::types::Packaging;
use crate::plan::Plan;

/// Images that the registry keeps, and the size of one, as generated/bootstrap and the packages have them.
const IMAGES_KEPT: f64 = 50.0;
const IMAGE_BYTES: f64 = 5e6;
/// What AWS calls a GB on bills.
const GIBIBYTE_BYTES: f64 = 1_073_741_824.0;

/// The repository of images, where this environment makes it, and the right to push to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Images<'p>(&'p Plan);

impl<'p> Images<'p> {
    pub(super) const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }

    fn are_used(self) -> bool {
        [&self.0.stream, &self.0.dashboard].iter().any(|function| function.package == Packaging::Image)
    }
}

impl Construct for Images<'_> {
    fn name(&self) -> &'static str {
        "images"
    }

    fn summary(&self) -> &'static str {
        "The repository of container images (`package = \"image\"`), one for all environments of a region of an account."
    }

    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let gigabytes = IMAGES_KEPT * IMAGE_BYTES / GIBIBYTE_BYTES;
        let stored = Charge::monthly("ECR images", gigabytes, "GB", prices.ecr.gb_month);
        self.are_used().then_some(stored).into_iter().collect()
    }

    fn files(&self) -> Vec<File> {
        self.0.makes_repository.then(|| File::bootstrap("ecr")).into_iter().collect()
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        if !self.are_used() {
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
