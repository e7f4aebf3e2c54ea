//! deploy.toml: text → spanned tables → merged → validated [`Manifest`]. Everything that is wrong is reported at once.

pub mod aws;
mod checks;
pub mod names;
pub mod reader;
pub mod sections;
pub mod tree;
pub mod types;
pub mod values;
pub mod version;

use std::cell::RefCell;

use contract::Environment;

pub use names::Names;
pub use reader::{KeyDoc, Section};
pub use sections::Manifest;

use crate::diagnostic::{Diagnostic, Source};
use reader::Reader;
use tree::{Node, Raw, Table};

/// Environment of `just dev`: needs no table in the manifest and no account.
pub const LOCAL: &str = "local";
/// Names that are folders in `generated/` already.
const RESERVED: [&str; 3] = ["terraform", "bootstrap", "modules"];

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
/// # Errors
/// [`LoadError`] with everything that is wrong, sorted by place.
pub fn load(source: &Source, environment: Option<&Environment>) -> Result<Loaded, LoadError> {
    let mut root = tree::parse(source).map_err(LoadError::Invalid)?;
    let log = RefCell::new(Vec::new());
    let overlays = take_overlays(&mut root, &log);
    let base = read(&root, &log);
    check_environment_names(&base, &overlays, &root, &log);
    let mut diagnostics = log.into_inner();
    let mut chosen = None;
    for (name, node, table) in &overlays {
        let (mut manifest, found) = read_overlay(&root, table, name, &node.key_span);
        let fresh = found.into_iter().filter(|new| !diagnostics.contains(new)).collect::<Vec<_>>();
        diagnostics.extend(fresh.into_iter().map(|new| Diagnostic { environment: Some(name.to_string()), ..new }));
        if environment == Some(name) {
            manifest.project.environment = name.clone();
            chosen = Some(manifest);
        }
    }
    if !diagnostics.is_empty() {
        diagnostics.sort_by(|a, b| place(a).cmp(&place(b)));
        return Err(LoadError::Invalid(diagnostics));
    }
    choose(base, chosen, environment, &overlays)
}

type Overlay = (Environment, Node, Table);

fn place(diagnostic: &Diagnostic) -> (usize, &str, &str) {
    (diagnostic.span.as_ref().map_or(usize::MAX, |span| span.start), &diagnostic.key, &diagnostic.message)
}

fn choose(
    mut base: Manifest,
    chosen: Option<Manifest>,
    environment: Option<&Environment>,
    overlays: &[Overlay],
) -> Result<Loaded, LoadError> {
    let Some(name) = environment else {
        return Ok(Loaded { manifest: base, target: Target::Base });
    };
    let target = if name.as_str() == LOCAL { Target::Local } else { Target::Overlay };
    if let Some(manifest) = chosen {
        return Ok(Loaded { manifest, target });
    }
    if target == Target::Local {
        base.project.environment = name.clone();
        return Ok(Loaded { manifest: base, target });
    }
    if *name == base.project.environment {
        return Ok(Loaded { manifest: base, target: Target::Base });
    }
    let own = [base.project.environment.to_string(), LOCAL.to_owned()];
    let mut known: Vec<String> = own.into_iter().chain(overlays.iter().map(|(name, ..)| name.to_string())).collect();
    known.sort();
    known.dedup();
    Err(LoadError::UnknownEnvironment { name: name.to_string(), known })
}

fn read(table: &Table, log: &RefCell<Vec<Diagnostic>>) -> Manifest {
    let manifest = Manifest::read(&Reader::new(table, log));
    checks::check(&manifest, table, log);
    manifest
}

