//! The two routers: values that any server can run.

pub mod body;
pub mod cors;
pub mod dashboard;
pub mod error;
pub mod request;
pub mod stream;
