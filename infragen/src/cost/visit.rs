//! What one visit of a page takes: sessions one after the other, each of which lasts to its own end whoever still reads.
//!
//! A session lasts L, evenly spread over `[0.8 S, S]` for `max_session` S, then the browser is away for G, evenly spread over
//! the announced reconnect delay. Visits end at random, T after they began on average (exponentially spread: a tab has no
//! age at which it closes). Lambda is never told that a tab was closed, so that the session then open is billed in full,
//! unless the page says goodbye: then the session ends at its next look for that, evenly spread over the poll interval.

use std::time::Duration;

use contract::limits::{RECONNECT_MAX_MS, RECONNECT_MIN_MS, SESSION_JITTER_PERCENT};

/// Share of closed tabs that say goodbye: browsers that crash, lose their network or are put to sleep do not.
pub const GOODBYE_SHARE: f64 = 0.9;
/// Parts in which a session is reckoned through.
const STEPS: u32 = 400;

/// Mean time for which a session is open, seconds, that lasts until its end or until its reader has left, at `rate`, and a
/// look at that, at most `poll` later, has seen it.
fn open_with_goodbye(max_session: Duration, rate: f64, poll: Duration) -> f64 {
    let (longest, poll) = (max_session.as_secs_f64(), poll.as_secs_f64());
    let shortest = longest * shortest_share();
    let lasts = |t: f64| if t <= shortest { 1.0 } else { (longest - t) / (longest - shortest) };
    // The chance that leaving and being seen to have left take longer than `t` together.
    let unseen = |t: f64| {
        if t <= poll {
            ((poll - t) + (1.0 - (-rate * t).exp()) / rate) / poll
        } else {
            ((-rate * (t - poll)).exp() - (-rate * t).exp()) / (rate * poll)
        }
    };
    // The mean of what is never negative is the area under its chance to last longer.
    let width = longest / f64::from(STEPS);
    (0..STEPS).map(|step| (f64::from(step) + 0.5) * width).map(|t| lasts(t) * unseen(t) * width).sum()
}

/// Means over many visits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Sessions opened.
    pub sessions: f64,
    /// Seconds for which sessions were open: what is billed.
    pub open_secs: f64,
    /// Seconds of these for which somebody read.
    pub watched_secs: f64,
}

/// Share of `max_session` that every session lasts at least.
fn shortest_share() -> f64 {
    1.0 - f64::from(SESSION_JITTER_PERCENT) / 100.0
}

/// Share of `max_session` that sessions last on average.
fn mean_share() -> f64 {
    f64::midpoint(shortest_share(), 1.0)
}

/// Mean length of a session, seconds.
#[must_use]
pub fn mean_session_secs(max_session: Duration) -> f64 {
    max_session.as_secs_f64() * mean_share()
}

/// Longest session of those that last so long on average: as long as segments, which all end with the clock.
#[must_use]
pub fn longest_of(mean: Duration) -> Duration {
    mean.div_f64(mean_share())
}

/// The chance that a visit, which ends at `rate` a second, outlasts a time evenly spread over `[from, to]`.
fn outlasts(rate: f64, from: f64, to: f64) -> f64 {
    // E[exp(-rate X)] for X even on [from, to].
    ((-rate * from).exp() - (-rate * to).exp()) / (rate * (to - from))
}

impl Visit {
    /// Reckons with sessions of at most `max_session` and visits of `visit` on average. `looks` is the time between two looks
    /// for goodbyes, where there are any.
    #[must_use]
    pub fn of(max_session: Duration, visit: Duration, looks: Option<Duration>) -> Self {
        let (longest, rate) = (max_session.as_secs_f64(), 1.0 / visit.as_secs_f64());
        let survives_session = outlasts(rate, longest * shortest_share(), longest);
        let gap = |millis: u64| Duration::from_millis(millis).as_secs_f64();
        let survives_gap = outlasts(rate, gap(RECONNECT_MIN_MS), gap(RECONNECT_MAX_MS));
        // Each session is followed by another one if the visit outlasts it and the gap after it.
        let sessions = 1.0 / (1.0 - survives_session * survives_gap);
        let whole = mean_session_secs(max_session);
        let open_secs =
            looks.map_or(whole, |poll| whole - GOODBYE_SHARE * (whole - open_with_goodbye(max_session, rate, poll)));
        Self {
            sessions,
            open_secs: sessions * open_secs,
            // E[min(L, what is left of the visit)] = (1 - E[exp(-rate L)]) / rate.
            watched_secs: sessions * (1.0 - survives_session) / rate,
        }
    }

    /// Seconds that a visit leaves open behind it. For visits much longer than a session it is `E[L²] / 2 E[L]` = 0.452 S, the
    /// mean rest of an interval that is hit at random.
    #[must_use]
    pub fn wasted_secs(&self) -> f64 {
        self.open_secs - self.watched_secs
    }
}

