//! `sse-check` as people run it: on our own programs, where it must find nothing, and on other people's, where it must find
//! what docs/sse_check.md says.

mod load;
mod others;
mod ours;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::bins;
use crate::support::process::Process;

/// Nothing here takes that long.
const LIMIT: Duration = Duration::from_secs(300);

/// A report and the exit status it came with.
struct Run {
    code: Option<i32>,
    report: Value,
}

impl Run {
    /// Names of the cases with this outcome.
    fn with(&self, outcome: &str) -> Vec<&str> {
        let cases = self.report["cases"].as_array().expect("a list");
        let chosen = cases.iter().filter(|case| case["outcome"] == outcome);
        chosen.map(|case| case["name"].as_str().expect("a name")).collect()
    }

    /// What was found, for a failure's message.
    fn text(&self) -> String {
        let cases = self.report["cases"].as_array().expect("a list").iter();
        cases.map(|case| format!("{} {} {}\n", case["outcome"], case["name"], case["details"])).collect()
    }

    /// The first detail of a case.
    fn detail(&self, name: &str) -> &str {
        let cases = self.report["cases"].as_array().expect("a list");
        let case = cases.iter().find(|case| case["name"] == name).expect("the case ran");
        case["details"][0].as_str().unwrap_or_default()
    }
}

/// Runs `sse-check` with these arguments.
async fn sse_check(arguments: &[&str]) -> Run {
    tried(arguments).await.unwrap_or_else(|said| panic!("{said}"))
}

/// The same; says why there is no report, as where nobody answers in time.
async fn tried(arguments: &[&str]) -> Result<Run, String> {
    let arguments: Vec<String> = ["--format", "json"].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
    let process = Process::spawn(&bins::path("sse-check"), &arguments, &BTreeMap::new());
    let status = process.exits_within(LIMIT).await;
    let lines = process.lines();
    let out: String = lines.iter().filter(|line| !line.stderr).map(|line| format!("{}\n", line.text)).collect();
    let report = serde_json::from_str(&out).map_err(|error| format!("{error}: {}", process.text()))?;
    Ok(Run { code: status.code(), report })
}
