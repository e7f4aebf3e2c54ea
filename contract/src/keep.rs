//! For how long sums of old hours are kept.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{HISTORY_KEEP_MAX, HISTORY_KEEP_MIN};
use crate::values::{SettingValue, optional_setting};

const DAY_SECS: u64 = 24 * 3600;

/// Time for which sums of an hour are kept, whole days such as `"400d"`, from [`HISTORY_KEEP_MIN`] to [`HISTORY_KEEP_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HistoryKeep(u64);

/// Why a text is no such time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` must be {rule}", rule = HistoryKeep::RULE)]
pub struct HistoryKeepError {
    /// What was given.
    pub text: String,
}

impl HistoryKeep {
    /// Parses and checks the range.
    ///
    /// # Errors
    /// [`HistoryKeepError`] with the text and the rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, HistoryKeepError> {
        let days = text.strip_suffix('d').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let days = days.and_then(|digits| digits.parse().ok()).filter(|days| Self::range().contains(days));
        days.map(Self).ok_or_else(|| HistoryKeepError { text: text.to_owned() })
    }

    /// The rule, for messages.
    pub const RULE: &'static str = "whole days from 2d to 3660d";

    const fn range() -> std::ops::RangeInclusive<u64> {
        HISTORY_KEEP_MIN.as_secs() / DAY_SECS..=HISTORY_KEEP_MAX.as_secs() / DAY_SECS
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> Duration {
        Duration::from_secs(self.0 * DAY_SECS)
    }

    /// The value in days.
    #[must_use]
    pub const fn days(self) -> u64 {
        self.0
    }
}

optional_setting!(HistoryKeep, "where none are kept");

impl TryFrom<String> for HistoryKeep {
    type Error = HistoryKeepError;
    fn try_from(text: String) -> Result<Self, HistoryKeepError> {
        Self::parse(&text)
    }
}

impl From<HistoryKeep> for String {
    fn from(value: HistoryKeep) -> Self {
        value.to_string()
    }
}

impl fmt::Display for HistoryKeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.0)
    }
}

impl SettingValue for HistoryKeep {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }
    fn write(&self) -> String {
        self.to_string()
    }
    fn rule() -> String {
        Self::RULE.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_days_within_the_limits() {
        for (text, days) in [("2d", 2), ("400d", 400), ("3660d", 3660)] {
            let keep = HistoryKeep::parse(text).unwrap();
            assert_eq!((keep.days(), keep.to_string()), (days, text.to_owned()));
            assert_eq!(keep.get(), Duration::from_secs(days * DAY_SECS));
        }
        let range = HistoryKeep::range();
        assert_eq!(HistoryKeep::RULE, format!("whole days from {}d to {}d", range.start(), range.end()));
        for text in ["1d", "3661d", "400", "d", "", "-3d", "+3d", "3.5d", "96h", "99999999999999999999d", " 7d"] {
            let error = HistoryKeep::parse(text).unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` must be whole days from 2d to 3660d"));
        }
    }
}
