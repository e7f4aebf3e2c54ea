//! Diagnostics for programs: one JSON object with lists `errors` and `warnings`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Diagnostic, Input, Layer, Lines};

/// A diagnostic with its position, as `validate --format json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Located<'a> {
    code: &'a str,
    key: &'a str,
    message: String,
    hint: Option<&'a str>,
    environment: Option<&'a str>,
    layer: Option<&'static str>,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    /// Where the thing was first, where it is there twice.
    first_line: Option<usize>,
    first_column: Option<usize>,
}

/// The name of a layer, for programs.
const fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::Base => "base",
        Layer::Environment => "environment",
        Layer::Set(_) => "set",
    }
}

/// Writes diagnostics for programs. Lines and columns count from 1, columns in characters; the end is exclusive.
#[must_use]
pub fn json(input: &Input, errors: &[Diagnostic], warnings: &[Diagnostic]) -> String {
    let (errors, warnings) = (located(input, errors), located(input, warnings));
    let value = serde_json::json!({ "valid": errors.is_empty(), "errors": errors, "warnings": warnings });
    format!("{value:#}\n")
}

fn located<'a>(input: &'a Input, diagnostics: &'a [Diagnostic]) -> Vec<Located<'a>> {
    let mut lines: BTreeMap<Layer, Lines<'_>> = BTreeMap::new();
    let mut located = Vec::new();
    for diagnostic in diagnostics {
        let layer = diagnostic.span.as_ref().map(|span| span.layer);
        let source = input.source(layer.unwrap_or_default());
        let (start, end) = match &diagnostic.span {
            Some(span) => {
                let lines = lines.entry(span.layer).or_insert_with(|| Lines::new(&source.text));
                (Some(lines.position(span.range.start)), Some(lines.position(span.range.end)))
            }
            None => (None, None),
        };
        let first = diagnostic
            .first
            .as_ref()
            .map(|span| lines.entry(span.layer).or_insert_with(|| Lines::new(&source.text)).position(span.range.start));
        located.push(Located {
            code: diagnostic.code,
            key: &diagnostic.key,
            message: diagnostic.sentence(),
            hint: diagnostic.hint.as_deref(),
            environment: diagnostic.environment.as_deref(),
            layer: layer.map(name),
            file: &source.name,
            line: start.map(|(line, _)| line),
            column: start.map(|(_, column)| column),
            end_line: end.map(|(line, _)| line),
            end_column: end.map(|(_, column)| column),
            first_line: first.map(|(line, _)| line),
            first_column: first.map(|(_, column)| column),
        });
    }
    located
}
