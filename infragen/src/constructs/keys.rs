//! Keys of one's own.

use std::collections::BTreeSet;

use super::arns::Arns;
use super::construct::Construct;
use super::statement::StatementPlan;
use crate::cost::{Charge, Per, Prices};
use crate::plan::Plan;

/// How often a month DynamoDB asks for a table's key on behalf of one function: once in five minutes while somebody reads.
const REQUESTS_MONTHLY: f64 = 30.4 * 24.0 * 12.0;

/// Keys of KMS that what is kept is encrypted with. Somebody else has made them, and pays for them by the month.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'p>(&'p Plan);

impl<'p> Keys<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        (!Self(plan).all().is_empty()).then_some(Self(plan))
    }

    /// Each of them once. The topic's and the repository's are used by services alone, which the keys' own policies let in.
    fn all(self) -> BTreeSet<&'p String> {
        let (account, stream, dashboard) = (&self.0.account, &self.0.stream, &self.0.dashboard);
        let read = stream.table_keys.iter().chain(&dashboard.table_keys);
        let tables = [&self.0.items, &self.0.users].into_iter().chain(&self.0.hours).chain(&self.0.history);
        let made = tables.filter_map(|table| table.kms_key_arn.as_ref());
        let state = self.0.terraform.state_bucket.as_ref().and(self.0.terraform.state_key.as_ref());
        made.chain(read).chain(&account.keys.logs).chain(&account.keys.buckets).chain(state).collect()
    }
}

impl Construct for Keys<'_> {
    fn name(&self) -> &'static str {
        "keys of one's own"
    }

    fn summary(&self) -> &'static str {
        "Tables, logs, buckets, the repository and the topic under KMS keys that are there already (`[aws.kms]`, \
         `tables.items.kms_key_arn`)."
    }

    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let mut charges = Vec::new();
        let readers = [&self.0.stream, &self.0.dashboard].into_iter().map(|function| function.table_keys.len());
        let tables: u32 = readers.map(|keys| u32::try_from(keys).unwrap_or(u32::MAX)).sum();
        if tables > 0 {
            let millions = f64::from(tables) * REQUESTS_MONTHLY / 1e6;
            charges.push(Charge::monthly("KMS requests of tables", millions, "million", prices.kms.million_requests));
        }
        if self.0.account.keys.logs.is_some() {
            let price = prices.kms.million_requests;
            charges.push(Charge::millionths("KMS requests at start", Per::Start, 1.0, "million", price));
        }
        charges
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let own = ["dynamodb", "lambda", "s3"].map(|service| arns.endpoint(service));
        // The bucket of the state may be in another environment's region.
        let through: BTreeSet<String> =
            own.into_iter().chain([arns.endpoint_in("s3", self.0.terraform.state_region)]).collect();
        let keys = || self.all().into_iter().cloned();
        let comment =
            "Keys of tables, environments and buckets, through the service that asks for them and no other way.";
        let grants = "Services keep a right to a key for themselves, and nobody else gets one.";
        let (read, write) = (["kms:Decrypt", "kms:DescribeKey"], ["kms:Encrypt", "kms:GenerateDataKey"]);
        vec![
            StatementPlan::new("UseKeys", comment, &read, &write).on(keys()).when("kms:ViaService", through.clone()),
            StatementPlan::new("GrantKeys", grants, &[], &["kms:CreateGrant"])
                .on(keys())
                .when("kms:ViaService", through)
                .when_true("kms:GrantIsForAWSResource"),
        ]
    }
}
