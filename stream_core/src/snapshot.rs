//! What the store held at one read, shared by all sessions of the instance, and how a returning client continues from it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use contract::DataSettings;

use super::cursor::{Epoch, ResetReason};
use super::event::MetricsFrame;
use super::filter::Filter;
use super::item::{Item, RowKey, UpdateKey};
use super::position::{Position, Tracker, interval_after};
use super::report::Due;
use super::sketch::{Locator, Sketch};
use super::timestamp::Timestamp;
use super::window::Window;

/// Updates that a resume looks through at most, matching or not, for one that may be delivered.
const SCAN_PER_REPLAYED: usize = 20;

/// Rows in a position that this table does not have, at most, before they are taken for deleted and left out. Fewer may be
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
    /// Identity of its row.
    pub row: RowKey,
    /// The row's updates before this number have been handed out with it.
    pub upto: usize,
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
    /// Rows that the position counts although they are not in the table any more.
    pub ghosts: BTreeSet<RowKey>,
    /// Rows that clients may have had and that the position does not count any more: replaced or deleted.
    pub gone: BTreeMap<RowKey, Gone>,
    /// Latest updates, oldest first.
    pub updates: Vec<Arc<Update>>,
    /// Number of the next update.
    pub next_seq: u64,
    /// When the store was read.
    pub read_at: Timestamp,
    /// Metrics by filter, encoded when first asked for.
    pub metrics: Mutex<BTreeMap<Filter, Arc<MetricsFrame>>>,
}

/// A version of a row that is not in the table any more.
#[derive(Clone, Debug)]
pub struct Gone {
    /// The row's time.
    pub at: Timestamp,
    /// The row's updates.
    pub updates: Arc<[UpdateKey]>,
}

/// An update that a client is still to get.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The item.
    pub item: Arc<Item>,
    /// Which of its tickers.
    pub tag_index: usize,
    /// Identity of the row.
    pub row: RowKey,
    /// The client has had the row's updates before this number then.
    pub upto: usize,
}

/// The updates of a row that are in `indexes`, in that order.
fn pending(item: &Arc<Item>, row: RowKey, indexes: Vec<usize>) -> impl Iterator<Item = Pending> {
    let ends: Vec<usize> = indexes.iter().skip(1).copied().chain([row.tickers()]).collect();
    let item = Arc::clone(item);
    indexes.into_iter().zip(ends).map(move |(tag_index, upto)| Pending {
        item: Arc::clone(&item),
        tag_index,
        row,
        upto,
    })
}

type Row = (Arc<Item>, RowKey);

fn all_of((item, row): &Row) -> impl Iterator<Item = Pending> {
    pending(item, *row, (0..row.tickers()).collect())
}

