//! Rows for a table of items, made of what a person gives: `infragen seed` and `infragen put`.
//!
//! A row may name its values as the table does, or as REST and the page do (`item_id`, `timestamp`, `label`, `score`, `confidence`,
//! `tickers`, `source`, `title`, `url`): what `GET /api/v2/items?format=csv` saves can be put into another table. Nothing here asks anybody.

mod fresh;
mod given;

use std::collections::{BTreeMap, BTreeSet};

use contract::{AttributePath, Label, Tag};
use serde_json::{Map, Value, json};
use stream_core::times::Times;
use stream_core::timestamp::Timestamp;

pub use given::{Fault, Given, csv, json_lines};

use crate::doctor::aws::command;
use crate::manifest::{Manifest, Names};

/// Rows of one request (DynamoDB, `BatchWriteItem`).
pub const BATCH_ROWS_MAX: usize = 25;
/// Characters between tags in one cell; no tag has a comma.
const TAG_SEPARATORS: [char; 2] = [',', ';'];

/// Whether an attribute is a text or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
}

/// What the rows of a table are like.
#[derive(Clone, Debug)]
pub struct Shape<'m> {
    manifest: &'m Manifest,
    /// Name of the table.
    pub table: String,
    key: Kind,
    time: Kind,
    label: Kind,
}

/// What asks for the types of a table's keys.
#[must_use]
pub fn describe(manifest: &Manifest) -> Vec<String> {
    command(manifest, &["dynamodb", "describe-table", "--table-name", &Names::derive(manifest).items_table])
}

/// What writes rows that come on standard input.
#[must_use]
pub fn write(manifest: &Manifest) -> Vec<String> {
    command(manifest, &["dynamodb", "batch-write-item", "--request-items", "file:///dev/stdin"])
}

impl<'m> Shape<'m> {
    /// Takes what a table says of itself, or what it is created with; `None` where that is no description of a table with these
    /// attributes as keys.
    #[must_use]
    pub fn of(manifest: &'m Manifest, described: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(described).ok()?;
        let definitions = value.get("Table").unwrap_or(&value).get("AttributeDefinitions")?.as_array()?;
        let kind = |name: &str| {
            let found = definitions.iter().find(|definition| definition["AttributeName"] == name)?;
            Some(if found["AttributeType"] == "N" { Kind::Number } else { Kind::Text })
        };
        let attributes = &manifest.data.attributes;
        Some(Self {
            manifest,
            table: Names::derive(manifest).items_table,
            key: kind(attributes.key.as_str())?,
            time: kind(attributes.time.as_str())?,
            label: kind(attributes.label.as_str())?,
        })
    }

