//! Hours that instances share, between the journal that decides and the store that has them. Nothing of it fails a poll: what cannot
//! be had from there is read from the table.

use std::sync::Arc;

use contract::{DataSettings, PollSettings, logs};

use super::errands::Errands;
use super::keeping::Keeping;
use crate::store::{Hours, Items, Stores};
use stream_core::journal::Journal;
use stream_core::shelf::{Errand, Head, Write};

/// Rounds of errands after a poll: to look, to fetch or claim what was seen, to put there what is new.
const ROUNDS: usize = 3;

/// Where a hub reads.
#[derive(Clone)]
pub struct Sources {
    /// The rows.
    pub items: Arc<dyn Items>,
    /// Hours that instances share, where they do, and whether this one leaves any.
    pub hours: Option<(Arc<dyn Hours>, bool)>,
    /// Where sums of hours are kept, if this one keeps any.
    pub rollups: Option<Arc<dyn Hours>>,
}

impl Sources {
    /// The table alone.
    #[must_use]
    pub fn table(items: Arc<dyn Items>) -> Self {
        Self { items, hours: None, rollups: None }
    }

    /// The table, the hours that instances share, and where their sums are kept, if they are. Whether it leaves any there a function
    /// says with `leaves`.
    #[must_use]
    pub fn of(stores: &Stores, data: &DataSettings, leaves: bool) -> Self {
        let hours = data.hours_table.is_some().then(|| (Arc::clone(&stores.hours), leaves));
        let rollups = (leaves && data.history_table.is_some()).then(|| Arc::clone(&stores.hours));
        Self { items: Arc::clone(&stores.items), hours, rollups }
    }

    /// A journal that knows nothing, what it shares, and what it keeps.
    pub(super) fn journal(&self, data: DataSettings, poll: PollSettings) -> (Journal, Sharing, Keeping) {
        let keep = data.history_keep.filter(|_| self.rollups.is_some());
        let journal = Journal::new(data, poll);
        let journal = match keep {
            Some(keep) => journal.keeping(keep.get()),
            None => journal,
        };
        let keeping = Keeping::new(self.rollups.clone(), journal.rollup_scope());
        let hours = self.hours.as_ref().map(|(hours, _)| Arc::clone(hours));
        let journal = match &self.hours {
            Some((_, leaves)) => journal.sharing(*leaves, fastrand::f64()),
            None => journal,
        };
        let errands = Errands::new(logs::HOURS_FAIL, "shared hours can be had again");
        (journal, Sharing { hours, errands }, keeping)
    }
}

/// The hours of one journal.
pub(super) struct Sharing {
    hours: Option<Arc<dyn Hours>>,
    errands: Errands,
}

impl Sharing {
    /// Runs what a load has to ask; `false` where there is nothing. Adds the read units that it took.
    pub(super) async fn load(&mut self, journal: &mut Journal, units: &mut f64) -> bool {
        journal.advance();
        let errands = if journal.is_whole() { Vec::new() } else { journal.errands() };
        let is_any = !errands.is_empty();
        self.run(journal, errands, units).await;
        is_any
    }

    /// Takes and leaves what is due, now that the window is whole and out.
    pub(super) async fn settle(&mut self, journal: &mut Journal, units: &mut f64) {
        for _ in 0..ROUNDS {
            if !journal.is_whole() || self.errands.are_paused() {
                break;
            }
            let errands = journal.errands();
            if errands.is_empty() {
                break;
            }
            self.run(journal, errands, units).await;
        }
    }

    /// Runs errands at once. What is fetched is one request for each kind, whose bytes are rows one hour after the other.
    async fn run(&mut self, journal: &mut Journal, errands: Vec<Errand>, units: &mut f64) {
        let Some(hours) = self.hours.clone() else { return };
        let fetches = |errand: &Errand| match errand {
            Errand::Fetch(head) => Some(head.clone()),
            Errand::Look { .. } | Errand::Claim(_) | Errand::Leave(_) => None,
        };
        let heads: Vec<Head> = errands.iter().filter_map(fetches).collect();
        for heads in heads.chunk_by(|one, other| one.kind == other.kind) {
            let read = self.errands.heard(hours.bytes(journal.scope(heads[0].kind), heads).await);
            *units += read.as_ref().map_or(0.0, |read| read.units);
            let mut bytes = read.map(|read| read.hours.into_iter());
            for head in heads {
                let of_hour = bytes.as_mut().and_then(Iterator::next);
                if let Err(error) = journal.fetched(head, of_hour.as_deref()) {
                    tracing::warn!(message = logs::HOUR_REFUSED, hour = %head.start(), %error);
                }
            }
        }
        for errand in errands {
            match errand {
                Errand::Look { kind, from, to } => {
                    let found = self.errands.heard(hours.heads(journal.scope(kind), from, to).await);
                    let found = found.unwrap_or_default();
                    *units += found.units;
                    journal.looked(kind, found.heads);
                }
                Errand::Claim(write) => {
                    let is_done = self.write(&*hours, journal, &write).await;
                    journal.claimed(&write, is_done);
                }
                Errand::Leave(write) => {
                    let is_done = self.write(&*hours, journal, &write).await;
                    journal.left(&write, is_done);
                }
                Errand::Fetch(_) => {}
            }
        }
    }

    async fn write(&mut self, hours: &dyn Hours, journal: &Journal, write: &Write) -> bool {
        self.errands.heard(hours.write(journal.scope(write.head.kind), write).await).unwrap_or_default()
    }
}
