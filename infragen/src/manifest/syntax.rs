//! Text → table, where some of the text is no TOML: everything that can be read is, nothing is guessed.
//!
//! The parser recovers, but what it makes of a broken line is a guess (`a = nope` becomes a number), and one bracket
//! that is not closed makes every following line an error. So each broken statement is reported once, then blanked and
//! the rest is parsed again; spans stay what they are.

use std::ops::Range;

use toml::de::DeTable;

use super::tree::{self, Table};
use crate::diagnostic::{Diagnostic, Layer, Lines, Source, Span};

/// Most bytes of a manifest: fifty times the default one. Longer ones are not even parsed.
pub const MANIFEST_BYTES_MAX: usize = 256 * 1024;
/// Broken statements that are reported in one run: each costs one more pass over the text.
const STATEMENTS_MAX: usize = 20;

/// The codes of what is wrong with the text as such.
pub(crate) const CODES: [&str; 3] = ["not-toml", "repeated-key", "too-long"];

/// What could be read of a manifest.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The statements that are TOML.
    pub(crate) table: Table,
    /// What is wrong with the others. The key of each is the table it is in: values there may be missing.
    pub(crate) errors: Vec<Diagnostic>,
    /// Bytes that were not read. A value that reaches over them is not what was typed.
    pub(crate) unread: Vec<Range<usize>>,
}

/// What a mistake in the text makes unreadable.
struct Broken {
    lines: Range<usize>,
    table: String,
}

/// Reads a manifest's text.
pub(crate) fn parse(source: &Source) -> Parsed {
    if source.text.len() > MANIFEST_BYTES_MAX {
        let message = format!("the file is longer than {} KiB: no manifest is", MANIFEST_BYTES_MAX / 1024);
        return Parsed {
            table: Table::new(),
            errors: vec![Diagnostic::new("too-long", "", message)],
            unread: Vec::new(),
        };
    }
    let lines = Lines::new(&source.text);
    let mut text = source.text.clone();
    let (mut errors, mut unread) = (Vec::new(), Vec::new());
    loop {
        let (table, found) = DeTable::parse_recoverable(&text);
        let (repeated, broken): (Vec<_>, Vec<_>) = found.into_iter().partition(|error| error.message() == REPEATED);
        // In the parser's order: what is out of place comes before values that are wrong because of it.
        let Some(first) = broken.first() else {
            let repeated = repeated.iter().map(|error| repeated_key(error, &lines, &source.text));
            errors.extend(repeated);
            return Parsed { table: tree::convert_table(table.get_ref(), Layer::Base), errors, unread };
        };
        let range = lines.snap(&first.span().unwrap_or(0..0));
        let statement = broken_statement(&lines, &text, range.start, first.message());
        errors.push(
            Diagnostic::new("not-toml", statement.table, say(first.message(), &text, &range))
                .at(Span { layer: Layer::Base, range }),
        );
        let bytes = lines.range(statement.lines.start).start..lines.range(statement.lines.end - 1).end;
        // Never so for a parser that blames a line with something on it; but then this would not end.
        let nothing_left = text[bytes.clone()].trim().is_empty();
        if nothing_left || errors.len() == STATEMENTS_MAX {
            return Parsed { table: Table::new(), errors, unread };
        }
        blank(&mut text, bytes.clone());
        unread.push(bytes);
    }
}

/// What the parser says of a key or table that is there before; the first one counts.
const REPEATED: &str = "duplicate key";

fn repeated_key(error: &toml::de::Error, lines: &Lines<'_>, text: &str) -> Diagnostic {
    let range = lines.snap(&error.span().unwrap_or(0..0));
    let line = lines.line(range.start);
    let what = tree::shorten(&text[range.clone()]);
    let table = if is_header(&text[lines.range(line)]) { String::new() } else { table_of(lines, text, line) };
    Diagnostic::new("repeated-key", table, format!("`{what}` is there twice"))
        .hint("remove one of them")
        .at(Span { layer: Layer::Base, range })
}

/// Overwrites bytes with spaces, keeping the lines.
fn blank(text: &mut String, range: Range<usize>) {
    let blanked: String = text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &blanked);
}

