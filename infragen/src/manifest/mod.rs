//! deploy.toml: text → spanned tables → typed [`Manifest`]. Types and text only: what is between keys is checked in `load`.

pub mod account;
pub mod archive;
pub mod auth;
pub mod aws;
pub mod canary;
pub mod delivery;
pub mod folder;
mod frames;
mod headers;
pub mod image;
mod keep;
mod labels;
pub mod logs;
pub mod names;
pub mod overrides;
pub mod page;
pub mod reader;
pub mod regions;
pub mod rest_api;
pub mod sections;
mod shown;
pub mod syntax;
pub mod tags;
pub mod tree;
pub mod types;
mod units;
pub mod values;
pub mod version;
mod words;

pub use names::Names;
pub use overrides::parse_override;
pub use reader::{KeyDoc, Section};
pub use sections::Manifest;

/// Environment of `just dev`: needs no table in the manifest and no account.
pub const LOCAL: &str = "local";

/// Returns the value at a dotted path of what [`Section::show`] gives.
#[must_use]
pub fn value_at<'t>(shown: &'t toml::Table, path: &str) -> Option<&'t toml::Value> {
    let mut parts = path.split('.');
    let first = shown.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}
