//! A folder of outputs that the manifest named before and names no more. Terraform's state may lie in it: a root in another folder
//! knows nothing of what is deployed, and would make all of it a second time. Reads the disk, and changes nothing.

use std::path::Path;

use crate::manifest::folder::FOLDER;
use crate::write::{self, WriteError};

/// Folders of other programs, in which nothing is looked for.
const FOREIGN: [&str; 2] = ["node_modules", "target"];
/// What a folder is no other one's by.
const MANIFEST: &str = "deploy.toml";
/// Roots in the folder of an environment.
const ROOTS: [&str; 2] = ["terraform", "bootstrap"];
/// Terraform's state, where it is in no bucket.
const STATE: &str = "terraform.tfstate";
/// Longest text of another manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// Where outputs were before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The folder, from the manifest's own.
    pub folder: String,
    /// Roots in it that have a state of what is deployed, from that folder: `terraform`, `prod/bootstrap`.
    pub states: Vec<String>,
}

/// What is looked for, and where not.
#[derive(Clone, Copy, Debug)]
pub struct Search<'s> {
    /// The manifest's folder.
    pub root: &'s Path,
    /// Name of the manifest in it.
    pub manifest: &'s str,
    /// `output.folder`.
    pub folder: &'s str,
    /// Names of the environments that have folders of their own.
    pub environments: &'s [String],
}