/// Reads the base with one environment laid over it.
fn read_overlay(
    root: &Table,
    overlay: &Table,
    name: &Environment,
    key_span: &std::ops::Range<usize>,
) -> (Manifest, Vec<Diagnostic>) {
    let mut merged = tree::merge(root.clone(), overlay);
    // The names of everything follow from the environment's name, and so do the rules on them.
    if let Some(Node { value: Raw::Table(project), .. }) = merged.get_mut("project") {
        let value = Raw::String(name.to_string());
        let node = Node { value, span: key_span.clone(), key_span: key_span.clone() };
        project.insert("environment".to_owned(), node);
    }
    let log = RefCell::new(Vec::new());
    let mut manifest = Manifest::read(&Reader::new(&merged, &log));
    manifest.project.environment = name.clone();
    checks::check(&manifest, &merged, &log);
    (manifest, log.into_inner())
}

/// Takes `[env.*]` out of the root and returns the well-formed ones.
fn take_overlays(root: &mut Table, log: &RefCell<Vec<Diagnostic>>) -> Vec<Overlay> {
    let Some(node) = root.remove("env") else {
        return Vec::new();
    };
    let fail = |key: String, message: String, hint: &str, node: &Node| {
        let (hint, span) = (Some(hint.to_owned()), Some(node.key_span.clone()));
        log.borrow_mut().push(Diagnostic { key, message, hint, span, environment: None });
    };
    let Raw::Table(environments) = &node.value else {
        let message = format!("`env` is {}: it must be a table of environments", node.value.describe());
        fail("env".into(), message, "write an environment's values below a line `[env.NAME]`", &node);
        return Vec::new();
    };
    let mut overlays = Vec::new();
    for (key, entry) in environments {
        let path = format!("env.{}", tree::shorten(key));
        match (Environment::new(key), &entry.value) {
            (Ok(name), Raw::Table(table)) => overlays.push((name, entry.clone(), table.clone())),
            (Ok(_), value) => {
                let message = format!("`{path}` is {}: it must be a table", value.describe());
                fail(path.clone(), message, "write its values below it, as in the base", entry);
            }
            (Err(error), _) => {
                let message = format!("`{path}`: an environment's name must be {}", error.rule);
                fail(path, message, "rename the table", entry);
            }
        }
    }
    overlays
}

/// Refuses environments whose name means something else already.
fn check_environment_names(base: &Manifest, overlays: &[Overlay], root: &Table, log: &RefCell<Vec<Diagnostic>>) {
    let fail = |key: String, message: String, hint: &str, span| {
        log.borrow_mut().push(Diagnostic { key, message, hint: Some(hint.to_owned()), span, environment: None });
    };
    let own = &base.project.environment;
    let base_span = tree::find(root, "project.environment").map(|node| node.span.clone());
    if own.as_str() == LOCAL {
        let message = "`project.environment` is `local`: that environment is this machine".to_owned();
        fail("project.environment".into(), message, "choose another name, such as `dev`", base_span);
    } else if RESERVED.contains(&own.as_str()) {
        let message = format!("`project.environment` is `{own}`: that name is a folder of `generated` already");
        fail("project.environment".into(), message, "choose another name, such as `dev`", base_span);
    }
    for (name, node, table) in overlays {
        let span = Some(node.key_span.clone());
        if name == own {
            let message = format!("`env.{name}` has the name of the base, `project.environment`");
            fail(format!("env.{name}"), message, "move its values into the base, or rename it", span);
        } else if RESERVED.contains(&name.as_str()) {
            let message = format!("`env.{name}`: that name is a folder of `generated` already");
            fail(format!("env.{name}"), message, "choose another name, such as `prod`", span);
        }
        if let Some(inner) = tree::find(table, "project.environment") {
            let message = format!("`env.{name}.project.environment`: the name of an environment is `{name}` already");
            let span = Some(inner.key_span.clone());
            fail(format!("env.{name}.project.environment"), message, "remove the line", span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, environment: Option<&str>) -> Result<Loaded, LoadError> {
        let environment = environment.map(|name| Environment::new(name).unwrap());
        load(&Source { name: "deploy.toml".into(), text: text.into() }, environment.as_ref())
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
        assert_eq!(load_text(&shown, None).unwrap(), loaded, "what `show` writes reads back");
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
