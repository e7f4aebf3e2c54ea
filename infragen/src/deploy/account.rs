//! What is asked of AWS, each as one call of its command line.

use super::ALIAS;
use crate::doctor::aws::command;
use crate::manifest::{Manifest, Names};

/// Longest answer of a log, in lines; what is older is reached by a shorter span.
const LINES_MAX: &str = "5000";

/// Which version the alias points to.
#[must_use]
pub fn alias(manifest: &Manifest, function: &str) -> Vec<String> {
    command(manifest, &["lambda", "get-alias", "--function-name", function, "--name", ALIAS])
}

/// What runs behind the alias.
#[must_use]
pub fn configuration(manifest: &Manifest, function: &str) -> Vec<String> {
    command(manifest, &["lambda", "get-function-configuration", "--function-name", function, "--qualifier", ALIAS])
}

/// Its URL.
#[must_use]
pub fn url(manifest: &Manifest, function: &str) -> Vec<String> {
    command(manifest, &["lambda", "get-function-url-config", "--function-name", function, "--qualifier", ALIAS])
}

/// All REST APIs of the region.
#[must_use]
pub fn rest_apis(manifest: &Manifest) -> Vec<String> {
    command(manifest, &["apigateway", "get-rest-apis"])
}

/// All distributions of the account.
#[must_use]
pub fn distributions(manifest: &Manifest) -> Vec<String> {
    command(manifest, &["cloudfront", "list-distributions"])
}

/// Every version that is kept.
#[must_use]
pub fn versions(manifest: &Manifest, function: &str) -> Vec<String> {
    command(manifest, &["lambda", "list-versions-by-function", "--function-name", function])
}

/// Points the alias to a version, all of it.
#[must_use]
pub fn point(manifest: &Manifest, function: &str, version: u64) -> Vec<String> {
    let version = version.to_string();
    let of = ["--function-name", function, "--name", ALIAS, "--function-version", &version];
    let all = ["--routing-config", "{\"AdditionalVersionWeights\":{}}"];
    command(manifest, &[&["lambda", "update-alias"], &of[..], &all].concat())
}

/// A number of a function within the seconds before `now`, both in seconds since 1970.
#[must_use]
pub fn metric(manifest: &Manifest, function: &str, metric: Metric, now: u64) -> Vec<String> {
    let (from, to) = ((now.saturating_sub(metric.secs())).to_string(), now.to_string());
    let what = ["--namespace", "AWS/Lambda", "--metric-name", metric.name(), "--statistics", metric.statistic()];
    let dimension = format!("Name=FunctionName,Value={function}");
    let period = metric.secs().to_string();
    let when = ["--dimensions", &dimension, "--start-time", &from, "--end-time", &to, "--period", &period];
    command(manifest, &[&["cloudwatch", "get-metric-statistics"], &what[..], &when].concat())
}

/// Numbers that Lambda keeps of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Invocations of the last hour.
    Invocations,
    /// Of these, those that failed.
    Errors,
    /// Invocations of the last hour that were refused, because too many ran.
    Throttles,
    /// Most instances at once within the last five minutes.
    Concurrency,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Invocations, Self::Errors, Self::Throttles, Self::Concurrency];

    const fn name(self) -> &'static str {
        match self {
            Self::Invocations => "Invocations",
            Self::Errors => "Errors",
            Self::Throttles => "Throttles",
            Self::Concurrency => "ConcurrentExecutions",
        }
    }

    /// How its values are put together.
    #[must_use]
    pub const fn statistic(self) -> &'static str {
        match self {
            Self::Concurrency => "Maximum",
            _ => "Sum",
        }
    }

    const fn secs(self) -> u64 {
        match self {
            Self::Concurrency => 300,
            _ => 3600,
        }
    }
}

/// Alarms of this deployment that are going off.
#[must_use]
pub fn alarms(manifest: &Manifest) -> Vec<String> {
    let prefix = format!("{}-", Names::derive(manifest).base);
    command(manifest, &["cloudwatch", "describe-alarms", "--alarm-name-prefix", &prefix, "--state-value", "ALARM"])
}

/// Lines of a log group from a moment on, in milliseconds since 1970; of these only those with a text, where one is wanted.
#[must_use]
pub fn lines(manifest: &Manifest, group: &str, since_ms: u64, text: Option<&str>) -> Vec<String> {
    let since = since_ms.to_string();
    // In quotes it is a text, whatever stands in it; quotes themselves are not found in ids.
    let pattern = text.map(|text| format!("\"{}\"", text.replace('"', "")));
    let mut arguments =
        vec!["logs", "filter-log-events", "--log-group-name", group, "--start-time", &since, "--max-items", LINES_MAX];
    if let Some(pattern) = &pattern {
        arguments.extend(["--filter-pattern", pattern]);
    }
    command(manifest, &arguments)
}

/// Whether a repository of images is there.
#[must_use]
pub fn repository(manifest: &Manifest, name: &str) -> Vec<String> {
    command(manifest, &["ecr", "describe-repositories", "--repository-names", name])
}

/// Removes a repository with the images in it.
#[must_use]
pub fn remove_repository(manifest: &Manifest, name: &str) -> Vec<String> {
    command(manifest, &["ecr", "delete-repository", "--repository-name", name, "--force"])
}

/// Lets a table be deleted.
#[must_use]
pub fn unprotect(manifest: &Manifest, table: &str) -> Vec<String> {
    command(manifest, &["dynamodb", "update-table", "--table-name", table, "--no-deletion-protection-enabled"])
}
