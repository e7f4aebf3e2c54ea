//! The pure half of the hub: says which pages to read next, takes what was read, numbers what is new.

mod disorder;
mod keeping;
mod load;
mod recent;
mod sharing;
mod young;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use contract::{DataSettings, PollSettings};

use crate::cursor::Epoch;
use crate::event::{self, MetricsFrame};
use crate::item::{Item, Row};
use crate::keeping::Keeping;
use crate::missing::Missing;
use crate::moment::{Now, TimeRange};
use crate::numbers::Numbers;
use crate::position::{Position, Tracker, idle_at, interval_after};
use crate::reading::{PageRequest, PageStart, Progress, Reading};
use crate::report::Due;
use crate::sketch::Sketch;
use crate::snapshot::Snapshot;
use crate::sweep::{Cost, Sweep};
use crate::time_forms::TextOrder;
use crate::times::Times;
use crate::timestamp::Timestamp;
use crate::updates::{Kept, Update};
use crate::window::{Added, Changes, WHOLE_ROWS_MIN, Window, window_until};

use self::disorder::Disorder;
use load::{Load, Sharing};

/// A clock that went back by less than this is taken to stand still: adjusting clocks is no reason for a full re-read.
const CLOCK_SLACK: Duration = Duration::from_secs(1);
/// A watermark so far in the future can only come from a clock that was wrong; it is worked out anew.
const ABSURD: Duration = Duration::from_secs(2 * 3600);

/// All that an instance knows of the table.
#[derive(Debug)]
pub struct Journal {
    data: Arc<DataSettings>,
    epoch: Epoch,
    poll: PollSettings,
    window: Window,
    tracker: Tracker,
    disorder: Disorder,
    /// Number of the next update when a row last came so late that it was only counted.
    untold_before: u64,
    /// Within which time every row of the late interval is read again.
    settles_in: Duration,
    missing: Missing,
    updates: Kept,
    snapshots: u64,
    /// What is new.
    recent: Option<Reading>,
    /// The next part of the rows that may be late, where it is read by itself.
    late: Option<Reading>,
    /// The rest of the window: read before anything is published, and again at every reconciliation.
    older: Option<Reading>,
    /// Whether the window was whole once.
    is_loaded: bool,
    /// Whether what is found was there before anybody was told anything.
    is_baseline: bool,
    sweep: Sweep,
    cost: Cost,
    text_order: TextOrder,
    last_read: Option<Timestamp>,
    /// The read before that.
    read_before: Option<Timestamp>,
    last_recent: Option<Instant>,
    last_full: Option<Instant>,
    /// Whether anything changed that was not published.
    is_dirty: bool,
    published: Option<(Position, Arc<Numbers>)>,
    /// Where hours are shared with other instances.
    sharing: Option<Sharing>,
    /// Where sums of hours are kept for longer than the window.
    keeping: Option<Keeping>,
    /// Whether `older` is all that `recent` was not, as it began.
    is_rest: bool,
}

impl Journal {
    /// Starts knowing nothing.
    #[must_use]
    pub fn new(data: DataSettings, poll: PollSettings) -> Self {
        let late_window = poll.late_window.get();
        let text_order = TextOrder::new(Times::of(&data));
        let tags_max = usize::try_from(data.tags_max.get()).unwrap_or(usize::MAX);
        Self {
            epoch: Epoch::of(&data, late_window),
            window: Window::new(data.labels.as_slice().len(), data.window.get(), tags_max, data.identity),
            tracker: Tracker::new(late_window, Position::ORIGIN, (Sketch::EMPTY, 0), []),
            disorder: Disorder::default(),
            untold_before: 0,
            settles_in: Duration::ZERO,
            data: Arc::new(data),
            sweep: Sweep::new(late_window, poll.late_interval.get()),
            poll,
            missing: Missing::default(),
            updates: Kept::default(),
            snapshots: 0,
            recent: None,
            late: None,
            older: None,
            is_loaded: false,
            is_baseline: true,
            cost: Cost::default(),
            text_order,
            last_read: None,
            read_before: None,
            last_recent: None,
            last_full: None,
            is_dirty: false,
            published: None,
            sharing: None,
            keeping: None,
            is_rest: false,
        }
    }

