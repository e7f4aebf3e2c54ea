//! How often a user or an address may change something, on this instance.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::limits;
use tokio::time::Instant;

use crate::client_key::ClientKey;
use crate::error::ApiError;
use crate::ids::UserId;
use stream_core::rates::Rates;

/// The buckets of one instance. Another instance has its own: no write should cost a second one that counts it.
pub(super) struct WriteLimits {
    began: Instant,
    by_user: Mutex<Rates>,
    by_address: Mutex<Rates>,
    tokens: Mutex<Rates>,
    goodbyes: Mutex<Rates>,
}

impl Default for WriteLimits {
    fn default() -> Self {
        let rates = |rate| Mutex::new(Rates::new(rate, limits::RATE_KEYS_MAX));
        Self {
            began: Instant::now(),
            by_user: rates(limits::USER_WRITES),
            by_address: rates(limits::ADDRESS_WRITES),
            tokens: rates(limits::ADDRESS_TOKENS),
            goodbyes: rates(limits::ADDRESS_GOODBYES),
        }
    }
}

impl WriteLimits {
    /// Counts a change of a configuration, for the user and for those who share the address; for neither where one of them is
    /// over the limit.
    pub(super) fn change(&self, user: &UserId, client: Option<ClientKey>) -> Result<(), ApiError> {
        let by_user = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        by_user.check(user.as_str(), self.began.elapsed()).map_err(ApiError::TooOften)?;
        drop(by_user);
        self.take(&self.by_address, &key(client))?;
        self.take(&self.by_user, user.as_str())
    }

    /// Counts a fresh user.
    pub(super) fn token(&self, client: Option<ClientKey>) -> Result<(), ApiError> {
        self.take(&self.tokens, &key(client))
    }

    /// Counts a goodbye.
    pub(super) fn goodbye(&self, client: Option<ClientKey>) -> Result<(), ApiError> {
        self.take(&self.goodbyes, &key(client))
    }

    fn take(&self, rates: &Mutex<Rates>, key: &str) -> Result<(), ApiError> {
        let now: Duration = self.began.elapsed();
        let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.take(key, now).map_err(ApiError::TooOften)
    }
}

/// Who has no address shares one: a gap in what the platform says must not be a way around.
fn key(client: Option<ClientKey>) -> String {
    client.map(|client| client.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u32) -> UserId {
        UserId::new(&format!("user-{number}")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_over_their_own_limit_takes_nothing_from_the_address() {
        let writes = WriteLimits::default();
        let office = ClientKey::parse("2001:db8:40:1::17");
        for number in 0..1000 {
            assert_eq!(writes.change(&user(0), office).is_ok(), number < limits::USER_WRITES.burst, "{number}");
        }
        let left = limits::ADDRESS_WRITES.burst - limits::USER_WRITES.burst;
        for number in 0..left {
            writes.change(&user(1 + number), office).unwrap();
        }
        // Nor the other way round: what the address refuses costs the user nothing.
        for _ in 0..2 * limits::USER_WRITES.burst {
            assert!(writes.change(&user(1 + left), office).is_err());
        }
        let elsewhere = ClientKey::parse("2001:db8:40:3::17");
        assert!((0..limits::USER_WRITES.burst).all(|_| writes.change(&user(1 + left), elsewhere).is_ok()));
        assert!(writes.change(&user(2 + left), ClientKey::parse("2001:db8:40:2::17")).is_ok(), "another network");
    }

    #[tokio::test(start_paused = true)]
    async fn goodbyes_have_a_bucket_of_their_own() {
        let writes = WriteLimits::default();
        let (home, other) = (ClientKey::parse("::ffff:203.0.113.5"), ClientKey::parse("203.0.113.6"));
        for _ in 0..limits::ADDRESS_GOODBYES.burst {
            writes.goodbye(home).unwrap();
        }
        for same in ["203.0.113.5", "::ffff:203.0.113.5"] {
            assert!(writes.goodbye(ClientKey::parse(same)).is_err(), "{same}");
        }
        assert!(writes.goodbye(other).is_ok() && writes.change(&user(1), home).is_ok() && writes.token(home).is_ok());
        tokio::time::advance(limits::ADDRESS_GOODBYES.every).await;
        assert!(writes.goodbye(home).is_ok() && writes.goodbye(home).is_err());
    }
}
