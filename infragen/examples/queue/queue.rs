//! A feature of somebody's own: everything of it is this value and the template beside it.

use infragen::constructs::{Arns, Construct, File, StatementPlan};
use infragen::cost::{Charge, Per, Prices};
use serde_json::{Value, json};

/// A queue of rows that came too late.
pub(crate) struct Queue {
    /// Its name in AWS.
    pub(crate) name: String,
    /// Days for which it keeps a message.
    pub(crate) keeps_days: u32,
}

/// The template's name among the others, and its text.
pub(crate) const TEMPLATE: (&str, &str) = ("terraform/queue.tf", include_str!("queue.tf"));

impl Construct for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn summary(&self) -> &'static str {
        "Rows that came too late, for whoever wants to look at them."
    }

    fn files(&self) -> Vec<File> {
        vec![File::main("queue")]
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let read = ["sqs:GetQueueAttributes", "sqs:ListQueueTags"];
        let write = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"];
        vec![StatementPlan::new("Queue", "The queue of late rows.", &read, &write).on([arns.arn("sqs", &self.name)])]
    }

    fn charges(&self, _: &Prices) -> Vec<Charge> {
        let (per, quantity) = (Per::Session, 2.0 / 1e6);
        let item = "SQS requests";
        vec![Charge { item, unit: "million", per, quantity, unit_price: 0.40, free: 1.0 }]
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        vec![("queue", json!({ "name": self.name, "retention_secs": self.keeps_days * 86_400 }))]
    }
}
