//! How the contract's types stand in the manifest: strictly, with the unit in the text.

use std::time::Duration;

use contract::units::{
    Bare, DataWindow, FunctionTimeout, HeartbeatInterval, LateInterval, LateWindow, MaxSession, PollInterval,
    ReconcileInterval, ReplayWindow, Retry, SegmentLength, SessionLifetime, duration_text,
};
use contract::values::{Count, SettingValue};
use contract::{
    Adapter, AttributeName, AttributePath, AudienceClaim, AuthMode, AuthUrl, CookieName, Environment, EventName,
    Identity, IndexName, IssuerName, LabelType, MetricsMode, PageLanguage, StatusValue, TableName, TimeFormat,
    TimeZone, UnitError, WhenFull,
};

use super::reader::{ManifestValue, Problem};
use super::tree::{Node, Raw};
use super::{units, words};

/// Returns the text of a node, or what is wrong with it.
///
/// # Errors
/// The node is no string.
pub fn text<'n>(node: &'n Node, wanted: &str) -> Result<&'n str, Vec<Problem>> {
    match &node.value {
        Raw::String(text) => Ok(text),
        _ => Err(vec![Problem::kind(node, wanted)]),
    }
}

/// Returns the problem of a text that is no duration or size; `fits` says of another text whether it could stand there.
#[must_use]
pub fn unit_problem<T: ManifestValue>(found: &str, error: UnitError, fits: impl Fn(&str) -> bool) -> Problem {
    match error {
        UnitError::NoUnit { examples, .. } => Problem::text(found, "it has no unit")
            .code("missing-unit")
            .hint(format!("write a whole number and a unit, {examples}")),
        UnitError::Malformed { what, examples, .. } => {
            let mended = if what == "size" { units::size(found) } else { units::duration(found) };
            let hint = match mended {
                Some(mended) if fits(&mended) => format!("write `\"{mended}\"`"),
                // What was meant would be the next mistake.
                Some(_) => format!("write {}", T::rule()),
                None => format!("write a whole number and a unit, {examples}"),
            };
            Problem::text(found, &format!("it is not a {what}")).hint(hint)
        }
        UnitError::OutOfRange { min, max, .. } => {
            Problem::text(found, &format!("it must be from {min} to {max}")).code("out-of-range")
        }
    }
}

/// Durations that people write, ascending.
const DURATIONS_SECS: [u64; 18] = [1, 2, 3, 5, 7, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 86_400];

/// Returns what a JSON Schema says of a duration; its range is not for a schema to know.
#[must_use]
pub fn duration_schema() -> serde_json::Value {
    serde_json::json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" })
}

/// Returns durations in a range, the middle ones first.
#[must_use]
pub fn duration_examples(min: Duration, max: Duration) -> Vec<toml::Value> {
    let all: Vec<Duration> =
        DURATIONS_SECS.map(Duration::from_secs).into_iter().filter(|value| (min..=max).contains(value)).collect();
    let (low, high) = all.split_at(all.len() / 2);
    high.iter().chain(low.iter().rev()).map(|value| duration_text(*value).into()).collect()
}

/// Returns strings as TOML.
#[must_use]
pub fn strings(texts: &[&str]) -> Vec<toml::Value> {
    texts.iter().map(|text| (*text).into()).collect()
}

macro_rules! duration_values {
    ($fits:expr, $what:literal: $($name:ident),+) => { $(
        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                let typed = match &node.value {
                    // The commonest mistake: a bare number, with the type wrong besides.
                    Raw::Integer(number) => number.to_string(),
                    _ => text(node, "a duration such as `\"5s\"`")?.to_owned(),
                };
                let parse = |text: &str| Self::parse(text, Bare::Refused);
                parse(&typed).map_err(|error| vec![unit_problem::<Self>(&typed, error, |text| parse(text).is_ok_and(|found| $fits(found.get())))])
            }
            fn rule() -> String {
                format!(concat!($what, " from {} to {}"), duration_text(Self::MIN), duration_text(Self::MAX))
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.to_string().into())
            }
            fn schema() -> serde_json::Value {
                duration_schema()
            }
            fn examples() -> Vec<toml::Value> {
                duration_examples(Self::MIN, Self::MAX)
            }
        }
    )+ };
}
duration_values!(|_| true, "a duration":
    PollInterval,
    HeartbeatInterval,
    MaxSession,
    SegmentLength,
    Retry,
    LateWindow,
    LateInterval,
    DataWindow,
    ReconcileInterval,
    ReplayWindow,
    SessionLifetime
);
// A part of a second is refused by a rule between keys, which has the value: Lambda takes none.
duration_values!(|found: Duration| found.subsec_nanos() == 0, "a duration in whole seconds": FunctionTimeout);

