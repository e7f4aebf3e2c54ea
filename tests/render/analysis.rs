//! What a static analyser finds in the rendered Terraform: nothing, or an exception that says its reason beside it.

use std::process::Command;

use serde_json::Value;

use super::Project;
use crate::support::external::{python, tool};

/// Analyses everything in a folder, offline.
fn analyse(project: &Project) -> Value {
    let mut checkov = Command::new(python());
    checkov.args(["-m", "checkov.main", "--directory", ".", "--framework", "terraform", "--output", "json"]);
    checkov.args(["--quiet", "--skip-download"]).current_dir(project.path());
    checkov.env("PYTHONPATH", tool("TOOLS_CHECKOV", ".tools/checkov"));
    let output = checkov.output().unwrap();
    // Exit code 1 means that it found something.
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Manifests that together have every resource that can be rendered.
const MANIFESTS: [&str; 12] = [
    "ci",
    "cloudfront",
    "cloudfront_domain",
    "company",
    "company_role",
    "default",
    "existing",
    "existing_tables",
    "images",
    "managed_instances",
    "newest_provider",
    "operations",
];

/// One run for all, because starting takes longer than analysing.
#[test]
fn every_finding_is_fixed_or_excused_with_a_reason() {
    let all = Project::new("");
    for name in MANIFESTS {
        for (path, bytes) in Project::rendered(name).files() {
            all.write_bytes(&format!("{name}/{path}"), &bytes);
        }
    }
    let report = analyse(&all);
    let failed: Vec<String> = report["results"]["failed_checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            format!("{} {} {} {}", check["check_id"], check["check_name"], check["file_path"], check["resource"])
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let passed = report["summary"]["passed"].as_u64().unwrap();
    assert!(passed > 300, "it looked at next to nothing: {}", report["summary"]);
    // Without a reason it would not be an exception but a silence.
    for (path, bytes) in all.files() {
        for line in String::from_utf8(bytes).unwrap().lines().filter(|line| line.contains("checkov:skip=")) {
            let reason = line.split_once("checkov:skip=").and_then(|(_, rest)| rest.split_once(':'));
            assert!(reason.is_some_and(|(_, reason)| reason.len() > 20), "{path}: {line}");
        }
    }
}

#[test]
fn a_finding_without_an_exception_is_reported() {
    let project = Project::new("");
    project.write("main.tf", "resource \"aws_s3_bucket_public_access_block\" \"open\" {\n  bucket = \"open\"\n}\n");
    let report = analyse(&project);
    assert!(report["summary"]["failed"].as_u64().unwrap() > 0, "{report:#}");
}
