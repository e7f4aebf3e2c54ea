//! The page's logo: which files beside the manifest may be one, and how they get into the page. No disk: whoever reads the manifest
//! reads them.

mod error;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::limits::PAGE_LOGO_BYTES_MAX;

pub use error::LogoError;

const PNG_START: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The smallest picture: stands for the logo of a manifest that nobody has typed.
const SAMPLE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The files that a manifest may name, as they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logos {
    found: BTreeMap<String, Result<Vec<u8>, LogoError>>,
    is_sampled: bool,
}

impl Logos {
    /// Bytes that are read of a file: one more than it may have.
    pub const READ_BYTES_MAX: u64 = PAGE_LOGO_BYTES_MAX as u64 + 1;

    /// Adds what was found at a path.
    pub fn insert(&mut self, path: String, found: Result<Vec<u8>, LogoError>) {
        self.found.insert(path, found);
    }

    /// Has every path lead to a picture, for trying what a key reaches.
    #[must_use]
    pub fn sampled(mut self) -> Self {
        self.is_sampled = true;
        self
    }

    /// Returns the logo as a `data:` URL.
    ///
    /// # Errors
    /// [`LogoError`]
    pub fn url(&self, path: &str) -> Result<String, LogoError> {
        let is_png = path.ends_with(".png");
        let sample = Ok(SAMPLE.to_vec());
        let found = match self.found.get(path) {
            Some(found) => found,
            None if self.is_sampled => &sample,
            None => return Err(LogoError::Missing),
        };
        let bytes = found.as_ref().map_err(Clone::clone)?;
        if bytes.len() > PAGE_LOGO_BYTES_MAX {
            return Err(LogoError::TooLarge);
        }
        let kind = if bytes.starts_with(PNG_START) && (is_png || self.is_sampled) {
            "png"
        } else if is_png {
            return Err(LogoError::NotPng);
        } else {
            svg::check(bytes)?;
            "svg+xml"
        };
        Ok(format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)))
    }
}

/// Returns the paths that a manifest's text names as logos, of whatever environment, as far as it can be read.
#[must_use]
pub fn named(text: &str) -> BTreeSet<String> {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let environments = table.get("env").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = std::iter::once(&table).chain(environments.filter_map(toml::Value::as_table));
    tables.filter_map(|table| table.get("page")?.get("logo")?.as_str()).map(str::to_owned).collect()
}

/// Returns the path that a value on the command line names as a logo, `page.logo=PATH`.
#[must_use]
pub fn overridden(text: &str) -> Option<String> {
    let (_, path) = text.split_once("page.logo=")?;
    Some(path.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str, bytes: &[u8]) -> Result<String, LogoError> {
        let mut logos = Logos::default();
        logos.insert(path.to_owned(), Ok(bytes.to_vec()));
        logos.url(path)
    }

    #[test]
    fn a_logo_is_what_its_name_says() {
        assert_eq!(url("a.png", PNG_START).unwrap(), "data:image/png;base64,iVBORw0KGgo=");
        assert!(url("a.svg", b"<svg viewBox='0 0 1 1'/>").unwrap().starts_with("data:image/svg+xml;base64,PHN2"));
        assert_eq!(url("a.png", b"<svg/>"), Err(LogoError::NotPng));
        assert!(matches!(url("a.svg", PNG_START), Err(LogoError::NotSvg(_))));
    }

    #[test]
    fn a_logo_has_a_limit_and_must_be_there() {
        let whole = [PNG_START, &vec![0; PAGE_LOGO_BYTES_MAX - PNG_START.len()]].concat();
        assert!(url("a.png", &whole).is_ok());
        assert_eq!(url("a.png", &[&whole[..], b"0"].concat()), Err(LogoError::TooLarge));
        assert_eq!(Logos::default().url("b.png"), Err(LogoError::Missing));
        assert!(Logos::default().sampled().url("b.png").is_ok());
        assert!(Logos::default().sampled().url("b.svg").is_ok());
    }

    #[test]
    fn logos_of_all_environments_are_named() {
        let text = "[page]\nlogo = 'a.svg'\n[env.prod.page]\nlogo = 'img/b.png'\n";
        assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["a.svg", "img/b.png"]);
        assert!(named("page = 3").is_empty() && named("[").is_empty() && named("[page]\nlogo = false").is_empty());
        assert_eq!(overridden("--set page.logo='a.svg'").as_deref(), Some("a.svg"));
        assert_eq!(overridden("--set page.title=a"), None);
    }
}
