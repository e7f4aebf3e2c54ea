//! How the sources are built: which file may use which.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::support::bins::workspace;
use imports::{Crate, Uses};

/// Every set of files of which each uses every other one, be it by way of others.
fn circles(uses: &Uses) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = uses.keys().map(|file| (file, reach(uses, file))).collect();
    let mut all = BTreeSet::new();
    for (file, those) in &reached {
        let circle: BTreeSet<String> =
            those.iter().filter(|other| reached[**other].contains(file)).map(|other| (*other).clone()).collect();
        if !circle.is_empty() {
            all.insert(circle);
        }
    }
    all.into_iter().collect()
}

/// Every file that this one uses, and those that they use, and so on: itself too, where one of them does.
fn reach<'u>(uses: &'u Uses, file: &String) -> BTreeSet<&'u String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(next) = open.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if seen.insert(used) {
                open.push(used);
            }
        }
    }
    seen
}

/// Fails with the files of each circle and what they use of each other.
fn assert_no_circle(crate_folder: &Path) {
    let uses = Crate::read(&crate_folder.join("src")).uses();
    assert!(uses.len() > 1, "{} has one file", crate_folder.display());
    let mut said = String::new();
    for circle in circles(&uses) {
        said.push_str("a circle:\n");
        for file in &circle {
            let others: Vec<&str> = uses[file].intersection(&circle).map(String::as_str).collect();
            said.push_str(&format!("  {file} uses {}\n", others.join(", ")));
        }
    }
    assert!(said.is_empty(), "files of {} use each other:\n{said}", crate_folder.display());
}

#[test]
fn no_file_of_contract_uses_one_that_uses_it() {
    assert_no_circle(&workspace().join("contract"));
}

#[test]
fn no_file_of_stream_core_uses_one_that_uses_it() {
    assert_no_circle(&workspace().join("stream_core"));
}

#[test]
fn no_file_of_infragen_uses_one_that_uses_it() {
    assert_no_circle(&workspace().join("infragen"));
}

#[test]
fn no_file_of_lambda_uses_one_that_uses_it() {
    assert_no_circle(&workspace().join("lambda"));
}

/// What decides cannot wait, ask or lock: its tree has nothing to do it with.
#[test]
fn stream_core_has_no_runtime_no_network_and_no_cloud_in_its_tree() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            "stream_core",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout);
    let packages: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains("contract") && packages.contains("sha2"), "{packages:?}");
    let runtimes =
        ["tokio", "axum", "hyper", "http", "lambda_http", "lambda_runtime", "utoipa", "tracing", "parking_lot"];
    for package in packages {
        let is_banned = package.starts_with("aws-") || runtimes.contains(&package);
        assert!(!is_banned, "{package} is in the tree of stream_core");
    }
}

/// What each file of a made-up crate uses: `NAME: a, b`.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let text = |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned());
    let line = |(file, used): (String, BTreeSet<String>)| {
        (!used.is_empty()).then(|| format!("{file}: {}", used.into_iter().collect::<Vec<_>>().join(", ")))
    };
    assert_eq!(Crate::of(text).uses().into_iter().filter_map(line).collect::<Vec<_>>(), expected);
}

#[test]
fn a_file_uses_what_it_names_however_it_does() {
    let lib = ("lib.rs", "mod a; mod b; mod c;");
    let (b, c) = (("b.rs", "pub fn f() {}"), ("c.rs", ""));
    for a in [
        "use crate::b::f;",
        "use super::b;",
        "use crate::{c::{}, b::{self, f as g}};",
        "fn g() { crate::b::f() }",
        "fn g() { super::b::f::<u8>(1) }",
        "macro_rules! m { () => { $crate::b::f() } }",
        "fn g() { use crate::b::*; }",
        "impl From<crate::b::T> for u8 {}",
    ] {
        check(&[lib, ("a.rs", a), b, c], &["a.rs: b.rs"]);
    }
    for a in [
        "// use crate::b::f;",
        "/// See [`crate::b::f`].\nfn g() { \"crate::b::f\"; }",
        "#[cfg(test)] mod tests { use crate::b::f; }",
        "#[cfg(test)] use crate::b;",
        "#[cfg(all(test, unix))] fn g() { crate::b::f() }",
        "use std::b::f; use serde::b;",
    ] {
        check(&[lib, ("a.rs", a), b, c], &[]);
    }
    // What comes after a test does count.
    check(&[lib, ("a.rs", "#[cfg(test)] mod tests { }\nuse crate::b::f;"), b, c], &["a.rs: b.rs"]);
}

#[test]
fn what_is_passed_on_is_used_where_it_is_defined() {
    let lib = ("lib.rs", "pub mod a; mod d; pub use d::{T, inner as other};");
    let d = ("d/mod.rs", "mod inner; mod more; pub use inner::T; pub(crate) use more::*;");
    let inner = ("d/inner.rs", "pub struct T;");
    let more = ("d/more.rs", "use super::T;");
    let passed_on = &["d/more.rs: d/inner.rs"][..];
    check(&[lib, ("a.rs", ""), d, inner, more], passed_on);
    for a in ["use crate::T;", "use crate::d::T;", "use crate::d; fn f() { d::T }", "fn f() { crate::other::x() }"] {
        // To name the module is to use its file.
        let expected = if a.starts_with("use crate::d;") { "a.rs: d/inner.rs, d/mod.rs" } else { "a.rs: d/inner.rs" };
        check(&[lib, ("a.rs", a), d, inner, more], &[expected, passed_on[0]]);
    }
    check(&[lib, ("a.rs", "use crate::d::U;"), d, inner, more], &["a.rs: d/more.rs", passed_on[0]]);
}

#[test]
fn a_circle_is_found_and_a_line_is_none() {
    let uses = |pairs: &[(&str, &[&str])]| -> Uses {
        pairs.iter().map(|(file, used)| ((*file).into(), used.iter().map(|name| (*name).into()).collect())).collect()
    };
    let check = |pairs: &[(&str, &[&str])], expected: &[&str]| {
        let found: Vec<String> =
            circles(&uses(pairs)).into_iter().map(|circle| Vec::from_iter(circle).join(" ")).collect();
        assert_eq!(found, expected, "{pairs:?}");
    };
    check(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])], &[]);
    check(&[("a", &["b"]), ("b", &["a"])], &["a b"]);
    check(&[("a", &["b"]), ("b", &["c"]), ("c", &["b", "d"]), ("d", &["e"]), ("e", &["d"])], &["b c", "d e"]);
    // A parent with something of its own that its children use must not use them.
    let parent =
        [("lib.rs", "mod p;"), ("p/mod.rs", "mod c; struct P; fn f() { c::g() }"), ("p/c.rs", "use super::P;")];
    let text = |name: &str| parent.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned());
    assert_eq!(circles(&Crate::of(text).uses()).len(), 1);
}