    /// Epoch of the ids.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Begins a poll: plans what to read, unless a reading is unfinished, which goes on.
    pub fn begin(&mut self, now: Now) {
        let labels = self.data.labels.as_slice().len();
        if !self.is_loaded {
            if self.older.is_none() {
                let range = TimeRange { after: self.load_after(now), until: window_until(now.wall) };
                self.older = Some(Reading::new(now, vec![range], labels));
            }
            return;
        }
        if self.recent.is_some() {
            return;
        }
        let planned = Now { wall: self.steady(now.wall), ..now };
        let is_due = self.is_reconciliation_due(planned);
        let new = self.plan_recent(planned, is_due);
        if is_due {
            if self.has_stepped_back(planned) {
                self.forget_readings();
            }
            let rest = TimeRange { after: self.rest_after(planned), until: new.after };
            self.is_rest = true;
            if let Some(unfinished) = self.older.replace(Reading::new(planned, vec![rest], labels)) {
                self.window.discard(unfinished.collected);
            }
            self.last_full = Some(planned.instant);
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.now = Some(planned);
        }
        self.recent = Some(Reading::new(planned, vec![new], labels));
    }

    /// Has a tail of this level, whatever comes.
    #[cfg(test)]
    pub(crate) fn with_tail(mut self, level: u8) -> Self {
        self.disorder.forced = Some(level);
        self
    }

    /// When the poll that is going on was planned; its ranges fit that time.
    #[must_use]
    pub fn planned(&self) -> Option<Now> {
        self.recent.as_ref().or(self.older.as_ref().filter(|_| !self.is_loaded)).map(|reading| reading.planned)
    }

    /// The pages that what is new needs, or before anything was published, the whole window. Empty when there is no more.
    #[must_use]
    pub fn requests(&self) -> Vec<PageRequest> {
        let reading = if self.is_loaded { self.recent.as_ref() } else { self.older.as_ref() };
        reading.map(Reading::requests).unwrap_or_default()
    }

    /// The pages that the part of the late interval needs whose turn it is, which wait until what is new was told. Empty when
    /// there is no more.
    #[must_use]
    pub fn late_requests(&self) -> Vec<PageRequest> {
        self.late.as_ref().map(Reading::requests).unwrap_or_default()
    }

    /// The next pages of the reconciliation, which may wait. Empty when there is none.
    #[must_use]
    pub fn reconciling_requests(&self) -> Vec<PageRequest> {
        self.older.as_ref().filter(|_| self.is_loaded).map(Reading::requests).unwrap_or_default()
    }

    /// Takes a page: its rows, where the next one starts, and the read units it cost (0 where nobody counts them).
    pub fn take(&mut self, request: &PageRequest, items: Vec<Item>, next: Option<PageStart>, units: f64) {
        self.cost.observe(items.len(), units);
        let was_mixed = self.text_order.is_mixed();
        for item in &items {
            self.text_order.note(&item.key.time_text);
        }
        // The table's order is that of texts. Where it is not that of times too, any page may have rows of any time.
        let last = items.iter().map(|item| item.at).min().filter(|_| !self.text_order.is_mixed());
        let recent = [&mut self.recent, &mut self.late].into_iter().flatten().find(|reading| reading.owns(request));
        if let Some(reading) = recent {
            reading.take(request, next, last);
            for item in items {
                if !self.window.collect_again(&mut reading.collected, &item) {
                    let row = Row::new(item, self.data.labels.as_slice(), self.data.identity);
                    self.window.collect(&mut reading.collected, row, true);
                }
            }
            return;
        }
        let Some(mut older) = self.older.take() else { return };
        if older.owns(request) {
            if !was_mixed && self.text_order.is_mixed() && older.has_handed_over() {
                // Rows of minutes that were handed over may be among those still to be read. It happens once at most.
                return self.give_up(older);
            }
            older.take(request, next, last);
            let whole_after = self.whole_after();
            for item in items {
                let is_few = self.window.rows() + older.collected.rows() < WHOLE_ROWS_MIN;
                let is_whole = item.at > whole_after || is_few;
                let row = Row::new(item, self.data.labels.as_slice(), self.data.identity);
                self.window.collect(&mut older.collected, row, is_whole);
            }
            self.hand_over(&mut older);
        }
        self.older = Some(older);
    }