    /// Makes the items of all rows, in DynamoDB's JSON. A row without a time gets `now`.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn items(&self, rows: &[Given], now: Timestamp) -> Result<Vec<Value>, Vec<Fault>> {
        let (mut items, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
        for row in rows {
            match self.item(row, now) {
                Ok(item) => {
                    let attributes = &self.manifest.data.attributes;
                    let key = [attributes.key.as_str(), attributes.time.as_str()].map(|name| item[name].to_string());
                    match seen.insert(key, row.line) {
                        Some(first) => faults.push(Fault::new(
                            row.line,
                            format!("it has key and time of line {first}: one row is one item"),
                        )),
                        None => items.push(item),
                    }
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(items) } else { Err(faults) }
    }

    fn item(&self, row: &Given, now: Timestamp) -> Result<Value, Vec<Fault>> {
        let attributes = &self.manifest.data.attributes;
        let mut making = Making { row, used: BTreeSet::new(), item: Map::new(), faults: Vec::new() };
        match making.take(attributes.key.as_str(), "item_id") {
            Some(value) => making.put(attributes.key.as_str(), self.key_of(&value)),
            None => making.fault(format!("it has no `{}`, and no `item_id`", attributes.key.as_str())),
        }
        let time = making.take(attributes.time.as_str(), "timestamp");
        making.put(attributes.time.as_str(), self.time_of(time.as_ref(), now));
        match making.take(attributes.label.as_str(), "label") {
            Some(value) => making.put(attributes.label.as_str(), self.label_of(&value)),
            None => making.fault(format!("it has no `{}`, and no `label`", attributes.label.as_str())),
        }
        making.number(attributes.score.0.as_ref(), "score", -1.0);
        making.number(attributes.confidence.0.as_ref(), "confidence", 0.0);
        if let Some(path) = &attributes.tags.0
            && let Some(value) = making.take(&path.plain(), "tickers")
        {
            making.put_at(path, tags_of(&value));
        }
        for (path, common) in
            [(&attributes.source.0, "source"), (&attributes.title.0, "title"), (&attributes.url.0, "url")]
        {
            if let Some(path) = path
                && let Some(value) = making.take(&path.plain(), common)
            {
                making.put_at(path, Ok(json!({ "S": shown(&value) })));
            }
        }
        for path in self.manifest.data.show.as_slice().iter().filter(|path| !path.is_name()) {
            let name = path.plain();
            if let Some(value) = making.take(&name, &name) {
                making.put_at(path, Ok(attribute(&value)));
            }
        }
        if let Some(path) = &attributes.status.0 {
            let value = making.take(&path.plain(), "status");
            let ready = self.manifest.data.status_ready.as_str();
            making.put_at(path, Ok(json!({ "S": value.map_or_else(|| ready.to_owned(), |value| shown(&value)) })));
        }
        making.rest();
        if making.faults.is_empty() { Ok(Value::Object(making.item)) } else { Err(making.faults) }
    }

    fn key_of(&self, value: &Value) -> Result<Value, String> {
        let text = shown(value);
        match self.key {
            Kind::Text => Ok(json!({ "S": text })),
            Kind::Number if is_number(&text) => Ok(json!({ "N": text.trim() })),
            Kind::Number => Err(format!("is `{}`, and the table's is a number", short(&text))),
        }
    }

    /// The moment that a row means: as the table writes it, or as everybody does.
    fn moment(&self, value: &Value) -> Result<Timestamp, String> {
        let (data, text) = (&self.manifest.data, shown(value));
        let times = Times::new(data.time_format, data.time_zone);
        let wrong = |error: &dyn std::fmt::Display| format!("is `{}`: it {error}", short(&text));
        if times.are_counted() && is_number(&text) {
            return times.parse_number(text.trim()).map_err(|error| wrong(&error));
        }
        let written = Times::new(contract::TimeFormat::Rfc3339, data.time_zone).parse(text.trim());
        written.map(|written| written.at).map_err(|error| wrong(&error))
    }

    fn time_of(&self, value: Option<&Value>, now: Timestamp) -> Result<Value, String> {
        let at = value.map_or(Ok(now), |value| self.moment(value))?;
        let (seconds, millis) = (at.millis() / 1000, at.millis() % 1000);
        let counted = match self.manifest.data.time_format {
            contract::TimeFormat::Rfc3339 => return Ok(json!({ "S": at.to_string() })),
            // A moment of our own is as most such tables write it; one that is given stays what it is.
            format if format.is_seconds() && value.is_some() && millis > 0 => {
                format!("{seconds}.{millis:03}").trim_end_matches('0').to_owned()
            }
            format if format.is_seconds() => seconds.to_string(),
            _ => at.millis().to_string(),
        };
        Ok(match self.time {
            Kind::Number => json!({ "N": counted }),
            Kind::Text => json!({ "S": counted }),
        })
    }

    fn label_of(&self, value: &Value) -> Result<Value, String> {
        let (text, labels) = (shown(value), self.manifest.data.labels.as_slice());
        if !labels.iter().any(|label| label.as_str() == text) {
            let names: Vec<String> = labels.iter().map(|label| format!("`{}`", Label::as_str(label))).collect();
            return Err(format!("is `{}`; it must be one of {}", short(&text), names.join(", ")));
        }
        Ok(match self.label {
            Kind::Text => json!({ "S": text }),
            Kind::Number => json!({ "N": text }),
        })
    }

    /// Requests for these items, each with what it writes.
    pub fn requests<'i>(&self, items: &'i [Value], rows: usize) -> impl Iterator<Item = String> + use<'i> {
        let table = self.table.clone();
        items.chunks(rows.clamp(1, BATCH_ROWS_MAX)).map(move |items| {
            let puts: Vec<Value> = items.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
            json!({ (table.as_str()): puts }).to_string()
        })
    }
}

/// What of a request was not written, to be asked for again; `None` where all was.
#[must_use]
pub fn unwritten(answer: &str) -> Option<String> {
    let value: Value = serde_json::from_str(answer).ok()?;
    let left = value.get("UnprocessedItems")?.as_object()?;
    (!left.is_empty()).then(|| Value::Object(left.clone()).to_string())
}

/// An item that is being made.
struct Making<'r> {
    row: &'r Given,
    used: BTreeSet<&'r str>,
    item: Map<String, Value>,
    faults: Vec<Fault>,
}

impl<'r> Making<'r> {
    fn fault(&mut self, what: String) {
        self.faults.push(Fault::new(self.row.line, what));
    }

    /// A value by the table's name for it, or by everybody's.
    fn take(&mut self, own: &str, common: &str) -> Option<Value> {
        let find = |name: &str| self.row.fields.get_key_value(name);
        let found = [find(own), find(common)];
        if own != common && found.iter().all(Option::is_some) {
            self.fault(format!("it has `{own}` and `{common}`, which are the same"));
        }
        self.used.extend(found.iter().flatten().map(|(name, _)| name.as_str()));
        found.into_iter().flatten().next().map(|(_, value)| value.clone())
    }

