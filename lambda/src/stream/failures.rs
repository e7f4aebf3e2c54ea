//! Reads of the table that fail: what the log says of them, and how long to wait.

use std::time::Duration;

use contract::limits;
use tokio::time::Instant;

use crate::store::StoreError;

/// A run of failed reads: logged when it begins, changes kind and ends, not at every poll.
#[derive(Default)]
pub(super) struct Failures {
    since: Option<Instant>,
    polls: u32,
    kind: &'static str,
}

impl Failures {
    /// Notes a failure and returns the pause before the next try: from one poll interval, doubling up to four (at least
    /// two seconds), half of it random so that instances do not come back together.
    pub(super) fn failed(&mut self, error: &StoreError, poll_interval: Duration) -> Duration {
        if self.kind != error.kind() {
            tracing::warn!(kind = error.kind(), %error, "table reads fail; streams go on without new data");
        }
        self.kind = error.kind();
        self.since.get_or_insert_with(Instant::now);
        let doubled = poll_interval.saturating_mul(1 << self.polls.min(10));
        self.polls += 1;
        let cap = (poll_interval * 4).clamp(Duration::from_secs(2), limits::BACKOFF_MAX);
        doubled.min(cap).mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Notes a read that went through.
    pub(super) fn recovered(&mut self) {
        if let Some(since) = self.since {
            tracing::info!(polls = self.polls, seconds = since.elapsed().as_secs_f64(), "table reads work again");
        }
        *self = Self::default();
    }
}
