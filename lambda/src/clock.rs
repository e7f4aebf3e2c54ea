//! The wall clock, as a value: the shell reads it, the core is told.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::journal::Now;
use crate::core::timestamp::Timestamp;

/// Where the time of day comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

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
        Self(Arc::new(read))
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        (self.0)()
    }

    /// The moment on both clocks. Tokio's, so that tests can pause it.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { instant: tokio::time::Instant::now().into_std(), wall: self.wall() }
    }
}
