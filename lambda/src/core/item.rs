//! One analysed row, and the identity by which a client has had it or not.

use std::sync::Arc;

use contract::{Label, Tag};
use sha2::{Digest, Sha256};

use super::timestamp::Timestamp;

/// Primary key of a row: two rows of one source at different times are two items.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// Value of the hash key; `item_id` in events.
    pub id: Box<str>,
    /// Value of the range key as it stands in the table.
    pub time_text: Box<str>,
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
    pub source: Option<Box<str>>,
    /// Tickers the item matched, in the row's order, each once.
    pub tags: Box<[Tag]>,
}

/// Identity of one update: row, label, score and ticker. A row analysed anew with another label or score is a new update.
///
/// 64 bits decide what an instance has handed out; the low 32 are the element that event ids sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdateKey(u64);

impl UpdateKey {
    /// The element for [`super::sketch::Sketch`]; never zero, because zero cannot be sketched.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
    pub const fn element(self) -> u32 {
        let low = self.0 as u32;
        if low == 0 { 1 } else { low }
    }
}

impl Item {
    /// Returns the identity of this item's update for `tag`.
    ///
    /// SHA-256 rather than a std hasher: every instance and every release must agree on it.
    #[must_use]
    pub fn update_key(&self, tag: &Tag, labels: &[Label]) -> UpdateKey {
        let mut hasher = Sha256::new();
        let label = labels.get(usize::from(self.label)).map_or("", Label::as_str);
        for part in [&*self.key.id, &*self.key.time_text, label, tag.as_str()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        // `+ 0.0` makes -0 and 0 one score.
        hasher.update(self.score.map_or([0xff; 8], |score| (score + 0.0).to_bits().to_be_bytes()));
        let digest = hasher.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        UpdateKey(u64::from_be_bytes(first))
    }

    /// Returns the updates of this item, one for each ticker.
    pub fn update_keys<'a>(&'a self, labels: &'a [Label]) -> impl Iterator<Item = UpdateKey> + 'a {
        self.tags.iter().map(|tag| self.update_key(tag, labels))
    }
}

/// Position of an item among all: oldest first, ties by key.
pub type ItemOrder = (Timestamp, Arc<ItemKey>);

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
        }
    }

    #[test]
    fn an_update_is_row_label_score_and_ticker() {
        let labels = contract::Labels::default();
        let key = |item: &Item| item.update_key(&item.tags[0], labels.as_slice());
        let base = item("a", 1000, 0, 0.5, &["AAPL", "MSFT"]);
        assert_eq!(key(&base), key(&base.clone()));
        let mut others = vec![
            key(&item("b", 1000, 0, 0.5, &["AAPL"])),
            key(&item("a", 1001, 0, 0.5, &["AAPL"])),
            key(&item("a", 1000, 1, 0.5, &["AAPL"])),
            key(&item("a", 1000, 0, 0.6, &["AAPL"])),
            key(&item("a", 1000, 0, 0.5, &["MSFT"])),
            key(&Item { score: None, ..base.clone() }),
        ];
        assert!(!others.contains(&key(&base)));
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), 6);
        // Confidence and source may be corrected without a new update.
        assert_eq!(key(&base), key(&Item { confidence: None, source: None, ..base.clone() }));
    }
}
