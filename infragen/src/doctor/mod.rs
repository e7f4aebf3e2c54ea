//! What stands between a manifest and a running deployment: judges what the shell has found, and says the next action.
//!
//! Pure: programs are run and files read elsewhere. Every check has one line of findings and at most one next action.

pub mod archives;
pub mod aws;
pub mod files;
pub mod keys;
pub mod rows;
pub mod stopped;
pub mod table;
pub mod tools;

use std::time::Duration;

use contract::units::duration_text;
use serde::Serialize;

use crate::commands::Commands;
use crate::diagnostic::Colour;
use crate::load::Loaded;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it must be.
    Ok,
    /// Something is missing or wrong: a person has to act.
    Missing,
    /// It could not be found out, or is not due yet.
    Unknown,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Missing => "1;31",
            Self::Unknown => "33",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at: stable, for programs.
    pub name: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do next.
    pub next: Option<String>,
}

impl Check {
    /// Says that all is well.
    #[must_use]
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, found: found.into(), next: None }
    }

    /// Says that a person has to act, and how.
    #[must_use]
    pub fn missing(name: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { name, status: Status::Missing, found: found.into(), next: Some(next.into()) }
    }

    /// Says that it could not be found out, and how it could.
    #[must_use]
    pub fn unknown(name: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { name, status: Status::Unknown, found: found.into(), next: Some(next.into()) }
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// There is none of that name.
    Absent,
    /// It was stopped after this time.
    TooSlow(Duration),
    /// It failed with this text on stderr.
    Failed(String),
    /// It succeeded with this text on stdout.
    Done(String),
}

impl Ran {
    /// Whether it failed and said this, such as an error's name as AWS gives it.
    #[must_use]
    pub fn failed_with(&self, what: &str) -> bool {
        matches!(self, Self::Failed(said) if said.contains(what))
    }

    /// What is to be said of a program that gave no answer, one line; none where it gave one.
    #[must_use]
    pub fn silence(&self, program: &str) -> Option<String> {
        match self {
            Self::Absent => Some(format!("there is no `{program}` on PATH")),
            Self::TooSlow(limit) => Some(format!("`{program}` gave no answer within {}", duration_text(*limit))),
            Self::Failed(stderr) => {
                let line = stderr.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason given");
                Some(format!("`{program}` failed: {}", crate::manifest::tree::shorten(line)))
            }
            Self::Done(_) => None,
        }
    }
}

/// Where the outputs of a target are, from the manifest's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Terraform's main root.
    pub root: String,
    /// The file with the references of the functions' artifacts: Terraform reads it because it is in that root.
    pub artifacts: String,
    /// What `render` is called with.
    pub render: String,
    /// What applies that root.
    pub apply: String,
    /// What makes archives.
    pub package: String,
    /// What makes images.
    pub image: String,
    /// The page with its live URLs.
    pub page: String,
}

impl Places {
    /// Finds them.
    #[must_use]
    pub fn of(loaded: &Loaded) -> Self {
        let commands = Commands::of(loaded);
        Self {
            root: format!("{}/terraform", loaded.folder()),
            artifacts: format!("{}/terraform/artifacts.auto.tfvars.json", loaded.folder()),
            render: commands.render(),
            apply: commands.apply(),
            package: commands.package(),
            image: commands.image(),
            page: format!("{}/config.js", loaded.page_folder()),
        }
    }
}

/// Writes checks for people.
#[must_use]
pub fn human(checks: &[Check], colour: Colour) -> String {
    let name_width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let status_width = Status::Missing.word().len();
    let mut out = String::new();
    for check in checks {
        let status = format!("{:<status_width$}", check.status.word());
        let status = colour.paint(check.status.colour(), &status);
        out.push_str(&format!("{status}  {:<name_width$}  {}\n", check.name, check.found));
        if let Some(next) = &check.next {
            let indent = " ".repeat(status_width + 2 + name_width + 2);
            out.push_str(&format!("{indent}{} {next}\n", colour.paint("1;36", "next:")));
        }
    }
    out
}

/// Writes checks for programs.
#[must_use]
pub fn json(checks: &[Check]) -> String {
    let value = serde_json::json!({ "ready": !needs_person(checks), "checks": checks });
    format!("{value:#}\n")
}

/// Returns whether anything is missing.
#[must_use]
pub fn needs_person(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.status == Status::Missing)
}

/// Counts the checks by how they came out.
#[must_use]
pub fn summary(checks: &[Check]) -> String {
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let [ok, missing, unknown] = [Status::Ok, Status::Missing, Status::Unknown].map(count);
    format!("{ok} ok, {missing} missing, {unknown} unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_needs_a_person() {
        let checks = [Check::ok("a", "fine"), Check::unknown("bcd", "who knows", "install it")];
        assert!(!needs_person(&checks));
        assert_eq!(summary(&checks), "1 ok, 0 missing, 1 unknown");
        let expected = "ok       a    fine\nunknown  bcd  who knows\n              next: install it\n";
        assert_eq!(human(&checks, Colour(false)), expected);
        assert!(needs_person(&[Check::missing("c", "no", "do")]));
    }

    #[test]
    fn a_program_without_an_answer_is_one_line() {
        assert_eq!(Ran::Done(String::new()).silence("aws"), None);
        let failed = Ran::Failed("\n\n  An error\x1b[31m occurred\nmore".into());
        assert_eq!(failed.silence("aws").unwrap(), "`aws` failed: An error\\u{1b}[31m occurred");
        assert_eq!(Ran::Absent.silence("aws").unwrap(), "there is no `aws` on PATH");
        assert_eq!(Ran::TooSlow(Duration::from_secs(10)).silence("aws").unwrap(), "`aws` gave no answer within 10s");
    }
}
