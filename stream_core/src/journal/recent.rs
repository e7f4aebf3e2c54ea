//! What is new and what may be late: which of it a poll reads, and what becomes of it.

use std::time::Duration;

use super::Journal;
use crate::moment::{Now, TimeRange};
use crate::position::interval_after;
use crate::reading::Reading;
use crate::shelf::since;
use crate::sweep::{Ranges, second_before};
use crate::window::{Changes, window_until};

/// Time that labels may be read apart without anything being left for the next poll.
const APART_MAX: Duration = Duration::from_secs(1);

impl Journal {
    /// Says which range is new, and begins to read the next part of the late interval, unless all of it costs little.
    pub(super) fn plan_recent(&mut self, planned: Now, is_due: bool) -> TimeRange {
        let (wall, late_window) = (planned.wall, self.poll.late_window.get());
        let until = window_until(wall);
        // No later than the last read began, either: a label that was read last may have had newer rows than the others were asked for, as
        // has a writer whose clock is ahead.
        let seen = self.tracker.position().watermark.min(wall).min(self.last_read.unwrap_or(wall));
        // With everything that may still be an update: what a re-read finds beyond is in the numbers only.
        let low = if is_due { interval_after(seen, late_window) } else { seen.minus(late_window) };
        let low = second_before(low.max(self.window.after(wall)));
        let whole = TimeRange { after: low, until };
        let elapsed = self.last_recent.map(|last| planned.instant.saturating_duration_since(last));
        let labels = self.data.labels.as_slice().len();
        let is_quiet = self.cost.is_quiet(self.window.rows_about(whole), labels);
        let elapsed = elapsed.filter(|_| !is_due && !is_quiet && !self.is_baseline);
        let Ranges { new, part } = self.sweep.plan(whole, seen, elapsed, self.late.is_some());
        self.settles_in = if new == whole { Duration::ZERO } else { self.poll.late_interval.get() };
        if let Some(open) = self.late.take_if(|_| new == whole) {
            self.window.discard(open.collected);
        }
        if let Some(part) = part {
            self.late = Some(Reading::new(planned, vec![part], labels));
        }
        new
    }

    /// Takes what is new. Where one label was read long after another, what came in between is known of some labels only: it waits for
    /// the next poll, which has it of all of them, so that it is told in order and no watermark is ahead of rows that were not asked for.
    pub(super) fn apply_new(&mut self, mut recent: Reading, now: Now) {
        let planned = recent.planned;
        if planned.wall.plus(APART_MAX) < now.wall {
            let halves = |range: &TimeRange| {
                let (until, after) = (range.until.min(planned.wall), range.after.max(now.wall));
                [TimeRange { until, ..*range }, TimeRange { after, ..*range }]
            };
            recent.ranges = recent.ranges.iter().flat_map(halves).filter(|range| range.after < range.until).collect();
        }
        self.read_before = self.last_read.replace(planned.wall);
        self.last_recent = Some(planned.instant);
        if self.late.is_none() {
            self.sweep.done();
        }
        self.apply(recent, planned);
        self.is_baseline = false;
    }

    /// Takes a part of the late interval. What it was planned for may be some polls ago.
    pub(super) fn apply_late(&mut self, late: Reading) {
        self.sweep.done();
        let planned = late.planned;
        let instant = self.last_recent.unwrap_or(planned.instant);
        self.apply(late, Now { instant, wall: self.last_read.unwrap_or(planned.wall) });
    }

    fn apply(&mut self, mut read: Reading, planned: Now) {
        let (wall, whole_after) = (planned.wall, self.whole_after());
        let changes = self.window.replace(&read.ranges, &mut read.collected, wall, whole_after);
        self.window.discard(read.collected);
        self.is_dirty |= changes.is_any;
        self.settle_watermark(wall);
        self.note_disorder(&changes, planned);
        self.missing.note(&changes.removed, planned, &self.tracker);
        for row in &changes.replaced {
            self.tracker.forget(row.item.at, row.key);
            self.missing.remember_gone(row, None);
        }
        self.take_all(changes);
        self.tidy(planned);
    }

    /// Notes how far behind the watermark rows have come, and lets ids leave out what they cannot tell apart of the next ones. Not
    /// where that is more than a client is repeated.
    fn note_disorder(&mut self, changes: &Changes, planned: Now) {
        if self.is_baseline {
            return;
        }
        let watermark = self.tracker.position().watermark;
        let told_after = interval_after(watermark, self.poll.late_window.get());
        let times = changes.added.iter().filter(|added| !added.is_hidden).map(|added| added.row.item.at);
        let late = times.filter(|at| told_after < *at && *at <= watermark);
        self.disorder.note(planned.instant, late.map(|at| since(at, watermark)));
        let level = self.disorder.level(planned.instant, self.poll.poll_interval.get());
        let most = usize::try_from(self.poll.replay_events.get()).unwrap_or(usize::MAX) / 2;
        let is_told = self.tracker.updates_in_tail(level, most) < most;
        self.tracker.set_tail(if is_told { level } else { 0 });
    }
}
