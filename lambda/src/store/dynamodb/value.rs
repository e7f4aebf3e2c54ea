//! What an answer of DynamoDB says of a row, borrowed from its bytes: most of what a start of a large table computes is rows, and copies
//! of every name and value would be paid for each of them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// Attributes of a row, for which there is room at first.
const ATTRIBUTES: usize = 8;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A string.
    S(Cow<'a, str>),
    /// A number, as text.
    N(Cow<'a, str>),
    /// Bytes, in Base64.
    B(Cow<'a, str>),
    /// A set of strings.
    Ss(Vec<Cow<'a, str>>),
    /// A set of numbers.
    Ns(Vec<Cow<'a, str>>),
    /// A set of bytes.
    Bs,
    /// A list.
    L(Vec<Value<'a>>),
    /// A map.
    M(Row<'a>),
    /// A truth value.
    Bool(bool),
    /// Nothing.
    Null(bool),
    /// Of a type that is newer than this program.
    Unknown,
}

impl<'a> Value<'a> {
    /// The map that it is.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Row<'a>> {
        match self {
            Self::M(map) => Some(map),
            _ => None,
        }
    }
}

/// Attributes by their names: those of a row, or of a map in one. They are few, so that a search from the first one is the quickest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Row<'a> {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Puts a value in the place of what an attribute had.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let name = name.into();
        self.remove(&name);
        self.0.push((name, value));
    }

    /// Takes an attribute out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }
}

impl<'a, N: Into<Cow<'a, str>>> FromIterator<(N, Value<'a>)> for Row<'a> {
    fn from_iter<I: IntoIterator<Item = (N, Value<'a>)>>(attributes: I) -> Self {
        Self(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<'a> IntoIterator for Row<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A text that is copied only where it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// How DynamoDB names the types.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Kind {
    S,
    N,
    B,
    #[serde(rename = "SS")]
    Ss,
    #[serde(rename = "NS")]
    Ns,
    #[serde(rename = "BS")]
    Bs,
    L,
    M,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(rename = "NULL")]
    Null,
    #[serde(other)]
    Other,
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type of DynamoDB and its value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let text = |Text(text): Text<'de>| text;
        let texts = |texts: Vec<Text<'de>>| texts.into_iter().map(|Text(text)| text).collect();
        let value = match map.next_key()? {
            Some(Kind::S) => Value::S(text(map.next_value()?)),
            Some(Kind::N) => Value::N(text(map.next_value()?)),
            Some(Kind::B) => Value::B(text(map.next_value()?)),
            Some(Kind::Ss) => Value::Ss(texts(map.next_value()?)),
            Some(Kind::Ns) => Value::Ns(texts(map.next_value()?)),
            Some(Kind::L) => Value::L(map.next_value()?),
            Some(Kind::M) => Value::M(map.next_value()?),
            Some(Kind::Bool) => Value::Bool(map.next_value()?),
            Some(Kind::Null) => Value::Null(map.next_value()?),
            Some(Kind::Bs) => map.next_value().map(|IgnoredAny| Value::Bs)?,
            Some(Kind::Other) => map.next_value().map(|IgnoredAny| Value::Unknown)?,
            None => Value::Unknown,
        };
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValueVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Vec::with_capacity(ATTRIBUTES);
        while let Some((Text(name), value)) = map.next_entry()? {
            attributes.push((name, value));
        }
        Ok(Row(attributes))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_and_texts_are_borrowed_where_they_can_be() {
        let check = |json: &str, expected: Value<'_>| {
            assert_eq!(serde_json::from_str::<Value<'_>>(json).unwrap(), expected, "{json}");
        };
        check(r#"{"S":"a"}"#, Value::S("a".into()));
        check(r#"{"S":"a\"\u00e9\ud83d\ude00"}"#, Value::S("a\"é😀".into()));
        check(r#"{"N":"-1.5"}"#, Value::N("-1.5".into()));
        check(r#"{"B":"AP8H"}"#, Value::B("AP8H".into()));
        check(r#"{"SS":["a","b\n"]}"#, Value::Ss(vec!["a".into(), "b\n".into()]));
        check(r#"{"NS":["1"]}"#, Value::Ns(vec!["1".into()]));
        check(r#"{"BS":["AP8H"]}"#, Value::Bs);
        check(r#"{"L":[{"S":"a"},{"L":[]}]}"#, Value::L(vec![Value::S("a".into()), Value::L(vec![])]));
        check(r#"{"M":{"x":{"BOOL":true}}}"#, Value::M([("x", Value::Bool(true))].into_iter().collect()));
        check(r#"{"NULL":true}"#, Value::Null(true));
        check(r#"{"VECTOR":[1,{"a":null}]}"#, Value::Unknown);
        let Value::S(Cow::Borrowed(_)) = serde_json::from_str(r#"{"S":"a"}"#).unwrap() else { panic!("it was copied") };
        for bad in [r#"{"S":1}"#, r#"{"S":"a""#, r#"{"L":{}}"#, "1"] {
            assert!(serde_json::from_str::<Value<'_>>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn attributes_are_found_replaced_and_taken_out() {
        let mut row: Row<'_> = serde_json::from_str(r#"{"a":{"S":"1"},"b":{"N":"2"}}"#).unwrap();
        row.set("a", Value::Bool(true));
        assert_eq!((row.get("a"), row.get("c")), (Some(&Value::Bool(true)), None));
        row.remove("b");
        assert_eq!(row, [("a", Value::Bool(true))].into_iter().collect());
    }
}
