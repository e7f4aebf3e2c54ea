//! The generator: deploy.toml → manifest → plan → artifacts → disk.
//!
//! Imports point one way, in the order of the modules below. Only [`mod@write`] and the binary touch the disk, only the
//! binary prints; everything else takes data and returns data, so that the same manifest gives the same bytes.

pub mod colour;
pub mod diagnostic;
pub mod manifest;

pub mod accent;
pub mod capability;
pub mod load;
pub mod logo;
pub mod settings;

pub mod commands;

pub mod cost;
pub mod listing;
pub mod plan;

pub mod artifact;
pub mod ci;
pub mod constructs;
pub mod signature;

pub mod align;
pub mod explain;
pub mod hcl;
pub mod provenance;
pub mod render;
pub mod schema;

pub mod replaced;
pub mod write;

pub mod left;

pub mod described;
pub mod stored;

pub mod doctor;
pub mod mapping;

pub mod deploy;

pub mod seed;

pub mod program;
pub mod targets;
pub mod zip;

pub mod image;
