//! The stream function: its routes, one client's stream, and the hub that all streams of an instance share.

pub mod body;
mod deps;
mod errands;
mod failures;
mod filters;
pub mod follower;
pub mod goodbyes;
pub mod hub;
mod keeping;
mod loading;
mod opening;
mod refusal;
mod routes;
mod segment;
pub mod sharing;
mod silence;
pub mod slots;
pub mod subscription;
mod writes;

pub use deps::Deps;
pub use routes::{own_routes, router};
