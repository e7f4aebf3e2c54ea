//! How a live client's position differs from that of its instance, while rows are seen by one instance and not yet by another.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::item::RowKey;
use crate::position::{Position, Tracker, interval_after};
use crate::resume::STRANGERS_MAX;
use crate::sketch::Sketch;
use crate::snapshot::{RowRef, Snapshot};
use crate::timestamp::Timestamp;
use crate::updates::Update;

/// How long another instance's read may have been ahead of ours: indexes lag by a second or so. What a client has had beside
/// is of deleted rows by then.
pub(super) const LEAD_MAX: Duration = Duration::from_secs(15);

/// How what this client has had differs from what the instance has handed out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Offset {
    /// What it has had beside: another instance was quicker.
    more: Sketch,
    more_count: u8,
    /// Rows it has not had, or only their updates before a number, because they were not in the table when it came.
    lacking: Vec<(RowKey, usize)>,
    /// Rows that it has not had, and that may have been replaced where it was: they were read for the last time before it came.
    doubtful: Vec<(Timestamp, RowKey)>,
}

/// What an update is to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// It lacks it.
    News,
    /// It has had it.
    Had,
    /// It has had it and more of the same row: its position is beyond that of the update.
    Behind,
}

impl Offset {
    pub(super) fn of(tracker: &Tracker, ghosts: &BTreeSet<RowKey>, doubtful: Vec<(Timestamp, RowKey)>) -> Self {
        let (more, more_count) = tracker.unnamed();
        let mut offset = Self { more, more_count, lacking: Vec::new(), doubtful };
        for ghost in ghosts {
            let upto = offset.take(*ghost);
            if upto < ghost.updates() {
                offset.lacking.push((*ghost, upto));
            }
        }
        offset
    }

    /// Whether there are rows that it is still to be told of, unless they were replaced.
    pub(super) fn is_doubtful(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// Whether it differs in nothing.
    pub(super) fn is_none(&self) -> bool {
        self.more.is_empty() && self.more_count == 0 && self.lacking.is_empty() && self.doubtful.is_empty()
    }

    /// How many updates of a row the client has had beside.
    fn had(&self, row: RowKey) -> usize {
        let locator = if self.more.is_empty() { None } else { self.more.decode() };
        match locator {
            Some(locator) if locator.contains(row.element()) => row.had(|element| locator.contains(element)),
            _ => 0,
        }
    }

    /// Takes a row out of what the client has had beside: the instance has caught up with it. Returns what [`Offset::had`] does.
    fn take(&mut self, row: RowKey) -> usize {
        let upto = self.had(row);
        for element in row.elements(upto) {
            self.more.toggle(element);
            self.more_count = self.more_count.wrapping_sub(1);
        }
        upto
    }

    /// Compares the client with an update that the instance hands out.
    pub(super) fn meet(&mut self, update: &Update) -> Meeting {
        if update.returned {
            return if self.fill(update) { Meeting::News } else { Meeting::Had };
        }
        let upto = self.had(update.row.key);
        if upto > update.upto {
            return Meeting::Behind;
        }
        self.take(update.row.key);
        if update.tag_index < upto { Meeting::Had } else { Meeting::News }
    }

    /// Forgets what cannot come any more, and what would take up too much of the sketch.
    pub(super) fn settle(&mut self, snapshot: &Snapshot, next_seq: u64, is_lead_over: bool) {
        // What the instance has forgotten cannot come back, and is not counted any more.
        let returns =
            |row: RowKey| snapshot.updates.from(next_seq).any(|(_, update)| update.returned && update.row.key == row);
        self.lacking.retain(|(row, _)| snapshot.ghosts.contains(row) || returns(*row));
        // Nor is what was replaced meanwhile, or is older than the interval.
        self.doubtful.retain(|(at, row)| snapshot.counts(*at, *row));
        if let Some(locator) = self.more.decode().filter(|locator| !locator.is_empty()) {
            for row in snapshot.gone.keys().filter(|row| locator.contains(row.element())) {
                self.take(*row);
            }
            // The instance counts without an update what a newer row of its key replaces; where it was one, that is met yet.
            let after = interval_after(snapshot.position.watermark, snapshot.late_window);
            let is_met = |row: RowKey| snapshot.updates.from(next_seq).any(|(_, update)| update.row.key == row);
            let hidden = snapshot.hidden_after(after).map(RowRef::key);
            for row in hidden.filter(|row| locator.contains(row.element()) && !is_met(*row)) {
                self.take(row);
            }
        }
        let strangers = usize::from(self.more_count) + snapshot.ghosts.len().saturating_sub(self.lacking.len());
        if strangers > STRANGERS_MAX || is_lead_over {
            (self.more, self.more_count) = (Sketch::EMPTY, 0);
        }
    }

    /// Whether the client was lacking this update.
    fn fill(&mut self, update: &Update) -> bool {
        let Some((_, had)) = self.lacking.iter_mut().find(|(row, _)| *row == update.row.key) else { return false };
        let lacked = *had <= update.tag_index;
        *had = (*had).max(update.upto);
        self.lacking.retain(|(row, had)| *had < row.updates());
        lacked
    }

    pub(super) fn apply(&self, shared: Position) -> Position {
        let mut position = Position {
            watermark: shared.watermark,
            count: shared.count.wrapping_add(self.more_count),
            sketch: shared.sketch.difference(self.more),
            repeats: shared.repeats,
            tail: shared.tail,
        };
        for (row, had) in &self.lacking {
            position.toggle_row(*row, row.updates(), false);
            position.toggle_row(*row, *had, true);
        }
        for (_, row) in &self.doubtful {
            position.toggle_row(*row, row.updates(), false);
        }
        position
    }
}
