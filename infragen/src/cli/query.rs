//! `infragen query`: one value, for scripts.

use infragen::explain;
use infragen::load::Loaded;
use infragen::manifest::reader::KeyDoc;
use infragen::manifest::types::Packaging;
use infragen::manifest::{self, Manifest, Section as _};

use super::shell::Shell;
use super::{Outcome, Stopped};

/// What Terraform's root of one environment needs to be built: root, function, packaging and processor, a line for each. An
/// image that is there already is not built.
fn artifacts(loaded: &Loaded) -> String {
    let architecture = loaded.manifest.package.architecture.as_str();
    let line = |(role, package): (&str, Packaging)| {
        format!("{}/terraform {role} {} {architecture}\n", loaded.folder(), package.as_str())
    };
    loaded.manifest.built().into_iter().map(line).collect()
}

impl Shell<'_> {
    pub(super) fn query(&self, key: &str) -> Stopped {
        if key == "roots" {
            let roots = self.load_all()?.all.into_iter().map(|loaded| format!("{}/terraform\n", loaded.folder()));
            self.print(&roots.collect::<String>())?;
            return Ok(Outcome::Done);
        }
        if key == "artifacts" {
            let lines: String = self.load_all()?.all.iter().map(artifacts).collect();
            self.print(&lines)?;
            return Ok(Outcome::Done);
        }
        let path = match key {
            "architecture" => "package.architecture",
            "package.stream" => "stream.package",
            "package.dashboard" => "dashboard.package",
            key => key,
        };
        match manifest::value_at(&self.shown()?, path) {
            Some(toml::Value::String(text)) => self.print(&format!("{text}\n"))?,
            Some(toml::Value::Table(table)) => {
                let text = toml::to_string(table).map_err(|error| self.fail(&error, None))?;
                self.print(&text)?;
            }
            Some(value) => self.print(&format!("{value}\n"))?,
            None => return Ok(self.no_value(key, path)),
        }
        Ok(Outcome::Done)
    }

    fn no_value(&self, key: &str, path: &str) -> Outcome {
        // A tag or a variable of one's own is a key below a key.
        let is_known = |doc: &KeyDoc| doc.path == path || path.starts_with(&format!("{}.", doc.path));
        if Manifest::docs("").iter().any(is_known) {
            self.error(&format!("`{key}` is not set and has no default"), None);
            return Outcome::NeedsPerson;
        }
        let hint = explain::find(path).err();
        self.error(&format!("`{}` is no key or table of the manifest", key.escape_debug()), hint.as_deref());
        Outcome::Usage
    }
}
