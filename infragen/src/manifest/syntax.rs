//! Text → table. Everything that is wrong with the text as such is said at once; of a text that is not TOML nothing is read,
//! because what the parser makes of a broken line is a guess.

mod foreign;
mod lines;
mod repeated;
mod words;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::tree::{self, Table};
use crate::diagnostic::{Diagnostic, Layer, Lines, Source};

/// Most bytes of a manifest: fifty times the default one. Longer ones are not even parsed.
pub const MANIFEST_BYTES_MAX: usize = 256 * 1024;

/// How often the rest of a text is read again: each time costs one more pass over it.
const ROUNDS_MAX: usize = 8;

/// Reads a manifest's text.
///
/// # Errors
/// Everything that keeps it from being TOML, one mistake for each line.
pub(crate) fn parse(source: &Source) -> Result<Table, Vec<Diagnostic>> {
    let text = source.text.as_str();
    if text.len() > MANIFEST_BYTES_MAX {
        let message = format!("the file is longer than {} KiB: no manifest is", MANIFEST_BYTES_MAX / 1024);
        return Err(vec![Diagnostic::new("too-long", "", message)]);
    }
    let (table, found) = DeTable::parse_recoverable(text);
    if found.is_empty() {
        return Ok(tree::convert_table(table.get_ref(), Layer::Base));
    }
    if let Some(other) = foreign::format(text) {
        return Err(vec![other]);
    }
    Err(errors(text))
}

/// Finds every mistake, one for each line.
///
/// Behind some mistakes the parser does not see others. So the lines that are reported are blanked, and the rest is parsed again.
fn errors(text: &str) -> Vec<Diagnostic> {
    let (lines, statements) = (Lines::new(text), OnceCell::new());
    let (mut rest, mut errors) = (text.to_owned(), BTreeMap::new());
    for round in 0..ROUNDS_MAX {
        let (_, found) = DeTable::parse_recoverable(&rest);
        let mut places: Vec<(Range<usize>, &str)> =
            found.iter().map(|error| (lines.snap(&error.span().unwrap_or(0..0)), error.message())).collect();
        let (mut unread, known) = (Vec::new(), errors.len());
        if let Some((start, open)) = words::unclosed(text, &places) {
            // It has swallowed what follows, and the parser finds fault with all of that.
            places.retain(|(range, _)| range.end <= start);
            errors.entry(lines.line(start)).or_insert(open);
            unread.push(start..text.len());
        }
        for (range, message) in places {
            let is_repeated = repeated::MESSAGES.iter().any(|start| message.starts_with(start));
            // Without a header that is wrong, keys of two tables look as if they were of one.
            if round > 0 && is_repeated {
                continue;
            }
            let line = lines.line(range.start);
            // In the parser's order: what is out of place comes before values that are wrong because of it.
            errors.entry(line).or_insert_with(|| match is_repeated {
                true => repeated::diagnose(&range, text, &lines, statements.get_or_init(|| repeated::statements(text))),
                false => words::say(message, text, range, &lines),
            });
            unread.push(lines.range(line));
        }
        if errors.len() == known {
            break;
        }
        for range in unread {
            blank(&mut rest, range);
        }
    }
    errors.into_values().collect()
}

