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

    fn statements(&self, _: &Arns<'_>) -> Vec<StatementPlan> {
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
        vec![StatementPlan::new("RestApi", comment, &["apigateway:GET"], &own).on(resources)]
    }
}
