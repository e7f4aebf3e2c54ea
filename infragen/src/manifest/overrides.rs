//! `--set KEY=VALUE`: one value from the command line, laid over everything else.

use toml::de::DeTable;

use super::tree::{self, Node, Raw, Table};
use crate::diagnostic::{Layer, Source, Span};

/// What stands before the key where an override is shown.
const FLAG: &str = "--set ";

/// Why a text is no override.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no `=`.
    #[error("`{text}` has no `=`: write KEY=VALUE, such as `stream.poll_interval=10s`")]
    NoValue {
        /// What was typed.
        text: String,
    },
    /// What stands before `=` is no dotted key.
    #[error("`{key}` is not a dotted key such as `stream.poll_interval`")]
    Key {
        /// What was typed.
        key: String,
    },
}

/// Takes the text after `--set`, and returns it as a source that diagnostics can point at.
///
/// # Errors
/// [`OverrideError`]
pub fn parse_override(text: &str) -> Result<Source, OverrideError> {
    let source = Source { name: "command line".into(), text: format!("{FLAG}{text}") };
    table(&source, Layer::Set(0)).map(|_| source)
}

/// Reads an override as a table with one value: TOML where the text is TOML, else a string.
pub(crate) fn table(source: &Source, layer: Layer) -> Result<Table, OverrideError> {
    let text = source.text.strip_prefix(FLAG).unwrap_or(&source.text);
    let equals = end_of_key(text).ok_or_else(|| OverrideError::NoValue { text: tree::shorten(text) })?;
    let (key, value) = (&text[..equals], &text[equals + 1..]);
    let keys = keys(key, layer).ok_or_else(|| OverrideError::Key { key: tree::shorten(key) })?;
    let start = FLAG.len() + equals + 1;
    let typed = typed_value(key, value, keys.len(), layer).unwrap_or_else(|| {
        let span = Span { layer, range: start..start + value.len() };
        Node { value: Raw::String(value.to_owned()), span: span.clone(), key_span: span }
    });
    let mut node = typed;
    for (index, (key, span)) in keys.into_iter().rev().enumerate() {
        node.key_span = span.clone();
        if index > 0 || matches!(node.value, Raw::Table(_)) {
            node.span = span.clone();
        }
        node = Node { value: Raw::Table(Table::from([(key, node)])), span: span.clone(), key_span: span };
    }
    match node.value {
        Raw::Table(table) => Ok(table),
        _ => unreachable!("a key has one part at least, so that the value was wrapped once"),
    }
}

/// Returns where the `=` is: the first outside of a quoted part of the key.
fn end_of_key(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('=', None) => return Some(at),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// Puts what was typed where it stands in the shown text, so that spans need no shift.
fn indented(text: &str) -> String {
    format!("{}{text}", " ".repeat(FLAG.len()))
}

/// Returns the parts of a dotted key.
fn keys(key: &str, layer: Layer) -> Option<Vec<(String, Span)>> {
    if key.contains(['\n', '#', '[']) {
        return None;
    }
    let text = indented(&format!("{key}=0"));
    let mut level = tree::convert_table(DeTable::parse(&text).ok()?.get_ref(), layer);
    let mut keys = Vec::new();
    while let Some((key, node)) = level.into_iter().next() {
        keys.push((key, node.key_span));
        level = if let Raw::Table(inner) = node.value { inner } else { Table::new() };
    }
    (!keys.is_empty()).then_some(keys)
}

/// Returns the value, where the text is TOML and nothing but this one value.
fn typed_value(key: &str, value: &str, depth: usize, layer: Layer) -> Option<Node> {
    let text = indented(&format!("{key}={value}"));
    let mut level = tree::convert_table(DeTable::parse(&text).ok()?.get_ref(), layer);
    for left in (0..depth).rev() {
        if level.len() != 1 {
            return None;
        }
        let (_, node) = level.into_iter().next()?;
        if left == 0 {
            return Some(node);
        }
        let Raw::Table(inner) = node.value else { return None };
        level = inner;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, path: &str, expected: &Raw) {
        let source = parse_override(text).unwrap();
        let table = table(&source, Layer::Set(3)).unwrap();
        let node = tree::find(&table, path).unwrap_or_else(|| panic!("{text}: {table:?}"));
        assert_eq!(&node.value, expected, "{text}");
        assert_eq!(node.span.layer, Layer::Set(3));
        let shown = &source.text[node.span.range.clone()];
        assert!(text.ends_with(shown) || matches!(expected, Raw::Table(_)), "{text}: {shown}");
        let last = path.rsplit('.').next().unwrap();
        assert!(source.text[node.key_span.range.clone()].contains(last), "{text}");
    }

    #[test]
    fn a_value_is_toml_where_it_can_be_and_text_where_not() {
        check("stream.poll_interval=10s", "stream.poll_interval", &Raw::String("10s".into()));
        check("stream.max_connections=7", "stream.max_connections", &Raw::Integer(7));
        check("stream.max_connections = 7", "stream.max_connections", &Raw::Integer(7));
        check("a.b=true", "a.b", &Raw::Boolean(true));
        check("a=\"7\"", "a", &Raw::String("7".into()));
        check("page.api_base_url=", "page.api_base_url", &Raw::String(String::new()));
        check("a=b=c", "a", &Raw::String("b=c".into()));
        check("project.tags.\"x=y\"=z", "project.tags.x=y", &Raw::String("z".into()));
        check("a.b=1\na.c=2", "a.b", &Raw::String("1\na.c=2".into()));
        check("a=1\n[b]", "a", &Raw::String("1\n[b]".into()));
        let source = parse_override("a=['x', 'y']").unwrap();
        assert!(matches!(&table(&source, Layer::Set(0)).unwrap()["a"].value, Raw::List(items) if items.len() == 2));
        let source = parse_override("a.b={c=1}").unwrap();
        assert!(tree::find(&table(&source, Layer::Set(0)).unwrap(), "a.b.c").is_some());
    }

    #[test]
    fn what_is_no_key_and_value_is_refused() {
        assert!(matches!(parse_override("stream"), Err(OverrideError::NoValue { .. })));
        assert!(matches!(parse_override("\"a=b"), Err(OverrideError::NoValue { .. })));
        for text in ["=1", "a b=1", ".a=1", "a..b=1", "[a]=1", "a#=1", "a\n=1"] {
            assert!(matches!(parse_override(text), Err(OverrideError::Key { .. })), "{text}");
        }
    }
}
