//! What happens in a month: visits, sessions and the hours of both.

use super::setup::{Assumptions, HOUR_SECS, Setup};
use super::visit::{GOODBYE_SHARE, Visit};

/// What happens in a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Visits.
    pub visits: f64,
    /// Sessions: requests to the stream function.
    pub sessions: f64,
    /// Hours for which sessions are open, with or without a viewer.
    pub open_hours: f64,
    /// Hours of these for which somebody reads.
    pub watched_hours: f64,
    /// Streams open at once, while there are viewers.
    pub streams: f64,
    /// Visits that end with a goodbye.
    pub goodbyes: f64,
}

impl Load {
    /// Reckons with the assumptions.
    #[must_use]
    pub fn of(setup: &Setup, assumptions: &Assumptions) -> Self {
        let visit = Visit::of(setup.max_session, assumptions.visit, setup.looks());
        let viewer_hours = f64::from(assumptions.viewers) * assumptions.hours_per_month();
        let visits = viewer_hours * HOUR_SECS / assumptions.visit.as_secs_f64();
        let open_hours = visits * visit.open_secs / HOUR_SECS;
        Self {
            visits,
            sessions: visits * visit.sessions,
            open_hours,
            watched_hours: visits * visit.watched_secs / HOUR_SECS,
            streams: open_hours / assumptions.hours_per_month(),
            goodbyes: if setup.has_goodbyes { visits * GOODBYE_SHARE } else { 0.0 },
        }
    }
}
