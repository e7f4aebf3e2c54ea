//! The pure half of the hub: says what to read next, takes what was read, numbers what is new.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::{DataSettings, PollSettings};

use super::cursor::Epoch;
use super::event;
use super::item::{Item, ItemKey, ItemOrder, RowKey, UpdateKey};
use super::position::{Position, Tracker};
use super::report::Due;
use super::snapshot::{Gone, STRANGERS_MAX, Snapshot, Update};
use super::timestamp::Timestamp;
use super::window::{Counts, Window};

/// The moment of a decision, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For durations: never steps.
    pub instant: Instant,
    /// For comparing with rows: may step, both ways.
    pub wall: Timestamp,
}

/// What to read: rows of `(after, until]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// Last millisecond that is not read, the one before a whole second.
    pub after: Timestamp,
    /// Last moment that is read.
    pub until: Timestamp,
    /// Whether this is the whole window.
    pub full: bool,
}

/// A clock that went back by less than this is taken to stand still: adjusting clocks is no reason for a full re-read.
const CLOCK_SLACK: Duration = Duration::from_secs(1);
/// On a table where nothing happens, the watermark follows the clock at this distance, so that cursors do not fall out of
/// the window. Far enough that no clock that is off by hours lets it overtake the rows.
const IDLE_DISTANCE: Duration = Duration::from_secs(12 * 3600);
/// A watermark so far in the future can only come from a clock that was wrong; it is worked out anew.
const ABSURD: Duration = Duration::from_secs(2 * 3600);

/// How long a row that went missing may come back as the same: indexes lag by a second or so. After that it was deleted. Short,
/// because what is kept takes up places in the sketch that late rows need.
const GHOST_KEPT: Duration = Duration::from_secs(15);

/// Gone rows that are remembered, at most; an id can speak of eight.
const GONE_MAX: usize = 1000;

/// A row that went missing.
#[derive(Clone, Copy, Debug)]
struct Ghost {
    at: Timestamp,
    missing_since: Instant,
}

/// A version of a row that was handed out.
#[derive(Debug)]
struct HandedOut {
    row: RowKey,
    updates: Arc<[UpdateKey]>,
}

/// All that an instance knows of the table.
#[derive(Debug)]
pub struct Journal {
    data: Arc<DataSettings>,
    epoch: Epoch,
    poll: PollSettings,
    window: Window,
    tracker: Tracker,
    /// Which version of each row was handed out or belongs to the baseline.
    handed_out: BTreeMap<ItemOrder, HandedOut>,
    /// Handed out, still counted by the position, and not in the table any more: deleted, or an index that lags.
    ghosts: BTreeMap<RowKey, Ghost>,
    /// Not counted any more although clients may have had them: replaced by another version of their row, or deleted.
    gone: BTreeMap<RowKey, Gone>,
    updates: VecDeque<Arc<Update>>,
    next_seq: u64,
    snapshots: u64,
    last_read: Option<Timestamp>,
    /// The read before that.
    read_before: Option<Timestamp>,
    last_full: Option<Instant>,
    published: Option<(Position, Counts)>,
}

impl Journal {
    /// Starts knowing nothing.
    #[must_use]
    pub fn new(data: DataSettings, poll: PollSettings) -> Self {
        let late_window = poll.late_window.get();
        Self {
            epoch: Epoch::of(&data, late_window),
            window: Window::new(data.labels.as_slice().len()),
            tracker: Tracker::new(late_window, Position::ORIGIN, []),
            data: Arc::new(data),
            poll,
            handed_out: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            gone: BTreeMap::new(),
            updates: VecDeque::new(),
            next_seq: 0,
            snapshots: 0,
            last_read: None,
            read_before: None,
            last_full: None,
            published: None,
        }
    }

