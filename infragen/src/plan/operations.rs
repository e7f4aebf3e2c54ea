//! How a deployment is watched: metrics from log lines, alarms, the CloudWatch dashboard, the budget.

use contract::{limits, logs};
use serde::Serialize;

use super::{FunctionPlan, Names};
use crate::manifest::Manifest;
use crate::manifest::sections::OperationsSection;

/// What watches a deployment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationsPlan {
    /// Metrics that the functions' log lines become; none where nobody looks at them.
    pub filters: Vec<FilterPlan>,
    /// Alarms.
    pub alarms: Option<AlarmsPlan>,
    /// Whether there is a CloudWatch dashboard.
    pub has_dashboard: bool,
    /// Whether X-Ray traces invocations.
    pub tracing: bool,
    /// Longest session, whole seconds: what a viewer that left may cost.
    pub session_secs: u64,
    /// The budget.
    pub budget: Option<BudgetPlan>,
}

/// A filter that makes a metric of log lines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilterPlan {
    /// Its name in Terraform.
    pub label: &'static str,
    /// Its name in AWS.
    pub name: String,
    /// The function whose log it reads.
    pub role: &'static str,
    /// What it counts, for people.
    pub comment: &'static str,
    /// Which lines it takes.
    pub pattern: String,
    /// Name of the metric: how many such lines there were.
    pub metric: &'static str,
}

/// Who hears of alarms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A topic that is made here, for this address.
    Email(String),
    /// A topic that is there already.
    Arn(String),
}

/// Every alarm's threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlarmsPlan {
    /// Who hears of them; nobody where there is none.
    pub topic: Option<Topic>,
    /// Failed invocations in five minutes.
    pub errors: u32,
    /// Throttled invocations in five minutes.
    pub throttles: u32,
    /// Those of each function that are its own.
    pub functions: Vec<FunctionAlarms>,
    /// Throttled reads in five minutes.
    pub table_throttles: u32,
    /// Rows skipped in five minutes.
    pub skipped_rows: u32,
    /// Wasted seconds in an hour.
    pub zombie_seconds: u32,
}

/// Thresholds that follow from a function's own limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionAlarms {
    /// The function.
    pub role: &'static str,
    /// Its name in AWS.
    pub name: String,
    /// Its timeout.
    pub timeout_secs: u64,
    /// Longest invocation that is still all right.
    pub duration_millis: u64,
    /// Instances at once that are still all right, where there is a reserve.
    pub concurrency: Option<u32>,
    /// That reserve.
    pub reserved_concurrency: Option<u32>,
}

/// A limit on what everything may cost in a month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BudgetPlan {
    /// US dollars.
    pub dollars: u32,
    /// Who is told.
    pub email: String,
}

impl OperationsPlan {
    /// Files of the main root that this part adds, without suffix.
    #[must_use]
    pub fn files(&self) -> Vec<&'static str> {
        let files = [
            ("metrics", !self.filters.is_empty()),
            ("alarms", self.alarms.is_some()),
            ("monitoring", self.has_dashboard),
            ("budget", self.budget.is_some()),
        ];
        files.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }
}

/// Decides how a deployment is watched.
pub(super) fn operations(
    manifest: &Manifest,
    names: &Names,
    stream: &FunctionPlan,
    dashboard: &FunctionPlan,
) -> OperationsPlan {
    let section = &manifest.operations;
    let max_session = manifest.stream.max_session.get();
    // A session that lasts as long as it may is no reason for an alarm, however near that is to the timeout.
    let longest_session = u64::try_from((max_session + limits::DRAIN_MARGIN).as_millis()).unwrap_or(u64::MAX);
    let alarms = section.alarms.then(|| AlarmsPlan {
        topic: topic(section),
        errors: section.thresholds.errors.get(),
        throttles: section.thresholds.throttles.get(),
        functions: vec![function_alarms(section, stream, longest_session), function_alarms(section, dashboard, 0)],
        table_throttles: section.thresholds.table_throttles.get(),
        skipped_rows: section.thresholds.skipped_rows.get(),
        zombie_seconds: section.thresholds.zombie_seconds.get(),
    });
    let is_watched = section.alarms || section.cloudwatch_dashboard;
    OperationsPlan {
        filters: if is_watched { filters(names) } else { Vec::new() },
        alarms,
        has_dashboard: section.cloudwatch_dashboard,
        tracing: section.tracing,
        session_secs: max_session.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        budget: budget(section),
    }
}

fn topic(section: &OperationsSection) -> Option<Topic> {
    // Beside a topic the address is the budget's alone.
    let arn = section.topic_arn.as_ref().map(|arn| Topic::Arn(arn.as_str().to_owned()));
    arn.or_else(|| section.email.as_ref().map(|email| Topic::Email(email.as_str().to_owned())))
}

fn budget(section: &OperationsSection) -> Option<BudgetPlan> {
    let email = section.email.as_ref()?.as_str().to_owned();
    section.monthly_budget_usd.map(|dollars| BudgetPlan { dollars: dollars.get(), email })
}

fn function_alarms(section: &OperationsSection, function: &FunctionPlan, least_millis: u64) -> FunctionAlarms {
    let percent = section.thresholds.duration_percent.get();
    let share = section.thresholds.concurrency_percent.get();
    FunctionAlarms {
        role: function.role,
        name: function.name.clone(),
        timeout_secs: function.timeout_secs,
        // Seconds times percent times ten are milliseconds.
        duration_millis: (function.timeout_secs * u64::from(percent) * 10).max(least_millis),
        concurrency: function.reserved_concurrency.map(|reserve| (reserve * share).div_ceil(100)),
        reserved_concurrency: function.reserved_concurrency,
    }
}

/// The pattern that takes the lines with this message for which a further condition holds.
fn pattern(message: &str, condition: Option<String>) -> String {
    let condition = condition.map(|condition| format!(" && {condition}")).unwrap_or_default();
    format!("{{ $.message = \"{message}\"{condition} }}")
}

fn filters(names: &Names) -> Vec<FilterPlan> {
    let count = |label, role, metric, comment, pattern| FilterPlan {
        label,
        name: format!("{}-{}", names.base, label.replace('_', "-")),
        role,
        comment,
        pattern,
        metric,
    };
    let opened =
        count("streams_opened", "stream", "StreamsOpened", "Streams that began.", pattern(logs::STREAM_OPENED, None));
    let returned = count(
        "streams_returned",
        "stream",
        "StreamsReturned",
        "Streams of clients that came back: they presented a cursor.",
        pattern(logs::STREAM_OPENED, Some(format!("$.{} IS TRUE", logs::RETURNED))),
    );
    let ended = count(
        "streams_ended",
        "stream",
        "StreamsEnded",
        "Streams that the function ended: a client that still watches comes back within seconds.",
        pattern(logs::STREAM_CLOSED, Some(format!("$.{} != \"{}\"", logs::REASON, logs::CLIENT_LEFT))),
    );
    let skipped = |label, role| {
        let comment = "Rows that do not parse: each counts once for each instance that came across it.";
        count(label, role, "RowsSkipped", comment, pattern(logs::ROW_SKIPPED, None))
    };
    vec![
        opened,
        returned,
        ended,
        skipped("stream_rows_skipped", "stream"),
        skipped("dashboard_rows_skipped", "dashboard"),
    ]
}
