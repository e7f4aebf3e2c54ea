//! A deployment and what becomes of it: what Terraform plans, in people's words; which versions run; what the account and the log
//! say. Takes what programs answered and returns text and decisions; the command line runs the programs.
//!
//! It asks AWS through its command line and not through the SDK: whoever has credentials of AWS on a machine nearly always has that
//! program, which knows profiles, single sign-on and second factors, and the doctor asks it already.

pub mod account;
pub mod canary;
pub mod changes;
pub mod lines;
pub mod nouns;
pub mod place;
pub mod running;
pub mod versions;

use crate::manifest::{Manifest, Names};

/// A function, and where its log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Its role.
    pub role: &'static str,
    /// Its name in AWS.
    pub name: String,
    /// Its log group.
    pub log_group: String,
    /// Whether others may write to that group, too.
    pub shares_log: bool,
}

/// The functions of a manifest.
#[must_use]
pub fn functions(manifest: &Manifest) -> [Deployed; 2] {
    let Names { stream, dashboard, stream_log_group, dashboard_log_group, .. } = Names::derive(manifest);
    let deployed = |role, name, log_group, shares_log| Deployed { role, name, log_group, shares_log };
    [
        deployed("stream", stream, stream_log_group, manifest.stream.log_group.is_some()),
        deployed("dashboard", dashboard, dashboard_log_group, manifest.dashboard.log_group.is_some()),
    ]
}

/// The alias that the functions' URLs belong to.
pub const ALIAS: &str = "live";
