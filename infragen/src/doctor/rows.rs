//! What some rows of an existing table say of the manifest: labels, status, times, tags and numbers.

use contract::{AttributePath, Labels, TimeFormat};
use serde_json::Value;
use stream_core::times::Times;
use stream_core::timestamp::TimestampError;

use super::aws::{command, silent};
use super::{Check, Ran};
use crate::manifest::Manifest;
use crate::manifest::reader::ManifestValue;
use crate::manifest::tree::shorten;
use crate::stored::{at_path, count, of_name, text, with_labels};

/// Rows that are looked at.
const ROWS: &str = "100";
/// Values that a finding names, at most.
const NAMED_MAX: usize = 5;

/// What asks for some rows: of the index, or of the table itself.
#[must_use]
pub fn sample_command(manifest: &Manifest, table: &str, of_index: bool) -> Vec<String> {
    let mut arguments = vec!["dynamodb", "scan", "--table-name", table];
    if of_index {
        arguments.extend(["--index-name", manifest.data.index.as_str()]);
    }
    arguments.extend(["--limit", ROWS, "--no-paginate"]);
    command(manifest, &arguments)
}

/// The rows of an answer; none where there is no answer.
#[must_use]
pub fn of(ran: &Ran) -> Vec<Value> {
    let Ran::Done(stdout) = ran else { return Vec::new() };
    let answer: Value = serde_json::from_str(stdout).unwrap_or_default();
    answer.get("Items").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Judges rows of the index, and with them those of the table itself, `in_table`, that are in it: the first rows of an index are of one
/// label as a rule, the first of a table of all.
#[must_use]
pub fn judge(manifest: &Manifest, ran: &Ran, in_table: &[Value]) -> Vec<Check> {
    const NAME: &str = "table-rows";
    if !matches!(ran, Ran::Done(_)) {
        return vec![silent(NAME, ran, "allow `dynamodb:Scan`")];
    }
    let mut rows = of(ran);
    if rows.is_empty() {
        return vec![nothing(manifest, in_table)];
    }
    let attributes = &manifest.data.attributes;
    let key = |row: &Value| {
        [&attributes.key, &attributes.time, &attributes.label].map(|name| row.get(name.as_str()).cloned())
    };
    let known: Vec<_> = rows.iter().map(key).collect();
    let is_indexed = |row: &&Value| {
        let is = |name: &str, kind: &str| of_name(row, name).is_some_and(|(found, _)| found == kind);
        is(attributes.label.as_str(), label_kind(manifest)) && is(attributes.time.as_str(), time_kind(manifest))
    };
    rows.extend(in_table.iter().filter(is_indexed).filter(|row| !known.contains(&key(row))).cloned());
    let mut checks = vec![Check::ok(NAME, format!("{} were looked at", rows.len()))];
    let of_rows = [labels, status, times, tags].into_iter().filter_map(|judge| judge(manifest, &rows));
    checks.extend(of_rows);
    checks.extend(numbers(manifest, &rows));
    checks
}

fn named(counts: &[(String, usize)]) -> String {
    let mut named: Vec<String> =
        counts.iter().take(NAMED_MAX).map(|(value, rows)| format!("`{}` ({rows})", shorten(value))).collect();
    if counts.len() > NAMED_MAX {
        named.push(format!("{} more", counts.len() - NAMED_MAX));
    }
    named.join(", ")
}

/// Says what rows of the table lack to be in the index.
fn nothing(manifest: &Manifest, in_table: &[Value]) -> Check {
    const NAME: &str = "table-rows";
    let attributes = &manifest.data.attributes;
    let (label, time) = (attributes.label.as_str(), attributes.time.as_str());
    if in_table.is_empty() {
        return Check::unknown(NAME, "neither table nor index has rows yet", "ask again when there are some");
    }
    let (label_kind, kind) = (label_kind(manifest), time_kind(manifest));
    let lacks = |name: &str, kind: &str| {
        in_table.iter().filter(|row| of_name(row, name).is_none_or(|(found, _)| found != kind)).count()
    };
    let names = count(in_table.iter().filter_map(Value::as_object).flat_map(|row| row.keys().cloned()));
    let found = format!(
        "the table has rows and the index has none; of {} rows {} have no `{label}` of type {label_kind} and {} no `{time}` of type {kind}; \
         rows have {}",
        in_table.len(),
        lacks(label, label_kind),
        lacks(time, kind),
        named(&names)
    );
    Check::missing(
        NAME,
        found,
        "set `label` and `time` in [data.attributes] to attributes of the rows, or wait until the index is built",
    )
}

fn labels(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-labels";
    let name = manifest.data.attributes.label.as_str();
    let known: Vec<String> = manifest.data.labels.as_slice().iter().map(ToString::to_string).collect();
    let found = count(rows.iter().filter_map(|row| text(row, name, label_kind(manifest))).map(str::to_owned));
    if found.is_empty() {
        // Of another attribute than the index is: that is said of the index.
        return None;
    }
    let unnamed: Vec<(String, usize)> = found.iter().filter(|(label, _)| !known.contains(label)).cloned().collect();
    if unnamed.is_empty() {
        return Some(Check::ok(NAME, named(&found)));
    }
    // Those that rows have, in the manifest's order, and then the others.
    let kept =
        manifest.data.labels.as_slice().iter().filter(|label| found.iter().any(|(other, _)| other == label.as_str()));
    let labels = with_labels(kept.cloned().collect(), unnamed.iter().map(|(text, _)| text.as_str()));
    let next = match Labels::of(labels) {
        Ok(labels) => {
            format!("set `labels = {}` in [data]", labels.write().unwrap_or_else(|| Vec::<String>::new().into()))
        }
        Err(error) => format!("name those that count in `labels` of [data]: {}", error.rule),
    };
    let found = format!("`{name}` has values that `data.labels` does not name: {}", named(&unnamed));
    Some(Check::missing(NAME, found, next))
}

fn status(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-status";
    let name = manifest.data.attributes.status.0.as_ref()?;
    // Numbers and truth values are read as texts.
    let text = |row: &Value, path| {
        at_path(row, path).first().and_then(|(kind, value)| match *kind {
            "S" | "N" => value.as_str().map(str::to_owned),
            "BOOL" => value.as_bool().map(|is_true| is_true.to_string()),
            _ => None,
        })
    };
    let ready = manifest.data.status_ready.as_str();
    let found = count(rows.iter().filter_map(|row| text(row, name)));
    let is_ready = |row: &Value| text(row, name).is_none_or(|status| status == ready);
    if rows.iter().any(is_ready) {
        let found = if found.is_empty() { format!("no row has `{name}`: all are ready") } else { named(&found) };
        return Some(Check::ok(NAME, found));
    }
    let said = format!("no row is ready: `{name}` is {}; `data.status_ready` is `{ready}`", named(&found));
    let value = found.first().map(|(status, _)| toml::Value::from(status.clone()).to_string()).unwrap_or_default();
    let next = format!(
        "set `status_ready = {value}` in [data], or `status = false` in [data.attributes] if every row is ready"
    );
    Some(Check::missing(NAME, said, next))
}

/// Type of the attribute with the time, as the manifest has it.
fn time_kind(manifest: &Manifest) -> &'static str {
    manifest.data.time_format.key_type().as_str()
}

