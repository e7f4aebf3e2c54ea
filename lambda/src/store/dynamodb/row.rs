//! A DynamoDB row as an item: the one place that knows what a valid row is.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use contract::{AttributeName, DataSettings, NameError, Tag, limits};

use stream_core::item::{Item, ItemKey};
use stream_core::timestamp::{Timestamp, TimestampError};

/// A row as the SDK gives it.
pub type Row = HashMap<String, AttributeValue>;

/// Why a row is skipped.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A key attribute or the label is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// An attribute is of another type than the second part says.
    #[error("`{0}` is not {1}")]
    WrongType(String, &'static str),
    /// The time is none.
    #[error("`{0}` {1}")]
    Time(String, TimestampError),
    /// The label is none of the table's; at most 40 characters of it.
    #[error("`{0}` is `{1}`, which is no label of this table")]
    Label(String, String),
    /// A number is out of the range that begins with the third part and ends at 1.
    #[error("`{0}` is {1}; it must be from {2} to 1")]
    Range(String, f64, i8),
    /// A text has more bytes than the second part says.
    #[error("`{0}` is longer than {1} bytes")]
    TooLong(String, usize),
    /// A ticker is none.
    #[error("`{0}`: {1}")]
    Tag(String, NameError),
    /// There are more tickers than the second part says.
    #[error("`{0}` has more than {1} entries")]
    TooMany(String, usize),
}

/// Parses a row; `None` for one that is not ready yet.
///
/// # Errors
/// What is wrong with the row, with the attribute's name.
pub fn parse(data: &DataSettings, row: &Row) -> Result<Option<Item>, RowError> {
    if !is_ready(data, row)? {
        return Ok(None);
    }
    let id = text(row, &data.key_attribute)?.ok_or_else(|| missing(&data.key_attribute))?;
    let time_text = text(row, &data.time_attribute)?.ok_or_else(|| missing(&data.time_attribute))?;
    let at = Timestamp::parse(time_text).map_err(|error| RowError::Time(data.time_attribute.to_string(), error))?;
    let label_text = text(row, &data.label_attribute)?.ok_or_else(|| missing(&data.label_attribute))?;
    let label = data.labels.index_of(label_text).ok_or_else(|| {
        RowError::Label(data.label_attribute.to_string(), label_text.escape_debug().take(40).collect())
    })?;
    let source = data.source_attribute.as_ref().map_or(Ok(None), |name| text(row, name))?;
    Ok(Some(Item {
        key: ItemKey { id: id.into(), time_text: time_text.into() },
        at,
        label,
        score: number(row, data.score_attribute.as_ref(), -1)?,
        confidence: number(row, data.confidence_attribute.as_ref(), 0)?,
        source: source.map(Into::into),
        tags: tags(row, &data.tags_attribute)?,
    }))
}

fn missing(name: &AttributeName) -> RowError {
    RowError::Missing(name.to_string())
}

/// A row without the status attribute is ready: not every table has a life before analysis.
fn is_ready(data: &DataSettings, row: &Row) -> Result<bool, RowError> {
    let Some(name) = &data.status_attribute else { return Ok(true) };
    Ok(text(row, name)?.is_none_or(|status| status == data.status_ready.as_str()))
}

fn text<'a>(row: &'a Row, name: &AttributeName) -> Result<Option<&'a str>, RowError> {
    match row.get(name.as_str()) {
        None | Some(AttributeValue::Null(_)) => Ok(None),
        Some(AttributeValue::S(text)) if text.len() > limits::ITEM_TEXT_BYTES_MAX => {
            Err(RowError::TooLong(name.to_string(), limits::ITEM_TEXT_BYTES_MAX))
        }
        Some(AttributeValue::S(text)) => Ok(Some(text)),
        Some(_) => Err(RowError::WrongType(name.to_string(), "a string")),
    }
}

fn number(row: &Row, name: Option<&AttributeName>, min: i8) -> Result<Option<f64>, RowError> {
    let Some(name) = name else { return Ok(None) };
    match row.get(name.as_str()) {
        None | Some(AttributeValue::Null(_)) => Ok(None),
        Some(AttributeValue::N(text)) => match text.parse::<f64>() {
            Ok(value) if f64::from(min) <= value && value <= 1.0 => Ok(Some(value)),
            Ok(value) => Err(RowError::Range(name.to_string(), value, min)),
            Err(_) => Err(RowError::WrongType(name.to_string(), "a number")),
        },
        Some(_) => Err(RowError::WrongType(name.to_string(), "a number")),
    }
}

