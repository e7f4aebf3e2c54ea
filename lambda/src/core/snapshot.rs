//! What the store held at one read, shared by all sessions of the instance, and how a returning client continues from it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use contract::DataSettings;

use super::cursor::{Epoch, ResetReason};
use super::event::MetricsFrame;
use super::filter::Filter;
use super::item::{Item, UpdateKey};
use super::position::{Position, Tracker, interval_after};
use super::report::Due;
use super::sketch::Locator;
use super::timestamp::Timestamp;
use super::window::Window;

/// Updates that a resume looks through at most, matching or not, for one that may be delivered.
const SCAN_PER_REPLAYED: usize = 20;

/// Updates in a position that this table does not have, at most, before they are taken for deleted and left out. Fewer may be
/// rows that another instance's read saw and ours does not yet. Half of what a sketch can tell: the rest is for late rows.
pub const STRANGERS_MAX: usize = 4;

/// One update that this instance handed out, encoded once for all sessions.
#[derive(Debug)]
pub struct Update {
    /// Running number within the instance.
    pub seq: u64,
    /// The item.
    pub item: Arc<Item>,
    /// Which of its tickers.
    pub tag_index: usize,
    /// Identity of the update.
    pub key: UpdateKey,
    /// Whether it was handed out before, then missing from a read, and is there again: only clients that came in between
    /// lack it. Indexes are eventually consistent, so a row can be seen, not be seen, and be seen again.
    pub returned: bool,
    /// When it could first have been read.
    pub due: Due,
    /// Where a client is that has had it and all before it.
    pub position: Position,
    /// Event name and data.
    pub body: Bytes,
}

impl Update {
    /// Whether a stream with this filter gets the update.
    #[must_use]
    pub fn matches(&self, filter: &Filter) -> bool {
        self.item.tags.get(self.tag_index).is_some_and(|tag| filter.matches_tag(tag))
    }
}

/// How far back a client may resume.
#[derive(Clone, Copy, Debug)]
pub struct ReplayLimits {
    /// Age of the oldest update that is replayed.
    pub window: Duration,
    /// Number of updates that are replayed.
    pub events: usize,
}

/// Everything the store held at one moment, with the updates that led to it.
#[derive(Debug)]
pub struct Snapshot {
    /// Running number within the instance.
    pub serial: u64,
    /// Table, attributes and labels.
    pub data: Arc<DataSettings>,
    /// Epoch of the ids.
    pub epoch: Epoch,
    /// How late rows may be.
    pub late_window: Duration,
    /// The items.
    pub window: Window,
    /// Where a client is that has had everything.
    pub position: Position,
    /// Updates that the position counts although their rows are not in the table any more.
    pub ghosts: BTreeSet<UpdateKey>,
    /// Updates that clients may have had and that the position does not count any more: replaced or deleted.
    pub gone: Vec<UpdateKey>,
    /// Latest updates, oldest first.
    pub updates: Vec<Arc<Update>>,
    /// Number of the next update.
    pub next_seq: u64,
    /// When the store was read.
    pub read_at: Timestamp,
    /// Metrics by filter, encoded when first asked for.
    pub metrics: Mutex<BTreeMap<Filter, Arc<MetricsFrame>>>,
}

/// An item, which of its tickers, and the identity of that update.
pub type Pending = (Arc<Item>, usize, UpdateKey);

fn position_of(watermark: Timestamp, updates: &[Pending]) -> Position {
    let mut position = Position { watermark, ..Position::ORIGIN };
    for (_, _, key) in updates {
        position.toggle(key.element(), true);
    }
    position
}

/// What a returning client is still to get.
#[derive(Debug)]
pub struct Resume {
    /// Where the client is, moving as it gets updates.
    pub tracker: Tracker,
    /// Items and tickers it has not had, oldest first.
    pub queue: VecDeque<Pending>,
}

