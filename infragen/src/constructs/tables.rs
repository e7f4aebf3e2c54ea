//! The tables of items and users, and those of hours: which instances share, and whose sums are kept.

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::StatementPlan;
use crate::plan::Plan;

/// The tables, made here or there already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables<'p>(&'p Plan);

impl<'p> Tables<'p> {
    pub(super) const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }
}

impl Construct for Tables<'_> {
    fn name(&self) -> &'static str {
        "tables"
    }

    fn summary(&self) -> &'static str {
        "The tables of items and of users (`[tables]`), made here or there already. Always there. With `stream.share_hours` \
         one more, of the hours that instances share."
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("tables")]
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let read = ["dynamodb:Describe*", "dynamodb:ListTagsOfResource"];
        let write = [
            "dynamodb:CreateTable",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ];
        let tables: Vec<_> =
            [&self.0.items, &self.0.users].into_iter().chain(&self.0.hours).chain(&self.0.history).collect();
        let of = |create: bool| {
            let names = tables.iter().filter(move |table| table.create == create).map(|table| &table.name);
            names.map(|name| arns.arn("dynamodb", &format!("table/{name}"))).collect::<Vec<_>>()
        };
        let own = "The tables, but not what is in them; and deleting one is left to a person.";
        let foreign = "Tables of somebody else: their description.";
        let statements = [
            StatementPlan::new("Tables", own, &read, &write).on(of(true)),
            StatementPlan::new("ForeignTables", foreign, &read, &[]).on(of(false)),
        ];
        statements.into_iter().filter(|statement| !statement.resources.is_empty()).collect()
    }
}