    /// Takes into the window the minutes that every label has been read of. Nothing of it is an update: either nobody was
    /// told anything yet, or the rows are older than updates may be.
    fn hand_over(&mut self, older: &mut Reading) {
        while let Some(share) = older.next_share() {
            let whole_after = self.whole_after();
            let changes = self.window.replace(&[share], &mut older.collected, older.planned.wall, whole_after);
            self.is_dirty |= changes.is_any;
            if !self.is_loaded {
                self.advance_to_newest(&changes);
                for added in &changes.added {
                    self.tracker.hand_out(added.row.item.at, added.row.key, added.row.key.updates());
                }
            }
        }
    }

    /// Gives up what is being read, because it was planned by a clock that was wrong.
    pub fn abandon(&mut self) {
        for recent in [self.recent.take(), self.late.take()].into_iter().flatten() {
            self.window.discard(recent.collected);
        }
        if let Some(older) = self.older.take() {
            self.give_up(older);
        }
    }

    /// Gives up a reading of the rest of the window, which is begun again.
    fn give_up(&mut self, older: Reading) {
        self.window.discard(older.collected);
        if self.is_loaded {
            self.last_full = None;
        } else {
            self.forget_readings();
            self.window.age(Timestamp::MAX, Timestamp::MAX);
            self.tracker = self.fresh_tracker();
        }
    }

    /// Takes into the window what was read whole of what was asked for, as soon as what is new is. Returns a snapshot when something
    /// changed. A poll may call it for what is new and once more for what is old.
    pub fn settle(&mut self, now: Now) -> Option<Snapshot> {
        if !self.is_loaded {
            let is_whole = self.sharing.as_ref().is_none_or(|sharing| matches!(sharing.load, Load::Whole));
            let load = self.older.take_if(|older| is_whole && older.is_done())?;
            self.note_whole(&load);
            self.window.discard(load.collected);
            self.is_loaded = true;
            self.read_thin();
            (self.last_full, self.last_recent) = (Some(load.planned.instant), Some(load.planned.instant));
            self.last_read = Some(load.planned.wall);
            self.is_dirty = true;
            self.settle_watermark(load.planned.wall);
            self.tidy(load.planned);
            // What came while the window was being read belongs to what was there, if that took longer than a poll.
            let late = load.planned.wall.plus(self.poll.poll_interval.get().saturating_mul(2));
            self.is_baseline = late < now.wall;
            return if self.is_baseline { None } else { self.publish(load.planned.wall) };
        }
        match self.recent.take_if(|recent| recent.is_done()) {
            Some(recent) => self.apply_new(recent, now),
            None if self.recent.is_some() || self.is_baseline => return None,
            None => {}
        }
        if let Some(late) = self.late.take_if(|late| late.is_done()) {
            self.apply_late(late);
        }
        if let Some(older) = self.older.take_if(|older| older.is_done()) {
            self.note_whole(&older);
            self.note_read(&older);
            self.window.discard(older.collected);
            // What stands in the table behind rows that were deleted was read again.
            self.window.reveal_all();
            self.is_dirty = true;
        }
        self.publish(self.last_read?)
    }

    /// Whether the window is whole and what came meanwhile is still to be read before anything is published.
    #[must_use]
    pub const fn is_catching_up(&self) -> bool {
        self.is_loaded && self.is_baseline
    }

