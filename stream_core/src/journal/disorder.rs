//! How much rows are out of order: whether more of them appear behind the watermark while a client is away than an id can tell apart.

use std::time::{Duration, Instant};

use crate::position::Tail;

/// How long is looked back, once; twice as long at most.
const SPAN: Duration = Duration::from_secs(60);
/// Time for which a client is away, beside a poll: what becomes late meanwhile is what it lacks.
const AWAY: Duration = Duration::from_secs(4);
/// Rows that may be late meanwhile without a tail, and beyond a tail. A sketch tells eight apart, in which rows that were deleted have
/// places too, and it is a mean.
const LATE_MAX: u64 = 4;
const BEYOND_MAX: u64 = 2;
/// Late rows from which on there is anything to be said of them.
const SEEN_MIN: u128 = 12;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    began: Instant,
    /// Late rows, by the level of the shortest tail that has them; the last are later than any.
    counts: [u32; Tail::LEVEL_MAX as usize + 1],
}

/// What was late in the last minute or two.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disorder {
    /// The one that is filled, and the one before it.
    buckets: [Option<Bucket>; 2],
    /// What it always says, where a test wants that.
    #[cfg(test)]
    pub(super) forced: Option<u8>,
}

impl Disorder {
    /// Notes what a poll found, each by how far it was behind the watermark.
    pub(super) fn note(&mut self, now: Instant, late: impl Iterator<Item = Duration>) {
        let is_over = |bucket: &Bucket| now.saturating_duration_since(bucket.began) >= SPAN;
        if self.buckets[0].as_ref().is_none_or(is_over) {
            let fresh = Bucket { began: now, counts: [0; Tail::LEVEL_MAX as usize + 1] };
            // What is two spans old says nothing any more.
            let last = self.buckets[0].filter(|last| now.saturating_duration_since(last.began) < SPAN * 2);
            self.buckets = [Some(fresh), last];
        }
        let Some(bucket) = &mut self.buckets[0] else { return };
        for behind in late {
            let levels = 1..=Tail::LEVEL_MAX;
            let level = levels.into_iter().find(|level| behind < Tail::length(*level)).unwrap_or(Tail::LEVEL_MAX + 1);
            bucket.counts[usize::from(level) - 1] += 1;
        }
    }

    /// The shortest tail that has what is late all the time; 0 where that is little, or later than any tail is long.
    pub(super) fn level(&self, now: Instant, poll: Duration) -> u8 {
        #[cfg(test)]
        if let Some(level) = self.forced {
            return level;
        }
        let buckets = || self.buckets.iter().flatten();
        let Some(began) = buckets().map(|bucket| bucket.began).min() else { return 0 };
        let observed = now.saturating_duration_since(began).max(poll).as_millis().max(1);
        let away = (AWAY + poll).as_millis();
        let most = |rows: u64| u128::from(rows) * observed / away;
        let beyond = |level: u8| -> u128 {
            buckets().flat_map(|bucket| &bucket.counts[usize::from(level)..]).map(|count| u128::from(*count)).sum()
        };
        if beyond(0) <= most(LATE_MAX) || beyond(0) <= SEEN_MIN {
            return 0;
        }
        (1..=Tail::LEVEL_MAX).find(|level| beyond(*level) <= most(BEYOND_MAX)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::any_instant;

    const POLL: Duration = Duration::from_secs(1);

    /// The level after so many seconds of polls, of which each finds rows so far behind.
    fn level(secs: u32, behind_ms: impl Fn(u32) -> Vec<u64>) -> u8 {
        let began = any_instant();
        let mut disorder = Disorder::default();
        for second in 0..secs {
            let now = began + POLL * second;
            disorder.note(now, behind_ms(second).into_iter().map(Duration::from_millis));
        }
        disorder.level(began + POLL * secs, POLL)
    }

    #[test]
    fn a_tail_is_as_long_as_what_is_late_all_the_time() {
        assert_eq!(level(0, |_| Vec::new()), 0);
        assert_eq!(level(100, |_| Vec::new()), 0);
        // One in three seconds is told apart by any id.
        assert_eq!(level(100, |second| if second % 3 == 0 { vec![9_000] } else { Vec::new() }), 0);
        let tail = |level| Tail::length(level);
        let jitter = |_| (0..20).map(|n| n * 150).collect();
        for secs in [1, 5, 60, 200] {
            let found = level(secs, jitter);
            assert!(
                tail(found) > Duration::from_millis(2_550) && tail(found) <= Duration::from_secs(4),
                "{secs}: {found}"
            );
        }
        // Few that are later by far do not make it longer.
        let found = level(100, |second| {
            let few = (second % 10 == 0).then_some(500_000);
            (0..20).map(|n| n * 10).chain(few).collect()
        });
        assert!((1..=3).contains(&found), "{found}");
        // What is later than any tail has none.
        assert_eq!(level(100, |_| vec![100_000; 20]), 0);
    }

    #[test]
    fn what_was_late_is_forgotten_after_two_minutes() {
        let early = |until: u32| move |second: u32| if second < until { vec![1_000; 20] } else { Vec::new() };
        assert_ne!(level(90, early(60)), 0);
        assert_eq!(level(200, early(60)), 0);
    }
}
