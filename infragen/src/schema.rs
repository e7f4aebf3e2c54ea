//! The JSON Schema of deploy.toml, for editors: made of the same definitions as the reader.
//!
//! It knows types, words, patterns and bounds of numbers. Rules between keys, and ranges of durations and sizes, which
//! are texts to JSON, are for `infragen validate`.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::manifest::reader::KeyDoc;
use crate::manifest::{Manifest, Section as _};
use crate::signature::SIGNATURE;

/// Where the runner is described.
const RUNNER: &str = "/definitions/output/properties/runner";
/// Examples of each key: enough to see the form.
const EXAMPLES_MAX: usize = 3;

/// Returns the schema, in draft-07: the newest that editors of TOML read.
#[must_use]
pub fn schema() -> Value {
    let mut tables: Map<String, Value> = Map::new();
    for section in Manifest::sections("") {
        insert(&mut tables, &section.path, object(section.doc));
    }
    for doc in Manifest::docs("") {
        insert(&mut tables, &doc.path, key(&doc));
    }
    let references: Map<String, Value> = tables
        .iter()
        .map(|(name, table)| {
            let reference =
                json!({ "allOf": [{ "$ref": format!("#/definitions/{name}") }], "description": table["description"] });
            (name.clone(), reference)
        })
        .collect();
    let environment = json!({
        "type": "object",
        "description": "One environment: whatever it sets replaces the base's value.",
        "properties": references,
        "additionalProperties": false,
    });
    tables.insert("environment".to_owned(), environment);
    let mut properties = references;
    properties.insert(
        "env".to_owned(),
        json!({
            "type": "object",
            "description": "Environments, laid over everything else by `infragen --env NAME`.",
            "propertyNames": { "pattern": "^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$" },
            "additionalProperties": { "$ref": "#/definitions/environment" },
        }),
    );
    json!({
        "$comment": SIGNATURE,
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "deploy.toml",
        "description": "What infragen renders.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "definitions": tables,
    })
}

/// Returns the schema as a file; without the default of the runner where there is none to run.
#[must_use]
pub fn text(has_runner: bool) -> &'static str {
    // The same for every manifest, and the longest of all that is rendered.
    static TEXTS: LazyLock<[String; 2]> = LazyLock::new(|| {
        let mut schema = schema();
        let with = format!("{schema:#}\n");
        if let Some(runner) = schema.pointer_mut(RUNNER).and_then(Value::as_object_mut) {
            runner.remove("default");
        }
        [with, format!("{schema:#}\n")]
    });
    let [with, without] = &*TEXTS;
    if has_runner { with } else { without }
}

fn object(doc: &str) -> Value {
    json!({ "type": "object", "description": doc, "properties": {}, "additionalProperties": false })
}

fn key(doc: &KeyDoc) -> Value {
    let mut value = doc.schema.clone();
    value["description"] = format!("{}\n\n{}.", doc.doc, capitalised(&doc.rule)).into();
    if let Some(default) = &doc.default {
        value["default"] = to_json(default);
    }
    value["examples"] = doc.examples.iter().take(EXAMPLES_MAX).map(to_json).collect();
    value
}

/// Returns a sentence's beginning in upper case; a word of code stays what it is.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Translates a value; what JSON has no word for is not in a manifest.
pub(crate) fn to_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.clone().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(value) => (*value).into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.iter().map(to_json).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), to_json(value))).collect(),
    }
}

/// Puts a definition into its table: `stream.replay.events` goes to `stream`, its property `replay`, its property
/// `events`.
fn insert(tables: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        tables.insert(path.to_owned(), value);
        return;
    };
    let mut place = &mut tables[first];
    for part in rest.split('.') {
        place = &mut place["properties"][part];
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tree;

    fn key_of<'s>(schema: &'s Value, path: &str) -> &'s Value {
        let (first, rest) = path.split_once('.').unwrap();
        rest.split('.').fold(&schema["definitions"][first], |table, part| &table["properties"][part])
    }

    #[test]
    fn every_key_is_described_with_its_type_and_examples_of_it() {
        let schema = schema();
        for doc in Manifest::docs("") {
            let key = key_of(&schema, &doc.path);
            assert!(key["description"].as_str().is_some_and(|text| text.starts_with(doc.doc)), "{}", doc.path);
            let says = ["type", "enum", "anyOf"].iter().any(|word| key.get(word).is_some());
            assert!(says && !key["examples"].as_array().unwrap().is_empty(), "{}", doc.path);
            assert_eq!(key.get("default").is_some(), doc.default.is_some(), "{}", doc.path);
        }
        assert_eq!(key_of(&schema, "stream.max_connections")["maximum"], 1600);
        assert_eq!(key_of(&schema, "stream.replay")["additionalProperties"], false);
        assert_eq!(
            schema["definitions"]["environment"]["properties"]["stream"]["allOf"][0]["$ref"],
            "#/definitions/stream"
        );
    }

    #[test]
    fn nobody_is_told_of_a_runner_that_is_not_there() {
        assert_eq!(schema().pointer(RUNNER).unwrap()["default"], "./justw");
        assert!(text(true).contains("./justw") && !text(false).contains("justw"));
    }

    #[test]
    fn every_example_is_a_value_that_its_key_takes() {
        for doc in Manifest::docs("") {
            for example in &doc.examples {
                let problems = (doc.check)(&tree::node(example));
                assert!(problems.is_empty(), "`{}` does not take {example}: {problems:?}", doc.path);
            }
        }
    }
}
