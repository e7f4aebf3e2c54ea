//! The newest hours as others have left them, for the first numbers; their rows are read after that. And what is left of them.

use super::Journal;
use super::load::{Load, MILLISECOND, Thin};
use crate::moment::{Now, TimeRange};
use crate::position::{Position, interval_after};
use crate::reading::Reading;
use crate::shelf::{Errand, Head, Kind, before_hour, hour_of};
use crate::sweep::second_before;
use crate::window::window_until;
use crate::young::Turn;

impl Journal {
    /// Leaves and takes the newest hours from so many rows on.
    #[cfg(test)]
    pub(crate) fn young_from(mut self, rows: usize) -> Self {
        self.sharing.iter_mut().for_each(|sharing| sharing.young.set_rows_min(rows));
        self
    }

    /// Whether rows of the newest hours are still to be read, of which the numbers are known.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        self.is_loaded && self.thin().is_some()
    }

    pub(super) fn thin(&self) -> Option<Thin> {
        self.sharing.as_ref().and_then(|sharing| sharing.thin)
    }

    /// Takes the heads of the newest hours that a look found. Where they can be used, less is read from the table at first.
    pub(super) fn looked_for_young(&mut self, heads: Vec<Head>) {
        let labels = self.data.labels.as_slice().len();
        let Some((now, sharing)) = self.sharing.as_mut().and_then(|sharing| Some((sharing.now?, sharing))) else {
            return;
        };
        sharing.young.note_heads(heads, now.wall);
        if !matches!(sharing.load, Load::LookingYoung) {
            return;
        }
        sharing.load = Load::Newest;
        let Some(range) = self.older.as_ref().and_then(|older| older.ranges.first().copied()) else { return };
        let first = hour_of(range.after.plus(MILLISECOND));
        let Some(after) = sharing.young.read_after(first, &self.poll, now.wall) else { return };
        sharing.thin = Some(Thin { first, after, read: now });
        let newest = Reading::new(now, vec![TimeRange { after, ..range }], labels);
        if let Some(all) = self.older.replace(newest) {
            self.window.discard(all.collected);
        }
    }

    /// Takes the newest hours from the table after all, unless what was read of them reaches as far back as positions do.
    pub(super) fn settle_thin(&mut self) {
        let late_window = self.poll.late_window.get();
        let Position { watermark, .. } = self.tracker.position();
        let Some(sharing) = self.sharing.as_mut().filter(|sharing| matches!(sharing.load, Load::Newest)) else {
            return;
        };
        sharing.thin = sharing.thin.filter(|thin| thin.after <= interval_after(watermark, late_window));
    }

    /// Begins to read the rows of the newest hours of which only the columns are there, now that the numbers are shown.
    pub(super) fn read_thin(&mut self) {
        let Some(Thin { first, after, read }) = self.thin() else { return };
        let window = second_before(self.window.after(read.wall));
        let range = TimeRange { after: before_hour(first).max(window), until: after };
        self.is_rest = true;
        self.older = Some(Reading::new(read, vec![range], self.data.labels.as_slice().len()));
    }

    /// What a window that is whole leaves of the newest hours.
    pub(super) fn share_young(&mut self, now: Now) -> Vec<Errand> {
        let (first, last) = (self.border(), hour_of(now.wall));
        let window_after = second_before(self.window.after(now.wall));
        let Some(sharing) = &mut self.sharing else { return Vec::new() };
        let (turn, read_at) = (sharing.young.turn(now.wall), self.last_read.unwrap_or(now.wall));
        let newest = TimeRange { after: before_hour(first), until: window_until(now.wall) };
        if turn == Turn::Rest || !sharing.young.is_worth(self.window.rows_about(newest)) {
            return Vec::new();
        }
        match turn {
            Turn::Rest => Vec::new(),
            Turn::Look => vec![Errand::Look { kind: Kind::Young, from: first, to: last }],
            Turn::Claim => vec![Errand::Claim(sharing.young.claim(now.wall))],
            Turn::Leave => {
                sharing.young.note_leaving();
                let after = |hour| before_hour(hour).max(window_after);
                let leave = |hour| sharing.young.leave(hour, self.window.hour_bytes(hour), after(hour), read_at);
                (first..=last).filter_map(leave).map(Errand::Leave).collect()
            }
        }
    }
}
