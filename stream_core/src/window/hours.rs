//! Hours of the window as bytes for other instances, and theirs in the place of what a read would have brought.

use super::{Window, window_until};
use crate::collected::Collected;
use crate::hour::{self, HOUR_MINUTES, HourRows};
use crate::minute::{Cell, Entry, Minute, first_moment};
use crate::moment::TimeRange;
use crate::timestamp::Timestamp;

impl Window {
    /// The rows of an hour, by its number since 1970, as far as they are of the window.
    #[must_use]
    pub fn hour_bytes(&self, hour: u64) -> Vec<u8> {
        let first = hour * HOUR_MINUTES;
        let minutes: Vec<&Minute> = (first..first + HOUR_MINUTES)
            .filter_map(|number| self.minutes.get(number))
            .map(|minute| &**minute)
            .collect();
        hour::encode(&minutes, &self.names(), self.labels)
    }

    /// Takes the rows of an hour that are of a range in place of what the window held there. Returns whether that was anything else.
    pub(crate) fn adopt(
        &mut self,
        hour: u64,
        rows: &HourRows,
        range: TimeRange,
        now: Timestamp,
        whole_after: Timestamp,
    ) -> bool {
        let first = hour * HOUR_MINUTES;
        let end = first_moment(first + HOUR_MINUTES).before().min(range.until);
        let range = TimeRange { after: range.after.max(first_moment(first).before()), until: end };
        let bounds = TimeRange { after: self.after(now).max(range.after), until: window_until(now).min(end) };
        let sets = self.hold_sets(rows);
        let of_window = |cell: &Cell| Cell { set: sets[cell.set as usize], ..*cell };
        let mut collected = Collected::default();
        let is_new = self.minutes.between(first_moment(first).before(), end).next().is_none();
        let mut is_any = false;
        for (number, cells) in (first..).zip(&rows.minutes) {
            let entries = cells.iter().map(|cell| Entry { cell: of_window(cell), row: None });
            if is_new {
                is_any |= self.put_new(number, entries.collect(), bounds);
            } else {
                entries.for_each(|entry| collected.push(number, entry));
            }
        }
        if is_new {
            self.settle_heads(&mut super::Changes::default());
            return is_any;
        }
        let is_any = self.replace(&[range], &mut collected, now, whole_after).is_any;
        self.discard(collected);
        is_any
    }

    /// Counts the sets of an hour as often as it has rows of them: most sets are those of many rows.
    fn hold_sets(&mut self, rows: &HourRows) -> Vec<u32> {
        let mut uses = vec![0_u32; rows.sets.len()];
        rows.minutes.iter().flatten().for_each(|cell| uses[cell.set as usize] += 1);
        // The number of a set that no row has is never looked at.
        let hold = |(tags, uses): (_, &u32)| if *uses == 0 { 0 } else { self.sets.hold_for(tags, *uses) };
        rows.sets.iter().map(|tags| &**tags).zip(&uses).map(hold).collect()
    }

    /// Puts in a minute of which the window has no row. Returns whether it has one now.
    fn put_new(&mut self, number: u64, mut entries: Vec<Entry>, bounds: TimeRange) -> bool {
        let at = |cell: &Cell| Timestamp::from_millis(first_moment(number).millis() + u64::from(cell.millis));
        entries.retain(|entry| {
            let is_inside = bounds.contains(at(&entry.cell));
            if !is_inside {
                self.sets.release(entry.cell.set);
            }
            is_inside
        });
        for entry in &mut entries {
            let spot = (at(&entry.cell), entry.cell.place);
            entry.cell.is_hidden = self.heads.as_mut().is_some_and(|heads| heads.meet(spot));
            self.tally(&entry.cell, true);
        }
        if entries.is_empty() {
            return false;
        }
        self.rows += entries.len();
        self.minutes.put(Minute::new(number, &entries, self.labels, false, None));
        true
    }
}
