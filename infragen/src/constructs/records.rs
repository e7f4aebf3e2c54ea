//! The records of a domain of one's own, whatever it leads to.

use serde_json::{Value, json};

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::plan::Plan;

/// Records of a domain in a hosted zone of the account: aliases of the distribution or the REST API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'p> {
    partition: &'static str,
    zone: &'p str,
    name: &'p str,
    target: Target,
}

/// What a domain leads to.
#[derive(Clone, Copy, Debug)]
struct Target {
    /// Its name as Terraform has it.
    name: &'static str,
    /// The zone that this name is in.
    zone: &'static str,
    /// Ends of the records' names in Terraform, and their types.
    kinds: &'static [(&'static str, &'static str)],
}

/// A distribution answers over both versions of the protocol.
const DISTRIBUTION: Target = Target {
    name: "aws_cloudfront_distribution.front.domain_name",
    zone: "aws_cloudfront_distribution.front.hosted_zone_id",
    kinds: &[("ipv4", "A"), ("ipv6", "AAAA")],
};
/// A regional API over the old one.
const REST_API: Target = Target {
    name: "aws_api_gateway_domain_name.front.regional_domain_name",
    zone: "aws_api_gateway_domain_name.front.regional_zone_id",
    kinds: &[("ipv4", "A")],
};

impl<'p> Records<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        let distribution = plan.distribution.as_ref().map(|front| (&front.domain, DISTRIBUTION));
        let (domain, target) = distribution.or_else(|| Some((&plan.gateway.as_ref()?.domain, REST_API)))?;
        let domain = domain.as_ref()?;
        Some(Self { partition: plan.partition, zone: domain.hosted_zone_id.as_ref()?, name: &domain.name, target })
    }
}

impl Construct for Records<'_> {
    fn name(&self) -> &'static str {
        "records"
    }

    fn summary(&self) -> &'static str {
        "The records of a domain of one's own in Route 53 (`front.domain` with `front.hosted_zone_id`)."
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("records")]
    }

    fn statements(&self, _: &Arns<'_>) -> Vec<StatementPlan> {
        let of = |resource: &str| format!("arn:{}:route53:::{resource}", self.partition);
        let read = ["route53:GetChange", "route53:GetHostedZone", "route53:ListResourceRecordSets"];
        let write = ["route53:ChangeResourceRecordSets"];
        let resources = [of(&format!("hostedzone/{}", self.zone)), of("change/*")];
        vec![StatementPlan::new("Records", "The domain's records.", &read, &write).on(resources)]
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        let Target { name, zone, kinds } = self.target;
        let records = json!({
            "zone_id": self.zone,
            "name": self.name,
            "target_name": name,
            "target_zone": zone,
            "kinds": kinds,
        });
        vec![("records", records)]
    }
}
