//! Rows as a person gives them: a table with a line of names, or a JSON object a line.

use std::collections::BTreeMap;

use serde_json::Value;

/// A row before anything is known of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Line of the file that it begins in, from 1.
    pub line: u64,
    /// Values by name. Those of a table are texts; an empty cell is no value.
    pub fields: BTreeMap<String, Value>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line of the file.
    pub line: u64,
    /// The thing, the value and the rule.
    pub what: String,
}

impl Fault {
    pub(super) fn new(line: u64, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

/// What stands between cells: a comma, unless the line of names has none and has what spreadsheets take where a comma is in numbers.
fn separator(text: &str) -> u8 {
    let names = text.lines().next().unwrap_or_default();
    *[b',', b';', b'\t'].iter().find(|separator| names.as_bytes().contains(separator)).unwrap_or(&b',')
}

/// Reads comma-separated values with a line of names (RFC 4180), or what spreadsheets write where commas are in numbers. What spreadsheets are kept from running as a formula by an
/// apostrophe is read without it.
///
/// # Errors
/// Every line that cannot be read.
pub fn csv(text: &str) -> Result<Vec<Given>, Vec<Fault>> {
    // The reader counts a line of CR and LF only as its next one begins, and messages would name the one before.
    let text = text.replace("\r\n", "\n");
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator(&text)).trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let unreadable = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Fault::new(
            line,
            match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("it has {len} cells, and the first line names {expected_len}")
                }
                _ => error.to_string(),
            },
        )
    };
    let names = reader.headers().map_err(|error| vec![unreadable(&error)])?.clone();
    if let Some(twice) =
        names.iter().enumerate().find(|(at, name)| names.iter().skip(at + 1).any(|other| other == *name))
    {
        return Err(vec![Fault::new(1, format!("two columns are called `{}`", twice.1))]);
    }
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty());
                let fields = cells.map(|(name, cell)| (name.to_owned(), Value::from(plain(cell)))).collect();
                rows.push(Given { line: record.position().map_or(0, csv::Position::line), fields });
            }
            Err(error) => faults.push(unreadable(&error)),
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

fn plain(cell: &str) -> &str {
    let is_formula = |rest: &&str| rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    cell.strip_prefix('\'').filter(is_formula).unwrap_or(cell)
}

/// Reads a JSON object from each line that is not empty.
///
/// # Errors
/// Every line that is none.
pub fn json_lines(text: &str) -> Result<Vec<Given>, Vec<Fault>> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(fields)) => {
                let fields = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
                rows.push(Given { line, fields });
            }
            Ok(_) => faults.push(Fault::new(line, "it is no JSON object")),
            Err(error) => faults.push(Fault::new(line, format!("it is no JSON: {error}"))),
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_by_its_names() {
        let rows = csv("item_id, label ,note\r\na,positive,\"x, \"\"y\"\"\"\r\n'=1+1,,\r\n").unwrap();
        assert_eq!((rows[0].line, rows[1].line), (2, 3));
        assert_eq!(
            serde_json::to_value(&rows[0].fields).unwrap(),
            serde_json::json!({"item_id": "a", "label": "positive", "note": "x, \"y\""})
        );
        assert_eq!(serde_json::to_value(&rows[1].fields).unwrap(), serde_json::json!({"item_id": "=1+1"}));
        // As spreadsheets write it where 0,5 is a number, and what they copy.
        for (text, note) in
            [("id;note\na;\"1,5; 2\"\n", "1,5; 2"), ("id\tnote\na\t1,5\n", "1,5"), ("id,note\na,1;5\n", "1;5")]
        {
            let fields = serde_json::to_value(&csv(text).unwrap()[0].fields).unwrap();
            assert_eq!(fields, serde_json::json!({"id": "a", "note": note}), "{text}");
        }
        let faults = csv("a,b\n1,2\n1\n3,4\n1,2,3\n").unwrap_err();
        assert_eq!(
            faults,
            [
                Fault::new(3, "it has 1 cells, and the first line names 2"),
                Fault::new(5, "it has 3 cells, and the first line names 2")
            ]
        );
        assert_eq!(csv("a,a\n").unwrap_err(), [Fault::new(1, "two columns are called `a`")]);
    }

    #[test]
    fn objects_are_read_line_by_line() {
        let rows = json_lines("{\"a\": 1, \"b\": null}\n\n {\"a\": [\"x\"]}\n").unwrap();
        assert_eq!((rows.len(), rows[1].line), (2, 3));
        assert!(!rows[0].fields.contains_key("b"));
        let faults = json_lines("[]\n{}\n{\n").unwrap_err();
        assert_eq!((faults.len(), faults[0].what.as_str(), faults[1].line), (2, "it is no JSON object", 3));
    }
}
