//! Tests from the outside: one binary.
//!
//! Nothing here reaches into the programs; they are built, started and spoken to as users do.

#![allow(clippy::disallowed_methods, reason = "tests are shell: they read the environment, the clock and the disk")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test, and says where")]

mod auth;
mod benchmark;
mod clients;
mod dashboard;
mod emulator;
mod encoder;
mod hostile;
mod house;
mod image;
mod models;
mod page;
mod release;
mod render;
mod server;
mod sse_check_runs;
mod stream;
mod support;
mod tables;
