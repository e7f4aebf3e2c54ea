//! API Gateway.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::plan::{GatewayPlan, Plan};

/// The REST API before both functions, and its own domain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gateway<'p>(&'p Plan, &'p GatewayPlan);

impl<'p> Gateway<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.gateway.as_ref().map(|gateway| Self(plan, gateway))
    }
}

impl Construct for Gateway<'_> {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn summary(&self) -> &'static str {
        "A REST API of API Gateway before both functions, for everybody or for VPC endpoints alone, and its own domain (`front.kind = \"api-gateway\"`)."
    }

    fn files(&self) -> Vec<File> {
        self.1.files().into_iter().map(File::main).collect()
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let Self(plan, gateway) = self;
        let of = |resource: &str| format!("arn:{}:apigateway:{}::/{resource}", plan.partition, plan.region);
        let write = ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"];
        let mut resources = vec![of("restapis"), of("restapis/*"), of("tags/*")];
        if gateway.domain.is_some() {
            resources.extend([of("domainnames"), of("domainnames/*")]);
        }
        let mut own = write.to_vec();
        if !gateway.vpc_endpoints.is_empty() {
            own.push("apigateway:UpdateRestApiPolicy");
        }
        let comment = "AWS makes up the names of APIs, so that nothing narrower is known before.";
        let mut statements = vec![StatementPlan::new("RestApi", comment, &["apigateway:GET"], &own).on(resources)];
        if let Some(zone) = gateway.domain.as_ref().and_then(|domain| domain.hosted_zone_id.as_ref()) {
            let partition = plan.partition;
            let read = ["route53:GetChange", "route53:GetHostedZone", "route53:ListResourceRecordSets"];
            let resources =
                [format!("arn:{partition}:route53:::hostedzone/{zone}"), format!("arn:{partition}:route53:::change/*")];
            let write = ["route53:ChangeResourceRecordSets"];
            statements.push(StatementPlan::new("Records", "The domain's records.", &read, &write).on(resources));
        }
        if gateway.access_log_days.is_some() {
            let read = ["logs:ListTagsForResource"];
            let mut write = vec![
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ];
            if plan.account.keys.logs.is_some() {
                write.extend(["logs:AssociateKmsKey", "logs:DisassociateKmsKey"]);
            }
            let group = arns.arn("logs", &format!("log-group:/aws/apigateway/{}*", plan.names.base));
            statements.push(StatementPlan::new("AccessLog", "The API's own log.", &read, &write).on([group]));
            // CloudWatch takes lines of an API as a delivery, which has no resource of its own.
            let read = ["logs:GetLogDelivery", "logs:ListLogDeliveries"];
            let write = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:UpdateLogDelivery"];
            let comment = "And that CloudWatch takes its lines.";
            statements.push(StatementPlan::new("AccessLogDelivery", comment, &read, &write).on(["*".to_owned()]));
        }
        statements
    }
}