impl Search<'_> {
    /// Finds folders that infragen rendered into, at most two levels below the manifest's own, sorted.
    ///
    /// # Errors
    /// [`WriteError`] where a file that is to be read cannot be.
    pub fn run(self) -> Result<Vec<Left>, WriteError> {
        let others = self.folders_of_others();
        let mut found = Vec::new();
        for outer in folders(self.root, "") {
            if self.look(&outer, &others, &mut found)? {
                continue;
            }
            for inner in folders(self.root, &outer) {
                self.look(&inner, &others, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Looks at one folder; says whether nothing in it is to be looked at any more.
    fn look(self, path: &str, others: &[String], found: &mut Vec<Left>) -> Result<bool, WriteError> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_others = FOREIGN.contains(&name) || others.iter().any(|other| other == path);
        if path == self.folder || is_others || self.root.join(path).join(MANIFEST).exists() {
            return Ok(true);
        }
        if !self.is_rendered(path)? {
            return Ok(false);
        }
        let is_state = |root: &String| has_state(self.root, &format!("{path}/{root}"));
        let states = self.roots().filter(|root| !self.is_current(&format!("{path}/{root}"))).filter(is_state).collect();
        found.push(Left { folder: path.to_owned(), states });
        Ok(true)
    }

    /// Whether infragen wrote roots of the manifest's environments into this folder.
    fn is_rendered(self, path: &str) -> Result<bool, WriteError> {
        // Terraform's main root is rendered for every environment.
        for root in self.roots().filter(|root| root.ends_with(ROOTS[0])) {
            let file = format!("{path}/{root}/versions.tf");
            if !self.is_current(&file) && write::is_ours(self.root, &file)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Roots of the base and of the environments, from a folder of outputs.
    fn roots(self) -> impl Iterator<Item = String> {
        let places = std::iter::once(String::new()).chain(self.environments.iter().map(|name| format!("{name}/")));
        places.flat_map(|place| ROOTS.map(|root| format!("{place}{root}")))
    }

    /// Whether a path is in the folder that the manifest names now.
    fn is_current(self, path: &str) -> bool {
        path.strip_prefix(self.folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Folders of outputs of other manifests that lie beside this one.
    fn folders_of_others(self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter(|name| name.ends_with(".toml") && name != self.manifest);
        names.filter_map(|name| folder_of(self.root, &name)).collect()
    }
}

/// The folder that another manifest names. Files of other programs name none, and only the usual name says that there is a default.
#[expect(clippy::disallowed_methods, reason = "where outputs are, the disk says")]
fn folder_of(root: &Path, name: &str) -> Option<String> {
    let path = root.join(name);
    let is_small = path.metadata().is_ok_and(|about| about.is_file() && about.len() <= MANIFEST_BYTES_MAX);
    let text = is_small.then(|| std::fs::read_to_string(&path).ok()).flatten()?;
    let table: toml::Table = toml::from_str(&text).ok()?;
    let named = table.get("output").and_then(|output| output.get("folder")).and_then(toml::Value::as_str);
    named.or_else(|| (name == MANIFEST).then_some(FOLDER)).map(str::to_owned)
}

/// Folders in a folder, sorted, as paths from the root. Hidden ones and those behind links are not looked at, nor what cannot be read.
fn folders(root: &Path, path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root.join(path)).into_iter().flatten().flatten();
    let real = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names = real.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !name.starts_with('.'));
    let mut paths: Vec<String> =
        names.map(|name| if path.is_empty() { name } else { format!("{path}/{name}") }).collect();
    paths.sort();
    paths
}

/// Whether a root, from the manifest's folder, has a state in a file, and anything in it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "whether there is a state, the disk says")]
pub fn has_state(folder: &Path, root: &str) -> bool {
    let path = folder.join(root).join(STATE);
    // Terraform leaves an empty file where a state went into a bucket.
    if !path.metadata().is_ok_and(|about| about.is_file() && about.len() > 0) {
        return false;
    }
    let state = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let resources = state.as_ref().and_then(|state| state.get("resources")).and_then(serde_json::Value::as_array);
    // One that cannot be read is one.
    resources.is_none_or(|resources| !resources.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{SIGNATURE, stamp};

    const DEPLOYED: &str = "{\"resources\": [{}]}";

    /// A folder with these files; the rendered ones are signed.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let is_rendered = path.ends_with("versions.tf") && text.is_empty();
            let text = if is_rendered { stamp(path, &format!("# {SIGNATURE}\n")) } else { (*text).to_owned() };
            write::put(folder.path(), path, text.as_bytes()).unwrap();
        }
        folder
    }

    /// What is found in the place of `output.folder`, as the folder and the roots with a state.
    fn check(files: &[(&str, &str)], now: &str, expected: &[(&str, &[&str])]) {
        let folder = folder(files);
        let environments = ["prod".to_owned()];
        let search = Search { root: folder.path(), manifest: "deploy.toml", folder: now, environments: &environments };
        let found: Vec<(String, Vec<String>)> =
            search.run().unwrap().into_iter().map(|left| (left.folder, left.states)).collect();
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(path, states)| ((*path).to_owned(), states.iter().map(|one| (*one).to_owned()).collect()))
            .collect();
        assert_eq!(found, expected, "{files:?}");
    }

    #[test]
    fn a_folder_that_was_rendered_and_is_another_one_is_found_with_its_states() {
        let rendered = ("generated/terraform/versions.tf", "");
        check(&[rendered], "generated", &[]);
        check(&[rendered], "infra", &[("generated", &[])]);
        let state = ("generated/terraform/terraform.tfstate", DEPLOYED);
        check(&[rendered, state], "infra", &[("generated", &["terraform"])]);
        check(&[rendered, state], "infra/live", &[("generated", &["terraform"])]);
        let all = [
            rendered,
            ("generated/bootstrap/terraform.tfstate", DEPLOYED),
            ("generated/prod/terraform/terraform.tfstate", DEPLOYED),
            ("generated/test/terraform/terraform.tfstate", DEPLOYED),
            // Terraform's own, when it moved the state elsewhere, or everything was destroyed.
            ("generated/terraform/terraform.tfstate", ""),
            ("generated/prod/bootstrap/terraform.tfstate", "{\"resources\": []}"),
        ];
        check(&all, "infra", &[("generated", &["bootstrap", "prod/terraform"])]);
        let deep = [("infra/live/terraform/versions.tf", ""), ("infra/live/terraform/terraform.tfstate", "?")];
        check(&deep, "generated", &[("infra/live", &["terraform"])]);
        // The new folder lies in the old one, and an environment was rendered alone.
        let prod = [("infra/prod/terraform/versions.tf", ""), ("infra/live/terraform/terraform.tfstate", DEPLOYED)];
        check(&prod, "infra/live", &[("infra", &[])]);
    }

    #[test]
    fn what_is_somebody_elses_is_not_found() {
        let state = ("a/b/c/terraform/terraform.tfstate", DEPLOYED);
        for path in [".old/terraform", "node_modules/a/terraform", "target/terraform", "a/b/c/terraform"] {
            check(&[(&format!("{path}/versions.tf"), ""), state], "infra", &[]);
        }
        check(&[("generated/terraform/versions.tf", "terraform {}\n")], "infra", &[]);
        check(&[("orders/deploy.toml", ""), ("orders/generated/terraform/versions.tf", "")], "infra", &[]);
        check(&[("orders/generated/deploy.toml", ""), ("orders/generated/terraform/versions.tf", "")], "infra", &[]);
        // Another manifest beside this one.
        let other = ("other.toml", "[output]\nfolder = \"others\"\n");
        check(&[other, ("others/terraform/versions.tf", "")], "infra", &[]);
        check(
            &[("Cargo.toml", "[package]\n"), ("generated/terraform/versions.tf", "")],
            "infra",
            &[("generated", &[])],
        );
    }
}
