//! Values as HCL prints them: the escaper that is bound to `.tf`, and the filter `hcl` for lists and maps.

use std::io;

use tera::{Kwargs, State, TeraResult, Value};

/// Longest list that stays on one line, characters.
const LIST_LINE_MAX: usize = 80;
/// Words that HCL would not read as a plain key.
const KEYWORDS: [&str; 9] = ["else", "endfor", "endif", "false", "for", "if", "in", "null", "true"];

/// Returns text as it stands between the quotes of an HCL string: no quote ends it and nothing in it is evaluated.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Only before a brace do these begin a template; doubled, they stand for themselves.
            '$' | '%' if characters.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() || is_invisible(c) => out.push_str(&unicode_escape(c)),
            c => out.push(c),
        }
    }
    out
}

/// Line separators and marks that turn the direction of text: a reviewer must see them.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Every character escaped this way is below U+10000, which four digits hold.
fn unicode_escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

/// Escapes into a template's output: the form that the template engine takes.
///
/// # Errors
/// Those of the output.
pub fn write_escaped(text: &str, output: &mut dyn io::Write) -> io::Result<()> {
    output.write_all(escape(text).as_bytes())
}

/// The filter `hcl`: prints any value as an HCL expression; `indent` is the indentation of the line it begins in.
///
/// # Errors
/// A value that HCL has no literal for.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the template engine calls")]
pub fn filter(value: &Value, kwargs: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let indent = kwargs.get::<usize>("indent")?.unwrap_or(0);
    Ok(Value::safe_string(&expression(value, indent)?))
}

fn expression(value: &Value, indent: usize) -> TeraResult<String> {
    if let Some(text) = value.as_str() {
        return Ok(format!("\"{}\"", escape(text)));
    }
    if let Some(items) = value.as_array() {
        return list(items, indent);
    }
    if let Some(map) = value.as_map() {
        let entry =
            |(key, value): (&tera::value::Key<'static>, &Value)| Ok((key.to_string(), expression(value, indent + 2)?));
        let mut entries = map.iter().map(entry).collect::<TeraResult<Vec<(String, String)>>>()?;
        entries.sort();
        return Ok(map_text(&entries, indent));
    }
    if value.is_none() {
        return Ok("null".to_owned());
    }
    if value.is_bool() || value.is_number() {
        return Ok(value.to_string());
    }
    Err(tera::Error::message(format!("HCL has no literal for {value:?}")))
}

fn map_text(entries: &[(String, String)], indent: usize) -> String {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let pad = " ".repeat(indent + 2);
    let lines: String = entries.iter().map(|(key, value)| format!("{pad}{} = {value}\n", key_text(key))).collect();
    format!("{{\n{lines}{}}}", " ".repeat(indent))
}

fn key_text(key: &str) -> String {
    let bare = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        && !KEYWORDS.contains(&key);
    if bare { key.to_owned() } else { format!("\"{}\"", escape(key)) }
}

fn list(items: &[Value], indent: usize) -> TeraResult<String> {
    let texts = items.iter().map(|item| expression(item, indent + 2)).collect::<TeraResult<Vec<String>>>()?;
    let line = format!("[{}]", texts.join(", "));
    if line.chars().count() <= LIST_LINE_MAX && !line.contains('\n') {
        return Ok(line);
    }
    let pad = " ".repeat(indent + 2);
    let lines: String = texts.iter().map(|text| format!("{pad}{text},\n")).collect();
    Ok(format!("[\n{lines}{}]", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(escape(text), expected, "{text:?}");
    }

    #[test]
    fn nothing_ends_the_string_and_nothing_is_evaluated() {
        check("plain ü 🎉", "plain ü 🎉");
        check("a\"b\\c", "a\\\"b\\\\c");
        check("1\n2\r3\t4", "1\\n2\\r3\\t4");
        check("${x} %{if} $x %x", "$${x} %%{if} $x %x");
        check("$${", "$$${");
        check("\u{0}\u{7f}\u{2028}\u{202e}", "\\u0000\\u007f\\u2028\\u202e");
    }

    #[test]
    fn keys_are_quoted_where_they_must_be() {
        for (key, expected) in
            [("a-b_1", "a-b_1"), ("a b", "\"a b\""), ("for", "\"for\""), ("1a", "\"1a\""), ("", "\"\"")]
        {
            assert_eq!(key_text(key), expected);
        }
    }
}
