//! Artifacts ↔ disk: the only file that writes, and only over what infragen wrote. Decides nothing else.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::render::{Artifact, Rendering};
use crate::replaced::{Changed, Replaced, replaced};
use crate::signature::{Author, author, stamp};

/// What to do with the difference between artifacts and disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// Make the disk equal, but leave what somebody edited.
    Write,
    /// Make the disk equal, over edits too.
    Force,
    /// Say what differs.
    Compare,
}

/// What happened to a file, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Create,
    /// It had another text.
    Update,
    /// infragen wrote it, in a folder of this run, and nobody renders it any more.
    Remove,
}

/// What one run did, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that differ, sorted by path.
    pub changes: Vec<(String, Change)>,
    /// Those of them that somebody edited since infragen wrote them.
    pub edited: Vec<String>,
    /// Files that are as they should be.
    pub unchanged: usize,
    /// Terraform's files in rendered folders that infragen did not write, sorted: Terraform reads them too.
    pub own: Vec<String>,
    /// The difference as a unified diff.
    pub diff: String,
    /// What Terraform would make anew or take away, where one applies it.
    pub replaced: Vec<Replaced>,
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
    /// Files would change that somebody edited.
    #[error("{} {} edited since infragen wrote {}", list(paths), if paths.len() == 1 { "was" } else { "were" },
        if paths.len() == 1 { "it" } else { "them" })]
    Edited {
        /// The files.
        paths: Vec<String>,
        /// What would change in them, as a unified diff.
        diff: String,
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
    /// What to do with files that were edited.
    pub const EDITED_HINT: &str = "put what is yours into a file of its own beside it, such as `extra.tf` or \
                                   `NAME_override.tf`, and render with `--force`";

    /// Returns the next action.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign { .. } => Some("move what you want to keep, remove the file, and render again"),
            Self::Edited { .. } => Some(Self::EDITED_HINT),
            Self::Io { .. } => None,
        }
    }
}

/// A file as it is on the disk.
enum Found {
    Nothing,
    /// infragen wrote it.
    Ours(String),
    /// infragen wrote something like it: enough to write it anew, not enough to remove it.
    Unclear(String),
    /// infragen wrote it, and then somebody else.
    Edited(String),
    /// infragen wrote it as another file, which is not there any more, and nobody edited it: its folder was moved.
    Moved(String),
    Foreign,
}

/// A difference between one file and the disk.
struct Difference {
    path: String,
    change: Change,
    /// The text that is there.
    old: Option<String>,
    /// The text to be written.
    text: Option<String>,
    diff: String,
    is_edited: bool,
}

impl Difference {
    fn changed(&self) -> Changed<'_> {
        Changed { path: &self.path, old: self.old.as_deref(), new: self.text.as_deref() }
    }
}

/// Compares the artifacts with the disk below `root`, and makes the disk equal where `mode` says so.
///
/// Nothing is written before everything has been compared, and each file appears whole or not at all.
///
/// # Errors
/// [`WriteError`]: with [`WriteError::Foreign`] and [`WriteError::Edited`] nothing was touched.
pub fn write(root: &Path, rendering: &Rendering, mode: WriteMode) -> Result<Report, WriteError> {
    let (mut report, mut foreign, mut differences) = (Report::default(), Vec::new(), Vec::new());
    for Artifact { path, text } in &rendering.artifacts {
        let text = stamp(path, text);
        let (old, is_edited) = match inspect(root, path)? {
            Found::Foreign => {
                foreign.push(path.clone());
                continue;
            }
            Found::Nothing => (None, false),
            Found::Ours(old) | Found::Unclear(old) | Found::Moved(old) => (Some(old), false),
            Found::Edited(old) => (Some(old), true),
        };
        // A checkout may have its own line ends.
        if old.as_ref().is_some_and(|old| *old == text || old.replace("\r\n", "\n") == text) {
            report.unchanged += 1;
            continue;
        }
        let change = if old.is_some() { Change::Update } else { Change::Create };
        let diff = diff(path, old.as_deref(), Some(&text));
        differences.push(Difference { path: path.clone(), change, old, text: Some(text), diff, is_edited });
    }
    if !foreign.is_empty() {
        return Err(WriteError::Foreign { paths: foreign });
    }
    let (superfluous, own) = others(root, rendering)?;
    report.own = own;
    for (path, text, is_edited) in superfluous {
        let diff = diff(&path, Some(&text), None);
        differences.push(Difference { path, change: Change::Remove, old: Some(text), text: None, diff, is_edited });
    }
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    let edited = || differences.iter().filter(|difference| difference.is_edited);
    report.edited = edited().map(|difference| difference.path.clone()).collect();
    if mode == WriteMode::Write && !report.edited.is_empty() {
        let diff = edited().map(|difference| difference.diff.as_str()).collect();
        return Err(WriteError::Edited { paths: report.edited, diff });
    }
    report.diff = differences.iter().map(|difference| difference.diff.as_str()).collect();
    report.replaced = replaced(&differences.iter().map(Difference::changed).collect::<Vec<_>>());
    report.changes = differences.iter().map(|difference| (difference.path.clone(), difference.change)).collect();
    if mode != WriteMode::Compare {
        for Difference { path, text, .. } in &differences {
            match text {
                Some(text) => put(root, path, text.as_bytes())?,
                None => remove(root, path)?,
            }
        }
    }
    Ok(report)
}

