//! Follows hints to the letter: what a hint says mends the mistake that it is at, and makes no other one.
#![allow(clippy::disallowed_methods, reason = "tests are shell: they read the disk")]
#![allow(clippy::unwrap_used, reason = "outside of a module of tests clippy takes this for a program")]

use std::collections::BTreeSet;

use infragen::diagnostic::{Diagnostic, Input, Layer, Source};
use infragen::load::{LoadError, load_all};

/// Values that only a person knows, where a hint names the key alone.
const KNOWN: [(&str, &str); 6] = [
    ("auth.audience", "\"live\""),
    ("auth.issuer", "\"https://login.example.com\""),
    ("front.viewer_function_arn", "\"arn:aws:cloudfront::123456789012:function/viewer\""),
    ("operations.email", "\"team@example.com\""),
    ("package.repository", "\"live\""),
    ("stream.vpc.security_groups", "[\"sg-0123456789abcdef0\"]"),
];

/// A key and its new value; none where it goes.
type Step = (String, Option<toml::Value>);

fn found(text: &str) -> Vec<Diagnostic> {
    let source = Source { name: "deploy.toml".into(), text: text.into() };
    match load_all(&Input::new(source)) {
        Err(LoadError::Invalid(diagnostics)) => diagnostics,
        Err(other) => panic!("{other:?}"),
        Ok(_) => Vec::new(),
    }
}

/// What is wrong, without the words.
fn places(found: &[Diagnostic]) -> BTreeSet<(&'static str, String)> {
    found.iter().map(|one| (one.code, one.key.clone())).collect()
}

fn value(text: &str) -> toml::Value {
    let parsed: Option<toml::Table> = toml::from_str(&format!("x = {text}")).ok();
    parsed.and_then(|table| table.get("x").cloned()).unwrap_or_else(|| text.into())
}

/// The ways out that a hint names, each with all that it asks for; those that it leaves to a person are left out.
fn ways(diagnostic: &Diagnostic) -> Vec<Vec<Step>> {
    let hint = diagnostic.hint.as_deref().unwrap_or_default();
    let ways = hint.split("; or ").flat_map(|part| part.split(", or ")).filter_map(|way| steps(diagnostic, way));
    ways.filter(|steps| !steps.is_empty()).collect()
}

/// What one way out asks for; none where a part of it is left to a person.
fn steps(diagnostic: &Diagnostic, way: &str) -> Option<Vec<Step>> {
    let table = diagnostic.key.rsplit_once('.').map_or("", |(table, _)| table);
    let parts: Vec<&str> = way.split('`').collect();
    let (mut steps, mut lines): (Vec<Step>, Vec<(&str, &str)>) = (Vec::new(), Vec::new());
    let put = |lines: &mut Vec<(&str, &str)>, table: &str, steps: &mut Vec<Step>| {
        steps.extend(lines.drain(..).map(|(key, text)| (format!("{table}.{key}"), Some(value(text)))));
    };
    let is_own = way.starts_with("remove it");
    steps.extend(is_own.then(|| (diagnostic.key.clone(), None)));
    let mut at = 1;
    while at < parts.len() {
        let (before, code, after) = (parts[at - 1], parts[at], parts.get(at + 1).copied().unwrap_or_default());
        if let Some(table) = code.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            put(&mut lines, table, &mut steps);
        } else if let Some((key, text)) = code.split_once(" = ") {
            // A part of a list, or what only a person knows.
            if code.starts_with('{') || text.contains('…') {
                return None;
            }
            lines.push((key, text));
        } else if before.ends_with("remove ") {
            steps.push((code.to_owned(), None));
        } else if before.ends_with("set ") && after == " to " {
            steps.push((code.to_owned(), Some(value(parts[at + 2]))));
            at += 2;
        } else if ["set ", "fill ", " and ", " and a "].iter().any(|word| before.ends_with(word)) {
            let (_, text) = KNOWN.iter().find(|(key, _)| *key == code)?;
            steps.push((code.to_owned(), Some(value(text))));
        } else if before.ends_with("write ") || before.ends_with("set it to ") {
            steps.push((diagnostic.key.clone(), Some(value(code))));
        } else if before.ends_with("did you mean ") && diagnostic.code == "unknown-word" {
            steps.push((diagnostic.key.clone(), Some(code.into())));
        }
        at += 2;
    }
    put(&mut lines, table, &mut steps);
    Some(steps)
}

/// Changes a manifest as a way out says.
fn follow(manifest: &mut toml::Table, steps: &[Step], prefix: &str) {
    for (path, value) in steps {
        let full = format!("{prefix}{path}");
        let (above, key) = full.rsplit_once('.').unwrap();
        let mut table = &mut *manifest;
        for name in above.split('.') {
            let entry = table.entry(name).or_insert_with(|| toml::Table::new().into());
            let Some(inner) = entry.as_table_mut() else { return };
            table = inner;
        }
        match value {
            Some(value) => drop(table.insert(key.to_owned(), value.clone())),
            None => drop(table.remove(key)),
        }
    }
}

