//! A validator of JSON Schema that is not ours.

use std::process::Command;

use serde_json::Value;

use super::bins::workspace;
use super::external::python;

/// Says of each value whether a schema, itself checked first, takes it.
pub(crate) fn validated(schema: &str, values: &[Value]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schema.json"), schema).unwrap();
    std::fs::write(folder.path().join("values.json"), serde_json::to_vec(values).unwrap()).unwrap();
    let output = Command::new(python())
        .arg(workspace().join("tests/support/validate_schema.py"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
