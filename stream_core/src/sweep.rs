//! Which part of the late interval a poll reads again. A busy table's whole interval is too much for every poll; it is swept
//! instead, from its newest rows to its oldest and over again, fast enough that each part is read once in the late interval.

use std::time::Duration;

use contract::limits;

use crate::moment::TimeRange;
use crate::timestamp::Timestamp;

/// Read units of a row until they are known: 200 bytes, eventually consistent.
const UNITS_PER_ROW: f64 = 0.5 * 200.0 / 4096.0;
/// Read units of a label's query that a quiet table may cost: half a unit is 4 KB.
const QUIET_UNITS: f64 = limits::QUIET_QUERY_BYTES as f64 / 8192.0;
/// Rows of a page from which on it tells what a row costs; below, the minimum of half a unit does.
const TELLING_ROWS: usize = 50;

/// The last millisecond before the second that a time lies in: bounds that the table can be asked for exactly, where its times
/// are written to the second and in UTC. Of other forms the store asks for more than the range and leaves out what is beside
/// it (`TimeForms::bounds`), so that this margin holds for every form it knows.
#[must_use]
pub(crate) fn second_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.floor_second().millis().saturating_sub(1))
}

/// What a row costs to read.
#[derive(Debug)]
pub(crate) struct Cost {
    units_per_row: f64,
}

impl Default for Cost {
    fn default() -> Self {
        Self { units_per_row: UNITS_PER_ROW }
    }
}

impl Cost {
    /// Learns from a page.
    pub(crate) fn observe(&mut self, rows: usize, units: f64) {
        if rows >= TELLING_ROWS && units > 0.0 {
            #[expect(clippy::cast_precision_loss, reason = "a page holds at most a megabyte of rows")]
            let seen = units / rows as f64;
            self.units_per_row = 0.8 * self.units_per_row + 0.2 * seen;
        }
    }

    /// Whether that many rows cost no more when they are read in one query of each label than two queries cost at least
    /// ([`limits::QUIET_QUERY_BYTES`]): then reading only a part of them saves nothing.
    pub(crate) fn is_quiet(&self, rows: usize, labels: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let (rows, labels) = (rows as f64, labels as f64);
        rows * self.units_per_row <= labels * QUIET_UNITS
    }
}

/// What a poll reads, its newest range first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ranges {
    /// What is new, and what of the late interval touches it or costs nothing.
    pub(crate) new: TimeRange,
    /// Where the sweep is, if that is further back: it waits until what is new was told.
    pub(crate) part: Option<TimeRange>,
}

/// Where the sweep is.
#[derive(Debug)]
pub(crate) struct Sweep {
    late_window: Duration,
    late_interval: Duration,
    /// Everything after this moment has been read in this round.
    swept_to: Option<Timestamp>,
    /// The same once what was planned is read.
    planned: Option<Timestamp>,
}

impl Sweep {
    /// Starts at the newest rows of an interval of so long, of which each part is read once in the other.
    pub(crate) const fn new(late_window: Duration, late_interval: Duration) -> Self {
        Self { late_window, late_interval, swept_to: None, planned: None }
    }

    /// Plans a poll: rows since `new_after`, less the margin, and one part of the late interval, which with what is new makes `whole`.
    /// `elapsed` is the time since the last poll; without it, or where it is too long to leave anything out, the whole interval is read.
    /// A part that is still being read goes on and takes the place of the next one.
    pub(crate) fn plan(
        &mut self,
        whole: TimeRange,
        new_after: Timestamp,
        elapsed: Option<Duration>,
        is_part_open: bool,
    ) -> Ranges {
        let open = self.planned.take();
        let (low, late_interval) = (whole.after, self.late_interval);
        let new_after = second_before(new_after.minus(limits::FRESH_MARGIN));
        // One poll less than there are in the late interval, because a row may have come just after its part was read.
        let share = elapsed.filter(|elapsed| *elapsed * 2 < late_interval);
        let share = share.map(|elapsed| elapsed.as_secs_f64() / (late_interval - elapsed).as_secs_f64());
        let Some(share) = share.filter(|_| low < new_after) else { return Ranges { new: whole, part: None } };
        let new = TimeRange { after: new_after, ..whole };
        if is_part_open {
            self.planned = open;
            return Ranges { new, part: None };
        }
        let top = self.swept_to.filter(|swept| low < *swept && *swept <= new_after).unwrap_or(new_after);
        let bottom = second_before(top.minus(self.late_window.mul_f64(share))).max(low);
        self.planned = Some(bottom).filter(|bottom| low < *bottom);
        if top == new_after {
            return Ranges { new: TimeRange { after: bottom, ..whole }, part: None };
        }
        let part = TimeRange { after: bottom, until: top };
        Ranges { new, part: Some(part) }
    }

