//! Shared hours in what is rendered: a table of their own, who may do what with it, and that nothing of it is there without them.

use serde_json::json;

use super::plans::{artifacts, resources};
use super::terraform::Root;
use super::{Project, rendered, words};

#[test]
fn one_function_writes_and_reads_them_and_the_other_one_reads() {
    let project = rendered("[stream]\nshare_hours = true\n");
    for (role, actions) in [
        ("stream", "[\"dynamodb:BatchGetItem\", \"dynamodb:PutItem\", \"dynamodb:Query\"]"),
        ("dashboard", "[\"dynamodb:BatchGetItem\", \"dynamodb:Query\"]"),
    ] {
        let text = words(&project.read(&format!("generated/terraform/{role}.tf")));
        let statement = format!(
            "{{ Sid = \"SharedHours\" Effect = \"Allow\" Action = {actions} Resource = [aws_dynamodb_table.hours.arn] }}"
        );
        assert!(text.contains(&statement), "{role}: {text}");
        assert!(text.contains("HOURS_TABLE = \"sse-streaming-dev-hours\""), "{role}: {text}");
    }
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let table = &resources(&plan, "")["aws_dynamodb_table.hours"];
    assert_eq!(table["ttl"], json!([{ "attribute_name": "ttl", "enabled": true }]));
    assert_eq!((&table["hash_key"], &table["range_key"]), (&json!("PK"), &json!("SK")));
    assert_eq!(table["deletion_protection_enabled"], false, "it can go with the key");
    assert_eq!(table["point_in_time_recovery"][0]["enabled"], false);
    assert_eq!(table["billing_mode"], "PAY_PER_REQUEST");
}

#[test]
fn without_them_there_is_no_table_and_no_right() {
    let project = rendered("");
    for role in ["stream", "dashboard"] {
        let text = words(&project.read(&format!("generated/terraform/{role}.tf")));
        assert!(text.contains("HOURS_TABLE = \"-\""), "{text}");
        assert!(!text.contains("SharedHours"), "{text}");
    }
    assert!(!project.read("generated/terraform/stream.tf").contains("dynamodb:PutItem"), "it writes nothing at all");
    assert!(!project.read("generated/terraform/tables.tf").contains("hours"));
    assert!(!project.read("generated/terraform/outputs.tf").contains("hours"));
}

#[test]
fn a_table_of_somebody_else_is_not_taken_for_them() {
    let project = Project::new("[stream]\nshare_hours = true\n[tables.users]\nname = \"sse-streaming-dev-hours\"\n");
    let run = project.run(&["validate"]);
    assert!(run.stderr.contains("`tables.users.name` is `sse-streaming-dev-hours`"), "{}", run.stderr);
}