/// Type of the attribute with the label, as the manifest has it.
fn label_kind(manifest: &Manifest) -> &'static str {
    manifest.data.label_type.key_type().as_str()
}

fn times(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-times";
    let (data, name) = (&manifest.data, manifest.data.attributes.time.as_str());
    let times = Times::new(data.time_format, data.time_zone);
    let values = || rows.iter().filter_map(|row| of_name(row, name)).filter(|(kind, _)| *kind == time_kind(manifest));
    let mut faults = values().filter_map(|(_, value)| {
        let text = value.as_str()?;
        let parsed = if times.are_counted() { times.parse_number(text).map(drop) } else { times.parse(text).map(drop) };
        parsed.err().map(|error| (text, error))
    });
    let Some((example, fault)) = faults.next() else {
        let example = values().find_map(|(_, value)| value.as_str())?;
        return Some(Check::ok(NAME, format!("{}, as `{}`", data.time_format.as_str(), shorten(example))));
    };
    let found = format!("`{name}` of {} rows is no time: `{}`, which {fault}", 1 + faults.count(), shorten(example));
    let next = match fault {
        TimestampError::Counted(_) => "set `time_format` in [data] so, if that is what they are",
        TimestampError::NoZone => {
            "set `time_zone` in [data] to the zone of the clock that writes them, such as `UTC` or `-05:00`"
        }
        TimestampError::Year if data.time_format == TimeFormat::EpochSeconds => {
            "set `time_format = \"epoch-millis\"` in [data], if that is what they are"
        }
        TimestampError::Form | TimestampError::Number | TimestampError::Width | TimestampError::Year => {
            "write it as `infragen explain data.time_format` says, or set `time` in [data.attributes] to another attribute"
        }
    };
    Some(Check::missing(NAME, found, next))
}

