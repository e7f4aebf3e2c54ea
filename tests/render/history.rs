//! Sums of old hours in what is rendered: a table that is not lost with a key, who may do what with it, and nothing of it without them.

use serde_json::json;

use super::plans::{artifacts, resources};
use super::terraform::Root;
use super::{Project, rendered, words};

#[test]
fn one_function_writes_and_reads_them_and_the_other_one_reads() {
    let project = rendered("[history]\nkeep = \"400d\"\n");
    for (role, actions) in [
        ("stream", "[\"dynamodb:BatchGetItem\", \"dynamodb:PutItem\", \"dynamodb:Query\"]"),
        ("dashboard", "[\"dynamodb:BatchGetItem\", \"dynamodb:Query\"]"),
    ] {
        let text = words(&project.read(&format!("generated/terraform/{role}.tf")));
        let statement = format!(
            "{{ Sid = \"History\" Effect = \"Allow\" Action = {actions} Resource = [aws_dynamodb_table.history.arn] }}"
        );
        assert!(text.contains(&statement), "{role}: {text}");
        assert!(text.contains("HISTORY_TABLE = \"sse-streaming-dev-history\""), "{role}: {text}");
        assert!(text.contains("HISTORY_KEEP = \"400d\""), "{role}: {text}");
    }
    assert!(
        project.read("frontend/config.js").contains("\"HISTORY_MS\": 34560000000"),
        "the page offers what there is"
    );
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let table = &resources(&plan, "")["aws_dynamodb_table.history"];
    assert_eq!(table["ttl"], json!([{ "attribute_name": "ttl", "enabled": true }]));
    assert_eq!((&table["hash_key"], &table["range_key"]), (&json!("PK"), &json!("SK")));
    assert_eq!(table["deletion_protection_enabled"], true, "nothing can make them again");
    assert_eq!(table["point_in_time_recovery"][0]["enabled"], true);
    assert_eq!(table["billing_mode"], "PAY_PER_REQUEST");
}

#[test]
fn without_them_there_is_no_table_and_no_right() {
    let project = rendered("");
    assert!(!project.read("frontend/config.js").contains("HISTORY_MS"));
    for role in ["stream", "dashboard"] {
        let text = words(&project.read(&format!("generated/terraform/{role}.tf")));
        assert!(text.contains("HISTORY_TABLE = \"-\"") && text.contains("HISTORY_KEEP = \"-\""), "{text}");
        assert!(!text.contains("\"History\""), "{text}");
    }
    assert!(!project.read("generated/terraform/tables.tf").contains("history"));
}

#[test]
fn their_table_has_the_key_and_the_protection_that_the_manifest_says() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let project = rendered(&format!(
        "[history]\nkeep = \"2d\"\npoint_in_time_recovery = false\ndeletion_protection = false\n[aws.kms]\ntables = \"{key}\"\n"
    ));
    let text = words(&project.read("generated/terraform/tables.tf"));
    let (_, table) = text.split_once("resource \"aws_dynamodb_table\" \"history\"").unwrap();
    for expected in ["deletion_protection_enabled = false", "point_in_time_recovery { enabled = false }", key] {
        assert!(table.contains(expected), "{table}");
    }
    for role in ["stream", "dashboard"] {
        assert!(project.read(&format!("generated/terraform/{role}.tf")).contains("DecryptTables"));
    }
}

#[test]
fn a_table_of_somebody_else_is_not_taken_for_them_and_a_window_has_an_hour_whole() {
    let project = Project::new("[history]\nkeep = \"30d\"\n[tables.users]\nname = \"sse-streaming-dev-history\"\n");
    let run = project.run(&["validate"]);
    assert!(run.stderr.contains("`tables.users.name` is `sse-streaming-dev-history`"), "{}", run.stderr);
    for (window, is_good) in [("2h", false), ("3h", true)] {
        let project = Project::new(&format!("[history]\nkeep = \"30d\"\n[data]\nwindow = \"{window}\"\n"));
        let run = project.run(&["validate"]);
        assert_eq!(run.stderr.contains("history-window-too-short"), !is_good, "{window}: {}", run.stderr);
    }
}

#[test]
fn they_are_priced() {
    let lines = |manifest: &str| {
        let run = Project::new(manifest).run(&["cost"]);
        run.stdout.lines().filter(|line| line.contains("sums")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(lines("").is_empty());
    let long = lines("[history]\nkeep = \"3660d\"\n");
    assert_eq!(long.len(), 3, "{long:?}");
    assert_eq!(lines("[history]\nkeep = \"3660d\"\npoint_in_time_recovery = false\n").len(), 2);
}
