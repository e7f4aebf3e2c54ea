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
    let found = Found::new(message, text, range, line);
    let (said, hint, range) = found
        .line()
        .or_else(|| found.value())
        .or_else(|| found.structure())
        .unwrap_or_else(|| (format!("the file is not TOML: {}", shorten(message)), None, found.range.clone()));
    let diagnostic = Diagnostic::new("not-toml", "", said).at(here(range));
    if let Some(hint) = hint { diagnostic.hint(hint) } else { diagnostic }
}

/// What is said, the next action, and the place.
type Wording = (String, Option<String>, Range<usize>);

/// What the parser found, and where.
struct Found<'t> {
    message: &'t str,
    text: &'t str,
    range: Range<usize>,
    line: Range<usize>,
    /// The line without the blanks around it, and its place.
    whole: &'t str,
    whole_line: Range<usize>,
    before: &'t str,
    after: &'t str,
}

impl<'t> Found<'t> {
    fn new(message: &'t str, text: &'t str, range: Range<usize>, line: Range<usize>) -> Self {
        let whole = text[line.clone()].trim();
        let start = line.start + text[line.clone()].find(whole).unwrap_or(0);
        let (before, after) = (&text[line.start..range.start], &text[range.start..line.end.max(range.start)]);
        Self { message, text, range, line, whole, whole_line: start..start + whole.len(), before, after }
    }

    fn says(&self, starts: &[&str]) -> bool {
        starts.iter().any(|start| self.message.starts_with(start))
    }

    /// Lines that are of another kind than any of TOML's.
    fn line(&self) -> Option<Wording> {
        let Self { whole, whole_line, .. } = self;
        let is = |starts: &[&str]| starts.iter().any(|start| whole.starts_with(start));
        let of_line = |said: &str, hint: &str| Some((said.to_owned(), Some(hint.to_owned()), whole_line.clone()));
        if let Some(invisible) = self.invisible() {
            return Some(invisible);
        }
        if let Some((key, value)) = key_and_colon(whole) {
            let value = value.trim_end_matches([',', ';']);
            let hint = if value.is_empty() {
                format!("write `{key} = …`, or `[{key}]` for a table")
            } else {
                format!("write `{key} = {}`", literal(value))
            };
            return of_line(&format!("`{key}:` is not TOML: between key and value stands `=`"), &hint);
        }
        if is(&["<<<<<<<", "=======", ">>>>>>>"]) {
            return of_line("a merge left a conflict here", "keep one of the two sides, and remove the marks");
        }
        if is(&["```"]) {
            return of_line("the line is no TOML", "remove it");
        }
        if is(&["//", "/*", "--", ";"]) {
            return of_line("the line is no TOML", "begin a comment with `#`");
        }
        None
    }

    fn invisible(&self) -> Option<Wording> {
        let is_key = self.says(&["key with no value", "invalid unquoted key"]);
        let start = if is_key { self.line.start } else { self.range.start };
        let mut signs = self.text[start..self.line.end.max(start)].char_indices();
        let (at, c) = signs.find(|(_, c)| is_invisible(*c)).filter(|(at, _)| is_key || *at == 0)?;
        let said = format!("there is an invisible character, U+{:04X}", u32::from(c));
        Some((said, Some("remove it".to_owned()), start + at..start + at + c.len_utf8()))
    }

    /// What stands behind `=`.
    fn value(&self) -> Option<Wording> {
        let Self { range, before, after, .. } = self;
        let is_value = self.says(&["string values must be quoted", "invalid float", "invalid boolean"]);
        if is_value && range.is_empty() && before.trim_end().ends_with('=') && after.trim().is_empty() {
            return Some(("there is no value after `=`".to_owned(), None, range.clone()));
        }
        if is_value && !range.is_empty() {
            let word = &self.text[range.clone()];
            let said = format!("`{}` is no value of TOML: text stands in quotes", shorten(word));
            return Some((said, Some(mended(word)), range.clone()));
        }
        for (start, sign) in [("invalid basic string", '"'), ("invalid literal string", '\'')] {
            if self.says(&[start])
                && let Some(opening) = before.rfind(sign)
            {
                let place = self.line.start + opening..range.end;
                return Some((format!("the string has no `{sign}` at its end"), None, place));
            }
        }
        let is_escape = self.says(&["missing escaped value"]) || self.message.contains("unicode");
        if is_escape && before.contains('\\') {
            let hint = "write `\\\\` for the sign itself, or put the text between `'`";
            let said = "`\\` begins an escape in a text between `\"`";
            return Some((said.to_owned(), Some(hint.to_owned()), range.clone()));
        }
        None
    }

    /// Headers, keys, and what follows a value.
    fn structure(&self) -> Option<Wording> {
        let Self { range, whole, whole_line, after, .. } = self;
        let hint = |text: &str| Some(text.to_owned());
        if self.says(&["unquoted keys cannot be empty"]) {
            return Some(("a part of the key is missing".to_owned(), None, whole_line.clone()));
        }
        if self.says(&["unclosed table, "]) {
            if !whole.ends_with(']') {
                return Some(("the header has no `]` at its end".to_owned(), None, range.clone()));
            }
            let said = format!("`{}` is no header: each part is one word", shorten(whole));
            return Some((said, hint("put `_` between words, or quotes around a part"), whole_line.clone()));
        }
        if self.says(&["unexpected key or value, expected newline"]) {
            let rest = after.trim();
            let each = if rest.contains('=') { hint("write each key on a line of its own") } else { None };
            let place = range.start..range.start + after.trim_end().len();
            return Some((
                format!("`{}` is too much: a line ends after its value or header", shorten(rest)),
                each,
                place,
            ));
        }
        if !self.says(&["key with no value"]) {
            return None;
        }
        if let Some((key, _)) = whole.split_once('=') {
            let key = key.trim_end();
            let said = format!("`{}` is no key: one word stands before `=`", shorten(key));
            let place = whole_line.start..whole_line.start + key.len();
            return Some((said, hint("put `_` between words, or quotes around all"), place));
        }
        let said = format!("`{}` has no `=`: a line is `key = value`, `[table]` or `# comment`", shorten(whole));
        Some((said, None, whole_line.clone()))
    }
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