fn tags(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-tags";
    let name = manifest.data.attributes.tags.0.as_ref()?;
    let kinds = count(rows.iter().flat_map(|row| at_path(row, name)).map(|(kind, _)| kind.to_owned()));
    if kinds.is_empty() {
        let names = count(rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys().cloned()));
        let found = format!("no row has `{name}`; rows have {}", named(&names));
        return Some(Check::missing(
            NAME,
            found,
            "set `tags` in [data.attributes] to the attribute with the tags, or to `false` where there are none",
        ));
    }
    let wrong: Vec<(String, usize)> =
        kinds.iter().filter(|(kind, _)| !["L", "SS", "NS", "S", "N"].contains(&kind.as_str())).cloned().collect();
    if wrong.is_empty() {
        return Some(Check::ok(NAME, format!("`{name}` of type {}", named(&kinds))));
    }
    let found = format!("`{name}` is of type {}; it must be a list, a set, a string or a number", named(&wrong));
    Some(Check::missing(NAME, found, "set `tags` in [data.attributes] to another attribute: such rows are left out"))
}

/// Judges score and confidence: one finding for each that is wrong, and one line where none is.
fn numbers(manifest: &Manifest, rows: &[Value]) -> Vec<Check> {
    const NAME: &str = "table-numbers";
    let attributes = &manifest.data.attributes;
    let mut checks = Vec::new();
    for (key, attribute, min) in [("score", &attributes.score, -1.0), ("confidence", &attributes.confidence, 0.0)] {
        let Some(name) = &attribute.0 else { continue };
        let wrong = count(rows.iter().filter_map(|row| number_fault(row, name, min)));
        if !wrong.is_empty() {
            let found = format!("`{name}` is {}; it must be a number from {min} to 1", named(&wrong));
            checks.push(Check::missing(
                NAME,
                found,
                format!("scale it, or set `{key} = false` in [data.attributes]: until then rows come without"),
            ));
        }
    }
    checks
}

/// What stands in the place of a number, where it is none or out of range.
fn number_fault(row: &Value, path: &AttributePath, min: f64) -> Option<String> {
    let (kind, found) = at_path(row, path).first().copied()?;
    let text = found.as_str().unwrap_or_default();
    if !["N", "S"].contains(&kind) {
        return Some(format!("of type {kind}"));
    }
    // An empty text is no value.
    let is_fine = text.trim().parse().is_ok_and(|number: f64| min - 0.001 <= number && number <= 1.001);
    (!is_fine && !text.trim().is_empty()).then(|| text.to_owned())
}
