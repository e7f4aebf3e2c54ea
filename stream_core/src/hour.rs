//! The rows of one hour as bytes, for other instances, and back.
//!
//! ```text
//! format 1 · labels · tags · sets of tags · scores · rows of each of 60 minutes · milliseconds · labels · sets · scores · places · hashes
//! ```
//!
//! Numbers are LEB128; times are differences; labels take four bits; a score is the number of one in a list, or itself where
//! there are too many. 16 of some 20 bytes of a row are hashes, which no compression makes smaller, so that there is none
//! on top of it. Equal rows make equal bytes: an hour that has not changed is known by that.

use std::hash::Hash;

use contract::Tag;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

use crate::compact::{Broken, Reader, begin, put_number};
use crate::interner::SetNames;
use crate::minute::{Cell, MINUTE_MILLIS, Minute};

/// Minutes of an hour.
pub const HOUR_MINUTES: u64 = 60;
/// Changes with the form of the bytes. It is part of a scope, so that releases which differ in it never read each other's.
pub const FORMAT: u8 = 1;
/// Changes with how bytes are named ([`Version::of`]): likewise.
pub const NAMING: u8 = 2;
/// Bytes of a row that has no score, at least: place, hash, half a label, a set and a difference of time.
const ROW_BYTES_MIN: usize = 18;
/// Scores that are listed; where an hour has more different ones, each row has its own.
const SCORES_MAX: usize = 1 << 16;

