//! The wall clock, as a value: the shell reads it, the core is told.
//!
//! The system's clock is believed unless the table's service says otherwise: its answers carry the time. A clock that is an
//! hour behind would hide the newest rows, one that is ahead would shorten the window, and AWS refuses requests that are
//! signed with a time five minutes off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::limits;

use stream_core::moment::Now;
use stream_core::timestamp::Timestamp;

/// Where the time of day comes from.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Milliseconds that the system's clock is behind.
    behind: Arc<AtomicI64>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.wall()).finish()
    }
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            #[expect(clippy::disallowed_methods, reason = "this is where the shell reads the clock")]
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp::EPOCH.plus(since)
        })
    }

    /// A clock for tests.
    #[must_use]
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), behind: Arc::default() }
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let behind = self.behind.load(Ordering::Relaxed);
        Timestamp::from_millis((self.read)().millis().saturating_add_signed(behind))
    }

    /// Takes the time from an answer of a service that is known to be right. Up to [`limits::CLOCK_ERROR_MAX`] the system is
    /// believed all the same: the service says whole seconds, and an answer takes a while.
    pub fn told(&self, time: Timestamp) {
        let signed = |time: Timestamp| i64::try_from(time.millis()).unwrap_or(i64::MAX);
        let behind = signed(time) - signed((self.read)());
        let error = Duration::from_millis(behind.unsigned_abs());
        let behind = if error > limits::CLOCK_ERROR_MAX { behind } else { 0 };
        let before = self.behind.swap(behind, Ordering::Relaxed);
        if (before == 0) != (behind == 0) {
            tracing::warn!(
                seconds_behind = behind / 1000,
                "clock: the table's service says another time than the system"
            );
        }
    }

    /// Whether the time has gone on since `then` as it should: no step, no correction, no freeze in between.
    #[must_use]
    pub fn agrees_with(&self, then: Now) -> bool {
        let now = self.now();
        let expected = then.wall.plus(now.instant.saturating_duration_since(then.instant));
        let (earlier, later) = (expected.min(now.wall), expected.max(now.wall));
        later <= earlier.plus(limits::CLOCK_ERROR_MAX)
    }

    /// The moment on both clocks. Tokio's, so that tests can pause it.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { instant: tokio::time::Instant::now().into_std(), wall: self.wall() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    const NOON: u64 = 1_800_000_000_000;

    fn clock() -> (Clock, Arc<AtomicU64>) {
        let system = Arc::new(AtomicU64::new(NOON));
        let read = Arc::clone(&system);
        (Clock::new(move || Timestamp::from_millis(read.load(Ordering::Relaxed))), system)
    }

    #[test]
    fn a_clock_that_is_far_off_is_corrected_until_it_is_right_again() {
        let (clock, system) = clock();
        let millis = |clock: &Clock| clock.wall().millis();
        clock.told(Timestamp::from_millis(NOON + 60_000));
        assert_eq!(millis(&clock), NOON, "within what is let pass");
        clock.told(Timestamp::from_millis(NOON + 60_001));
        assert_eq!(millis(&clock), NOON + 60_001);
        system.store(NOON + 3_600_000, Ordering::Relaxed);
        clock.told(Timestamp::from_millis(NOON + 5_000));
        assert_eq!(millis(&clock), NOON + 5_000, "ahead");
        system.store(NOON + 10_000, Ordering::Relaxed);
        clock.told(Timestamp::from_millis(NOON + 10_000));
        assert_eq!(millis(&clock), NOON + 10_000, "right again");
    }

    #[test]
    fn a_step_is_noticed_in_both_directions() {
        let (clock, system) = clock();
        let then = clock.now();
        assert!(clock.agrees_with(then));
        for step in [NOON - 3_600_000, NOON + 3_600_000] {
            system.store(step, Ordering::Relaxed);
            assert!(!clock.agrees_with(then));
        }
        system.store(NOON + 59_000, Ordering::Relaxed);
        assert!(clock.agrees_with(then));
    }
}
