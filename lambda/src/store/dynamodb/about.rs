//! What a row says of itself to people: title, link and shown values, from the types that attributes have.

use std::borrow::Cow;

use contract::{AttributePath, DataSettings, LinkUrl, limits};
use stream_core::about::{About, Decimal, Shown};

use super::row_error::{RowError, or_fault};
use super::value::{Row, Value};
use super::values::{at_path, shown as short};

/// Takes what the settings map, or nothing where the row has none of it. What cannot be read is left out, and is a fault.
pub(super) fn about(data: &DataSettings, row: &Row<'_>, faults: &mut Vec<RowError>) -> Option<Box<About>> {
    let title = data.title_attribute.as_ref().map_or(Ok(None), |path| title(row, path));
    let url = data.url_attribute.as_ref().map_or(Ok(None), |path| url(row, path));
    let about = About {
        title: or_fault(title, faults).map(|title| (*title).into()),
        url: or_fault(url, faults),
        shown: data.show.as_slice().iter().map(|path| or_fault(shown(row, path), faults)).collect(),
    };
    let is_any = about.title.is_some() || about.url.is_some() || about.shown.iter().any(Option::is_some);
    is_any.then(|| Box::new(about))
}

fn title<'a>(row: &'a Row<'a>, path: &AttributePath) -> Result<Option<Cow<'a, str>>, RowError> {
    match at_path(row, path) {
        None | Some(Value::Null(_)) => Ok(None),
        Some(Value::S(text) | Value::N(text)) => Ok(cut(text, limits::TITLE_CHARS_MAX)),
        Some(_) => Err(RowError::WrongType(path.to_string(), "a string or a number")),
    }
}

fn url(row: &Row<'_>, path: &AttributePath) -> Result<Option<LinkUrl>, RowError> {
    match at_path(row, path) {
        None | Some(Value::Null(_)) => Ok(None),
        Some(Value::S(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::S(text)) => {
            LinkUrl::new(text.trim()).map(Some).map_err(|error| RowError::Link(path.to_string(), error))
        }
        Some(_) => Err(RowError::WrongType(path.to_string(), "a string")),
    }
}

fn shown(row: &Row<'_>, path: &AttributePath) -> Result<Option<Shown>, RowError> {
    let text = |text: &str| Ok(cut(text, limits::SHOWN_CHARS_MAX).map(|text| Shown::Text((*text).into())));
    match at_path(row, path) {
        None | Some(Value::Null(_)) => Ok(None),
        Some(Value::S(value)) => text(value),
        Some(Value::N(value)) => match Decimal::new(value) {
            Some(number) => Ok(Some(Shown::Number(number))),
            None => Err(RowError::Decimal(path.to_string(), short(value))),
        },
        Some(Value::Bool(value)) => Ok(Some(Shown::Truth(*value))),
        // A set has no order: sorted, equal rows say the same.
        Some(Value::Ss(values) | Value::Ns(values)) => {
            let mut values: Vec<&str> = values.iter().map(|value| &**value).collect();
            values.sort_unstable();
            text(&values.join(", "))
        }
        Some(Value::L(values)) => match values.iter().map(member).collect::<Option<Vec<_>>>() {
            Some(values) => text(&values.into_iter().flatten().collect::<Vec<_>>().join(", ")),
            None => Err(RowError::WrongType(path.to_string(), TYPES)),
        },
        Some(_) => Err(RowError::WrongType(path.to_string(), TYPES)),
    }
}

/// What can be shown.
const TYPES: &str = "a string, a number, a truth value, or a list or set of them";

/// A member of a list, nothing for NULL, and `None` for what cannot be shown.
fn member<'a>(value: &'a Value<'_>) -> Option<Option<&'a str>> {
    match value {
        Value::S(text) | Value::N(text) => Some(Some(text)),
        Value::Bool(truth) => Some(Some(if *truth { "true" } else { "false" })),
        Value::Null(_) => Some(None),
        _ => None,
    }
}

/// A text of at most so many characters; nothing where there is none to see.
fn cut(text: &str, chars_max: usize) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let cut = match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        // One less, for the ellipsis.
        Some(_) => Cow::Owned(text.chars().take(chars_max - 1).chain(['…']).collect::<String>()),
    };
    (!cut.is_empty()).then_some(cut)
}

#[cfg(test)]
mod tests {
    use contract::{ShownAttributes, TableName};

    use super::*;