/// Overwrites bytes with spaces, keeping the lines.
fn blank(text: &mut String, range: Range<usize>) {
    let blanked: String = text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &blanked);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<Diagnostic> {
        parse(&Source { name: "m".into(), text: text.into() }).expect_err(text)
    }

    /// Compares lines and messages.
    fn check(text: &str, expected: &[(usize, &str)]) {
        let (found, lines) = (errors(text), Lines::new(text));
        let found: Vec<(usize, &str)> = found
            .iter()
            .map(|error| (lines.position(error.span.as_ref().unwrap().range.start).0, error.message.as_str()))
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn every_broken_line_is_one_mistake() {
        check("[stream]\nmemory = \"256 MiB\ntimeout = \"3m\"\n", &[(2, "the string has no `\"` at its end")]);
        check(
            "[a]\nx = nope\ny 1\nw = 1\n",
            &[
                (2, "`nope` is no value of TOML: text stands in quotes"),
                (3, "`y 1` has no `=`: a line is `key = value`, `[table]` or `# comment`"),
            ],
        );
        check(
            "x = nope\nz =\n",
            &[(1, "`nope` is no value of TOML: text stands in quotes"), (2, "there is no value after `=`")],
        );
        check("[a]\nx = 1\n[b\nx = 2\n[c]\nx = 3\n", &[(3, "the header has no `]` at its end")]);
        check("[b]]\n", &[(1, "`]` is too much: a line ends after its value or header")]);
    }

    #[test]
    fn a_bracket_or_string_that_is_not_closed_is_one_mistake_where_it_opens() {
        let list = "the list that begins here, or something in it, has no `]` at its end";
        check("[a]\nf = [1,\ng = 2\nh = 3\n[z]\nq = 1", &[(2, list)]);
        check(
            "[a]\ny 1\nf = [\n  1,\ng = 2\n",
            &[(2, "`y 1` has no `=`: a line is `key = value`, `[table]` or `# comment`"), (3, list)],
        );
        check(
            "a = {b = 1,, c = 2\nd = 1\n",
            &[(1, "the table that begins here, or something in it, has no `}` at its end")],
        );
        check("[a]\ny = '''\nz = 2\n[b]\nw = 3", &[(2, "the string that begins here has no `'''` at its end")]);
    }

    #[test]
    fn what_is_there_twice_is_named_with_both_places() {
        let text = "[a]\nx = 1\nx = 2\n[b]\nz.q = 1\n[a]\nw = 1\n[b.z]\n";
        check(
            text,
            &[
                (3, "`a.x` is there twice: first in line 2"),
                (6, "`[a]` is there twice: first in line 1"),
                (8, "`[b.z]` comes too late: the dotted key in line 5 is in that table already"),
            ],
        );
        let first: Vec<&str> =
            errors(text).iter().map(|error| &text[error.first.as_ref().unwrap().range.clone()]).collect();
        assert_eq!(first, ["x", "a", "z"]);
        check(
            "stream.memory = \"1\"\n[stream]\n",
            &[(2, "`[stream]` comes too late: the dotted key in line 1 is in that table already")],
        );
        check("a = 1\na.b = 2\n", &[(2, "`a` is there twice: first in line 1")]);
        check("x = {a = 1, a = 2}\n", &[(1, "`a` is there twice")]);
    }

    #[test]
    fn another_format_is_one_mistake() {
        check("\n{\n  \"stream\": {\n  }\n}\n", &[(2, "the file is JSON: a manifest is TOML")]);
        check("# x\nstream:\n  memory: 256\n  labels:\n    - a\n", &[(2, "the file is YAML: a manifest is TOML")]);
        check("---\nstream:\n", &[(1, "the file is YAML: a manifest is TOML")]);
        check("[stream]\nmemory: 1\n", &[(2, "`memory:` is not TOML: between key and value stands `=`")]);
    }

    #[test]
    fn what_is_no_text_of_a_manifest_ends_in_an_error() {
        for text in
            ["\u{0}", "]", "\"", "[[[[[[", "= = =", "\u{feff}[", "a = [[[[", "'''", "a.b.c", "\u{feff}\u{feff}a = 1"]
        {
            assert!(!errors(text).is_empty(), "{text:?}");
        }
        for deep in ["[", "{a=", "a.", "[a.", "[[a."].map(|part| format!("x = 1\nk = {0}\n{0}", part.repeat(20_000))) {
            assert!(!errors(&deep).is_empty());
        }
        assert_eq!(errors(&"#".repeat(MANIFEST_BYTES_MAX + 1))[0].code, "too-long");
        assert!(parse(&Source { name: "m".into(), text: "#".repeat(MANIFEST_BYTES_MAX) }).is_ok());
        assert!(parse(&Source { name: "m".into(), text: "\u{feff}a = 1".into() }).is_ok());
    }
}