fn tags(row: &Row, name: &AttributeName) -> Result<Box<[Tag]>, RowError> {
    let wrong_type = || RowError::WrongType(name.to_string(), "a list or set of strings");
    let texts: Vec<&String> = match row.get(name.as_str()) {
        None | Some(AttributeValue::Null(_)) => Vec::new(),
        Some(AttributeValue::S(text)) => vec![text],
        Some(AttributeValue::Ss(texts)) => texts.iter().collect(),
        Some(AttributeValue::L(values)) => {
            values.iter().map(AttributeValue::as_s).collect::<Result<_, _>>().map_err(|_| wrong_type())?
        }
        Some(_) => return Err(wrong_type()),
    };
    if texts.len() > limits::ITEM_TAGS_MAX {
        return Err(RowError::TooMany(name.to_string(), limits::ITEM_TAGS_MAX));
    }
    let mut seen = BTreeSet::new();
    let mut tags = Vec::with_capacity(texts.len());
    for text in texts {
        let tag = Tag::new(text).map_err(|error| RowError::Tag(name.to_string(), error))?;
        if seen.insert(tag.clone()) {
            tags.push(tag);
        }
    }
    // A set has no order: sorted, equal rows are equal items.
    if matches!(row.get(name.as_str()), Some(AttributeValue::Ss(_))) {
        tags.sort();
    }
    Ok(tags.into())
}

#[cfg(test)]
mod tests {
    use contract::TableName;

    use super::*;

    fn data() -> DataSettings {
        DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap())
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    fn row(change: impl FnOnce(&mut Row)) -> Row {
        let mut row: Row = [
            ("source_id", s("news#1")),
            ("timestamp", s("2025-12-02T10:30:00.123456+00:00")),
            ("sentiment", s("positive")),
            ("score", AttributeValue::N("0.85".into())),
            ("confidence", AttributeValue::N("0.9".into())),
            ("matched_tickers", AttributeValue::L(vec![s("MSFT"), s("AAPL"), s("MSFT")])),
            ("source", s("reuters")),
            ("status", s("analyzed")),
            ("headline", s("more attributes are allowed")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        change(&mut row);
        row
    }

    fn set(row: &mut Row, name: &str, value: AttributeValue) {
        row.insert(name.into(), value);
    }

    #[test]
    fn a_whole_row_becomes_an_item() {
        let item = parse(&data(), &row(|_| ())).unwrap().unwrap();
        assert_eq!(item.at.to_string(), "2025-12-02T10:30:00.123Z");
        assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["MSFT", "AAPL"]);
        assert_eq!((item.label, item.score, item.confidence), (0, Some(0.85), Some(0.9)));
    }

    #[test]
    fn absent_optional_attributes_are_fine_and_sets_are_sorted() {
        let item = parse(
            &data(),
            &row(|r| {
                for name in ["score", "confidence", "source", "status"] {
                    r.remove(name);
                }
                set(r, "matched_tickers", AttributeValue::Ss(vec!["Z".into(), "A".into()]));
            }),
        )
        .unwrap()
        .unwrap();
        assert_eq!((item.score, item.confidence, item.source.as_deref()), (None, None, None));
        assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["A", "Z"]);
    }

    #[test]
    fn a_pending_row_is_not_there_yet() {
        assert_eq!(parse(&data(), &row(|r| set(r, "status", s("pending")))).unwrap(), None);
    }

    #[test]
    fn every_broken_row_is_refused_with_its_attribute() {
        let n = |text: &str| AttributeValue::N(text.into());
        let cases: Vec<(&str, Option<AttributeValue>, &str)> = vec![
            ("source_id", None, "`source_id` is missing"),
            ("source_id", Some(n("1")), "`source_id` is not a string"),
            ("source_id", Some(s(&"x".repeat(2049))), "`source_id` is longer than 2048 bytes"),
            ("timestamp", Some(s("yesterday")), "`timestamp` is not RFC 3339 in UTC, such as `2025-12-02T10:30:00Z`"),
            ("sentiment", Some(s("joy\n")), "`sentiment` is `joy\\n`, which is no label of this table"),
            ("score", Some(n("1.01")), "`score` is 1.01; it must be from -1 to 1"),
            ("score", Some(n("NaN")), "`score` is NaN; it must be from -1 to 1"),
            ("score", Some(s("0.5")), "`score` is not a number"),
            ("confidence", Some(n("-0.1")), "`confidence` is -0.1; it must be from 0 to 1"),
            ("matched_tickers", Some(AttributeValue::Bool(true)), "`matched_tickers` is not a list or set of strings"),
            (
                "matched_tickers",
                Some(AttributeValue::L(vec![n("1")])),
                "`matched_tickers` is not a list or set of strings",
            ),
            (
                "matched_tickers",
                Some(AttributeValue::L(vec![s("A"); 101])),
                "`matched_tickers` has more than 100 entries",
            ),
            (
                "matched_tickers",
                Some(s("A,B")),
                "`matched_tickers`: `A,B` is not a valid ticker; it must be 1 to 64 bytes without control characters, commas and spaces at its ends",
            ),
        ];
        for (name, value, expected) in cases {
            let broken = row(|r| match value {
                Some(value) => set(r, name, value),
                None => {
                    r.remove(name);
                }
            });
            assert_eq!(parse(&data(), &broken).unwrap_err().to_string(), expected);
        }
    }
}
