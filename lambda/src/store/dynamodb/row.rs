//! A DynamoDB row as an item: the one place that knows what a valid row is.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use contract::{AttributeName, DataSettings, NameError, Tag, limits};

use stream_core::item::{Item, ItemKey};
use stream_core::timestamp::{TimestampError, Written};

/// How far beyond its range a number is taken to be rounded, and not wrong.
const ROUNDING: f64 = 1e-3;
/// Characters of a value that a message shows.
const SHOWN_CHARS: usize = 40;

/// A row as the SDK gives it.
pub type Row = HashMap<String, AttributeValue>;

/// What is wrong with a row, or with one of its attributes.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A key attribute or the label is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// An attribute is of another type than the second part says.
    #[error("`{0}` is not {1}")]
    WrongType(String, &'static str),
    /// The second part is no time.
    #[error("`{0}` is `{1}`, which {2}")]
    Time(String, String, TimestampError),
    /// The label is none of the table's.
    #[error("`{0}` is `{1}`, which is no label of this table")]
    Label(String, String),
    /// A text is no number.
    #[error("`{0}` is `{1}`, which is not a number")]
    NotANumber(String, String),
    /// A number is out of the range that begins with the third part and ends at 1.
    #[error("`{0}` is {1}; it must be from {2} to 1")]
    Range(String, String, i8),
    /// A text has more bytes than the second part says.
    #[error("`{0}` is longer than {1} bytes")]
    TooLong(String, usize),
    /// A ticker is none.
    #[error("`{0}`: {1}")]
    Tag(String, NameError),
    /// A member of the tickers has a type that no ticker has.
    #[error("`{0}` has a member that is {1}; a ticker is a string or a number")]
    Member(String, &'static str),
    /// There are more tickers than the second part says.
    #[error("`{0}` has more than {1} entries")]
    TooMany(String, usize),
}

impl RowError {
    /// The attribute that it is about.
    #[must_use]
    pub fn attribute(&self) -> &str {
        match self {
            Self::Missing(name)
            | Self::WrongType(name, _)
            | Self::Time(name, ..)
            | Self::Label(name, _)
            | Self::NotANumber(name, _)
            | Self::Range(name, ..)
            | Self::TooLong(name, _)
            | Self::Tag(name, _)
            | Self::Member(name, _)
            | Self::TooMany(name, _) => name,
        }
    }
}

/// What became of a row.
#[derive(Debug)]
pub struct Parsed {
    /// The item.
    pub item: Item,
    /// Its time, with the form of the text.
    pub written: Written,
    /// What was left out of it: an attribute without which it is an item too, or a ticker. One at most for each attribute.
    pub faults: Vec<RowError>,
}

/// Parses a row; `None` for one that is not ready yet.
///
/// # Errors
/// What is wrong with the row, with the attribute's name. A fault of score, confidence, source or of a ticker is none.
pub fn parse(data: &DataSettings, row: &Row) -> Result<Option<Parsed>, RowError> {
    if !is_ready(data, row)? {
        return Ok(None);
    }
    let id = key(row, &data.key_attribute)?.ok_or_else(|| missing(&data.key_attribute))?;
    let time_text = text(row, &data.time_attribute)?.ok_or_else(|| missing(&data.time_attribute))?;
    let written = Written::parse(time_text)
        .map_err(|error| RowError::Time(data.time_attribute.to_string(), shown(time_text), error))?;
    let label_text = text(row, &data.label_attribute)?.ok_or_else(|| missing(&data.label_attribute))?;
    let label = data
        .labels
        .index_of(label_text)
        .ok_or_else(|| RowError::Label(data.label_attribute.to_string(), shown(label_text)))?;
    let mut faults = Vec::new();
    let tags = tags(row, &data.tags_attribute, &mut faults)?;
    let source = data.source_attribute.as_ref().map_or(Ok(None), |name| text(row, name));
    let item = Item {
        key: ItemKey { id: id.into(), time_text: time_text.into() },
        at: written.at,
        label,
        score: or_fault(number(row, data.score_attribute.as_ref(), -1), &mut faults),
        confidence: or_fault(number(row, data.confidence_attribute.as_ref(), 0), &mut faults),
        source: or_fault(source, &mut faults).map(Into::into),
        tags,
    };
    Ok(Some(Parsed { item, written, faults }))
}

fn missing(name: &AttributeName) -> RowError {
    RowError::Missing(name.to_string())
}

/// The beginning of a value, on one line.
pub(super) fn shown(value: &str) -> String {
    value.escape_debug().take(SHOWN_CHARS).collect()
}

/// The value, or its fault for the list and nothing in its place.
fn or_fault<T>(value: Result<Option<T>, RowError>, faults: &mut Vec<RowError>) -> Option<T> {
    value.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
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

/// A hash key of either type as text. DynamoDB writes equal numbers alike, so that equal keys are equal texts.
fn key<'a>(row: &'a Row, name: &AttributeName) -> Result<Option<&'a str>, RowError> {
    match row.get(name.as_str()) {
        Some(AttributeValue::N(number)) => Ok(Some(number)),
        Some(AttributeValue::S(_) | AttributeValue::Null(_)) | None => text(row, name),
        Some(_) => Err(RowError::WrongType(name.to_string(), "a string or a number")),
    }
}

