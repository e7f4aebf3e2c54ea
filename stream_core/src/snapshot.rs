//! What one poll left: the window, the numbers and the updates, shared by all sessions of the instance. Plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::DataSettings;

use crate::cursor::Epoch;
use crate::event::MetricsFrame;
use crate::filter::Filter;
use crate::interner::SetNames;
use crate::item::{Row, RowKey};
use crate::minute::Minute;
use crate::minutes::Minutes;
use crate::numbers::Numbers;
use crate::position::{Position, interval_after};
use crate::timestamp::Timestamp;
use crate::updates::Kept;

/// Age of a snapshot that a client may begin with. Shorter than a ghost is kept: what another instance has let a position
/// forget by now, this one must not hand out again.
pub const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(10);

/// Everything an instance knows of the table at one moment, with the updates that led to it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Running number within the instance.
    pub serial: u64,
    /// Table, attributes and labels.
    pub data: Arc<DataSettings>,
    /// Epoch of the ids.
    pub epoch: Epoch,
    /// How late rows may be.
    pub late_window: Duration,
    /// The rows, by minute.
    pub minutes: Minutes,
    /// The tags that the minutes name by number.
    pub names: SetNames,
    /// The numbers of everything.
    pub numbers: Arc<Numbers>,
    /// The same as an event.
    pub metrics: Arc<MetricsFrame>,
    /// Where a client is that has had everything.
    pub position: Position,
    /// Within which time every row of the late interval is read again: none where each poll reads all of them.
    pub settles_in: Duration,
    /// Where rows of the newest hours are still to be read, which clients that return may ask for: those after this moment are there.
    pub whole_after: Option<Timestamp>,
    /// Rows that the position counts although they are not in the table any more.
    pub ghosts: BTreeSet<RowKey>,
    /// Rows that clients may have had and that the position does not count any more: replaced or deleted.
    pub gone: Arc<BTreeMap<RowKey, Arc<Row>>>,
    /// Latest updates.
    pub updates: Kept,
    /// What was new from this number of an update on was handed out.
    pub untold_before: u64,
    /// When the store was read.
    pub read_at: Timestamp,
}

/// A row of a snapshot: what is kept of it, and all of it where it is still whole.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    minute: &'a Minute,
    index: usize,
    names: &'a SetNames,
}

impl<'a> RowRef<'a> {
    /// Its time.
    #[must_use]
    pub fn at(self) -> Timestamp {
        self.minute.at(self.index)
    }

    /// Index of its label.
    #[must_use]
    pub fn label(self) -> u8 {
        self.minute.labels()[self.index]
    }

    /// Hash of what makes it an item.
    #[must_use]
    pub fn place(self) -> u64 {
        self.minute.cell(self.index).place
    }

    /// Which version it is.
    #[must_use]
    pub fn key(self) -> RowKey {
        self.minute.row_key(self.index, self.names.len_of(self.set()))
    }

    /// Whether a newer row of its key stands in its place: no client is shown it.
    #[must_use]
    pub fn is_hidden(self) -> bool {
        self.minute.is_hidden(self.index)
    }

    fn set(self) -> u32 {
        self.minute.sets()[self.index]
    }

    /// Whether a filter lets the row through.
    #[must_use]
    pub fn matches(self, filter: &Filter) -> bool {
        filter.is_all() || self.names.tags_of(self.set()).any(|tag| filter.matches_tag(tag))
    }

    /// The whole row, where it is kept.
    #[must_use]
    pub fn row(self) -> Option<&'a Arc<Row>> {
        self.minute.row(self.index)
    }
}

impl Snapshot {
    /// Rows of `(after, until]`, oldest first, hidden ones too.
    pub fn rows_between(&self, after: Timestamp, until: Timestamp) -> impl DoubleEndedIterator<Item = RowRef<'_>> {
        self.minutes.between(after, until).flat_map(move |minute| {
            let (from, until) = (minute.until(after), minute.until(until));
            (from..until.max(from)).map(move |index| RowRef { minute, index, names: &self.names })
        })
    }

    /// Rows of `(after, ..)` of which newer ones of their keys stand in their place.
    pub(crate) fn hidden_after(&self, after: Timestamp) -> impl Iterator<Item = RowRef<'_>> {
        self.minutes.between(after, Timestamp::MAX).flat_map(move |minute| {
            let hidden = minute.hidden().filter(move |index| after < minute.at(*index));
            hidden.map(move |index| RowRef { minute, index, names: &self.names })
        })
    }

    /// Whether the position counts a row: of its interval, in this version, or only out of sight.
    pub(crate) fn counts(&self, at: Timestamp, row: RowKey) -> bool {
        let is_inside = interval_after(self.position.watermark, self.late_window) < at;
        let before = at.minus(Duration::from_millis(1));
        is_inside && (self.ghosts.contains(&row) || self.rows_between(before, at).any(|one| one.key() == row))
    }

    /// First moment that the window excludes.
    #[must_use]
    pub fn window_after(&self) -> Timestamp {
        crate::window::window_after(self.read_at, self.data.window.get())
    }
}
