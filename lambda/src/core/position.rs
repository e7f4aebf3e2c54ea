//! Where in the data a client is: a watermark, and what it has had of the rows that may still appear late before it.
//!
//! The interval before the watermark in which rows may appear is longer than the late window by [`limits::FUTURE_SKEW`]: a row
//! from a clock ahead of ours takes the watermark that far ahead, and rows of the present may still be late behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::limits;

use super::item::UpdateKey;
use super::sketch::Sketch;
use super::timestamp::Timestamp;

/// First moment before `watermark` that the interval of late rows excludes.
#[must_use]
pub const fn interval_after(watermark: Timestamp, late_window: Duration) -> Timestamp {
    watermark.minus(late_window).minus(limits::FUTURE_SKEW)
}

/// A client at this position has had every update up to [`interval_after`], none after `watermark`, and of those between
/// exactly the sketched ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Latest time of a row whose updates were handed out.
    pub watermark: Timestamp,
    /// How many updates of the interval were handed out, modulo 256.
    pub count: u8,
    /// Which they were.
    pub sketch: Sketch,
}

impl Position {
    /// The position of a client that has seen nothing of the data yet, not even the baseline.
    pub const ORIGIN: Self = Self { watermark: Timestamp::EPOCH, count: 0, sketch: Sketch::EMPTY };

    /// Adds an update within the interval, or takes it away.
    pub fn toggle(&mut self, element: u32, added: bool) {
        self.sketch.toggle(element);
        self.count = if added { self.count.wrapping_add(1) } else { self.count.wrapping_sub(1) };
    }
}

/// A position that moves: knows which updates to forget when the interval slides.
#[derive(Clone, Debug)]
pub struct Tracker {
    late_window: Duration,
    position: Position,
    members: BTreeSet<(Timestamp, UpdateKey)>,
}

impl Tracker {
    /// Starts at `position`; `members` are the known updates in it (others, that only the sketch knows, stay for good).
    pub fn new(
        late_window: Duration,
        position: Position,
        members: impl IntoIterator<Item = (Timestamp, UpdateKey)>,
    ) -> Self {
        Self { late_window, position, members: members.into_iter().collect() }
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

    /// Whether the position counts this update, by name.
    #[must_use]
    pub fn contains(&self, at: Timestamp, update: UpdateKey) -> bool {
        self.members.contains(&(at, update))
    }

    /// What the position counts beside the members it knows by name.
    #[must_use]
    pub fn unnamed(&self) -> (Sketch, u8) {
        let mut rest = self.position;
        for (_, update) in &self.members {
            rest.toggle(update.element(), false);
        }
        (rest.sketch, rest.count)
    }

    /// Notes an update as handed out, moving the watermark up to its row's time.
    pub fn hand_out(&mut self, at: Timestamp, update: UpdateKey) {
        self.advance(at);
        if at > self.interval_after() && self.members.insert((at, update)) {
            self.position.toggle(update.element(), true);
        }
    }

    /// Forgets an update that another version of its row has replaced.
    pub fn forget(&mut self, at: Timestamp, update: UpdateKey) {
        if self.members.remove(&(at, update)) {
            self.position.toggle(update.element(), false);
        }
    }

    /// Moves the watermark forward (never back) and forgets what the interval leaves behind.
    pub fn advance(&mut self, watermark: Timestamp) {
        if watermark <= self.position.watermark {
            return;
        }
        self.position.watermark = watermark;
        let after = self.interval_after();
        while let Some(first) = self.members.first().copied() {
            if first.0 > after {
                break;
            }
            self.members.pop_first();
            self.position.toggle(first.1.element(), false);
        }
    }
}
