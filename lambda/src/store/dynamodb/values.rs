//! What the attributes of a row say: the one place that knows which types and forms are taken.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use contract::{AttributeName, AttributePath, DataSettings, KeyType, LabelType, Tag, limits};
use stream_core::times::{Times, Written};
use stream_core::timestamp::Timestamp;

use super::row_error::RowError;
use super::value::{Row, Value};

/// How far beyond its range a number is taken to be rounded, and not wrong.
const ROUNDING: f64 = 1e-3;
/// Characters of a value that a message shows.
const SHOWN_CHARS: usize = 40;

pub(super) fn missing(name: &AttributeName) -> RowError {
    RowError::Missing(name.to_string())
}

/// The beginning of a value, on one line.
pub(super) fn shown(value: &str) -> String {
    value.escape_debug().take(SHOWN_CHARS).collect()
}

pub(super) fn named<'a>(row: &'a Row<'a>, name: &AttributeName) -> Option<&'a Value<'a>> {
    row.get(name.as_str())
}

/// The value that the path leads to through maps.
pub(super) fn at_path<'a>(row: &'a Row<'a>, path: &AttributePath) -> Option<&'a Value<'a>> {
    if path.is_name() {
        return row.get(path.as_str());
    }
    let mut steps = path.steps();
    let first = row.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| value.as_map()?.get(&step))
}

/// The values that the path leads to through maps, and through the maps of lists: a row has one tag in each of several. Says of each
/// whether it is of a list.
fn all_at_path<'a>(row: &'a Row<'a>, path: &AttributePath) -> Vec<(&'a Value<'a>, bool)> {
    let alone = |value| (value, false);
    if path.is_name() {
        return row.get(path.as_str()).map(alone).into_iter().collect();
    }
    let mut steps = path.steps();
    let mut values: Vec<_> = steps.next().and_then(|first| row.get(&first)).map(alone).into_iter().collect();
    for step in steps {
        let in_maps = |(value, is_member): (&'a Value<'a>, bool)| match value {
            Value::L(members) => members.iter().map(|member| (member, true)).collect(),
            other => vec![(other, is_member)],
        };
        let inner = |(value, is_member): (&'a Value<'a>, bool)| Some((value.as_map()?.get(&step)?, is_member));
        values = values.into_iter().flat_map(in_maps).filter_map(inner).collect();
    }
    values
}

pub(super) fn text<'a>(value: Option<&'a Value<'a>>, name: &str) -> Result<Option<&'a str>, RowError> {
    match value {
        None | Some(Value::Null(_)) => Ok(None),
        Some(Value::S(text)) if text.len() > limits::ITEM_TEXT_BYTES_MAX => {
            Err(RowError::TooLong(name.to_string(), limits::ITEM_TEXT_BYTES_MAX))
        }
        Some(Value::S(text)) => Ok(Some(&**text)),
        Some(_) => Err(RowError::WrongType(name.to_string(), "a string")),
    }
}

/// A hash key of either type as text. DynamoDB writes equal numbers alike, so that equal keys are equal texts.
pub(super) fn key<'a>(row: &'a Row<'a>, name: &AttributeName) -> Result<Option<&'a str>, RowError> {
    match row.get(name.as_str()) {
        Some(Value::N(number)) => Ok(Some(&**number)),
        value @ (Some(Value::S(_) | Value::Null(_)) | None) => text(value, name.as_str()),
        Some(_) => Err(RowError::WrongType(name.to_string(), "a string or a number")),
    }
}

/// A text, or a number as one.
pub(super) fn text_or_number<'a>(row: &'a Row<'a>, path: &AttributePath) -> Result<Option<&'a str>, RowError> {
    match at_path(row, path) {
        Some(Value::N(number)) => Ok(Some(&**number)),
        value @ (Some(Value::S(_) | Value::Null(_)) | None) => text(value, path.as_str()),
        Some(_) => Err(RowError::WrongType(path.to_string(), "a string or a number")),
    }
}

/// The status as a text, whatever its length: numbers and truth values too, `2` and `true`.
pub(super) fn status<'a>(row: &'a Row<'a>, path: &AttributePath) -> Result<Option<&'a str>, RowError> {
    match at_path(row, path) {
        None | Some(Value::Null(_)) => Ok(None),
        Some(Value::S(text) | Value::N(text)) => Ok(Some(&**text)),
        Some(Value::Bool(is_true)) => Ok(Some(if *is_true { "true" } else { "false" })),
        Some(_) => Err(RowError::WrongType(path.to_string(), "a string, a number or a truth value")),
    }
}

fn number_text<'a>(value: Option<&'a Value<'a>>, name: &AttributeName) -> Result<Option<&'a str>, RowError> {
    match value {
        None | Some(Value::Null(_)) => Ok(None),
        Some(Value::N(text)) => Ok(Some(&**text)),
        Some(_) => Err(RowError::WrongType(name.to_string(), "a number")),
    }
}

/// What a row says for a label, be it one of the table's or not.
pub(super) fn label<'a>(data: &DataSettings, row: &'a Row<'a>) -> Result<Option<&'a str>, RowError> {
    let (value, name) = (named(row, &data.label_attribute), &data.label_attribute);
    match data.label_type {
        LabelType::Text => text(value, name.as_str()),
        LabelType::Number => number_text(value, name),
    }
}

