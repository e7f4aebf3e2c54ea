//! The web application firewall.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::cost::{Charge, Per, Prices};
use crate::plan::{FirewallPlan, Plan};

/// What stands before the distribution or the REST API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Firewall<'p>(&'p Plan, &'p FirewallPlan);

impl<'p> Firewall<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.firewall.as_ref().map(|firewall| Self(plan, firewall))
    }
}

impl Construct for Firewall<'_> {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn summary(&self) -> &'static str {
        "The web application firewall before CloudFront or the REST API (`front.rate_limit`)."
    }

    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let waf = &prices.waf;
        vec![
            Charge::monthly("Firewall ACL", 1.0, "ACL", waf.acl),
            Charge::monthly("Firewall rule", 1.0, "rule", waf.rule),
            Charge::millionths("Firewall requests", Per::Request, 1.0, "million", waf.million_requests),
        ]
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("firewall")]
    }

    fn statements(&self, _: &Arns<'_>) -> Vec<StatementPlan> {
        let Self(plan, firewall) = self;
        let (partition, base, region) = (plan.partition, &plan.names.base, &firewall.region);
        let mut read = vec!["wafv2:GetWebACL", "wafv2:ListTagsForResource"];
        let mut write = vec![
            "wafv2:CreateWebACL",
            "wafv2:DeleteWebACL",
            "wafv2:TagResource",
            "wafv2:UntagResource",
            "wafv2:UpdateWebACL",
        ];
        let (mut scope, mut more) = ("global", Vec::new());
        if plan.gateway.is_some() {
            // It is put before the stage of an API, which has no name before it is made.
            read.push("wafv2:GetWebACLForResource");
            write.extend(["apigateway:SetWebACL", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"]);
            scope = "regional";
            more.push(format!("arn:{partition}:apigateway:{region}::/restapis/*/stages/*"));
        }
        let firewall = format!("arn:{partition}:wafv2:{region}:*:{scope}/webacl/{base}-front/*");
        let resources = [vec![firewall], more].concat();
        vec![StatementPlan::new("Firewall", "The firewall.", &read, &write).on(resources)]
    }
}
