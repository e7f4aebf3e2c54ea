//! The sums of one hour by set of tags, which outlive its rows; as bytes, and back.
//!
//! ```text
//! format 1 · labels · tags · sets of tags · of each set: rows by label, rows with a score, their sum, lowest and highest
//! ```
//!
//! Sums by whole set make every filter exact: a row with two of its tags is counted once. Sets are in order, so that equal rows
//! make equal bytes, which is how an hour that has not changed is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::Tag;

use crate::compact::{Broken, Reader, begin, put_number};
use crate::filter::Filter;
use crate::hour::HourError;
use crate::interner::SetNames;
use crate::minute::{Minute, ScoreSums};

/// Changes with the form of the bytes. It is part of a scope, so that releases which differ in it never read each other's.
pub const FORMAT: u8 = 1;
/// How far a sum of scores may be from what its count allows: what adding single numbers loses.
const SUM_SLACK: f64 = 1e-3;

/// Rows by label, and sums of their scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// Rows by label, in the labels' order.
    pub by_label: Vec<u32>,
    /// Sums of their scores.
    pub scores: ScoreSums,
}

impl Sums {
    /// Those of no rows.
    #[must_use]
    pub fn none(labels: usize) -> Self {
        Self { by_label: vec![0; labels], scores: ScoreSums::NONE }
    }

    /// Adds those of other rows.
    pub fn add(&mut self, other: &Self) {
        self.by_label.iter_mut().zip(&other.by_label).for_each(|(sum, rows)| *sum = sum.saturating_add(*rows));
        self.scores = self.scores.and(other.scores);
    }
}

/// The rows of one hour, summed up by set of tags.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollup {
    labels: usize,
    sets: BTreeMap<Box<[Tag]>, Sums>,
}

impl Rollup {
    /// Of the rows of some minutes, those that count.
    #[must_use]
    pub fn of<'a>(minutes: impl Iterator<Item = &'a Arc<Minute>>, names: &SetNames, labels: usize) -> Self {
        let mut by_number: BTreeMap<u32, Sums> = BTreeMap::new();
        for minute in minutes {
            for index in (0..minute.len()).filter(|index| !minute.is_hidden(*index)) {
                let cell = minute.cell(index);
                let sums = by_number.entry(cell.set).or_insert_with(|| Sums::none(labels));
                if let Some(rows) = sums.by_label.get_mut(usize::from(cell.label)) {
                    *rows += 1;
                }
                sums.scores = sums.scores.and(ScoreSums::of_one(cell.score));
            }
        }
        let mut sets: BTreeMap<Box<[Tag]>, Sums> = BTreeMap::new();
        for (number, of_set) in by_number {
            let mut tags: Vec<Tag> = names.tags_of(number).cloned().collect();
            tags.sort_unstable();
            sets.entry(tags.into()).or_insert_with(|| Sums::none(labels)).add(&of_set);
        }
        Self { labels, sets }
    }

    /// Sums of the rows that a filter lets through.
    #[must_use]
    pub fn sums(&self, filter: &Filter) -> Sums {
        let mut all = Sums::none(self.labels);
        let wanted =
            self.sets.iter().filter(|(tags, _)| filter.is_all() || tags.iter().any(|tag| filter.matches_tag(tag)));
        wanted.for_each(|(_, sums)| all.add(sums));
        all
    }

    /// Writes them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut numbers: BTreeMap<&Tag, usize> = self.sets.keys().flatten().map(|tag| (tag, 0)).collect();
        numbers.values_mut().enumerate().for_each(|(index, number)| *number = index);
        let tags: Vec<&Tag> = numbers.keys().copied().collect();
        let sets: Vec<Vec<usize>> =
            self.sets.keys().map(|tags| tags.iter().map(|tag| numbers[tag]).collect()).collect();
        let mut bytes = begin(FORMAT, self.labels, &tags, &sets);
        for Sums { by_label, scores } in self.sets.values() {
            by_label.iter().for_each(|rows| put_number(&mut bytes, *rows as usize));
            put_number(&mut bytes, scores.count as usize);
            if scores.count > 0 {
                bytes.extend_from_slice(&scores.sum.to_le_bytes());
                bytes.extend_from_slice(&scores.min.to_le_bytes());
                bytes.extend_from_slice(&scores.max.to_le_bytes());
            }
        }
        bytes
    }

    /// Reads what [`Rollup::encode`] wrote for a table with that many labels. The bytes may be anybody's: nothing is taken from them
    /// that could not be sums of rows, and no more memory than they are long times a small factor.
    ///
    /// # Errors
    /// [`HourError`]
    pub fn decode(bytes: &[u8], labels: usize) -> Result<Self, HourError> {
        let mut reader = Reader::new(bytes, "beginning");
        let [format, of_labels] = reader.array()?;
        if format != FORMAT || usize::from(of_labels) != labels {
            return Err(HourError::Foreign);
        }
        let sets = reader.sets()?;
        reader.part = "sums";
        let sets = sets.into_iter().map(|set| Ok((set, read_sums(&mut reader, labels)?)));
        let sets = sets.collect::<Result<Vec<_>, Broken>>()?;
        let is_in_order = sets.is_sorted_by(|one, other| one.0 < other.0);
        if !is_in_order || reader.left() > 0 {
            return Err(reader.broken().into());
        }
        Ok(Self { labels, sets: sets.into_iter().collect() })
    }
}

fn read_sums(reader: &mut Reader<'_>, labels: usize) -> Result<Sums, Broken> {
    let number = |reader: &mut Reader<'_>| u32::try_from(reader.number()?).map_err(|_| reader.broken());
    let by_label = (0..labels).map(|_| number(reader)).collect::<Result<Vec<_>, _>>()?;
    let rows: u64 = by_label.iter().copied().map(u64::from).sum();
    let count = number(reader)?;
    if count == 0 {
        return Ok(Sums { by_label, scores: ScoreSums::NONE });
    }
    let sum = f64::from_le_bytes(reader.array()?);
    let scores = ScoreSums { count, sum, min: reader.score()?, max: reader.score()? };
    let (low, high) = (f64::from(scores.min) * f64::from(count), f64::from(scores.max) * f64::from(count));
    let is_possible =
        u64::from(count) <= rows && scores.min <= scores.max && (low - SUM_SLACK..=high + SUM_SLACK).contains(&sum);
    if is_possible { Ok(Sums { by_label, scores }) } else { Err(reader.broken()) }
}
