//! How a returning client goes on from where it was: what of the rows that show up late it has had, and what is newer.
//!
//! Let `C` be the elements of the interval of late rows that the client has had, `H` those of the rows that the table
//! holds there. Their sketches are sums over GF(2^32), and what both have cancels:
//!
//! ```text
//! sketch(C) + sketch(H) = sketch(C △ H)
//! ```
//!
//! With at most eight differences the sum decodes to a polynomial whose roots are `C △ H`. A root that is the element of a
//! row of `H` is a row that the client lacks, or has had in part; the others are elements of `C` alone: `named` ones, which
//! say how much of a row was had, and `strangers`, rows that this table does not have. Sizes must agree, or there were
//! more than eight differences and the polynomial is noise:
//!
//! ```text
//! |H| - |C|  =  |missing| - |named| - |strangers|   (mod 256)
//! ```
//!
//! An example. The client has had rows 1 and 2 and the first of two tickers of row 3: `C = {e1, e2, e3, p3}`, where `p3`
//! says "only the first". Then row 2 was deleted and row 4 came late: `H = {e1, e3, e4}`. The sum decodes to
//! `{e2, p3, e4}`. `e4` is a row of the table: missing. `p3` is what row 3 would say of its first ticker: named, so its
//! second ticker is lacking. `e2` is neither: a stranger. `3 - 4 = 1 - 1 - 1`. The client gets the second ticker of row 3,
//! and row 4.
//!
//! Where rows are out of order all the time, an id sketches only what is before its tail ([`Tail`]): the above is of that part,
//! and the client gets all of the tail.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::cursor::ResetReason;
use crate::filter::Filter;
use crate::item::{Row, RowKey};
use crate::position::{IDLE_STEP, Position, Tail, Tracker, interval_after};
use crate::sketch::{Locator, Sketch};
use crate::snapshot::{RowRef, Snapshot};
use crate::timestamp::Timestamp;
use crate::window::window_until;

/// Rows in a position that this table does not have, at most, before they are taken for deleted and left out. Fewer may be
/// rows that another instance's read saw and ours does not yet. Half of what a sketch can tell: the rest is for late rows.
pub const STRANGERS_MAX: usize = 4;

/// How far back a client may resume.
#[derive(Clone, Copy, Debug)]
pub struct ReplayLimits {
    /// Age of the oldest update that is replayed.
    pub window: Duration,
    /// Number of updates that are replayed.
    pub events: usize,
}

/// A row of which a client is still to get some updates.
#[derive(Clone, Debug)]
struct Pending {
    row: Arc<Row>,
    /// Which of its updates; `None` for all.
    lacking: Option<Box<[usize]>>,
}

impl Pending {
    fn nth(&self, index: usize) -> Option<usize> {
        match &self.lacking {
            Some(lacking) => lacking.get(index).copied(),
            None => Some(index).filter(|index| *index < self.row.key.updates()),
        }
    }

    fn wanted(&self, filter: &Filter) -> usize {
        let item = &self.row.item;
        match &self.lacking {
            Some(lacking) => lacking.iter().filter(|index| filter.matches_update(item.tags.get(**index))).count(),
            None => item.tickers().filter(|ticker| filter.matches_update(*ticker)).count(),
        }
    }
}

/// What a returning client is still to get.
#[derive(Debug)]
pub struct Resume {
    /// Where the client is, moving as it gets updates.
    pub tracker: Tracker,
    /// Whether what the client has had is all in the snapshot, and no late row beside: no other instance has shown it anything
    /// newer, nor seen that a row which still stands here was changed.
    pub is_exact: bool,
    /// Rows that it has not had, and that another instance may have seen replaced: not to be told before they were read again.
    pub(crate) doubtful: Vec<(Timestamp, RowKey)>,
    /// Rows it has not had all of, oldest first.
    queue: VecDeque<Pending>,
    /// How many updates of the first of them were taken.
    begun: usize,
}

