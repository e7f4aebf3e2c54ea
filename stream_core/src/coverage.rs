//! What a read covers: which minutes, and of which times it says whether a row is there.

use std::time::Duration;

use crate::minute::{Cell, first_moment, minute_of};
use crate::moment::TimeRange;
use crate::timestamp::Timestamp;

/// The minutes that some ranges touch, as first and last number, each once.
pub(crate) fn spans(ranges: &[TimeRange]) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = ranges
        .iter()
        .filter(|range| range.after < range.until)
        // The first moment that is read, so that nothing is taken of a minute that is still being read.
        .map(|range| (minute_of(range.after.plus(Duration::from_millis(1))), minute_of(range.until)))
        .collect();
    spans.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (from, until) in spans {
        match merged.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(until),
            None => merged.push((from, until)),
        }
    }
    merged
}

/// What a read covers.
pub(crate) struct Touching<'a> {
    pub(crate) ranges: &'a [TimeRange],
    pub(crate) bounds: TimeRange,
    pub(crate) whole_after: Timestamp,
}

impl Touching<'_> {
    pub(crate) fn at(number: u64, cell: &Cell) -> Timestamp {
        Timestamp::from_millis(first_moment(number).millis() + u64::from(cell.millis))
    }

    /// Whether the read says of a row of that time whether it is there.
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.ranges.iter().any(|range| range.contains(at))
    }

    /// Whether a row that was read is of the window.
    pub(crate) fn reads(&self, number: u64, cell: &Cell) -> bool {
        let at = Self::at(number, cell);
        self.covers(at) && self.bounds.contains(at)
    }
}
