//! What state is shared with, where we share it by hand. The tests put a checker's own in its place, which tries every order
//! in which threads can meet; see `tests/models`.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
