//! Writes that all clients at one place get, made once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use stream_core::snapshot::Snapshot;
use stream_core::timestamp::Timestamp;
use stream_core::write::{Place, Write};

/// Places of one snapshot whose writes are kept, at most: clients are at one of a few, unless they are slow.
const PLACES_MAX: usize = 64;

/// The writes of one filter and the newest snapshot.
#[derive(Default)]
pub(super) struct Writes {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Number of the snapshot, and when it was read: a poller that began anew counts from the start.
    of: Option<(u64, Timestamp)>,
    by_place: BTreeMap<Place, Arc<Write>>,
}

impl Writes {
    /// The write for a place: one that is there, or what `make` makes.
    pub(super) fn get(&self, snapshot: &Snapshot, place: Place, make: &mut dyn FnMut() -> Write) -> Arc<Write> {
        // Others who want the same wait for it: it is made once.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of = Some((snapshot.serial, snapshot.read_at));
        if kept.of != of {
            *kept = Kept { of, by_place: BTreeMap::new() };
        }
        if let Some(write) = kept.by_place.get(&place) {
            return Arc::clone(write);
        }
        let write = Arc::new(make());
        if kept.by_place.len() < PLACES_MAX {
            kept.by_place.insert(place, Arc::clone(&write));
        }
        write
    }
}