    /// Notes that what was planned has been read.
    pub(crate) const fn done(&mut self) {
        self.swept_to = self.planned.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_read_again_within_the_late_interval() {
        let (late_window, late_interval) = (Duration::from_secs(600), Duration::from_secs(60));
        for poll_secs in [1, 5, 7, 20, 29] {
            let poll = Duration::from_secs(poll_secs);
            let mut sweep = Sweep::new(late_window, late_interval);
            let mut now = Timestamp::from_millis(1_800_000_000_000);
            // When each second was read last.
            let mut read = std::collections::BTreeMap::new();
            for _ in 0..400 {
                let whole = TimeRange { after: second_before(now.minus(late_window)), until: now };
                let ranges = sweep.plan(whole, now.minus(poll), Some(poll), false);
                sweep.done();
                for range in std::iter::once(ranges.new).chain(ranges.part) {
                    assert_eq!(range.after.millis() % 1000, 999);
                    for second in range.after.millis() / 1000 + 1..=range.until.millis() / 1000 {
                        read.insert(second, now);
                    }
                }
                let oldest = now.minus(late_window).millis() / 1000 + 1;
                for (second, last) in read.range(oldest..) {
                    let since = now.millis() - last.millis();
                    assert!(since + poll_secs * 1000 <= 60_000 + 1000, "{second} {since} at a poll of {poll_secs}");
                }
                now = now.plus(poll);
            }
        }
    }

    #[test]
    fn the_whole_interval_is_read_where_nothing_can_be_left_out() {
        let at = |secs: u64| Timestamp::from_millis(1_800_000_000_000 + secs * 1000);
        let whole = TimeRange { after: second_before(at(0)), until: at(900) };
        let secs = Duration::from_secs;
        let mut sweep = Sweep::new(secs(600), secs(60));
        let mut plan = |new_after, elapsed| sweep.plan(whole, at(new_after), elapsed, false);
        let all = Ranges { new: whole, part: None };
        assert_eq!(plan(590, None), all);
        assert_eq!(plan(590, Some(secs(30))), all, "a poll that is too long");
        assert_eq!(plan(10, Some(secs(5))), all, "an interval within the margin");
        assert_ne!(plan(590, Some(secs(5))), all);
    }

    #[test]
    fn a_part_that_is_still_being_read_is_the_part_of_the_next_poll_too() {
        let at = |secs: u64| Timestamp::from_millis(1_800_000_000_000 + secs * 1000);
        let (whole, poll) = (TimeRange { after: second_before(at(0)), until: at(900) }, Duration::from_secs(5));
        let mut sweep = Sweep::new(Duration::from_secs(600), Duration::from_secs(60));
        assert_eq!(sweep.plan(whole, at(590), Some(poll), false).part, None, "it begins with what is new");
        sweep.done();
        let part = sweep.plan(whole, at(590), Some(poll), false).part.unwrap();
        let Ranges { new, part: next } = sweep.plan(whole, at(595), Some(poll), true);
        assert_eq!((new.after, next), (second_before(at(580)), None), "what is new alone");
        sweep.done();
        let next = sweep.plan(whole, at(600), Some(poll), false).part.unwrap();
        assert_eq!(next.until, part.after, "the part was read");
    }

    #[test]
    fn a_table_is_quiet_while_one_query_costs_no_more_than_two() {
        let mut cost = Cost::default();
        assert!(cost.is_quiet(122, 3) && !cost.is_quiet(123, 3));
        for _ in 0..50 {
            cost.observe(1000, 500.0);
            cost.observe(1, 0.5);
        }
        assert!(cost.is_quiet(5, 3) && !cost.is_quiet(7, 3));
    }
}
