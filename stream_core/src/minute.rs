//! The rows of one minute, in columns, and their sums. Never changed: a minute that changes is made anew.

use std::ops::Range;
use std::sync::Arc;

use crate::item::{Row, RowKey};
use crate::sketch::Sketch;
use crate::timestamp::Timestamp;

/// Length of a minute, milliseconds.
pub const MINUTE_MILLIS: u64 = 60_000;

/// What is kept of every row, however old.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Hash of the row's primary key.
    pub place: u64,
    /// What differs for each version of the row ([`RowKey::hash`]).
    pub hash: u64,
    /// Number of its set of tags.
    pub set: u32,
    /// Its score; NaN where it has none.
    pub score: f32,
    /// Milliseconds since the minute began.
    pub millis: u16,
    /// Index of its label.
    pub label: u8,
    /// Whether a newer row of its key stands in its place: it is there and does not count.
    pub is_hidden: bool,
}

impl Cell {
    /// Takes from a row what is kept of it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a minute has 60,000 milliseconds; scores are sums' terms, not keys"
    )]
    pub(crate) fn of(row: &Row, set: u32) -> Self {
        Self {
            place: row.place,
            hash: row.key.hash(),
            set,
            score: row.item.score.map_or(f32::NAN, |score| score as f32),
            millis: (row.item.at.millis() % MINUTE_MILLIS) as u16,
            label: row.item.label,
            is_hidden: false,
        }
    }

    /// Where it stands among the rows of its minute.
    pub(crate) const fn order(&self) -> (u16, u64) {
        (self.millis, self.place)
    }
}

/// A row of a minute that is being put together.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) cell: Cell,
    /// The whole row, where it is still needed.
    pub(crate) row: Option<Arc<Row>>,
}

/// Sums of the scores of some rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreSums {
    /// Rows that have a score.
    pub count: u32,
    /// Sum of their scores.
    pub sum: f64,
    /// Lowest of them.
    pub min: f32,
    /// Highest of them.
    pub max: f32,
}

impl ScoreSums {
    /// Those of no rows.
    pub const NONE: Self = Self { count: 0, sum: 0.0, min: f32::INFINITY, max: f32::NEG_INFINITY };

    fn of(scores: impl Iterator<Item = f32>) -> Self {
        scores.fold(Self::NONE, |sums, score| sums.and(Self::of_one(score)))
    }

    /// Those of one row; NaN is no score.
    #[must_use]
    pub fn of_one(score: f32) -> Self {
        if score.is_nan() { Self::NONE } else { Self { count: 1, sum: f64::from(score), min: score, max: score } }
    }

    /// Those of these rows and of others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// The mean; `None` where no row has a score.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

#[derive(Debug)]
struct Columns {
    millis: Box<[u16]>,
    labels: Box<[u8]>,
    sets: Box<[u32]>,
    scores: Box<[f32]>,
    places: Box<[u64]>,
    hashes: Box<[u64]>,
    /// A bit for each row that is hidden; nothing where none is.
    hidden: Box<[u64]>,
    by_label: Box<[u32]>,
    score_sums: ScoreSums,
}

/// The rows themselves, and what a position that has had all of them sketches.
#[derive(Clone, Debug)]
struct Whole {
    rows: Arc<[Arc<Row>]>,
    /// [`Row::print`] of each.
    prints: Arc<[u64]>,
    sketch: Sketch,
    /// Elements in the sketch, modulo 256.
    count: u8,
}

/// The rows of one minute, oldest first.
#[derive(Clone, Debug)]
pub struct Minute {
    number: u64,
    columns: Arc<Columns>,
    whole: Option<Whole>,
}

/// Number of the minute that a time lies in.
#[must_use]
pub const fn minute_of(at: Timestamp) -> u64 {
    at.millis() / MINUTE_MILLIS
}

/// First moment of a minute, by number.
#[must_use]
pub const fn first_moment(minute: u64) -> Timestamp {
    Timestamp::from_millis(minute * MINUTE_MILLIS)
}

impl Minute {
    /// Makes a minute of its rows, sorted by [`Cell::order`]. It keeps whole rows where `keep_whole` and all entries have
    /// them. `before` is the minute as it was, from which the sketch is taken over.
    pub(crate) fn new(number: u64, entries: &[Entry], labels: usize, keep_whole: bool, before: Option<&Self>) -> Self {
        let mut by_label = vec![0; labels];
        let shown = || entries.iter().filter(|entry| !entry.cell.is_hidden);
        for entry in shown() {
            if let Some(count) = by_label.get_mut(usize::from(entry.cell.label)) {
                *count += 1;
            }
        }
        let columns = Columns {
            millis: entries.iter().map(|entry| entry.cell.millis).collect(),
            labels: entries.iter().map(|entry| entry.cell.label).collect(),
            sets: entries.iter().map(|entry| entry.cell.set).collect(),
            score_sums: ScoreSums::of(shown().map(|entry| entry.cell.score)),
            scores: entries.iter().map(|entry| entry.cell.score).collect(),
            places: entries.iter().map(|entry| entry.cell.place).collect(),
            hashes: entries.iter().map(|entry| entry.cell.hash).collect(),
            hidden: hidden_bits(entries),
            by_label: by_label.into(),
        };
        let rows = if keep_whole { entries.iter().map(|entry| entry.row.clone()).collect() } else { None };
        let whole = rows.map(|rows: Arc<[Arc<Row>]>| Whole::new(rows, before.and_then(|before| before.whole.as_ref())));
        Self { number, columns: Arc::new(columns), whole }
    }