    fn put(&mut self, name: &str, value: Result<Value, String>) {
        match value {
            Ok(value) => drop(self.item.insert(name.to_owned(), value)),
            Err(what) => self.fault(format!("`{name}` {what}")),
        }
    }

    /// Puts a value where a path leads, into maps.
    fn put_at(&mut self, path: &AttributePath, value: Result<Value, String>) {
        let value = match value {
            Ok(value) => value,
            Err(what) => return self.fault(format!("`{}` {what}", path.plain())),
        };
        let mut steps: Vec<String> = path.steps().collect();
        let Some(last) = steps.pop() else { return };
        let mut map = &mut self.item;
        for step in steps {
            let inner = map.entry(step).or_insert_with(|| json!({ "M": {} }));
            let Some(inner) = inner.get_mut("M").and_then(Value::as_object_mut) else { return };
            map = inner;
        }
        map.insert(last, value);
    }

    fn number(&mut self, path: Option<&AttributePath>, common: &str, min: f64) {
        let Some(path) = path else { return };
        let Some(value) = self.take(&path.plain(), common) else { return };
        let text = shown(&value);
        let is_inside = text.trim().parse::<f64>().is_ok_and(|number| (min..=1.0).contains(&number));
        let value = match is_inside {
            true => Ok(json!({ "N": text.trim() })),
            false => Err(format!("is `{}`; it must be a number from {min} to 1", short(&text))),
        };
        self.put_at(path, value);
    }

    /// Everything else is kept as it is given.
    fn rest(&mut self) {
        for (name, value) in &self.row.fields {
            if !self.used.contains(name.as_str()) && !self.item.contains_key(name) {
                self.item.insert(name.clone(), attribute(value));
            }
        }
    }
}

fn tags_of(value: &Value) -> Result<Value, String> {
    let texts: Vec<String> = match value {
        Value::Array(values) => values.iter().map(shown).collect(),
        value => {
            shown(value).split(TAG_SEPARATORS).map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
        }
    };
    let checked = texts.iter().map(|text| Tag::new(text).map(|tag| json!({ "S": tag.as_str() })));
    let tags = checked.collect::<Result<Vec<_>, _>>().map_err(|error| format!("has a tag that is none: {error}"))?;
    Ok(json!({ "L": tags }))
}

/// A value of JSON as DynamoDB writes it.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(values) => {
            json!({ "M": values.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>() })
        }
    }
}

/// A value as text: what it is in a table.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn short(text: &str) -> String {
    crate::manifest::tree::shorten(text)
}

