//! `infragen explain`: key → meaning and outputs, output → keys.

use std::path::{Component, Path, PathBuf};

use contract::Environment;
use infragen::explain::{self, Subject};
use infragen::listing::{self, Entry};
use infragen::load::{self, Loaded};
use infragen::manifest::reader::near;
use infragen::provenance::{Behind, Provenance};

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
            Err(hint) => return self.explain_other(path, &hint),
        };
        let input = self.input()?;
        let loaded = self.load_input(&input)?;
        let entries = listing::list(&loaded, &input);
        let text = match &subject {
            Subject::Section(doc, keys, below) => explain::section(doc, keys, below, &entries),
            Subject::Key(doc) => {
                let provenance = self.provenance(&loaded)?;
                let reach = provenance.reach(doc).map_err(|error| self.fail(&error, None))?;
                let is_of = |entry: &&Entry| entry.path() == doc.path || entry.section == doc.path;
                let present: Vec<&Entry> = entries.iter().filter(is_of).filter(|entry| entry.value.is_some()).collect();
                let environment = loaded.manifest.project.environment.as_str();
                explain::key(doc, &present, |entry| entry.origin.describe(&input.manifest.name, environment), &reach)
            }
        };
        self.print(&text)?;
        Ok(Outcome::Done)
    }

    fn provenance<'l>(&self, loaded: &'l Loaded) -> Result<Provenance<'l>, Outcome> {
        Provenance::new(loaded, &self.templates()?).map_err(|error| self.fail(&error, None))
    }

    /// Whoever asks about something else than a key may mean what is rendered.
    fn explain_other(&self, subject: &str, hint: &str) -> Stopped {
        let loaded = self.load()?;
        let provenance = self.provenance(&loaded)?;
        let found = self.behind(&provenance, subject)?;
        if found.is_empty() {
            let hint = match self.particular_hint(&provenance, subject)? {
                Some(hint) => hint,
                None if hint.starts_with("did you mean") && !subject.contains(['/', ':']) => hint.to_owned(),
                None => nearest(&provenance, subject),
            };
            let what = "no key or table of the manifest, and no variable, address, file or line of what is rendered";
            self.error(&format!("`{}` is {what}", subject.escape_debug()), Some(&hint));
            return Ok(Outcome::Usage);
        }
        self.print(&found.iter().map(explain::behind).collect::<Vec<_>>().join("\n"))?;
        Ok(Outcome::Done)
    }

    fn explain_resource(&self, resource: &str) -> Stopped {
        let loaded = self.load()?;
        let provenance = self.provenance(&loaded)?;
        let found = self.behind(&provenance, resource)?;
        if found.is_empty() {
            let hint = match self.particular_hint(&provenance, resource)? {
                Some(hint) => hint,
                None => nearest(&provenance, resource),
            };
            let what = "no variable, address, file or line of what is rendered";
            self.error(&format!("`{}` is {what}", resource.escape_debug()), Some(&hint));
            return Ok(Outcome::Usage);
        }
        self.print(&found.iter().map(explain::behind).collect::<Vec<_>>().join("\n"))?;
        Ok(Outcome::Done)
    }

    /// Finds what is behind a file, a line of it, an address, or an environment variable.
    fn behind(&self, provenance: &Provenance<'_>, subject: &str) -> Result<Vec<Behind>, Outcome> {
        let (path, line) = path_and_line(subject);
        if line.is_some() || !subject.contains(':') {
            let own = self.below_root(path);
            let mut found = Vec::new();
            let files = own.map(|own| provenance.files(&own)).unwrap_or_default();
            for file in if files.is_empty() { provenance.files(path) } else { files } {
                found.extend(provenance.behind_file(file, line).map_err(|error| self.fail(&error, None))?);
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let found = provenance.behind_address(subject).map_err(|error| self.fail(&error, None))?;
        if !found.is_empty() {
            return Ok(found);
        }
        provenance.behind_variable(subject).map_err(|error| self.fail(&error, None))
    }

    /// Knows more of something that is not here than what it looks like.
    fn particular_hint(&self, provenance: &Provenance<'_>, subject: &str) -> Result<Option<String>, Outcome> {
        match self.variable_hint(provenance, subject)? {
            None => self.environment_hint(subject),
            hint => Ok(hint),
        }
    }

    /// Says whose file it is, where it is one of another environment.
    fn environment_hint(&self, subject: &str) -> Result<Option<String>, Outcome> {
        let (path, _) = path_and_line(subject);
        if !path.contains('/') {
            return Ok(None);
        }
        let below = self.below_root(path);
        let (input, templates) = (self.input()?, self.templates()?);
        for name in self.environments() {
            let Ok(environment) = Environment::new(&name) else { continue };
            let Ok(loaded) = load::load(&input, Some(&environment)) else { continue };
            let provenance = Provenance::new(&loaded, &templates).map_err(|error| self.fail(&error, None))?;
            if !provenance.files(path).is_empty()
                || below.as_deref().is_some_and(|own| !provenance.files(own).is_empty())
            {
                return Ok(Some(format!("`{path}` is rendered for the environment `{name}`: ask with `--env {name}`")));
            }
        }
        Ok(None)
    }

    /// Says which keys would set a variable that is not set.
    fn variable_hint(&self, provenance: &Provenance<'_>, name: &str) -> Result<Option<String>, Outcome> {
        let is_variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !name.chars().all(is_variable) {
            return Ok(None);
        }
        let keys = provenance.would_set(name).map_err(|error| self.fail(&error, None))?;
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        Ok((!keys.is_empty()).then(|| format!("no function has that variable now; {} can bring it", keys.join(" or "))))
    }

    /// Returns a path of the current folder, or an absolute one, as one below the manifest's folder.
    fn below_root(&self, path: &str) -> Option<String> {
        let here = std::env::current_dir().ok()?;
        let (wanted, root) = (plain(&here.join(path)), plain(&here.join(self.root())));
        wanted.strip_prefix(root).ok()?.to_str().map(str::to_owned)
    }
}

/// Splits `FILE:LINE`; what an editor adds, the column, is left out.
fn path_and_line(subject: &str) -> (&str, Option<usize>) {
    let Some((path, last)) = subject.rsplit_once(':') else { return (subject, None) };
    let Ok(last) = last.parse() else { return (subject, None) };
    match path.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) => (path, Some(line)),
        None => (path, Some(last)),
    }
}

/// Returns a path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn nearest(provenance: &Provenance<'_>, subject: &str) -> String {
    let (path, _) = path_and_line(subject);
    let mut known = provenance.addresses();
    known.extend(provenance.artifacts().iter().map(|artifact| artifact.path.clone()));
    let near = near(path, &known.iter().map(String::as_str).collect::<Vec<_>>());
    near.map_or_else(
        || {
            "name a variable such as `SSE_RETRY`, an address such as `module.stream`, or a rendered file and a line such as \
             `generated/terraform/stream.tf:7`"
                .to_owned()
        },
        |near| format!("did you mean `{near}`"),
    )
}
