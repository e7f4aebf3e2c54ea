//! Tests from the outside are in the test binary. In this library is what they look at from the inside: state that the functions
//! share by hand, built with loom's locks, which try every order in which threads can meet.

#[path = "../lambda/src/client_key.rs"]
pub mod client_key;
#[path = "../lambda/src/stream/slots.rs"]
pub mod slots;

mod sync {
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
}
