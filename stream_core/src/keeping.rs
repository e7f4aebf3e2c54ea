//! Which hours an instance has read whole, and of which of them the sums are to be kept for longer than the window.
//!
//! An hour is due once it was read to its end, and again each time that it was read anew: what came late is in it then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::limits;

use crate::hour::{HOUR_MINUTES, Version};
use crate::minute::first_moment;
use crate::moment::TimeRange;
use crate::shelf::{Head, Kind, Write, before_hour, hour_of};
use crate::timestamp::Timestamp;

/// The hours of one instance.
#[derive(Debug)]
pub(crate) struct Keeping {
    keep: Duration,
    /// When each hour that is whole was read.
    read_at: BTreeMap<u64, Timestamp>,
    /// The reading up to which what is kept of an hour was seen to be as good.
    settled: BTreeMap<u64, Timestamp>,
    /// Hours whose sums were too large once: that is said once.
    too_large: BTreeSet<u64>,
}

/// What becomes of the sums of an hour.
#[derive(Debug, PartialEq)]
pub enum Kept {
    /// Nothing is to be written: what is there is as good.
    AsItIs,
    /// This is to be written.
    Anew(Write),
    /// They are more than [`limits::HOUR_BYTES_MAX`], and stay unwritten.
    TooLarge {
        /// What they are.
        bytes: usize,
        /// Whether they were so at an earlier reading.
        is_known: bool,
    },
}

impl Keeping {
    /// Knows nothing; sums are kept for so long after their hour.
    pub(crate) const fn new(keep: Duration) -> Self {
        Self { keep, read_at: BTreeMap::new(), settled: BTreeMap::new(), too_large: BTreeSet::new() }
    }

    /// Notes that a range was read, of which nothing later than `read_at` is complete.
    pub(crate) fn note_read(&mut self, range: TimeRange, read_at: Timestamp) {
        let first = hour_of(range.after);
        let end = hour_of(range.until.min(read_at).plus(Duration::from_millis(1)));
        for hour in (first..end).filter(|hour| range.after <= before_hour(*hour)) {
            self.note_hour(hour, read_at);
        }
    }

    /// Notes that an hour is as whoever read it then has left it.
    pub(crate) fn note_hour(&mut self, hour: u64, read_at: Timestamp) {
        let known = self.read_at.entry(hour).or_insert(read_at);
        *known = read_at.max(*known);
    }

    /// Forgets everything: a clock was wrong.
    pub(crate) fn forget(&mut self) {
        self.read_at.clear();
        self.settled.clear();
    }

    /// The oldest hours that are due, of those that the window has rows of to their beginning.
    pub(crate) fn due(&mut self, window_after: Timestamp) -> Vec<u64> {
        let is_whole = |hour: &u64| window_after <= before_hour(*hour);
        self.read_at.retain(|hour, _| is_whole(hour));
        self.settled.retain(|hour, _| is_whole(hour));
        self.too_large.retain(is_whole);
        let is_due =
            |(hour, read_at): &(&u64, &Timestamp)| self.settled.get(*hour).is_none_or(|settled| settled < *read_at);
        self.read_at.iter().filter(is_due).map(|(hour, _)| *hour).take(limits::ROLLUPS_PER_POLL).collect()
    }

