//! Names that reach AWS, the wire or the page: each a type whose constructor is its only check.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::{ABSENT, SettingValue, optional_setting};
use crate::{events, limits};

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {what}; it must be {rule}")]
pub struct NameError {
    /// The text found, shortened for display.
    pub text: String,
    /// What it should have been.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl NameError {
    pub(crate) fn new(text: &str, what: &'static str, rule: &'static str) -> Self {
        // Escaped and cut: the text goes to logs and terminals.
        let mut shown: String = text.escape_debug().take(80).collect();
        if text.chars().count() > 80 {
            shown.push('…');
        }
        Self { text: shown, what, rule }
    }
}

/// Defines a checked string: constructor, serde, display, environment.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The rule, as error messages print it.
            pub const RULE: &'static str = $rule;

            /// Checks and takes the text.
            ///
            /// # Errors
            /// [`NameError`](crate::names::NameError) with the text and the rule.
            pub fn new(text: &str) -> Result<Self, $crate::names::NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err($crate::names::NameError::new(text, $what, $rule)) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::names::NameError;
            fn try_from(text: String) -> Result<Self, $crate::names::NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::values::SettingValue for $name {
            fn read(text: &str) -> Result<Self, String> {
                Self::new(text).map_err(|error| error.to_string())
            }
            fn write(&self) -> String {
                self.to_string()
            }
            fn rule() -> String {
                Self::RULE.to_owned()
            }
        }
    };
}

pub(crate) use name;

