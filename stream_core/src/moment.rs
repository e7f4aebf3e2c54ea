//! Moments and ranges of time, as the shell hands them in.

use std::time::Instant;

use crate::timestamp::Timestamp;

/// The moment of a decision, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For durations: never steps.
    pub instant: Instant,
    /// For comparing with rows: may step, both ways.
    pub wall: Timestamp,
}

/// Rows of `(after, until]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// Last millisecond that is not read, the one before a whole second.
    pub after: Timestamp,
    /// Last moment that is read.
    pub until: Timestamp,
}

impl TimeRange {
    /// Whether a row of that time is read.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.after < at && at <= self.until
    }
}
