//! CloudFront.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::plan::{DistributionPlan, Plan};

/// The distribution before both functions, the page behind it, and the certificate of its own domain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Front<'p>(&'p Plan);

impl<'p> Front<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.distribution.as_ref().map(|_| Self(plan))
    }
}

impl Construct for Front<'_> {
    fn name(&self) -> &'static str {
        "front"
    }

    fn summary(&self) -> &'static str {
        "CloudFront before both functions and the page, and the certificate of its own domain (`front.kind = \"cloudfront\"`)."
    }

    fn files(&self) -> Vec<File> {
        self.0.distribution.iter().flat_map(DistributionPlan::files).map(File::main).collect()
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let write = [
            "cloudfront:CreateDistribution",
            "cloudfront:CreateResponseHeadersPolicy",
            "cloudfront:DeleteDistribution",
            "cloudfront:DeleteOriginAccessControl",
            "cloudfront:DeleteResponseHeadersPolicy",
            "cloudfront:TagResource",
            "cloudfront:UntagResource",
            "cloudfront:UpdateDistribution",
            "cloudfront:UpdateOriginAccessControl",
            "cloudfront:UpdateResponseHeadersPolicy",
        ];
        let kinds = [
            "cache-policy",
            "distribution",
            "origin-access-control",
            "origin-request-policy",
            "response-headers-policy",
        ];
        let bucket = format!("arn:{}:s3:::{}*", self.0.partition, self.0.names.page_bucket_prefix);
        let page_write = [
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:DeleteObject",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ];
        let sign = "CloudFront narrows this one to no resource.";
        let mut statements = vec![
            StatementPlan::new("MakeAccessControl", sign, &[], &["cloudfront:CreateOriginAccessControl"]).on(["*"]),
            StatementPlan::new(
                "Distribution",
                "AWS makes up the names of these, so that nothing narrower is known before.",
                &["cloudfront:Get*", "cloudfront:List*"],
                &write,
            )
            .on(kinds.map(|kind| arns.global("cloudfront", &format!("{kind}/*")))),
            StatementPlan::new(
                "Page",
                "The page's bucket: all of it is public.",
                &["s3:Get*", "s3:List*"],
                &page_write,
            )
            .on([bucket]),
        ];
        statements.extend(self.segments(arns));
        statements.extend(self.certificate());
        statements
    }
}

impl Front<'_> {
    fn segments(self, arns: &Arns<'_>) -> Option<StatementPlan> {
        self.0.distribution.as_ref()?.segment_secs?;
        let write = ["cloudfront:CreateCachePolicy", "cloudfront:DeleteCachePolicy", "cloudfront:UpdateCachePolicy"];
        let about = "The policy by which segments of the stream are cached; AWS makes up its name.";
        Some(StatementPlan::new("Segments", about, &[], &write).on([arns.global("cloudfront", "cache-policy/*")]))
    }

    fn certificate(self) -> Vec<StatementPlan> {
        let Some(distribution) = &self.0.distribution else { return Vec::new() };
        let partition = self.0.partition;
        let mut statements = Vec::new();
        if distribution.domain.as_ref().is_some_and(|domain| domain.certificate_arn.is_none()) {
            let read = ["acm:DescribeCertificate", "acm:ListTagsForCertificate"];
            let write = ["acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RemoveTagsFromCertificate"];
            let certificates = [format!("arn:{partition}:acm:us-east-1:*:certificate/*")];
            statements
                .push(StatementPlan::new("Certificate", "The domain's certificate.", &read, &write).on(certificates));
            let ask = "AWS Certificate Manager narrows this one to no resource.";
            statements.push(StatementPlan::new("AskForCertificate", ask, &[], &["acm:RequestCertificate"]).on(["*"]));
        }
        statements
    }
}
