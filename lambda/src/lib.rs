//! The stream function and the dashboard function.
//!
//! The crate `stream_core` decides and is pure; this one reads the tables, keeps the time and answers requests; the binaries
//! only wire. Rooms by purpose: `stream` and `dashboard` are the two functions, `store` and `auth` what both ask, `serve` the
//! ways a router meets its clients, `watch` what is written down about it all. No two files import each other.

pub mod auth;
pub mod aws_env;
mod aws_tls;
pub mod client_key;
pub mod clock;
pub mod dashboard;
pub mod error;
pub mod fatal;
mod health;
pub mod ids;
pub mod origin;
pub mod path;
pub mod random;
pub mod request;
pub mod serve;
pub mod store;
pub mod stream;
mod sync;
pub mod watch;

/// The static programs of images and servers.
#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
