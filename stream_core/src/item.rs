//! One analysed row, and the identity by which a client has had it or not.

use std::hash::BuildHasher;
use std::sync::Arc;

use compact_str::CompactString;
use contract::{Identity, Label, Tag};
use foldhash::quality::FixedState;
use sha2::{Digest, Sha256};

use super::about::About;
use super::timestamp::Timestamp;

/// Primary key of a row: where the identity is key and time, two rows of one source at different times are two items.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// Value of the hash key; `item_id` in events.
    pub id: CompactString,
    /// Value of the range key as it stands in the table.
    pub time_text: CompactString,
}

/// One analysed row that parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Primary key.
    pub key: ItemKey,
    /// The range key as a time.
    pub at: Timestamp,
    /// Index of the label among the table's labels.
    pub label: u8,
    /// From -1 to 1, where the table has it.
    pub score: Option<f64>,
    /// From 0 to 1, where the table has it.
    pub confidence: Option<f64>,
    /// Where the item comes from, where the table has it.
    pub source: Option<CompactString>,
    /// Tickers the item matched, in the row's order, each once.
    pub tags: Box<[Tag]>,
    /// What it is about, where the table has anything of that.
    pub about: Option<Box<About>>,
}

/// Identity of one version of a row: key, label, score and its tickers in their order. It is what event ids sketch.
///
/// The tickers belong to it, because a ticker that is added to a row is a new update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    hash: u64,
    updates: usize,
}

impl RowKey {
    /// After every other one.
    pub(crate) const MAX: Self = Self { hash: u64::MAX, updates: usize::MAX };

    /// Puts the identity together from its parts, as a minute keeps them.
    #[must_use]
    pub const fn of(hash: u64, tickers: usize) -> Self {
        Self { hash, updates: updates_of(tickers) }
    }

    /// The part of it that differs for each version of a row.
    #[must_use]
    pub const fn hash(self) -> u64 {
        self.hash
    }

    /// How many updates the row has.
    #[must_use]
    pub const fn updates(self) -> usize {
        self.updates
    }

    /// The element for [`super::sketch::Sketch`] of a row that a client has had, or has had the first updates of.
    #[must_use]
    pub const fn element(self) -> u32 {
        element(self.hash)
    }