/// Mean number of reads in a session that reads when it begins and every `poll` after that: `1 + floor(L / poll)`.
#[must_use]
pub fn reads_per_session(max_session: Duration, poll: Duration) -> f64 {
    let to = max_session.as_secs_f64() / poll.as_secs_f64();
    let from = to * shortest_share();
    // The integral of floor from 0 to x.
    let area = |x: f64| x.floor() * (x.floor() - 1.0) / 2.0 + x.floor() * x.fract();
    1.0 + (area(to) - area(from)) / (to - from)
}

/// Mean seconds between two reads of a poller that many sessions share: a session that begins asks for a read at once,
/// though no sooner than a tenth of the interval after the last one.
#[must_use]
pub fn shared_read_secs(poll: Duration, sessions_per_sec: f64) -> f64 {
    let poll = poll.as_secs_f64();
    let soonest = (poll / 10.0).max(0.05).min(poll);
    if sessions_per_sec * poll < 1e-9 {
        return poll;
    }
    // E[max(soonest, min(poll, X))] for the time X to the next session, exponentially spread.
    soonest + ((-sessions_per_sec * soonest).exp() - (-sessions_per_sec * poll).exp()) / sessions_per_sec
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    /// Numbers of `[0, 1)`, the same at every run.
    fn random() -> impl FnMut() -> f64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).unwrap()) / 4_294_967_296.0
        }
    }

    #[test]
    fn the_formula_agrees_with_visits_played_through() {
        for (session, visit) in [(120.0, 600.0), (120.0, 30.0), (5.0, 600.0), (889.0, 600.0)] {
            let mut random = random();
            let rounds = 40_000;
            let (mut sessions, mut open, mut watched) = (0.0, 0.0, 0.0);
            for _ in 0..rounds {
                let mut left = -visit * (1.0 - random()).ln();
                while left > 0.0 {
                    let lasts = session * (0.8 + 0.2 * random());
                    sessions += 1.0;
                    open += lasts;
                    watched += lasts.min(left);
                    left -= lasts + 0.5 + random();
                }
            }
            let found = Visit::of(secs(session), secs(visit), None);
            let rounds = f64::from(rounds);
            near(found.sessions, sessions / rounds, 0.02 * found.sessions);
            near(found.open_secs, open / rounds, 0.02 * found.open_secs);
            near(found.watched_secs, watched / rounds, 0.02 * found.watched_secs);
        }
    }

    #[test]
    fn goodbyes_shorten_what_is_left_open_as_visits_played_through_say() {
        for (session, visit, poll) in [(120.0, 600.0, 5.0), (120.0, 30.0, 5.0), (10.0, 30.0, 60.0), (889.0, 600.0, 0.5)]
        {
            let mut random = random();
            let rounds = 40_000;
            let (mut open, mut watched) = (0.0, 0.0);
            for _ in 0..rounds {
                let mut left = -visit * (1.0 - random()).ln();
                let says = random() < GOODBYE_SHARE;
                while left > 0.0 {
                    let lasts = session * (0.8 + 0.2 * random());
                    let seen = left + poll * random();
                    open += if says { lasts.min(seen) } else { lasts };
                    watched += lasts.min(left);
                    left -= lasts + 0.5 + random();
                }
            }
            let found = Visit::of(secs(session), secs(visit), Some(secs(poll)));
            near(found.open_secs, open / f64::from(rounds), 0.02 * found.open_secs);
            near(found.watched_secs, watched / f64::from(rounds), 0.02 * found.watched_secs);
        }
    }

    #[test]
    fn a_closed_tab_wastes_at_most_one_session() {
        for session in [5.0, 30.0, 120.0, 889.0] {
            for visit in [1.0, 10.0, 600.0, 86_400.0] {
                let wasted = Visit::of(secs(session), secs(visit), None).wasted_secs();
                assert!(wasted > 0.0 && wasted <= session, "{session} {visit}: {wasted}");
            }
        }
        near(Visit::of(secs(120.0), secs(864_000.0), None).wasted_secs(), 0.4519 * 120.0, 0.5);
        // Whoever leaves at once leaves a whole session.
        near(Visit::of(secs(120.0), secs(0.1), None).wasted_secs(), 108.0, 0.5);
    }

    #[test]
    fn reads_are_counted_as_they_happen() {
        // Sessions of 96 s to 120 s, every 5 s: 20 to 24 reads and one more at the very end.
        let mut random = random();
        for (session, poll) in [(120.0, 5.0), (5.0, 300.0), (7.0, 5.0), (889.0, 0.1)] {
            let rounds = 40_000;
            let count = |_| 1.0 + (session * (0.8 + 0.2 * random()) / poll).floor();
            let mean = (0..rounds).map(count).sum::<f64>() / f64::from(rounds);
            near(reads_per_session(secs(session), secs(poll)), mean, 0.01 * mean);
        }
    }

    #[test]
    fn a_shared_poller_reads_more_often_the_more_sessions_begin() {
        near(shared_read_secs(secs(5.0), 0.0), 5.0, 0.0);
        near(shared_read_secs(secs(5.0), 1e6), 0.5, 1e-5);
        let mut last = 5.0;
        for rate in [0.001, 0.01, 0.1, 1.0, 10.0] {
            let found = shared_read_secs(secs(5.0), rate);
            assert!(found < last && found >= 0.5);
            last = found;
        }
    }
}
