//! Where the programs under test are: built once for each test process, so that a bare `cargo test` never runs stale ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::shared::Shared;

/// Root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a folder of the workspace").to_owned()
}

/// Path of a program of the workspace: `stream`, `dashboard`, `local`, `infragen`, `sse-check`, or of an example: `examples/queue`. `BINARIES_DIR` names a folder with others,
/// for measuring what is shipped.
pub(crate) fn path(name: &str) -> PathBuf {
    static FOLDER: Shared<PathBuf> = Shared::new("a build of the programs", build);
    let path = FOLDER.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "no program `{name}` at {}", path.display());
    path
}

/// Cargo, in the root of the workspace, as if a person had called it.
///
/// Cargo tells a test of which package it is. Build scripts look at the same variables (`ring` at `CARGO_MANIFEST_DIR`), so cargo called
/// with them runs these anew, compiles whatever depends on them, half of all crates, and so does the next one without.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    let of_a_package = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_CFG_"];
    for (name, _) in std::env::vars_os() {
        let is_told = |name: &str| {
            ["CARGO", "OUT_DIR", "CARGO_PRIMARY_PACKAGE"].contains(&name)
                || of_a_package.iter().any(|head| name.starts_with(head))
        };
        if name.to_str().is_some_and(is_told) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Builds all programs the way this test was built, and returns their folder.
fn build() -> PathBuf {
    if let Some(folder) = std::env::var_os("BINARIES_DIR") {
        // Cargo runs tests in the folder of their crate; a person names the folder as seen from the workspace.
        return workspace().join(folder);
    }
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.ancestors().nth(2).expect("a test lies in TARGET/PROFILE/deps").to_owned();
    let profile = folder.file_name().and_then(|name| name.to_str()).expect("profiles have ASCII names");
    let above = folder.parent().expect("a profile's folder lies in the target folder");
    let mut cargo = cargo();
    // All of them, as tools/lib.sh does: another choice of packages would compile their dependencies with other features.
    cargo.args(["build", "--quiet", "--locked", "--workspace", "--exclude", "fuzz", "--bins", "--examples"]);
    cargo.args(["--profile", if profile == "debug" { "dev" } else { profile }]);
    // Cargo marks its target folder with this file; with `--target` there is one more folder in between.
    if above.join("CACHEDIR.TAG").exists() {
        cargo.arg("--target-dir").arg(above);
    } else {
        cargo.arg("--target-dir").arg(above.parent().expect("a triple's folder lies in the target folder"));
        cargo.arg("--target").arg(above.file_name().expect("a triple"));
    }
    let status = cargo.status().expect("cargo runs the tests, so it is there");
    assert!(status.success(), "they do not compile");
    folder
}
