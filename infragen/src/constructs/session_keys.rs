//! Keys of session tokens.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::cost::{Charge, Per, Prices};
use crate::plan::Plan;

/// The KMS keys that session tokens are signed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionKeys<'p>(&'p Plan);

impl<'p> SessionKeys<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.session_keys.as_ref().map(|_| Self(plan))
    }
}

impl Construct for SessionKeys<'_> {
    fn name(&self) -> &'static str {
        "session keys"
    }

    fn summary(&self) -> &'static str {
        "The KMS keys that session tokens are signed with (`auth.mode = \"session\"`)."
    }

    /// The keys themselves, and one request for each of them at the start of an environment.
    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let names = self.0.session_keys.iter().flat_map(|keys| &keys.names);
        let keys = f64::from(u32::try_from(names.count()).unwrap_or(u32::MAX));
        let unit = if keys > 1.0 { "keys" } else { "key" };
        let requests = Charge::millionths("KMS requests", Per::Start, keys, "million", prices.kms.million_requests);
        vec![
            Charge::monthly("KMS keys", keys, unit, prices.kms.key_month),
            requests.with_free(prices.free_tier.kms_requests.get() / 1e6),
        ]
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("session")]
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let Some(keys) = &self.0.session_keys else { return Vec::new() };
        let alias = arns.arn("kms", &format!("{}*", keys.alias_prefix));
        let read = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"];
        let write = ["kms:CreateAlias", "kms:DeleteAlias", "kms:TagResource", "kms:UpdateAlias"];
        let change = ["kms:ScheduleKeyDeletion", "kms:UntagResource", "kms:UpdateKeyDescription"];
        let comment = "Keys of session tokens, but no use of them. AWS makes up their names.";
        let own = "Only keys that have the tags of this deployment are ever deleted.";
        let tag = |name: &str| self.0.tags.get(name).cloned();
        let find = "Keys are made without a name, and aliases are found by listing all of them.";
        vec![
            StatementPlan::new("SessionKeys", comment, &read, &write).on([alias, arns.arn("kms", "key/*")]),
            StatementPlan::new("OwnSessionKeys", own, &[], &change)
                .on([arns.arn("kms", "key/*")])
                .when("aws:ResourceTag/project", tag("project"))
                .when("aws:ResourceTag/environment", tag("environment")),
            StatementPlan::new("MakeSessionKeys", find, &["kms:ListAliases"], &["kms:CreateKey"]).on(["*"]),
        ]
    }
}