fn position_of(watermark: Timestamp, rows: &[Row]) -> Position {
    let mut position = Position { watermark, ..Position::ORIGIN };
    for (_, row) in rows {
        position.toggle_row(*row, row.tickers(), true);
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
        let mut oldest = self.position.watermark.minus(limits.window);
        if position.repeats {
            // Set back by an interval, for no fault of the client's.
            oldest = interval_after(oldest, self.late_window);
        }
        let mut newer = self.rows_between(position.watermark, Timestamp::MAX).peekable();
        if newer.peek().is_some_and(|(item, _)| item.at < oldest) {
            return Err(ResetReason::Expired);
        }
        let scanned = limits.events.saturating_mul(SCAN_PER_REPLAYED);
        queue.extend(newer.take(scanned + 1).flat_map(|row| all_of(&row).collect::<Vec<_>>()));
        let wanted = queue.iter().filter(|one| filter.matches_tag(&one.item.tags[one.tag_index])).count();
        if wanted > limits.events || queue.len() > scanned {
            return Err(ResetReason::Overflow);
        }
        Ok(Resume { tracker, queue })
    }

    /// Splits the updates of `(late_after, watermark]` into those the client has had and those it lacks.
    fn missing_late(&self, position: Position, late_after: Timestamp) -> (Tracker, VecDeque<Pending>) {
        let candidates: Vec<Row> = self.rows_between(late_after, position.watermark).collect();
        let held = position_of(position.watermark, &candidates);
        let differences = position.sketch.difference(held.sketch).decode();
        if let Some(found) = differences.and_then(|locator| self.told_apart(position, held, &candidates, &locator)) {
            return found;
        }
        // More than eight differences: the interval is repeated, rather than anything lost. The client starts where the
        // interval does, so that what it is given counts, and a second cut does not begin all over again.
        let before: Vec<Row> = self.rows_between(interval_after(late_after, self.late_window), late_after).collect();
        let start = Position { repeats: true, ..position_of(late_after, &before) };
        let tracker = Tracker::new(self.late_window, start, before.iter().map(|(item, row)| (item.at, *row)));
        (tracker, candidates.iter().flat_map(all_of).collect())
    }

    /// Says what the differences are; `None` where they do not add up.
    fn told_apart(
        &self,
        position: Position,
        held: Position,
        candidates: &[Row],
        locator: &Locator,
    ) -> Option<(Tracker, VecDeque<Pending>)> {
        let (missing, had): (Vec<&Row>, Vec<&Row>) =
            candidates.iter().partition(|(_, row)| locator.contains(row.element()));
        // Elements that the client's position has and the table's has not, and that are taken care of by name.
        let mut named = Vec::new();
        let mut begun = BTreeMap::new();
        for (item, row) in had.iter().rev() {
            if missing.len() + named.len() >= locator.len() {
                break;
            }
            let upto = row.had(|element| locator.contains(element));
            if upto < row.tickers() {
                named.push(row.partial(upto));
                begun.insert((item.at, *row), upto);
            }
        }
        let strangers = locator.len().checked_sub(missing.len() + named.len())?;
        let more = named.len() + strangers;
        let differs = held.count.wrapping_sub(position.count);
        if (missing.len() + 256 - more) % 256 != usize::from(differs) {
            return None;
        }
        let mut strangers = Position {
            sketch: position.sketch.difference(held.sketch),
            count: u8::try_from(strangers).ok()?,
            ..position
        };
        missing.iter().for_each(|(_, row)| strangers.sketch.toggle(row.element()));
        named.iter().for_each(|element| strangers.sketch.toggle(*element));
        let known = self.take_gone(&mut strangers, &missing, locator);
        let whole = had.iter().filter(|(item, row)| !begun.contains_key(&(item.at, *row)));
        let mut start = Position {
            count: held.count.wrapping_add(strangers.count),
            sketch: held.sketch.difference(strangers.sketch),
            ..position
        };
        let unheard = missing.iter().map(|(_, row)| row).chain(begun.keys().map(|(_, row)| row));
        unheard.for_each(|row| start.toggle(row.element(), false));
        let mut tracker = Tracker::new(self.late_window, start, whole.map(|(item, row)| (item.at, *row)));
        let mut queue = VecDeque::new();
        for (item, row) in candidates {
            let upto = begun.get(&(item.at, *row)).copied();
            if upto.is_none() && !locator.contains(row.element()) {
                continue;
            }
            let lacking = upto.map_or_else(|| self.lacking(item, &known), |upto| (upto..row.tickers()).collect());
            tracker.hand_out(item.at, *row, lacking.first().copied().unwrap_or(row.tickers()));
            queue.extend(pending(item, *row, lacking));
        }
        Some((tracker, queue))
    }

    /// Which updates of a row the client has not had with an earlier version of it.
    fn lacking(&self, item: &Item, had: &BTreeSet<UpdateKey>) -> Vec<usize> {
        let keys = item.update_keys(self.data.labels.as_slice()).enumerate();
        keys.filter(|(_, key)| !had.contains(key)).map(|(index, _)| index).collect()
    }

    /// Takes out of the strangers what this instance knows to be gone, and all of them where they are too many to be rows
    /// that are still to be seen. Returns the updates of the gone rows, which the client has had.
    fn take_gone(&self, strangers: &mut Position, missing: &[&Row], locator: &Locator) -> BTreeSet<UpdateKey> {
        let mut had = BTreeSet::new();
        if strangers.count == 0 {
            return had;
        }
        let mut take = |row: RowKey, updates: &[UpdateKey]| {
            let upto = row.had(|element| locator.contains(element));
            strangers.toggle_row(row, upto, false);
            had.extend(updates.iter().take(upto));
        };
        for (row, gone) in self.gone.iter().filter(|(row, _)| locator.contains(row.element())) {
            take(*row, &gone.updates);
        }
        // Nobody needs to have seen the row without the tickers that were added to it.
        let labels = self.data.labels.as_slice();
        for (item, row) in missing {
            let shorter = (1..row.tickers()).map(|tickers| item.first_tickers_key(tickers, labels));
            for row in shorter.filter(|row| locator.contains(row.element()) && !self.gone.contains_key(row)) {
                take(row, &item.update_keys(labels).collect::<Vec<_>>());
            }
        }
        if usize::from(strangers.count) > STRANGERS_MAX {
            (strangers.sketch, strangers.count) = (Sketch::EMPTY, 0);
        }
        had
    }

    /// Rows of `(after, until]` that have updates, oldest first.
    fn rows_between(&self, after: Timestamp, until: Timestamp) -> impl Iterator<Item = Row> {
        let items = self.window.items_between(after, until).filter(|item| !item.tags.is_empty());
        items.map(|item| (Arc::clone(item), item.row_key(self.data.labels.as_slice())))
    }
}