macro_rules! name_values {
    ($($name:ident = $wanted:literal, $pattern:literal, $examples:expr;)+) => { $(
        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                let found = text(node, $wanted)?;
                Self::new(found).map_err(|error| {
                    let problem = Problem::text(found, &format!("it must be {}", error.rule));
                    // Others name what is there already: only its owner knows what it is called.
                    let is_ours = ["Environment", "EventName"].contains(&stringify!($name));
                    let mended = words::mended(found, |text| Self::new(text).is_ok());
                    vec![if is_ours { mended(problem) } else { problem }]
                })
            }
            fn rule() -> String {
                Self::RULE.to_owned()
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.to_string().into())
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", "pattern": $pattern })
            }
            fn examples() -> Vec<toml::Value> {
                strings(&$examples)
            }
        }
    )+ };
}
name_values!(
    Environment = "an environment name", "^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$", ["dev", "test", "staging"];
    TableName = "a table name", "^[A-Za-z0-9_.-]{3,255}$", ["orders", "items-2"];
    IndexName = "an index name", "^[A-Za-z0-9_.-]{3,255}$", ["by_status", "by-label"];
    AttributeName = "an attribute name", "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,255}$", ["order_id", "Order ID"];
    AttributePath = "an attribute name", "^(?!-$)(?=.{1,255}$)([^\\u0000-\\u001f\\u007f-\\u009f.\\\\]|\\\\[.\\\\])+([.]([^\\u0000-\\u001f\\u007f-\\u009f.\\\\]|\\\\[.\\\\])+)*$", ["kind", "result.state"];
    TimeZone = "a time zone", "^(UTC|Z|[+-][0-9]{2}:[0-9]{2})$", ["UTC", "+05:30", "-08:00"];
    EventName = "an event name", "^[a-z][a-z0-9_]{0,63}$", ["order_update", "build_finished"];
    StatusValue = "a status value", "^[^\\u0000-\\u001f]{1,64}$", ["ready", "done"];
    AuthUrl = "a URL", "^https?://[!-~]{1,504}$", ["https://login.example.com", "https://id.example.com/tenant/v2.0"];
    IssuerName = "an issuer", "^[!-~]{1,512}$", ["https://login.example.com", "stytch.com/project-live-1a2b"];
    CookieName = "a name of a cookie", "^[A-Za-z_][A-Za-z0-9_-]{0,63}$", ["id", "__Host-session"];
);

macro_rules! word_values {
    ($($name:ident),+) => { $(
        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                let found = words::word(node, Self::WORDS)?;
                <Self as SettingValue>::read(found).map_err(|_| vec![words::unknown(found, Self::WORDS)])
            }
            fn rule() -> String {
                format!("one of {}", <Self as SettingValue>::rule())
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.as_str().into())
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({ "enum": Self::WORDS })
            }
            fn examples() -> Vec<toml::Value> {
                strings(Self::WORDS)
            }
        }
    )+ };
}
word_values!(WhenFull, AuthMode, AudienceClaim, MetricsMode, Adapter, TimeFormat, LabelType, Identity, PageLanguage);

impl<const MIN: u32, const MAX: u32> ManifestValue for Count<MIN, MAX> {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let rule = <Self as ManifestValue>::rule();
        let Raw::Integer(number) = node.value else {
            let fits = |text: &str| text.parse().is_ok_and(|number: u32| Self::new(number).is_ok());
            return Err(vec![words::no_number(node, &rule, fits)]);
        };
        u32::try_from(number)
            .ok()
            .and_then(|value| Self::new(value).ok())
            .ok_or_else(|| vec![Problem::text(&number.to_string(), &format!("it must be {rule}")).code("out-of-range")])
    }
    fn rule() -> String {
        <Self as SettingValue>::rule()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(i64::from(self.get()).into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
    fn examples() -> Vec<toml::Value> {
        let likely = [20, 50, 100, 10, 200, 500, 2000, 5].into_iter().filter(|value| (MIN..=MAX).contains(value));
        likely.chain([MIN, MIN + 1, MAX]).map(|value| i64::from(value).into()).collect()
    }
}

impl ManifestValue for bool {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        match node.value {
            Raw::Boolean(value) => Ok(value),
            _ => Err(vec![words::no_boolean(node, &<Self as ManifestValue>::rule())]),
        }
    }
    fn rule() -> String {
        "`true` or `false`".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some((*self).into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "boolean" })
    }
    fn examples() -> Vec<toml::Value> {
        vec![true.into(), false.into()]
    }
}

/// A key that may be left out. `false` says so too: the only way for an environment to take a value of the base away.
impl<T: ManifestValue> ManifestValue for Option<T> {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        match &node.value {
            Raw::Boolean(false) => Ok(None),
            Raw::String(text) if text.is_empty() => T::read(node).map(Some).map_err(|problems| {
                problems.into_iter().map(|problem| problem.hint("`false` says that there is none")).collect()
            }),
            _ => T::read(node).map(Some),
        }
    }
    fn rule() -> String {
        format!("{}; may be left out, or `false`", T::rule())
    }
    fn write(&self) -> Option<toml::Value> {
        self.as_ref().and_then(T::write)
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [T::schema(), { "const": false }] })
    }
    fn examples() -> Vec<toml::Value> {
        T::examples()
    }
}

/// Reads a list of texts, each by `one`, and reports every bad element at its own place.
///
/// # Errors
/// The node is no list, or elements are wrong.
pub fn list<T>(node: &Node, wanted: &str, one: impl Fn(&str) -> Result<T, Problem>) -> Result<Vec<T>, Vec<Problem>> {
    let Raw::List(items) = &node.value else {
        return Err(vec![words::in_brackets(Problem::kind(node, wanted), node)]);
    };
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let result = match &item.value {
            Raw::String(text) => one(text),
            _ => Err(Problem::kind(item, "a string")),
        };
        match result {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem.at(format!("[{index}]"), item.span.clone())),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}
