//! Hours that instances share, between the journal that decides and the store that has them. Nothing of it fails a poll: what cannot
//! be had from there is read from the table.

use std::sync::Arc;

use contract::{DataSettings, PollSettings, limits, logs};
use tokio::time::{Duration, Instant};

use crate::store::{Hours, Items, StoreError, Stores};
use stream_core::journal::Journal;
use stream_core::shelf::{Errand, Head, Scope};

/// Rounds of errands after a poll: to look, to fetch or claim what was seen, to put there what is new.
const ROUNDS: usize = 3;
/// Time without errands after one that failed, while the window is whole.
const PAUSE: Duration = limits::BACKOFF_MAX;

/// Where a hub reads.
#[derive(Clone)]
pub struct Sources {
    /// The rows.
    pub items: Arc<dyn Items>,
    /// Hours that instances share, where they do, and whether this one leaves any.
    pub hours: Option<(Arc<dyn Hours>, bool)>,
}

impl Sources {
    /// The table alone.
    #[must_use]
    pub fn table(items: Arc<dyn Items>) -> Self {
        Self { items, hours: None }
    }

    /// The table, and the hours that instances share, if they do. Those that a function shall leave there it says with `leaves`.
    #[must_use]
    pub fn of(stores: &Stores, data: &DataSettings, leaves: bool) -> Self {
        let hours = data.hours_table.is_some().then(|| (Arc::clone(&stores.hours), leaves));
        Self { items: Arc::clone(&stores.items), hours }
    }

    /// A journal that knows nothing, and what it shares.
    pub(super) fn journal(&self, data: DataSettings, poll: PollSettings) -> (Journal, Sharing) {
        let journal = Journal::new(data, poll);
        let hours = self.hours.as_ref().map(|(hours, _)| (Arc::clone(hours), journal.scope()));
        let journal = match &self.hours {
            Some((_, leaves)) => journal.sharing(*leaves, fastrand::f64()),
            None => journal,
        };
        (journal, Sharing { hours, paused_until: None, is_failing: false })
    }
}

/// The hours of one journal.
pub(super) struct Sharing {
    hours: Option<(Arc<dyn Hours>, Scope)>,
    paused_until: Option<Instant>,
    /// Whether the last errand failed: said when it begins and when it ends.
    is_failing: bool,
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
            if !journal.is_whole() || self.paused_until.is_some_and(|until| Instant::now() < until) {
                break;
            }
            let errands = journal.errands();
            if errands.is_empty() {
                break;
            }
            self.run(journal, errands, units).await;
        }
    }

    /// Runs errands at once. What is fetched is one request, whose bytes are rows one hour after the other.
    async fn run(&mut self, journal: &mut Journal, errands: Vec<Errand>, units: &mut f64) {
        let Some((hours, scope)) = self.hours.clone() else { return };
        let fetches = |errand: &Errand| match errand {
            Errand::Fetch(head) => Some(head.clone()),
            Errand::Look { .. } | Errand::Claim(_) | Errand::Leave(_) => None,
        };
        let heads: Vec<Head> = errands.iter().filter_map(fetches).collect();
        if !heads.is_empty() {
            let read = self.heard(hours.bytes(scope, &heads).await);
            *units += read.as_ref().map_or(0.0, |read| read.units);
            let mut bytes = read.map(|read| read.hours.into_iter());
            for head in &heads {
                let of_hour = bytes.as_mut().and_then(Iterator::next);
                if let Err(error) = journal.fetched(head, of_hour.as_deref()) {
                    tracing::warn!(message = logs::HOUR_REFUSED, hour = %head.start(), %error);
                }
            }
        }
        for errand in errands {
            match errand {
                Errand::Look { from, to } => {
                    let found = self.heard(hours.heads(scope, from, to).await).unwrap_or_default();
                    *units += found.units;
                    journal.looked(found.heads);
                }
                Errand::Claim(write) => {
                    let is_done = self.heard(hours.write(scope, &write).await).unwrap_or_default();
                    journal.claimed(&write, is_done);
                }
                Errand::Leave(write) => {
                    let is_done = self.heard(hours.write(scope, &write).await).unwrap_or_default();
                    journal.left(&write, is_done);
                }
                Errand::Fetch(_) => {}
            }
        }
    }

    /// Says when errands begin to fail, and when they work again.
    fn heard<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("shared hours can be had again");
                }
                Some(answer)
            }
            Err(error) => {
                self.paused_until = Some(Instant::now() + PAUSE);
                if !std::mem::replace(&mut self.is_failing, true) {
                    let kind = error.kind();
                    tracing::warn!(message = logs::HOURS_FAIL, kind, %error);
                }
                None
            }
        }
    }
}
