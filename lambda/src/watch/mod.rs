//! What is written down about a running instance: logs, measurements, traces, panics.

pub mod lines;
pub mod logs;
pub mod meter;
pub mod panics;
pub mod xray;