/// Follows every way out of every mistake of a manifest; returns how many there are, and those that lead to a mistake.
fn check(name: &str, text: &str) -> (usize, Vec<String>) {
    let Ok(manifest) = toml::from_str::<toml::Table>(text) else { return (0, Vec::new()) };
    let before = found(text);
    let known = places(&before);
    let (mut count, mut wrong) = (0, Vec::new());
    for diagnostic in &before {
        let layer = diagnostic.span.as_ref().map_or(Layer::Base, |span| span.layer);
        let environment = diagnostic.environment.as_ref().filter(|_| layer == Layer::Environment);
        let prefix = environment.map_or_else(String::new, |name| format!("env.{name}."));
        for steps in ways(diagnostic).into_iter().filter(|steps| steps.iter().all(|(path, _)| path.contains('.'))) {
            let mut manifest = manifest.clone();
            follow(&mut manifest, &steps, &prefix);
            let after = found(&toml::to_string(&manifest).unwrap());
            let left = places(&after);
            count += 1;
            let is_there = left.contains(&(diagnostic.code, diagnostic.key.clone()));
            if is_there || !left.is_subset(&known) {
                let said: Vec<&str> = after.iter().map(|one| one.message.as_str()).collect();
                let (message, hint) = (&diagnostic.message, &diagnostic.hint);
                wrong.push(format!("{name}: {message}\n  hint {hint:?}\n  did {steps:?}\n  then {said:?}"));
            }
        }
    }
    (count, wrong)
}

/// Manifests whose mistakes are between keys of several tables, or in the key that is not under the caret.
const MANIFESTS: [&str; 22] = [
    "[dashboard]\ntimeout = \"1500ms\"\n",
    "[dashboard]\ntimeout = \"20 sec\"\n",
    "[stream]\nmax_connections = 5\n",
    "[stream]\nmax_connections = 50\ncompute = \"managed-instances\"\nmemory = \"4 GiB\"\n[stream.instances]\nconcurrency = 60\n\
     [stream.vpc]\nsubnets = [\"subnet-0123456789abcdef0\"]\nsecurity_groups = [\"sg-0123456789abcdef0\"]\n\
     [terraform]\naws_provider = \">= 6.24.0, < 7.0.0\"\n",
    "[stream]\nmax_connections = 20\ncompute = \"managed-instances\"\n[stream.vpc]\nsubnets = [\"subnet-0123456789abcdef0\"]\n\
     security_groups = [\"sg-0123456789abcdef0\"]\n[terraform]\naws_provider = \">= 6.24.0, < 7.0.0\"\n",
    "[front]\nread_timeout = \"5s\"\n",
    "[stream.vpc]\nsubnets = [\"subnet-0123456789abcdef0\"]\nsecurity_groups = [\"sg-0123456789abcdef0\"]\n",
    "[stream.vpc]\nsubnets = [\"subnet-0123456789abcdef0\"]\n",
    "[auth]\nmode = \"trusted-header\"\n",
    "[auth]\nmode = \"trusted-header\"\n[front]\nkind = \"cloudfront\"\n",
    "[auth]\nissuer = \"https://login.example.com\"\n",
    "[front.api]\nprivate = true\nvpc_endpoints = [\"vpce-0123456789abcdef0\"]\n",
    "[front]\nrate_limit = 1000\n",
    "[stream]\npackage = \"zip\"\nadapter = \"web-adapter\"\n",
    "[stream.image]\nuri = \"123456789012.dkr.ecr.us-east-1.amazonaws.com/live@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n\
     [stream]\npackage = \"zip\"\n",
    "[dashboard]\npackage = \"zip\"\n[dashboard.image]\nuri = \"123456789012.dkr.ecr.us-east-1.amazonaws.com/live@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n",
    "[operations]\nalarms = \"1\"\n",
    "[operations]\nalarms = 0\n",
    "[operations]\nalarms = \"true\"\n",
    "[stream]\nmax_connections = \"50\"\nconnections_per_client = \"99999999\"\n",
    "[stream]\npoll_interval = \"200ms\"\n",
    "[terraform.backend]\nbucket = \"state-of-live\"\n",
];

#[test]
fn what_a_hint_says_mends_its_mistake_and_makes_no_other() {
    let (mut count, mut wrong) = (0, Vec::new());
    let mut all: Vec<(String, String)> = MANIFESTS.map(|text| (format!("{text:?}"), text.to_owned())).into();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/manifests/invalid");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml")
            && let Ok(text) = std::fs::read_to_string(&path)
            // Of many mistakes each hides others.
            && found(&text).len() == 1
        {
            all.push((path.file_name().unwrap().display().to_string(), text));
        }
    }
    all.sort();
    for (name, text) in &all {
        assert!(!found(text).is_empty(), "{name} is valid");
        let (followed, others) = check(name, text);
        // Of those above each says what to do.
        assert!(followed > 0 || name.ends_with(".toml"), "{name}: {:?}", found(text));
        count += followed;
        wrong.extend(others);
    }
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 50, "{count}");
}

#[test]
fn what_would_be_wrong_without_quotes_is_not_to_be_written_without_them() {
    for text in ["max_connections = \"true\"", "max_connections = \"99999999\"", "goodbye = \"2\"", "goodbye = \"\""] {
        let found = found(&format!("[stream]\n{text}\n"));
        assert!(found.len() == 1 && found[0].hint.is_none(), "{found:?}");
    }
}

#[test]
fn a_part_of_a_second_is_not_what_to_write_where_only_whole_ones_are_taken() {
    let found = found("[dashboard]\ntimeout = \"1.5s\"\n");
    let hints: Vec<Option<&str>> = found.iter().map(|one| one.hint.as_deref()).collect();
    assert_eq!(hints, [Some("write a duration in whole seconds from 1s to 15m")]);
}
