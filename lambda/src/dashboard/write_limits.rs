//! How often who may change something, on this instance.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::limits;
use tokio::time::Instant;

use crate::error::ApiError;
use stream_core::rates::Rates;

/// The buckets of one instance. Another instance has its own: no write should cost a second one that counts it.
pub(super) struct WriteLimits {
    began: Instant,
    by_user: Mutex<Rates>,
    by_address: Mutex<Rates>,
    tokens: Mutex<Rates>,
}

impl Default for WriteLimits {
    fn default() -> Self {
        let rates = |rate| Mutex::new(Rates::new(rate, limits::RATE_KEYS_MAX));
        Self {
            began: Instant::now(),
            by_user: rates(limits::USER_WRITES),
            by_address: rates(limits::ADDRESS_WRITES),
            tokens: rates(limits::ADDRESS_TOKENS),
        }
    }
}

impl WriteLimits {
    /// Counts a change of a configuration.
    pub(super) fn change(&self, user_id: &str, address: Option<&str>) -> Result<(), ApiError> {
        self.take(&self.by_address, address)?;
        self.take(&self.by_user, Some(user_id))
    }

    /// Counts a fresh user.
    pub(super) fn token(&self, address: Option<&str>) -> Result<(), ApiError> {
        self.take(&self.tokens, address)
    }

    fn take(&self, rates: &Mutex<Rates>, key: Option<&str>) -> Result<(), ApiError> {
        let now: Duration = self.began.elapsed();
        // Who has no address shares one: a gap in what the platform says must not be a way around.
        let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.take(key.unwrap_or_default(), now).map_err(ApiError::TooOften)
    }
}
