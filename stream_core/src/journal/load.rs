//! How far a journal is that takes hours from others: what its load reads from the table next.

use std::time::Duration;

use crate::moment::{Now, TimeRange};
use crate::shelf::{Head, Next, Shelf, before_hour, hour_of};
use crate::timestamp::Timestamp;
use crate::young::Young;

/// From the last moment that is not of a range to the first that is.
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// How far the hours are that this instance shares with others.
#[derive(Debug)]
pub(super) struct Sharing {
    pub(super) shelf: Shelf,
    pub(super) load: Load,
    /// The poll that is going on, or was the last.
    pub(super) now: Option<Now>,
    pub(super) young: Young,
    /// Where the newest hours were taken from there: as long as their rows are still to be read.
    pub(super) thin: Option<Thin>,
}

/// A window whose newest hours are not rows of the table yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thin {
    /// The first of these hours.
    pub(super) first: u64,
    /// All after this moment was read from the table.
    pub(super) after: Timestamp,
    /// When that was planned.
    pub(super) read: Now,
}

/// How far a load is that takes hours from others.
#[derive(Debug)]
pub(super) enum Load {
    /// It is to be asked which hours there are.
    Looking,
    /// The same of the newest hours: there are many rows.
    LookingYoung,
    /// The newest rows are read from the table: those that must be whole.
    Newest,
    /// Hours are taken, those first that are there; the others are read, newest first.
    Taking { there: Vec<Head>, unread: Vec<u64> },
    /// Nothing is taken any more: the window is whole once what is being read is there.
    Whole,
}

impl Sharing {
    /// Rows of the newest hour up to that moment that can be taken from the shelf, roughly; `None` where none can.
    pub(super) fn newest_rows(&self, end: Timestamp, until: Timestamp, planned: Now) -> Option<usize> {
        let rows = |hour| match self.shelf.first(hour, end, planned.wall) {
            Next::Adopt(head) => Some(head.rows()),
            _ => None,
        };
        (hour_of(end.plus(MILLISECOND))..=hour_of(until)).rev().find_map(rows)
    }

    /// What a load reads from the table next, when all after `read` is there; `None` where the shelf is asked first, or where
    /// the window is whole.
    pub(super) fn next_stretch(
        &mut self,
        read: Timestamp,
        end: Timestamp,
        planned: Now,
        is_enough: bool,
    ) -> Option<TimeRange> {
        match &mut self.load {
            Load::Newest if read <= end => {
                self.load = Load::Whole;
                None
            }
            Load::Newest if !is_enough => {
                // Twice as far back each time: where nothing happens there is little to read.
                let length = Duration::from_millis(planned.wall.millis().saturating_sub(read.millis()));
                let after = before_hour(hour_of(read.minus(length))).max(end);
                Some(TimeRange { after, until: read })
            }
            Load::Newest => {
                let (mut there, mut unread) = (Vec::new(), Vec::new());
                for hour in (hour_of(end.plus(MILLISECOND))..=hour_of(read)).rev() {
                    let is_young = self.thin.is_some_and(|thin| thin.first <= hour);
                    match self.shelf.first(hour, end, planned.wall) {
                        _ if is_young => there.extend(self.young.head(hour).cloned()),
                        Next::Adopt(head) => there.push(head),
                        _ => unread.push(hour),
                    }
                }
                self.load = Load::Taking { there, unread };
                self.next_stretch(read, end, planned, is_enough)
            }
            Load::Taking { there, unread } if there.is_empty() => {
                let Some(newest) = unread.first().copied() else {
                    self.load = Load::Whole;
                    return None;
                };
                let hours = unread.iter().zip((0..=newest).rev()).take_while(|(hour, next)| **hour == *next).count();
                let oldest = unread[hours - 1];
                unread.drain(..hours);
                let until = before_hour(newest + 1).min(self.thin.map_or(Timestamp::MAX, |thin| thin.after));
                Some(TimeRange { after: before_hour(oldest).max(end), until })
            }
            Load::Looking | Load::LookingYoung | Load::Taking { .. } | Load::Whole => None,
        }
    }
}
