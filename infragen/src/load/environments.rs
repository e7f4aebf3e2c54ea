//! `[env.NAME]`: taken out of the manifest, and checked for names that mean something else already.

use std::cell::RefCell;

use contract::Environment;

use crate::diagnostic::{Diagnostic, Layer, Span};
use crate::manifest::tree::{self, Node, Raw, Table};
use crate::manifest::{LOCAL, Manifest};

/// Names that are folders in `output.folder` already.
const RESERVED: [&str; 3] = ["terraform", "bootstrap", "modules"];
/// Keys that all environments share, each with its table.
const SHARED: [(&str, &str); 3] = [("ci", "branch"), ("ci", "repository"), ("output", "folder")];
/// Environments of one manifest: each is validated, and rendered into a folder.
const ENVIRONMENTS_MAX: usize = 50;

/// One environment: what is laid over the base.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) name: Environment,
    /// Where its name stands.
    pub(super) key_span: Span,
    pub(super) table: Table,
}

/// Takes `[env.*]` out of the root and returns the well-formed ones.
pub(super) fn take(root: &mut Table, log: &RefCell<Vec<Diagnostic>>) -> Vec<Overlay> {
    let Some(mut node) = root.remove("env") else {
        return Vec::new();
    };
    let fail = |code, key: &str, message: String, hint: &str, span: &Span| {
        log.borrow_mut().push(Diagnostic::new(code, key, message).hint(hint).at(span.clone()));
    };
    let Raw::Table(environments) = &mut node.value else {
        let message = format!("`env` is {}: it must be a table of environments", node.value.describe());
        let hint = "write an environment's values below a line `[env.NAME]`";
        fail("wrong-type", "env", message, hint, &node.key_span);
        return Vec::new();
    };
    if environments.len() > ENVIRONMENTS_MAX {
        let message = format!("`env` has {} environments: it must have at most {ENVIRONMENTS_MAX}", environments.len());
        fail("out-of-range", "env", message, "keep the others in another manifest", &node.key_span);
        return Vec::new();
    }
    tree::set_layer(environments, Layer::Environment);
    let mut overlays = Vec::new();
    for (key, entry) in std::mem::take(environments) {
        let path = format!("env.{}", tree::shorten(&key));
        match (Environment::new(&key), entry) {
            (Ok(name), Node { value: Raw::Table(table), key_span, .. }) => {
                overlays.push(Overlay { name, key_span, table });
            }
            (Ok(_), Node { value, key_span, .. }) => {
                let message = format!("`{path}` is {}: it must be a table", value.describe());
                fail("wrong-type", &path, message, "write its values below it, as in the base", &key_span);
            }
            (Err(error), Node { key_span, .. }) => {
                let message = format!("`{path}`: an environment's name must be {}", error.rule);
                fail("environment-name", &path, message, "rename the table", &key_span);
            }
        }
    }
    // A table of TOML knows no order; pipelines and whoever makes what is shared go by the one that was written.
    overlays.sort_by_key(|overlay| overlay.key_span.range.start);
    overlays
}

/// Refuses environments whose name means something else already.
pub(super) fn check_names(base: &Manifest, overlays: &[Overlay], root: &Table, log: &RefCell<Vec<Diagnostic>>) {
    let fail = |code, key: &str, message: String, hint: &str, span: Option<Span>| {
        log.borrow_mut().push(Diagnostic { span, ..Diagnostic::new(code, key, message).hint(hint) });
    };
    let (own, folder) = (&base.project.environment, base.output.folder.as_str());
    let base_span = tree::find(root, "project.environment").map(|node| node.span.clone());
    let hint = "choose another name, such as `dev`";
    if own.as_str() == LOCAL {
        let message = "`project.environment` is `local`: that environment is this machine".to_owned();
        fail("environment-is-local", "project.environment", message, hint, base_span);
    } else if RESERVED.contains(&own.as_str()) {
        let message = format!("`project.environment` is `{own}`: that name is a folder of `{folder}` already");
        fail("environment-is-folder", "project.environment", message, hint, base_span);
    }
    for Overlay { name, key_span, table } in overlays {
        let (key, span) = (format!("env.{name}"), Some(key_span.clone()));
        if name == own {
            let message = format!("`{key}` has the name of the base, `project.environment`");
            fail("environment-is-base", &key, message, "move its values into the base, or rename it", span);
        } else if RESERVED.contains(&name.as_str()) {
            let message = format!("`{key}`: that name is a folder of `{folder}` already");
            fail("environment-is-folder", &key, message, "choose another name, such as `prod`", span);
        }
        if let Some(inner) = tree::find(table, "project.environment") {
            let key = format!("{key}.project.environment");
            let message = format!("`{key}`: the name of an environment is `{name}` already");
            fail("environment-renamed", &key, message, "remove the line", Some(inner.key_span.clone()));
        }
        for (section, shared) in SHARED {
            let Some(node) = tree::find(table, &format!("{section}.{shared}")) else { continue };
            let (key, span) = (format!("{key}.{section}.{shared}"), Some(node.key_span.clone()));
            let hint = format!("write it under `[{section}]`, or remove it");
            if section == "ci" {
                let message = format!("`{key}` is set: one workflow deploys all environments, from one branch");
                fail("environment-ci", &key, message, &hint, span);
            } else {
                let message = format!("`{key}` is set: all environments are rendered into one folder");
                fail("environment-folder", &key, message, &hint, span);
            }
        }
    }
}

/// Finds environments that are empty, and probably were not meant to be: a table behind `[env.NAME]` is of the base.
pub(super) fn warnings(overlays: &[Overlay], text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for Overlay { name, key_span, .. } in overlays.iter().filter(|overlay| overlay.table.is_empty()) {
        let behind = text.get(key_span.range.end..).unwrap_or_default();
        let lines = behind.lines().skip(1).map(str::trim);
        let Some(next) = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with('#')) else { continue };
        let table = next.strip_prefix('[').and_then(|rest| Some(rest.split_once(']')?.0.trim()));
        let Some(table) = table.filter(|table| is_of_base(table)) else { continue };
        let message = format!("`[env.{name}]` is empty, and `[{table}]` below it is of the base");
        let hint =
            format!("write `[env.{name}.{table}]` for values of `{name}`; `[env.{name}]` alone is the base once more");
        let key = format!("env.{name}");
        found.push(Diagnostic::new("empty-environment", key, message).hint(hint).at(key_span.clone()));
    }
    found
}

/// Whether the header of a table is that of one of the base's.
fn is_of_base(table: &str) -> bool {
    table != "env" && !table.starts_with("env.") && !table.starts_with('[')
}
