//! Sums of hours that outlive the window: what a journal has to leave of them, and when.

use std::time::Duration;

use super::Journal;
use crate::keeping::{Keeping, Kept};
use crate::moment::TimeRange;
use crate::reading::Reading;
use crate::rollup::Rollup;
use crate::shelf::{Head, Kind, Scope, before_hour};

impl Journal {
    /// Keeps sums of hours for so long after their end.
    #[must_use]
    pub fn keeping(self, keep: Duration) -> Self {
        Self { keeping: Some(Keeping::new(keep)), ..self }
    }

    /// Which sums are of its kind.
    #[must_use]
    pub fn rollup_scope(&self) -> Scope {
        Scope::of(Kind::Sums, &self.data)
    }

    /// Notes which hours are as the table has them, now that a reading of older rows is done. The rest of the window ends where
    /// what is newer began, which was read with it.
    pub(super) fn note_whole(&mut self, reading: &Reading) {
        let (planned, is_rest) = (reading.planned.wall, self.is_rest);
        let thin = self.thin().filter(|_| !self.is_loaded);
        let Some(keeping) = &mut self.keeping else { return };
        for range in reading.ranges.iter().filter(|range| thin.is_none_or(|thin| thin.after != range.after)) {
            let until = if is_rest { planned } else { range.until };
            keeping.note_read(TimeRange { after: range.after, until }, planned);
        }
    }

    /// Notes that an hour is as another instance has left it.
    pub(super) fn note_taken(&mut self, head: &Head) {
        let keeping = self.keeping.as_mut().filter(|_| head.after <= before_hour(head.hour));
        keeping.into_iter().for_each(|keeping| keeping.note_hour(head.hour, head.read_at));
    }

    /// Forgets what was read when: a clock was wrong.
    pub(super) fn forget_readings(&mut self) {
        self.keeping.iter_mut().for_each(Keeping::forget);
    }

    /// The hours whose sums are to be written now, if what is there of them is not as good. Empty while the window is not whole.
    pub fn due_rollups(&mut self) -> Vec<u64> {
        let Some(last) = self.last_read.filter(|_| self.is_loaded) else { return Vec::new() };
        let after = self.window.after(last);
        self.keeping.as_mut().map(|keeping| keeping.due(after)).unwrap_or_default()
    }

    /// What is to be written of an hour, where this is there of it.
    #[must_use]
    pub fn rollup(&mut self, hour: u64, head: Option<&Head>) -> Kept {
        let (Some(keeping), Some(last)) = (&mut self.keeping, self.last_read) else { return Kept::AsItIs };
        let minutes = self.window.minutes().between(before_hour(hour), before_hour(hour + 1));
        let rollup = Rollup::of(minutes, &self.window.names(), self.data.labels.as_slice().len());
        keeping.write(hour, rollup.encode(), head, last)
    }

    /// Notes that what is there of an hour is as good as what was read of it.
    pub fn settled_rollup(&mut self, hour: u64) {
        self.keeping.iter_mut().for_each(|keeping| keeping.settle(hour));
    }
}
