//! Keys and tables that are there twice: what they are called, and where they were first.

use std::ops::Range;

use toml::de::DeTable;

use super::super::tree::{self, Raw, Table};
use super::lines::{here, is_header};
use crate::diagnostic::{Diagnostic, Layer, Lines};

/// What the parser says of a key that is there already.
pub(super) const MESSAGES: [&str; 2] = ["duplicate key", "cannot extend value"];

/// A header, or a key with its value.
pub(super) struct Statement {
    is_header: bool,
    /// The whole path, each part with its place; for a key, those of its header come first.
    path: Vec<(String, Range<usize>)>,
}

impl Statement {
    fn names(&self, path: &[&str]) -> bool {
        self.path.len() >= path.len() && self.path.iter().zip(path).all(|((found, _), wanted)| found == wanted)
    }
}

/// Splits a text into its statements. A line within a string of several lines may look like one; so be it.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let (mut statements, mut header, mut start) = (Vec::new(), Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let is_header = is_header(line);
        if is_header {
            header = keys(line, start).unwrap_or_default();
            statements.push(Statement { is_header, path: header.clone() });
        } else if let Some((key, _)) = line.split_once('=')
            && let Some(own) = keys(key, start)
        {
            statements.push(Statement { is_header, path: header.iter().cloned().chain(own).collect() });
        }
        start += line.len();
    }
    statements
}

/// Returns the parts of a dotted key or header that begins at an offset.
fn keys(statement: &str, start: usize) -> Option<Vec<(String, Range<usize>)>> {
    if statement.contains(['"', '\'']) {
        return quoted_keys(statement, start);
    }
    let inner = statement.split(['#', ']']).next()?;
    let mut at = start + inner.len() - inner.trim_start_matches(['[', ' ', '\t']).len();
    let mut keys = Vec::new();
    for part in inner.trim_start_matches(['[', ' ', '\t']).split('.') {
        let begins = at + part.len() - part.trim_start().len();
        keys.push((part.trim().to_owned(), begins..begins + part.trim().len()));
        at += part.len() + 1;
    }
    Some(keys)
}

fn quoted_keys(statement: &str, start: usize) -> Option<Vec<(String, Range<usize>)>> {
    let text = if is_header(statement) { statement.to_owned() } else { format!("{statement}=0") };
    let mut level = tree::convert_table(DeTable::parse(&text).ok()?.get_ref(), Layer::Base);
    let mut keys = Vec::new();
    while let Some((key, mut node)) = level.pop_first() {
        let range = node.key_span.range.clone();
        keys.push((key, start + range.start..start + range.end));
        if let Raw::List(items) = &mut node.value {
            // `[[name]]` is a list with one table.
            node = items.pop()?;
        }
        level = if let Raw::Table(inner) = node.value { inner } else { Table::new() };
    }
    Some(keys)
}

/// Says what is there twice.
pub(super) fn diagnose(range: &Range<usize>, text: &str, lines: &Lines<'_>, statements: &[Statement]) -> Diagnostic {
    let at = here(range.clone());
    let second = statements.iter().enumerate().find_map(|(index, statement)| {
        let part = statement.path.iter().position(|(_, place)| place == range)?;
        Some((index, statement, part))
    });
    let both = second.and_then(|(index, second, part)| {
        let path: Vec<&str> = second.path[..=part].iter().map(|(name, _)| name.as_str()).collect();
        let first = statements[..index].iter().find(|statement| statement.names(&path))?;
        Some((path.join("."), second, first, first.path[part].1.clone()))
    });
    let Some((path, second, first, place)) = both else {
        // Inside of an inline table.
        let message = format!("`{}` is there twice", tree::shorten(&text[range.clone()]));
        return Diagnostic::new("repeated-key", "", message).hint("remove one of them").at(at);
    };
    let (name, line) = (tree::shorten(&path), lines.position(place.start).0);
    let is_dotted = !first.is_header && first.path.len() > path.split('.').count();
    let last = name.rsplit('.').next().unwrap_or_default();
    let (message, hint) = match (second.is_header, first.is_header) {
        (true, true) => {
            (format!("`[{name}]` is there twice: first in line {line}"), "move its keys below the first one".to_owned())
        }
        (true, false) if is_dotted => (
            format!("`[{name}]` comes too late: the dotted key in line {line} is in that table already"),
            format!("write that key below `[{name}]`, without `{last}.`"),
        ),
        _ => (format!("`{name}` is there twice: first in line {line}"), "remove one of them".to_owned()),
    };
    let diagnostic = Diagnostic { first: Some(here(place)), ..Diagnostic::new("repeated-key", path, message) };
    diagnostic.hint(hint).at(at)
}
