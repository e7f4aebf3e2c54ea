//! Errands to a table that no poll depends on: a failure is said once, and nothing is asked for a while.

use contract::limits;
use tokio::time::{Duration, Instant};

use crate::store::StoreError;

/// Time without errands after one that failed.
const PAUSE: Duration = limits::BACKOFF_MAX;

/// How errands to one table go.
pub(super) struct Errands {
    fails: &'static str,
    works: &'static str,
    paused_until: Option<Instant>,
    /// Whether the last one failed: said when it begins and when it ends.
    is_failing: bool,
}

impl Errands {
    /// What is said when they begin to fail, and when they work again.
    pub(super) const fn new(fails: &'static str, works: &'static str) -> Self {
        Self { fails, works, paused_until: None, is_failing: false }
    }

    /// Whether one failed a short time ago.
    pub(super) fn are_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes what became of one.
    pub(super) fn heard<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!(message = self.works);
                }
                Some(answer)
            }
            Err(error) => {
                self.paused_until = Some(Instant::now() + PAUSE);
                if !std::mem::replace(&mut self.is_failing, true) {
                    let kind = error.kind();
                    tracing::warn!(message = self.fails, kind, %error);
                }
                None
            }
        }
    }
}
