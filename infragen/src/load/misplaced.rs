//! Keys that are known and stand in another table than theirs: where they belong.

use crate::diagnostic::{Diagnostic, Layer};
use crate::manifest::reader::{alike, join, suggest};
use crate::manifest::tree::{self, Raw, Table};
use crate::manifest::{Manifest, Section as _};

/// How alike a name must be that is of another table.
const ELSEWHERE: f64 = 0.92;
/// Keys that decide nothing: they are held against another one of the same name, which is the one that is meant.
const COMPARED: [&str; 2] = ["stream.image.architecture", "dashboard.image.architecture"];
/// What people call `env`.
const ENVIRONMENTS: [&str; 5] = ["envs", "environments", "environment", "stages", "stage"];

/// Every key and every table, dotted.
struct Known {
    keys: Vec<String>,
    sections: Vec<String>,
}

/// Gives every key that is unknown where it stands the hint that helps most.
pub(super) fn advise(found: &mut [Diagnostic], tree: &Table, environment: Option<&str>) {
    if let Some(name) = environment {
        for diagnostic in found.iter_mut().filter(|diagnostic| diagnostic.code == "wrong-type") {
            // A value where a table is to be.
            diagnostic.hint =
                diagnostic.hint.take().map(|hint| hint.replace("a line `[", &format!("a line `[env.{name}.")));
        }
    }
    if !found.iter().any(|diagnostic| diagnostic.code == "unknown-key") {
        return;
    }
    let known = Known {
        keys: Manifest::docs("").into_iter().map(|doc| doc.path).collect(),
        sections: Manifest::sections("").into_iter().map(|section| section.path).collect(),
    };
    // `env` is known, and no key of an override.
    let is_unknown = |one: &&mut Diagnostic| one.code == "unknown-key" && one.key != "env";
    for diagnostic in found.iter_mut().filter(is_unknown) {
        let layer = diagnostic.span.as_ref().map_or(Layer::Base, |span| span.layer);
        let environment = environment.filter(|_| layer == Layer::Environment);
        if let Some(hint) = known.hint(&diagnostic.key, tree, layer, environment) {
            diagnostic.hint = Some(hint);
        }
    }
}

impl Known {
    fn hint(&self, path: &str, tree: &Table, layer: Layer, environment: Option<&str>) -> Option<String> {
        // A part of a value, such as a label's, is no key of a table.
        if self.keys.iter().any(|key| key == path) {
            return None;
        }
        let is_above =
            |section: &&String| path.strip_prefix(section.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let section =
            self.sections.iter().filter(is_above).max_by_key(|section| section.len()).map_or("", String::as_str);
        let key = if section.is_empty() { path } else { &path[section.len() + 1..] };
        let write = |section: &str| match environment {
            Some(name) => format!("`[env.{name}.{section}]`"),
            None => format!("`[{section}]`"),
        };
        let is_root = section.is_empty() && environment.is_none();
        if let Some(hint) = is_root.then(|| self.environment(key, tree)).flatten() {
            return Some(hint);
        }
        let homes = self.homes(key, section);
        if !homes.is_empty() {
            if matches!(layer, Layer::Set(_)) {
                return Some(format!("did you mean {}", or(homes.iter().map(|home| format!("`{home}.{key}`")))));
            }
            let homes = or(homes.iter().map(|home| write(home)));
            return Some(match (section, environment) {
                ("", Some(_)) => format!("write it below {homes}"),
                _ => format!("`{}` belongs to {homes}", tree::shorten(key)),
            });
        }
        let tables: Vec<&String> = self.sections.iter().filter(|found| last(found) == key).collect();
        if !tables.is_empty() {
            return Some(format!("write {}", or(tables.into_iter().map(|table| write(table)))));
        }
        if is_root {
            let mut words: Vec<&str> =
                self.sections.iter().map(String::as_str).filter(|path| !path.contains('.')).collect();
            words.push("env");
            let hint = suggest(key, &words);
            if hint.starts_with("did you mean") {
                return Some(hint);
            }
            return Some(self.elsewhere(key, &write).unwrap_or(hint));
        }
        let own: Vec<&str> = self
            .keys
            .iter()
            .chain(&self.sections)
            .filter(|path| above(path) == section)
            .map(|path| last(path))
            .collect();
        if suggest(key, &own).starts_with("did you mean") { None } else { self.elsewhere(key, &write) }
    }

    /// Tables that have a key of that name, those around the table in question first.
    fn homes(&self, key: &str, section: &str) -> Vec<&str> {
        let is_meant = |path: &&String| last(path) == key && !COMPARED.contains(&path.as_str());
        let mut homes: Vec<&str> = self.keys.iter().filter(is_meant).map(|path| above(path)).collect();
        let is_near = |home: &str| home.starts_with(&join(section, "")) || section.starts_with(&join(home, ""));
        if !section.is_empty() && homes.iter().any(|home| is_near(home)) {
            homes.retain(|home| is_near(home));
        }
        homes
    }

    /// A key of another table that is written almost so.
    fn elsewhere(&self, key: &str, write: &dyn Fn(&str) -> String) -> Option<String> {
        let names: Vec<&str> = self.keys.iter().map(|path| last(path)).collect();
        let nearest = alike(key, &names, ELSEWHERE)?;
        let home = self.keys.iter().find(|path| last(path) == nearest).map(|path| above(path))?;
        Some(format!("did you mean `{nearest}` below {}", write(home)))
    }

    /// A table of environments under another name, or an environment without `env` before it.
    fn environment(&self, key: &str, tree: &Table) -> Option<String> {
        let Raw::Table(table) = &tree.get(key)?.value else { return None };
        let is_section = |name: &String| self.sections.iter().any(|section| section == name);
        if !table.values().all(|node| matches!(node.value, Raw::Table(_))) {
            return None;
        }
        if ENVIRONMENTS.contains(&key) {
            let name = table.keys().find(|name| !is_section(name)).map_or("NAME", String::as_str);
            return Some(format!("did you mean `[env.{}]`", tree::shorten(name)));
        }
        let inner = table.keys().find(|name| is_section(name))?;
        Some(format!("did you mean `[env.{}.{inner}]`", tree::shorten(key)))
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

fn above(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(above, _)| above)
}

fn or(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" or ")
}
