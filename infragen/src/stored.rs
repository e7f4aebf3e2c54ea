//! Rows as the AWS command line prints them, each value with its type.

use contract::{AttributePath, Label};
use serde_json::Value;

/// Counts values by name, the most frequent first.
#[must_use]
pub fn count(values: impl Iterator<Item = String>) -> Vec<(String, usize)> {
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

/// Type and value of an attribute; nothing for NULL.
#[must_use]
pub fn typed(attribute: &Value) -> Option<(&str, &Value)> {
    let (kind, value) = attribute.as_object()?.iter().next()?;
    (kind != "NULL").then_some((kind.as_str(), value))
}

/// Type and value of the attribute of this name.
#[must_use]
pub fn of_name<'a>(row: &'a Value, name: &str) -> Option<(&'a str, &'a Value)> {
    typed(row.get(name)?)
}

/// Text of an attribute of this type.
#[must_use]
pub fn text<'a>(row: &'a Value, name: &str, of_kind: &str) -> Option<&'a str> {
    of_name(row, name).filter(|(kind, _)| *kind == of_kind).and_then(|(_, value)| value.as_str())
}

/// Types and values that a path leads to, through maps and the maps of lists.
#[must_use]
pub fn at_path<'a>(row: &'a Value, path: &AttributePath) -> Vec<(&'a str, &'a Value)> {
    let mut steps = path.steps();
    let mut found: Vec<&Value> = steps.next().and_then(|first| row.get(first)).into_iter().collect();
    for step in steps {
        let members = |value: &'a Value| match value.get("L").and_then(Value::as_array) {
            Some(members) => members.iter().collect(),
            None => vec![value],
        };
        found = found.into_iter().flat_map(members).filter_map(|value| value.get("M")?.get(&step)).collect();
    }
    found.into_iter().filter_map(typed).collect()
}

/// Adds labels that rows have; one whose name in `metrics` is none, or is taken, is given one.
#[must_use]
pub fn with_labels<'a>(mut labels: Vec<Label>, texts: impl Iterator<Item = &'a str>) -> Vec<Label> {
    for text in texts {
        let is_free = |label: &Label| !labels.iter().any(|other| other.key() == label.key());
        let own = Label::new(text).ok().filter(is_free);
        let given = || Label::with_key(text, &format!("label_{}", labels.len() + 1)).ok();
        labels.extend(own.or_else(given));
    }
    labels
}
