//! The dashboard function: buffered REST beside the stream, a file for each kind of route.

mod anonymous;
mod configurations;
mod csv_table;
mod deps;
pub mod draft;
mod etag;
mod goodbye;
mod history;
mod item;
mod items;
mod json;
mod kept;
mod metrics;
mod moment;
mod openapi;
mod routes;
mod runtime;
mod whole;
mod write_limits;

pub use deps::Deps;
pub use routes::router;
