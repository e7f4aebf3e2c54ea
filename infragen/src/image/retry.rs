//! How often something is tried again, and after how long: exponential, with a limit and a random part.

use std::time::Duration;

/// Tries in a row that bring nothing, before it is given up.
pub const TRIES_MAX: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Longest wait that a registry may ask for: a person sits before it.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// Statuses that another try may change: too slow, too many, and the server's own troubles.
#[must_use]
pub const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Reads `Retry-After`: whole seconds. A date is the other form, and no registry is known to send one; it counts as none.
#[must_use]
pub fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(Duration::from_secs)
}

/// Tries in a row that brought nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Something came of it: the next failure is the first again.
    pub const fn succeeded(&mut self) {
        self.0 = 0;
    }

    /// Counts a failure, and returns how long to wait before the next try; none where it is given up.
    ///
    /// `asked` is what the other side asks for, and wins; `random` of 0 to 255 spreads those who fail together.
    pub fn failed(&mut self, asked: Option<Duration>, random: u8) -> Option<Duration> {
        self.0 += 1;
        if self.0 >= TRIES_MAX || asked.is_some_and(|asked| asked > RETRY_AFTER_MAX) {
            return None;
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << (self.0 - 1)).min(WAIT_MAX);
        // Half of it at least.
        let spread = doubled / 2 + doubled.mul_f64(f64::from(random) / 510.0);
        Some(asked.unwrap_or(spread))
    }

    /// How many failed.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_then_it_is_given_up() {
        let waits = |random: u8| {
            let mut tries = Tries::default();
            std::iter::from_fn(|| tries.failed(None, random)).map(|wait| wait.as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(waits(255), [500, 1000, 2000, 4000, 8000]);
        assert_eq!(waits(0), [250, 500, 1000, 2000, 4000]);
    }

    #[test]
    fn what_the_other_side_asks_for_wins_unless_it_is_too_long() {
        let failed = |secs: u64| Tries::default().failed(Some(Duration::from_secs(secs)), 7);
        assert_eq!(failed(0), Some(Duration::ZERO));
        assert_eq!(failed(120), Some(RETRY_AFTER_MAX));
        assert_eq!(failed(121), None);
    }

    #[test]
    fn a_success_begins_anew() {
        let mut tries = Tries::default();
        while tries.failed(None, 0).is_some() {}
        assert_eq!(tries.count(), TRIES_MAX);
        tries.succeeded();
        assert!(tries.failed(None, 0).is_some());
    }

    #[test]
    fn seconds_are_read_and_statuses_known() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        for text in ["", "-1", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(retry_after(text), None, "{text}");
        }
        assert!([429, 500, 502, 503, 504].into_iter().all(is_passing));
        assert!(![200, 202, 400, 401, 403, 404, 413, 501].into_iter().any(is_passing));
    }
}
