//! The stream function and the dashboard function.
//!
//! The crate `stream_core` decides and is pure; `store`, `hub`, `slots` and `http` are the shell around it; the binaries only wire.

pub mod auth;
pub mod aws;
pub mod behind;
pub mod clock;
pub mod goodbyes;
pub mod http;
pub mod hub;
pub mod lines;
pub mod local;
pub mod meter;
pub mod nodelay;
pub mod panics;
pub mod random;
pub mod slots;
pub mod start;
pub mod store;
mod sync;
pub mod telemetry;
pub mod web_adapter;
pub mod xray;