fn broken_statement(lines: &Lines<'_>, text: &str, offset: usize, message: &str) -> Broken {
    let at = |line: usize| &text[lines.range(line)];
    let begins = |line: &usize| is_statement(at(*line));
    // The end of the text is the fault of the last line that says something.
    let mut line = lines.line(offset);
    while line > 0 && at(line).trim().is_empty() {
        line -= 1;
    }
    if message.contains("multi-line") {
        // Where such a string was meant to end, nobody can tell.
        let opening = (0..=line).rev().find(|line| at(*line).contains("\"\"\"") || at(*line).contains("'''"));
        return Broken { lines: opening.unwrap_or(line)..lines.count(), table: String::new() };
    }
    let mut first = line;
    if message.contains("array") || message.contains("inline table") {
        let before = &at(line)[..offset.saturating_sub(lines.range(line).start).min(at(line).len())];
        let opens_here = begins(&line) && before.split_once('=').is_some_and(|(_, value)| value.contains(['[', '{']));
        if !opens_here {
            // A bracket further up was not closed and has swallowed this line.
            first = (0..line).rev().find(begins).unwrap_or(line);
        }
    }
    if is_header(at(first)) {
        // Without its header, whose keys these are is a guess.
        let next = (first + 1..lines.count()).find(|line| is_header(at(*line))).unwrap_or(lines.count());
        return Broken { lines: first..next, table: String::new() };
    }
    let ends = |next: &usize| first == line && !leaves_open(at(line)) || begins(next);
    let next = (first + 1..lines.count()).find(ends).unwrap_or(lines.count());
    Broken { lines: first..next, table: table_of(lines, text, first) }
}

/// Returns whether a value seems to go on in the next line.
fn leaves_open(line: &str) -> bool {
    let count = |signs: [char; 2]| line.matches(signs).count();
    is_statement(line) && count(['[', '{']) > count([']', '}'])
}

/// Says what is wrong, where the parser's words assume that its reader knows the grammar.
fn say(message: &str, text: &str, range: &Range<usize>) -> String {
    let before = text[..range.start].trim_end_matches([' ', '\t']);
    let after = text[range.end..].trim_start_matches([' ', '\t']);
    let is_value = message.starts_with("string values must be quoted") || message.starts_with("invalid float");
    if is_value && range.is_empty() && before.ends_with('=') && (after.is_empty() || after.starts_with(['\n', '\r'])) {
        return "there is no value after `=`".to_owned();
    }
    if is_value && !range.is_empty() {
        let word = tree::shorten(&text[range.clone()]);
        return format!("`{word}` is no value of TOML: text stands in quotes");
    }
    format!("the file is not TOML: {}", tree::shorten(message))
}

/// Returns the table that a line is in, dotted; empty where nobody can tell.
fn table_of(lines: &Lines<'_>, text: &str, line: usize) -> String {
    let header = (0..line).rev().map(|line| &text[lines.range(line)]).find(|text| is_header(text));
    let Some(Ok(table)) = header.map(DeTable::parse) else {
        return String::new();
    };
    let mut path = String::new();
    let mut level = tree::convert_table(table.get_ref(), Layer::Base);
    while let Some((key, node)) = level.into_iter().next() {
        path = super::reader::join(&path, &key);
        level = if let tree::Raw::Table(inner) = node.value { inner } else { Table::new() };
    }
    path
}

fn is_header(line: &str) -> bool {
    let inner = line.trim_start().strip_prefix('[').map(|rest| rest.trim_start_matches('[').trim_start());
    let opens =
        inner.is_some_and(|inner| inner.starts_with(|c: char| c.is_ascii_alphanumeric() || "\"'_-".contains(c)));
    // An element of a list of lists looks the same but for its end.
    opens && !line.trim_end().ends_with(',') && !line.trim_end().ends_with("]]]")
}

