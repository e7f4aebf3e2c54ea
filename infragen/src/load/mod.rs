//! Text → one validated [`Manifest`]: environments laid over the base, rules between keys, names that two would make. Everything
//! that is wrong is reported at once.

mod checks;
mod collisions;
mod environments;
mod misplaced;

use std::cell::RefCell;

use contract::Environment;

use crate::diagnostic::{Diagnostic, Input, Layer, Span};
use crate::manifest::reader::Reader;
use crate::manifest::syntax;
use crate::manifest::tree::{self, Node, Raw, Table};
use crate::manifest::{LOCAL, Manifest, Section as _, overrides};
use environments::Overlay;

/// Which part of the manifest to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The base, into `generated/terraform` and its neighbours.
    Base,
    /// An environment laid over the base, into `generated/NAME`.
    Overlay,
    /// What runs on this machine, into `generated/local`.
    Local,
}

/// A manifest with one environment chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The validated values.
    pub manifest: Manifest,
    /// Where they go.
    pub target: Target,
    /// What was typed, merged: which values are no defaults, and where they stand.
    pub tree: Table,
    /// Whether the base, or an environment before this one, keeps its state in the same bucket, and so makes it.
    pub shares_state_bucket: bool,
}

impl Loaded {
    /// Folder of this target's outputs, from the manifest's own.
    #[must_use]
    pub fn folder(&self) -> String {
        match self.target {
            Target::Base => "generated".to_owned(),
            Target::Overlay | Target::Local => format!("generated/{}", self.manifest.project.environment),
        }
    }

