//! The raw manifest: TOML values that know where they stand, and the deep merge of an environment over the base.
//!
//! Knows nothing of the keys' meaning.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Layer, Span};

/// A value and the bytes it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Raw,
    /// Its bytes; for a table, those of the key that opens it.
    pub span: Span,
    /// The bytes of its key; its own bytes for an element of a list.
    pub key_span: Span,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// Text.
    String(String),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number, as typed.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time, as typed.
    Datetime(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table, sorted by key.
pub type Table = BTreeMap<String, Node>;

impl Raw {
    /// Returns the kind and the value as an error message names them: "the string `x`".
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::String(text) => format!("the string `{}`", shorten(text)),
            Self::Integer(number) => format!("the number `{number}`"),
            Self::Number(text) => format!("the number `{text}`"),
            Self::Boolean(value) => format!("`{value}`"),
            Self::Datetime(text) => format!("the date `{text}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}

/// Returns text escaped and cut for one line of a terminal.
#[must_use]
pub fn shorten(text: &str) -> String {
    const SHOWN_CHARACTERS_MAX: usize = 80;
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == SHOWN_CHARACTERS_MAX {
            shown.push('…');
            break;
        }
        // Quotes need no escape between backticks; control characters and bidirectional marks do.
        if matches!(c, '"' | '\'') { shown.push(c) } else { shown.extend(c.escape_debug()) }
    }
    shown
}

/// Converts what the parser found, which was typed in `layer`.
pub(crate) fn convert_table(table: &DeTable<'_>, layer: Layer) -> Table {
    let entry = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        let node = convert(value, key.span(), layer);
        (key.get_ref().to_string(), node)
    };
    table.iter().map(entry).collect()
}

fn convert(value: &toml::Spanned<DeValue<'_>>, key_range: Range<usize>, layer: Layer) -> Node {
    let raw = match value.get_ref() {
        DeValue::String(text) => Raw::String(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Raw::Integer(value),
            Err(_) => Raw::Number(number.to_string()),
        },
        DeValue::Float(number) => Raw::Number(number.to_string()),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Datetime(moment) => Raw::Datetime(moment.to_string()),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| convert(item, item.span(), layer)).collect()),
        DeValue::Table(table) => Raw::Table(convert_table(table, layer)),
    };
    let range = if matches!(raw, Raw::Table(_)) { key_range.clone() } else { value.span() };
    Node { value: raw, span: Span { layer, range }, key_span: Span { layer, range: key_range } }
}

/// Makes a node of a value that was typed nowhere.
#[must_use]
pub fn node(value: &toml::Value) -> Node {
    let raw = match value {
        toml::Value::String(text) => Raw::String(text.clone()),
        toml::Value::Integer(number) => Raw::Integer(*number),
        toml::Value::Float(number) => Raw::Number(number.to_string()),
        toml::Value::Boolean(value) => Raw::Boolean(*value),
        toml::Value::Datetime(moment) => Raw::Datetime(moment.to_string()),
        toml::Value::Array(items) => Raw::List(items.iter().map(node).collect()),
        toml::Value::Table(table) => Raw::Table(table.iter().map(|(key, value)| (key.clone(), node(value))).collect()),
    };
    Node { value: raw, span: Span::default(), key_span: Span::default() }
}

/// Puts a node at a path, making the tables above it; none where something else than a table is in the way.
pub(crate) fn insert(table: &mut Table, parts: &[&str], value: Node) -> Option<()> {
    let (head, rest) = parts.split_first()?;
    if rest.is_empty() {
        table.insert((*head).to_owned(), value);
        return Some(());
    }
    let empty = || Node { value: Raw::Table(Table::new()), span: Span::default(), key_span: Span::default() };
    match &mut table.entry((*head).to_owned()).or_insert_with(empty).value {
        Raw::Table(inner) => insert(inner, rest, value),
        _ => None,
    }
}

/// Says that everything in a table was typed in `layer`.
pub(crate) fn set_layer(table: &mut Table, layer: Layer) {
    for node in table.values_mut() {
        set_node_layer(node, layer);
    }
}

fn set_node_layer(node: &mut Node, layer: Layer) {
    (node.span.layer, node.key_span.layer) = (layer, layer);
    match &mut node.value {
        Raw::Table(inner) => set_layer(inner, layer),
        Raw::List(items) => items.iter_mut().for_each(|item| set_node_layer(item, layer)),
        _ => {}
    }
}

/// Lays `over` onto `base`: tables merge key by key, everything else replaces.
#[must_use]
pub fn merge(mut base: Table, over: &Table) -> Table {
    for (key, node) in over {
        let merged = match (base.remove(key), node) {
            (Some(Node { value: Raw::Table(below), .. }), Node { value: Raw::Table(above), span, key_span }) => {
                Node { value: Raw::Table(merge(below, above)), span: span.clone(), key_span: key_span.clone() }
            }
            (_, node) => node.clone(),
        };
        base.insert(key.clone(), merged);
    }
    base
}

/// Returns the node at a dotted path.
#[must_use]
pub fn find<'t>(table: &'t Table, path: &str) -> Option<&'t Node> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let node = table.get(head)?;
    match (rest, &node.value) {
        (None, _) => Some(node),
        (Some(rest), Raw::Table(inner)) => find(inner, rest),
        (Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        convert_table(DeTable::parse(text).unwrap().get_ref(), Layer::Base)
    }

    #[test]
    fn tables_merge_and_everything_else_replaces() {
        let base = table("a = [1, 2]\n[t]\nx = 1\ny = 2\n[t.u]\nz = 3");
        let over = table("a = [9]\n[t]\ny = 5\n[t.u]\nw = 4");
        let merged = merge(base, &over);
        let number = |path: &str| find(&merged, path).map(|node| node.value.clone());
        assert_eq!(number("t.x"), Some(Raw::Integer(1)));
        assert_eq!(number("t.y"), Some(Raw::Integer(5)));
        assert_eq!(number("t.u.z"), Some(Raw::Integer(3)));
        assert_eq!(number("t.u.w"), Some(Raw::Integer(4)));
        assert!(matches!(number("a"), Some(Raw::List(items)) if items.len() == 1));
        assert_eq!(number("t.x.y"), None);
    }

    #[test]
    fn values_know_where_they_stand() {
        let text = "[stream]\ntimeout = \"3m\"\n";
        let tree = table(text);
        let node = find(&tree, "stream.timeout").unwrap();
        assert_eq!(&text[node.span.range.clone()], "\"3m\"");
        assert_eq!(&text[node.key_span.range.clone()], "timeout");
        assert_eq!(&text[find(&tree, "stream").unwrap().key_span.range.clone()], "stream");
    }

    #[test]
    fn hostile_text_is_shown_on_one_short_line() {
        assert_eq!(shorten("a\nb\"c"), "a\\nb\"c");
        assert_eq!(shorten(&"x".repeat(200)).chars().count(), 81);
    }
}
