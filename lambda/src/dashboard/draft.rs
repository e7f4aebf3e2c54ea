//! A configuration as a client sends it: checked field by field, every mistake at once.

use contract::{Tag, limits};
use serde_json::Value;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `tickers[1]`.
    pub field: String,
    /// The value found and the rule.
    pub detail: String,
}

impl Fault {
    fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// A name and tickers that may be saved.
#[derive(Clone, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(as = ConfigurationInput)]
pub struct Draft {
    /// Its name. Spaces around it are taken away.
    pub name: String,
    /// The tickers, in the order in which they were sent.
    #[schema(value_type = Vec<String>)]
    pub tickers: Vec<Tag>,
}

impl Draft {
    /// Reads what stands in a body. Fields that it does not know are ignored: pages may be newer than functions.
    ///
    /// # Errors
    /// Every field that is not as it must be.
    pub fn parse(body: &Value) -> Result<Self, Vec<Fault>> {
        let Some(fields) = body.as_object() else {
            return Err(vec![Fault::new("", format!("the body is {}; it must be an object", kind(body)))]);
        };
        let mut faults = Vec::new();
        let name = name(fields.get("name"), &mut faults);
        let tickers = tickers(fields.get("tickers"), &mut faults);
        if faults.is_empty() { Ok(Self { name, tickers }) } else { Err(faults) }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What a client sent, fit to be shown: escaped and cut.
pub(super) fn shown(text: &str) -> String {
    let shown: String = text.chars().take(20).flat_map(char::escape_debug).collect();
    if text.chars().count() > 20 { format!("`{shown}…`") } else { format!("`{shown}`") }
}

fn name(value: Option<&Value>, faults: &mut Vec<Fault>) -> String {
    let max = limits::CONFIGURATION_NAME_CHARS_MAX;
    let sent_max = limits::CONFIGURATION_NAME_SENT_CHARS_MAX;
    let rule = format!("it must be 1 to {max} characters beside spaces around them, none of them a control character");
    let mut bad = |found: String| {
        faults.push(Fault::new("name", format!("{found}; {rule}")));
        String::new()
    };
    let text = match value {
        None => return bad("is missing".into()),
        Some(Value::String(text)) => text,
        Some(other) => return bad(format!("is {}", kind(other))),
    };
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if text.contains(char::is_control) {
        return bad(format!("{} has a control character", shown(text)));
    }
    match length {
        0 => bad("is empty".into()),
        length if length > max => bad(format!("has {length} characters")),
        _ if text.chars().count() > sent_max => bad(format!("has more than {sent_max} characters with its spaces")),
        _ => trimmed.to_owned(),
    }
}

fn tickers(value: Option<&Value>, faults: &mut Vec<Fault>) -> Vec<Tag> {
    let max = limits::CONFIGURATION_TICKERS_MAX;
    let rule = format!("it must be a list of 1 to {max} different tickers");
    let values = match value {
        Some(Value::Array(values)) if (1..=max).contains(&values.len()) => values,
        other => {
            let found = match other {
                None => "is missing".into(),
                Some(Value::Array(values)) => format!("lists {}", values.len()),
                Some(other) => format!("is {}", kind(other)),
            };
            faults.push(Fault::new("tickers", format!("{found}; {rule}")));
            return Vec::new();
        }
    };
    let mut tickers: Vec<Tag> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let mut bad = |found: String| {
            let rule = Tag::RULE;
            faults.push(Fault::new(format!("tickers[{index}]"), format!("{found}; it must be {rule}")));
        };
        let Value::String(text) = value else {
            bad(format!("is {}", kind(value)));
            continue;
        };
        match Tag::new(text.trim()) {
            Err(_) => bad(format!("{} is no ticker", shown(text))),
            Ok(tag) if tickers.contains(&tag) => {
                faults
                    .push(Fault::new(format!("tickers[{index}]"), format!("{} is listed twice; {rule}", shown(text))));
            }
            Ok(tag) => tickers.push(tag),
        }
    }
    tickers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(body: &Value) -> Vec<String> {
        let faults = Draft::parse(body).err().unwrap_or_default();
        faults.iter().map(|fault| format!("{}: {}", fault.field, fault.detail)).collect()
    }

    #[test]
    fn names_are_trimmed_and_tickers_keep_their_order() {
        let body =
            json!({ "name": " \u{3000}My tech 漢字 ", "tickers": ["MSFT", " eu-west-1 ", "600519"], "colour": 7 });
        let draft = Draft::parse(&body).unwrap();
        assert_eq!(draft.name, "My tech 漢字");
        assert_eq!(draft.tickers.iter().map(Tag::as_str).collect::<Vec<_>>(), ["MSFT", "eu-west-1", "600519"]);
        let of_length = |length: usize| Draft::parse(&json!({ "name": "é".repeat(length), "tickers": ["A"] })).is_ok();
        assert!(of_length(50) && of_length(1) && !of_length(51) && !of_length(0));
        let spaced =
            |spaces: usize| Draft::parse(&json!({ "name": format!("{:spaces$}a", ""), "tickers": ["A"] })).is_ok();
        assert!(spaced(199) && !spaced(200));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        assert_eq!(
            faults(&json!({ "name": " ", "tickers": ["A,B", "MSFT", 7, "MSFT ", " "] })),
            [
                "name: is empty; it must be 1 to 50 characters beside spaces around them, none of them a control character",
                "tickers[0]: `A,B` is no ticker; it must be 1 to 64 bytes without control characters, commas and spaces at its ends",
                "tickers[2]: is a number; it must be 1 to 64 bytes without control characters, commas and spaces at its ends",
                "tickers[3]: `MSFT ` is listed twice; it must be a list of 1 to 50 different tickers",
                "tickers[4]: ` ` is no ticker; it must be 1 to 64 bytes without control characters, commas and spaces at its ends",
            ]
        );
        assert_eq!(faults(&json!({})).len(), 2);
        assert_eq!(faults(&json!([])), [": the body is a list; it must be an object"]);
        for (tickers, expected) in [
            (json!([]), "lists 0"),
            (json!((0..51).map(|n| format!("T{n}")).collect::<Vec<_>>()), "lists 51"),
            (json!("A,B"), "is a string"),
            (json!(null), "is null"),
        ] {
            let expected = format!("tickers: {expected}; it must be a list of 1 to 50 different tickers");
            assert_eq!(faults(&json!({ "name": "a", "tickers": tickers })), [expected]);
        }
        for name in ["a\u{0}b", "a\n", "\u{85}", "\u{7f}"] {
            let faults = faults(&json!({ "name": name, "tickers": ["A"] }));
            assert!(faults[0].contains("has a control character; it must be"), "{faults:?}");
        }
    }
}