/// Returns the folders of environments that the manifest does not have: infragen wrote something into them as theirs, and none
/// of `known` is their name. There may be live resources behind one, so nobody removes it here.
///
/// # Errors
/// [`WriteError::Io`] where `folder`, which all of them are in, cannot be read.
pub fn orphans(root: &Path, folder: &str, known: &[String]) -> Result<Vec<String>, WriteError> {
    let mut found = Vec::new();
    for name in names(root, folder)? {
        let (path, probe) = (format!("{folder}/{name}"), format!("{folder}/{name}/terraform/versions.tf"));
        if !known.contains(&name) && is_ours(root, &probe)? {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether infragen wrote the file, whatever was done to it since.
pub(crate) fn is_ours(root: &Path, path: &str) -> Result<bool, WriteError> {
    Ok(!matches!(inspect(root, path)?, Found::Nothing | Found::Foreign | Found::Moved(_)))
}

fn failed(path: &str, verb: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Io { path: path.to_owned(), verb, source }
}

#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
fn inspect(root: &Path, path: &str) -> Result<Found, WriteError> {
    // A pipe gives nothing to read until somebody writes into it, and then not what is in a file.
    if root.join(path).metadata().is_ok_and(|about| !about.is_file()) {
        return Ok(Found::Foreign);
    }
    match std::fs::read(root.join(path)) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(match author(path, &text) {
                Author::Infragen => Found::Ours(text),
                Author::Unclear => Found::Unclear(text),
                Author::Edited => Found::Edited(text),
                Author::CopyOf(own) if is_moved(root, &own, &text) => Found::Moved(text),
                Author::Stranger | Author::CopyOf(_) => Found::Foreign,
            }),
            Err(_) => Ok(Found::Foreign),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(Found::Nothing),
        Err(error) => Err(failed(path, "read")(error)),
    }
}

/// Whether a text is as infragen wrote it into a file that is not there any more.
fn is_moved(root: &Path, own: &str, text: &str) -> bool {
    root.join(own).symlink_metadata().is_err() && author(own, text) == Author::Infragen
}

/// Returns the names in a folder, sorted; none where there is no such folder. What nobody can name in UTF-8, and Terraform's own
/// hidden folders, is not ours.
fn names(root: &Path, folder: &str) -> Result<Vec<String>, WriteError> {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, "read")(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed(folder, "read"))?.file_name();
        names.extend(name.to_str().filter(|name| !name.starts_with('.')).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// A file that infragen wrote and this run does not: path, text, and whether somebody edited it since.
type Superfluous = (String, String, bool);

/// Finds what this run does not render, in its folders and beside them: what infragen wrote, and what Terraform reads and
/// infragen did not write.
fn others(root: &Path, rendering: &Rendering) -> Result<(Vec<Superfluous>, Vec<String>), WriteError> {
    let rendered: BTreeSet<&str> = rendering.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    let (mut superfluous, mut own) = (Vec::new(), Vec::new());
    let mut look = |path: String, is_terraforms: bool| {
        match inspect(root, &path)? {
            Found::Ours(text) => superfluous.push((path, text, false)),
            Found::Edited(text) | Found::Unclear(text) => superfluous.push((path, text, true)),
            // Only where this run renders it is it known to be what was moved.
            Found::Foreign | Found::Moved(_) if is_terraforms => own.push(path),
            Found::Foreign | Found::Moved(_) | Found::Nothing => {}
        }
        Ok(())
    };
    let mut folders: Vec<String> = rendering.folders.clone();
    while let Some(folder) = folders.pop() {
        for name in names(root, &folder)? {
            let path = format!("{folder}/{name}");
            let kind = std::fs::symlink_metadata(root.join(&path)).map_err(failed(&path, "read"))?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && !rendered.contains(path.as_str()) {
                let is_terraforms = SUFFIXES.iter().any(|suffix| path.ends_with(suffix));
                look(path, is_terraforms)?;
            }
        }
    }
    for path in rendering.files.iter().filter(|path| !rendered.contains(path.as_str())) {
        look(path.clone(), false)?;
    }
    own.sort();
    Ok((superfluous, own))
}

/// Ends of the names of files that Terraform and `OpenTofu` read.
const SUFFIXES: [&str; 6] = [".tf", ".tf.json", ".tofu", ".tofu.json", ".tftest.hcl", ".tftest.json"];

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

/// Writes beside the file, then renames: a reader sees the old file or the new one. `path` is seen from `root`, and its folder is
/// made.
///
/// # Errors
/// [`WriteError::Io`].
#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
pub fn put(root: &Path, path: &str, bytes: &[u8]) -> Result<(), WriteError> {
    let target = root.join(path);
    let folder = target.parent().map_or_else(|| root.to_owned(), Path::to_owned);
    std::fs::create_dir_all(&folder).map_err(failed(path, "written"))?;
    let temporary = temporary(&target);
    let written = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, &target));
    written.map_err(|error| {
        // Best effort: the error that matters is the one above.
        let _ignored = std::fs::remove_file(&temporary);
        failed(path, "written")(error)
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

/// Puts a folder with these files in the place of another, which is gone whole or stays whole. Whatever is there is replaced:
/// whether it may be is for whoever asks.
///
/// # Errors
/// [`WriteError::Io`]; then nothing is changed.
#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
pub fn put_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), WriteError> {
    let (shown, next) = (folder.display().to_string(), temporary(folder));
    let written = files.iter().try_for_each(|(path, bytes)| {
        let target = next.join(path);
        std::fs::create_dir_all(target.parent().unwrap_or(&next))?;
        std::fs::write(target, bytes)
    });
    let replaced = written.and_then(|()| match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::fs::rename(&next, folder),
    });
    replaced.map_err(|error| {
        // Best effort: the error that matters is the one above.
        let _ignored = std::fs::remove_dir_all(&next);
        failed(&shown, "written")(error)
    })
}

/// Creates a file that must not exist yet, with its folder: whole, also where the disk is full, or not at all.
///
/// # Errors
/// [`WriteError::Io`], also where it exists.
#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
pub fn create_new(path: &Path, text: &str) -> Result<(), WriteError> {
    let (shown, temporary) = (path.display().to_string(), temporary(path));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed(&shown, "created"))?;
    }
    let made = std::fs::write(&temporary, text).map_err(failed(&shown, "written"));
    let made = made.and_then(|()| name_new(&temporary, path).map_err(failed(&shown, "created")));
    // The name that was for a moment; where nothing was made, the error that matters is the one above.
    let _ignored = std::fs::remove_file(&temporary);
    made
}

/// Gives a file a name that nothing has: a plain renaming would take the place of what somebody else wrote in between.
#[expect(clippy::disallowed_methods, reason = "the file that touches the disk")]
fn name_new(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        Err(_) if to.symlink_metadata().is_err() => std::fs::rename(from, to),
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_whole_and_takes_no_others_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/deploy.toml");
        create_new(&path, "one").unwrap();
        let again = create_new(&path, "two").unwrap_err();
        assert!(matches!(again, WriteError::Io { verb: "created", .. }), "{again}");
        let there = names(folder.path(), "a/b").unwrap();
        assert_eq!(
            (there, std::fs::read_dir(path.parent().unwrap()).unwrap().count()),
            (vec!["deploy.toml".to_owned()], 1)
        );
        assert_eq!(inspect(folder.path(), "a/b").map(|found| matches!(found, Found::Foreign)).ok(), Some(true));
    }
}
