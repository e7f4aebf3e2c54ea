//! `infragen package`: a program of the disk becomes a zip archive, and Terraform is told.

use std::io;
use std::path::{Component, Path, PathBuf};

use clap::{ArgGroup, Args, ValueHint};
use infragen::load::Loaded;
use infragen::manifest::types::Architecture;
use infragen::targets::{Function as Which, ZipTarget, zip_folder, zips};
use infragen::{program, write, zip};

use super::shell::Shell;
use super::{Function, Outcome, Stopped, interrupt};

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("code").required(true))]
pub(super) struct PackageArguments {
    /// Whose code it is.
    #[arg(long, value_enum)]
    function: Function,
    /// The program, for a processor of Lambda.
    #[arg(long, value_name = "FILE", group = "code", value_hint = ValueHint::FilePath)]
    program: Option<PathBuf>,
    /// An archive that is there already; it stays where it is.
    #[arg(long, value_name = "FILE", group = "code", value_hint = ValueHint::FilePath)]
    zip: Option<PathBuf>,
    /// Write the archive of the program there, and tell nobody; else it is dist/FUNCTION.zip below the manifest's folder, or
    /// dist/ARCHITECTURE/FUNCTION.zip where the base runs on another processor.
    #[arg(long, value_name = "FILE", conflicts_with = "zip", value_hint = ValueHint::FilePath)]
    to_zip: Option<PathBuf>,
}

#[expect(clippy::disallowed_methods, reason = "programs are read from the disk")]
fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// An archive and what is in it.
struct Packed {
    bytes: Vec<u8>,
    unpacked: usize,
    architecture: Architecture,
}