impl Resume {
    /// Takes the next update: its row, which of its tickers, and the number of the update before which it has had all.
    pub fn next_update(&mut self) -> Option<(Arc<Row>, usize, usize)> {
        loop {
            let first = self.queue.front()?;
            if let Some(tag_index) = first.nth(self.begun) {
                self.begun += 1;
                let upto = first.nth(self.begun).unwrap_or(first.row.key.updates());
                return Some((Arc::clone(&first.row), tag_index, upto));
            }
            // One of which nothing is told, because a newer row of its key is, counts as had.
            let (at, row) = (first.row.item.at, first.row.key);
            self.tracker.hand_out(at, row, row.updates());
            self.queue.pop_front();
            self.begun = 0;
        }
    }
}

/// What the late rows of a client come to.
struct Late {
    tracker: Tracker,
    queue: VecDeque<Pending>,
    doubtful: Vec<(Timestamp, RowKey)>,
    is_exact: bool,
}

fn whole<'a>(row: RowRef<'a>) -> Result<&'a Arc<Row>, ResetReason> {
    row.row().ok_or(ResetReason::Expired)
}

fn all_of(row: RowRef<'_>) -> Result<Pending, ResetReason> {
    // What a newer row of its key has replaced is told to nobody.
    let lacking = row.is_hidden().then(Box::default);
    whole(row).map(|row| Pending { row: Arc::clone(row), lacking })
}

impl Snapshot {
    /// Whether rows that a client at `position` may lack are still to be read.
    pub(crate) fn is_thin_at(&self, position: Position) -> bool {
        let needed = interval_after(position.watermark, self.late_window);
        self.whole_after.is_some_and(|after| needed < after)
    }

    /// The number of the first update that a client at `position` lacks, where nothing else has to be worked out: the instance
    /// was at the same position, and has all that it wants of what was handed out since. Not where a row came too late for that: for this
    /// client it may be none.
    #[must_use]
    pub fn continues(&self, position: &Position, filter: &Filter, limits: ReplayLimits) -> Option<u64> {
        if self.position.is_at(*position) {
            return Some(self.updates.next());
        }
        if position.watermark < self.position.watermark.minus(limits.window) {
            return None;
        }
        let next = self.updates.after(position).filter(|next| self.untold_before <= *next);
        next.filter(|next| !self.updates.lost(*next, filter))
    }

    /// Works out what a client at `position` has not had. `is_settled` where every row was read since it came.
    ///
    /// # Errors
    /// The reason for a `reset`, where nothing lost cannot be promised.
    pub fn resume(
        &self,
        position: Position,
        filter: &Filter,
        limits: ReplayLimits,
        now: Timestamp,
        is_settled: bool,
    ) -> Result<Resume, ResetReason> {
        if position.watermark > window_until(now).max(self.position.watermark) {
            return Err(ResetReason::Unknown);
        }
        let late_after = interval_after(position.watermark, self.late_window);
        // Before the window nobody is told of anything. Where nothing happens, the watermark is at its very beginning.
        if position.watermark < self.window_after().minus(IDLE_STEP).minus(limits.window) {
            return Err(ResetReason::Expired);
        }
        let Late { tracker, mut queue, doubtful, is_exact } = self.missing_late(position, late_after, is_settled)?;
        let mut oldest = self.position.watermark.minus(limits.window);
        if position.repeats {
            // Set back by an interval, for no fault of the client's.
            oldest = interval_after(oldest, self.late_window);
        }
        // Who has all that came since as updates may be as far behind as that goes.
        let has_all = position.tail.level > 0
            && self.updates.after_told(&position).is_some_and(|next| !self.updates.lost(next, filter));
        let events_max = if has_all { usize::MAX } else { limits.events };
        // The client is judged by what it wants; rows that its filter does not let through only move its position.
        let mut wanted: usize = queue.iter().map(|one| one.wanted(filter)).sum();
        for row in self.rows_between(position.watermark, Timestamp::MAX) {
            if row.at() < oldest {
                return Err(ResetReason::Expired);
            }
            let pending = all_of(row)?;
            wanted += pending.wanted(filter);
            queue.push_back(pending);
            if wanted > events_max {
                break;
            }
        }
        if wanted > events_max {
            return Err(ResetReason::Overflow);
        }
        let is_exact = is_exact && position.watermark <= self.position.watermark;
        Ok(Resume { tracker, is_exact, doubtful, queue, begun: 0 })
    }

