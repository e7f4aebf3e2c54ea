//! What a manifest says of a table that exists, found in what AWS says of the table and in some of its rows: so that nobody has to
//! write down what is known. What was assumed is said, and everything stands in the manifest, to be changed.

mod attributes;
mod keys;
mod text;

use contract::limits::LABELS_MAX;
use contract::{Labels, TimeFormat};
use serde_json::Value;

use crate::described::Described;
use crate::manifest::account::{KMS_PARTITIONS, KmsKeyArn};
use crate::manifest::reader::ManifestValue as _;
use crate::manifest::regions::Region;
use crate::manifest::tree::shorten;
use crate::stored::with_labels;
use attributes::Attributes;
use keys::{Chosen, Keys};

pub use text::{Setting, filled, minimal};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// Keys, in the order of the manifest.
    pub settings: Vec<Setting>,
    /// What was found, a line each.
    pub found: Vec<String>,
    /// What a person has to look at, a line each: what was assumed, and what the table lacks.
    pub notes: Vec<String>,
}

impl Mapping {
    fn set(&mut self, section: &'static str, key: &'static str, value: impl Into<toml::Value>) {
        self.settings.push(Setting { section, key, value: value.into() });
    }
}

/// Why nothing could be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// It is something else.
    #[error("it is no description of a table: there is no `Table` with a `TableName` and a hash key in it")]
    NoDescription,
    /// They are something else.
    #[error(
        "there are no rows in it: a JSON object with a list `Items`, each value with its type, is what is looked for"
    )]
    NoRows,
}

/// Reads rows as `aws dynamodb scan` prints them.
///
/// # Errors
/// [`MappingError::NoRows`].
pub fn rows(answer: &str) -> Result<Vec<Value>, MappingError> {
    let answer: Value = serde_json::from_str(answer).map_err(|_| MappingError::NoRows)?;
    let rows = answer.get("Items").and_then(Value::as_array).ok_or(MappingError::NoRows)?;
    Ok(rows.iter().filter(|row| row.is_object()).cloned().collect())
}

/// Finds what a manifest says of a table. Without rows nothing is known of labels and of whatever is no key.
///
/// # Errors
/// [`MappingError::NoDescription`].
pub fn of(description: &str, rows: &[Value]) -> Result<Mapping, MappingError> {
    let table = Described::read(description).ok_or(MappingError::NoDescription)?;
    let keys = Keys::of(&table, rows).ok_or(MappingError::NoDescription)?;
    let mut mapping = Mapping::default();
    if let Some(region) = keys.region() {
        mapping.set("project", "region", region);
    }
    mapping.set("tables.items", "name", keys.name.as_str());
    mapping.set("tables.items", "create", false);
    encryption(&mut mapping, &table, &keys);
    let Some(index) = &keys.index else {
        mapping.set("data.attributes", "key", keys.hash.as_str());
        mapping.notes.push(format!(
            "`{}` has no index with a label as its hash key and a time as its range key, which the functions read: add one, then \
             name it in `index` of [data], and its keys in `label` and `time` of [data.attributes]",
            keys.name
        ));
        return Ok(mapping);
    };
    mapping.found.push(format!("index `{}`: label `{}`, time `{}`", index.name, index.label.name, index.time.name));
    if !keys.others.is_empty() {
        mapping.notes.push(format!("other indexes would do, too: {}", listed(&keys.others)));
    }
    mapping.set("data", "index", index.name.as_str());
    times(&mut mapping, index, rows);
    labels(&mut mapping, index, rows);
    identity(&mut mapping, &keys, index);
    let attributes = Attributes::find(index, &keys, rows);
    if let Some(ready) = &attributes.status_ready {
        mapping.set("data", "status_ready", ready.as_str());
    }
    mapping.set("data.attributes", "key", keys.hash.as_str());
    mapping.set("data.attributes", "time", index.time.name.as_str());
    mapping.set("data.attributes", "label", index.label.name.as_str());
    for (key, path) in attributes.all() {
        let value = path.map_or(toml::Value::Boolean(false), toml::Value::from);
        mapping.set("data.attributes", key, value);
        mapping.found.extend(path.map(|path| format!("{key}: `{path}`")));
    }
    mapping.notes.extend(attributes.notes);
    if rows.is_empty() && index.has_everything() {
        mapping.notes.push(
            "tags, score, confidence, source, status, title and url were looked for in no row, and are off".to_owned(),
        );
    }
    Ok(mapping)
}

