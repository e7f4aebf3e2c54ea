//! The pure half of the hub: says what to read next, takes what was read, numbers what is new.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::{DataSettings, PollSettings};

use super::cursor::Epoch;
use super::event;
use super::item::{Item, ItemKey, ItemOrder, UpdateKey};
use super::position::{Position, Tracker};
use super::report::Due;
use super::snapshot::{STRANGERS_MAX, Snapshot, Update};
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

/// Gone updates that are remembered, at most; an id can speak of eight.
const GONE_MAX: usize = 1000;

/// A row that went missing.
#[derive(Clone, Copy, Debug)]
struct Ghost {
    at: Timestamp,
    missing_since: Instant,
}

/// All that an instance knows of the table.
#[derive(Debug)]
pub struct Journal {
    data: Arc<DataSettings>,
    epoch: Epoch,
    poll: PollSettings,
    window: Window,
    tracker: Tracker,
    /// Which updates of each row were handed out or belong to the baseline.
    handed_out: BTreeMap<ItemOrder, Box<[UpdateKey]>>,
    /// Handed out, still counted by the position, and not in the table any more: deleted, or an index that lags.
    ghosts: BTreeMap<UpdateKey, Ghost>,
    /// Not counted any more although clients may have had them: replaced by another version of their row, or deleted.
    gone: BTreeMap<UpdateKey, Timestamp>,
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
            gone: self.gone.keys().copied().collect(),
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
                for key in item.update_keys(self.data.labels.as_slice()) {
                    self.tracker.hand_out(item.at, key);
                }
            }
        }
        self.tracker.advance(wall.minus(IDLE_DISTANCE).floor_hour());
    }

    /// Notes one item that is new or changed; what of it nobody has had becomes updates.
    fn take(&mut self, item: &Arc<Item>, baseline: bool) {
        let order = (item.at, Arc::new(item.key.clone()));
        let keys: Box<[UpdateKey]> = item.update_keys(self.data.labels.as_slice()).collect();
        let before = self.handed_out.insert(order, keys.clone()).unwrap_or_default();
        for replaced in before.iter().filter(|key| !keys.contains(key)) {
            self.tracker.forget(item.at, *replaced);
            self.ghosts.remove(replaced);
            self.gone.insert(*replaced, item.at);
        }
        // What was forgotten for its age may come into sight again when a clock steps; it is not new.
        let known = baseline || item.at <= Window::after(self.tracker.position().watermark);
        for (tag_index, key) in keys.iter().enumerate() {
            self.tracker.hand_out(item.at, *key);
            self.gone.remove(key);
            let returned = self.ghosts.remove(key).is_some();
            if !known && (returned || !before.contains(key)) {
                self.push(item, tag_index, *key, returned);
            }
        }
    }

    fn push(&mut self, item: &Arc<Item>, tag_index: usize, key: UpdateKey, returned: bool) {
        if self.updates.len() == usize::try_from(self.poll.replay_events.get()).unwrap_or(usize::MAX) {
            self.updates.pop_front();
        }
        self.updates.push_back(Arc::new(Update {
            seq: self.next_seq,
            item: Arc::clone(item),
            tag_index,
            key,
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
            for key in gone.update_keys(self.data.labels.as_slice()) {
                if self.tracker.contains(gone.at, key) {
                    self.ghosts.insert(key, Ghost { at: gone.at, missing_since: now });
                }
            }
        }
    }

    fn forget_old(&mut self, now: Instant) {
        let late_after = self.tracker.interval_after();
        let mut missing: Vec<(UpdateKey, Ghost)> = self.ghosts.iter().map(|(key, ghost)| (*key, *ghost)).collect();
        missing.sort_by_key(|(key, ghost)| (ghost.missing_since, *key));
        let too_many = missing.len().saturating_sub(STRANGERS_MAX);
        for (index, (key, ghost)) in missing.into_iter().enumerate() {
            let expired = now.saturating_duration_since(ghost.missing_since) >= GHOST_KEPT;
            if ghost.at <= late_after || expired || index < too_many {
                self.ghosts.remove(&key);
                self.tracker.forget(ghost.at, key);
                self.gone.insert(key, ghost.at);
            }
            if expired {
                // If the same row is written again, that is news.
                self.forget_handed_out(ghost.at, key);
            }
        }
        self.gone.retain(|_, at| *at > late_after);
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

    fn forget_handed_out(&mut self, at: Timestamp, key: UpdateKey) {
        let first = (at, Arc::new(ItemKey::default()));
        for (_, keys) in self.handed_out.range_mut(first..).take_while(|(order, _)| order.0 == at) {
            *keys = keys.iter().copied().filter(|known| *known != key).collect();
        }
    }

    /// The numbers now, for comparing with a full re-read.
    #[cfg(test)]
    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }
}
