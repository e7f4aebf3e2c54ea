//! Durations and sizes as people write them (`"5s"`, `"2m"`, `"256 MiB"`), each a type with its own range.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::values::SettingValue;

/// Why a text is not the duration or size it should be. The caller adds which key or variable it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a number followed by a unit.
    #[error("`{text}` is not a {what}; write a whole number and a unit, {examples}")]
    Malformed {
        /// The text found.
        text: String,
        /// What was expected.
        what: &'static str,
        /// How it is written.
        examples: &'static str,
    },
    /// A number without a unit where one is needed.
    #[error("`{text}` has no unit; write {examples}")]
    NoUnit {
        /// The text found.
        text: String,
        /// How it is written.
        examples: &'static str,
    },
    /// Outside the allowed range.
    #[error("`{text}` is out of range; it must be from {min} to {max}")]
    OutOfRange {
        /// The text found.
        text: String,
        /// Lower bound, written with its unit.
        min: String,
        /// Upper bound, written with its unit.
        max: String,
    },
}

/// What a bare number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// Seconds, as in environment variables.
    Seconds,
    /// Nothing: the manifest always names the unit.
    Refused,
}

const DURATION_EXAMPLES: &str = "such as `500ms`, `5s`, `2m` or `1h`";

/// Parses `500ms`, `5s`, `2m`, `1h` (or a bare number of seconds where `bare` allows it).
///
/// # Errors
/// [`UnitError::Malformed`] or [`UnitError::NoUnit`].
pub fn parse_duration(text: &str, bare: Bare) -> Result<Duration, UnitError> {
    let malformed = || UnitError::Malformed { text: text.to_owned(), what: "duration", examples: DURATION_EXAMPLES };
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().map_err(|_| malformed())?;
    let millis_per_unit = match (unit, bare) {
        ("ms", _) => 1,
        ("s", _) | ("", Bare::Seconds) => 1000,
        ("m", _) => 60_000,
        ("h", _) => 3_600_000,
        ("", Bare::Refused) => {
            return Err(UnitError::NoUnit { text: text.to_owned(), examples: DURATION_EXAMPLES });
        }
        _ => return Err(malformed()),
    };
    number.checked_mul(millis_per_unit).map(Duration::from_millis).ok_or_else(malformed)
}

/// Writes a duration with the largest unit that divides it: the inverse of [`parse_duration`] for whole milliseconds.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0s".into(),
        m if m % 3_600_000 == 0 => format!("{}h", m / 3_600_000),
        m if m % 60_000 == 0 => format!("{}m", m / 60_000),
        m if m % 1000 == 0 => format!("{}s", m / 1000),
        m => format!("{m}ms"),
    }
}

/// Defines a duration with a range: constructor, text form, serde (the manifest's strict form), environment and default.
macro_rules! ranged_duration {
    ($(#[$doc:meta])* $name:ident, $min:expr, $max:expr, $default:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Duration);

        impl $name {
            /// Lowest value allowed.
            pub const MIN: Duration = $min;
            /// Highest value allowed.
            pub const MAX: Duration = $max;
            /// Value where nothing is set.
            pub const DEFAULT: Self = Self($default);

            /// Parses and checks the range.
            ///
            /// # Errors
            /// [`UnitError`] with the text and the rule it breaks.
            pub fn parse(text: &str, bare: Bare) -> Result<Self, UnitError> {
                let value = parse_duration(text, bare)?;
                if value < Self::MIN || value > Self::MAX {
                    return Err(UnitError::OutOfRange {
                        text: text.to_owned(),
                        min: duration_text(Self::MIN),
                        max: duration_text(Self::MAX),
                    });
                }
                Ok(Self(value))
            }

            /// The value.
            #[must_use]
            pub const fn get(self) -> Duration {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnitError;
            fn try_from(text: String) -> Result<Self, UnitError> {
                Self::parse(&text, Bare::Refused)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&duration_text(self.0))
            }
        }

        impl SettingValue for $name {
            fn read(text: &str) -> Result<Self, String> {
                Self::parse(text, Bare::Seconds).map_err(|error| error.to_string())
            }
            fn write(&self) -> String {
                self.to_string()
            }
            fn rule() -> String {
                format!("a duration from {} to {}", duration_text(Self::MIN), duration_text(Self::MAX))
            }
        }
    };
}

ranged_duration!(
    /// Time between two reads of the table, `"5s"`.
    PollInterval, limits::POLL_INTERVAL_MIN, limits::POLL_INTERVAL_MAX, limits::POLL_INTERVAL_DEFAULT
);
ranged_duration!(
    /// Time between two `heartbeat` events, `"15s"`.
    HeartbeatInterval, limits::HEARTBEAT_MIN, limits::HEARTBEAT_MAX, limits::HEARTBEAT_DEFAULT
);
ranged_duration!(
    /// Longest stream session before it ends by itself, `"2m"`.
    MaxSession, limits::SESSION_MIN, limits::SESSION_MAX, limits::SESSION_DEFAULT
);
ranged_duration!(
    /// Length of a segment of a stream that many viewers share, `"110s"`.
    SegmentLength, limits::SEGMENT_MIN, limits::SEGMENT_MAX, limits::SEGMENT_DEFAULT
);
ranged_duration!(
    /// Reconnect delay that a stream announces, `"3s"`; up to half more is added at random.
    Retry, limits::RETRY_MIN, limits::RETRY_MAX, limits::RETRY_DEFAULT
);
ranged_duration!(
    /// How late after its own timestamp a row may appear and still be delivered, `"10m"`.
    LateWindow, limits::LATE_WINDOW_MIN, limits::LATE_WINDOW_MAX, limits::LATE_WINDOW_DEFAULT
);
ranged_duration!(
    /// Time within which each part of the late interval is read again where a table is busy, `"1m"`.
    LateInterval, limits::LATE_INTERVAL_MIN, limits::LATE_INTERVAL_MAX, limits::LATE_INTERVAL_DEFAULT
);
ranged_duration!(
    /// How far back the numbers count, `"24h"`.
    DataWindow, limits::WINDOW_MIN, limits::WINDOW, limits::WINDOW_DEFAULT
);
ranged_duration!(
    /// Time between two full re-reads of the window, `"1h"`.
    ReconcileInterval, limits::RECONCILE_MIN, limits::RECONCILE_MAX, limits::RECONCILE_DEFAULT
);
ranged_duration!(
    /// Age up to which a cursor can be resumed, `"15m"`.
    ReplayWindow, limits::REPLAY_WINDOW_MIN, limits::REPLAY_WINDOW_MAX, limits::REPLAY_WINDOW_DEFAULT
);
ranged_duration!(
    /// Life of a session token, `"720h"`.
    SessionLifetime, limits::SESSION_LIFETIME_MIN, limits::SESSION_LIFETIME_MAX, limits::SESSION_LIFETIME_DEFAULT
);
ranged_duration!(
    /// Timeout of a Lambda function, `"3m"`.
    FunctionTimeout, Duration::from_secs(1), limits::FUNCTION_TIMEOUT_MAX, limits::FUNCTION_TIMEOUT_DEFAULT
);
ranged_duration!(
    /// How long a server answers on once it is told to stop, `"8s"`.
    Drain, limits::DRAIN_MIN, limits::DRAIN_MAX, limits::DRAIN_DEFAULT
);

/// A size in MiB, written `"256 MiB"` or `"1 GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize {
    mebibytes: u32,
}

