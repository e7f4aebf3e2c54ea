//! What several tests share and the first of them sets up.

use std::any::Any;
use std::ops::Deref;
use std::panic::catch_unwind;
use std::sync::OnceLock;

/// A set-up that is made once for each test process. Where it fails, each test that needs it fails and says why; the others run.
///
/// A `LazyLock` would say so to the first of them, and tell all others only that it is poisoned.
pub(crate) struct Shared<T> {
    what: &'static str,
    make: fn() -> T,
    made: OnceLock<Result<T, String>>,
}

impl<T> Shared<T> {
    /// `what` stands in the message of a failure; `make` may panic.
    pub(crate) const fn new(what: &'static str, make: fn() -> T) -> Self {
        Self { what, make, made: OnceLock::new() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let made = self.made.get_or_init(|| catch_unwind(self.make).map_err(|panic| said(&*panic)));
        made.as_ref().unwrap_or_else(|why| panic!("{}, which this test needs, could not be set up: {why}", self.what))
    }
}

/// The message of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_failed_set_up_is_tried_once_and_tells_everybody_why() {
        static TRIES: AtomicUsize = AtomicUsize::new(0);
        static BROKEN: Shared<u32> = Shared::new("the number", || {
            TRIES.fetch_add(1, Ordering::Relaxed);
            panic!("there is no {}", "number")
        });
        for _ in 0..2 {
            let panic = catch_unwind(|| *BROKEN).unwrap_err();
            assert_eq!(said(&*panic), "the number, which this test needs, could not be set up: there is no number");
        }
        assert_eq!(TRIES.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_set_up_is_made_once() {
        static TRIES: AtomicUsize = AtomicUsize::new(0);
        static NUMBER: Shared<usize> = Shared::new("the number", || TRIES.fetch_add(1, Ordering::Relaxed) + 7);
        assert_eq!((*NUMBER, *NUMBER), (7, 7));
    }
}
