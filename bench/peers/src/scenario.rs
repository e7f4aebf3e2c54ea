//! What is asked of every server alike.

use std::time::Duration;

/// The picture of viewers who share what a cache holds.
pub(crate) const SHARED: &str = "shared";

/// One picture.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Its name in results.
    pub(crate) name: &'static str,
    /// Clients.
    pub(crate) clients: usize,
    /// Time over which they come; zero for all at once.
    pub(crate) ramp: Duration,
    /// Updates a second.
    pub(crate) rate: u32,
    /// Time between two lumps of updates.
    pub(crate) every: Duration,
    /// How long what comes is measured.
    pub(crate) listen: Duration,
    /// Length of the segments that a cache holds.
    pub(crate) segment: Duration,
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) clients: usize,
    pub(crate) idle_clients: usize,
    pub(crate) shared_clients: usize,
    pub(crate) bulk_rate: u32,
    pub(crate) single_rate: u32,
    pub(crate) listen: Duration,
    pub(crate) segment: Duration,
}

/// The pictures: lumps of many updates, updates one by one, many clients for whom nearly nothing comes, and many before a cache.
pub(crate) fn all(size: Size) -> Vec<Scenario> {
    let Size { clients, idle_clients, shared_clients, bulk_rate, single_rate, listen, segment } = size;
    let one = Duration::from_millis(1000 / u64::from(single_rate.clamp(1, 1000)));
    let second = Duration::from_secs(1);
    let herd =
        Scenario { name: "bulk", clients, ramp: Duration::ZERO, rate: bulk_rate, every: second, listen, segment };
    vec![
        herd.clone(),
        Scenario { name: "single", rate: single_rate, every: one, ..herd.clone() },
        Scenario {
            name: "idle",
            clients: idle_clients,
            // A backlog of 128 takes some thousand a second.
            ramp: Duration::from_millis(idle_clients as u64 / 2),
            rate: 1,
            ..herd.clone()
        },
        Scenario {
            name: SHARED,
            clients: shared_clients,
            ramp: Duration::from_millis(shared_clients as u64),
            rate: 2,
            every: second / 2,
            ..herd
        },
    ]
}
