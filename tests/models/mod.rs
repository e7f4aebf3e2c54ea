//! Shared state in every order in which threads can meet, by loom.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loom::thread;
use tests::client_key::ClientKey;
use tests::slots::{Full, Slots};

// The counter is not what is looked at: as one of loom's it would only multiply the orders.

/// Takes a slot, asserts that no more than `max` have one, and gives it back. Returns whether there was one.
fn visit(slots: &Slots, inside: &AtomicU32, max: u32, client: ClientKey) -> bool {
    let Ok(permit) = slots.acquire(Some(client)) else { return false };
    assert!(inside.fetch_add(1, Ordering::SeqCst) < max, "more than {max} at once");
    inside.fetch_sub(1, Ordering::SeqCst);
    drop(permit);
    true
}

/// Three clients meet at `max` slots, of which one address may hold `max_per_client`.
fn check(max: u32, max_per_client: u32, clients: [&'static str; 3]) {
    let clients = clients.map(|text| ClientKey::parse(text).expect("an address"));
    loom::model(move || {
        let (slots, inside) = (Slots::new(max, max_per_client), Arc::new(AtomicU32::new(0)));
        let [first, others @ ..] = clients;
        let others = others.map(|client| {
            let (slots, inside) = (slots.clone(), Arc::clone(&inside));
            thread::spawn(move || visit(&slots, &inside, max, client))
        });
        let mut served = u32::from(visit(&slots, &inside, max, first));
        for other in others {
            served += u32::from(other.join().unwrap());
        }
        assert!(served >= 1, "everybody was refused although nobody was there");
        // Nothing is left behind: as many fit as in the beginning, and not one more.
        assert_eq!(slots.taken(), 0);
        let all: Vec<_> = (0..max.min(max_per_client)).map(|_| slots.acquire(Some(first)).unwrap()).collect();
        let full = if max <= max_per_client { Full::Instance } else { Full::Client };
        assert_eq!(slots.acquire(Some(first)).unwrap_err(), full);
        drop(all);
        assert_eq!(slots.taken(), 0);
    });
}

#[test]
fn no_order_of_coming_and_going_lets_one_too_many_in_or_loses_a_slot() {
    check(1, 1, ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    check(2, 1, ["2001:db8::1", "2001:db8::2", "192.0.2.1"]);
}
