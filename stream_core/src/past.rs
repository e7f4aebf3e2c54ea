//! What a history says of hours that the window does not have whole any more: their sums, as they were kept.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use contract::limits;

use crate::filter::Filter;
use crate::hour::{HOUR_MINUTES, HourError};
use crate::minute::first_moment;
use crate::rollup::{Rollup, Sums};
use crate::shelf::{before_hour, hour_of};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

/// Old hours of a range, and what is known of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    hours: Range<u64>,
    known: BTreeMap<u64, Sums>,
}

impl Past {
    /// Those of a range that begins before the window, as far as they are kept and an answer reaches; none where it does not, or
    /// where nothing is kept. The hour in which the window begins is among them, unless it begins with it: the window lacks a part.
    #[must_use]
    pub fn of(snapshot: &Snapshot, from: Option<Timestamp>, to: Option<Timestamp>, keep: Option<Duration>) -> Self {
        let begin = snapshot.window_after().plus(Duration::from_millis(1));
        let (Some(from), Some(keep)) = (from.filter(|from| *from < begin), keep) else { return Self::default() };
        let to = to.unwrap_or(Timestamp::MAX);
        let newest = hour_of(to.before().min(snapshot.read_at));
        let kept = hour_of(snapshot.read_at.minus(keep));
        let first = hour_of(from).max(kept).max((newest + 1).saturating_sub(limits::HISTORY_HOURS_MAX));
        let end = hour_of(begin.before()).saturating_add(1).min(newest + 1);
        if to <= from || end <= first { Self::default() } else { Self { hours: first..end, known: BTreeMap::new() } }
    }

    /// Their numbers since 1970.
    #[must_use]
    pub fn hours(&self) -> Range<u64> {
        self.hours.clone()
    }

    /// First moment of the oldest; `None` where there is none.
    pub(crate) fn start(&self) -> Option<Timestamp> {
        (!self.hours.is_empty()).then(|| first_moment(self.hours.start * HOUR_MINUTES))
    }

    /// Takes what is kept of one of them, as far as a filter lets it through.
    ///
    /// # Errors
    /// [`HourError`] where the bytes are no sums of a table with that many labels.
    pub fn take(&mut self, hour: u64, bytes: &[u8], labels: usize, filter: &Filter) -> Result<(), HourError> {
        let sums = Rollup::decode(bytes, labels)?.sums(filter);
        if self.hours.contains(&hour) {
            self.known.insert(hour, sums);
        }
        Ok(())
    }

    /// What is known of the hour that a minute lies in.
    pub(crate) fn of_minute(&self, minute: u64) -> Option<&Sums> {
        self.known.get(&(minute / HOUR_MINUTES))
    }

    /// Ranges of which nothing is known, oldest first: the first moment and the one after the last. Of the newest hour the part that
    /// the window has is known.
    pub(crate) fn gaps(&self, window_after: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut gaps: Vec<(Timestamp, Timestamp)> = Vec::new();
        for hour in self.hours.clone().filter(|hour| !self.known.contains_key(hour)) {
            let start = before_hour(hour).plus(Duration::from_millis(1));
            let end = before_hour(hour + 1).min(window_after).plus(Duration::from_millis(1));
            match gaps.last_mut().filter(|(_, last)| *last == start) {
                Some((_, last)) => *last = end,
                None => gaps.push((start, end)),
            }
        }
        gaps
    }
}
