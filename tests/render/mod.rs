//! The generator from the outside: what it writes, what it refuses, and what Terraform says of it.

mod access_log;
mod account;
mod analysis;
mod apply;
mod archives;
mod ci;
mod clone;
mod company;
mod cost;
mod definitions;
mod deploy;
mod doctor;
mod escaping;
mod examples;
mod existing;
mod extended;
mod failures;
mod front;
mod gateway;
mod goodbye;
mod handbook;
mod history;
mod hostile;
mod hours;
mod instances;
mod manifests;
mod matrix;
mod module;
pub(crate) mod moto;
mod newer;
mod newest;
mod operations;
mod own_page;
mod package;
mod packaging;
mod page;
mod plans;
mod policies;
mod programs;
mod remembered;
mod rendering;
mod replaced;
mod seed;
mod shipping;
mod state;
mod stranger;
mod switches;
mod taken_over;
mod terraform;
mod terraform_tests;
mod transcripts;
mod users;
mod web_adapter;
mod weight;
mod workflow;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::bins;

/// Root of the workspace.
fn workspace() -> PathBuf {
    bins::workspace()
}

/// Folder of manifests that are there to be read.
fn fixtures(kind: &str) -> PathBuf {
    workspace().join("tests/fixtures/manifests").join(kind)
}

/// Names of the manifests in a folder of fixtures, sorted, without suffix.
fn fixture_names(kind: &str) -> Vec<String> {
    let entries = std::fs::read_dir(fixtures(kind)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Whether to write what is found over what is expected: `UPDATE=1`, then read the difference.
fn is_updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// Every file of the repository's page and beside it, but config.js, which is rendered.
fn page_files() -> Vec<String> {
    let output = Command::new("git").args(["ls-files", "frontend"]).current_dir(workspace()).output().unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    let names = names.lines().filter_map(|name| name.strip_prefix("frontend/")).filter(|name| *name != "config.js");
    names.map(str::to_owned).collect()
}

/// The text without runs of spaces, which depend on what stands beside.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A project with this manifest, rendered.
fn rendered(manifest: &str) -> Project {
    let project = Project::new(manifest);
    project.run(&["render"]).done();
    project
}

/// How a run of the generator ended.
#[derive(Debug)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    /// Fails the test unless the run is done.
    fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

/// Runs the generator in a folder.
fn infragen(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(bins::path("infragen"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .expect("the generator was built");
    Run {
        code: output.status.code().expect("the generator ends by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The commands that the generator's help names.
fn commands() -> Vec<String> {
    let help = infragen(&workspace(), &["--help"]).done().stdout;
    let lines =
        help.split("Commands:\n").nth(1).expect("help lists them").lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// A folder with nothing but a manifest.
struct Project(TempDir);

impl Project {
    /// With nothing in it.
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("deploy.toml"), manifest).unwrap();
        Self(folder)
    }

    /// With a manifest of `valid/`, or with the repository's own where the name is `default`.
    fn fixture(name: &str) -> Self {
        let path = match name {
            "default" => workspace().join("deploy.toml"),
            name => fixtures("valid").join(format!("{name}.toml")),
        };
        Self::new(&std::fs::read_to_string(path).unwrap())
    }

    fn rendered(name: &str) -> Self {
        let project = Self::fixture(name);
        project.run(&["render"]).done();
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        infragen(self.path(), arguments)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// With the repository's page where Terraform looks for one, and what lies beside it.
    fn with_page(self) -> Self {
        for file in page_files() {
            self.write(
                &format!("frontend/{file}"),
                &std::fs::read_to_string(workspace().join("frontend").join(file)).unwrap(),
            );
        }
        self
    }

    /// Every file below the folder with its bytes, sorted by path.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                    files.push((name, std::fs::read(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    fn names(&self) -> Vec<String> {
        self.files().into_iter().map(|(name, _)| name).collect()
    }
}