    /// Number of the minute since 1970.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// First moment of the minute.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        first_moment(self.number)
    }

    /// Last moment of the minute.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        Timestamp::from_millis(self.number * MINUTE_MILLIS + MINUTE_MILLIS - 1)
    }

    /// How many rows it has, hidden ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.millis.len()
    }

    /// Whether it has none; such a minute is not kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows by label, those that count.
    #[must_use]
    pub fn by_label(&self) -> &[u32] {
        &self.columns.by_label
    }

    /// Sums of the scores of rows that count.
    #[must_use]
    pub fn score_sums(&self) -> ScoreSums {
        self.columns.score_sums
    }

    /// Numbers of the sets of tags, row by row.
    #[must_use]
    pub fn sets(&self) -> &[u32] {
        &self.columns.sets
    }

    /// Labels, row by row.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.columns.labels
    }

    /// What is kept of a row.
    #[must_use]
    pub fn cell(&self, index: usize) -> Cell {
        let columns = &self.columns;
        Cell {
            place: columns.places[index],
            hash: columns.hashes[index],
            set: columns.sets[index],
            score: columns.scores[index],
            millis: columns.millis[index],
            label: columns.labels[index],
            is_hidden: self.is_hidden(index),
        }
    }

    /// Time of a row.
    #[must_use]
    pub fn at(&self, index: usize) -> Timestamp {
        Timestamp::from_millis(self.number * MINUTE_MILLIS + u64::from(self.columns.millis[index]))
    }

    /// Whether a newer row of its key stands in a row's place.
    #[must_use]
    pub fn is_hidden(&self, index: usize) -> bool {
        self.columns.hidden.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// The rows that are hidden.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = usize> + '_ {
        let rows = if self.columns.hidden.is_empty() { 0 } else { self.len() };
        (0..rows).filter(|index| self.is_hidden(*index))
    }

    /// How many rows that count have a time after `at`.
    #[must_use]
    pub fn shown_after(&self, at: Timestamp) -> usize {
        let first = self.until(at);
        self.len() - first - self.hidden().filter(|index| first <= *index).count()
    }

    /// A row, where the minute keeps them whole.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<&Arc<Row>> {
        self.whole.as_ref()?.rows.get(index)
    }

    /// [`Row::print`] of a row, where the minute keeps them whole.
    pub(crate) fn print(&self, index: usize) -> Option<u64> {
        self.whole.as_ref()?.prints.get(index).copied()
    }

    /// Identity of a row of a set with that many tags.
    #[must_use]
    pub fn row_key(&self, index: usize, tags: usize) -> RowKey {
        RowKey::of(self.columns.hashes[index], tags)
    }

    /// How many rows have a time up to `at`: they come first.
    #[must_use]
    pub fn until(&self, at: Timestamp) -> usize {
        if at < self.start() {
            return 0;
        }
        let millis = at.millis() - self.start().millis();
        self.columns.millis.partition_point(|row| u64::from(*row) <= millis)
    }

    /// The rows of one millisecond.
    pub(crate) fn of_moment(&self, at: Timestamp) -> Range<usize> {
        let end = self.until(at);
        let start = (0..end).rev().take_while(|index| self.at(*index) == at).last();
        start.unwrap_or(end)..end
    }

    /// What a position sketches that has had all rows of the minute; `None` where rows are not whole.
    pub(crate) fn sketch(&self) -> Option<(Sketch, u8)> {
        self.whole.as_ref().map(|whole| (whole.sketch, whole.count))
    }

    /// Whether rows are whole.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Whether it is the same minute, whole or not.
    pub(crate) fn has_rows_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.columns, &other.columns)
    }

    /// The same minute without whole rows.
    pub(crate) fn thinned(&self) -> Self {
        Self { number: self.number, columns: Arc::clone(&self.columns), whole: None }
    }

    /// Its rows, to be put together anew.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        (0..self.len()).map(|index| Entry { cell: self.cell(index), row: self.row(index).cloned() })
    }
}