    /// Splits the updates of `(late_after, watermark]` into those the client has had and those it lacks.
    fn missing_late(&self, position: Position, late_after: Timestamp, is_settled: bool) -> Result<Late, ResetReason> {
        let settled = position.settled_until();
        let held = self.position_of(settled, late_after);
        let differences = position.sketch.difference(held.sketch).decode();
        let tail_level = position.tail.level.max(self.position.tail.level);
        if let Some(locator) = differences
            && let Some(mut found) = self.told_apart(position, held, late_after, (&locator, is_settled))?
        {
            // Of the tail it may have had any: it is repeated.
            let tail: Vec<Pending> =
                self.rows_between(settled, position.watermark).map(all_of).collect::<Result<_, _>>()?;
            found.is_exact &= tail.is_empty();
            found.queue.extend(tail);
            found.tracker.set_tail(tail_level);
            return Ok(found);
        }
        // More than eight differences: the interval is repeated, rather than anything lost. The client starts where the
        // interval does, so that what it is given counts, and a second cut does not begin all over again.
        let before_after = interval_after(late_after, self.late_window);
        let before = self.rows_between(before_after, late_after).map(|row| (row.at(), row.key()));
        let start = Position { repeats: true, ..self.position_of(late_after, before_after) };
        let mut tracker = Tracker::new(self.late_window, start, (Sketch::EMPTY, 0), before);
        tracker.set_tail(tail_level);
        let queue = self.rows_between(late_after, position.watermark).map(all_of).collect::<Result<_, _>>()?;
        Ok(Late { tracker, queue, doubtful: Vec::new(), is_exact: false })
    }