impl Shell<'_> {
    pub(super) fn package(&self, arguments: &PackageArguments) -> Stopped {
        interrupt::watch("run the same command again").map_err(|error| self.fail(&error, None))?;
        let function = Which::from(arguments.function);
        let packed = match (&arguments.program, &arguments.zip) {
            (Some(path), _) => self.packed(path)?,
            (None, Some(path)) => self.unpacked(path)?,
            (None, None) => return Err(Outcome::Usage),
        };
        if let Some(path) = &arguments.to_zip {
            self.write_archive(path, &packed)?;
            return Ok(Outcome::Done);
        }
        let all = self.load_all()?.all;
        let targets = self.zip_targets(&all, function, packed.architecture)?;
        let path = match &arguments.zip {
            Some(path) if targets.is_empty() => {
                return Err(self.told_nobody(path, function, &all, packed.architecture));
            }
            Some(path) => path.clone(),
            None => self.root().join(zip_folder(&all, packed.architecture)).join(format!("{}.zip", function.as_str())),
        };
        // Before anything is written: what cannot be told afterwards need not be.
        let mut roots = self.references(targets.iter().map(|target| target.root.as_str()))?;
        if arguments.zip.is_none() {
            self.write_archive(&path, &packed)?;
        }
        for target in &targets {
            let reference = serde_json::json!({
                "architecture": packed.architecture.as_str(),
                "path": self.seen_from(&target.root, &path)?,
                "sha256": zip::hash(&packed.bytes),
            });
            roots.entry(target.root.clone()).or_default().insert(function.zip_variable().to_owned(), reference);
        }
        self.tell(&roots, "make room there, and run the same command again")?;
        if targets.is_empty() {
            let architecture = packed.architecture.as_str();
            self.say(&format!(
                "Terraform is not told: no environment runs {} as a zip on {architecture}",
                function.as_str()
            ));
        }
        Ok(Outcome::Done)
    }

    /// Packs a program.
    fn packed(&self, path: &Path) -> Result<Packed, Outcome> {
        let program = self.bytes(path)?;
        let architecture =
            program::processor("the program", &program).map_err(|error| self.fail(&error, Some(error.hint())))?;
        let bytes = zip::pack(&program).map_err(|error| self.fail(&error, None))?;
        Ok(Packed { bytes, unpacked: program.len(), architecture })
    }

    /// Looks into an archive.
    fn unpacked(&self, path: &Path) -> Result<Packed, Outcome> {
        let bytes = self.bytes(path)?;
        let refused = |error: &dyn std::error::Error| {
            self.error(&format!("`{}`: {error}", path.display()), Some("`infragen package --program FILE` makes one"));
            Outcome::NeedsPerson
        };
        let program = zip::unpack(&bytes).map_err(|error| refused(&error))?;
        let architecture = program::processor("its `bootstrap`", &program).map_err(|error| refused(&error))?;
        Ok(Packed { bytes, unpacked: program.len(), architecture })
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>, Outcome> {
        read(path).map_err(|error| {
            self.error(&format!("`{}` cannot be read: {error}", path.display()), None);
            Outcome::NeedsPerson
        })
    }

    fn write_archive(&self, path: &Path, packed: &Packed) -> Result<(), Outcome> {
        let written = {
            let _whole = interrupt::writing();
            let folder = path.parent().unwrap_or(Path::new(""));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            write::put(folder, &name, &packed.bytes)
        };
        written.map_err(|error| self.fail(&error, Some("make room there, or name another file with `--to-zip`")))?;
        let (bytes, unpacked) = (packed.bytes.len(), packed.unpacked);
        self.print(&format!("{}  {bytes} bytes, program unpacked {unpacked}\n", path.display()))
    }

    /// Who runs this function from an archive for this processor.
    fn zip_targets(
        &self,
        all: &[Loaded],
        function: Which,
        architecture: Architecture,
    ) -> Result<Vec<ZipTarget>, Outcome> {
        let mut found = zips(all);
        if let Some(name) = &self.global.env {
            // Refuses an environment that is not there.
            let _there = self.load()?;
            found.retain(|target| target.environment == *name);
        }
        found.retain(|target| target.function == function && target.architecture == architecture);
        Ok(found)
    }

    fn told_nobody(&self, path: &Path, function: Which, all: &[Loaded], found: Architecture) -> Outcome {
        let wanted = zips(all).into_iter().find(|target| target.function == function).map(|target| target.architecture);
        let (name, found) = (function.as_str(), found.as_str());
        let (message, hint) = match wanted {
            Some(wanted) => (
                format!("`{}` is for {found}, and `package.architecture` is `{}`", path.display(), wanted.as_str()),
                format!(
                    "take the archive for {}, or set `architecture = \"{found}\"` under `[package]`",
                    wanted.as_str()
                ),
            ),
            None => (
                format!("{name} runs no zip archive of this machine"),
                format!("set `package = \"zip\"` under `[{name}]`, and nothing under `[{name}.archive]`"),
            ),
        };
        self.error(&message, Some(&hint));
        Outcome::NeedsPerson
    }

    /// The path of a file as Terraform sees it from a root, so that the checkout may lie anywhere.
    fn seen_from(&self, root: &str, file: &Path) -> Result<String, Outcome> {
        let place = |path: &Path| std::path::absolute(path).map_err(|error| self.fail(&error, None));
        Ok(relative(&plain(&place(&self.root().join(root))?), &plain(&place(file)?)))
    }
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            part => path.push(part),
        }
        path
    })
}

/// The way from a folder to a file, with `/` between.
fn relative(folder: &Path, file: &Path) -> String {
    let shared = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_root() {
        let check = |folder: &str, file: &str, expected: &str| {
            assert_eq!(relative(&plain(Path::new(folder)), &plain(Path::new(file))), expected);
        };
        check("/a/generated/terraform", "/a/dist/stream.zip", "../../dist/stream.zip");
        check("/a/generated/prod/terraform", "/a/dist/x86_64/stream.zip", "../../../dist/x86_64/stream.zip");
        check("/a/../b/generated/terraform", "/b/./x/../s.zip", "../../s.zip");
        check("/a", "/s.zip", "../s.zip");
        check("/a", "/a/s.zip", "s.zip");
    }
}