    fn s(text: &str) -> Value<'static> {
        Value::S(text.to_owned().into())
    }

    fn n(text: &str) -> Value<'static> {
        Value::N(text.to_owned().into())
    }

    fn settings() -> DataSettings {
        let path = |text: &str| AttributePath::new(text).unwrap();
        DataSettings {
            title_attribute: Some(path("head.line")),
            url_attribute: Some(path("link")),
            show: ShownAttributes::new(vec![path("author"), path("deal.price")]).unwrap(),
            ..DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap())
        }
    }

    fn map(name: &'static str, value: Value<'static>) -> Value<'static> {
        Value::M([(name, value)].into_iter().collect())
    }

    /// What is there of a row with these attributes, and its faults in words.
    fn with(attributes: Vec<(&str, Value<'_>)>) -> (Option<About>, Vec<String>) {
        let row: Row<'_> = attributes.into_iter().collect();
        let mut faults = Vec::new();
        let about = about(&settings(), &row, &mut faults).map(|about| *about);
        (about, faults.iter().map(ToString::to_string).collect())
    }

    /// The value of `author`, and what is wrong with it.
    fn author(value: Value<'_>) -> (Option<Shown>, Vec<String>) {
        let (about, faults) = with(vec![("author", value)]);
        (about.and_then(|about| about.shown[0].clone()), faults)
    }

    #[test]
    fn a_row_without_any_of_it_costs_nothing() {
        assert_eq!(with(vec![]), (None, vec![]));
        assert_eq!(with(vec![("link", Value::Null(true)), ("author", s(" \t")), ("head", s("x"))]), (None, vec![]));
        assert_eq!(size_of::<Option<Box<About>>>(), 8);
    }

    #[test]
    fn values_are_found_by_their_paths_and_keep_their_types() {
        let (about, faults) = with(vec![
            ("head", map("line", s(" Shares \u{202e}climb\n "))),
            ("link", s("https://example.com/?a=1&b=<x>")),
            ("author", s("=1+1")),
            ("deal", map("price", n("12345678901234567890.123456789"))),
        ]);
        let about = about.unwrap();
        assert_eq!(about.title.as_deref(), Some("Shares \u{202e}climb"));
        assert_eq!(about.url, None);
        let price = Decimal::new("12345678901234567890.123456789").map(Shown::Number);
        assert_eq!(*about.shown, [Some(Shown::Text("=1+1".into())), price]);
        assert!(
            faults[0].starts_with("`link`: `https://example.com/?a=1&b=<x>` is not a valid link; it must be https://"),
            "{faults:?}"
        );
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let long = "é".repeat(limits::TITLE_CHARS_MAX);
        let title = |text: &str| with(vec![("head", map("line", s(text)))]).0.unwrap().title.unwrap();
        assert_eq!(title(&long), long);
        let cut = title(&format!("{long}x"));
        assert_eq!((cut.chars().count(), cut.ends_with("é…")), (limits::TITLE_CHARS_MAX, true));
        let Some(Shown::Text(cut)) = author(s(&"😀".repeat(400_000 / 4))).0 else { panic!("a text is one") };
        assert_eq!((cut.chars().count(), cut.ends_with("😀…")), (limits::SHOWN_CHARS_MAX, true));
    }

    #[test]
    fn what_can_be_shown_is_and_the_rest_is_a_fault() {
        let text = |text: &str| (Some(Shown::Text(text.into())), vec![]);
        assert_eq!(author(Value::Bool(false)), (Some(Shown::Truth(false)), vec![]));
        assert_eq!(author(Value::Ss(vec!["b".into(), "a".into()])), text("a, b"));
        let list = vec![s("b"), n("2"), Value::Null(true), Value::Bool(true)];
        assert_eq!(author(Value::L(list)), text("b, 2, true"));
        assert_eq!(author(Value::L(vec![])), (None, vec![]));
        let types = "`author` is not a string, a number, a truth value, or a list or set of them";
        for wrong in [map("x", s("y")), Value::L(vec![s("a"), Value::L(vec![])]), Value::L(vec![map("x", n("1"))])] {
            assert_eq!(author(wrong), (None, vec![types.to_owned()]));
        }
        assert_eq!(
            author(n(".5")),
            (None, vec!["`author` is `.5`, which is no number as JSON writes them".to_owned()])
        );
        let (about, faults) = with(vec![("head", map("line", Value::L(vec![]))), ("link", n("1"))]);
        assert_eq!(about, None);
        assert_eq!(faults, ["`head.line` is not a string or a number", "`link` is not a string"]);
    }

    #[test]
    fn a_link_that_is_none_is_left_out() {
        let url = |text: &str| with(vec![("link", s(text))]);
        assert_eq!(url(" https://example.com/a ").0.unwrap().url.unwrap().as_str(), "https://example.com/a");
        for bad in [
            "javascript:alert(1)",
            "http://example.com/",
            "//example.com",
            &format!("https://example.com/{}", "x".repeat(2048)),
        ] {
            let (about, faults) = url(bad);
            assert_eq!((about, faults.len()), (None, 1), "{bad}");
        }
    }
}
