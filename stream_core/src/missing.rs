//! Rows that clients have had and that the table does not have, or not in that version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::item::{Row, RowKey};
use crate::moment::Now;
use crate::position::Tracker;
use crate::resume::STRANGERS_MAX;
use crate::snapshot::SNAPSHOT_AGE_MAX;
use crate::window::window_until;

/// How long a row that went missing may come back as the same: indexes lag by a second or so. After that it was deleted. Short,
/// because what is kept takes up places in the sketch that late rows need.
const GHOST_KEPT: Duration = Duration::from_secs(15);
const _: () = assert!(SNAPSHOT_AGE_MAX.as_secs() < GHOST_KEPT.as_secs());

/// Gone rows that are remembered, at most; an id can speak of eight.
const GONE_MAX: usize = 1000;

/// A row that went missing.
#[derive(Clone, Debug)]
struct Ghost {
    row: Arc<Row>,
    missing_since: Instant,
}

/// A version of a row that the position does not count any more.
#[derive(Clone, Debug)]
struct Gone {
    row: Arc<Row>,
    /// When that became so, as a number that grows.
    serial: u64,
    /// Until then the same version is no news: it was missing from a read, with too many others to be counted on.
    known_until: Option<Instant>,
}

/// What is not in the table any more.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// Handed out, still counted by the position, and not in the table any more: deleted, or an index that lags.
    ghosts: BTreeMap<RowKey, Ghost>,
    /// Not counted any more although clients may have had them: replaced by another version of their row, or deleted.
    gone: BTreeMap<RowKey, Gone>,
    serial: u64,
}

impl Missing {
    /// Rows that the position counts.
    pub(crate) fn ghosts(&self) -> BTreeSet<RowKey> {
        self.ghosts.keys().copied().collect()
    }

    /// Rows that it does not count.
    pub(crate) fn gone(&self) -> BTreeMap<RowKey, Arc<Row>> {
        self.gone.iter().map(|(key, gone)| (*key, Arc::clone(&gone.row))).collect()
    }

    /// Notes rows that a read did not find any more.
    pub(crate) fn note(&mut self, removed: &[Arc<Row>], planned: Now, tracker: &Tracker) {
        // What lies in the future of a clock that was set back is not missing.
        for row in removed.iter().filter(|row| row.item.at <= window_until(planned.wall)) {
            if tracker.contains(row.item.at, row.key) {
                self.ghosts.insert(row.key, Ghost { row: Arc::clone(row), missing_since: planned.instant });
            }
        }
    }

    /// Takes out the version of a row that was missing, now that the row is there again.
    pub(crate) fn take_ghost(&mut self, row: &Row) -> Option<Arc<Row>> {
        // Rows of one hash key have one place where that is what an item is; each is missing by itself.
        let is_it = |ghost: &Ghost| (ghost.row.item.at, ghost.row.place) == (row.item.at, row.place);
        let ghost = self.ghosts.iter().find(|(_, ghost)| is_it(ghost)).map(|(key, _)| *key);
        ghost.and_then(|key| self.ghosts.remove(&key)).map(|ghost| ghost.row)
    }

    /// Takes out a version that was gone, now that it is there again; whether it is no news yet.
    pub(crate) fn take_known(&mut self, key: RowKey) -> bool {
        self.gone.remove(&key).is_some_and(|gone| gone.known_until.is_some())
    }

    /// Notes a version that the position does not count any more. Until `known_until`, it is no news if it comes back.
    pub(crate) fn remember_gone(&mut self, row: &Arc<Row>, known_until: Option<Instant>) {
        self.serial += 1;
        let gone = Gone { row: Arc::clone(row), serial: self.serial, known_until };
        self.gone.insert(row.key, gone);
    }

    /// Forgets what is too old to matter, and lets the position count no longer what has been missing for too long.
    pub(crate) fn forget_old(&mut self, now: Instant, tracker: &mut Tracker) {
        let late_after = tracker.interval_after();
        let mut missing: Vec<Ghost> = self.ghosts.values().cloned().collect();
        missing.sort_by_key(|ghost| (ghost.missing_since, ghost.row.key));
        let too_many = missing.len().saturating_sub(STRANGERS_MAX);
        for (index, Ghost { row, missing_since }) in missing.into_iter().enumerate() {
            let expired = now.saturating_duration_since(missing_since) >= GHOST_KEPT;
            if row.item.at <= late_after || expired || index < too_many {
                self.ghosts.remove(&row.key);
                tracker.forget(row.item.at, row.key);
                // If the same row is written again after it was deleted, that is news.
                self.remember_gone(&row, (!expired).then(|| missing_since + GHOST_KEPT));
            }
        }
        self.gone.retain(|_, gone| gone.row.item.at > late_after);
        for gone in self.gone.values_mut() {
            gone.known_until = gone.known_until.filter(|until| now < *until);
        }
        if self.gone.len() > GONE_MAX {
            let mut serials: Vec<u64> = self.gone.values().map(|gone| gone.serial).collect();
            let forgotten = serials.len() - GONE_MAX;
            let (_, oldest_kept, _) = serials.select_nth_unstable(forgotten);
            let oldest_kept = *oldest_kept;
            self.gone.retain(|_, gone| gone.serial >= oldest_kept);
        }
    }
}
