//! Where in the data a client is: a watermark, and what it has had of the rows that may still appear late before it.
//!
//! The interval before the watermark in which rows may appear is longer than the late window by [`limits::FUTURE_SKEW`]: a row
//! from a clock ahead of ours takes the watermark that far ahead, and rows of the present may still be late behind it.
//!
//! Where rows come out of order all the time, more are late between two reads than a sketch can tell apart. There the last part of the
//! interval, the [`Tail`], is left out of what an id says: another instance repeats it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use contract::limits;

use crate::item::RowKey;
use crate::sketch::Sketch;
use crate::timestamp::Timestamp;

/// First moment before `watermark` that the interval of late rows excludes.
#[must_use]
pub const fn interval_after(watermark: Timestamp, late_window: Duration) -> Timestamp {
    watermark.minus(late_window).minus(limits::FUTURE_SKEW)
}

/// On a table where nothing happens, the watermark follows the clock at this distance, or at the window's length, so that cursors do not
/// fall out of the window. Far enough that no clock that is off by hours lets it overtake the rows.
const IDLE_DISTANCE: Duration = Duration::from_secs(12 * 3600);
/// It does so in steps, which are the same everywhere.
pub(crate) const IDLE_STEP: Duration = Duration::from_secs(300);

/// The watermark of a table in which nothing happened since.
#[must_use]
pub(crate) fn idle_at(now: Timestamp, window: Duration) -> Timestamp {
    let at = now.minus(IDLE_DISTANCE.min(window)).millis();
    Timestamp::from_millis(at - at % (IDLE_STEP.as_secs() * 1000))
}

/// The last part of the interval of late rows, up to the watermark, in which rows are out of order all the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// How long it is, as [`Tail::length`] says; none where it is 0.
    pub level: u8,
    /// What the position's sketch has of it; nothing in a position that was told.
    sketch: Sketch,
    count: u8,
}

impl Tail {
    /// None.
    pub const NONE: Self = Self { level: 0, sketch: Sketch::EMPTY, count: 0 };
    /// The longest, of a minute.
    pub const LEVEL_MAX: u8 = 17;

    /// One of this level, of which nothing is known.
    #[must_use]
    pub const fn told(level: u8) -> Self {
        Self { level, ..Self::NONE }
    }

    /// How long a tail of this level is: 250 ms, 375 ms, 500 ms and so on, two levels for each doubling, to 64 s.
    #[must_use]
    pub const fn length(level: u8) -> Duration {
        if level == 0 {
            return Duration::ZERO;
        }
        let (doublings, is_between) = ((level - 1) / 2, (level - 1) % 2 == 1);
        let millis = 250_u64 << doublings;
        Duration::from_millis(if is_between { millis + millis / 2 } else { millis })
    }

    #[inline(never)] // it is the sum of eight products, at five places
    fn toggle_row(&mut self, row: RowKey, upto: usize, added: bool) {
        row.elements(upto).for_each(|element| toggle(&mut self.sketch, &mut self.count, element, added));
    }
}

/// Adds an element to a sum and its number, or takes it away.
fn toggle(sketch: &mut Sketch, count: &mut u8, element: u32, added: bool) {
    sketch.toggle(element);
    *count = if added { count.wrapping_add(1) } else { count.wrapping_sub(1) };
}

/// A client at this position has had every update up to [`interval_after`], none after `watermark`, and of those between
/// exactly those of the sketched rows. A row is one element; while a client has had only the first of its updates, another
/// element says how many ([`RowKey::partial`]). All tickers count, whatever the client's filter. Of the tail of a position that was told
/// nothing is sketched, and the client may have had any of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Latest time of a row whose updates were handed out.
    pub watermark: Timestamp,
    /// How many elements the sketch has, modulo 256.
    pub count: u8,
    /// Which rows of the interval were handed out.
    pub sketch: Sketch,
    /// Whether the watermark was set back to the start of the interval, which is being repeated.
    pub repeats: bool,
    /// What of the interval ids leave out.
    pub tail: Tail,
}

impl Position {
    /// The position of a client that has seen nothing of the data yet, not even the baseline.
    pub const ORIGIN: Self =
        Self { watermark: Timestamp::EPOCH, count: 0, sketch: Sketch::EMPTY, repeats: false, tail: Tail::NONE };

    /// What an id says: without the tail.
    #[must_use]
    pub fn told(self) -> Self {
        Self {
            count: self.count.wrapping_sub(self.tail.count),
            sketch: self.sketch.difference(self.tail.sketch),
            tail: Tail::told(self.tail.level),
            ..self
        }
    }

    /// All of it, with no tail.
    #[must_use]
    pub fn exact(self) -> Self {
        Self { tail: Tail::NONE, ..self }
    }

    /// Whether this is the place of a client that came with `presented`. Of one that was told with a tail nobody knows: instances that
    /// differ in the tail tell the same.
    #[must_use]
    pub fn is_at(self, presented: Self) -> bool {
        presented.tail.level == 0 && self.exact() == presented
    }

    /// Up to where the sketch of a position that was told says which rows its client has had.
    #[must_use]
    pub const fn settled_until(&self) -> Timestamp {
        self.watermark.minus(Tail::length(self.tail.level))
    }

    /// Adds an element within the interval, or takes it away.
    pub fn toggle(&mut self, element: u32, added: bool) {
        toggle(&mut self.sketch, &mut self.count, element, added);
    }

    /// Adds what says that the updates of `row` before number `upto` were handed out, or takes it away.
    pub fn toggle_row(&mut self, row: RowKey, upto: usize, added: bool) {
        row.elements(upto).for_each(|element| self.toggle(element, added));
    }
}

