//! Names that two environments of one manifest would both make: the second `terraform apply` would fail, or take over what
//! the first one made.

use super::environments::Overlay;
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::sections::TableSection;
use crate::manifest::tree::{self, Table};
use crate::manifest::{LOCAL, Manifest, Names, reader};

/// A name that an environment makes.
struct Made {
    /// The key that it comes from.
    key: &'static str,
    /// What it names.
    what: &'static str,
    name: String,
    place: Place,
}

impl Made {
    /// A table.
    fn table(key: &'static str, name: &str) -> Self {
        Self { key, what: "table", name: name.to_owned(), place: Place::Region }
    }
}

/// Where a name must be alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a region of an account.
    Region,
    /// In an account, whatever the region.
    Account,
    /// Everywhere.
    World,
}

impl Place {
    /// Whether two environments are, or may be, in the same one.
    fn is_shared(self, one: &Manifest, other: &Manifest) -> bool {
        let same_region = one.project.region == other.project.region;
        match self {
            Self::Region => same_region && one.aws.may_share_account(&other.aws),
            Self::Account => one.aws.may_share_account(&other.aws),
            Self::World => true,
        }
    }
}

fn made(manifest: &Manifest) -> Vec<Made> {
    let names = Names::derive(manifest);
    let table = |section: &TableSection, key, name: &str| section.create.then(|| Made::table(key, name));
    let domain = manifest.front.domain.as_ref();
    [
        // Roles are of the account, not of a region.
        Some(Made {
            key: "project.name",
            what: "beginning of every name",
            name: names.base.clone(),
            place: Place::Account,
        }),
        table(&manifest.tables.items, "tables.items.name", &names.items_table),
        table(&manifest.tables.users, "tables.users.name", &names.users_table),
        manifest.history.keep.is_some().then(|| Made::table("history.keep", &names.history_table)),
        manifest.stream.share_hours.then(|| Made::table("stream.share_hours", &names.hours_table)),
        domain.map(|domain| Made {
            key: "front.domain",
            what: "domain",
            name: domain.as_str().to_owned(),
            place: Place::World,
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Reports every name that an environment shares with the base or with an earlier environment.
pub(super) fn find(base: (&Manifest, &Table), others: &[(&Overlay, Manifest, Table)]) -> Vec<Diagnostic> {
    let mut earlier: Vec<(&Manifest, Made)> = made(base.0).into_iter().map(|made| (base.0, made)).collect();
    let mut diagnostics = Vec::new();
    for (overlay, manifest, _) in others {
        // What runs on this machine makes nothing.
        if overlay.name.as_str() == LOCAL {
            continue;
        }
        let own = made(manifest);
        for new in &own {
            let is_same = |other: &Manifest, old: &Made| {
                old.name == new.name
                    && new.place.is_shared(other, manifest)
                    && (old.key == new.key || new.what == "table" && old.what == "table")
            };
            if let Some((first, old)) = earlier.iter().find(|(other, old)| is_same(other, old)) {
                diagnostics.push(report(new, (old, &first.project.environment.to_string()), overlay, base.1));
            }
        }
        earlier.extend(own.into_iter().map(|made| (manifest, made)));
    }
    diagnostics
}

fn report(made: &Made, (old, first): (&Made, &str), overlay: &Overlay, base: &Table) -> Diagnostic {
    let Made { key, what, name, .. } = made;
    let second = &overlay.name;
    let message =
        format!("`{key}` makes the {what} `{name}` in the environments `{first}` and `{second}`: each needs its own");
    let (section, last) = key.rsplit_once('.').unwrap_or(("", key));
    let hint = match *what {
        "table" if !key.ends_with(".name") => format!("set `{}` of `{first}` to another name", old.key),
        "table" => format!("set `{last}` below `[env.{second}.{section}]`, or `create = false` to share the table"),
        _ => format!("set `{last}` below `[env.{second}.{section}]`"),
    };
    let span: Span = tree::find(&overlay.table, key)
        .or_else(|| tree::find(base, key))
        .map_or_else(|| overlay.key_span.clone(), |node| node.span.clone());
    Diagnostic::new("name-collision", reader::join(&format!("env.{second}"), key), message).hint(hint).at(span)
}
