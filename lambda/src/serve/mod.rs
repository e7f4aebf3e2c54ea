//! How a router meets its clients: as a Lambda function, behind the web adapter, or as an ordinary server.

mod connections;
pub mod cors;
mod dead_readers;
mod descriptors;
mod direct;
pub mod event;
pub mod head;
mod hosts;
pub mod lambda;
pub mod local;
pub mod nodelay;
pub mod security;
pub mod server;
mod slow_bodies;
pub mod source;
pub mod start;
pub mod web_adapter;