/// Whether DynamoDB takes it for a number.
fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::{Loaded, load};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn loaded(manifest: &str) -> Loaded {
        let manifest = Source { name: "deploy.toml".into(), text: manifest.into() };
        load(&Input::new(manifest), None).unwrap()
    }

    fn described(types: &[(&str, &str)]) -> String {
        let definitions: Vec<Value> =
            types.iter().map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind })).collect();
        json!({ "Table": { "AttributeDefinitions": definitions } }).to_string()
    }

    fn made(manifest: &str, types: &[(&str, &str)], rows: &str) -> Result<Vec<Value>, Vec<String>> {
        let loaded = loaded(manifest);
        let shape = Shape::of(&loaded.manifest, &described(types)).unwrap();
        let rows = json_lines(rows).unwrap();
        shape
            .items(&rows, NOW)
            .map_err(|faults| faults.into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect())
    }

    const PLAIN: [(&str, &str); 3] = [("source_id", "S"), ("timestamp", "S"), ("sentiment", "S")];

    #[test]
    fn what_everybody_calls_it_becomes_what_the_table_calls_it() {
        let row = r#"{"item_id": "a", "label": "positive", "tickers": "AAPL; BRK B", "score": "0.5", "timestamp": "2026-01-01T00:00:00+01:00", "note": {"x": [1, true]}}"#;
        let expected = json!({
            "source_id": {"S": "a"}, "timestamp": {"S": "2025-12-31T23:00:00.000Z"}, "sentiment": {"S": "positive"},
            "matched_tickers": {"L": [{"S": "AAPL"}, {"S": "BRK B"}]}, "score": {"N": "0.5"}, "status": {"S": "analyzed"},
            "note": {"M": {"x": {"L": [{"N": "1"}, {"BOOL": true}]}}},
        });
        assert_eq!(made("", &PLAIN, row).unwrap(), [expected]);
        let bare = made(
            "",
            &PLAIN,
            r#"{"source_id": 7, "sentiment": "neutral", "matched_tickers": ["A"], "status": "pending"}"#,
        )
        .unwrap();
        assert_eq!(
            (&bare[0]["source_id"], &bare[0]["timestamp"]),
            (&json!({"S": "7"}), &json!({"S": NOW.to_string()}))
        );
        assert_eq!(
            (&bare[0]["matched_tickers"], &bare[0]["status"]),
            (&json!({"L": [{"S": "A"}]}), &json!({"S": "pending"}))
        );
    }

    #[test]
    fn a_column_is_called_what_its_path_is_called_without_what_is_escaped() {
        let manifest = r#"[data]
show = ["unit\\.price", "deal.by"]
[data.attributes]
title = "head\\.line"
"#;
        let row = r#"{"item_id": "a", "label": "neutral", "unit.price": 5, "deal.by": "x", "head.line": "Up"}"#;
        let item = &made(manifest, &PLAIN, row).unwrap()[0];
        let found = ["unit.price", "head.line", "deal"].map(|name| &item[name]);
        assert_eq!(found, [&json!({"N": "5"}), &json!({"S": "Up"}), &json!({"M": {"by": {"S": "x"}}})]);
    }

    #[test]
    fn a_table_of_another_kind_gets_its_own_kinds() {
        let manifest = "[data]\ntime_format = \"epoch-millis\"\nlabels = [\"1\", \"2\"]\nlabel_type = \"number\"\n[data.attributes]\nkey = \"id\"\n\
                        time = \"at\"\nlabel = \"kind\"\nscore = \"mood.value\"\ntags = false\nstatus = false\nconfidence = false\nsource = false\n";
        let types = [("id", "N"), ("at", "N"), ("kind", "N")];
        let rows = "{\"id\": 5, \"kind\": 2, \"score\": -1}\n{\"item_id\": \"6\", \"label\": \"1\", \"at\": 1767225600000}\n{\"id\": 7, \"kind\": 1, \"timestamp\": \"2026-01-01T00:00:00Z\"}";
        let items = made(manifest, &types, rows).unwrap();
        assert_eq!(
            items[0],
            json!({"id": {"N": "5"}, "at": {"N": "1800000000000"}, "kind": {"N": "2"}, "mood": {"M": {"value": {"N": "-1"}}}})
        );
        assert_eq!(
            (&items[1]["at"], &items[2]["at"]),
            (&json!({"N": "1767225600000"}), &json!({"N": "1767225600000"}))
        );
        let wrong = made(manifest, &types, r#"{"id": "x", "kind": 3}"#).unwrap_err();
        assert_eq!(
            wrong,
            ["1: `id` is `x`, and the table's is a number", "1: `kind` is `3`; it must be one of `1`, `2`"]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let rows = "{\"label\": \"good\", \"score\": 2, \"confidence\": -0.1}\n{\"item_id\": \"a\", \"source_id\": \"b\", \"label\": \"positive\", \"timestamp\": \"noon\"}\n\
                    {\"item_id\": \"a\", \"label\": \"positive\"}\n{\"item_id\": \"a\", \"label\": \"negative\", \"tickers\": \"A\\u0000B\"}\n{\"item_id\": \"a\", \"label\": \"neutral\"}";
        let expected = [
            "1: it has no `source_id`, and no `item_id`",
            "1: `sentiment` is `good`; it must be one of `positive`, `neutral`, `negative`",
            "1: `score` is `2`; it must be a number from -1 to 1",
            "1: `confidence` is `-0.1`; it must be a number from 0 to 1",
            "2: it has `source_id` and `item_id`, which are the same",
            "2: `timestamp` is `noon`: it is no RFC 3339 time, such as `2025-12-02T10:30:00Z`",
        ];
        let found = made("", &PLAIN, rows).unwrap_err();
        assert_eq!(found[..6], expected);
        assert!(found[6].starts_with("4: `matched_tickers` has a tag that is none: "), "{found:?}");
        assert_eq!(found[7], "5: it has key and time of line 3: one row is one item");
    }

    #[test]
    fn requests_have_as_many_rows_as_are_taken_and_what_was_left_is_asked_for_again() {
        let loaded = loaded("");
        let shape = Shape::of(&loaded.manifest, &described(&PLAIN)).unwrap();
        let items = vec![json!({"a": {"S": "x"}}); 60];
        let count =
            |rows| shape.requests(&items, rows).map(|text| text.matches("PutRequest").count()).collect::<Vec<_>>();
        assert_eq!((count(25), count(100), count(1).len()), (vec![25, 25, 10], vec![25, 25, 10], 60));
        assert_eq!(unwritten(r#"{"UnprocessedItems": {}}"#), None);
        assert_eq!(unwritten(r#"{"UnprocessedItems": {"t": [1]}}"#).as_deref(), Some(r#"{"t":[1]}"#));
        assert!(Shape::of(&loaded.manifest, "{}").is_none());
    }
}