    /// What is to be written of an hour, where `head` is there: nothing where that is the same, or was read later.
    pub(crate) fn write(&mut self, hour: u64, bytes: Vec<u8>, head: Option<&Head>, now: Timestamp) -> Kept {
        let Some(read_at) = self.read_at.get(&hour).copied() else { return Kept::AsItIs };
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= limits::HOUR_BYTES_MAX);
        let Some(length) = length else {
            return Kept::TooLarge { bytes: bytes.len(), is_known: !self.too_large.insert(hour) };
        };
        let version = Some(Version::of_kept(&bytes));
        // A time that is still to come is that of a clock that was wrong.
        let is_as_good = |head: &Head| {
            head.version == version || read_at <= head.read_at && head.read_at <= now.plus(limits::CLOCK_ERROR_MAX)
        };
        if head.is_some_and(is_as_good) {
            return Kept::AsItIs;
        }
        let expires = first_moment((hour + 1) * HOUR_MINUTES).plus(self.keep);
        let (after, claimed_until) = (before_hour(hour), Timestamp::EPOCH);
        Kept::Anew(Write {
            head: Head { kind: Kind::Sums, hour, version, bytes: length, read_at, after, claimed_until },
            seen: head.map(Head::seen),
            bytes,
            expires_at: expires.millis() / 1000,
        })
    }

    /// Notes that what is kept of an hour is as good as what was read until then.
    pub(crate) fn settle(&mut self, hour: u64) {
        if let Some(read_at) = self.read_at.get(&hour) {
            self.settled.insert(hour, *read_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 500_000;

    fn at(hour: u64, minute: u64) -> Timestamp {
        first_moment(hour * HOUR_MINUTES + minute)
    }

    fn range(after: Timestamp, until: Timestamp) -> TimeRange {
        TimeRange { after, until }
    }

    fn keeping() -> Keeping {
        Keeping::new(Duration::from_secs(400 * 24 * 3600))
    }

    #[test]
    fn an_hour_is_due_when_it_was_read_from_its_beginning_to_its_end() {
        let mut keeping = keeping();
        keeping.note_read(range(at(HOUR, 30), at(HOUR + 3, 20)), at(HOUR + 3, 15));
        assert_eq!(keeping.due(at(HOUR, 30)), [HOUR + 1, HOUR + 2]);
        // The window has left the beginning of one.
        assert_eq!(keeping.due(at(HOUR + 1, 0).before()), [HOUR + 1, HOUR + 2]);
        assert_eq!(keeping.due(at(HOUR + 1, 0)), [HOUR + 2]);
        let mut exact = self::keeping();
        exact.note_read(range(before_hour(HOUR), before_hour(HOUR + 1)), at(HOUR + 1, 0).before());
        assert_eq!(exact.due(Timestamp::EPOCH), [HOUR]);
        let mut early = self::keeping();
        early.note_read(range(before_hour(HOUR), at(HOUR + 1, 10)), at(HOUR + 1, 0).before().before());
        assert!(early.due(Timestamp::EPOCH).is_empty());
    }

    #[test]
    fn a_few_are_due_at_once_the_oldest_first_and_each_once_for_a_reading() {
        let mut keeping = keeping();
        let (day, until) = (range(before_hour(HOUR), at(HOUR + 23, 0)), at(HOUR + 23, 0));
        keeping.note_read(day, until);
        let mut met = Vec::new();
        loop {
            let due = keeping.due(Timestamp::EPOCH);
            assert!(due.len() <= limits::ROLLUPS_PER_POLL);
            if due.is_empty() {
                break;
            }
            due.iter().for_each(|hour| keeping.settle(*hour));
            met.extend(due);
        }
        assert_eq!(met, (HOUR..HOUR + 23).collect::<Vec<_>>());
        keeping.note_read(day, until);
        assert!(keeping.due(Timestamp::EPOCH).is_empty(), "it is the same reading");
        keeping.note_read(day, until.plus(Duration::from_millis(1)));
        assert_eq!(keeping.due(Timestamp::EPOCH)[0], HOUR);
        keeping.forget();
        assert!(keeping.due(Timestamp::EPOCH).is_empty());
    }

    #[test]
    fn what_was_read_later_stays_and_what_is_the_same_is_not_written() {
        let mut keeping = keeping();
        let (read, now) = (at(HOUR + 2, 0), at(HOUR + 2, 5));
        keeping.note_hour(HOUR, read);
        let write = |kept: Kept| match kept {
            Kept::Anew(write) => Some(write),
            _ => None,
        };
        let first = write(keeping.write(HOUR, vec![1], None, now)).unwrap();
        assert_eq!((first.seen, first.head.bytes, first.head.read_at), (None, 1, read));
        assert_eq!(first.expires_at, (HOUR + 1) * 3600 + 400 * 24 * 3600);
        let other = |read_at| Head { version: Some(Version::of_kept(&[2])), read_at, ..first.head.clone() };
        let mut write = |head: &Head| write(keeping.write(HOUR, vec![1], Some(head), now)).map(|write| write.seen);
        assert_eq!(write(&first.head), None, "it is the same");
        assert_eq!(write(&other(read)), None, "of the same moment");
        assert_eq!(write(&other(read.plus(Duration::from_millis(1)))), None, "read later");
        let older = other(read.before());
        assert_eq!(write(&older), Some(Some(older.seen())));
        let absurd = other(now.plus(Duration::from_secs(7200)));
        assert_eq!(write(&absurd), Some(Some(absurd.seen())), "of a clock that was wrong");
        assert_eq!(keeping.write(HOUR + 1, vec![1], None, now), Kept::AsItIs, "it was not read");
    }

    #[test]
    fn an_hour_that_is_too_large_is_news_once() {
        let mut keeping = keeping();
        let (read, now) = (at(HOUR + 2, 0), at(HOUR + 2, 5));
        keeping.note_hour(HOUR, read);
        keeping.note_hour(HOUR + 1, read);
        let mut write = |hour, bytes| keeping.write(hour, vec![0; bytes], None, now);
        let bytes = limits::HOUR_BYTES_MAX + 1;
        assert!(matches!(write(HOUR, limits::HOUR_BYTES_MAX), Kept::Anew(_)));
        assert_eq!(write(HOUR, bytes), Kept::TooLarge { bytes, is_known: false });
        assert_eq!(write(HOUR, bytes + 7), Kept::TooLarge { bytes: bytes + 7, is_known: true });
        assert_eq!(write(HOUR + 1, bytes), Kept::TooLarge { bytes, is_known: false });
        keeping.due(at(HOUR + 1, 0).before());
        assert_eq!(keeping.too_large, BTreeSet::from([HOUR + 1]), "the window has left one");
    }
}