    /// Says what the differences are; `None` where they do not add up.
    fn told_apart(
        &self,
        position: Position,
        held: Position,
        late_after: Timestamp,
        (locator, is_settled): (&Locator, bool),
    ) -> Result<Option<Late>, ResetReason> {
        let candidates = || self.rows_between(late_after, position.settled_until());
        let missing: Vec<RowRef<'_>> = if locator.is_empty() {
            Vec::new()
        } else {
            candidates().filter(|row| locator.contains(row.key().element())).collect()
        };
        let begun = had_in_part(candidates(), missing.len(), locator);
        // Elements that the client's position has and the table's has not.
        let Some(strangers) = locator.len().checked_sub(missing.len() + begun.len()) else { return Ok(None) };
        let more = begun.len() + strangers;
        if (missing.len() + 256 - more) % 256 != usize::from(held.count.wrapping_sub(position.count)) {
            return Ok(None);
        }
        let mut stranger = Position {
            sketch: position.sketch.difference(held.sketch),
            count: u8::try_from(strangers).unwrap_or(u8::MAX),
            ..position
        };
        missing.iter().for_each(|row| stranger.sketch.toggle(row.key().element()));
        begun.iter().for_each(|((_, row), upto)| stranger.sketch.toggle(row.partial(*upto)));
        let missing_rows: Vec<&Arc<Row>> = missing.iter().map(|row| whole(*row)).collect::<Result<_, _>>()?;
        let known = self.take_gone(&mut stranger, &missing_rows, locator);
        let mut start = Position {
            count: held.count.wrapping_add(stranger.count),
            sketch: held.sketch.difference(stranger.sketch),
            tail: Tail::NONE,
            ..position
        };
        let unheard = missing.iter().map(|row| row.key()).chain(begun.keys().map(|(_, row)| *row));
        unheard.for_each(|row| start.toggle(row.element(), false));
        let is_missing = |row: RowKey| missing_rows.iter().any(|missing| missing.key == row);
        let members = candidates().map(|row| (row.at(), row.key()));
        let members = members.filter(|(at, row)| !is_missing(*row) && !begun.contains_key(&(*at, *row)));
        let mut tracker = Tracker::new(self.late_window, start, (stranger.sketch, stranger.count), members);
        // What the client has had beside may be what replaced one of them, where it was: who is told the old version last is told wrongly.
        let are_doubtful = !is_settled && stranger.count > 0;
        let (mut queue, mut doubtful) = (VecDeque::new(), Vec::new());
        for row in candidates().filter(|row| is_missing(row.key()) || begun.contains_key(&(row.at(), row.key()))) {
            if are_doubtful && !begun.contains_key(&(row.at(), row.key())) {
                doubtful.push((row.at(), row.key()));
                continue;
            }
            let item = whole(row)?;
            let lacking: Box<[usize]> = match begun.get(&(row.at(), row.key())) {
                _ if row.is_hidden() => Box::default(),
                Some(upto) => (*upto..item.key.updates()).collect(),
                None => item.lacking(&known).collect(),
            };
            tracker.hand_out(row.at(), row.key(), lacking.first().copied().unwrap_or(item.key.updates()));
            queue.push_back(Pending { row: Arc::clone(item), lacking: Some(lacking) });
        }
        Ok(Some(Late { tracker, queue, doubtful, is_exact: strangers == 0 && missing.is_empty() }))
    }

    /// Takes out of the strangers what this instance knows to be gone, and all of them where they are too many to be rows
    /// that are still to be seen. Returns the gone versions, and how many of the updates of each the client has had.
    fn take_gone(&self, strangers: &mut Position, missing: &[&Arc<Row>], locator: &Locator) -> Vec<(Arc<Row>, usize)> {
        let mut had = Vec::new();
        if strangers.count == 0 {
            return had;
        }
        let mut take = |version: RowKey, row: &Arc<Row>| {
            let upto = version.had(|element| locator.contains(element));
            strangers.toggle_row(version, upto, false);
            had.push((Arc::clone(row), upto));
        };
        for (version, row) in self.gone.iter().filter(|(version, _)| locator.contains(version.element())) {
            take(*version, row);
        }
        // A client may have had a row without the tickers that were added to it, and this instance may never have.
        let labels = self.data.labels.as_slice();
        for row in missing {
            let shorter = (0..row.item.tags.len()).map(|tickers| row.item.first_tickers_key(tickers, labels));
            for version in shorter.filter(|row| locator.contains(row.element()) && !self.gone.contains_key(row)) {
                take(version, row);
            }
        }
        if usize::from(strangers.count) > STRANGERS_MAX {
            (strangers.sketch, strangers.count) = (Sketch::EMPTY, 0);
        }
        had
    }

    /// The position of a client that has had all rows of `(after, watermark]`. Whole minutes are summed already.
    fn position_of(&self, watermark: Timestamp, after: Timestamp) -> Position {
        let mut position = Position { watermark, ..Position::ORIGIN };
        for minute in self.minutes.between(after, watermark) {
            let is_inside = after < minute.start() && minute.end() <= watermark;
            if let Some((sketch, count)) = minute.sketch().filter(|_| is_inside) {
                position.sketch = position.sketch.difference(sketch);
                position.count = position.count.wrapping_add(count);
                continue;
            }
            for index in minute.until(after)..minute.until(watermark) {
                let row = minute.row_key(index, self.names.len_of(minute.sets()[index]));
                position.toggle_row(row, row.updates(), true);
            }
        }
        position
    }
}

/// Rows that a client has had in part, with the number of updates: those whose partial element is among the differences.
fn had_in_part<'a>(
    candidates: impl DoubleEndedIterator<Item = RowRef<'a>>,
    missing: usize,
    locator: &Locator,
) -> BTreeMap<(Timestamp, RowKey), usize> {
    let mut begun = BTreeMap::new();
    if missing >= locator.len() {
        return begun;
    }
    // Newest first: a client is cut in the row that it was given last.
    for row in candidates.rev() {
        let key = row.key();
        if locator.contains(key.element()) {
            continue;
        }
        let upto = key.had(|element| locator.contains(element));
        if upto < key.updates() {
            begun.insert((row.at(), key), upto);
            if missing + begun.len() >= locator.len() {
                break;
            }
        }
    }
    begun
}