/// Which bytes a head speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl Version {
    /// Of these bytes, which others leave for an hour or a day: their `XXH3`. Whoever may write bytes may write the head that names
    /// them, so that it is chance alone which it is for, and a start reads some twenty megabytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_64::oneshot(bytes))
    }

    /// Of these, which are kept for years: the beginning of their SHA-256.
    #[must_use]
    pub fn of_kept(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

/// Why bytes are no hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HourError {
    /// They are not those that were written.
    #[error("{found} bytes, or others than the {expected} that were written")]
    Altered {
        /// How many there are.
        found: usize,
        /// How many the head names.
        expected: u32,
    },
    /// They are of another format, or of a table with other labels.
    #[error("another format, or other labels")]
    Foreign,
    /// They end too soon, or say what no instance writes.
    #[error("bytes that no instance writes, in its {0}")]
    Broken(&'static str),
}

impl From<Broken> for HourError {
    fn from(Broken(part): Broken) -> Self {
        Self::Broken(part)
    }
}

/// What was left of the rows of an hour.
#[derive(Debug, Default, PartialEq)]
pub struct HourRows {
    /// The sets of tags, by the number that cells have for them.
    pub(crate) sets: Vec<Box<[Tag]>>,
    /// The rows of each minute, in order, by its number within the hour. None is hidden: that depends on other hours.
    pub(crate) minutes: Vec<Vec<Cell>>,
}

impl HourRows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.minutes.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Values by the order in which they were met, each once.
struct List<T> {
    values: Vec<T>,
    numbers: HashMap<T, usize, FixedState>,
}

impl<T: Copy + Eq + Hash> List<T> {
    fn new() -> Self {
        Self { values: Vec::new(), numbers: HashMap::default() }
    }

    fn number(&mut self, value: T) -> usize {
        *self.numbers.entry(value).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }
}

/// Writes the rows of some minutes of one hour.
pub(crate) fn encode(minutes: &[&Minute], names: &SetNames, labels: usize) -> Vec<u8> {
    let cells = || minutes.iter().flat_map(|minute| (0..minute.len()).map(|index| minute.cell(index)));
    let (mut sets, mut scores, mut tags) = (List::new(), List::new(), List::new());
    let of_rows: Vec<(usize, usize)> =
        cells().map(|cell| (sets.number(cell.set), scores.number(cell.score.to_bits()))).collect();
    let of_sets: Vec<Vec<usize>> =
        sets.values.iter().map(|set| names.tags_of(*set).map(|tag| tags.number(tag)).collect()).collect();
    let mut bytes = begin(FORMAT, labels, &tags.values, &of_sets);
    let listed = if scores.values.len() <= SCORES_MAX { &scores.values[..] } else { &[] };
    put_number(&mut bytes, listed.len());
    listed.iter().for_each(|score| bytes.extend_from_slice(&score.to_le_bytes()));
    for number in 0..HOUR_MINUTES {
        let minute = minutes.iter().find(|minute| minute.number() % HOUR_MINUTES == number);
        put_number(&mut bytes, minute.map_or(0, |minute| minute.len()));
    }
    for minute in minutes {
        let mut last = 0;
        for index in 0..minute.len() {
            let millis = minute.cell(index).millis;
            put_number(&mut bytes, usize::from(millis - last));
            last = millis;
        }
    }
    let labels: Vec<u8> = cells().map(|cell| cell.label).collect();
    bytes.extend(labels.chunks(2).map(|pair| pair[0] | pair.get(1).map_or(0, |label| label << 4)));
    of_rows.iter().for_each(|(set, _)| put_number(&mut bytes, *set));
    for (cell, (_, score)) in cells().zip(&of_rows) {
        if listed.is_empty() {
            bytes.extend_from_slice(&cell.score.to_bits().to_le_bytes());
        } else {
            put_number(&mut bytes, *score);
        }
    }
    cells().for_each(|cell| bytes.extend_from_slice(&cell.place.to_le_bytes()));
    cells().for_each(|cell| bytes.extend_from_slice(&cell.hash.to_le_bytes()));
    bytes
}

/// Reads what [`encode`] wrote for a table with that many labels. The bytes may be anybody's: nothing is taken from them that
/// could not be a row, and no more memory than they are long times a small factor.
///
/// # Errors
/// [`HourError`]
pub fn decode(bytes: &[u8], labels: usize) -> Result<HourRows, HourError> {
    let mut reader = Reader::new(bytes, "beginning");
    let [format, of_labels] = reader.array()?;
    if format != FORMAT || usize::from(of_labels) != labels {
        return Err(HourError::Foreign);
    }
    let sets = reader.sets()?;
    reader.part = "scores";
    let scores = (0..reader.count(4)?).map(|_| reader.score()).collect::<Result<Vec<_>, _>>()?;
    reader.part = "minutes";
    let rows_of = (0..HOUR_MINUTES).map(|_| reader.count(ROW_BYTES_MIN)).collect::<Result<Vec<_>, _>>()?;
    let rows: usize = rows_of.iter().sum();
    if rows.saturating_mul(ROW_BYTES_MIN) > reader.left() {
        return Err(reader.broken().into());
    }
    let empty = Cell { place: 0, hash: 0, set: 0, score: f32::NAN, millis: 0, label: 0, is_hidden: false };
    let mut cells = vec![empty; rows];
    reader.part = "times";
    read_times(&mut reader, &rows_of, &mut cells)?;
    reader.part = "labels";
    let packed = reader.take(rows.div_ceil(2))?;
    for (index, cell) in cells.iter_mut().enumerate() {
        cell.label = packed[index / 2] >> (4 * (index % 2)) & 0xf;
        if usize::from(cell.label) >= labels {
            return Err(reader.broken().into());
        }
    }
    reader.part = "sets of rows";
    for cell in &mut cells {
        cell.set = u32::try_from(reader.index(sets.len())?).map_err(|_| reader.broken())?;
    }
    reader.part = "scores of rows";
    for cell in &mut cells {
        cell.score = if scores.is_empty() { reader.score()? } else { scores[reader.index(scores.len())?] };
    }
    reader.part = "keys";
    let (places, hashes) = (reader.take(rows * 8)?, reader.take(rows * 8)?);
    if reader.left() > 0 {
        return Err(reader.broken().into());
    }
    for ((cell, place), hash) in cells.iter_mut().zip(places.as_chunks().0).zip(hashes.as_chunks().0) {
        (cell.place, cell.hash) = (u64::from_le_bytes(*place), u64::from_le_bytes(*hash));
    }
    let mut left = &cells[..];
    let mut minutes = Vec::with_capacity(rows_of.len());
    for count in rows_of {
        let (of_minute, rest) = left.split_at(count);
        if !of_minute.is_sorted_by(|one, other| one.order() < other.order()) {
            return Err(reader.broken().into());
        }
        minutes.push(of_minute.to_vec());
        left = rest;
    }
    Ok(HourRows { sets, minutes })
}

fn read_times(reader: &mut Reader<'_>, rows_of: &[usize], cells: &mut [Cell]) -> Result<(), HourError> {
    let mut cells = cells.iter_mut();
    for count in rows_of {
        let mut millis = 0_usize;
        for cell in cells.by_ref().take(*count) {
            millis += reader.number()?;
            cell.millis =
                u16::try_from(millis).ok().filter(|at| u64::from(*at) < MINUTE_MILLIS).ok_or(reader.broken())?;
        }
    }
    Ok(())
}
