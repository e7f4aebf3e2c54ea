//! What the parser finds wrong, for people who do not know the grammar.

use std::ops::Range;

use toml::de::DeTable;

use super::super::tree::shorten;
use super::foreign::key_and_colon;
use super::lines::here;
use crate::diagnostic::{Diagnostic, Lines};

/// Finds a list, table or string that is open at the end of the text, and where it begins.
pub(super) fn unclosed(text: &str, errors: &[(Range<usize>, &str)]) -> Option<(usize, Diagnostic)> {
    let is_open = |(_, message): &&(Range<usize>, &str)| {
        ["unclosed array, ", "unclosed inline table", "invalid multi-line"]
            .iter()
            .any(|start| message.starts_with(start))
    };
    let (end, message) = errors.iter().find(is_open)?;
    let (start, what, sign) = if message.starts_with("invalid multi-line") {
        let sign = if message.contains("literal") { "'''" } else { "\"\"\"" };
        (text[..end.start].rfind(sign)?, "string", sign)
    } else {
        let is_inside = |(_, message): &&(Range<usize>, &str)| {
            ["array", "inline table", "key-value pairs"].iter().any(|word| message.contains(word))
        };
        let noticed = errors.iter().filter(is_inside).map(|(range, _)| range.start).min().unwrap_or(end.start);
        let start = text[..noticed].rmatch_indices('=').find_map(|(at, _)| {
            let value = text[at + 1..].trim_start_matches([' ', '\t']);
            value.starts_with(['[', '{']).then_some(text.len() - value.len())
        })?;
        if text[start..].starts_with('[') { (start, "list", "]") } else { (start, "table", "}") }
    };
    let message = if sign.len() == 3 {
        format!("the {what} that begins here has no `{sign}` at its end")
    } else {
        format!("the {what} that begins here, or something in it, has no `{sign}` at its end")
    };
    Some((start, Diagnostic::new("not-toml", "", message).at(here(start..start + sign.len()))))
}

/// Says what is wrong in one line.
pub(super) fn say(message: &str, text: &str, range: Range<usize>, lines: &Lines<'_>) -> Diagnostic {
    let line = lines.range(lines.line(range.start));
    let (said, hint, range) = wording(message, text, range, line);
    let diagnostic = Diagnostic::new("not-toml", "", said).at(here(range));
    if let Some(hint) = hint { diagnostic.hint(hint) } else { diagnostic }
}

type Wording = (String, Option<String>, Range<usize>);

