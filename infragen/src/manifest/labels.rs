//! How labels stand in the manifest: texts, or tables with a text and its key.

use contract::limits::{LABEL_CHARS_MAX, LABELS_MAX};
use contract::{Label, Labels};

use super::reader::{ManifestValue, Problem};
use super::tree::{Node, Raw, Table};
use super::values::{strings, text};
use super::words::in_brackets;

/// What a label is in the manifest.
const ONE: &str = "a string, or a table such as `{ value = \"好\", key = \"good\" }`";

impl ManifestValue for Labels {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let Raw::List(items) = &node.value else {
            return Err(vec![in_brackets(Problem::kind(node, &<Self as ManifestValue>::rule()), node)]);
        };
        let (mut labels, mut problems) = (Vec::<Label>::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let at = |problem: Problem| problem.at(format!("[{index}]"), item.span.clone());
            match one(item) {
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.within(&format!("[{index}]")))),
                Ok(label) => {
                    match labels.iter().find(|other| other.as_str() == label.as_str() || other.key() == label.key()) {
                        None => labels.push(label),
                        Some(other) if other.as_str() == label.as_str() => {
                            let problem = Problem::text(label.as_str(), "it is there twice; labels must differ");
                            problems.push(at(problem.code("repeated-label")));
                        }
                        Some(other) => {
                            let says =
                                format!("its key in `metrics` is `{}`, which is that of `{other}` too", label.key());
                            let hint = format!("give it another: `{}`", with_key(&label, "another_key"));
                            problems.push(at(Problem::text(label.as_str(), &says).code("repeated-label").hint(hint)));
                        }
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let count = labels.len();
        Self::of(labels).map_err(|error| {
            vec![Problem::new("out-of-range", format!("has {count} labels: it must be {}", error.rule))]
        })
    }
    fn rule() -> String {
        format!("a list of {}", Self::RULE)
    }
    fn write(&self) -> Option<toml::Value> {
        let one = |label: &Label| match label.has_own_key() {
            true => toml::Value::from(label.to_string()),
            false => table(label.as_str(), label.key()),
        };
        Some(self.as_slice().iter().map(one).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let text = serde_json::json!({ "type": "string", "minLength": 1, "maxLength": LABEL_CHARS_MAX });
        let key = serde_json::json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$" });
        let table = serde_json::json!({
            "type": "object", "properties": { "value": text, "key": key }, "required": ["value", "key"],
            "additionalProperties": false,
        });
        serde_json::json!({
            "type": "array", "items": { "anyOf": [text, table] }, "minItems": 1, "maxItems": LABELS_MAX, "uniqueItems": true,
        })
    }
    fn examples() -> Vec<toml::Value> {
        vec![
            strings(&["open", "paid", "sent"]).into(),
            strings(&["POSITIVE", "Somewhat-Bullish"]).into(),
            strings(&["1", "-1"]).into(),
            vec!["late".into(), table("好", "good")].into(),
        ]
    }
}

fn table(value: &str, key: &str) -> toml::Value {
    toml::Table::from_iter([("value".to_owned(), value.into()), ("key".to_owned(), key.into())]).into()
}

/// A label with a key, as one writes it.
fn with_key(label: &Label, key: &str) -> String {
    format!("{{ value = {}, key = \"{key}\" }}", toml::Value::from(label.as_str()))
}

fn one(node: &Node) -> Result<Label, Vec<Problem>> {
    match &node.value {
        Raw::String(found) => Label::new(found).map_err(|error| {
            let problem = Problem::text(found, &format!("it must be {}", error.rule)).here(node);
            // It is a text that a label may be, and no key follows from it.
            let keyed = Label::with_key(found, "another_key").map(|label| with_key(&label, "another_key"));
            vec![match keyed {
                Ok(keyed) => problem.hint(format!("write `{keyed}`, with what `metrics` is to call it")),
                Err(_) => problem,
            }]
        }),
        Raw::Table(table) => from_table(node, table),
        Raw::Integer(number) => {
            let hint = format!("write it as a text, `\"{number}\"`, and `label_type = \"number\"` beside `labels`");
            Err(vec![Problem::kind(node, ONE).here(node).hint(hint)])
        }
        _ => Err(vec![Problem::kind(node, ONE).here(node)]),
    }
}

fn from_table(node: &Node, table: &Table) -> Result<Label, Vec<Problem>> {
    let mut problems = Vec::new();
    for (key, found) in table.iter().filter(|(key, _)| !["value", "key"].contains(&key.as_str())) {
        problems.push(
            Problem::new("unknown-key", "is no part of a label: it has `value` and `key`")
                .at(format!(".{key}"), found.span.clone()),
        );
    }
    let mut part = |key: &str, wanted: &str, rule: &str, check: &dyn Fn(&str) -> bool| match table.get(key) {
        None => {
            problems.push(Problem::new("malformed", format!("has no `{key}`: it must be {ONE}")).here(node));
            None
        }
        Some(found) => match text(found, wanted) {
            Err(wrong) => {
                problems.extend(wrong.into_iter().map(|problem| problem.at(format!(".{key}"), found.span.clone())));
                None
            }
            Ok(text) if check(text) => Some(text),
            Ok(text) => {
                let problem = Problem::text(text, &format!("it must be {rule}"));
                problems.push(problem.at(format!(".{key}"), found.span.clone()));
                None
            }
        },
    };
    let value = part("value", "what rows say", Label::RULE, &|text| Label::with_key(text, "key").is_ok());
    let key = part("key", "a key of `metrics`", Label::KEY_RULE, &|key| Label::with_key("label", key).is_ok());
    match value.zip(key).and_then(|(value, key)| Label::with_key(value, key).ok()) {
        Some(label) if problems.is_empty() => Ok(label),
        _ => Err(problems),
    }
}
