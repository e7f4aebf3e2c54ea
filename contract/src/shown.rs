//! Which attributes of a row its updates carry as they are, for people to read.

use crate::names::AttributePath;
use crate::values::{ABSENT, SettingValue};
use crate::{events, limits};

/// Attributes that updates and items carry under their own names, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownAttributes(Vec<AttributePath>);

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
}

impl ShownAttributes {
    /// Takes at most [`limits::SHOWN_ATTRIBUTES_MAX`] different ones, none of which is called like a field of an update.
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
            if paths[..index].contains(path) {
                return Err(ShownError::Twice(path.clone()));
            }
        }
        Ok(Self(paths))
    }

    /// The attributes, in the order in which they are shown. As a path is written, so its value is called.
    #[must_use]
    pub fn as_slice(&self) -> &[AttributePath] {
        &self.0
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
        match self.0.as_slice() {
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
        let names: Vec<String> =
            read("Price\\, USD,a\\\\,b\\\\\\,c").unwrap().as_slice().iter().map(AttributePath::attribute).collect();
        assert_eq!(names, ["Price, USD", "a\\", "b\\,c"]);
        for (bad, said) in [
            ("a,b,c,d,e,f,g,h,i", "9 attributes are too many; at most 8 are shown"),
            ("author,author", "`author` is there twice"),
            ("author,score", "`score` is what an update calls something else already; its fields are item_id, ticker"),
            ("tickers", "`tickers` is what an update calls something else already"),
            ("", "`` is not a valid attribute name"),
            ("a,,b", "`` is not a valid attribute name"),
        ] {
            assert!(read(bad).unwrap_err().starts_with(said), "{bad}: {}", read(bad).unwrap_err());
        }
    }
}
