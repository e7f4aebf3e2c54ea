//! Which attributes of a row its updates carry as they are, for people to read.

use crate::names::AttributePath;
use crate::values::{ABSENT, SettingValue};
use crate::{events, limits};

/// Attributes that updates and items carry under their own names, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownAttributes {
    paths: Vec<AttributePath>,
    /// What the value of each is called.
    names: Vec<String>,
}

/// Why attributes cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShownError {
    /// There are more than may be.
    #[error("{0} attributes are too many; at most {max} are shown", max = limits::SHOWN_ATTRIBUTES_MAX)]
    TooMany(usize),
    /// An update has a field of that name already.
    #[error("`{0}` is what an update calls something else already; its fields are {fields}", fields = events::UPDATE_KEYS.join(", "))]
    Taken(AttributePath),
    /// One is named again.
    #[error("`{0}` is there twice")]
    Twice(AttributePath),
    /// The values of two would have one name.
    #[error("`{0}` and `{1}` are both called `{name}`", name = .0.plain())]
    Alike(AttributePath, AttributePath),
}

impl ShownAttributes {
    /// Takes at most [`limits::SHOWN_ATTRIBUTES_MAX`] different ones, none of which is called like a field of an update or like another.
    ///
    /// # Errors
    /// [`ShownError`] with the first that breaks a rule.
    pub fn new(paths: Vec<AttributePath>) -> Result<Self, ShownError> {
        if paths.len() > limits::SHOWN_ATTRIBUTES_MAX {
            return Err(ShownError::TooMany(paths.len()));
        }
        for (index, path) in paths.iter().enumerate() {
            if events::UPDATE_KEYS.contains(&path.as_str()) {
                return Err(ShownError::Taken(path.clone()));
            }
            match paths[..index].iter().find(|other| other.plain() == path.plain()) {
                Some(other) if other == path => return Err(ShownError::Twice(path.clone())),
                Some(other) => return Err(ShownError::Alike(other.clone(), path.clone())),
                None => {}
            }
        }
        let names = paths.iter().map(AttributePath::plain).collect();
        Ok(Self { paths, names })
    }

    /// The attributes, in the order in which they are shown.
    #[must_use]
    pub fn as_slice(&self) -> &[AttributePath] {
        &self.paths
    }

    /// What the value of each is called, in the same order: [`AttributePath::plain`].
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl SettingValue for ShownAttributes {
    fn read(text: &str) -> Result<Self, String> {
        if text == ABSENT {
            return Ok(Self::default());
        }
        let paths = listed(text).iter().map(|path| AttributePath::new(path)).collect::<Result<_, _>>();
        paths.map_err(|error| error.to_string()).and_then(|paths| Self::new(paths).map_err(|error| error.to_string()))
    }
    fn write(&self) -> String {
        match self.paths.as_slice() {
            [] => ABSENT.to_owned(),
            paths => paths.iter().map(|path| path.as_str().replace(',', "\\,")).collect::<Vec<_>>().join(","),
        }
    }
    fn rule() -> String {
        let max = limits::SHOWN_ATTRIBUTES_MAX;
        let each = AttributePath::RULE;
        format!(
            "1 to {max} names separated by commas (`\\,` is a comma in a name), each {each}; or `-` where there are none"
        )
    }
}

/// What commas separate. After a backslash a comma is one of a name; what else stands there means something to the path.
fn listed(text: &str) -> Vec<String> {
    let mut listed = vec![String::new()];
    let mut is_escaped = false;
    for character in text.chars() {
        let last = listed.last_mut().expect("it begins with one");
        match character {
            ',' if is_escaped => {
                last.pop();
                last.push(',');
            }
            ',' => listed.push(String::new()),
            other => last.push(other),
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_different_attributes_are_shown_and_none_takes_the_name_of_a_field() {
        let read = |text: &str| ShownAttributes::read(text);
        for good in
            ["-", "author", "author,price", "by\\.name,result.price", "a,b,c,d,e,f,g,h", "Price\\, USD,a\\\\,b\\\\\\,c"]
        {
            assert_eq!(read(good).unwrap().write(), good);
        }
        assert_eq!(read("Price\\, USD,a\\\\,b\\\\\\,c").unwrap().names(), ["Price, USD", "a\\", "b\\,c"]);
        assert_eq!(read("by\\.name,deal.price\\.usd").unwrap().names(), ["by.name", "deal.price.usd"]);
        for (bad, said) in [
            ("a,b,c,d,e,f,g,h,i", "9 attributes are too many; at most 8 are shown"),
            ("author,author", "`author` is there twice"),
            ("by.name,by\\.name", "`by.name` and `by\\.name` are both called `by.name`"),
            ("author,score", "`score` is what an update calls something else already; its fields are item_id, ticker"),
            ("tickers", "`tickers` is what an update calls something else already"),
            ("", "`` is not a valid attribute name"),
            ("a,,b", "`` is not a valid attribute name"),
        ] {
            assert!(read(bad).unwrap_err().starts_with(said), "{bad}: {}", read(bad).unwrap_err());
        }
    }
}