/// Returns whether a line looks as if a statement began there: a header, or a bare or quoted key and `=`.
fn is_statement(line: &str) -> bool {
    let Some((key, _)) = line.split_once('=') else {
        return is_header(line);
    };
    let key = key.trim();
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-. \t\"'".contains(c);
    !key.is_empty() && key.chars().all(is_key) && key.matches(['"', '\'']).count() % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_keys: &[&str], expected_errors: &[(usize, &str)]) {
        let source = Source { name: "m".into(), text: text.into() };
        let parsed = parse(&source);
        let lines = Lines::new(text);
        let mut errors: Vec<(usize, &str)> = parsed
            .errors
            .iter()
            .map(|error| (lines.position(error.span.as_ref().unwrap().range.start).0, error.key.as_str()))
            .collect();
        errors.sort_unstable();
        assert_eq!(errors, expected_errors, "{text:?} {:?}", parsed.errors);
        let mut keys = Vec::new();
        walk("", &parsed.table, &mut keys);
        assert_eq!(keys, expected_keys, "{text:?}");
    }

    fn walk(path: &str, table: &Table, keys: &mut Vec<String>) {
        for (key, node) in table {
            let path = super::super::reader::join(path, key);
            match &node.value {
                tree::Raw::Table(inner) => walk(&path, inner, keys),
                _ => keys.push(path),
            }
        }
    }

    #[test]
    fn a_broken_line_hides_no_other_and_is_not_guessed_at() {
        check("[stream]\nmemory = \"256 MiB\ntimeout = \"3m\"\n", &["stream.timeout"], &[(2, "stream")]);
        check("[a]\nx = nope\ny 1\nz =\nw = 1\n", &["a.w"], &[(2, "a"), (3, "a"), (4, "a")]);
        check("[a.b]\nx = 1 2\n[c]\ny = \"\\x\"\nz = 2\n", &["c.z"], &[(2, "a.b"), (4, "c")]);
    }

    #[test]
    fn a_bracket_that_is_not_closed_is_one_mistake() {
        check("[a]\nf = [1,\ng = 2\nh = 3\n[z]\nq = 1", &["a.g", "a.h", "z.q"], &[(3, "a")]);
        check("[a]\nf = [\n  \"x\"\n  \"y\",\n]\ng = 2\n", &["a.g"], &[(4, "a")]);
        check("a = {b = 1,, c = 2\nd = 1\n", &["d"], &[(1, "")]);
        check("[t]\na = 1\nb = {c = 1,, d = 2}\ne = 1\n", &["t.a", "t.e"], &[(3, "t")]);
        check("[t]\na = [nope,\n  1]\nb = 1\n", &["t.b"], &[(2, "t")]);
    }

    #[test]
    fn a_broken_header_takes_its_keys_with_it() {
        check("[a]\nx = 1\n[b\nx = 2\n[c]\nx = 3\n", &["a.x", "c.x"], &[(3, "")]);
        check("[a]\nx = 1\n[b]]\nx = 2\n", &["a.x"], &[(3, "")]);
        check("[a\"]\nx = 1\n", &[], &[(1, "")]);
    }

    #[test]
    fn a_string_over_lines_that_is_not_closed_ends_what_can_be_read() {
        check("[a]\nx = 1\ny = '''\nz = 2\n[b]\nw = 3", &["a.x"], &[(6, "")]);
    }

    #[test]
    fn every_repeated_key_is_reported_and_the_first_counts() {
        check(
            "[a]\nx = 1\nx = 2\ny = 1\ny = 2\n[b]\nz = 1\n[a]\nw = 1\n",
            &["a.w", "a.x", "a.y", "b.z"],
            &[(3, "a"), (5, "a"), (8, "")],
        );
    }

    #[test]
    fn what_is_no_text_of_a_manifest_ends_in_an_error() {
        for text in ["\u{0}", "]", "\"", "[[[[[[", "= = =", "\u{feff}[", "a = [[[[", "'''", "a.b.c"] {
            let source = Source { name: "m".into(), text: text.into() };
            assert!(!parse(&source).errors.is_empty(), "{text:?}");
        }
        for deep in ["[", "{a=", "a.", "[a.", "[[a."].map(|part| format!("x = 1\nk = {0}\n{0}", part.repeat(20_000))) {
            let parsed = parse(&Source { name: "m".into(), text: deep });
            assert!(!parsed.errors.is_empty());
        }
        let parsed = parse(&Source { name: "m".into(), text: "#".repeat(MANIFEST_BYTES_MAX + 1) });
        assert_eq!(parsed.errors[0].code, "too-long");
        assert!(parse(&Source { name: "m".into(), text: "#".repeat(MANIFEST_BYTES_MAX) }).errors.is_empty());
    }
}