fn lower_snake(text: &str, max: usize) -> bool {
    text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn table_like(text: &str) -> bool {
    (3..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

name!(
    /// Name of a deployment environment; part of every resource's name.
    Environment,
    "environment name",
    "1 to 16 of a-z, 0-9 and -, beginning with a letter and not ending with -",
    |t| t.len() <= 16
        && t.starts_with(|c: char| c.is_ascii_lowercase())
        && !t.ends_with('-')
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
name!(
    /// Namespace of a deployment's metrics in CloudWatch.
    MetricsNamespace,
    "namespace of metrics",
    "1 to 255 of a-z, A-Z, 0-9, ., -, _, / and #, not beginning with AWS/",
    |t| (1..=255).contains(&t.len())
        && !t.starts_with("AWS/")
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_/#".contains(&b))
);
name!(
    /// Name of a DynamoDB table (`TableName` in its API).
    TableName,
    "table name",
    "3 to 255 of a-z, A-Z, 0-9, _, . and -",
    table_like
);
name!(
    /// Name of a global secondary index.
    IndexName,
    "index name",
    "3 to 255 of a-z, A-Z, 0-9, _, . and -",
    table_like
);
name!(
    /// Name of a DynamoDB attribute.
    AttributeName,
    "attribute name",
    "1 to 255 of a-z, A-Z, 0-9, _, . and -, beginning with a letter or _",
    |t| (1..=255).contains(&t.len())
        && t.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
);
optional_setting!(AttributeName, "where the table has none");
name!(
    /// One label of the table, for instance `positive`; also a key of `metrics`.
    Label,
    "label",
    "1 to 64 of a-z, 0-9 and _, beginning with a letter, and none of total, by_tag, rate_last_hour, rate_last_24h, timestamp, tags_left_out, recent_items",
    |t| lower_snake(t, 64) && !events::METRICS_KEYS.contains(&t) && !events::METRICS_REST_KEYS.contains(&t)
);
name!(
    /// Name of the update event.
    EventName,
    "event name",
    "1 to 64 of a-z, 0-9 and _, beginning with a letter, and none of heartbeat, metrics, reset, deadline, overloaded, unavailable, open, error, message",
    |t| lower_snake(t, 64) && !events::RESERVED.contains(&t)
);
name!(
    /// Base URL that a browser can reach a function at.
    PublicUrl,
    "base URL",
    "http:// or https:// and a host, visible characters of ASCII without quotes, ?, # and a slash at the end",
    |t| {
        let visible = t.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\^`{|}?#".contains(&b));
        let rest = t.strip_prefix("https://").or_else(|| t.strip_prefix("http://"));
        visible && !t.ends_with('/') && rest.is_some_and(|rest| !rest.is_empty())
    }
);

impl SettingValue for Option<PublicUrl> {
    fn read(text: &str) -> Result<Self, String> {
        // Empty too: it is what the page's configuration says for its own origin.
        if [ABSENT, ""].contains(&text) { Ok(None) } else { PublicUrl::read(text).map(Some) }
    }
    fn write(&self) -> String {
        self.as_ref().map_or_else(|| ABSENT.to_owned(), PublicUrl::to_string)
    }
    fn rule() -> String {
        format!("{}; or `-` where it is the page's own origin", PublicUrl::RULE)
    }
}

name!(
    /// One tag (ticker) of a row or of a stream's filter.
    Tag,
    "ticker",
    "1 to 64 bytes without control characters, commas and spaces at its ends",
    |t| (1..=limits::TAG_BYTES_MAX).contains(&t.len())
        && t.trim() == t
        // U+FFFD is what stands where bytes were no UTF-8.
        && !t.contains(|c: char| c == ',' || c == '\u{fffd}' || c.is_control())
);
name!(
    /// Value of the status attribute that marks a row as ready.
    StatusValue,
    "status value",
    "1 to 64 bytes without control characters",
    |t| (1..=64).contains(&t.len()) && !t.contains(char::is_control)
);

/// The labels of a table, in the order in which the page shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Labels(Vec<Label>);

impl Labels {
    /// The rule, as error messages print it.
    pub const RULE: &'static str = "1 to 16 different labels";

    /// Checks and takes the labels.
    ///
    /// # Errors
    /// [`NameError`] for the first label that breaks [`Label::RULE`], a repeated one, none, or too many.
    pub fn new<S: AsRef<str>>(texts: &[S]) -> Result<Self, NameError> {
        let all = || texts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",");
        if texts.is_empty() || texts.len() > limits::LABELS_MAX {
            return Err(NameError::new(&all(), "list of labels", Self::RULE));
        }
        let mut labels = Vec::with_capacity(texts.len());
        for text in texts {
            let label = Label::new(text.as_ref())?;
            if labels.contains(&label) {
                return Err(NameError::new(&all(), "list of labels", Self::RULE));
            }
            labels.push(label);
        }
        Ok(Self(labels))
    }

    /// The labels.
    #[must_use]
    pub fn as_slice(&self) -> &[Label] {
        &self.0
    }

    /// Position of a label, which is how rows refer to it.
    #[must_use]
    pub fn index_of(&self, text: &str) -> Option<u8> {
        self.0.iter().position(|label| label.as_str() == text).and_then(|index| u8::try_from(index).ok())
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self(["positive", "neutral", "negative"].map(|text| Label(text.to_owned())).to_vec())
    }
}

impl TryFrom<Vec<String>> for Labels {
    type Error = NameError;
    fn try_from(texts: Vec<String>) -> Result<Self, NameError> {
        Self::new(&texts)
    }
}

impl From<Labels> for Vec<String> {
    fn from(labels: Labels) -> Self {
        labels.0.into_iter().map(String::from).collect()
    }
}

impl SettingValue for Labels {
    fn read(text: &str) -> Result<Self, String> {
        Self::new(&text.split(',').collect::<Vec<_>>()).map_err(|error| error.to_string())
    }
    fn write(&self) -> String {
        self.to_string()
    }
    fn rule() -> String {
        format!("{}, separated by commas", Self::RULE)
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            write!(f, "{}{label}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_are_short_and_lower_case() {
        for good in ["dev", "a", "prod-2", "abcdefghijklmnop"] {
            assert!(Environment::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Dev", "2dev", "dev-", "abcdefghijklmnopq", "d_v", "dév"] {
            assert!(Environment::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_are_not_other_metrics_keys() {
        assert!(Labels::new(&["open", "closed"]).is_ok());
        assert!(Labels::new::<&str>(&[]).is_err());
        assert!(Labels::new(&["total"]).is_err());
        assert!(Labels::new(&["a", "a"]).is_err());
        let seventeen: Vec<String> = (0..17).map(|n| format!("l{n}")).collect();
        assert!(Labels::new(&seventeen).is_err());
        assert!(Labels::new(&seventeen[..16]).is_ok());
    }

    #[test]
    fn event_names_do_not_shadow_ours_or_the_browsers() {
        assert!(EventName::new("order_update").is_ok());
        for bad in ["heartbeat", "error", "open", "message", "Order", "a b", "a\nb", ""] {
            assert!(EventName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_allow_real_tickers_and_refuse_separators() {
        for good in ["AAPL", "BRK.B", "eu-west-1", "severity 1", "ß"] {
            assert!(Tag::new(good).is_ok(), "{good}");
        }
        for bad in ["", " A", "A,B", "A\n", "A\0", "\u{fffd}"] {
            assert!(Tag::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_shows_hostile_text_escaped_and_cut() {
        let error = TableName::new(&"\n".repeat(1000)).unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
        assert!(!error.to_string().contains('\n'));
    }
}
