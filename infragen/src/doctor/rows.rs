//! What some rows of an existing table say of the manifest: labels, status, times, tags and numbers.

use serde_json::Value;

use super::aws::{command, silent};
use super::{Check, Ran};
use crate::manifest::Manifest;
use crate::manifest::tree::shorten;

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

/// Judges rows of the index. `in_table` are rows of the table itself, asked for where the index has none.
#[must_use]
pub fn judge(manifest: &Manifest, ran: &Ran, in_table: &[Value]) -> Vec<Check> {
    const NAME: &str = "table-rows";
    if !matches!(ran, Ran::Done(_)) {
        return vec![silent(NAME, ran, "allow `dynamodb:Scan`")];
    }
    let rows = of(ran);
    if rows.is_empty() {
        return vec![nothing(manifest, in_table)];
    }
    let mut checks = vec![Check::ok(NAME, format!("{} were looked at", rows.len()))];
    let of_rows = [labels, status, times, tags].into_iter().filter_map(|judge| judge(manifest, &rows));
    checks.extend(of_rows);
    checks.extend(numbers(manifest, &rows));
    checks
}

/// Counts values by name, the most frequent first.
fn count(values: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|known| known.0 == value) {
            Some(known) => known.1 += 1,
            None => counts.push((value, 1)),
        }
    }
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts
}

fn named(counts: &[(String, usize)]) -> String {
    let mut named: Vec<String> =
        counts.iter().take(NAMED_MAX).map(|(value, rows)| format!("`{}` ({rows})", shorten(value))).collect();
    if counts.len() > NAMED_MAX {
        named.push(format!("{} more", counts.len() - NAMED_MAX));
    }
    named.join(", ")
}

/// Type and value of an attribute.
fn value<'a>(row: &'a Value, name: &str) -> Option<(&'a str, &'a Value)> {
    let (kind, value) = row.get(name)?.as_object()?.iter().next()?;
    (kind != "NULL").then_some((kind.as_str(), value))
}

fn text<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    value(row, name).filter(|(kind, _)| *kind == "S").and_then(|(_, value)| value.as_str())
}

/// Says what rows of the table lack to be in the index.
fn nothing(manifest: &Manifest, in_table: &[Value]) -> Check {
    const NAME: &str = "table-rows";
    let attributes = &manifest.data.attributes;
    let (label, time) = (attributes.label.as_str(), attributes.time.as_str());
    if in_table.is_empty() {
        return Check::unknown(NAME, "neither table nor index has rows yet", "ask again when there are some");
    }
    let lacks = |name: &str| in_table.iter().filter(|row| text(row, name).is_none()).count();
    let names = count(in_table.iter().filter_map(Value::as_object).flat_map(|row| row.keys().cloned()));
    let found = format!(
        "the table has rows and the index has none; of {} rows {} have no string `{label}` and {} no string `{time}`; \
         rows have {}",
        in_table.len(),
        lacks(label),
        lacks(time),
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
    let found = count(rows.iter().filter_map(|row| text(row, name)).map(str::to_owned));
    if found.is_empty() {
        // Of another attribute than the index is: that is said of the index.
        return None;
    }
    let unnamed: Vec<(String, usize)> = found.iter().filter(|(label, _)| !known.contains(label)).cloned().collect();
    if unnamed.is_empty() {
        return Some(Check::ok(NAME, named(&found)));
    }
    // Those that rows have, in the manifest's order, and then the others.
    let kept = known.into_iter().filter(|label| found.iter().any(|(other, _)| other == label));
    let labels = kept.chain(unnamed.iter().map(|(label, _)| label.clone())).map(toml::Value::from);
    let labels: Vec<String> = labels.map(|label| label.to_string()).collect();
    let found = format!("`{name}` has values that `data.labels` does not name: {}", named(&unnamed));
    Some(Check::missing(NAME, found, format!("set `labels = [{}]` in [data]", labels.join(", "))))
}

fn status(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-status";
    let name = manifest.data.attributes.status.0.as_ref()?.as_str();
    let ready = manifest.data.status_ready.as_str();
    let found = count(rows.iter().filter_map(|row| text(row, name)).map(str::to_owned));
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

/// Why a text is no time for the functions, as far as its form says; none where it may be one.
fn time_fault(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let shape = |pattern: &[u8]| {
        bytes.len() >= pattern.len()
            && pattern.iter().zip(bytes).all(|(wanted, byte)| match wanted {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't' | b' '),
                other => other == byte,
            })
    };
    if !shape(b"0000-00-00T00:00") {
        return Some("which is no RFC 3339 time, such as `2025-12-02T10:30:00Z`");
    }
    let zone = text.get(16..).unwrap_or_default();
    let has_zone = zone.contains(['Z', 'z', '+', '-']);
    (!has_zone).then_some("which says no zone: a time must end in one, such as `Z` or `+0000`")
}

fn times(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-times";
    let name = manifest.data.attributes.time.as_str();
    let faults: Vec<(&str, &str)> =
        rows.iter().filter_map(|row| text(row, name)).filter_map(|text| Some((text, time_fault(text)?))).collect();
    let Some((example, fault)) = faults.first() else {
        let example = rows.iter().find_map(|row| text(row, name))?;
        return Some(Check::ok(NAME, format!("RFC 3339, as `{}`", shorten(example))));
    };
    let found = format!("`{name}` of {} rows is no time: `{}`, {fault}", faults.len(), shorten(example));
    Some(Check::missing(
        NAME,
        found,
        "write it as RFC 3339 with a zone, or set `time` in [data.attributes] to another attribute",
    ))
}

fn tags(manifest: &Manifest, rows: &[Value]) -> Option<Check> {
    const NAME: &str = "table-tags";
    let name = manifest.data.attributes.tags.as_str();
    let kinds = count(rows.iter().filter_map(|row| value(row, name)).map(|(kind, _)| kind.to_owned()));
    if kinds.is_empty() {
        let names = count(rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys().cloned()));
        let found = format!("no row has `{name}`; rows have {}", named(&names));
        return Some(Check::missing(NAME, found, "set `tags` in [data.attributes] to the attribute with the tags"));
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
        let Some(name) = attribute.0.as_ref().map(contract::AttributeName::as_str) else { continue };
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
fn number_fault(row: &Value, name: &str, min: f64) -> Option<String> {
    let (kind, found) = value(row, name)?;
    let text = found.as_str().unwrap_or_default();
    if !["N", "S"].contains(&kind) {
        return Some(format!("of type {kind}"));
    }
    // An empty text is no value.
    let is_fine = text.trim().parse().is_ok_and(|number: f64| min - 0.001 <= number && number <= 1.001);
    (!is_fine && !text.trim().is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_date_an_hour_and_a_zone() {
        let no_time = Some("which is no RFC 3339 time, such as `2025-12-02T10:30:00Z`");
        let no_zone = Some("which says no zone: a time must end in one, such as `Z` or `+0000`");
        for (text, expected) in [
            ("2026-11-27T22:40:05.123Z", None),
            ("2026-11-27 22:40:05+00", None),
            ("2026-11-27T22:40Z", None),
            ("2026-11-27t17:10:05-0530", None),
            ("2026-11-27T22:40:05", no_zone),
            ("2026-11-27T22:40", no_zone),
            ("2026-11-27", no_time),
            ("20261127T224005", no_time),
            ("1764671400", no_time),
            ("Fri, 27 Nov 2026 22:40:05 GMT", no_time),
            ("", no_time),
            ("2026-11-27Ü22:40:05Z", no_time),
        ] {
            assert_eq!(time_fault(text), expected, "{text}");
        }
    }
}
