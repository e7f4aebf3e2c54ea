//! Artifacts ↔ disk: the only file that writes, and only what carries the signature. Decides nothing else.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::render::{Artifact, Rendering};
use crate::signature::is_signed;

/// What to do with the difference between artifacts and disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// Make the disk equal.
    Write,
    /// Say what differs.
    Compare,
}

/// What happened to a file, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Create,
    /// It had other bytes.
    Update,
    /// It is signed, in a folder of this run, and nobody renders it any more.
    Remove,
}

/// What one run did, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that differ, sorted by path.
    pub changes: Vec<(String, Change)>,
    /// Files that are as they should be.
    pub unchanged: usize,
    /// The difference as a unified diff.
    pub diff: String,
}

/// Why nothing was written, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Files that infragen did not write are in the way.
    #[error("{} {} in the way and not written by infragen", list(paths), if paths.len() == 1 { "is" } else { "are" })]
    Foreign {
        /// The files.
        paths: Vec<String>,
    },
    /// The disk refused.
    #[error("`{path}` cannot be {verb}")]
    Io {
        /// The file.
        path: String,
        /// What was tried: read, written, removed.
        verb: &'static str,
        /// Why not.
        source: io::Error,
    },
}

fn list(paths: &[String]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}

impl WriteError {
    /// Returns the next action.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign { .. } => Some("move what you want to keep, remove the file, and render again"),
            Self::Io { .. } => None,
        }
    }
}

/// A file as it is on the disk.
enum Found {
    Nothing,
    Signed(String),
    Foreign,
}

/// Compares the artifacts with the disk below `root`, and makes the disk equal where `mode` says so.
///
/// Nothing is written before everything has been compared, and each file appears whole or not at all.
///
/// # Errors
/// [`WriteError`]: with [`WriteError::Foreign`] nothing was touched.
pub fn write(root: &Path, rendering: &Rendering, mode: WriteMode) -> Result<Report, WriteError> {
    let (mut report, mut foreign, mut pending) = (Report::default(), Vec::new(), Vec::new());
    for artifact in &rendering.artifacts {
        match inspect(root, &artifact.path)? {
            Found::Foreign => foreign.push(artifact.path.clone()),
            Found::Signed(text) if text == artifact.text => report.unchanged += 1,
            Found::Signed(text) => {
                report.diff.push_str(&diff(&artifact.path, Some(&text), Some(&artifact.text)));
                pending.push((artifact, Change::Update));
            }
            Found::Nothing => {
                report.diff.push_str(&diff(&artifact.path, None, Some(&artifact.text)));
                pending.push((artifact, Change::Create));
            }
        }
    }
    if !foreign.is_empty() {
        return Err(WriteError::Foreign { paths: foreign });
    }
    let superfluous = superfluous(root, rendering)?;
    for (path, text) in &superfluous {
        report.diff.push_str(&diff(path, Some(text), None));
    }
    report.changes.extend(pending.iter().map(|(artifact, change)| (artifact.path.clone(), *change)));
    report.changes.extend(superfluous.iter().map(|(path, _)| (path.clone(), Change::Remove)));
    report.changes.sort_by(|a, b| a.0.cmp(&b.0));
    if mode == WriteMode::Write {
        for (artifact, _) in pending {
            put(root, artifact)?;
        }
        for (path, _) in superfluous {
            remove(root, &path)?;
        }
    }
    Ok(report)
}

fn failed(path: &str, verb: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Io { path: path.to_owned(), verb, source }
}

#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
fn inspect(root: &Path, path: &str) -> Result<Found, WriteError> {
    match std::fs::read(root.join(path)) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) if is_signed(&text) => Ok(Found::Signed(text)),
            _ => Ok(Found::Foreign),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Found::Foreign),
        Err(error) => Err(failed(path, "read")(error)),
    }
}

/// Finds signed files of this run, in its folders and beside them, that it does not render, with their text.
fn superfluous(root: &Path, rendering: &Rendering) -> Result<Vec<(String, String)>, WriteError> {
    let rendered: BTreeSet<&str> = rendering.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    let mut found = Vec::new();
    let mut folders: Vec<String> = rendering.folders.clone();
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&folder, "read")(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed(&folder, "read"))?;
            let name = entry.file_name();
            // What nobody can name in UTF-8, and Terraform's own hidden folders, is not ours.
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let path = format!("{folder}/{name}");
            let kind = entry.file_type().map_err(failed(&path, "read"))?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && !rendered.contains(path.as_str())
                && let Found::Signed(text) = inspect(root, &path)?
            {
                found.push((path, text));
            }
        }
    }
    for path in rendering.files.iter().filter(|path| !rendered.contains(path.as_str())) {
        if let Found::Signed(text) = inspect(root, path)? {
            found.push((path.clone(), text));
        }
    }
    found.sort();
    Ok(found)
}

fn diff(path: &str, old: Option<&str>, new: Option<&str>) -> String {
    let header = |text: Option<&str>, side: &str| match text {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default())
        .unified_diff()
        .context_radius(3)
        .header(&header(old, "a"), &header(new, "b"))
        .to_string()
}

/// Writes beside the file, then renames: a reader sees the old file or the new one.
#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
fn put(root: &Path, artifact: &Artifact) -> Result<(), WriteError> {
    let target = root.join(&artifact.path);
    let folder = target.parent().map_or_else(|| root.to_owned(), Path::to_owned);
    std::fs::create_dir_all(&folder).map_err(failed(&artifact.path, "written"))?;
    let temporary = temporary(&target);
    let written = std::fs::write(&temporary, &artifact.text).and_then(|()| std::fs::rename(&temporary, &target));
    written.map_err(|error| {
        // Best effort: the error that matters is the one above.
        let _ignored = std::fs::remove_file(&temporary);
        failed(&artifact.path, "written")(error)
    })
}

/// Hidden, and named by process, so that two runs at once do not share it.
fn temporary(target: &Path) -> PathBuf {
    let name = target.file_name().and_then(|name| name.to_str()).unwrap_or("artifact");
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
fn remove(root: &Path, path: &str) -> Result<(), WriteError> {
    std::fs::remove_file(root.join(path)).map_err(failed(path, "removed"))
}

/// Creates a file that must not exist yet.
///
/// # Errors
/// [`WriteError::Io`], also where it exists.
pub fn create_new(path: &Path, text: &str) -> Result<(), WriteError> {
    let shown = path.display().to_string();
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(path).map_err(failed(&shown, "created"))?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(failed(&shown, "written"))
}
