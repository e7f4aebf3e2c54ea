//! Many clients at once: who has what, how soon, and who lacks it.
//!
//! One thread for all of them, because it stands on one machine with the server that it measures. It counts events by their type and
//! knows updates from one another, and must not take bytes for either.

mod answer;
mod blocks;
mod client;
mod moment;
mod owed;
pub mod percentiles;
mod places;
mod report;
mod run;
mod socket;
mod tally;
mod updates;

use std::time::Duration;

pub use owed::Owed;
pub use report::LoadReport;
pub use run::Run;
use tally::Tally;

/// Most clients of a run: as many as there are loopback addresses would be more than there is memory for.
pub const CLIENTS_MAX: usize = 1_000_000;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Load {
    /// Clients, at most [`CLIENTS_MAX`].
    pub clients: usize,
    /// Time over which they come, evenly; zero for all at once.
    pub ramp: Duration,
    /// JSON pointer to the time in an update's data.
    pub time_field: String,
    /// Whether clients may be refused: with status 200 and an end, so that they come back.
    pub allows_refusals: bool,
}

/// How far a run is.
pub struct Progress<'r> {
    /// Clients whose stream is open and has had bytes.
    pub open: usize,
    tally: &'r Tally,
}

impl Progress<'_> {
    /// Clients that have had an event of this type.
    #[must_use]
    pub fn clients_with(&self, name: &str) -> u64 {
        self.named(name).map_or(0, |name| name.firsts.count())
    }

    /// Events of this type, all clients together.
    #[must_use]
    pub fn events(&self, name: &str) -> u64 {
        self.named(name).map_or(0, |name| name.count)
    }

    /// Updates that came, all clients together.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.tally.delivered
    }

    /// Connects of clients that had had an event before.
    #[must_use]
    pub fn returned(&self) -> u64 {
        self.tally.reconnects
    }

    /// Streams and connects that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.tally.failures.values().sum()
    }

    /// Bytes of the bodies.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tally.bytes
    }

    fn named(&self, name: &str) -> Option<&tally::Name> {
        self.tally.names.iter().find(|known| known.text == name)
    }
}
