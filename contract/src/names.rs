//! Names that reach AWS, the wire or the page: each a type whose constructor is its only check.

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
        pub struct $name(compact_str::CompactString);

        impl $name {
            /// The rule, as error messages print it.
            pub const RULE: &'static str = $rule;

            /// Checks and takes the text.
            ///
            /// # Errors
            /// [`NameError`](crate::names::NameError) with the text and the rule.
            pub fn new(text: &str) -> Result<Self, $crate::names::NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err($crate::names::NameError::new(text, $what, $rule)) }
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
                name.0.into()
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

pub(crate) fn lower_snake(text: &str, max: usize) -> bool {
    text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn table_like(text: &str) -> bool {
    (3..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// What DynamoDB takes for the name of a key or of a projected attribute, but for control characters: names reach logs and terminals.
/// Source: "Service, account, and table quotas in Amazon DynamoDB", attributes. Imports of CSV files call attributes what the first
/// line does, such as `Unit Price (USD)`.
fn is_attribute(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.contains(char::is_control)
}

/// The names of a path; none where it is no path.
fn steps(path: &str) -> Option<Vec<String>> {
    let mut steps = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        let step = steps.last_mut()?;
        match character {
            '.' => steps.push(String::new()),
            '\\' => step.push(characters.next().filter(|next| ['.', '\\'].contains(next))?),
            other => step.push(other),
        }
    }
    let is_element = |step: &String| {
        let inner = step.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
        inner.is_some_and(|(_, index)| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
    };
    (!steps.iter().any(|step| step.is_empty() || is_element(step))).then_some(steps)
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
    "1 to 255 bytes without control characters",
    is_attribute
);
name!(
    /// Where a row has a value: the name of an attribute, or of what is in a map, with dots between, such as
    /// `sentimentScore.Positive`.
    AttributePath,
    "attribute name",
    "1 to 255 bytes without control characters, with dots between the names of maps and what is in them (`\\.` is a dot in a name, `\\\\` a backslash), not `-` alone, and no element of a list (`[0]`)",
    |t| is_attribute(t) && t != ABSENT && steps(t).is_some()
);
optional_setting!(AttributePath, "where the table has none");
optional_setting!(TableName, "where there is none");

impl AttributePath {
    /// Whether it is the name of an attribute, as it stands.
    #[must_use]
    pub fn is_name(&self) -> bool {
        // By bytes: it is asked of every attribute of every row, and a search for characters takes eight times as long.
        !self.as_str().bytes().any(|byte| matches!(byte, b'.' | b'\\'))
    }

    /// The names on the way to the value. One alone is the attribute itself.
    pub fn steps(&self) -> impl Iterator<Item = String> {
        steps(self.as_str()).unwrap_or_default().into_iter()
    }

    /// What its value is called where people and programs read it: the names on the way with dots between, and nothing escaped.
    #[must_use]
    pub fn plain(&self) -> String {
        self.steps().collect::<Vec<_>>().join(".")
    }

    /// The attribute of a row that has the value in it.
    #[must_use]
    pub fn attribute(&self) -> String {
        self.steps().next().unwrap_or_default()
    }
}
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
name!(
    /// Link to what a row is about. Pages that show it have readers who click: nothing but `https:`, and no name of a user before
    /// the host, which looks like a host.
    LinkUrl,
    "link",
    "https:// and a host, at most 2048 bytes, without a user's name, spaces, control characters, \\ and any of \"<>^`{|}",
    |t| {
        let has_scheme = t.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let host = t.get(8..).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        t.len() <= limits::URL_BYTES_MAX && t.chars().all(is_of_link) && has_scheme && !host.is_empty() && !host.contains('@')
    }
);

/// Whether a link may have it; those of nearly all links come first, because every row may have one.
fn is_of_link(c: char) -> bool {
    match c {
        '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\u{fffd}' => false,
        '!'..='~' => true,
        // Marks that turn the direction of text: an address that reads as another one.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        _ => !c.is_control() && !c.is_whitespace(),
    }
}

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
    fn a_path_is_names_with_dots_between() {
        let steps = |text: &str| AttributePath::new(text).unwrap().steps().collect::<Vec<_>>();
        assert_eq!(steps("score"), ["score"]);
        assert_eq!(steps("a.b-c.0"), ["a", "b-c", "0"]);
        assert_eq!(steps("a\\.b.c\\.d"), ["a.b", "c.d"]);
        assert_eq!(steps("a\\\\.b\\\\\\.c"), ["a\\", "b\\.c"]);
        assert_eq!(steps("Unit Price (USD). 1st # [x]"), ["Unit Price (USD)", " 1st # [x]"]);
        assert_eq!(AttributePath::new("a\\.b.c").unwrap().attribute(), "a.b");
        assert_eq!(AttributePath::new("a\\.b.c\\\\").unwrap().plain(), "a.b.c\\");
        for bad in ["", "-", ".a", "a.", "a..b", "a[0]", "a[12].b", "a\\b", "a\\", "a\tb", &"é".repeat(128)] {
            assert!(AttributePath::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_attribute_is_called_what_the_first_line_of_a_csv_file_says() {
        for good in
            ["Unit Price (USD)", "Ticket#", "2024", "情感", "x:y", "a.b", " a", "-", "\"q\"", "a\\b", &"é".repeat(127)]
        {
            assert!(AttributeName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a\0b", "a\nb", "\u{85}", &"é".repeat(128)] {
            assert!(AttributeName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_link_leads_to_a_host_by_https() {
        let long = format!("https://example.com/{}", "x".repeat(limits::URL_BYTES_MAX - 20));
        for good in
            ["https://example.com", "HTTPS://example.com/a?b=c&d#e", "https://[::1]:8443/", "https://例え.jp/ü", &long]
        {
            assert!(LinkUrl::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///path",
            "https://?q",
            "http://example.com",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "//example.com",
            "example.com",
            "https:example.com",
            "https:\\\\example.com",
            "https://bank.example@example.com/",
            "https://example.com/\u{202e}moc",
            "https://example.com/a b",
            "https://example.com/\0",
            "https://example.com/<x>",
            &format!("{long}x"),
        ] {
            assert!(LinkUrl::new(bad).is_err(), "{bad:?}");
        }
        // At a mark, a path may have what a host may not.
        assert!(LinkUrl::new("https://example.com/@user").is_ok());
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
