//! What is rendered for providers newer than the one that is here: parsed, and compared with what was read and stored.
//!
//! Nobody ran these files. A change shows as a difference of `tests/fixtures/rendered`, to be read like code: `UPDATE=1`
//! stores what is found.

use std::fmt::Write as _;

use super::terraform::runnable;
use super::{Project, fixture_names, is_updating, workspace};

/// Every Terraform file that is not the same in the default rendering, one after the other.
fn differing(project: &Project, default: &Project) -> String {
    let default = default.files();
    let mut text = String::new();
    for file in project.files() {
        let (path, bytes) = &file;
        if (path.ends_with(".tf") || path.ends_with(".hcl")) && !default.contains(&file) {
            let file = String::from_utf8(bytes.clone()).unwrap();
            hcl_edit::parser::parse_body(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
            write!(text, "=== {path}\n{file}").unwrap();
        }
    }
    text
}

#[test]
fn what_nobody_can_run_here_is_what_was_read_before() {
    let default = Project::rendered("default");
    let names: Vec<String> = fixture_names("valid").into_iter().filter(|name| !runnable(name)).collect();
    assert!(names.len() >= 3, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let found = differing(&Project::rendered(&name), &default);
        assert!(found.contains("=== generated/terraform/versions.tf\n"), "{name}: {found}");
        let path = workspace().join("tests/fixtures/rendered").join(format!("{name}.txt"));
        if is_updating() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &found).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(name);
        }
    }
    assert!(
        wrong.is_empty(),
        "rendered otherwise than stored: {wrong:?}; `UPDATE=1` stores it, then read the difference"
    );
}

#[test]
fn a_manifest_begun_for_one_major_version_is_the_usual_one_but_for_that() {
    let begun = |arguments: &[&str]| {
        let project = Project::empty();
        project.run(&[&["init"], arguments].concat()).done();
        project.run(&["render"]).done();
        let is_stack = project
            .read("generated/terraform/modules/lambda/function_permission.tf")
            .contains("resource \"aws_cloudformation_stack\"");
        let versions = project.read("generated/terraform/versions.tf");
        let allowed = versions.lines().rfind(|line| line.trim_start().starts_with("version ")).unwrap();
        (project.read("deploy.toml"), is_stack, allowed.split('"').nth(1).unwrap().to_owned())
    };
    let usual = begun(&[]);
    assert_eq!((usual.1, usual.2.as_str()), (true, ">= 5.100.0, < 7.0.0"));
    for (major, has_stack, allowed) in [("5", true, ">= 5.100.0, < 6.0.0"), ("6", false, ">= 6.28.0, < 7.0.0")] {
        let found = begun(&["--provider", major]);
        assert_eq!((found.1, found.2.as_str()), (has_stack, allowed), "{major}");
        assert_eq!(found.0, usual.0.replacen(&usual.2, allowed, 1), "{major}");
    }
}

#[test]
fn a_newer_provider_gets_the_arguments_that_it_wants() {
    let read = |fixture: &str, path: &str| Project::rendered(fixture).read(&format!("generated/terraform/{path}"));
    let index = |fixture: &str| {
        let text = read(fixture, "tables.tf");
        let start = text.find("global_secondary_index {").unwrap();
        text[start..start + text[start..].find("\n  }\n").unwrap()].to_owned()
    };
    assert!(index("newest_provider").contains("key_schema {") && !index("newest_provider").contains("hash_key"));
    for older in ["default", "newer_provider"] {
        assert!(!index(older).contains("key_schema") && index(older).contains("hash_key "), "{}", index(older));
    }
}
