//! A table of items that exists already: whether its keys, index and projection are those that the manifest says.

use serde_json::Value;

use super::aws::{command, silent};
use super::{Check, Ran};
use crate::described::{Described, Key};
use crate::manifest::tree::shorten;
use crate::manifest::{Manifest, Names};
use contract::Identity;

/// Type of a key that is a string.
const TEXT: &str = "S";

/// The name of the items table, where it exists before the deployment.
#[must_use]
pub fn existing(manifest: &Manifest) -> Option<String> {
    let items = &manifest.tables.items;
    (!items.create || items.import).then(|| Names::derive(manifest).items_table)
}

/// The name of the users table, where it exists before the deployment.
#[must_use]
pub fn existing_users(manifest: &Manifest) -> Option<String> {
    let users = &manifest.tables.users;
    (!users.create || users.import).then(|| Names::derive(manifest).users_table)
}

/// What asks for a table's keys and indexes.
#[must_use]
pub fn describe_command(manifest: &Manifest, table: &str) -> Vec<String> {
    command(manifest, &["dynamodb", "describe-table", "--table-name", table])
}

fn described(ran: &Ran) -> Option<Described> {
    let Ran::Done(stdout) = ran else { return None };
    Described::read(stdout)
}

/// Whether the table has the index, so that its rows can be asked for.
#[must_use]
pub fn has_index(manifest: &Manifest, ran: &Ran) -> bool {
    described(ran).is_some_and(|table| table.index(manifest.data.index.as_str()).is_some())
}

