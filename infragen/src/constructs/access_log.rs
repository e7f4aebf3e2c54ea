//! The access log of what stands before the functions.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::{StatementPlan, making_log_groups};
use crate::cost::{Charge, Per, Prices};
use crate::plan::{AccessLogPlan, Plan};

/// Bytes of a line, with what CloudWatch adds to each: names and values of its fields, addresses of IPv6 in full.
const LINE_BYTES: f64 = 560.0;
/// Bytes of a millionth of a GB.
const GB_MILLIONTH: f64 = 1e3;

/// A line for each request to the distribution or the REST API.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccessLog<'p>(&'p Plan, &'p AccessLogPlan);

impl<'p> AccessLog<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.access_log.as_ref().map(|log| Self(plan, log))
    }
}

impl Construct for AccessLog<'_> {
    fn name(&self) -> &'static str {
        "access_log"
    }

    fn summary(&self) -> &'static str {
        "A line for each request to CloudFront or the REST API, without query, cookies and headers (`front.access_log`)."
    }

    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let millionths = LINE_BYTES / GB_MILLIONTH;
        vec![Charge::millionths("Access log", Per::Request, millionths, "GB", prices.cloudwatch.gb_logs)]
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("access_log")]
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let Self(plan, log) = self;
        let write = making_log_groups(plan.account.keys.logs.is_some());
        let read = ["logs:ListTagsForResource"];
        let groups = arns.log_group(&log.region, &log.group);
        let mut statements = vec![StatementPlan::new("AccessLog", "The access log.", &read, &write).on(groups)];
        if plan.distribution.is_some() {
            statements.extend(self.delivery(arns));
        } else {
            // CloudWatch takes lines of an API as a delivery, which has no resource of its own.
            let read = ["logs:GetLogDelivery", "logs:ListLogDeliveries"];
            let write = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:UpdateLogDelivery"];
            let comment = "And that CloudWatch takes its lines.";
            statements.push(StatementPlan::new("AccessLogDelivery", comment, &read, &write).on(["*".to_owned()]));
        }
        statements
    }
}

impl AccessLog<'_> {
    /// From the distribution into the group.
    fn delivery(self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let Self(plan, log) = self;
        let base = &plan.names.base;
        let read =
            ["logs:GetDelivery", "logs:GetDeliveryDestination", "logs:GetDeliverySource", "logs:ListTagsForResource"];
        let write = [
            "logs:CreateDelivery",
            "logs:DeleteDelivery",
            "logs:DeleteDeliveryDestination",
            "logs:DeleteDeliverySource",
            "logs:PutDeliveryDestination",
            "logs:PutDeliverySource",
            "logs:TagResource",
            "logs:UntagResource",
            "logs:UpdateDeliveryConfiguration",
        ];
        // A delivery's name is made up by AWS.
        let ends = [format!("delivery-source:{base}"), format!("delivery-destination:{base}"), "delivery:*".to_owned()];
        let ends = ends.map(|end| arns.arn_in(&log.region, "logs", &end));
        let comment = "And that CloudFront writes into it.";
        let mut statements = vec![StatementPlan::new("AccessLogDelivery", comment, &read, &write).on(ends)];
        let comment = "CloudWatch lets deliveries write by a policy of the region, which it changes as whoever asks for one, and narrows to no resource.";
        let (read, write) = (["logs:DescribeResourcePolicies"], ["logs:PutResourcePolicy"]);
        statements.push(StatementPlan::new("AccessLogPolicy", comment, &read, &write).on(["*"]));
        let distributions = [arns.global("cloudfront", "distribution/*")];
        let write = ["cloudfront:AllowVendedLogDeliveryForResource"];
        let comment = "And that the distribution's lines are handed out.";
        statements.push(StatementPlan::new("AccessLogSource", comment, &[], &write).on(distributions));
        statements
    }
}