fn hidden_bits(entries: &[Entry]) -> Box<[u64]> {
    if !entries.iter().any(|entry| entry.cell.is_hidden) {
        return Box::default();
    }
    let word = |entries: &[Entry]| {
        entries.iter().enumerate().fold(0, |word, (bit, entry)| word | u64::from(entry.cell.is_hidden) << bit)
    };
    entries.chunks(64).map(word).collect()
}

impl Whole {
    /// Sketches only what differs from the minute as it was: a minute is made anew at every poll that finds a row of it.
    fn new(rows: Arc<[Arc<Row>]>, before: Option<&Self>) -> Self {
        let (mut sketch, mut count) = before.map_or((Sketch::EMPTY, 0), |before| (before.sketch, before.count));
        let mut toggle = |row: &Row, is_added: bool| {
            for element in row.key.elements(row.key.updates()) {
                sketch.toggle(element);
                count = if is_added { count.wrapping_add(1) } else { count.wrapping_sub(1) };
            }
        };
        let order = |row: &Row| (row.item.at, row.place);
        let mut old = before.map_or(&[][..], |before| &before.rows);
        for row in rows.iter() {
            while let Some((first, rest)) = old.split_first().filter(|(first, _)| order(first) < order(row)) {
                toggle(first, false);
                old = rest;
            }
            match old.split_first().filter(|(first, _)| order(first) == order(row)) {
                Some((first, rest)) => {
                    if first.key != row.key {
                        toggle(first, false);
                        toggle(row, true);
                    }
                    old = rest;
                }
                None => toggle(row, true),
            }
        }
        old.iter().for_each(|row| toggle(row, false));
        let prints = rows.iter().map(|row| row.print).collect();
        Self { rows, prints, sketch, count }
    }
}

#[cfg(test)]
mod tests {
    use contract::Identity;

    use super::*;
    use crate::item::tests::item;

    fn entries(rows: &[(&str, u64, u8, &[&str])]) -> Vec<Entry> {
        let labels = contract::Labels::default();
        let mut entries: Vec<Entry> = rows
            .iter()
            .map(|(id, at, label, tags)| {
                let row = Arc::new(Row::new(item(id, *at, *label, 0.5, tags), labels.as_slice(), Identity::KeyAndTime));
                Entry { cell: Cell::of(&row, 0), row: Some(row) }
            })
            .collect();
        entries.sort_by_key(|entry| entry.cell.order());
        entries
    }

    #[test]
    fn a_minute_adds_up_and_finds_its_rows_by_time() {
        let rows = entries(&[("a", 60_000, 0, &["A"]), ("b", 119_999, 1, &[]), ("c", 90_000, 1, &["A", "B"])]);
        let minute = Minute::new(1, &rows, 3, true, None);
        assert_eq!((minute.start().millis(), minute.end().millis()), (60_000, 119_999));
        assert_eq!(minute.by_label(), [1, 2, 0]);
        let until = |at| minute.until(Timestamp::from_millis(at));
        assert_eq!([until(59_999), until(60_000), until(89_999), until(90_000), until(200_000)], [0, 1, 1, 2, 3]);
        let sums = minute.score_sums();
        assert_eq!((sums.count, sums.sum, sums.min, sums.max), (3, 1.5, 0.5, 0.5));
        assert_eq!(minute.thinned().row(0), None);
        assert_eq!(minute.thinned().at(2), minute.at(2));
    }

    #[test]
    fn a_sketch_that_is_carried_on_equals_one_that_is_made_anew() {
        let first = entries(&[("a", 60_000, 0, &["A"]), ("b", 61_000, 1, &["B"]), ("c", 62_000, 1, &["A"])]);
        let second = entries(&[("b", 61_000, 2, &["B", "C"]), ("c", 62_000, 1, &["A"]), ("d", 60_500, 0, &[])]);
        let before = Minute::new(1, &first, 3, true, None);
        let carried = Minute::new(1, &second, 3, true, Some(&before));
        assert_eq!(carried.sketch(), Minute::new(1, &second, 3, true, None).sketch());
        assert_ne!(carried.sketch(), before.sketch());
    }
}
