//! The rendered `terraform test` suite: it passes on everything rendered, and fails where something else is there.

use std::collections::BTreeSet;

use super::terraform::{Root, runnable};
use super::{Project, fixture_names};

/// Where a page would be; Terraform uploads it behind CloudFront, and wants to see it for that.
pub(super) const PAGE: &str = "frontend/index.html";

/// Runs the suite of a project; returns whether it passed, and what it said.
pub(super) fn run(project: &Project, root: &str) -> (bool, String) {
    project.write(PAGE, "<!doctype html>\n");
    Root::new(project, root).run_pure(&["test", "-no-color"])
}

#[test]
fn every_rendering_passes_its_own_tests() {
    let names: Vec<String> = fixture_names("valid").into_iter().filter(|name| runnable(name)).collect();
    let mut seen = BTreeSet::new();
    let projects = names.iter().map(String::as_str).chain(["default"]).map(|name| (name, Project::rendered(name)));
    // Some manifests differ elsewhere only, and Terraform takes its time.
    let projects: Vec<_> = projects.filter(|(_, project)| seen.insert(root_files(project))).collect();
    std::thread::scope(|scope| {
        for (name, project) in &projects {
            scope.spawn(move || {
                let (is_passed, said) = run(project, "generated/terraform");
                assert!(is_passed, "{name}: {said}");
                assert!(!said.contains("Warning") && said.contains(" passed, 0 failed."), "{name}: {said}");
            });
        }
    });
    assert!(seen.len() >= 8, "{names:?}");
}

fn root_files(project: &Project) -> Vec<(String, Vec<u8>)> {
    project.files().into_iter().filter(|(path, _)| path.starts_with("generated/terraform/")).collect()
}

#[test]
fn what_was_changed_by_hand_fails_with_the_consequence() {
    let project = Project::rendered("default");
    let changes = [
        (
            "modules/lambda/url.tf",
            "= var.invoke_mode",
            "= \"BUFFERED\"",
            "The URL must answer as it was told, from the alias.",
        ),
        (
            "tables.tf",
            "deletion_protection_enabled = true",
            "deletion_protection_enabled = false",
            "Whether the table of items can be deleted is not what deploy.toml says.",
        ),
        ("alarms.tf", "module.stream.function_name", "\"other\"", "Nobody would hear that the stream function fails."),
    ];
    for (path, from, to, _) in changes {
        let path = format!("generated/terraform/{path}");
        let text = project.read(&path);
        assert!(text.contains(from), "{path}: {text}");
        project.write(&path, &text.replace(from, to));
    }
    let (is_passed, said) = run(&project, "generated/terraform");
    assert!(!is_passed, "{said}");
    for (_, _, _, sentence) in changes {
        assert!(said.contains(sentence), "no `{sentence}` in {said}");
    }
    assert!(said.contains("4 failed."), "{said}");
}
