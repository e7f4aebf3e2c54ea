//! Rows as DynamoDB's JSON writes them, `{"state": {"S": "placed"}}`, one a line: items of a file in the place of a table.

use contract::DataSettings;
use serde_json::error::Category;
use stream_core::item::Item;

use super::row;
use super::value::Row;

/// A line of a file of rows that is no item.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct LineError {
    /// From 1.
    pub line: usize,
    /// The thing, the value found and the rule.
    pub what: String,
}

/// Reads the items of a file as a table's rows are read: one that is not ready yet is left out. Empty lines are none.
///
/// # Errors
/// The first line that is no row, that a table would skip, or of which it would leave something out.
pub fn items(data: &DataSettings, text: &str) -> Result<Vec<Item>, LineError> {
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
    let parsed = lines.map(|(line, text)| {
        let wrong = |what: String| LineError { line, what };
        let row = serde_json::from_str::<Row<'_>>(text).map_err(|error| match error.classify() {
            Category::Data => wrong(RULE.to_owned()),
            Category::Io | Category::Syntax | Category::Eof => wrong(error.to_string()),
        })?;
        match row::parse(data, &row).map_err(|error| wrong(error.to_string()))? {
            Some(parsed) if parsed.faults.is_empty() => Ok(Some(parsed.item)),
            Some(parsed) => Err(wrong(parsed.faults[0].to_string())),
            None => Ok(None),
        }
    });
    parsed.filter_map(Result::transpose).collect()
}

/// What a line must be.
const RULE: &str = "it must be a row in DynamoDB's JSON, such as {\"id\": {\"S\": \"a\"}}";

#[cfg(test)]
mod tests {
    use contract::{TableName, Tag};

    use super::*;

    fn read(text: &str) -> Result<Vec<Item>, String> {
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        items(&data, text).map_err(|error| error.to_string())
    }

    const ROW: &str = r#"{"source_id": {"S": "a"}, "timestamp": {"S": "2026-01-01T00:00:00Z"}, "sentiment": {"S": "neutral"}, "score": {"N": "0.5"},
        "matched_tickers": {"L": [{"S": "AAPL"}, {"N": "7"}]}, "more": {"M": {"a": {"BOOL": true}, "b": {"NULL": true}, "c": {"SS": ["x"]}}}}"#;

    #[test]
    fn rows_are_read_as_those_of_a_table() {
        let row = ROW.replace('\n', "");
        let pending = row.replace("\"more\"", "\"status\": {\"S\": \"pending\"}, \"more\"");
        let found = read(&format!("{row}\n\n{pending}\n")).unwrap();
        assert_eq!((found.len(), &*found[0].key.id, found[0].label, found[0].score), (1, "a", 1, Some(0.5)));
        assert_eq!(found[0].tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["AAPL", "7"]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let row = ROW.replace('\n', "");
        let check = |line: String, said: &str| {
            let error = read(&format!("{row}\n{line}\n")).unwrap_err();
            assert!(error.starts_with("line 2: ") && error.contains(said), "{error}");
        };
        check("{".to_owned(), "EOF");
        check("[]".to_owned(), RULE);
        check("{\"a\": \"b\"}".to_owned(), RULE);
        check("{}".to_owned(), "`source_id` is missing");
        check(row.replace("neutral", "fine"), "`sentiment` is `fine`");
        check(row.replace("\"0.5\"", "\"7\""), "`score`");
    }
}
