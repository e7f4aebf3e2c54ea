//! What Terraform is told to deploy: one file a root, read before anything is made and written when all of it is there.

use std::collections::BTreeMap;
use std::io;

use infragen::write;
use serde_json::{Map, Value};

use super::shell::Shell;
use super::{Outcome, interrupt};

/// The file; its name makes Terraform read it.
const REFERENCES: &str = "artifacts.auto.tfvars.json";

/// The values of each root, by its folder below the manifest's.
pub(super) type References = BTreeMap<String, Map<String, Value>>;

#[expect(clippy::disallowed_methods, reason = "what a root was told is kept")]
fn read(path: &std::path::Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

impl Shell<'_> {
    /// What these roots are told so far.
    pub(super) fn references<'r>(&self, roots: impl Iterator<Item = &'r str>) -> Result<References, Outcome> {
        roots.map(|root| Ok((root.to_owned(), self.references_of(root)?))).collect()
    }

    fn references_of(&self, root: &str) -> Result<Map<String, Value>, Outcome> {
        let path = self.root().join(root).join(REFERENCES);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => {
                self.error(&format!("`{}` cannot be read: {error}", path.display()), None);
                return Err(Outcome::NeedsPerson);
            }
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("`{}` is no object of JSON, as Terraform reads it: {error}", path.display());
            self.error(&message, Some("mend or remove it"));
            Outcome::NeedsPerson
        })
    }

    /// Tells every root; `hint` is what to do where one cannot be told.
    pub(super) fn tell(&self, roots: &References, hint: &str) -> Result<(), Outcome> {
        let _whole = interrupt::writing();
        for (root, values) in roots {
            let text = serde_json::to_string_pretty(values).map_err(|error| self.fail(&error, None))? + "\n";
            write::put(self.root(), &format!("{root}/{REFERENCES}"), text.as_bytes())
                .map_err(|error| self.fail(&error, Some(hint)))?;
        }
        Ok(())
    }
}