    /// Folder in which an apply leaves the page with its live URLs.
    #[must_use]
    pub fn page_folder(&self) -> String {
        self.folder().replacen("generated", "dist", 1) + "/page"
    }
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The text is wrong.
    Invalid(Vec<Diagnostic>),
    /// The environment asked for is not there.
    UnknownEnvironment {
        /// The name asked for.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
}

/// Reads and validates a manifest, the base and every environment of it, and returns the one asked for.
///
/// The command line's overrides are laid over the one asked for; the others are validated as they stand in the file.
///
/// # Errors
/// [`LoadError`] with everything that is wrong, sorted by place.
pub fn load(input: &Input, environment: Option<&Environment>) -> Result<Loaded, LoadError> {
    let mut root = syntax::parse(&input.manifest).map_err(LoadError::Invalid)?;
    let log = RefCell::new(Vec::new());
    let overlays = environments::take(&mut root, &log);
    let overlay = overlays.iter().find(|overlay| Some(&overlay.name) == environment);
    let overrides = read_overrides(input, overlay, &log);
    let mut base_tree = root.clone();
    if overlay.is_none() {
        base_tree = tree::merge(base_tree, &overrides);
    }
    let base = Manifest::read(&Reader::new(&base_tree, &log));
    misplaced::advise(&mut log.borrow_mut(), &base_tree, None);
    checks::check(&base, &base_tree, &log);
    environments::check_names(&base, &overlays, &base_tree, &log);
    let mut diagnostics = log.into_inner();
    let (mut chosen, mut others) = (None, Vec::new());
    for overlay in &overlays {
        let is_chosen = environment == Some(&overlay.name);
        let mut merged = tree::merge(root.clone(), &overlay.table);
        if is_chosen {
            merged = tree::merge(merged, &overrides);
        }
        name_environment(&mut merged, overlay);
        let (manifest, found) = read_overlay(&merged, overlay);
        let fresh = found.into_iter().filter(|new| !diagnostics.contains(new)).collect::<Vec<_>>();
        let name = Some(overlay.name.to_string());
        diagnostics.extend(fresh.into_iter().map(|new| Diagnostic { environment: name.clone(), ..new }));
        others.push((overlay, manifest.clone()));
        if is_chosen {
            chosen = Some((manifest, merged));
        }
    }
    // The name of a wrong value's default would be blamed for it.
    if diagnostics.is_empty() {
        diagnostics = collisions::find((&base, &base_tree), &others);
    }
    if !diagnostics.is_empty() {
        diagnostics.sort_by(|a, b| a.place().cmp(&b.place()));
        return Err(LoadError::Invalid(diagnostics));
    }
    let mut loaded = choose((base.clone(), base_tree), chosen, environment, &overlays)?;
    if loaded.target == Target::Overlay {
        let before = others.iter().map_while(|(overlay, other)| (Some(&overlay.name) != environment).then_some(other));
        let own = &loaded.manifest.terraform.backend.bucket;
        loaded.shares_state_bucket =
            own.is_some() && std::iter::once(&base).chain(before).any(|other| other.terraform.backend.bucket == *own);
    }
    Ok(loaded)
}

/// Returns the manifest with some keys changed, as if that had been typed; none where it would be invalid.
#[must_use]
pub fn vary(loaded: &Loaded, changes: &[(&str, toml::Value)]) -> Option<Loaded> {
    let mut tree = loaded.tree.clone();
    for (path, value) in changes {
        let parts: Vec<&str> = path.split('.').collect();
        tree::insert(&mut tree, &parts, tree::node(value))?;
    }
    let log = RefCell::new(Vec::new());
    let mut manifest = Manifest::read(&Reader::new(&tree, &log));
    if loaded.target == Target::Local {
        manifest.project.environment = loaded.manifest.project.environment.clone();
    }
    checks::check(&manifest, &tree, &log);
    environments::check_names(&manifest, &[], &tree, &log);
    let is_valid = log.into_inner().is_empty();
    is_valid.then_some(Loaded { manifest, tree, ..loaded.clone() })
}

fn choose(
    (mut manifest, mut tree): (Manifest, Table),
    chosen: Option<(Manifest, Table)>,
    environment: Option<&Environment>,
    overlays: &[Overlay],
) -> Result<Loaded, LoadError> {
    let Some(name) = environment else {
        return Ok(Loaded { manifest, target: Target::Base, tree, shares_state_bucket: false });
    };
    let target = if name.as_str() == LOCAL { Target::Local } else { Target::Overlay };
    if let Some((manifest, tree)) = chosen {
        return Ok(Loaded { manifest, target, tree, shares_state_bucket: false });
    }
    if target == Target::Local {
        manifest.project.environment = name.clone();
        // The name comes from the command line: it was typed nowhere.
        if let Some(Node { value: Raw::Table(project), .. }) = tree.get_mut("project") {
            project.remove("environment");
        }
        return Ok(Loaded { manifest, target, tree, shares_state_bucket: false });
    }
    if *name == manifest.project.environment {
        return Ok(Loaded { manifest, target: Target::Base, tree, shares_state_bucket: false });
    }
    let own = [manifest.project.environment.to_string(), LOCAL.to_owned()];
    let others = overlays.iter().map(|overlay| overlay.name.to_string());
    let mut known: Vec<String> = own.into_iter().chain(others).collect();
    known.sort();
    known.dedup();
    Err(LoadError::UnknownEnvironment { name: name.to_string(), known })
}

/// Reads the overrides into one table, later ones over earlier ones.
fn read_overrides(input: &Input, overlay: Option<&Overlay>, log: &RefCell<Vec<Diagnostic>>) -> Table {
    let mut merged = Table::new();
    let fail = |code, key: &str, message: String, hint: &str, span| {
        log.borrow_mut().push(Diagnostic::new(code, key, message).hint(hint).at(span));
    };
    for (index, source) in input.overrides.iter().enumerate() {
        let layer = Layer::Set(index);
        match overrides::table(source, layer) {
            Ok(table) => merged = tree::merge(merged, &table),
            Err(error) => {
                let span = Span { layer, range: 0..source.text.len() };
                fail("malformed", "", error.to_string(), "write it as KEY=VALUE", span);
            }
        }
    }
    if let Some(node) = merged.remove("env") {
        let hint = "choose the environment with `--env` and name its keys as in the base";
        fail("unknown-key", "env", "`env` cannot be set from the command line".to_owned(), hint, node.key_span);
    }
    if let (Some(overlay), Some(node)) = (overlay, tree::find(&merged, "project.environment")) {
        let message = format!("`project.environment`: the name of this environment is `{}` already", overlay.name);
        fail("environment-renamed", "project.environment", message, "leave it out", node.key_span.clone());
    }
    merged
}

/// The names of everything follow from the environment's name, and so do the rules on them.
fn name_environment(merged: &mut Table, overlay: &Overlay) {
    let span = &overlay.key_span;
    let project = merged.entry("project".to_owned()).or_insert_with(|| Node {
        value: Raw::Table(Table::new()),
        span: span.clone(),
        key_span: span.clone(),
    });
    if let Raw::Table(project) = &mut project.value {
        let value = Raw::String(overlay.name.to_string());
        project.insert("environment".to_owned(), Node { value, span: span.clone(), key_span: span.clone() });
    }
}

/// Reads the base with one environment laid over it.
fn read_overlay(merged: &Table, overlay: &Overlay) -> (Manifest, Vec<Diagnostic>) {
    let log = RefCell::new(Vec::new());
    let mut manifest = Manifest::read(&Reader::new(merged, &log));
    misplaced::advise(&mut log.borrow_mut(), merged, Some(overlay.name.as_str()));
    manifest.project.environment = overlay.name.clone();
    checks::check(&manifest, merged, &log);
    (manifest, log.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn load_text(text: &str, environment: Option<&str>) -> Result<Loaded, LoadError> {
        let environment = environment.map(|name| Environment::new(name).unwrap());
        let source = Source { name: "deploy.toml".into(), text: text.into() };
        load(&Input::new(source), environment.as_ref())
    }

    fn messages(text: &str) -> Vec<String> {
        match load_text(text, None) {
            Err(LoadError::Invalid(diagnostics)) => diagnostics.into_iter().map(|d| d.message).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn defaults_are_valid() {
        let loaded = load_text("", None).unwrap();
        assert_eq!(loaded.target, Target::Base);
        assert_eq!(loaded.manifest.stream.timeout.to_string(), "3m");
        let shown = toml::to_string(&loaded.manifest.show()).unwrap();
        assert_eq!(load_text(&shown, None).unwrap().manifest, loaded.manifest, "what `show` writes reads back");
    }

    #[test]
    fn every_key_is_in_the_default_manifest_with_a_comment_and_documented_in_one_sentence() {
        let text = include_str!("../../../deploy.toml");
        for doc in Manifest::docs("") {
            let (section, key) = doc.path.rsplit_once('.').unwrap();
            let (_, body) = text.split_once(&format!("\n[{section}]\n")).unwrap_or_else(|| panic!("no `[{section}]`"));
            let body = body.split("\n[").next().unwrap();
            let sign = if doc.default.is_none() { "# " } else { "" };
            assert!(body.contains(&format!("\n{sign}{key} = ")), "`{}` is not in its section", doc.path);
            assert!(doc.doc.ends_with('.') && !doc.rule.is_empty(), "{doc:?}");
        }
    }

    #[test]
    fn every_error_is_reported_and_defaults_are_not_blamed_for_them() {
        let text = "[stream]\ntimeout = \"1s\"\nmax_session = 5\nheartbeat_intervall = \"1s\"\n[front]\nkind = 7\n";
        assert_eq!(
            messages(text),
            [
                "`stream.max_session` is `5`: it has no unit",
                "`stream.heartbeat_intervall` is not a key of `[stream]`",
                "`front.kind` is the number `7`: it must be one of `function-url`, `cloudfront`",
            ]
        );
    }

    #[test]
    fn an_environment_is_laid_over_the_base_and_named_by_its_table() {
        let text = "[stream]\nmemory = \"256 MiB\"\n[env.prod.stream]\nmax_connections = 70\n";
        let prod = load_text(text, Some("prod")).unwrap();
        assert_eq!(prod.target, Target::Overlay);
        assert_eq!(prod.manifest.project.environment.as_str(), "prod");
        assert_eq!(prod.manifest.stream.memory.mebibytes(), 256);
        assert_eq!(prod.manifest.stream.max_connections.get(), 70);
        assert_eq!(load_text(text, None).unwrap().manifest.stream.max_connections.get(), 100);
        assert_eq!(load_text(text, Some("local")).unwrap().target, Target::Local);
        assert_eq!(load_text(text, Some("dev")).unwrap().target, Target::Base);
        let unknown = LoadError::UnknownEnvironment {
            name: "test".into(),
            known: vec!["dev".into(), "local".into(), "prod".into()],
        };
        assert_eq!(load_text(text, Some("test")), Err(unknown));
    }

    #[test]
    fn a_mistake_of_the_base_is_reported_once_and_one_of_an_environment_names_it() {
        let text = "[stream]\nmemory = \"1 MiB\"\n[env.a]\n[env.b.stream]\nretry = \"1\"\n";
        let Err(LoadError::Invalid(diagnostics)) = load_text(text, None) else { panic!("it is invalid") };
        assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
        assert_eq!(diagnostics[1].environment.as_deref(), Some("b"));
    }
}
