//! Puts the `=` of neighbouring lines below each other, the way `terraform fmt` does.
//!
//! Templates leave lines out, so that the longest key of a group is only known afterwards. Works on lines, because the
//! generator's own output has neither heredocs nor strings over several lines.

use unicode_segmentation::UnicodeSegmentation as _;

/// Returns the text with neighbouring assignments aligned.
#[must_use]
pub fn align(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut start = 0;
    while start < lines.len() {
        let Some(_) = split(lines[start]) else {
            out.push_str(lines[start].trim_end());
            out.push('\n');
            start += 1;
            continue;
        };
        let group: Vec<(&str, &str)> = lines[start..].iter().map_while(|line| split(line)).collect();
        let width = group.iter().map(|(key, _)| columns(key)).max().unwrap_or(0);
        for (key, value) in &group {
            let padding = " ".repeat(width - columns(key));
            out.push_str(&format!("{key}{padding} = {value}\n"));
        }
        start += group.len();
    }
    out
}

/// Splits `key = value`, the key with its indentation, where the value ends on the same line.
fn split(line: &str) -> Option<(&str, &str)> {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    let key_length = if rest.starts_with('"') { string_length(rest)? } else { rest.find([' ', '='])? };
    let key = &rest[..key_length];
    let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if key.is_empty() || !(bare || key.starts_with('"')) {
        return None;
    }
    let value = rest[key_length..].trim_start().strip_prefix('=')?;
    if value.starts_with(['=', '>']) || net_brackets(value) != 0 {
        return None;
    }
    Some((&line[..indent + key_length], value.trim()))
}

/// Counts what a reader sees as characters, as `terraform fmt` does.
fn columns(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Counts opening less closing brackets outside strings.
fn net_brackets(text: &str) -> i32 {
    let (mut net, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => {
                at += string_length(&text[at..]).unwrap_or(1);
                continue;
            }
            '{' | '[' | '(' => net += 1,
            '}' | ']' | ')' => net -= 1,
            '#' => return net,
            _ => {}
        }
        at += c.len_utf8();
    }
    net
}

/// Returns the bytes of the string literal at the start, quotes and interpolations included.
fn string_length(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (1, 0_usize);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            at += 3;
        } else if depth == 0 && c == '\\' {
            at += 1 + rest[1..].chars().next()?.len_utf8();
        } else if rest.starts_with("${") || rest.starts_with("%{") {
            depth += 1;
            at += 2;
        } else if depth > 0 {
            match c {
                '"' => at += string_length(rest)?,
                '{' => (at, depth) = (at + 1, depth + 1),
                '}' => (at, depth) = (at + 1, depth - 1),
                _ => at += c.len_utf8(),
            }
        } else if c == '"' {
            return Some(at + 1);
        } else {
            at += c.len_utf8();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(align(text), expected);
        assert_eq!(align(expected), expected, "aligning twice changes nothing");
    }

    #[test]
    fn neighbours_are_aligned_and_gaps_end_a_group() {
        check("a = 1\nlonger = 2\n\nb = 3\n# note\nccc = 4\n", "a      = 1\nlonger = 2\n\nb = 3\n# note\nccc = 4\n");
    }

    #[test]
    fn a_value_over_several_lines_ends_a_group() {
        check(
            "name = 1\nlist = [\n  2,\n]\nc = {\n  x = 1\n  yy = 2\n}\n",
            "name = 1\nlist = [\n  2,\n]\nc = {\n  x  = 1\n  yy = 2\n}\n",
        );
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        check(
            "a = \"{\"\nbbb = \"${x[\"}\"]}\"\n\"k = {\" = \"$${\"\nd = \"\\\"(\"\n",
            "a       = \"{\"\nbbb     = \"${x[\"}\"]}\"\n\"k = {\" = \"$${\"\nd       = \"\\\"(\"\n",
        );
    }

    #[test]
    fn comparisons_and_blocks_are_left_alone() {
        check("resource \"a\" \"b\" {\n  x == y\n}\n", "resource \"a\" \"b\" {\n  x == y\n}\n");
    }
}
