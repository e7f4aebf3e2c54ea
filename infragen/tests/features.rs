//! docs/features.md: what each feature brings, as its construct says. `UPDATE=1` writes it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test from the outside, which reads fixtures")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use infragen::constructs::{Arns, Root, constructs};
use infragen::cost::Prices;
use infragen::diagnostic::{Input, Source};
use infragen::load::load;
use infragen::plan::plan;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What one feature brings, whatever the manifest says of it.
#[derive(Default)]
struct Feature {
    summary: &'static str,
    files: BTreeSet<String>,
    items: BTreeSet<&'static str>,
    /// Actions of each statement, with what it is for.
    statements: BTreeMap<&'static str, (&'static str, BTreeSet<&'static str>)>,
}

/// Every feature that a valid manifest of the fixtures asks for, in the order in which a plan has them.
fn features() -> Vec<(&'static str, Feature)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(workspace().join("tests/fixtures/manifests/valid"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let (mut order, mut found) = (Vec::<&'static str>::new(), BTreeMap::<&'static str, Feature>::new());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = load(&Input::new(Source { name: "deploy.toml".into(), text }), None).unwrap();
        let (plan, prices) = (plan(&loaded), Prices::embedded());
        let mut after = 0;
        for construct in constructs(&plan) {
            let name = construct.name();
            // One that is met for the first time stands behind the one before it.
            after = order.iter().position(|one| *one == name).unwrap_or_else(|| {
                order.insert(after, name);
                after
            }) + 1;
            let feature = found.entry(name).or_default();
            feature.summary = construct.summary();
            feature.files.extend(construct.files().into_iter().map(|file| match file.root {
                Root::Bootstrap => format!("bootstrap/{}", file.name),
                Root::Main => file.name,
            }));
            feature.items.extend(construct.charges(prices).iter().map(|charge| charge.item));
            for statement in construct.statements(&Arns::of(&plan)) {
                let entry = feature.statements.entry(statement.sid).or_insert((statement.comment, BTreeSet::new()));
                entry.1.extend(statement.all);
            }
        }
    }
    order.into_iter().map(|name| (name, found.remove(name).unwrap())).collect()
}

fn listed<'t>(texts: impl IntoIterator<Item = &'t str>, mark: &str) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| format!("{mark}{text}{mark}")).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn page() -> String {
    let mut page = "# Features\n\nWhat each feature of a deployment brings: files of the rendered roots, what it is billed for beside \
                    what its streams take ([cost.md](cost.md)), and what\nwhoever deploys it must be allowed to do. Each is one value of \
                    `infragen/src/constructs`, from which rendering, cost, the roles of the workflow\nand this page follow; \
                    `infragen/examples/queue` adds one. What the functions themselves may do is in [security.md](security.md).\n"
        .to_owned();
    for (name, feature) in features() {
        write!(page, "\n## {}{}\n\n{}\n\n", name[..1].to_uppercase(), &name[1..], feature.summary).unwrap();
        writeln!(page, "- files: {}", listed(feature.files.iter().map(String::as_str), "`")).unwrap();
        writeln!(page, "- billed: {}", listed(feature.items.iter().copied(), "")).unwrap();
        if feature.statements.is_empty() {
            continue;
        }
        page.push_str("\n| statement | what for | actions |\n|---|---|---|\n");
        for (sid, (comment, actions)) in &feature.statements {
            writeln!(page, "| `{sid}` | {comment} | {} |", listed(actions.iter().copied(), "`")).unwrap();
        }
    }
    page
}

#[test]
fn the_page_is_what_the_constructs_say() {
    let (path, found) = (workspace().join("docs/features.md"), page());
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, &found).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == found, "docs/features.md is stale: run `UPDATE=1 cargo test -p infragen --test features`");
}

#[test]
fn every_feature_says_what_it_is() {
    let features = features();
    let names: Vec<&str> = features.iter().map(|(name, _)| *name).collect();
    assert!(names.len() >= 9, "a construct that no fixture asks for is described nowhere: {names:?}");
    for (name, feature) in features {
        assert!(feature.summary.len() > 30 && feature.summary.ends_with('.'), "{name}: {}", feature.summary);
        assert!(
            feature.statements.values().all(|(comment, actions)| !comment.is_empty() && !actions.is_empty()),
            "{name}"
        );
    }
}