/// A position that moves: knows which rows to forget when the interval slides.
#[derive(Clone, Debug)]
pub struct Tracker {
    late_window: Duration,
    position: Position,
    /// What the position counts beside its members.
    unnamed: (Sketch, u8),
    /// Rows of the interval, and how many of their updates were handed out.
    members: BTreeMap<(Timestamp, RowKey), usize>,
    /// Rows after this are in the tail, where there is one.
    tail_after: Timestamp,
}

impl Tracker {
    /// Starts at `position`, which counts the rows of `members`, each whole, and beside them elements whose rows are not
    /// known here: `unnamed` is their sketch and number. Those stay for good.
    pub fn new(
        late_window: Duration,
        position: Position,
        unnamed: (Sketch, u8),
        members: impl IntoIterator<Item = (Timestamp, RowKey)>,
    ) -> Self {
        let members = members.into_iter().map(|(at, row)| ((at, row), row.updates())).collect();
        Self { late_window, position, unnamed, members, tail_after: Timestamp::MAX }
    }

    /// Has a tail of this level from now on.
    pub fn set_tail(&mut self, level: u8) {
        if self.position.tail.level == level {
            return;
        }
        self.position.tail = Tail::told(level);
        self.tail_after = if level == 0 { Timestamp::MAX } else { self.position.settled_until() };
        let tail = (Bound::Excluded((self.tail_after, RowKey::MAX)), Bound::Unbounded);
        for ((_, row), upto) in self.members.range(tail) {
            self.position.tail.toggle_row(*row, *upto, true);
        }
    }

    /// How many updates a tail of this level would have, and no more than `most`.
    #[must_use]
    pub fn updates_in_tail(&self, level: u8, most: usize) -> usize {
        let after = self.position.watermark.minus(Tail::length(level));
        let tail = (Bound::Excluded((after, RowKey::MAX)), Bound::Unbounded);
        let counts = self.members.range(tail).map(|(_, upto)| (*upto).max(1));
        counts
            .scan(0, |sum, count| {
                (*sum < most).then(|| {
                    *sum += count;
                    *sum
                })
            })
            .last()
            .unwrap_or(0)
            .min(most)
    }

    #[inline(never)]
    fn toggle(&mut self, at: Timestamp, row: RowKey, upto: usize, added: bool) {
        self.position.toggle_row(row, upto, added);
        if at > self.tail_after {
            self.position.tail.toggle_row(row, upto, added);
        }
    }

    /// Notes that nothing is repeated any more.
    pub const fn repeated(&mut self) {
        self.position.repeats = false;
    }

    /// The position now.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// First moment that the interval excludes.
    #[must_use]
    pub const fn interval_after(&self) -> Timestamp {
        interval_after(self.position.watermark, self.late_window)
    }

    /// Whether the position counts this row, by name.
    #[must_use]
    pub fn contains(&self, at: Timestamp, row: RowKey) -> bool {
        self.members.contains_key(&(at, row))
    }

    /// What the position counts beside the members it knows by name: a sketch, and how many.
    #[must_use]
    pub const fn unnamed(&self) -> (Sketch, u8) {
        self.unnamed
    }

    /// Forgets what the position counts beside the members it knows by name, but for rows that are only out of sight.
    pub fn forget_unnamed<'a>(&mut self, out_of_sight: impl IntoIterator<Item = &'a RowKey>) {
        let (sketch, count) = self.unnamed;
        let mut kept = Position::ORIGIN;
        if let Some(locator) = sketch.decode() {
            for row in out_of_sight.into_iter().filter(|row| locator.contains(row.element())) {
                kept.toggle_row(*row, row.had(|element| locator.contains(element)), true);
            }
        }
        self.position.sketch = self.position.sketch.difference(sketch).difference(kept.sketch);
        self.position.count = self.position.count.wrapping_sub(count).wrapping_add(kept.count);
        self.unnamed = (kept.sketch, kept.count);
    }

    /// Notes the updates of a row before number `upto` as handed out, moving the watermark up to the row's time.
    pub fn hand_out(&mut self, at: Timestamp, row: RowKey, upto: usize) {
        self.advance(at);
        let before = self.members.get(&(at, row)).copied().unwrap_or_default();
        if at > self.interval_after() && before < upto {
            self.toggle(at, row, before, false);
            self.toggle(at, row, upto, true);
            self.members.insert((at, row), upto);
        }
    }

    /// Forgets a row that another version has replaced.
    pub fn forget(&mut self, at: Timestamp, row: RowKey) {
        if let Some(upto) = self.members.remove(&(at, row)) {
            self.toggle(at, row, upto, false);
        }
    }

    /// Forgets the rows up to this time, which the window has left behind.
    pub fn forget_until(&mut self, until: Timestamp) {
        while let Some((at, row)) = self.members.first_key_value().map(|(key, _)| *key).filter(|(at, _)| *at <= until) {
            self.forget(at, row);
        }
    }

    /// Moves the watermark forward (never back) and forgets what the interval leaves behind.
    pub fn advance(&mut self, watermark: Timestamp) {
        if watermark <= self.position.watermark {
            return;
        }
        self.position.watermark = watermark;
        if self.position.tail.level > 0 {
            let settled = (
                Bound::Excluded((self.tail_after, RowKey::MAX)),
                Bound::Included((self.position.settled_until(), RowKey::MAX)),
            );
            for ((_, row), upto) in self.members.range(settled) {
                self.position.tail.toggle_row(*row, *upto, false);
            }
            self.tail_after = self.position.settled_until();
        }
        let after = self.interval_after();
        while let Some(first) = self.members.first_entry() {
            if first.key().0 > after {
                break;
            }
            let ((_, row), upto) = first.remove_entry();
            self.position.toggle_row(row, upto, false);
        }
    }
}
