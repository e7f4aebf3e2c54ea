//! How often somebody may do something: a bucket of tokens for each, in bounded memory.
//!
//! A bucket is one number, the moment at which it is full again (the generic cell rate algorithm). A full one is as good as
//! none, so that who comes rarely leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::limits::Rate;

/// The buckets of one limit.
#[derive(Debug)]
pub struct Rates {
    rate: Rate,
    keys_max: usize,
    /// When each bucket is full again, since the same start as `now`.
    full_at: BTreeMap<String, Duration>,
    by_time: BTreeSet<(Duration, String)>,
}

impl Rates {
    /// Starts with full buckets for everybody, of whom at most `keys_max` are counted at once.
    #[must_use]
    pub const fn new(rate: Rate, keys_max: usize) -> Self {
        Self { rate, keys_max, full_at: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Takes a token of `key`. `now` is the time since whatever start, as long as it is always the same.
    ///
    /// # Errors
    /// The time after which there is one.
    pub fn take(&mut self, key: &str, now: Duration) -> Result<(), Duration> {
        self.check(key, now)?;
        self.forget_full(now);
        let full_at = self.full_at(key, now);
        self.put(key, full_at + self.rate.every);
        Ok(())
    }

    /// Says whether `key` has a token, and takes none: for who needs one of two buckets.
    ///
    /// # Errors
    /// The time after which there is one.
    pub fn check(&self, key: &str, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at(key, now);
        let wait = (full_at + self.rate.every).saturating_sub(now + self.rate.every * self.rate.burst);
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    fn full_at(&self, key: &str, now: Duration) -> Duration {
        self.full_at.get(key).copied().unwrap_or(now).max(now)
    }

    fn put(&mut self, key: &str, full_at: Duration) {
        match self.full_at.insert(key.to_owned(), full_at) {
            Some(before) => {
                self.by_time.remove(&(before, key.to_owned()));
            }
            // Who has used least loses least by being forgotten.
            None if self.full_at.len() > self.keys_max => {
                if let Some((_, least)) = self.by_time.pop_first() {
                    self.full_at.remove(&least);
                }
            }
            None => {}
        }
        self.by_time.insert((full_at, key.to_owned()));
    }

    fn forget_full(&mut self, now: Duration) {
        while self.by_time.first().is_some_and(|(full_at, _)| *full_at <= now) {
            if let Some((_, key)) = self.by_time.pop_first() {
                self.full_at.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(2) };

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn so_many_at_once_and_one_more_each_interval() {
        let mut rates = Rates::new(RATE, 10);
        for _ in 0..3 {
            assert_eq!(rates.take("a", secs(100.0)), Ok(()));
        }
        assert_eq!(rates.take("a", secs(100.0)), Err(secs(2.0)));
        assert_eq!(rates.take("a", secs(101.5)), Err(secs(0.5)));
        assert_eq!(rates.take("b", secs(101.5)), Ok(()), "somebody else");
        assert_eq!(rates.take("a", secs(102.0)), Ok(()));
        assert_eq!(rates.take("a", secs(102.0)), Err(secs(2.0)));
        assert_eq!((rates.check("a", secs(102.0)), rates.check("b", secs(102.0))), (Err(secs(2.0)), Ok(())));
        // Refusals cost nothing: after a while all is there again, and not more.
        for _ in 0..3 {
            assert_eq!(rates.take("a", secs(1000.0)), Ok(()));
        }
        assert!(rates.take("a", secs(1000.0)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_who_used_most_is_not_forgotten() {
        let mut rates = Rates::new(RATE, 10);
        for _ in 0..3 {
            rates.take("busy", secs(0.0)).unwrap();
        }
        for n in 0..1000 {
            rates.take(&format!("k{n}"), secs(0.1)).unwrap();
            assert!(rates.full_at.len() <= 10 && rates.by_time.len() == rates.full_at.len());
        }
        assert!(rates.take("busy", secs(0.1)).is_err());
        rates.take("later", secs(50.0)).unwrap();
        assert_eq!(rates.full_at.len(), 1);
    }
}