    /// Whether the window was read whole once.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_loaded
    }

    /// How far the first reading of the window is; `None` once it is whole.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        let load = self.older.as_ref().filter(|_| !self.is_loaded)?;
        let front = load.front();
        let range = TimeRange { after: self.window.after(load.planned.wall), until: window_until(load.planned.wall) };
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = (range.until.millis() - front.millis()) as f64
            / (range.until.millis() - range.after.millis()).max(1) as f64;
        Some(Progress { rows: self.window.rows() + load.collected.rows(), back_to: front, share })
    }

    /// Bytes that rows take, roughly.
    #[must_use]
    pub fn footprint(&self) -> usize {
        const PER_COLLECTED: usize = 64;
        let collected = self.older.as_ref().map_or(0, |older| older.collected.rows());
        self.window.footprint() + collected * PER_COLLECTED
    }

    fn is_reconciliation_due(&self, planned: Now) -> bool {
        let stepped_back = self.has_stepped_back(planned);
        let due = |last: Instant| {
            planned.instant.saturating_duration_since(last) >= self.poll.reconcile_interval.get()
                && self.older.is_none()
        };
        stepped_back || self.last_full.is_none_or(due)
    }

    fn has_stepped_back(&self, planned: Now) -> bool {
        self.last_read.is_some_and(|last| planned.wall < last)
    }

    /// Forgets what is too old to matter.
    fn tidy(&mut self, planned: Now) {
        self.missing.forget_old(planned.instant, &mut self.tracker);
        let whole_after = self.whole_after();
        self.is_dirty |= self.window.age(planned.wall, whole_after);
        // As an instance that has just begun: it does not know them.
        self.tracker.forget_until(self.window.after(planned.wall));
        self.window.thin(whole_after);
    }

    /// Rows after this moment may be asked for whole: by a client as far back as the replay window, whose interval of late
    /// rows reaches further back, and was set back by another one.
    fn whole_after(&self) -> Timestamp {
        let newest = self.tracker.position().watermark.max(self.window.newest().unwrap_or_default());
        let late_window = self.poll.late_window.get();
        interval_after(interval_after(newest.minus(self.poll.replay_window.get()), late_window), late_window)
    }

    fn publish(&mut self, wall: Timestamp) -> Option<Snapshot> {
        let is_same = |(position, numbers): &(Position, Arc<Numbers>)| {
            *position == self.tracker.position() && numbers.last_hour == self.window.last_hour(wall)
        };
        if !self.is_dirty && self.published.as_ref().is_some_and(is_same) {
            return None;
        }
        self.updates.turn(self.tracker.position());
        let state = (self.tracker.position(), Arc::new(self.window.numbers(wall)));
        self.is_dirty = false;
        self.snapshots += 1;
        let snapshot = self.snapshot(wall, &state.1);
        self.published = Some(state);
        Some(snapshot)
    }

    fn snapshot(&self, read_at: Timestamp, numbers: &Arc<Numbers>) -> Snapshot {
        Snapshot {
            serial: self.snapshots,
            data: Arc::clone(&self.data),
            epoch: self.epoch,
            late_window: self.poll.late_window.get(),
            settles_in: self.settles_in,
            minutes: self.window.minutes().clone(),
            names: self.window.names(),
            metrics: Arc::new(MetricsFrame::new(self.data.labels.as_slice(), numbers, read_at)),
            numbers: Arc::clone(numbers),
            position: self.tracker.position(),
            whole_after: self.thin().map(|thin| thin.after),
            ghosts: self.missing.ghosts(),
            gone: Arc::new(self.missing.gone()),
            updates: self.updates.clone(),
            untold_before: self.untold_before,
            read_at,
        }
    }

    fn steady(&self, wall: Timestamp) -> Timestamp {
        match self.last_read {
            Some(last) if wall < last && last <= wall.plus(CLOCK_SLACK) => last,
            _ => wall,
        }
    }

    fn fresh_tracker(&self) -> Tracker {
        Tracker::new(self.poll.late_window.get(), Position::ORIGIN, (Sketch::EMPTY, 0), [])
    }

    fn settle_watermark(&mut self, wall: Timestamp) {
        if self.tracker.position().watermark > window_until(wall).plus(ABSURD) {
            self.tracker = self.fresh_tracker();
            let newest = self.window.minutes().iter().rev();
            for minute in newest.take_while(|minute| minute.is_whole()) {
                for row in (0..minute.len()).filter_map(|index| minute.row(index)) {
                    self.tracker.hand_out(row.item.at, row.key, row.key.updates());
                }
            }
        }
        self.tracker.advance(idle_at(wall, self.data.window.get()));
    }

    /// Moves the watermark over rows of which nothing is told. Where it came to them one by one, most rows of a day would be sketched, only
    /// to be forgotten again.
    fn advance_to_newest(&mut self, changes: &Changes) {
        if let Some(newest) = changes.added.last() {
            self.tracker.advance(newest.row.item.at);
        }
    }

    /// Notes what is new or changed, oldest first; what of it nobody has had becomes updates.
    fn take_all(&mut self, changes: Changes) {
        if self.is_baseline {
            self.advance_to_newest(&changes);
        }
        let newest = changes.added.last().map_or(Timestamp::EPOCH, |added| added.row.item.at);
        let watermark = self.tracker.position().watermark.max(newest);
        // Rows later than this are counted and never told: no id could say whether a client has had them.
        let told_after = interval_after(watermark, self.poll.late_window.get());
        let (mut updates, mut bodies, mut is_untold) = (Vec::new(), BytesMut::new(), false);
        for added in changes.added {
            let is_told = !self.is_baseline && !added.is_hidden && added.row.item.at > told_after;
            is_untold |= !self.is_baseline && !added.is_hidden && !is_told;
            for (tag_index, upto, returned) in self.take_row(&added, is_told) {
                self.tracker.hand_out(added.row.item.at, added.row.key, upto);
                event::write_update(&mut bodies, &self.data, &added.row.item, tag_index);
                updates.push(Update {
                    row: Arc::clone(&added.row),
                    tag_index,
                    upto,
                    returned,
                    due: Due::of(added.row.item.at, self.read_before),
                    position: self.tracker.position(),
                    // One allocation for all that a poll brings.
                    body: bodies.split().freeze(),
                });
            }
        }
        self.updates.push(updates);
        if is_untold {
            self.untold_before = self.updates.next();
        }
    }

    /// Notes one row. Returns those of its updates that are news: which ticker, and the number of the update before which
    /// all of the row has been handed out then.
    fn take_row(&mut self, added: &Added, is_told: bool) -> Vec<(usize, usize, bool)> {
        let row = &added.row;
        let tickers = row.key.updates();
        if let Some(before) = &added.before {
            self.tracker.forget(row.item.at, before.key);
            self.missing.remember_gone(before, None);
        }
        let ghost = self.missing.take_ghost(row);
        let returned = ghost.as_ref().is_some_and(|ghost| ghost.key == row.key);
        if let Some(ghost) = ghost.filter(|_| !returned) {
            // A row that was missing and is there again as another version is handed out whole: of its updates before, some
            // clients have had none.
            self.tracker.forget(ghost.item.at, ghost.key);
            self.missing.remember_gone(&ghost, None);
        }
        let known = self.missing.take_known(row.key);
        // Counted already: it was out of sight for a while, because a clock had stepped.
        let is_counted = !returned && self.tracker.contains(row.item.at, row.key);
        let pending: Vec<usize> = if !is_told || known || is_counted {
            Vec::new()
        } else if returned {
            (0..tickers).collect()
        } else {
            let had: Vec<(Arc<Row>, usize)> =
                added.before.iter().map(|before| (Arc::clone(before), before.key.updates())).collect();
            row.lacking(&had).collect()
        };
        if pending.is_empty() {
            self.tracker.hand_out(row.item.at, row.key, tickers);
        }
        let upto = |n: usize| pending.get(n + 1).copied().unwrap_or(tickers);
        pending.iter().enumerate().map(|(n, tag_index)| (*tag_index, upto(n), returned)).collect()
    }

    /// What the poll that is going on reads.
    #[cfg(test)]
    pub(crate) fn reads(&self) -> Vec<TimeRange> {
        [&self.recent, &self.late, &self.older]
            .into_iter()
            .flatten()
            .flat_map(|reading| reading.ranges.clone())
            .collect()
    }

    /// Whether that is the whole window.
    #[cfg(test)]
    pub(crate) const fn is_reading_all(&self) -> bool {
        self.older.is_some()
    }
}
