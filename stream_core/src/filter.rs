//! Which items a stream is about.

use std::collections::BTreeSet;

use contract::{Tag, limits};

use crate::item::Item;

/// Everything, or only items with one of some tickers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter {
    tags: Option<BTreeSet<Tag>>,
}

/// Why a list of tickers is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// One of them is not a ticker.
    #[error("{0}")]
    Tag(#[from] contract::NameError),
    /// Too many of them.
    #[error("`tickers` lists {found}; at most {max} are allowed")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
}

impl Filter {
    /// Lets everything through.
    #[must_use]
    pub const fn all() -> Self {
        Self { tags: None }
    }

    /// Lets items with one of `tags` through.
    #[must_use]
    pub const fn only(tags: BTreeSet<Tag>) -> Self {
        Self { tags: Some(tags) }
    }

    /// Parses `AAPL,MSFT`. White space around a ticker is not part of it, and between two commas there may be nothing: lists are
    /// put together by programs, and a browser's EventSource is refused for good. A list that names no ticker is no condition.
    ///
    /// # Errors
    /// [`FilterError`] with the ticker and its rule, or the number of tickers.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let named = || text.split(',').map(str::trim).filter(|ticker| !ticker.is_empty());
        // As many as are named, repeated or not: a rule that a program can check.
        let found = named().count();
        if found > limits::FILTER_TAGS_MAX {
            return Err(FilterError::TooMany { found, max: limits::FILTER_TAGS_MAX });
        }
        let tags = named().map(Tag::new).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(if tags.is_empty() { Self::all() } else { Self::only(tags) })
    }

    /// Whether this is the filter without a condition.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.tags.is_none()
    }

    /// The tickers it names; none where it is without a condition.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter().flatten()
    }

    /// Whether updates and counts of `tag` belong to the stream.
    #[must_use]
    pub fn matches_tag(&self, tag: &Tag) -> bool {
        self.tags.as_ref().is_none_or(|tags| tags.contains(tag))
    }

    /// Whether an update belongs to the stream; one without a ticker does where there is no condition.
    #[must_use]
    pub fn matches_update(&self, ticker: Option<&Tag>) -> bool {
        ticker.map_or(self.is_all(), |ticker| self.matches_tag(ticker))
    }

    /// Whether the item belongs to the stream.
    #[must_use]
    pub fn matches(&self, item: &Item) -> bool {
        self.is_all() || item.tags.iter().any(|tag| self.matches_tag(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_checked_ticker_by_ticker() {
        assert!(Filter::parse("AAPL").is_ok());
        assert_eq!(Filter::parse("AAPL,MSFT,AAPL"), Filter::parse("MSFT,AAPL"));
        for bad in ["A\nB", "A,B\0", "\u{fffd}", "A\u{7f}"] {
            assert!(Filter::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Filter::parse(&"A".repeat(64)).is_ok());
        assert!(Filter::parse(&"A".repeat(65)).is_err());
        let many = |n: usize| (0..n).map(|i| format!("T{i}")).collect::<Vec<_>>().join(",");
        assert!(Filter::parse(&many(50)).is_ok());
        assert!(Filter::parse(&["A"; 51].join(",")).is_err());
        assert_eq!(Filter::parse(&many(51)).unwrap_err().to_string(), "`tickers` lists 51; at most 50 are allowed");
        assert!(Filter::parse(&format!(",{}, ,", many(50))).is_ok(), "what names no ticker does not count");
    }

    #[test]
    fn blanks_and_stray_commas_say_nothing() {
        let two = Filter::parse("AAPL,BRK B");
        for text in ["AAPL,BRK B,", " AAPL , BRK B ", ",AAPL,,BRK B", "\tAAPL\r\n,BRK B\u{a0}", "AAPL, ,BRK B,AAPL"] {
            assert_eq!(Filter::parse(text), two, "{text:?}");
        }
        assert_ne!(Filter::parse("aapl"), Filter::parse("AAPL"), "a ticker is what the table calls it");
        for none in ["", " ", ",", " , ,\n"] {
            assert_eq!(Filter::parse(none), Ok(Filter::all()), "{none:?}");
        }
    }
}
