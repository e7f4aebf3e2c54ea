//! Goodbyes in what is rendered: who may do what with which rows, that these expire, and how the page is told.

use serde_json::{Value, json};

use super::plans::{artifacts, resources};
use super::terraform::Root;
use super::{Project, rendered, words};

fn users_table(project: &Project) -> Value {
    let plan = Root::new(project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    resources(&plan, "")["aws_dynamodb_table.users"].clone()
}

#[test]
fn each_function_may_do_one_thing_with_rows_of_streams_alone() {
    let project = rendered("[stream]\ngoodbye = true\n");
    for (role, action) in [("stream", "BatchGetItem"), ("dashboard", "PutItem")] {
        let text = words(&project.read(&format!("generated/terraform/{role}.tf")));
        let statement = format!(
            "{{ Sid = \"Goodbyes\" Effect = \"Allow\" Action = [\"dynamodb:{action}\"] \
             Resource = [aws_dynamodb_table.users.arn] Condition = {{ \
             \"ForAllValues:StringLike\" = {{ \"dynamodb:LeadingKeys\" = [\"STREAM#*\"] }} \
             # Without keys the line above would hold for any row. \
             Null = {{ \"dynamodb:LeadingKeys\" = \"false\" }} }} }}"
        );
        assert!(text.contains(&statement), "{role}: {text}");
        assert!(text.contains("SSE_GOODBYE = \"true\""), "{role}: {text}");
    }
    assert_eq!(users_table(&project)["ttl"], json!([{ "attribute_name": "ttl", "enabled": true }]));
    assert!(project.read("frontend/config.js").contains("\"GOODBYE\": \"beacon\""));
}

#[test]
fn without_them_nothing_of_it_is_there() {
    let project = rendered("");
    for role in ["stream", "dashboard"] {
        let text = project.read(&format!("generated/terraform/{role}.tf"));
        assert!(!text.contains("Goodbyes") && !text.contains("LeadingKeys"), "{text}");
    }
    assert!(users_table(&project)["ttl"].is_null());
    assert!(!project.read("frontend/config.js").contains("GOODBYE"));
}

#[test]
fn behind_cloudfront_the_page_signs_and_viewers_are_counted_by_what_cloudfront_says() {
    let project = Project::new("[front]\nkind = \"cloudfront\"\n[stream]\ngoodbye = true\n").with_page();
    project.run(&["render"]).done();
    assert!(project.read("frontend/config.js").contains("\"GOODBYE\": \"signed\""));
    let stream = words(&project.read("generated/terraform/stream.tf"));
    assert!(stream.contains("SSE_CLIENT_ADDRESS = \"cloudfront\""), "{stream}");
    let direct = words(&rendered("").read("generated/terraform/stream.tf"));
    assert!(direct.contains("SSE_CLIENT_ADDRESS = \"connection\""), "{direct}");
    // The header that is counted by comes with every behaviour's policy, which CloudFront manages: all that a viewer
    // sends but Host, and CloudFront's own.
    let front = words(&project.read("generated/terraform/front.tf"));
    assert!(front.contains("all_viewer_except_host = \"b689b0a8-53d0-40ab-baf2-68738e2966ac\""), "{front}");
}