/// A number, be it one or a text. An empty text is none: so a table's export writes what is not there.
fn number(row: &Row, name: Option<&AttributeName>, min: i8) -> Result<Option<f64>, RowError> {
    let Some(name) = name else { return Ok(None) };
    let text = match row.get(name.as_str()) {
        None | Some(AttributeValue::Null(_)) => return Ok(None),
        Some(AttributeValue::S(text)) if text.trim().is_empty() => return Ok(None),
        Some(AttributeValue::N(text) | AttributeValue::S(text)) => text.trim(),
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
fn tags(row: &Row, name: &AttributeName, faults: &mut Vec<RowError>) -> Result<Box<[Tag]>, RowError> {
    let members: Vec<Result<&str, &'static str>> = match row.get(name.as_str()) {
        None | Some(AttributeValue::Null(_)) => Vec::new(),
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => vec![Ok(text.as_str())],
        Some(AttributeValue::Ss(texts) | AttributeValue::Ns(texts)) => texts.iter().map(|text| Ok(&**text)).collect(),
        Some(AttributeValue::L(values)) => values.iter().map(member).collect(),
        Some(_) => return Err(RowError::WrongType(name.to_string(), "a list, set, string or number")),
    };
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
    if matches!(row.get(name.as_str()), Some(AttributeValue::Ss(_) | AttributeValue::Ns(_))) {
        tags.sort();
    }
    Ok(tags.into())
}

/// A member of a list as text, or what it is. NULL is an empty text.
fn member(value: &AttributeValue) -> Result<&str, &'static str> {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Ok(text),
        AttributeValue::Null(_) => Ok(""),
        AttributeValue::M(_) => Err("a map"),
        AttributeValue::L(_) => Err("a list"),
        AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => Err("a set"),
        AttributeValue::Bool(_) => Err("a truth value"),
        AttributeValue::B(_) => Err("binary"),
        _ => Err("of an unknown type"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use contract::TableName;

    use super::*;

    fn data() -> DataSettings {
        DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap())
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    fn n(text: &str) -> AttributeValue {
        AttributeValue::N(text.into())
    }

    fn row(change: impl FnOnce(&mut Row)) -> Row {
        let mut row: Row = [
            ("source_id", s("news#1")),
            ("timestamp", s("2025-12-02T10:30:00.123456+00:00")),
            ("sentiment", s("positive")),
            ("score", n("0.85")),
            ("confidence", n("0.9")),
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

    /// The item of the row with this value, and its faults in words.
    fn with(name: &str, value: AttributeValue) -> (Item, Vec<String>) {
        let parsed = parse(&data(), &row(|r| set(r, name, value))).unwrap().unwrap();
        (parsed.item, parsed.faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_whole_row_becomes_an_item() {
        let parsed = parse(&data(), &row(|_| ())).unwrap().unwrap();
        let item = parsed.item;
        assert_eq!(item.at.to_string(), "2025-12-02T10:30:00.123Z");
        assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["MSFT", "AAPL"]);
        assert_eq!((item.label, item.score, item.confidence), (0, Some(0.85), Some(0.9)));
        assert!(parsed.faults.is_empty());
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
        .unwrap()
        .item;
        assert_eq!((item.score, item.confidence, item.source.as_deref()), (None, None, None));
        assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["A", "Z"]);
    }

    #[test]
    fn a_pending_row_is_not_there_yet() {
        assert!(parse(&data(), &row(|r| set(r, "status", s("pending")))).unwrap().is_none());
    }

    #[test]
    fn a_time_is_taken_as_programs_write_it_and_stands_in_the_key_as_it_was() {
        let (item, _) = with("timestamp", s("2026-11-27 17:10-0530"));
        assert_eq!(item.at.to_string(), "2026-11-27T22:40:00.000Z");
        assert_eq!(&*item.key.time_text, "2026-11-27 17:10-0530");
    }

    #[test]
    fn a_hash_key_may_be_a_number() {
        let (item, faults) = with("source_id", n("8817265340021"));
        assert_eq!(&*item.key.id, "8817265340021");
        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn numbers_may_be_texts_and_rounding_errors_are_put_right() {
        let score = |value| {
            let (item, faults) = with("score", value);
            assert_eq!(faults, [""; 0]);
            item.score
        };
        for (text, expected) in [
            ("0.5", 0.5),
            ("+0.5", 0.5),
            ("-.25", -0.25),
            ("1e-3", 0.001),
            ("2.5E-1", 0.25),
            ("1.0000000002", 1.0),
            ("1.0009", 1.0),
            ("-1.00001", -1.0),
            ("-0", 0.0),
        ] {
            assert_eq!(score(n(text)), Some(expected), "{text}");
            assert_eq!(score(s(text)), Some(expected), "{text}");
            assert_eq!(score(s(&format!(" {text}\t\n"))), Some(expected), "{text}");
        }
        for absent in [s(""), s("  "), AttributeValue::Null(true)] {
            assert_eq!(score(absent), None);
        }
        let (item, faults) = with("confidence", s("-0.0000001"));
        assert_eq!((item.confidence, faults.len()), (Some(0.0), 0));
    }

    #[test]
    fn a_fault_of_an_optional_attribute_loses_that_attribute_only() {
        let whole = parse(&data(), &row(|_| ())).unwrap().unwrap().item;
        let list = || AttributeValue::L(vec![n("0.5")]);
        for (name, value, expected) in [
            ("score", n("1.01"), "`score` is 1.01; it must be from -1 to 1"),
            ("score", n("-1.0011"), "`score` is -1.0011; it must be from -1 to 1"),
            ("score", s("NaN"), "`score` is NaN; it must be from -1 to 1"),
            ("score", s("-Infinity"), "`score` is -Infinity; it must be from -1 to 1"),
            ("score", s("1e999"), "`score` is 1e999; it must be from -1 to 1"),
            ("score", s("0,5"), "`score` is `0,5`, which is not a number"),
            ("score", s("0.5 %"), "`score` is `0.5 %`, which is not a number"),
            ("score", AttributeValue::Bool(true), "`score` is not a number"),
            ("confidence", n("-0.1"), "`confidence` is -0.1; it must be from 0 to 1"),
            ("confidence", s("high\n"), "`confidence` is `high`, which is not a number"),
            ("confidence", list(), "`confidence` is not a number"),
            ("source", n("7"), "`source` is not a string"),
            ("source", s(&"x".repeat(2049)), "`source` is longer than 2048 bytes"),
        ] {
            let (item, faults) = with(name, value);
            assert_eq!(faults, [expected]);
            let mut without = whole.clone();
            match name {
                "score" => without.score = None,
                "confidence" => without.confidence = None,
                _ => without.source = None,
            }
            assert_eq!(item, without, "{name}");
        }
        let parsed = parse(
            &data(),
            &row(|r| {
                set(r, "score", s("?"));
                set(r, "confidence", s("?"));
                set(r, "matched_tickers", AttributeValue::L(vec![list()]));
            }),
        );
        assert_eq!(parsed.unwrap().unwrap().faults.len(), 3);
    }

    #[test]
    fn tickers_are_what_can_be_one_and_the_rest_is_left_out() {
        use AttributeValue::{B, Bool, L, M, N, Ns, Null, S, Ss};
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let check = |value: AttributeValue, expected: &[&str], fault: &[&str]| {
            let (item, faults) = with("matched_tickers", value);
            assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), expected);
            assert_eq!(faults, fault);
        };
        check(S("BRK.B".into()), &["BRK.B"], &[]);
        check(S(" VOD.L ".into()), &["VOD.L"], &[]);
        check(S(String::new()), &[], &[]);
        check(N("600519".into()), &["600519"], &[]);
        check(Null(true), &[], &[]);
        check(Ss(texts(&["TSLA", " ", "AMD", ""])), &["AMD", "TSLA"], &[]);
        check(Ns(texts(&["700", "600519", "5"])), &["5", "600519", "700"], &[]);
        let mixed = vec![s("0700"), Null(true), n("600519"), s(""), s("600519"), s(" 0700"), s("\t")];
        check(L(mixed), &["0700", "600519"], &[]);
        check(
            L(vec![M(HashMap::from([("S".into(), s("IBM"))])), s("IBM"), Bool(true)]),
            &["IBM"],
            &["`matched_tickers` has a member that is a map; a ticker is a string or a number"],
        );
        for (value, kind) in [(L(vec![]), "a list"), (Ss(texts(&["X"])), "a set"), (B(Blob::new("X")), "binary")] {
            let said = format!("`matched_tickers` has a member that is {kind}; a ticker is a string or a number");
            check(L(vec![value, s("IBM")]), &["IBM"], &[&said]);
        }
        let rule =
            "is not a valid ticker; it must be 1 to 64 bytes without control characters, commas and spaces at its ends";
        check(S("A,B".into()), &[], &[&format!("`matched_tickers`: `A,B` {rule}")]);
        let long = "L".repeat(65);
        let (item, faults) = with("matched_tickers", L(vec![s(&long), s(&"L".repeat(64)), s("a\u{0}")]));
        assert_eq!((item.tags.len(), faults.len()), (1, 1));
    }

    #[test]
    fn a_hundred_tickers_are_one_rows_most() {
        let numbered = |count: u32| AttributeValue::L((0..count).map(|number| n(&number.to_string())).collect());
        let (item, faults) = with("matched_tickers", numbered(100));
        assert_eq!((item.tags.len(), faults.len()), (100, 0));
        let (item, _) = with("matched_tickers", AttributeValue::L(vec![s("A"); 101]));
        assert_eq!(item.tags.len(), 1);
        let error = parse(&data(), &row(|r| set(r, "matched_tickers", numbered(101)))).unwrap_err();
        assert_eq!(error.to_string(), "`matched_tickers` has more than 100 entries");
    }

    #[test]
    fn every_broken_row_is_refused_with_its_attribute() {
        let cases: Vec<(&str, Option<AttributeValue>, &str)> = vec![
            ("source_id", None, "`source_id` is missing"),
            ("source_id", Some(AttributeValue::Bool(true)), "`source_id` is not a string or a number"),
            ("source_id", Some(s(&"x".repeat(2049))), "`source_id` is longer than 2048 bytes"),
            ("timestamp", Some(n("1764671400")), "`timestamp` is not a string"),
            (
                "timestamp",
                Some(s("yesterday\n")),
                "`timestamp` is `yesterday\\n`, which is no RFC 3339 time, such as `2025-12-02T10:30:00Z`",
            ),
            (
                "timestamp",
                Some(s("2025-12-02 10:30:00")),
                "`timestamp` is `2025-12-02 10:30:00`, which says no zone; a time must end in one, such as `Z` or `+0000`",
            ),
            ("sentiment", Some(s("joy\n")), "`sentiment` is `joy\\n`, which is no label of this table"),
            ("status", Some(n("1")), "`status` is not a string"),
            (
                "matched_tickers",
                Some(AttributeValue::Bool(true)),
                "`matched_tickers` is not a list, set, string or number",
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