fn wording(message: &str, text: &str, range: Range<usize>, line: Range<usize>) -> Wording {
    let (before, after) =
        (&text[line.start..range.start.max(line.start)], &text[range.start..line.end.max(range.start)]);
    let whole = text[line.clone()].trim();
    let start = line.start + text[line.clone()].find(whole).unwrap_or(0);
    let whole_line = start..start + whole.len();
    let is_key = message.starts_with("key with no value") || message.starts_with("invalid unquoted key");
    let suspect = if is_key { line.start } else { range.start };
    let invisible = text[suspect..line.end.max(suspect)].char_indices().find(|(_, c)| is_invisible(*c));
    if let Some((at, c)) = invisible.filter(|(at, _)| is_key || *at == 0) {
        let said = format!("there is an invisible character, U+{:04X}", u32::from(c));
        return (said, Some("remove it".to_owned()), suspect + at..suspect + at + c.len_utf8());
    }
    if let Some((key, value)) = key_and_colon(whole) {
        let value = value.trim_end_matches([',', ';']);
        let hint = if value.is_empty() {
            format!("write `{key} = …`, or `[{key}]` for a table")
        } else {
            format!("write `{key} = {}`", literal(value))
        };
        let said = format!("`{key}:` is not TOML: between key and value stands `=`");
        return (said, Some(hint), whole_line);
    }
    if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|start| whole.starts_with(start)) {
        let hint = "keep one of the two sides, and remove the marks";
        return ("a merge left a conflict here".to_owned(), Some(hint.to_owned()), whole_line);
    }
    if whole.starts_with("```") {
        return ("the line is no TOML".to_owned(), Some("remove it".to_owned()), whole_line);
    }
    if ["//", "/*", "--", ";"].iter().any(|start| whole.starts_with(start)) {
        return ("the line is no TOML".to_owned(), Some("begin a comment with `#`".to_owned()), whole_line);
    }
    let is_value = ["string values must be quoted", "invalid float", "invalid boolean"]
        .iter()
        .any(|start| message.starts_with(start));
    if is_value && range.is_empty() && before.trim_end().ends_with('=') && after.trim().is_empty() {
        return ("there is no value after `=`".to_owned(), None, range);
    }
    if is_value && !range.is_empty() {
        let word = &text[range.clone()];
        return (format!("`{}` is no value of TOML: text stands in quotes", shorten(word)), Some(mended(word)), range);
    }
    for (start, sign) in [("invalid basic string", '"'), ("invalid literal string", '\'')] {
        if message.starts_with(start)
            && let Some(opening) = before.rfind(sign)
        {
            return (format!("the string has no `{sign}` at its end"), None, line.start + opening..range.end);
        }
    }
    let is_escape = message.starts_with("missing escaped value") || message.contains("unicode");
    if is_escape && before.contains('\\') {
        let hint = "write `\\\\` for the sign itself, or put the text between `'`";
        return ("`\\` begins an escape in a text between `\"`".to_owned(), Some(hint.to_owned()), range);
    }
    if message.starts_with("unquoted keys cannot be empty") {
        return ("a part of the key is missing".to_owned(), None, whole_line);
    }
    if message.starts_with("unclosed table, ") && whole.ends_with(']') {
        let said = format!("`{}` is no header: each part is one word", shorten(whole));
        return (said, Some("put `_` between words, or quotes around a part".to_owned()), whole_line);
    }
    if message.starts_with("unclosed table, ") {
        return ("the header has no `]` at its end".to_owned(), None, range);
    }
    if message.starts_with("unexpected key or value, expected newline") {
        let rest = after.trim();
        let hint = rest.contains('=').then(|| "write each key on a line of its own".to_owned());
        let range = range.start..range.start + after.trim_end().len();
        return (format!("`{}` is too much: a line ends after its value or header", shorten(rest)), hint, range);
    }
    if message.starts_with("key with no value") {
        if let Some((key, _)) = whole.split_once('=') {
            let said = format!("`{}` is no key: one word stands before `=`", shorten(key.trim()));
            return (
                said,
                Some("put `_` between words, or quotes around all".to_owned()),
                start..start + key.trim_end().len(),
            );
        }
        let said = format!("`{}` has no `=`: a line is `key = value`, `[table]` or `# comment`", shorten(whole));
        return (said, None, whole_line);
    }
    (format!("the file is not TOML: {}", shorten(message)), None, range)
}

/// Signs that look like nothing, or like a space.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{2069}' | '\u{3000}')
}

/// Returns what a word was meant to be.
fn mended(word: &str) -> String {
    if let Some(rest) = word.strip_suffix([';', ',']) {
        return format!("write `{}`", literal(rest.trim_end()));
    }
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => "write `true`".to_owned(),
        "false" | "no" | "off" => "write `false`".to_owned(),
        "null" | "nil" | "none" | "undefined" => {
            "leave the key out; `false` takes an optional value of the base away".to_owned()
        }
        _ => format!("write `{}`", literal(word)),
    }
}

/// Returns a text as a value of TOML: as it is where it is one.
fn literal(text: &str) -> String {
    if DeTable::parse(&format!("v = {text}")).is_ok() {
        return shorten(text);
    }
    let bare = text.trim_matches(['"', '\'', '“', '”', '„', '‘', '’', '`']);
    format!("\"{}\"", shorten(bare))
}
