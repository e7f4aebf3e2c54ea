//! `infragen show`: the merged manifest, each value with its origin.

use infragen::listing::{self, Entry};
use infragen::manifest::Section as _;

use super::shell::Shell;
use super::{Outcome, ShowFormat, Stopped};

impl Shell<'_> {
    pub(super) fn show(&self, format: ShowFormat) -> Stopped {
        let input = self.input()?;
        let loaded = self.load_input(&input)?;
        let entries = listing::list(&loaded, &input);
        let environment = loaded.manifest.project.environment.as_str();
        let text = match format {
            ShowFormat::Toml => listing::toml(&entries, &input.manifest.name, environment),
            ShowFormat::Json => {
                let entries: Vec<serde_json::Value> =
                    entries.iter().map(|entry| json(entry, &input.manifest.name, environment)).collect();
                format!("{:#}\n", serde_json::Value::from(entries))
            }
        };
        self.print(&text)?;
        Ok(Outcome::Done)
    }

    pub(super) fn shown(&self) -> Result<toml::Table, Outcome> {
        Ok(self.load()?.manifest.show())
    }
}

fn json(entry: &Entry, file: &str, environment: &str) -> serde_json::Value {
    let mut origin = serde_json::json!({ "kind": entry.origin.kind() });
    if let Some(line) = entry.origin.line() {
        origin["file"] = file.into();
        origin["line"] = line.into();
    }
    if entry.origin.kind() == "environment" {
        origin["environment"] = environment.into();
    }
    serde_json::json!({ "key": entry.path(), "value": entry.value, "origin": origin })
}
