//! Rows that were read and not taken into the window yet, by minute.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::item::Row;
use crate::minute::{Entry, Minute};

/// Rows that were read, by minute.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    minutes: BTreeMap<u64, Gathered>,
    rows: usize,
}

impl Collected {
    /// Takes out the rows of some minutes.
    pub(crate) fn take(&mut self, from: u64, until: u64) -> BTreeMap<u64, Gathered> {
        let mut taken = self.minutes.split_off(&from);
        if let Some(next) = until.checked_add(1) {
            self.minutes.append(&mut taken.split_off(&next));
        }
        self.rows -= taken.values().map(|gathered| gathered.rows.len() + gathered.known.count()).sum::<usize>();
        taken
    }

    /// Takes a row that is new or changed.
    pub(crate) fn push(&mut self, number: u64, entry: Entry) {
        self.minutes.entry(number).or_default().rows.push(entry);
        self.rows += 1;
    }

    /// Takes a row that is there as it was; `false` where it is of another version of the minute than those before it.
    pub(crate) fn note(&mut self, minute: &Arc<Minute>, index: usize) -> bool {
        let known = &mut self.minutes.entry(minute.number()).or_default().known;
        let before = known.count();
        let is_noted = known.note(minute, index);
        self.rows += known.count() - before;
        is_noted
    }

    /// The rows that are new or changed.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.minutes.into_values().flat_map(|gathered| gathered.rows)
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }
}

/// Rows of one minute that were read.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) known: Known,
    /// The others; each holds its set of tags.
    pub(crate) rows: Vec<Entry>,
}

/// Which rows of a minute were read again and are there as they were.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The minute as it was then; `None` where there are no such rows.
    pub(crate) minute: Option<Arc<Minute>>,
    /// A bit for each of its rows.
    seen: Vec<u64>,
    count: usize,
}

impl Known {
    /// Notes a row; `false` where it is of another version of the minute than those before it.
    fn note(&mut self, minute: &Arc<Minute>, index: usize) -> bool {
        let known = self.minute.get_or_insert_with(|| Arc::clone(minute));
        if !known.has_rows_of(minute) {
            return false;
        }
        self.seen.resize(minute.len().div_ceil(64), 0);
        let (word, bit) = (&mut self.seen[index / 64], 1 << (index % 64));
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
        true
    }

    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn has(&self, index: usize) -> bool {
        self.seen.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// Index and whole row of each.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, &Arc<Row>)> {
        self.minute.iter().flat_map(|minute| {
            let row = |index| Some((index, minute.row(index)?));
            (0..minute.len()).filter(|index| self.has(*index)).filter_map(row)
        })
    }
}
