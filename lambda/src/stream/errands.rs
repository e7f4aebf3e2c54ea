//! Errands to a table that no poll depends on: a failure is said once, and nothing is asked for a while, the longer the more fail.

use contract::limits;
use tokio::time::{Duration, Instant};

use crate::store::StoreError;

/// Time without errands after one that failed. A table that does not answer holds a poll up for as long as it is waited for, so that
/// it doubles with each failure.
const PAUSE: Duration = limits::BACKOFF_MAX;
const DOUBLINGS_MAX: u32 = 4;

/// How errands to one table go.
pub(super) struct Errands {
    fails: &'static str,
    works: &'static str,
    paused_until: Option<Instant>,
    /// What was said of those that fail, and how many did since.
    failing: Option<(&'static str, u32)>,
}

impl Errands {
    /// What is said when they begin to fail, and when they work again.
    pub(super) const fn new(fails: &'static str, works: &'static str) -> Self {
        Self { fails, works, paused_until: None, failing: None }
    }

    /// Whether one failed a short time ago.
    pub(super) fn are_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes what became of one.
    pub(super) fn heard<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                // Where reading works and writing does not, one of them succeeds after every pause.
                let is_over = self.paused_until.is_none_or(|until| until + PAUSE <= Instant::now());
                if is_over && self.failing.take().is_some() {
                    tracing::info!(message = self.works);
                }
                Some(answer)
            }
            Err(error) => {
                let kind = error.kind();
                let (said, failures) = self.failing.unwrap_or(("", 0));
                if said != kind {
                    tracing::warn!(message = self.fails, kind, %error);
                }
                self.failing = Some((kind, failures + 1));
                self.paused_until = Some(Instant::now() + PAUSE * 2_u32.pow(failures.min(DOUBLINGS_MAX)));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_table_that_fails_is_asked_less_and_less_and_works_once_nothing_failed_for_a_while() {
        let mut errands = Errands::new("fails", "works");
        let fail = |errands: &mut Errands| errands.heard::<()>(Err(StoreError::Unavailable("silent".into())));
        for factor in [1, 2, 4, 8, 16, 16] {
            fail(&mut errands);
            tokio::time::advance(PAUSE * factor - Duration::from_millis(1)).await;
            assert!(errands.are_paused(), "{factor}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(!errands.are_paused(), "{factor}");
        }
        // Another errand of the same table.
        assert_eq!(errands.heard(Ok(1)), Some(1));
        assert!(errands.failing.is_some());
        tokio::time::advance(PAUSE).await;
        errands.heard(Ok(2));
        assert!(errands.failing.is_none());
        fail(&mut errands);
        tokio::time::advance(PAUSE).await;
        assert!(!errands.are_paused());
    }
}
