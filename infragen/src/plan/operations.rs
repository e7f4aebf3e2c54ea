//! How a deployment is watched: the functions' own metrics, alarms, the CloudWatch dashboard, the budget.

use contract::metrics::Metric;
use contract::{MetricsMode, limits};
use serde::Serialize;

use super::types::FunctionPlan;
use crate::manifest::logs::{LogFormat, LogsSection, ProgramLevel, SystemLevel};
use crate::manifest::sections::OperationsSection;
use crate::manifest::{Manifest, Names};

/// What watches a deployment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationsPlan {
    /// The functions' own metrics, where they write any.
    pub metrics: Option<MetricsPlan>,
    /// Alarms.
    pub alarms: Option<AlarmsPlan>,
    /// Whether there is a CloudWatch dashboard.
    pub has_dashboard: bool,
    /// Whether X-Ray traces invocations.
    pub tracing: bool,
    /// How logs are written, where that is not as text.
    pub logging: Option<LoggingPlan>,
    /// Longest session, whole seconds: what a viewer that left may cost.
    pub session_secs: u64,
    /// The budget.
    pub budget: Option<BudgetPlan>,
}

/// Logs as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LoggingPlan {
    /// Lowest level of the programs' lines.
    pub level: Option<&'static str>,
    /// Lowest level of Lambda's own.
    pub system_level: Option<&'static str>,
}

impl LoggingPlan {
    fn of(section: &LogsSection) -> Option<Self> {
        (section.format == LogFormat::Json).then(|| Self {
            level: section.level.map(ProgramLevel::as_str),
            system_level: section.system_level.map(SystemLevel::as_str),
        })
    }
}

/// Where the functions' own metrics are found: names that the functions write, from the one definition of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricsPlan {
    /// How many there are.
    #[serde(skip)]
    pub mode: MetricsMode,
    /// Their namespace.
    pub namespace: String,
    /// Streams that began.
    pub opened: &'static str,
    /// Streams of clients that came back.
    pub returned: &'static str,
    /// Streams that went on where their client had been.
    pub resumed: &'static str,
    /// Streams whose cursor could not be honoured.
    pub reset: &'static str,
    /// Requests that got no stream.
    pub refused: &'static str,
    /// Streams that the function ended.
    pub ended: &'static str,
    /// Time from a row to its update.
    pub lag: &'static str,
    /// Updates of rows that appeared late.
    pub late: &'static str,
    /// Time that a read took.
    pub poll_duration: &'static str,
    /// Reads that failed.
    pub polls_failed: &'static str,
    /// Rows that do not parse.
    pub rows_skipped: &'static str,
    /// Events written.
    pub events: &'static str,
}

impl MetricsPlan {
    fn new(names: &Names, mode: MetricsMode) -> Self {
        Self {
            mode,
            namespace: names.base.clone(),
            opened: Metric::StreamsOpened.name(),
            returned: Metric::StreamsReturned.name(),
            resumed: Metric::StreamsResumed.name(),
            reset: Metric::StreamsReset.name(),
            refused: Metric::StreamsRefused.name(),
            ended: Metric::StreamsEnded.name(),
            lag: Metric::Lag.name(),
            late: Metric::LateUpdates.name(),
            poll_duration: Metric::PollDuration.name(),
            polls_failed: Metric::PollsFailed.name(),
            rows_skipped: Metric::RowsSkipped.name(),
            events: Metric::EventsSent.name(),
        }
    }
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
    /// Whether the function is stopped: its reserve is 0.
    pub is_stopped: bool,
}

/// A limit on what everything may cost in a month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BudgetPlan {
    /// US dollars.
    pub dollars: u32,
    /// Who is told.
    pub email: String,
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
    OperationsPlan {
        metrics: (section.metrics != MetricsMode::Off).then(|| MetricsPlan::new(names, section.metrics)),
        alarms,
        has_dashboard: section.cloudwatch_dashboard,
        tracing: section.tracing,
        logging: LoggingPlan::of(&section.logs),
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
        // Of a reserve of 0 no share comes near it: what is refused then is counted as throttled.
        concurrency: function
            .reserved_concurrency
            .filter(|reserve| *reserve > 0)
            .map(|reserve| (reserve * share).div_ceil(100)),
        reserved_concurrency: function.reserved_concurrency,
        is_stopped: function.reserved_concurrency == Some(0),
    }
}
