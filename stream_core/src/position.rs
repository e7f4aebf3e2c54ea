//! Where in the data a client is: a watermark, and what it has had of the rows that may still appear late before it.
//!
//! The interval before the watermark in which rows may appear is longer than the late window by [`limits::FUTURE_SKEW`]: a row
//! from a clock ahead of ours takes the watermark that far ahead, and rows of the present may still be late behind it.

use std::collections::BTreeMap;
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

/// A client at this position has had every update up to [`interval_after`], none after `watermark`, and of those between
/// exactly those of the sketched rows. A row is one element; while a client has had only the first of its updates, another
/// element says how many ([`RowKey::partial`]). All tickers count, whatever the client's filter.
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
}

impl Position {
    /// The position of a client that has seen nothing of the data yet, not even the baseline.
    pub const ORIGIN: Self = Self { watermark: Timestamp::EPOCH, count: 0, sketch: Sketch::EMPTY, repeats: false };

    /// Adds an element within the interval, or takes it away.
    pub fn toggle(&mut self, element: u32, added: bool) {
        self.sketch.toggle(element);
        self.count = if added { self.count.wrapping_add(1) } else { self.count.wrapping_sub(1) };
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
        Self { late_window, position, unnamed, members }
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
            self.position.toggle_row(row, before, false);
            self.position.toggle_row(row, upto, true);
            self.members.insert((at, row), upto);
        }
    }

    /// Forgets a row that another version has replaced.
    pub fn forget(&mut self, at: Timestamp, row: RowKey) {
        if let Some(upto) = self.members.remove(&(at, row)) {
            self.position.toggle_row(row, upto, false);
        }
    }

    /// Moves the watermark forward (never back) and forgets what the interval leaves behind.
    pub fn advance(&mut self, watermark: Timestamp) {
        if watermark <= self.position.watermark {
            return;
        }
        self.position.watermark = watermark;
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
