//! What a row says of itself to people: title, link, and the values that the settings name. It is no part of what a row is known
//! by: a headline that is corrected is no news.

use compact_str::CompactString;
use contract::{DataSettings, LinkUrl};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Title, link and shown values of a row that has any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct About {
    /// At most [`contract::limits::TITLE_CHARS_MAX`] characters.
    pub title: Option<CompactString>,
    /// Where there is more of it.
    pub url: Option<LinkUrl>,
    /// One place for each attribute of [`DataSettings::show`].
    pub shown: Box<[Option<Shown>]>,
}

/// The value of an attribute that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shown {
    /// At most [`contract::limits::SHOWN_CHARS_MAX`] characters.
    Text(CompactString),
    /// A number as the table writes it.
    Number(Decimal),
    /// A truth value.
    Truth(bool),
}

/// A number as it is written, so that none of its 38 digits is lost to a float.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(CompactString);

impl Decimal {
    /// Takes what is a number in JSON; `None` for everything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && text.ends_with(|c: char| c.is_ascii_digit())
            && serde_json::from_str::<&RawValue>(text).is_ok();
        is_number.then(|| Self(text.into()))
    }

    /// The number as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// The fields that an update or an item has of it: those that the row has, each under its name.
#[derive(Clone, Copy, Debug)]
pub struct AboutFields<'a> {
    data: &'a DataSettings,
    about: Option<&'a About>,
}

impl<'a> AboutFields<'a> {
    /// Describes a row of a table with these settings.
    #[must_use]
    pub fn new(data: &'a DataSettings, about: Option<&'a About>) -> Self {
        Self { data, about }
    }

    /// Returns name and value of each field that such rows can have, in order.
    pub fn all(self) -> impl Iterator<Item = (&'a str, Option<Field<'a>>)> {
        let Self { data, about } = self;
        let title = about.and_then(|about| about.title.as_deref()).map(Field::Text);
        let url = about.and_then(|about| about.url.as_ref()).map(|url| Field::Text(url.as_str()));
        let of_rows = [("title", &data.title_attribute, title), ("url", &data.url_attribute, url)];
        let mapped = of_rows.into_iter().filter(|(_, path, _)| path.is_some()).map(|(name, _, value)| (name, value));
        let shown = data.show.names().iter().enumerate().map(move |(index, name)| {
            let value = about.and_then(|about| about.shown.get(index)).and_then(Option::as_ref);
            (name.as_str(), value.map(Field::of))
        });
        mapped.chain(shown)
    }
}

/// A value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(&'a Decimal),
    /// A truth value.
    Truth(bool),
}

impl<'a> Field<'a> {
    fn of(shown: &'a Shown) -> Self {
        match shown {
            Shown::Text(text) => Self::Text(text),
            Shown::Number(number) => Self::Number(number),
            Shown::Truth(truth) => Self::Truth(*truth),
        }
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Truth(truth) => serializer.serialize_bool(*truth),
        }
    }
}

impl Serialize for AboutFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.all().filter_map(|(name, value)| Some((name, value?))) {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use contract::{AttributePath, ShownAttributes, TableName};

    use super::*;

    #[test]
    fn a_number_is_what_json_takes_for_one_as_it_is_written() {
        for good in [
            "0",
            "-1",
            "12.50",
            "1E+3",
            "0.00000000000000000000000000000000000001",
            "99999999999999999999999999999999999999",
        ] {
            assert_eq!(serde_json::to_string(&Decimal::new(good).unwrap()).unwrap(), good);
        }
        for bad in ["", "+1", ".5", "01", "1.", "NaN", "-", "1 ", "[1]", "\"1\"", "1,2", "true", "-Infinity"] {
            assert_eq!(Decimal::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_row_has_the_fields_that_are_mapped_and_that_it_has() {
        let mut data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let about = About {
            title: Some("A \"title\"\n".into()),
            url: LinkUrl::new("https://example.com/").ok(),
            shown: [Some(Shown::Number(Decimal::new("1.10").unwrap())), None, Some(Shown::Truth(true))].into(),
        };
        let json = |data: &DataSettings, about| serde_json::to_string(&AboutFields::new(data, about)).unwrap();
        assert_eq!(json(&data, Some(&about)), "{}");
        data.title_attribute = AttributePath::new("headline").ok();
        data.url_attribute = AttributePath::new("link").ok();
        data.show =
            ShownAttributes::new(["price", "author", "is\\.new"].map(|path| AttributePath::new(path).unwrap()).into())
                .unwrap();
        assert_eq!(
            json(&data, Some(&about)),
            "{\"title\":\"A \\\"title\\\"\\n\",\"url\":\"https://example.com/\",\"price\":1.10,\"is.new\":true}"
        );
        assert_eq!(json(&data, None), "{}");
        let names: Vec<&str> = AboutFields::new(&data, None).all().map(|(name, _)| name).collect();
        assert_eq!(names, ["title", "url", "price", "author", "is.new"]);
    }
}