    /// Epoch of the ids.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Says which rows to read: those after the watermark less the late window, or the whole window on the first read,
    /// when it is due, and after the clock was set back (rows that had left the window are in it again).
    #[must_use]
    pub fn next_read(&self, now: Now) -> TimeRange {
        let wall = self.steady(now.wall);
        let stepped_back = self.last_read.is_some_and(|last| wall < last);
        let due = |last: Instant| now.instant.saturating_duration_since(last) >= self.poll.reconcile_interval.get();
        let full = stepped_back || self.last_full.is_none_or(due);
        let after = if full {
            Window::after(wall)
        } else {
            // No later than the last read reached, either: its clock may have been behind.
            let seen = self.tracker.position().watermark.min(wall).min(self.last_read.map_or(wall, Window::until));
            seen.minus(self.poll.late_window.get()).max(Window::after(wall))
        };
        // Down to a whole second, because that is what the table can be asked for exactly.
        let after = Timestamp::from_millis(after.floor_second().millis().saturating_sub(1));
        TimeRange { after, until: Window::until(wall), full }
    }

    /// Takes what [`Journal::next_read`] asked for. Returns a snapshot when something changed.
    pub fn apply(&mut self, range: TimeRange, rows: Vec<Item>, now: Now) -> Option<Snapshot> {
        let wall = self.steady(now.wall);
        let baseline = self.last_read.is_none();
        self.read_before = self.last_read.replace(wall);
        if range.full {
            self.last_full = Some(now.instant);
        }
        let changes = self.window.replace(range.after, rows, wall);
        self.settle_watermark(wall);
        self.note_missing(&changes.removed, wall, now.instant);
        for item in &changes.added {
            self.take(item, baseline);
        }
        self.forget_old(now.instant);
        let state = (self.tracker.position(), self.window.counts().clone());
        if self.published.as_ref() == Some(&state) && changes.added.is_empty() && changes.removed.is_empty() {
            return None;
        }
        self.published = Some(state);
        self.snapshots += 1;
        Some(self.snapshot(wall))
    }

    fn snapshot(&self, read_at: Timestamp) -> Snapshot {
        Snapshot {
            serial: self.snapshots,
            data: Arc::clone(&self.data),
            epoch: self.epoch,
            late_window: self.poll.late_window.get(),
            window: self.window.clone(),
            position: self.tracker.position(),
            ghosts: self.ghosts.keys().copied().collect(),
            gone: self.gone.clone(),
            updates: self.updates.iter().cloned().collect(),
            next_seq: self.next_seq,
            read_at,
            metrics: Mutex::new(BTreeMap::new()),
        }
    }

    fn steady(&self, wall: Timestamp) -> Timestamp {
        match self.last_read {
            Some(last) if wall < last && last <= wall.plus(CLOCK_SLACK) => last,
            _ => wall,
        }
    }

    fn settle_watermark(&mut self, wall: Timestamp) {
        if self.tracker.position().watermark > Window::until(wall).plus(ABSURD) {
            self.tracker = Tracker::new(self.poll.late_window.get(), Position::ORIGIN, []);
            let held: Vec<_> = self.window.items_between(Timestamp::EPOCH, Timestamp::MAX).cloned().collect();
            for item in held {
                let row = item.row_key(self.data.labels.as_slice());
                self.tracker.hand_out(item.at, row, row.tickers());
            }
        }
        self.tracker.advance(wall.minus(IDLE_DISTANCE).floor_hour());
    }

    /// Notes one item that is new or changed; what of it nobody has had becomes updates.
    fn take(&mut self, item: &Arc<Item>, baseline: bool) {
        let labels = self.data.labels.as_slice();
        let order = (item.at, Arc::new(item.key.clone()));
        let row = item.row_key(labels);
        let updates: Arc<[UpdateKey]> = item.update_keys(labels).collect();
        let before = self.handed_out.insert(order, HandedOut { row, updates: Arc::clone(&updates) });
        let mut had: Arc<[UpdateKey]> = Arc::default();
        if let Some(before) = before {
            let was_ghost = before.row != row && self.ghosts.remove(&before.row).is_some();
            // A row that was missing and is there again with other tickers is handed out whole: of its tickers before, some
            // clients have had none.
            if !was_ghost {
                had = Arc::clone(&before.updates);
            }
            if before.row != row {
                self.tracker.forget(item.at, before.row);
                self.gone.insert(before.row, Gone { at: item.at, updates: before.updates });
            }
        }
        self.gone.remove(&row);
        let returned = self.ghosts.remove(&row).is_some();
        // What was forgotten for its age may come into sight again when a clock steps; it is not new.
        let known = baseline || item.at <= Window::after(self.tracker.position().watermark);
        let pending: Vec<usize> =
            (0..updates.len()).filter(|index| !known && (returned || !had.contains(&updates[*index]))).collect();
        if pending.is_empty() {
            self.tracker.hand_out(item.at, row, row.tickers());
        }
        for (n, tag_index) in pending.iter().enumerate() {
            let upto = pending.get(n + 1).copied().unwrap_or(row.tickers());
            self.tracker.hand_out(item.at, row, upto);
            self.push(item, *tag_index, row, upto, returned);
        }
    }

