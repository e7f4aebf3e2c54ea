//! How many streams an instance serves, in all and for one client address.

use std::collections::HashMap;
use std::sync::PoisonError;

use crate::client_key::ClientKey;
use crate::sync::{Arc, Mutex, MutexGuard};

/// Counts permits; a permit lives in the response body and counts until that is dropped.
#[derive(Clone, Debug)]
pub struct Slots {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    max: u32,
    max_per_client: u32,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: u32,
    by_client: HashMap<ClientKey, u32>,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The instance's.
    Instance,
    /// That of one source address.
    Client,
}

impl Full {
    /// The word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance_full",
            Self::Client => "client_full",
        }
    }
}

/// One open stream. Dropping it frees the slot.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    client: Option<ClientKey>,
}

impl Slots {
    /// Makes slots for `max` streams, of which one address may hold `max_per_client`.
    #[must_use]
    pub fn new(max: u32, max_per_client: u32) -> Self {
        Self { shared: Arc::new(Shared { max, max_per_client, taken: Mutex::default() }) }
    }

    /// Takes a slot. A client whose address is not known counts for the instance only.
    ///
    /// # Errors
    /// [`Full`] with the limit that is reached.
    pub fn acquire(&self, client: Option<ClientKey>) -> Result<Permit, Full> {
        let mut taken = self.shared.taken();
        if taken.total >= self.shared.max {
            return Err(Full::Instance);
        }
        if let Some(client) = client {
            // Looked up first: a refused address leaves no entry behind.
            if taken.by_client.get(&client).is_some_and(|count| *count >= self.shared.max_per_client) {
                return Err(Full::Client);
            }
            *taken.by_client.entry(client).or_default() += 1;
        }
        taken.total += 1;
        Ok(Permit { shared: Arc::clone(&self.shared), client })
    }

    /// Streams open now.
    #[must_use]
    pub fn taken(&self) -> u32 {
        self.shared.taken().total
    }

    /// Streams the instance may have open.
    #[must_use]
    pub fn max(&self) -> u32 {
        self.shared.max
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing in the lock can panic, so a poisoned one holds right counts.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.shared.taken();
        taken.total -= 1;
        if let Some(client) = self.client
            && let Some(count) = taken.by_client.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_client.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<ClientKey> {
        Some(ClientKey::parse(text).unwrap())
    }

    #[test]
    fn one_more_than_the_limit_is_refused_until_a_permit_is_dropped() {
        let slots = Slots::new(3, 2);
        let first = slots.acquire(key("192.0.2.1")).unwrap();
        let _second = slots.acquire(key("192.0.2.1")).unwrap();
        assert_eq!(slots.acquire(key("192.0.2.1")).unwrap_err(), Full::Client);
        let _third = slots.acquire(None).unwrap();
        assert_eq!(slots.acquire(key("192.0.2.2")).unwrap_err(), Full::Instance);
        assert_eq!(slots.taken(), 3);
        drop(first);
        assert_eq!(slots.taken(), 2);
        let _again = slots.acquire(key("192.0.2.1")).unwrap();
    }

    #[test]
    fn addresses_that_left_are_forgotten() {
        let slots = Slots::new(10, 1);
        for n in 0..100 {
            drop(slots.acquire(key(&format!("192.0.2.{n}"))).unwrap());
        }
        assert!(slots.shared.taken().by_client.is_empty());
        assert_eq!(slots.taken(), 0);
    }

    #[test]
    fn many_threads_never_exceed_the_limit_and_lose_no_slot() {
        let slots = Slots::new(8, 8);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        if let Ok(permit) = slots.acquire(key("192.0.2.1")) {
                            assert!(slots.taken() <= 8);
                            drop(permit);
                        }
                    }
                });
            }
        });
        assert_eq!(slots.taken(), 0);
    }
}
