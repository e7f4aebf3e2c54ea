//! What mode `session` needs in AWS: keys whose secrets never leave KMS.

use contract::AuthMode;
use serde::Serialize;

use crate::manifest::{Manifest, Names};

/// The keys that session tokens are signed with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionKeysPlan {
    /// Their names, the one that signs first.
    pub names: Vec<String>,
    /// What goes before a name in its alias.
    pub alias_prefix: String,
}

/// Returns the keys, where tokens are signed with any.
#[must_use]
pub fn session_keys(manifest: &Manifest) -> Option<SessionKeysPlan> {
    (manifest.auth.mode == AuthMode::Session).then(|| SessionKeysPlan {
        names: manifest.auth.session_keys.as_slice().to_vec(),
        alias_prefix: Names::derive(manifest).session_key_prefix,
    })
}
