//! What happens in a month: visits, sessions and the hours of both.

use super::charge::Per;
use super::setup::{Assumptions, HOUR_SECS, Setup};
use super::visit::{GOODBYE_SHARE, Visit};
use crate::manifest::aws::{Compute, SHARED_STREAMS_MAX};

/// How long Lambda keeps a classic instance that is in use; AWS names no figure. Its window is read anew after that.
pub(super) const INSTANCE_LIFE_HOURS: f64 = 2.0;
/// Files of the page, each visit.
const PAGE_FILES: f64 = 14.0;
/// X-Ray records the first request of each second and one in twenty of the others.
const TRACED_SHARE: f64 = 0.05;

/// What happens in a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Visits.
    pub visits: f64,
    /// Sessions: requests to the stream function.
    pub sessions: f64,
    /// Streams that viewers get: as many as sessions, unless one is handed to many.
    pub answers: f64,
    /// Hours for which sessions are open, with or without a viewer.
    pub open_hours: f64,
    /// Hours of these for which somebody reads.
    pub watched_hours: f64,
    /// Streams open at once, while there are viewers.
    pub streams: f64,
    /// Visits that end with a goodbye.
    pub goodbyes: f64,
    /// Environments that start.
    pub starts: f64,
    /// Requests of viewers for streams, goodbyes and files of the page.
    pub requests: f64,
    /// Requests that X-Ray records where it may.
    pub traces: f64,
}

impl Load {
    /// Reckons with the assumptions.
    #[must_use]
    pub fn of(setup: &Setup, assumptions: &Assumptions) -> Self {
        let visit = Visit::of(setup.longest_session(), assumptions.visit, setup.looks());
        let viewer_hours = f64::from(assumptions.viewers) * assumptions.hours_per_month();
        let visits = viewer_hours * HOUR_SECS / assumptions.visit.as_secs_f64();
        let answers = visits * visit.sessions;
        let (mut open_hours, mut sessions) = (visits * visit.open_secs / HOUR_SECS, answers);
        let mut streams = open_hours / assumptions.hours_per_month();
        let shared_streams = f64::from(SHARED_STREAMS_MAX);
        if setup.segment.is_some() && streams > shared_streams {
            let share = shared_streams / streams;
            (open_hours, sessions, streams) = (open_hours * share, sessions * share, shared_streams);
        }
        let goodbyes = if setup.has_goodbyes { visits * GOODBYE_SHARE } else { 0.0 };
        let starts = if setup.compute == Compute::Classic {
            (open_hours / INSTANCE_LIFE_HOURS).max(streams)
        } else {
            setup.environments(streams) * (1.0 + assumptions.hours_per_month() / INSTANCE_LIFE_HOURS)
        };
        let secs = assumptions.hours_per_month() * HOUR_SECS;
        let per_sec = sessions / secs;
        Self {
            visits,
            sessions,
            answers,
            open_hours,
            watched_hours: visits * visit.watched_secs / HOUR_SECS,
            streams,
            goodbyes,
            starts,
            requests: answers + goodbyes + visits * PAGE_FILES,
            traces: (per_sec.min(1.0) + (per_sec - 1.0).max(0.0) * TRACED_SHARE) * secs,
        }
    }

    /// How many there are of what a charge is counted by.
    #[must_use]
    pub const fn count(&self, per: Per) -> f64 {
        match per {
            Per::Month => 1.0,
            Per::Session => self.sessions,
            Per::OpenHour => self.open_hours,
            Per::Request => self.requests,
            Per::Start => self.starts,
            Per::Trace => self.traces,
        }
    }
}
