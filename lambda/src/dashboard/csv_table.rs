//! Tables as comma-separated values (RFC 4180), for spreadsheets.

use axum::response::{IntoResponse, Response};
use contract::routes;
use csv::{Terminator, Writer, WriterBuilder};
use http::{HeaderValue, header};

use super::draft::shown;
use crate::error::ApiError;
use crate::request::parameters;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
}

impl Format {
    /// Reads what the query asks for; JSON where it asks for nothing.
    pub(super) fn of(query: Option<&str>) -> Result<Self, ApiError> {
        let [format] = parameters(query, [routes::FORMAT_QUERY])?;
        match format.as_deref() {
            None | Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(other) => {
                let (name, found) = (routes::FORMAT_QUERY, shown(other));
                Err(ApiError::BadParameter(format!("`{name}` is {found}; it must be `json` or `csv`")))
            }
        }
    }
}

/// A table that grows row by row.
pub(super) struct CsvTable(Writer<Vec<u8>>);

impl CsvTable {
    /// Begins with the names of the columns.
    pub(super) fn new<'a>(columns: impl Iterator<Item = &'a str>) -> Self {
        let mut table = Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new()));
        table.row(columns.map(text));
        table
    }

    /// Appends a row.
    pub(super) fn row(&mut self, cells: impl Iterator<Item = String>) {
        // Writing into memory does not fail, and a row of another length is a mistake of ours that a test finds.
        self.0
            .write_record(cells.collect::<Vec<_>>())
            .expect("all rows have the columns of the first, and memory takes them");
    }

    /// The table as an answer that browsers save under this name.
    pub(super) fn answer(self, name: &str) -> Response {
        let bytes = self.0.into_inner().unwrap_or_default();
        let saved =
            HeaderValue::try_from(format!("attachment; filename=\"{name}.csv\"")).expect("names are plain ASCII");
        let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
        ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, saved)], bytes).into_response()
    }
}

/// A text as a cell. Spreadsheets take what begins with one of these for a formula, and run it: an apostrophe makes it a text again
/// (OWASP, "CSV Injection").
pub(super) fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

/// A number as a cell; an empty one where there is none.
pub(super) fn number(number: Option<impl std::fmt::Display>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[[&str; 2]]) -> String {
        let mut table = CsvTable::new(["a", "=b"].into_iter());
        for row in rows {
            table.row(row.iter().map(|cell| text(cell)));
        }
        String::from_utf8(table.0.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_no_text_is_a_formula() {
        assert_eq!(written(&[]), "a,'=b\r\n");
        let rows = [["=1+1", "x,y"], ["say \"no\"", "two\r\nlines"], ["-2", "@a"], ["a=b", ""], ["é", "\tx"]];
        assert_eq!(
            written(&rows),
            "a,'=b\r\n'=1+1,\"x,y\"\r\n\"say \"\"no\"\"\",\"two\r\nlines\"\r\n'-2,'@a\r\na=b,\r\né,'\tx\r\n"
        );
        assert_eq!([number(Some(-0.5)), number(None::<u32>)], ["-0.5", ""]);
    }

    #[test]
    fn two_formats_are_known() {
        assert_eq!(Format::of(Some("format=csv")).unwrap(), Format::Csv);
        assert_eq!(Format::of(Some("format=json&x")).unwrap(), Format::Json);
        assert_eq!(Format::of(None).unwrap(), Format::Json);
        for (bad, said) in
            [("format=xml", "`format` is `xml`; it must be `json` or `csv`"), ("format=", "`format` is ``; it must")]
        {
            assert!(Format::of(Some(bad)).unwrap_err().to_string().starts_with(said), "{bad}");
        }
    }
}
