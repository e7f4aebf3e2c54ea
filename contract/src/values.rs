//! How a value stands in an environment variable. The types that do say so beside their definitions.

use serde::{Deserialize, Serialize};

use crate::limits;

/// A type that can stand in an environment variable.
pub trait SettingValue: Sized {
    /// Reads the value, or says what is wrong with it.
    ///
    /// # Errors
    /// A sentence with the value and the rule.
    fn read(text: &str) -> Result<Self, String>;
    /// Writes the value so that [`SettingValue::read`] gives it back.
    fn write(&self) -> String;
    /// The rule: what a valid value looks like.
    fn rule() -> String;
}

/// How an optional value says that there is none. No name or URL is like that.
pub const ABSENT: &str = "-";

/// Makes a name one that may be absent; `$without` says when it is.
macro_rules! optional_setting {
    ($name:ident, $without:literal) => {
        impl $crate::values::SettingValue for Option<$name> {
            fn read(text: &str) -> Result<Self, String> {
                if text == $crate::values::ABSENT {
                    Ok(None)
                } else {
                    $crate::values::SettingValue::read(text).map(Some)
                }
            }
            fn write(&self) -> String {
                self.as_ref().map_or_else(|| $crate::values::ABSENT.to_owned(), $name::to_string)
            }
            fn rule() -> String {
                format!("{}; or `-` {}", $name::RULE, $without)
            }
        }
    };
}

pub(crate) use optional_setting;

impl SettingValue for bool {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("`{}` is not one of {}", text.escape_debug(), Self::rule())),
        }
    }
    fn write(&self) -> String {
        self.to_string()
    }
    fn rule() -> String {
        "`true`, `false`".to_owned()
    }
}

/// A whole number with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Count<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Count<MIN, MAX> {
    /// Checks the range.
    ///
    /// # Errors
    /// A sentence with the value and the range.
    pub fn new(value: u32) -> Result<Self, String> {
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("`{value}` is out of range; it must be from {MIN} to {MAX}"))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<u32> for Count<MIN, MAX> {
    type Error = String;
    fn try_from(value: u32) -> Result<Self, String> {
        Self::new(value)
    }
}

impl<const MIN: u32, const MAX: u32> From<Count<MIN, MAX>> for u32 {
    fn from(value: Count<MIN, MAX>) -> Self {
        value.0
    }
}

impl<const MIN: u32, const MAX: u32> SettingValue for Count<MIN, MAX> {
    fn read(text: &str) -> Result<Self, String> {
        let bad = || format!("`{}` is not a whole number from {MIN} to {MAX}", text.escape_debug());
        // `u32::from_str` takes a leading `+`, which no other reader of these variables would.
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        text.parse().map_err(|_| bad()).and_then(Self::new)
    }
    fn write(&self) -> String {
        self.0.to_string()
    }
    fn rule() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }
}

/// Streams one instance serves, or those of them for one source address.
pub type MaxConnections = Count<1, { limits::CONNECTIONS_MAX }>;
/// The same of an instance of a function, where the platform sets a limit.
pub type FunctionConnections = Count<1, { limits::FUNCTION_CONNECTIONS_MAX }>;
/// A port to listen at; 0 takes a free one.
pub type Port = Count<0, { u16::MAX as u32 }>;

impl From<FunctionConnections> for MaxConnections {
    fn from(connections: FunctionConnections) -> Self {
        Self(connections.0)
    }
}

impl From<u16> for Port {
    fn from(port: u16) -> Self {
        Self(port.into())
    }
}

impl Port {
    /// The port.
    #[must_use]
    pub fn number(self) -> u16 {
        u16::try_from(self.0).unwrap_or(u16::MAX)
    }
}

/// Tags that `metrics` hold.
pub type TagsMax = Count<1, { limits::METRICS_TAGS_MAX }>;
/// Updates a resume may bring.
pub type ReplayEvents = Count<1, { limits::REPLAY_EVENTS_MAX }>;
