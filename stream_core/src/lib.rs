//! Decisions without I/O: what a row is, what the window counts, where a client is, what it gets next.
//!
//! Nothing in here reads a clock, the network, the environment or randomness; `now` is always an argument. Its dependency
//! tree has no async runtime, no AWS, no HTTP and no lock, so that Cargo keeps that rule (`tests/house`).

pub mod about;
mod collected;
mod compact;
mod coverage;
pub mod cursor;
#[cfg(test)]
mod disorder_simulation;
pub mod encode;
pub mod event;
pub mod filter;
pub mod filter_numbers;
#[cfg(test)]
mod fleet;
mod heads;
pub mod history;
pub mod hour;
#[cfg(test)]
mod hour_properties;
mod interner;
pub mod item;
pub mod journal;
pub mod keeping;
pub mod minute;
pub mod minutes;
mod missing;
pub mod moment;
pub mod numbers;
mod offset;
pub mod page;
pub mod past;
pub mod position;
#[cfg(test)]
mod properties;
pub mod rates;
pub mod reading;
pub mod report;
pub mod resume;
#[cfg(test)]
mod resume_properties;
pub mod rollup;
#[cfg(test)]
mod rollup_properties;
pub mod session;
#[cfg(test)]
mod session_cases;
#[cfg(test)]
mod session_client;
#[cfg(test)]
mod session_properties;
#[cfg(test)]
mod sharing_simulation;
pub mod shelf;
pub mod sketch;
#[cfg(test)]
mod slow_label_simulation;
pub mod snapshot;
pub mod split_mix;
#[cfg(test)]
mod stale_simulation;
pub mod stream_id;
mod sweep;
pub mod tag_history;
pub mod time_forms;
pub mod times;
pub mod timestamp;
pub mod updates;
pub mod window;
#[cfg(test)]
mod world;
pub mod write;
mod young;
#[cfg(test)]
mod young_simulation;
