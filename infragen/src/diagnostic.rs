//! What is wrong with a manifest and where: collected, never thrown. Knows how it reads, not where it is printed.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;

/// A text with the name it is shown under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path as the caller gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Returns line and column of a byte offset, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The key it is about, dotted; empty for a syntax error.
    pub key: String,
    /// Thing, value found and rule, in one sentence.
    pub message: String,
    /// The next action, where there is one that the message does not already say.
    pub hint: Option<String>,
    /// Bytes of the source it is about; none where the key is absent and its default is at fault.
    pub span: Option<Range<usize>>,
    /// The environment whose values are at fault; none for the base.
    pub environment: Option<String>,
}

/// A diagnostic with its position, as `validate --format json` prints it.
#[derive(Serialize)]
struct Located<'a> {
    key: &'a str,
    message: String,
    hint: Option<&'a str>,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
}

impl Diagnostic {
    fn sentence(&self) -> String {
        match &self.environment {
            Some(name) => format!("{} (in environment `{name}`)", self.message),
            None => self.message.clone(),
        }
    }
}

/// Whether to use terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub bool);

impl Colour {
    /// Returns `text` in this style, or as it is where colours are off.
    #[must_use]
    pub fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Writes diagnostics for people: message, place, hint.
#[must_use]
pub fn human(source: &Source, diagnostics: &[Diagnostic], colour: Colour) -> String {
    let mut out = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let place = match &diagnostic.span {
            Some(span) => {
                let (line, column) = source.position(span.start);
                format!("{}:{line}:{column}", source.name)
            }
            None => source.name.clone(),
        };
        let (error, arrow) = (colour.paint("1;31", "error:"), colour.paint("1;34", "-->"));
        let _infallible = writeln!(out, "{error} {}\n {arrow} {place}", diagnostic.sentence());
        if let Some(hint) = &diagnostic.hint {
            let _infallible = writeln!(out, " {} {hint}", colour.paint("1;36", "hint:"));
        }
    }
    out
}

/// Writes diagnostics for programs: one JSON object with a list `errors`.
#[must_use]
pub fn json(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let located: Vec<Located<'_>> = diagnostics
        .iter()
        .map(|diagnostic| {
            let position = diagnostic.span.as_ref().map(|span| source.position(span.start));
            Located {
                key: &diagnostic.key,
                message: diagnostic.sentence(),
                hint: diagnostic.hint.as_deref(),
                file: &source.name,
                line: position.map(|(line, _)| line),
                column: position.map(|(_, column)| column),
            }
        })
        .collect();
    let value = serde_json::json!({ "valid": located.is_empty(), "errors": located });
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source { name: "m".into(), text: "a = 1\nß = \"é\"\n".into() };
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(6), (2, 1));
        assert_eq!(source.position(11), (2, 5));
        assert_eq!(source.position(9999), (3, 1));
    }
}
