//! Users in what is rendered: whose rows the dashboard function may touch, and where it tells pages to find the stream.

use super::{Project, words};

/// A Terraform file of what a manifest renders to.
fn rendered(manifest: &str, file: &str) -> String {
    let project = Project::new(manifest).with_page();
    project.run(&["render"]).done();
    words(&project.read(&format!("generated/terraform/{file}.tf")))
}

const SESSION: &str = "[auth]\nmode = \"session\"\n";

#[test]
fn the_dashboard_function_may_change_rows_of_users_alone_and_only_where_there_are_users() {
    let statement = "{ Sid = \"Configurations\" Effect = \"Allow\" Action = [ \"dynamodb:DeleteItem\", \"dynamodb:GetItem\", \
         \"dynamodb:PutItem\", \"dynamodb:Query\", \"dynamodb:UpdateItem\", ] \
         Resource = [aws_dynamodb_table.users.arn] Condition = { \
         \"ForAllValues:StringLike\" = { \"dynamodb:LeadingKeys\" = [\"USER#*\"] } \
         # Without keys the line above would hold for any row. \
         Null = { \"dynamodb:LeadingKeys\" = \"false\" } } }";
    let dashboard = rendered(SESSION, "dashboard");
    assert!(dashboard.contains(statement), "{dashboard}");
    // The stream function looks at one configuration, of one user, where there are any.
    let stream = rendered(SESSION, "stream");
    let (_, users) = stream.split_once("\"Configurations\"").unwrap();
    assert!(users.contains("[\"dynamodb:GetItem\"]") && users.contains("LeadingKeys\" = [\"USER#*\"]"), "{stream}");
    assert!(
        !rendered("", "stream").contains("dynamodb_table.users"),
        "nobody is identified, so that nobody has anything"
    );
    let none = rendered("", "dashboard");
    assert!(!none.contains("aws_dynamodb_table.users"), "{none}");
}

#[test]
fn pages_are_told_where_the_stream_is() {
    let url = |manifest: &str| {
        let text = rendered(manifest, "dashboard");
        text.split_once("SSE_URL = ").unwrap().1.split(' ').next().unwrap().to_owned()
    };
    let live = rendered("", "dashboard");
    assert!(live.contains("SSE_URL = trimsuffix(module.stream.url, \"/\")"), "{live}");
    assert_eq!(url("[front]\nkind = \"cloudfront\"\n"), "\"-\"");
    assert_eq!(url("[page]\nsse_base_url = \"https://live.example.com\"\n"), "\"https://live.example.com\"");
    let behind = rendered("[front]\nkind = \"cloudfront\"\n", "dashboard");
    assert!(behind.contains("SSE_CLIENT_ADDRESS = \"cloudfront\""), "{behind}");
}

#[test]
fn the_page_knows_how_users_prove_who_they_are_and_whether_requests_are_signed() {
    for (manifest, expected) in [
        ("", ["\"AUTH_MODE\": \"off\"", "\"SIGNED_REQUESTS\": false", "\"POLL_INTERVAL_MS\": 5000"]),
        (
            "[auth]\nmode = \"session\"\n[front]\nkind = \"cloudfront\"\n[stream]\npoll_interval = \"200ms\"\nallow_fast_poll = true\n",
            ["\"AUTH_MODE\": \"session\"", "\"SIGNED_REQUESTS\": true", "\"POLL_INTERVAL_MS\": 1000"],
        ),
    ] {
        let project = Project::new(manifest).with_page();
        project.run(&["render"]).done();
        let config = project.read("frontend/config.js");
        for line in expected {
            assert!(config.contains(line), "{line} in {config}");
        }
    }
    let project = Project::new("[auth]\nmode = \"session\"\nprivate = true\n").with_page();
    project.run(&["render"]).done();
    let config = project.read("frontend/config.js");
    assert!(config.contains("\"AUTH_PRIVATE\": true"), "{config}");
    let project = Project::new("");
    project.run(&["--env", "local", "render"]).done();
    let local = project.read("generated/local/functions.env");
    // On this machine users cost nothing.
    assert!(local.contains("AUTH_MODE=session\n") && !local.contains("SSE_URL"), "{local}");
}