/// A label as rows say it.
pub(super) fn label_value(data: &DataSettings, label: &str) -> AttributeValue {
    match data.label_type {
        LabelType::Text => AttributeValue::S(label.to_owned()),
        LabelType::Number => AttributeValue::N(label.to_owned()),
    }
}

/// The time as it stands in the table, as a moment, and with its form where it is a text.
pub(super) fn time<'a>(
    data: &DataSettings,
    row: &'a Row<'a>,
) -> Result<(&'a str, Timestamp, Option<Written>), RowError> {
    let (name, times) = (&data.time_attribute, Times::of(data));
    let fault = |text: &str, error| RowError::Time(name.to_string(), shown(text), error);
    if times.are_counted() {
        let text = match times.key_type() {
            KeyType::Number => number_text(named(row, name), name),
            KeyType::Text => text(named(row, name), name.as_str()),
        };
        let text = text?.ok_or_else(|| missing(name))?;
        let at = times.parse_number(text).map_err(|error| fault(text, error))?;
        return Ok((text, at, None));
    }
    let text = text(named(row, name), name.as_str())?.ok_or_else(|| missing(name))?;
    let written = times.parse(text).map_err(|error| fault(text, error))?;
    Ok((text, written.at, Some(written)))
}

/// A number, be it one or a text. An empty text is none: so a table's export writes what is not there.
pub(super) fn number(row: &Row<'_>, path: Option<&AttributePath>, min: i8) -> Result<Option<f64>, RowError> {
    let Some(name) = path else { return Ok(None) };
    let text = match at_path(row, name) {
        None | Some(Value::Null(_)) => return Ok(None),
        Some(Value::S(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::N(text) | Value::S(text)) => text.trim(),
        Some(_) => return Err(RowError::WrongType(name.to_string(), "a number")),
    };
    let value: f64 = text.parse().map_err(|_| RowError::NotANumber(name.to_string(), shown(text)))?;
    let (low, high) = (f64::from(min), 1.0);
    // False for what is no number, too.
    if low - ROUNDING <= value && value <= high + ROUNDING {
        Ok(Some(value.clamp(low, high)))
    } else {
        Err(RowError::Range(name.to_string(), shown(text), min))
    }
}

/// The tickers, each once. What can be none is left out, and the first such member is a fault.
pub(super) fn tags(row: &Row<'_>, name: &AttributePath, faults: &mut Vec<RowError>) -> Result<Box<[Tag]>, RowError> {
    let values = all_at_path(row, name);
    let mut members: Vec<Result<&str, &'static str>> = Vec::new();
    for (value, is_member) in &values {
        match value {
            Value::Null(_) => {}
            Value::S(text) | Value::N(text) => members.push(Ok(&**text)),
            Value::Ss(texts) | Value::Ns(texts) => {
                members.extend(texts.iter().map(|text| Ok(&**text)));
            }
            Value::L(values) => members.extend(values.iter().map(member)),
            // As in a plain list: one of several takes no row with it.
            _ if *is_member => members.push(member(value)),
            _ => return Err(RowError::WrongType(name.to_string(), "a list, set, string or number")),
        }
    }
    let (mut seen, mut tags, mut fault) = (BTreeSet::new(), Vec::new(), None);
    for member in members {
        let text = match member {
            Ok(text) => text.trim(),
            Err(kind) => {
                fault.get_or_insert_with(|| RowError::Member(name.to_string(), kind));
                continue;
            }
        };
        if text.is_empty() || seen.contains(text) {
            continue;
        }
        if is_list_text(text) {
            fault.get_or_insert_with(|| RowError::ListText(name.to_string(), shown(text)));
            continue;
        }
        match Tag::new(text) {
            Ok(tag) => {
                if tags.len() == limits::ITEM_TAGS_MAX {
                    return Err(RowError::TooMany(name.to_string(), limits::ITEM_TAGS_MAX));
                }
                seen.insert(text);
                tags.push(tag);
            }
            Err(error) => {
                fault.get_or_insert_with(|| RowError::Tag(name.to_string(), error));
            }
        }
    }
    faults.extend(fault);
    // A set has no order: sorted, equal rows are equal items.
    if matches!(values[..], [(Value::Ss(_) | Value::Ns(_), _)]) {
        tags.sort();
    }
    Ok(tags.into())
}

/// Whether a text is what exports and imports of tables make of a list: JSON, DynamoDB's or not, or what Python's `str` makes of it.
/// One of several tickers has commas and is no ticker for that; one of one ticker would come as `["AAPL"]`, to everybody's surprise.
fn is_list_text(text: &str) -> bool {
    ["[\"", "['", "[{", "[]", "{\""].iter().any(|start| text.starts_with(start))
}

/// A member of a list as text, or what it is. NULL is an empty text.
fn member<'a>(value: &'a Value<'a>) -> Result<&'a str, &'static str> {
    match value {
        Value::S(text) | Value::N(text) => Ok(text),
        Value::Null(_) => Ok(""),
        Value::M(_) => Err("a map"),
        Value::L(_) => Err("a list"),
        Value::Ss(_) | Value::Ns(_) | Value::Bs => Err("a set"),
        Value::Bool(_) => Err("a truth value"),
        Value::B(_) => Err("binary"),
        Value::Unknown => Err("of an unknown type"),
    }
}
