//! What a run found, as data and as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::cases::{Case, Severity, Verdict};

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was checked.
    pub urls: Vec<String>,
    /// Where those that were asked first redirected to.
    pub redirects: BTreeMap<String, String>,
    /// Its cases, in the order in which they ran.
    pub cases: Vec<CaseReport>,
    /// How long it took.
    pub milliseconds: u64,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The rule holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be tried.
    Skipped,
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    /// Its name.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// How bad a finding is.
    pub severity: Severity,
    /// The rule.
    pub rule: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// What was found, measured, or why it was skipped.
    pub details: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// Whole milliseconds.
#[must_use]
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How many events there were of each type, in words.
pub(crate) fn counted<'n>(names: impl Iterator<Item = (&'n str, u64)>) -> String {
    names.map(|(name, count)| format!("{count} `{name}`")).collect::<Vec<_>>().join(", ")
}

impl CaseReport {
    /// Puts a case and its verdict together.
    #[must_use]
    pub fn new(case: &Case, verdict: Verdict, took: Duration) -> Self {
        let (outcome, details) = match verdict {
            Verdict::Passed(note) => (Outcome::Passed, note.into_iter().collect()),
            Verdict::Found(details) => (Outcome::Failed, details),
            Verdict::Skipped(why) => (Outcome::Skipped, vec![why]),
        };
        let Case { name, rule, source, severity, .. } = *case;
        Self { name, outcome, severity, rule, source, details, milliseconds: milliseconds(took) }
    }

    /// One or more lines for a person.
    #[must_use]
    pub fn text(&self, color: bool) -> String {
        let paint = |code: &str, text: &str| if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
        let mut out = match (self.outcome, self.severity) {
            (Outcome::Passed, _) => paint("32", "pass   "),
            (Outcome::Skipped, _) => paint("2", "skip   "),
            (Outcome::Failed, Severity::Warning) => paint("33", "warning"),
            (Outcome::Failed, Severity::Error) => paint("31", "error  "),
        };
        write!(out, "  {}", self.name).expect("a String grows");
        if self.outcome == Outcome::Failed {
            for detail in &self.details {
                write!(out, "\n           {detail}").expect("a String grows");
            }
            write!(out, "\n           rule: {} [{}]", self.rule, self.source).expect("a String grows");
        } else if let Some(detail) = self.details.first() {
            write!(out, ": {detail}").expect("a String grows");
        }
        out.push('\n');
        out
    }
}

impl Report {
    /// Names of the cases with findings.
    #[must_use]
    pub fn failed(&self) -> Vec<&'static str> {
        self.with(Outcome::Failed).map(|case| case.name).collect()
    }

    /// Whether a case of this severity has findings.
    #[must_use]
    pub fn has(&self, severity: Severity) -> bool {
        self.with(Outcome::Failed).any(|case| case.severity == severity)
    }

    fn with(&self, outcome: Outcome) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(move |case| case.outcome == outcome)
    }

    /// The last lines for a person.
    #[must_use]
    pub fn summary(&self) -> String {
        let failed = |severity| self.with(Outcome::Failed).filter(|case| case.severity == severity).count();
        let seconds = Duration::from_millis(self.milliseconds).as_secs_f64();
        let redirects = self.redirects.iter().map(|(from, to)| format!("{from} redirects to {to}\n"));
        redirects.collect::<String>()
            + &format!(
                "{} passed, {} errors, {} warnings, {} skipped in {seconds:.1} s\n",
                self.with(Outcome::Passed).count(),
                failed(Severity::Error),
                failed(Severity::Warning),
                self.with(Outcome::Skipped).count(),
            )
    }
}
