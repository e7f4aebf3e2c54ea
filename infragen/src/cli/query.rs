//! `infragen query`: one value, for scripts.

use infragen::manifest;

use super::shell::Shell;
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn query(&self, key: &str) -> Stopped {
        if key == "roots" {
            let roots = self.load_all()?.all.into_iter().map(|loaded| format!("{}/terraform\n", loaded.folder()));
            self.print(&roots.collect::<String>())?;
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
            None => {
                self.error(&format!("`{key}` is no key of the manifest, or has no value"), Some("see `infragen show`"));
                return Ok(Outcome::Usage);
            }
        }
        Ok(Outcome::Done)
    }
}
