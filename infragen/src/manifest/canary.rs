//! `deploy.canary`: a share of the requests for a new version, and how long that lasts.

use std::time::Duration;

use contract::UnitError;
use contract::units::{Bare, duration_text, parse_duration};

use super::reader::{ManifestValue, Problem};
use super::tree::Node;
use super::units;
use super::values::{strings, text};

/// Shortest time: CloudWatch looks at an alarm once a minute.
const LASTS_MIN: Duration = Duration::from_secs(60);
/// Longest time: somebody, or a pipeline, waits for it.
const LASTS_MAX: Duration = Duration::from_secs(3600);

/// A share and a time: `"10% for 5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    percent: u8,
    lasts: Duration,
}

impl Canary {
    /// Checks and takes the text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    /// Share of the requests that the new version gets, 1 to 99 %.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.percent
    }

    /// How long it gets them, before it gets all.
    #[must_use]
    pub const fn lasts(self) -> Duration {
        self.lasts
    }

    fn parse(found: &str) -> Result<Self, Problem> {
        let malformed = || Problem::text(found, "it must be a share and a duration, such as `10% for 5m`");
        let (share, lasts) = found.split_once("% for ").ok_or_else(malformed)?;
        let is_number = !share.is_empty() && share.len() <= 3 && share.bytes().all(|byte| byte.is_ascii_digit());
        let share: u16 = share.parse().ok().filter(|_| is_number).ok_or_else(malformed)?;
        let percent = u8::try_from(share).ok().filter(|percent| (1..=99).contains(percent));
        let percent =
            percent.ok_or_else(|| Problem::text(found, "the share must be from 1% to 99%").code("out-of-range"))?;
        let lasts = parse_duration(lasts, Bare::Refused).map_err(|error| {
            let code = if matches!(error, UnitError::NoUnit { .. }) { "missing-unit" } else { "malformed" };
            Problem::text(found, "its duration must be a whole number and a unit, such as `5m`").code(code)
        })?;
        if !(LASTS_MIN..=LASTS_MAX).contains(&lasts) {
            let (min, max) = (duration_text(LASTS_MIN), duration_text(LASTS_MAX));
            return Err(Problem::text(found, &format!("it must last from {min} to {max}")).code("out-of-range"));
        }
        Ok(Self { percent, lasts })
    }
}

/// What people write in the place of `10% for 5m`, as far as it can only mean one thing.
fn tidied(text: &str) -> String {
    let (share, lasts) = text.split_once('%').unwrap_or((text, ""));
    let lasts = lasts.trim().to_lowercase();
    let lasts = lasts.strip_prefix("for").unwrap_or(&lasts).trim();
    format!("{}% for {}", share.trim(), units::duration(lasts).as_deref().unwrap_or(lasts))
}

impl std::fmt::Display for Canary {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}% for {}", self.percent, duration_text(self.lasts))
    }
}

impl ManifestValue for Canary {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let found = text(node, "a share and a duration such as `\"10% for 5m\"`")?;
        Self::parse(found).map_err(|problem| {
            let tidy = tidied(found);
            let is_mended = tidy != found && Self::parse(&tidy).is_ok();
            vec![if is_mended { problem.hint(format!("write `\"{tidy}\"`")) } else { problem }]
        })
    }
    fn rule() -> String {
        let (min, max) = (duration_text(LASTS_MIN), duration_text(LASTS_MAX));
        format!("a share from 1% to 99% and a duration from {min} to {max}, such as `10% for 5m`")
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.to_string().into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[1-9][0-9]?% for [0-9]+(ms|s|m|h)$" })
    }
    fn examples() -> Vec<toml::Value> {
        strings(&["10% for 5m", "50% for 1h"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_and_a_time_are_read_and_written() {
        for text in ["10% for 5m", "1% for 60m", "99% for 1m", "5% for 90s"] {
            let canary = Canary::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
            assert_eq!(Canary::parse(&canary.to_string()), Ok(canary));
        }
        for bad in [
            "",
            "10%",
            "10% for",
            "10% for 5",
            "0% for 5m",
            "100% for 5m",
            "10% for 59s",
            "10% for 61m",
            "+5% for 5m",
            "10 % for 5m",
            "10%  for 5m",
            "ten% for 5m",
            "1000% for 5m",
            "10% for 99999999999999999999h",
        ] {
            assert!(Canary::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_can_only_mean_one_thing_is_mended() {
        for (text, expected) in [
            ("10 % for 5m", "10% for 5m"),
            ("10%  for  5m", "10% for 5m"),
            ("10% 5m", "10% for 5m"),
            ("10%for 5m", "10% for 5m"),
            ("10% FOR 5M", "10% for 5m"),
            ("10 % 5 min", "10% for 5m"),
            ("10% for 1m30s", "10% for 90s"),
        ] {
            assert_eq!(tidied(text), expected);
        }
    }
}