/// The key of KMS that the table has, which the functions must be allowed to use.
fn encryption(mapping: &mut Mapping, table: &Described, keys: &Keys) {
    let Some(found) = table.kms_key() else { return };
    // A manifest takes keys of its own region alone.
    let is_taken =
        |arn: &KmsKeyArn| Region::new(arn.region()).is_some_and(|region| KMS_PARTITIONS.contains(&region.partition()));
    match KmsKeyArn::new(found).filter(|arn| keys.region() == Some(arn.region()) && is_taken(arn)) {
        Some(arn) => {
            mapping.found.push(format!("key of KMS: `{}`", arn.as_str()));
            mapping.set("tables.items", "kms_key_arn", arn.as_str());
        }
        None => mapping.notes.push(format!(
            "the table is encrypted with the key `{}`, which `kms_key_arn` in [tables.items] does not take: the functions \
             are not allowed to use it, and read nothing",
            shorten(found)
        )),
    }
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", shorten(name.as_ref()))).collect::<Vec<_>>().join(", ")
}

/// How times are written.
fn times(mapping: &mut Mapping, index: &Chosen, rows: &[Value]) {
    let found = keys::time_format(&index.time, rows);
    mapping.set("data", "time_format", found.format.as_str());
    if found.needs_zone {
        mapping.set("data", "time_zone", "UTC");
        mapping
            .notes
            .push(format!("times in `{}` name no zone: UTC is assumed, see `time_zone` in [data]", index.time.name));
    }
    if !found.is_seen {
        let told = if found.format == TimeFormat::Rfc3339 { "RFC 3339 is" } else { "seconds since 1970 are" };
        let note = format!(
            "how `{}` is written was seen in no row: {told} assumed, see `time_format` in [data]",
            index.time.name
        );
        mapping.notes.push(note);
    }
}

/// Which labels there are, the most frequent first.
fn labels(mapping: &mut Mapping, index: &Chosen, rows: &[Value]) {
    let kind = if index.label.kind == "N" { "number" } else { "text" };
    mapping.set("data", "label_type", kind);
    let name = index.label.name.as_str();
    let found = keys::labels(index, rows);
    if found.is_empty() {
        mapping
            .notes
            .push(format!("values of `{name}` were seen in no row: name those that count in `labels` of [data]"));
        return;
    }
    if found.len() > LABELS_MAX {
        let note =
            format!("`{name}` has {} values, and a manifest {LABELS_MAX}: the most frequent are named", found.len());
        mapping.notes.push(note);
    }
    let named: Vec<&str> = found.iter().take(LABELS_MAX).map(|(label, _)| label.as_str()).collect();
    let labels = with_labels(Vec::new(), named.iter().copied());
    let given: Vec<String> =
        labels.iter().filter(|label| !label.has_own_key()).map(|label| label.key().to_owned()).collect();
    if !given.is_empty() {
        let note = format!(
            "no name in `metrics` follows from some labels: they are called {} in `labels` of [data]",
            listed(&given)
        );
        mapping.notes.push(note);
    }
    if let Some(value) = Labels::of(labels).ok().and_then(|labels| labels.write()) {
        mapping.found.push(format!("labels: {}", listed(&named)));
        mapping.set("data", "labels", value);
    }
}

