//! `infragen explain`: key → meaning and outputs, output → keys.

use infragen::explain::{self, Subject};
use infragen::listing::{self, Entry};
use infragen::manifest::reader::suggest;
use infragen::provenance::Provenance;

use super::shell::Shell;
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn explain(&self, key: Option<&str>, resource: Option<&str>) -> Stopped {
        match (key, resource) {
            (Some(key), _) => self.explain_key(key),
            (None, Some(resource)) => self.explain_resource(resource),
            (None, None) => {
                self.print(&explain::reference())?;
                Ok(Outcome::Done)
            }
        }
    }

    fn explain_key(&self, path: &str) -> Stopped {
        let subject = match explain::find(path) {
            Ok(subject) => subject,
            Err(hint) => {
                self.error(&format!("`{}` is no key or table of the manifest", path.escape_debug()), Some(&hint));
                return Ok(Outcome::Usage);
            }
        };
        let input = self.input()?;
        let loaded = self.load_input(&input)?;
        let entries = listing::list(&loaded, &input);
        let text = match &subject {
            Subject::Section(doc, keys, below) => explain::section(doc, keys, below, &entries),
            Subject::Key(doc) => {
                let provenance = Provenance::new(&loaded, &self.templates(&mut Vec::new())?)
                    .map_err(|error| self.fail(&error, None))?;
                let reach = provenance.reach(doc).map_err(|error| self.fail(&error, None))?;
                let present: Vec<&Entry> =
                    entries.iter().filter(|entry| entry.path() == doc.path || entry.section == doc.path).collect();
                let environment = loaded.manifest.project.environment.as_str();
                explain::key(doc, &present, |entry| entry.origin.describe(&input.manifest.name, environment), &reach)
            }
        };
        self.print(&text)?;
        Ok(Outcome::Done)
    }

    fn explain_resource(&self, resource: &str) -> Stopped {
        let loaded = self.load()?;
        let provenance =
            Provenance::new(&loaded, &self.templates(&mut Vec::new())?).map_err(|error| self.fail(&error, None))?;
        let (path, line) = match resource.rsplit_once(':') {
            Some((path, line)) => (path, line.parse().ok()),
            None => (resource, None),
        };
        let in_file = if line.is_some() || !resource.contains(':') {
            provenance.behind_file(path, line).map_err(|error| self.fail(&error, None))?
        } else {
            None
        };
        let found = match in_file {
            Some(found) => vec![found],
            None => provenance.behind_address(resource).map_err(|error| self.fail(&error, None))?,
        };
        if found.is_empty() {
            let mut known = provenance.addresses();
            known.extend(provenance.artifacts().iter().map(|artifact| artifact.path.clone()));
            let near = suggest(path, &known.iter().map(String::as_str).collect::<Vec<_>>());
            let hint = if near.starts_with("did you mean") {
                near
            } else {
                "name an address such as `module.stream`, or a rendered file and a line such as \
                 `generated/terraform/stream.tf:7`"
                    .to_owned()
            };
            let message = format!("`{}` is no address, file or line of what is rendered", resource.escape_debug());
            self.error(&message, Some(&hint));
            return Ok(Outcome::Usage);
        }
        self.print(&found.iter().map(explain::behind).collect::<Vec<_>>().join("\n"))?;
        Ok(Outcome::Done)
    }
}
