//! A deployment and what becomes of it: what Terraform plans, in people's words; which versions run; what the account and the log
//! say. Takes what programs answered and returns text and decisions; the command line runs the programs.
//!
//! It asks AWS through its command line and not through the SDK: whoever has credentials of AWS on a machine nearly always has that
//! program, which knows profiles, single sign-on and second factors, and the doctor asks it already.

pub mod account;
pub mod canary;
pub mod changes;
pub mod lines;
pub mod place;
pub mod running;
pub mod versions;

use crate::manifest::{Manifest, Names};

/// The functions by their role, with their names in AWS.
#[must_use]
pub fn functions(manifest: &Manifest) -> [(&'static str, String); 2] {
    let names = Names::derive(manifest);
    [("stream", names.stream), ("dashboard", names.dashboard)]
}

/// The alias that the functions' URLs belong to.
pub const ALIAS: &str = "live";