/// What makes rows one item.
fn identity(mapping: &mut Mapping, keys: &Keys, index: &Chosen) {
    let is_time = keys.range.as_deref() == Some(index.time.name.as_str());
    mapping.set("data", "identity", if is_time { "key-and-time" } else { "key" });
    match &keys.range {
        Some(range) if !is_time => mapping.notes.push(format!(
            "an item is known by `{}` alone, because the range key `{range}` is not its time: of rows with the same `{}` the newest counts",
            keys.hash, keys.hash
        )),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pointed_out_where_they_follow_from_no_label() {
        let key = |name: &str, kind: &str| serde_json::json!({ "AttributeName": name, "KeyType": kind });
        let table = serde_json::json!({ "Table": {
            "TableName": "notes",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }, { "AttributeName": "mood", "AttributeType": "S" },
                { "AttributeName": "at", "AttributeType": "S" }],
            "KeySchema": [key("id", "HASH")],
            "GlobalSecondaryIndexes": [{ "IndexName": "by_mood", "KeySchema": [key("mood", "HASH"), key("at", "RANGE")],
                "Projection": { "ProjectionType": "ALL" } }],
        }});
        let notes = |moods: &[&str]| {
            let row = |mood: &&str| serde_json::json!({ "id": { "S": "1" }, "mood": { "S": mood }, "at": { "S": "2026-11-28T10:00:00Z" } });
            let found = of(&table.to_string(), &moods.iter().map(row).collect::<Vec<_>>()).unwrap();
            found.notes.into_iter().filter(|note| note.starts_with("no name")).collect::<Vec<_>>()
        };
        assert_eq!(notes(&["placed", "In Review"]), [""; 0]);
        let said = notes(&["placed", "坏", "好"]);
        assert!(said.len() == 1 && said[0].contains("`label_") && !said[0].contains("placed"), "{said:?}");
    }

    /// A description of a table in this region with this answer about its key.
    fn encrypted(region: &str, sse: &Value) -> Mapping {
        let table = serde_json::json!({ "Table": {
            "TableName": "orders", "TableArn": format!("arn:aws:dynamodb:{region}:123456789012:table/orders"),
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }], "SSEDescription": sse,
        }});
        of(&table.to_string(), &[]).unwrap()
    }

    #[test]
    fn the_key_that_a_table_has_is_in_the_manifest() {
        const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1a2b3c4d-0000-1111-2222-333344445555";
        let key = |mapping: &Mapping| {
            let is_it = |one: &&Setting| one.section == "tables.items" && one.key == "kms_key_arn";
            mapping.settings.iter().find(is_it).map(|one| one.value.clone())
        };
        let sse = |arn: &str| serde_json::json!({ "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": arn });
        let found = encrypted("eu-west-1", &sse(ARN));
        assert_eq!(key(&found), Some(toml::Value::from(ARN)));
        assert!(found.found.contains(&format!("key of KMS: `{ARN}`")), "{:?}", found.found);
        let default = include_str!("../../../deploy.toml");
        let written = format!("kms_key_arn = \"{ARN}\"\n");
        for text in [filled(default, &found.settings), minimal(default, &found.settings)] {
            assert_eq!(text.matches(&written).count(), 1, "{text}");
        }
        // What the manifest would refuse is said and left out.
        for (region, arn) in [
            ("us-east-1", ARN),
            ("eu-west-1", "arn:aws:kms:eu-west-1:123456789012:alias/mine"),
            ("cn-north-1", "arn:aws-cn:kms:cn-north-1:123456789012:key/1a2b3c4d-0000-1111-2222-333344445555"),
        ] {
            let found = encrypted(region, &sse(arn));
            assert_eq!(key(&found), None, "{arn}");
            assert!(
                found.notes.iter().any(|note| note.contains(&format!("with the key `{arn}`"))),
                "{:?}",
                found.notes
            );
        }
        let off = serde_json::json!({ "Status": "DISABLED", "SSEType": "KMS", "KMSMasterKeyArn": ARN });
        for none in [Value::Null, off, sse("arn:aws:kms:eu-west-1:123456789012:alias/aws/dynamodb")] {
            let found = encrypted("eu-west-1", &none);
            assert_eq!((key(&found), found.found.len()), (None, 0), "{none}");
        }
    }

    #[test]
    fn what_is_no_description_and_no_rows_is_said() {
        for text in ["", "[]", "{}", r#"{"Table": {}}"#, r#"{"Table": {"TableName": "a"}}"#, r#"{"Table": 1}"#] {
            assert_eq!(of(text, &[]), Err(MappingError::NoDescription), "{text}");
        }
        for text in ["", "[]", "{}", r#"{"Items": 1}"#] {
            assert_eq!(rows(text), Err(MappingError::NoRows), "{text}");
        }
        assert_eq!(rows(r#"{"Items": [1, {"a": {"S": "b"}}]}"#).unwrap().len(), 1);
    }
}
