//! How a deployment is watched.

use std::collections::BTreeSet;

use contract::MetricsMode;
use contract::metrics::{Metric, OTHER};

use super::arns::Arns;
use super::construct::{Construct, File};
use super::statement::{StatementPlan, making_log_groups};
use crate::cost::{Charge, Per, Prices};
use crate::plan::Plan;
use crate::plan::operations::{FunctionAlarms, OperationsPlan, Topic};

/// Logs, alarms and who hears of them, the CloudWatch dashboard, the budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watching<'p>(&'p Plan);

impl<'p> Watching<'p> {
    pub(super) const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }
}

impl Construct for Watching<'_> {
    fn name(&self) -> &'static str {
        "watching"
    }

    fn summary(&self) -> &'static str {
        "Logs, alarms and who hears of them, the CloudWatch dashboard, metrics, traces and the budget (`[operations]`)."
    }

    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let (operations, free, prices) = (&self.0.operations, &prices.free_tier, &prices.cloudwatch);
        let named = |number: u32, one, many| (f64::from(number), if number == 1 { one } else { many });
        let mut charges = Vec::new();
        if operations.tracing {
            let traces = Charge::millionths("X-Ray traces", Per::Trace, 1.0, "million", prices.million_traces);
            charges.push(traces.with_free(free.traces.get() / 1e6));
        }
        let (alarms, unit) = named(alarms(operations), "metric", "metrics");
        charges.push(Charge::monthly("CloudWatch alarms", alarms, unit, prices.alarm).with_free(free.alarms.get()));
        let metrics = operations.metrics.as_ref().map_or(0, |metrics| custom_metrics(metrics.mode));
        let (metrics, unit) = named(metrics, "metric", "metrics");
        let line = Charge::monthly("CloudWatch custom metrics", metrics, unit, prices.custom_metric);
        charges.push(line.with_free(free.custom_metrics.get()));
        let dashboards = f64::from(u32::from(operations.has_dashboard));
        let line = Charge::monthly("CloudWatch dashboard", dashboards, "dashboard", prices.dashboard);
        charges.push(line.with_free(free.dashboards.get()));
        charges
    }

    fn files(&self) -> Vec<File> {
        let operations = &self.0.operations;
        let files = [
            ("alarms", operations.alarms.is_some()),
            ("monitoring", operations.has_dashboard),
            ("budget", operations.budget.is_some()),
        ];
        files.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| File::main(name)).collect()
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let base = &self.0.names.base;
        let [made, existing] = self.log_groups(arns);
        let mut write = making_log_groups(self.0.account.keys.logs.is_some());
        write.extend(["logs:DeleteMetricFilter", "logs:PutMetricFilter"]);
        let find = "The log groups are found by listing all of them, which CloudWatch narrows to no resource.";
        let alarms = "Alarms and the dashboard.";
        let look = "Which alarms go off is found by their prefix, for which CloudWatch asks for all of them.";
        let mut statements =
            vec![StatementPlan::new("FindLogGroups", find, &["logs:DescribeLogGroups"], &[]).on(["*"])];
        if !made.is_empty() {
            let comment = "Log groups and the metrics made of them, but not what is logged.";
            let read = ["logs:DescribeMetricFilters", "logs:ListTagsForResource"];
            statements.push(StatementPlan::new("LogGroups", comment, &read, &write).on(made));
        }
        if !existing.is_empty() {
            let comment = "Log groups that are somebody else's are looked at only.";
            statements.push(
                StatementPlan::new("ExistingLogGroups", comment, &["logs:ListTagsForResource"], &[]).on(existing),
            );
        }
        statements.push(
            StatementPlan::new("FindAlarms", look, &["cloudwatch:DescribeAlarms"], &[])
                .on([arns.arn("cloudwatch", "alarm:*")]),
        );
        statements.push(
            StatementPlan::new(
                "Alarms",
                alarms,
                &["cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"],
                &[
                    "cloudwatch:DeleteAlarms",
                    "cloudwatch:DeleteDashboards",
                    "cloudwatch:PutDashboard",
                    "cloudwatch:PutMetricAlarm",
                    "cloudwatch:TagResource",
                    "cloudwatch:UntagResource",
                ],
            )
            .on([
                arns.arn("cloudwatch", &format!("alarm:{base}-*")),
                arns.global("cloudwatch", &format!("dashboard/{base}")),
            ]),
        );
        statements.extend(self.telling(arns));
        statements
    }
}

impl Watching<'_> {
    /// Log groups that are made here, and those that exist, each with its streams.
    fn log_groups(self, arns: &Arns<'_>) -> [Vec<String>; 2] {
        let functions = [&self.0.stream, &self.0.dashboard];
        let of = |is_made: bool| {
            let groups: BTreeSet<&str> = functions
                .into_iter()
                .filter(|function| function.makes_log_group == is_made)
                .map(|function| function.log_group.as_str())
                .collect();
            groups.into_iter().flat_map(|group| arns.log_group(&self.0.region, group)).collect()
        };
        let [mut made, existing]: [Vec<String>; 2] = [true, false].map(of);
        if let Some(instances) = &self.0.instances {
            let group = format!("/aws/lambda/capacity-provider/{}", instances.name);
            made.extend(arns.log_group(&self.0.region, &group));
        }
        [made, existing]
    }

    fn telling(self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let (base, operations) = (&self.0.names.base, &self.0.operations);
        let mut statements = Vec::new();
        if operations.alarms.as_ref().is_some_and(|alarms| matches!(alarms.topic, Some(Topic::Email(_)))) {
            let write = [
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:TagResource",
                "sns:UntagResource",
            ];
            let topic = arns.arn("sns", &format!("{base}-alarms"));
            let read = ["sns:GetTopicAttributes", "sns:ListTagsForResource"];
            statements.push(StatementPlan::new("Topic", "Where alarms go.", &read, &write).on([topic]));
            let comment = "Amazon SNS narrows these two to no resource.";
            let (read, write) = (["sns:GetSubscriptionAttributes"], ["sns:Unsubscribe"]);
            statements.push(StatementPlan::new("Subscription", comment, &read, &write).on(["*"]));
        }
        if operations.budget.is_some() {
            let read = ["budgets:ListTagsForResource", "budgets:ViewBudget"];
            let write = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"];
            let budget = arns.global("budgets", &format!("budget/{base}-monthly"));
            statements.push(StatementPlan::new("Budget", "The budget.", &read, &write).on([budget]));
        }
        statements
    }
}

/// Metrics that alarms look at, each billed as an alarm.
fn alarms(operations: &OperationsPlan) -> u32 {
    let Some(alarms) = &operations.alarms else { return 0 };
    let of = |function: &FunctionAlarms| 3 + u32::from(function.concurrency.is_some());
    // Skipped rows; and zombie seconds, which are made of two metrics.
    let own = if operations.metrics.is_some() { 1 + 2 } else { 0 };
    // Errors, throttles and duration of each function, and its reserve; throttles of both tables.
    alarms.functions.iter().map(of).sum::<u32>() + 2 + own
}

/// Metrics that the functions write. Details are taken to occur all, though some reasons may not for months.
fn custom_metrics(mode: MetricsMode) -> u32 {
    let details =
        |metric: &Metric| metric.by().map_or(0, |by| by.values.iter().filter(|value| **value != OTHER).count());
    let count = match mode {
        MetricsMode::Off => 0,
        MetricsMode::Totals => Metric::ALL.len(),
        MetricsMode::Detailed => Metric::ALL.len() + Metric::ALL.iter().map(details).sum::<usize>(),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}