impl Snapshot {
    /// Returns the `metrics` event for a filter; sessions with equal filters share it.
    #[must_use]
    pub fn metrics(&self, filter: &Filter) -> Arc<MetricsFrame> {
        // A panic while encoding leaves no half-made entry, so a poisoned lock is as good as a whole one.
        let mut cache = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = cache.get(filter) {
            return Arc::clone(frame);
        }
        let counts;
        let counts = if filter.is_all() {
            self.window.counts()
        } else {
            counts = self.window.counts_for(filter);
            &counts
        };
        let frame = Arc::new(MetricsFrame::new(self.data.labels.as_slice(), counts, self.read_at));
        cache.insert(filter.clone(), Arc::clone(&frame));
        frame
    }

    /// Returns the updates from number `seq` on; `None` when some of them are no longer kept.
    #[must_use]
    pub fn updates_from(&self, seq: u64) -> Option<&[Arc<Update>]> {
        let missing = usize::try_from(self.next_seq.saturating_sub(seq)).ok()?;
        self.updates.len().checked_sub(missing).map(|start| &self.updates[start..])
    }

    /// Works out what a client at `position` has not had.
    ///
    /// # Errors
    /// The reason for a `reset`, where nothing lost cannot be promised.
    pub fn resume(
        &self,
        position: Position,
        filter: &Filter,
        limits: ReplayLimits,
        now: Timestamp,
    ) -> Result<Resume, ResetReason> {
        if position.watermark > Window::until(now).max(self.position.watermark) {
            return Err(ResetReason::Unknown);
        }
        let late_after = interval_after(position.watermark, self.late_window);
        if late_after < Window::after(self.read_at) {
            return Err(ResetReason::Expired);
        }
        let (tracker, mut queue) = self.missing_late(position, late_after);
        let mut newer = self.window.items_between(position.watermark, Timestamp::MAX).peekable();
        if newer.peek().is_some_and(|item| item.at < self.position.watermark.minus(limits.window)) {
            return Err(ResetReason::Expired);
        }
        queue.extend(newer.flat_map(|item| self.updates_of(item)));
        let wanted = queue.iter().filter(|(item, tag, _)| filter.matches_tag(&item.tags[*tag])).count();
        if wanted > limits.events || queue.len() > limits.events * SCAN_PER_REPLAYED {
            return Err(ResetReason::Overflow);
        }
        Ok(Resume { tracker, queue })
    }

    /// Splits the updates of `(late_after, watermark]` into those the client has had and those it lacks.
    fn missing_late(&self, position: Position, late_after: Timestamp) -> (Tracker, VecDeque<Pending>) {
        let candidates: Vec<_> =
            self.window.items_between(late_after, position.watermark).flat_map(|item| self.updates_of(item)).collect();
        let held = position_of(position.watermark, &candidates);
        if let Some(locator) = position.sketch.difference(held.sketch).decode() {
            let (missing, had): (Vec<_>, Vec<_>) =
                candidates.iter().cloned().partition(|(_, _, key)| locator.contains(key.element()));
            // What the client had and the table no longer has are the roots that are no candidates.
            let gone = locator.len().saturating_sub(missing.len());
            let differs = u8::try_from((256 + missing.len() - gone) % 256);
            if missing.len() <= locator.len() && differs == Ok(held.count.wrapping_sub(position.count)) {
                let start = self.without_gone(position, &locator, gone, &had);
                let had = had.into_iter().map(|(item, _, key)| (item.at, key));
                return (Tracker::new(self.late_window, start, had), missing.into());
            }
        }
        // More than eight differences: the interval is repeated, rather than anything lost.
        let nothing_had = Position { watermark: position.watermark, ..Position::ORIGIN };
        (Tracker::new(self.late_window, nothing_had, []), candidates.into())
    }

    /// Takes out of a client's position what the table does not have and will not have.
    fn without_gone(&self, mut position: Position, locator: &Locator, strangers: usize, had: &[Pending]) -> Position {
        let known: Vec<_> = self.gone.iter().filter(|key| locator.contains(key.element())).collect();
        if strangers.saturating_sub(known.len()) > STRANGERS_MAX {
            return position_of(position.watermark, had);
        }
        for key in known {
            position.toggle(key.element(), false);
        }
        position
    }

    fn updates_of<'a>(&'a self, item: &'a Arc<Item>) -> impl Iterator<Item = Pending> + 'a {
        let keys = item.update_keys(self.data.labels.as_slice());
        keys.enumerate().map(|(tag, key)| (Arc::clone(item), tag, key))
    }
}