impl ByteSize {
    /// Makes a size from whole MiB.
    #[must_use]
    pub const fn from_mebibytes(mebibytes: u32) -> Self {
        Self { mebibytes }
    }

    /// The size in MiB.
    #[must_use]
    pub const fn mebibytes(self) -> u32 {
        self.mebibytes
    }

    /// Parses `256 MiB`, `256MiB`, `1 GiB`.
    ///
    /// # Errors
    /// [`UnitError::Malformed`] or [`UnitError::NoUnit`].
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        const EXAMPLES: &str = "such as `256 MiB` or `1 GiB`";
        let malformed = || UnitError::Malformed { text: text.to_owned(), what: "size", examples: EXAMPLES };
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let number: u32 = digits.parse().map_err(|_| malformed())?;
        let mebibytes = match unit.trim_start() {
            "MiB" => Some(number),
            "GiB" => number.checked_mul(1024),
            "" => return Err(UnitError::NoUnit { text: text.to_owned(), examples: EXAMPLES }),
            _ => None,
        };
        mebibytes.map(Self::from_mebibytes).ok_or_else(malformed)
    }
}

impl TryFrom<String> for ByteSize {
    type Error = UnitError;
    fn try_from(text: String) -> Result<Self, UnitError> {
        Self::parse(&text)
    }
}

impl From<ByteSize> for String {
    fn from(value: ByteSize) -> Self {
        value.to_string()
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mebibytes {
            m if m > 0 && m % 1024 == 0 => write!(f, "{} GiB", m / 1024),
            m => write!(f, "{m} MiB"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, bare: Bare, expected: Option<u64>) {
        assert_eq!(parse_duration(text, bare).ok().map(|d| d.as_millis()), expected.map(u128::from), "{text}");
    }

    #[test]
    fn durations_have_units_and_only_the_environment_takes_bare_seconds() {
        check("5s", Bare::Refused, Some(5000));
        check("500ms", Bare::Refused, Some(500));
        check("2m", Bare::Refused, Some(120_000));
        check("1h", Bare::Refused, Some(3_600_000));
        check("5", Bare::Seconds, Some(5000));
        check("5", Bare::Refused, None);
        for bad in [
            "",
            "s",
            "-5s",
            "5.5s",
            "5 s",
            "5S",
            "5d",
            "0x5s",
            "5s ",
            "٥s",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            check(bad, Bare::Seconds, None);
        }
    }

    #[test]
    fn text_form_parses_back() {
        for millis in [1, 500, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&duration_text(duration), Bare::Refused), Ok(duration));
        }
    }

    #[test]
    fn ranges_hold_at_both_ends() {
        assert!(PollInterval::parse("99ms", Bare::Refused).is_err());
        assert!(PollInterval::parse("100ms", Bare::Refused).is_ok());
        assert!(PollInterval::parse("5m", Bare::Refused).is_ok());
        let error = PollInterval::parse("301s", Bare::Refused).unwrap_err();
        assert_eq!(error.to_string(), "`301s` is out of range; it must be from 100ms to 5m");
    }

    #[test]
    fn sizes_are_mebibytes() {
        assert_eq!(ByteSize::parse("256 MiB").unwrap().mebibytes(), 256);
        assert_eq!(ByteSize::parse("1GiB").unwrap().mebibytes(), 1024);
        assert_eq!(ByteSize::from_mebibytes(2048).to_string(), "2 GiB");
        for bad in ["256", "256 MB", "MiB", "-1 MiB", "9999999 GiB", ""] {
            assert!(ByteSize::parse(bad).is_err(), "{bad}");
        }
    }
}