/// What a table is like, or what is to be said in its place. `check` is what was looked at, `section` the table's in the manifest.
fn there(
    manifest: &Manifest,
    (check, section): (&'static str, &str),
    name: &str,
    ran: &Ran,
) -> Result<Described, Check> {
    if ran.failed_with("ResourceNotFoundException") {
        let found = format!("there is no table `{name}` in {}", manifest.project.region.as_str());
        let next = format!(
            "set `name` in [{section}] to that of the table, or `create = true` and no `import` to have one made"
        );
        return Err(Check::missing(check, found, next));
    }
    described(ran).ok_or_else(|| match ran {
        Ran::Done(_) => {
            let next = "look whether `aws` is the AWS command line";
            Check::unknown(check, "`aws dynamodb describe-table` told no table", next)
        }
        _ => silent(check, ran, "allow `dynamodb:DescribeTable`"),
    })
}

/// Judges the keys of the users table: what is kept in it has a hash key `PK` and a range key `SK`, both texts.
#[must_use]
pub fn users(manifest: &Manifest, name: &str, ran: &Ran) -> Check {
    const USERS: &str = "users-table";
    let table = match there(manifest, (USERS, "tables.users"), name, ran) {
        Ok(table) => table,
        Err(check) => return check,
    };
    let keys = ["HASH", "RANGE"].map(|kind| table.key(&table.table, kind));
    let found = format!("`{name}`: hash key {}, range key {}", shown(&keys[0]), shown(&keys[1]));
    let text = |name: &str| Some((name.to_owned(), TEXT.to_owned()));
    if keys == ["PK", "SK"].map(text) {
        return Check::ok(USERS, found);
    }
    let next = "name a table with hash key `PK` (S) and range key `SK` (S) in [tables.users], or have one made";
    Check::missing(USERS, format!("{found}; configurations need `PK` (S) and `SK` (S)"), next)
}

/// Judges keys, index and projection.
#[must_use]
pub fn structure(manifest: &Manifest, name: &str, ran: &Ran) -> Vec<Check> {
    let table = match there(manifest, ("table", "tables.items"), name, ran) {
        Ok(table) => table,
        Err(check) => return vec![check],
    };
    let mut checks = vec![table_keys(manifest, name, &table)];
    match table.index(manifest.data.index.as_str()) {
        None => checks.push(no_index(manifest, &table)),
        Some(index) => checks.extend([index_keys(manifest, &table, index), projection(manifest, &table, index)]),
    }
    checks
}

/// A line of the manifest to change.
fn line(section: &str, key: &str, value: &str) -> String {
    format!("set `{key} = {}` in [{section}]", toml::Value::from(value))
}

fn shown(key: &Key) -> String {
    key.as_ref().map_or_else(|| "none".to_owned(), |(name, kind)| format!("`{}` ({kind})", shorten(name)))
}

fn table_keys(manifest: &Manifest, name: &str, table: &Described) -> Check {
    const NAME: &str = "table";
    let attributes = &manifest.data.attributes;
    let (key, time) = (attributes.key.as_str(), attributes.time.as_str());
    let (hash, range) = (table.key(&table.table, "HASH"), table.key(&table.table, "RANGE"));
    if let Some((found, kind)) = &hash {
        if found != key {
            let found_text =
                format!("the hash key of `{name}` is `{}`; `data.attributes.key` is `{key}`", shorten(found));
            return Check::missing(NAME, found_text, line("data.attributes", "key", found));
        }
        if !["S", "N"].contains(&kind.as_str()) {
            let found_text = format!("the hash key `{key}` of `{name}` is of type {kind}; it must be S or N");
            return Check::missing(NAME, found_text, "use a table whose hash key is a string or a number");
        }
    }
    let found = format!("`{name}`: hash key {}, range key {}", shown(&hash), shown(&range));
    match range {
        Some((range, _)) if range != time && manifest.data.identity == Identity::KeyAndTime => Check::missing(
            NAME,
            format!("{found}; an item is known by `{key}` and `{time}`, which may be those of several rows"),
            format!(
                "{}, if that is the time; else {}",
                line("data.attributes", "time", &range),
                line("data", "identity", "key")
            ),
        ),
        None if manifest.data.identity == Identity::KeyAndTime => Check::missing(
            NAME,
            format!("{found}; a row that changes is overwritten, and would count as two until the next full re-read"),
            line("data", "identity", "key"),
        ),
        _ => Check::ok(NAME, found),
    }
}

fn no_index(manifest: &Manifest, table: &Described) -> Check {
    let attributes = &manifest.data.attributes;
    let (label, time) = (attributes.label.as_str(), attributes.time.as_str());
    let is_it = |index: &&Value| {
        let is = |kind, name: &str| table.key(index, kind).is_some_and(|key| key.0 == name);
        is("HASH", label) && is("RANGE", time)
    };
    let fitting = table.indexes().iter().find(is_it).map(|index| Described::text(index, "IndexName"));
    let (label_kind, kind) =
        (manifest.data.label_type.key_type().as_str(), manifest.data.time_format.key_type().as_str());
    let names: Vec<String> =
        table.indexes().iter().map(|index| format!("`{}`", shorten(Described::text(index, "IndexName")))).collect();
    let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let next = fitting.map_or_else(
        || format!("add an index with hash key `{label}` ({label_kind}) and range key `{time}` ({kind}), or name one that is like that in `index` of [data]"),
        |index| line("data", "index", index),
    );
    Check::missing(
        "table-index",
        format!("there is no index `{}`; there are: {has}", manifest.data.index.as_str()),
        next,
    )
}

fn index_keys(manifest: &Manifest, table: &Described, index: &Value) -> Check {
    const NAME: &str = "table-index";
    let attributes = &manifest.data.attributes;
    let name = manifest.data.index.as_str();
    let (hash, range) = (table.key(index, "HASH"), table.key(index, "RANGE"));
    let found = format!("`{name}`: hash key {}, range key {}", shown(&hash), shown(&range));
    let type_of = |key| match key {
        "time" => manifest.data.time_format.key_type().as_str(),
        _ => manifest.data.label_type.key_type().as_str(),
    };
    let wanted =
        [("label", "hash", &hash, attributes.label.as_str()), ("time", "range", &range, attributes.time.as_str())];
    for (key, kind, found_key, wanted) in wanted {
        match found_key {
            Some((other, _)) if other != wanted => {
                let said = format!("{found}; `data.attributes.{key}` is `{wanted}`");
                return Check::missing(NAME, said, line("data.attributes", key, other));
            }
            Some((_, of)) if of != type_of(key) => {
                let said = format!("{found}; the {kind} key must be of type {}", type_of(key));
                return Check::missing(NAME, said, other_type(key, of, wanted));
            }
            None => {
                let said = format!("{found}; its range key must be `{wanted}`, or no range of time can be read");
                return Check::missing(
                    NAME,
                    said,
                    format!("add an index with `{wanted}` as its range key, and set `index` in [data]"),
                );
            }
            Some(_) => {}
        }
    }
    match Described::text(index, "IndexStatus") {
        "" | "ACTIVE" | "UPDATING" => Check::ok(NAME, found),
        status => Check::unknown(NAME, format!("{found}; it is {status}"), "wait until it is ACTIVE"),
    }
}

/// What to do about a key of another type.
fn other_type(key: &str, of: &str, attribute: &str) -> String {
    match (key, of) {
        ("time", "N") => "set `time_format` in [data] to `epoch-seconds` or `epoch-millis`".to_owned(),
        ("time", TEXT) => {
            format!("{}, or to `epoch-seconds-text` or `epoch-millis-text`", line("data", "time_format", "rfc3339"))
        }
        ("label", "N") => line("data", "label_type", "number"),
        ("label", TEXT) => line("data", "label_type", "text"),
        _ => format!("write `{attribute}` as a string, and make an index of that"),
    }
}

/// Judges whether the index has what the manifest maps. Keys of table and index are always there.
fn projection(manifest: &Manifest, table: &Described, index: &Value) -> Check {
    const NAME: &str = "table-projection";
    let attributes = &manifest.data.attributes;
    let optional = [
        ("tags", &attributes.tags),
        ("score", &attributes.score),
        ("confidence", &attributes.confidence),
        ("source", &attributes.source),
        ("title", &attributes.title),
        ("url", &attributes.url),
        ("status", &attributes.status),
    ];
    // An index has whole attributes, whatever a path leads to in them.
    let mapped = optional.into_iter().filter_map(|(key, path)| Some((Some(key), path.0.as_ref()?.attribute())));
    let mapped = mapped.chain(manifest.data.show.as_slice().iter().map(|path| (None, path.attribute())));
    let projection = index.get("Projection").unwrap_or(&Value::Null);
    let kind = Described::text(projection, "ProjectionType");
    let included: Vec<&str> =
        Described::list(projection, "NonKeyAttributes").iter().filter_map(Value::as_str).collect();
    let keys: Vec<String> = [&table.table, index]
        .into_iter()
        .flat_map(|of| ["HASH", "RANGE"].into_iter().filter_map(|kind| table.key(of, kind)))
        .map(|key| key.0)
        .collect();
    let is_there = |name: &str| kind == "ALL" || included.contains(&name) || keys.iter().any(|key| key == name);
    let lacking: Vec<(Option<&str>, String)> = mapped.filter(|(_, name)| !is_there(name)).collect();
    if lacking.is_empty() {
        return Check::ok(NAME, kind);
    }
    let names: Vec<String> = lacking.iter().map(|(_, name)| format!("`{name}`")).collect();
    let off: Vec<String> = lacking.iter().filter_map(|(key, _)| key.map(|key| format!("`{key} = false`"))).collect();
    let off = (!off.is_empty()).then(|| format!("set {} in [data.attributes]", off.join(", ")));
    let is_shown = lacking.iter().any(|(key, _)| key.is_none());
    let unshown = is_shown.then(|| "take what is lacking out of `show` in [data]".to_owned());
    let without: Vec<String> = [off, unshown].into_iter().flatten().collect();
    let next = format!(
        "make an index that projects them and set `index` in [data]: an index cannot be changed; or {}",
        without.join(" and ")
    );
    let has = if included.is_empty() { String::new() } else { format!(" of {}", included.join(", ")) };
    let said = format!("{kind}{has}; the index lacks {}, which the functions read from it", names.join(", "));
    Check::missing(NAME, said, next)
}
