//! Which faults of rows were met before: each is counted once, in bounded memory. A row that is lost is logged, of what is left
//! out of rows the first of each kind.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::{Discriminant, discriminant};

use super::row::RowError;

/// Faults remembered, some 30 bytes each. Beyond it the oldest is forgotten, and new when it is met again.
const KNOWN_MAX: usize = 20_000;
/// Faults that are logged: a table full of them must not fill the log. Those after are counted only.
const LOGGED_MAX: usize = 1000;

/// What is known of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is new, and to be logged.
    New,
    /// It is new, and one too many for the log.
    NewAndQuiet,
    /// It was met before.
    Known,
}

/// The faults of one process.
#[derive(Debug, Default)]
pub(super) struct Faults {
    known: HashSet<u64>,
    /// The same, oldest first.
    order: VecDeque<u64>,
    logged: usize,
}

impl Faults {
    /// Notes a fault.
    pub(super) fn note(&mut self, fault: impl Hash) -> Fault {
        let mut hasher = DefaultHasher::new();
        fault.hash(&mut hasher);
        let fault = hasher.finish();
        if !self.known.insert(fault) {
            return Fault::Known;
        }
        self.order.push_back(fault);
        if self.order.len() > KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        if self.logged == LOGGED_MAX {
            return Fault::NewAndQuiet;
        }
        self.logged += 1;
        Fault::New
    }
}

/// What one process left out of rows. Apart from the faults of whole rows, because a table whose every score is wrong must not
/// make it forget those.
#[derive(Debug, Default)]
pub(super) struct ValueFaults {
    met: Faults,
    /// Attribute and kind of fault that were logged: as many as there are attributes and variants.
    logged: HashSet<(String, Discriminant<RowError>)>,
}

impl ValueFaults {
    /// Notes a fault of a row that is not lost.
    pub(super) fn note(&mut self, row: impl Hash, error: &RowError) -> Fault {
        if self.met.note((row, error.attribute())) == Fault::Known {
            return Fault::Known;
        }
        let is_first = self.logged.insert((error.attribute().to_owned(), discriminant(error)));
        if is_first { Fault::New } else { Fault::NewAndQuiet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_counted_for_each_row_and_logged_for_each_kind() {
        let mut faults = ValueFaults::default();
        let range = |name: &str| RowError::Range(name.into(), "2".into(), 0);
        let number = |name: &str| RowError::NotANumber(name.into(), "?".into());
        assert_eq!(faults.note("a", &range("score")), Fault::New);
        assert_eq!(faults.note("a", &range("score")), Fault::Known);
        assert_eq!(faults.note("b", &range("score")), Fault::NewAndQuiet);
        assert_eq!(faults.note("b", &range("confidence")), Fault::New);
        assert_eq!(faults.note("c", &number("score")), Fault::New);
        assert_eq!(faults.note("c", &number("confidence")), Fault::New);
        assert_eq!(faults.note("d", &number("confidence")), Fault::NewAndQuiet);
    }

    #[test]
    fn each_fault_is_new_once_logged_up_to_a_limit_and_counted_beyond_it() {
        let mut faults = Faults::default();
        let found: Vec<Fault> = (0..LOGGED_MAX + 200).map(|n| faults.note(("row", n))).collect();
        assert!(found[..LOGGED_MAX].iter().all(|found| *found == Fault::New));
        assert!(found[LOGGED_MAX..].iter().all(|found| *found == Fault::NewAndQuiet));
        assert!((0..LOGGED_MAX + 200).all(|n| faults.note(("row", n)) == Fault::Known));
    }

    #[test]
    fn the_oldest_is_forgotten_and_memory_is_bounded() {
        let mut faults = Faults::default();
        for n in 0..KNOWN_MAX + 50 {
            assert_ne!(faults.note(n), Fault::Known);
            assert!(faults.known.len() <= KNOWN_MAX && faults.order.len() == faults.known.len());
        }
        assert_eq!(faults.note(KNOWN_MAX + 49), Fault::Known);
        assert_eq!(faults.note(50_usize), Fault::Known);
        assert_eq!(faults.note(49_usize), Fault::NewAndQuiet, "it left the memory, and is new again");
    }
}