    fn push(&mut self, item: &Arc<Item>, tag_index: usize, row: RowKey, upto: usize, returned: bool) {
        if self.updates.len() == usize::try_from(self.poll.replay_events.get()).unwrap_or(usize::MAX) {
            self.updates.pop_front();
        }
        self.updates.push_back(Arc::new(Update {
            seq: self.next_seq,
            item: Arc::clone(item),
            tag_index,
            row,
            upto,
            returned,
            due: Due::of(item.at, self.read_before),
            position: self.tracker.position(),
            body: event::update(&self.data, item, tag_index),
        }));
        self.next_seq += 1;
    }

    fn note_missing(&mut self, removed: &[Arc<Item>], wall: Timestamp, now: Instant) {
        // What lies in the future of a clock that was set back is not missing.
        for gone in removed.iter().filter(|gone| gone.at <= Window::until(wall)) {
            let row = gone.row_key(self.data.labels.as_slice());
            if self.tracker.contains(gone.at, row) {
                self.ghosts.insert(row, Ghost { at: gone.at, missing_since: now });
            }
        }
    }

    fn forget_old(&mut self, now: Instant) {
        let late_after = self.tracker.interval_after();
        let mut missing: Vec<(RowKey, Ghost)> = self.ghosts.iter().map(|(row, ghost)| (*row, *ghost)).collect();
        missing.sort_by_key(|(row, ghost)| (ghost.missing_since, *row));
        let too_many = missing.len().saturating_sub(STRANGERS_MAX);
        for (index, (row, ghost)) in missing.into_iter().enumerate() {
            let expired = now.saturating_duration_since(ghost.missing_since) >= GHOST_KEPT;
            if ghost.at <= late_after || expired || index < too_many {
                self.ghosts.remove(&row);
                self.tracker.forget(ghost.at, row);
                let updates = self.handed_out_at(ghost.at).find(|(_, known)| known.row == row);
                let updates = updates.map(|(_, known)| Arc::clone(&known.updates)).unwrap_or_default();
                self.gone.insert(row, Gone { at: ghost.at, updates });
            }
            if expired {
                // If the same row is written again, that is news.
                self.forget_handed_out(ghost.at, row);
            }
        }
        self.gone.retain(|_, gone| gone.at > late_after);
        while self.gone.len() > GONE_MAX {
            self.gone.pop_first();
        }
        let after = Window::after(self.tracker.position().watermark);
        while let Some(entry) = self.handed_out.first_entry() {
            if entry.key().0 > after {
                break;
            }
            entry.remove();
        }
    }

    fn handed_out_at(&self, at: Timestamp) -> impl Iterator<Item = (&ItemOrder, &HandedOut)> {
        let first = (at, Arc::new(ItemKey::default()));
        self.handed_out.range(first..).take_while(move |(order, _)| order.0 == at)
    }

    fn forget_handed_out(&mut self, at: Timestamp, row: RowKey) {
        let order = self.handed_out_at(at).find(|(_, known)| known.row == row).map(|(order, _)| order.clone());
        if let Some(order) = order {
            self.handed_out.remove(&order);
        }
    }

    /// The numbers now, for comparing with a full re-read.
    #[cfg(test)]
    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }
}