    /// The element that says, beside the row's own, that only the updates before number `upto` were had. Together they
    /// differ in one element from a row had whole, as a row not had at all does. Where the row has changed or is gone since, it
    /// is one difference more.
    #[must_use]
    pub const fn partial(self, upto: usize) -> u32 {
        // SplitMix64: cheap, because all rows of an interval may have to be tried.
        let mut mixed = self.hash.wrapping_add((upto as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        element(mixed ^ (mixed >> 31))
    }

    /// The elements of a client that has had the updates before number `upto`.
    pub fn elements(self, upto: usize) -> impl Iterator<Item = u32> {
        let row = (upto > 0).then(|| self.element());
        row.into_iter().chain((0 < upto && upto < self.updates).then(|| self.partial(upto)))
    }

    /// How many updates of the row a client has had whose set `has` the row's own element.
    pub fn had(self, has: impl Fn(u32) -> bool) -> usize {
        (1..self.updates).find(|upto| has(self.partial(*upto))).unwrap_or(self.updates)
    }
}

/// One for each ticker, and one for a row without any.
const fn updates_of(tickers: usize) -> usize {
    if tickers == 0 { 1 } else { tickers }
}

/// Never zero, because zero cannot be sketched.
#[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
const fn element(hash: u64) -> u32 {
    let low = hash as u32;
    if low == 0 { 1 } else { low }
}

impl Item {
    /// The tickers of its updates: one each, and `None` alone where the row has no ticker.
    pub fn tickers(&self) -> impl Iterator<Item = Option<&Tag>> {
        (0..updates_of(self.tags.len())).map(|index| self.tags.get(index))
    }

    /// Returns the identity of this version of the row.
    #[must_use]
    pub fn row_key(&self, labels: &[Label]) -> RowKey {
        self.first_tickers_key(self.tags.len(), labels)
    }

    /// Returns the identity of the row as it was when it had only its first tickers, that many.
    #[must_use]
    pub fn first_tickers_key(&self, tickers: usize, labels: &[Label]) -> RowKey {
        let tickers = tickers.min(self.tags.len());
        RowKey::of(self.hash(&self.tags[..tickers], labels), tickers)
    }

    /// Hash of all that it says, within this process: a row that is read again and has the same is there as it was. A change
    /// is overlooked once in 2^64; what is known by it is compared where it lies, without a look at every string.
    #[must_use]
    pub fn print(&self) -> u64 {
        let bits = |number: Option<f64>| number.map(f64::to_bits);
        let Self { key, at, label, score, confidence, source, tags, about } = self;
        FixedState::default().hash_one((key, at, label, bits(*score), bits(*confidence), source, tags, about))
    }

    /// SHA-256 rather than a std hasher: every instance and every release must agree on it.
    fn hash(&self, tags: &[Tag], labels: &[Label]) -> u64 {
        let mut hasher = Sha256::new();
        let label = labels.get(usize::from(self.label)).map_or("", Label::as_str);
        for part in ["row", &*self.key.id, &*self.key.time_text, label].into_iter().chain(tags.iter().map(Tag::as_str))
        {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        // `+ 0.0` makes -0 and 0 one score.
        hasher.update(self.score.map_or([0xff; 8], |score| (score + 0.0).to_bits().to_be_bytes()));
        first_eight(&hasher.finalize())
    }
}

fn first_eight(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A row that parsed, with what it is known by: made once, when it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it says.
    pub item: Item,
    /// Hash of what makes it an item: its primary key, or its hash key alone. It orders rows of one millisecond.
    pub place: u64,
    /// Which version of the row it is.
    pub key: RowKey,
    /// [`Item::print`] of what it says.
    pub print: u64,
}

impl Row {
    /// Works out what the row is known by.
    #[must_use]
    pub fn new(item: Item, labels: &[Label], identity: Identity) -> Self {
        Self { place: item.key.place(identity), key: item.row_key(labels), print: item.print(), item }
    }

    /// Which updates of this row a client lacks that has had the first `upto` updates of each of some versions of it: those
    /// with a ticker, label or score that none of them had. A row analysed anew with another label or score is news.
    pub fn lacking<'a>(&'a self, had: &'a [(Arc<Self>, usize)]) -> impl Iterator<Item = usize> + 'a {
        let had_with = |ticker: Option<&Tag>| {
            had.iter().any(|(other, upto)| {
                // A newer row of the same key is news, whatever it says.
                let is_it = other.place == self.place && other.item.at == self.item.at;
                let same = is_it && other.item.says_the_same(&self.item);
                same && other.item.tickers().take(*upto).any(|had| had == ticker)
            })
        };
        self.item.tickers().enumerate().filter(move |(_, ticker)| !had_with(*ticker)).map(|(index, _)| index)
    }
}

impl Item {
    /// Whether an update of this item and one of the other differ in nothing but the ticker.
    fn says_the_same(&self, other: &Self) -> bool {
        // As bits, so that the comparison is that of the hash.
        let bits = |score: Option<f64>| score.map(|score| (score + 0.0).to_bits());
        self.label == other.label && bits(self.score) == bits(other.score)
    }
}

impl ItemKey {
    /// Hash of the key, as far as it makes an item. Every instance and every release must agree on it, because cursors of pages
    /// carry it.
    #[must_use]
    pub fn place(&self, identity: Identity) -> u64 {
        let mut hasher = Sha256::new();
        let parts: &[&str] = match identity {
            Identity::KeyAndTime => &[&self.id, &self.time_text],
            Identity::Key => &[&self.id],
        };
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        first_eight(&hasher.finalize())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes an item for tests.
    pub(crate) fn item(id: &str, at_millis: u64, label: u8, score: f64, tags: &[&str]) -> Item {
        let at = Timestamp::from_millis(at_millis);
        Item {
            key: ItemKey { id: id.into(), time_text: at.to_string().into() },
            at,
            label,
            score: Some(score),
            confidence: Some(0.9),
            source: Some("news".into()),
            tags: tags.iter().map(|tag| Tag::new(tag).unwrap()).collect(),
            about: None,
        }
    }

    fn titled(title: &str) -> Box<About> {
        Box::new(About { title: Some(title.into()), ..About::default() })
    }

    #[test]
    fn an_update_is_row_label_score_and_ticker() {
        let labels = contract::Labels::default();
        let row = |item: &Item| Arc::new(Row::new(item.clone(), labels.as_slice(), Identity::KeyAndTime));
        let base = item("a", 1000, 0, 0.5, &["AAPL", "MSFT"]);
        let lacking = |now: &Item, had: &[(&Item, usize)]| {
            let had: Vec<_> = had.iter().map(|(item, upto)| (row(item), *upto)).collect();
            row(now).lacking(&had).collect::<Vec<_>>()
        };
        assert_eq!(lacking(&base, &[]), [0, 1]);
        assert_eq!(lacking(&base, &[(&base, 1)]), [1]);
        assert_eq!(lacking(&base, &[(&base, 2)]), [0; 0]);
        for other in [
            item("b", 1000, 0, 0.5, &["AAPL", "MSFT"]),
            item("a", 1001, 0, 0.5, &["AAPL", "MSFT"]),
            item("a", 1000, 1, 0.5, &["AAPL", "MSFT"]),
            item("a", 1000, 0, 0.6, &["AAPL", "MSFT"]),
            Item { score: None, ..base.clone() },
        ] {
            assert_eq!(lacking(&base, &[(&other, 2)]), [0, 1], "{other:?}");
        }
        let reordered = item("a", 1000, 0, 0.5, &["NVDA", "MSFT"]);
        assert_eq!(lacking(&base, &[(&reordered, 2)]), [0]);
        // A row without tickers has one update, which is none of those that it has with them.
        let bare = item("a", 1000, 0, 0.5, &[]);
        assert_eq!(lacking(&bare, &[]), [0]);
        assert_eq!(lacking(&bare, &[(&base, 2)]), [0]);
        assert_eq!(lacking(&base, &[(&bare, 1)]), [0, 1]);
        assert_eq!(lacking(&bare, &[(&base, 2), (&bare, 1)]), [0; 0]);
        // Confidence, source and title may be corrected without a new update.
        let corrected = Item { confidence: None, source: None, about: Some(titled("Other")), ..base.clone() };
        assert_eq!(lacking(&base, &[(&corrected, 2)]), [0; 0]);
        // What is read again is another version of what it says all the same.
        assert_ne!(base.print(), Item { about: Some(titled("Other")), ..base.clone() }.print());
    }

    #[test]
    fn a_row_is_one_element_and_one_more_while_some_of_its_tickers_are_to_come() {
        let labels = contract::Labels::default();
        let base = item("a", 1000, 0, 0.5, &["AAPL", "MSFT", "NVDA"]);
        let row = |item: &Item| item.row_key(labels.as_slice());
        let key = row(&base);
        let corrected = Item { confidence: None, source: None, about: Some(titled("Other")), ..base.clone() };
        assert_eq!(key, row(&corrected));
        for other in [
            item("b", 1000, 0, 0.5, &["AAPL", "MSFT", "NVDA"]),
            item("a", 1001, 0, 0.5, &["AAPL", "MSFT", "NVDA"]),
            item("a", 1000, 1, 0.5, &["AAPL", "MSFT", "NVDA"]),
            item("a", 1000, 0, 0.6, &["AAPL", "MSFT", "NVDA"]),
            item("a", 1000, 0, 0.5, &["MSFT", "AAPL", "NVDA"]),
            item("a", 1000, 0, 0.5, &["AAPL", "MSFT"]),
        ] {
            assert_ne!(key, row(&other), "{other:?}");
        }
        assert_eq!(base.first_tickers_key(2, labels.as_slice()), row(&item("a", 1000, 0, 0.5, &["AAPL", "MSFT"])));
        let elements = |upto| key.elements(upto).collect::<Vec<_>>();
        assert_eq!(elements(0), [0; 0]);
        assert_eq!(elements(1), [key.element(), key.partial(1)]);
        assert_eq!(elements(2), [key.element(), key.partial(2)]);
        assert_eq!(elements(3), [key.element()]);
        for upto in 1..=3 {
            assert_eq!(key.had(|element| elements(upto).contains(&element)), upto);
        }
        let bare = row(&item("a", 1000, 0, 0.5, &[]));
        assert_eq!((bare.updates(), bare.elements(1).collect::<Vec<_>>()), (1, vec![bare.element()]));
    }
}
