//! What every client should have had, and whom the end of a run waits for. Reads no clock.

use std::time::Duration;

use super::client::{Client, State};
use super::updates::Updates;

/// Longest time after which a client may be due back for the end of a run to wait for it.
pub(super) const RETURN_MAX: Duration = Duration::from_secs(60);

/// What clients should have had, all together.
#[derive(Clone, Debug, Default)]
pub struct Owed {
    /// Updates.
    pub updates: u64,
    /// Of these, those that did not come.
    pub lost: u64,
    /// Clients that lack any.
    pub clients: u64,
    /// Updates that came to others while clients were away as they were told to be, and still are. They are none of those above.
    pub pending: u64,
    /// Clients that are away so.
    pub pending_clients: u64,
    /// One that lacks one, and which.
    pub(super) sample: Option<(usize, String)>,
    /// Whether a client that lacks any may still get it.
    pub(super) is_waiting: bool,
}

/// How long the end of a run waits for which client.
#[derive(Debug)]
pub(super) struct Wait {
    began: Duration,
    limit: Duration,
    /// How many updates were known then.
    to: usize,
    /// For clients that were away: until when after their return.
    granted: Vec<Option<Duration>>,
}

/// What becomes of a client that lacks updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lacking {
    /// They may be under way.
    Waiting,
    /// It is away as it was told to be, and could not have them yet.
    Pending,
    /// They are lost.
    Lost,
}

impl Wait {
    /// A wait for everything that is known, for so long; for clients that are away for so long after their return.
    pub(super) fn new(began: Duration, limit: Duration, to: usize, clients: usize) -> Self {
        Self { began, limit, to, granted: vec![None; clients] }
    }

    /// What every client should have had by now: from its own first update on, and in any case what came to others more than `timeout` after
    /// its first event.
    pub(super) fn owed(&mut self, clients: &[Client], updates: &Updates, timeout: Duration, now: Duration) -> Owed {
        let mut owed = Owed::default();
        if updates.shared_id().is_some() {
            return owed;
        }
        for (number, client) in clients.iter().enumerate() {
            let Some(served) = client.served else { continue };
            let late = updates.seen_by(served + timeout);
            let from = client.had.first.map_or(late, |first| late.min(first as usize));
            let mut to = self.to;
            if from < to && client.had.count(from, to) < to - from {
                let lacking = self.lacking(number, client, now);
                owed.is_waiting |= lacking == Lacking::Waiting;
                if lacking == Lacking::Pending {
                    // What came before the last that it had is no matter of its absence.
                    to = client.had.last().map_or(from, |last| from.max(last as usize + 1)).min(to);
                    owed.pending += (self.to - to) as u64;
                    owed.pending_clients += 1;
                }
            }
            if from >= to {
                continue;
            }
            let missing = to - from - client.had.count(from, to);
            owed.updates += (to - from) as u64;
            if missing > 0 {
                owed.lost += missing as u64;
                owed.clients += 1;
                let first = client.had.first_missing(from, to).unwrap_or(from);
                owed.sample.get_or_insert_with(|| (number, updates.identity(first).to_owned()));
            }
        }
        owed
    }

    /// One return is waited for, not more: a client that comes back every moment and is given nothing has lost it.
    fn lacking(&mut self, number: usize, client: &Client, now: Duration) -> Lacking {
        let granted = &mut self.granted[number];
        if matches!(client.state, State::Away) && granted.is_none() {
            if client.due > self.began + RETURN_MAX {
                return Lacking::Pending;
            }
            *granted = Some(client.due + self.limit);
        }
        if now < granted.unwrap_or_default().max(self.began + self.limit) {
            return Lacking::Waiting;
        }
        if client.is_refused && !client.is_open() { Lacking::Pending } else { Lacking::Lost }
    }
}
