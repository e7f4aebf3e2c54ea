//! Programs that a test puts in the place of others.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes a script of the shell that can be run as a program.
pub(crate) fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
