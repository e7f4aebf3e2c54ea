//! The newest hours as they stand, which instances leave for those that start.
//!
//! Of these hours clients may ask for whole rows, so that every instance reads them from the table. Numbers need no whole rows: where
//! there are many, an instance shows its first ones with what another one has left of these hours, and reads their rows after that.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{PollSettings, limits};

use crate::minute::{MINUTE_MILLIS, first_moment, minute_of};
use crate::position::interval_after;
use crate::shelf::{Head, Kind, Write, before_hour, hour_of, since};
use crate::timestamp::Timestamp;

/// Age of what was seen from which on it is looked at again before anything is written.
const LOOK_AGE: Duration = Duration::from_secs(10);
/// Time from the end of an hour until the store may forget what was left of it while it was young.
const LIFE: Duration = Duration::from_secs(2 * 3600);

/// What an instance does for others next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing.
    Rest,
    /// It looks what is there.
    Look,
    /// It says that it is about to leave its hours.
    Claim,
    /// It leaves them.
    Leave,
}

/// What an instance knows of the young hours that are there.
#[derive(Debug)]
pub(crate) struct Young {
    writes: bool,
    /// Rows of the newest hours from which on they are left.
    rows_min: usize,
    /// Time between two writes; differs between instances, so that one comes before the others.
    every: Duration,
    heads: BTreeMap<u64, Head>,
    looked_at: Option<Timestamp>,
    is_claimed: bool,
}

impl Young {
    /// Knows nothing. `writes` and `share` as [`crate::shelf::Shelf::new`] takes them.
    pub(crate) fn new(writes: bool, share: f64) -> Self {
        Self {
            writes,
            rows_min: limits::YOUNG_ROWS_MIN,
            every: limits::YOUNG_EVERY.mul_f64(1.0 + share / 2.0),
            heads: BTreeMap::new(),
            looked_at: None,
            is_claimed: false,
        }
    }

    /// The same for a table with few rows.
    #[cfg(test)]
    pub(crate) fn set_rows_min(&mut self, rows_min: usize) {
        self.rows_min = rows_min;
    }

    /// Whether so many rows are worth it.
    pub(crate) const fn is_worth(&self, rows: usize) -> bool {
        self.rows_min <= rows
    }

    /// Notes what a look found.
    pub(crate) fn note_heads(&mut self, heads: Vec<Head>, now: Timestamp) {
        self.heads = heads.into_iter().map(|head| (head.hour, head)).collect();
        self.looked_at = Some(now);
    }

    /// What is there of an hour.
    pub(crate) fn head(&self, hour: u64) -> Option<&Head> {
        self.heads.get(&hour)
    }

    /// The moment after which the table has to be read so that with what was left of the newest hours, from `first` on, every row is
    /// there that any client was told of: whoever left them sees all of the late interval within `late_interval`, so that one which it
    /// had not seen came at most that long before, and was no older than the late window then. `None` where nothing can be used.
    pub(crate) fn read_after(&self, first: u64, poll: &PollSettings, now: Timestamp) -> Option<Timestamp> {
        let age_max = limits::YOUNG_AGE_MAX.min(poll.reconcile_interval.get());
        let is_usable = |head: &&Head| head.is_younger(age_max, now);
        let after = |read_at: Timestamp| {
            let seen = read_at.min(now).minus(limits::CLOCK_ERROR_MAX).minus(poll.late_interval.get());
            let after = interval_after(seen, poll.late_window.get());
            // Whole minutes, as rows are kept.
            first_moment(minute_of(after)).before()
        };
        let newest = self.heads.values().filter(is_usable).map(|head| head.read_at).max()?;
        let hours = first..=hour_of(after(newest));
        let read_at = |hour| self.heads.get(&hour).filter(is_usable).map(|head| head.read_at);
        let oldest = hours.map(read_at).try_fold(newest, |oldest, read_at| Some(oldest.min(read_at?)))?;
        let after = after(oldest);
        (before_hour(first).plus(Duration::from_millis(MINUTE_MILLIS)) < after).then_some(after)
    }

    /// What becomes of them next.
    pub(crate) fn turn(&self, now: Timestamp) -> Turn {
        if self.is_claimed {
            return Turn::Leave;
        }
        let known = self.heads.values().map(|head| head.read_at).filter(|at| *at <= now.plus(limits::CLOCK_ERROR_MAX));
        let is_due = known.max().is_none_or(|newest| since(newest, now) >= self.every);
        if !self.writes || !is_due || self.heads.values().any(|head| head.is_claimed(now)) {
            return Turn::Rest;
        }
        let has_looked = self.looked_at.is_some_and(|looked| looked <= now && since(looked, now) < LOOK_AGE);
        if has_looked { Turn::Claim } else { Turn::Look }
    }

    /// Says of the hour that is running that this instance is about to leave all of them.
    pub(crate) fn claim(&self, now: Timestamp) -> Write {
        let hour = hour_of(now);
        let there = self.heads.get(&hour);
        let head = there.cloned().unwrap_or_else(|| Head::nothing(Kind::Young, hour));
        Write::new(Head { claimed_until: now.plus(limits::HOUR_CLAIM), ..head }, Vec::new(), there, LIFE)
    }

    /// Leaves an hour as it was when the table was read. `None` where it is too large.
    pub(crate) fn leave(&self, hour: u64, bytes: Vec<u8>, after: Timestamp, read_at: Timestamp) -> Option<Write> {
        let head = Head { read_at, after, ..Head::nothing(Kind::Young, hour) };
        Write::of_bytes(head, bytes, self.heads.get(&hour), LIFE)
    }

    /// Notes that they are being left: whatever becomes of that, the claim lasts for a while.
    pub(crate) fn note_leaving(&mut self) {
        self.is_claimed = false;
    }

    /// Notes what became of a write: another instance may have been quicker.
    pub(crate) fn note_written(&mut self, write: &Write, is_done: bool) {
        if is_done {
            self.is_claimed |= write.head.claimed_until > Timestamp::EPOCH;
            self.heads.insert(write.head.hour, write.head.clone());
        } else {
            self.looked_at = None;
        }
    }
}
