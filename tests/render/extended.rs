//! A generator with a feature of somebody's own, the example `queue` of the crate, up to what Terraform plans.

use std::process::Command;

use serde_json::json;

use super::Project;
use super::plans::{artifacts, resources};
use super::terraform::Root;
use crate::support::bins;

#[test]
fn a_construct_of_ones_own_reaches_the_plan() {
    let project = Project::new("[stream]\npackage = \"zip\"\n");
    project.run(&["render"]).done();
    let before = project.names();
    let extended = bins::path("examples/queue");
    let run = Command::new(extended).arg(project.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let added: Vec<String> = project.names().into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(added, ["generated/terraform/queue.tf"]);

    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let queue = &resources(&plan, "")["aws_sqs_queue.late"];
    assert_eq!((&queue["name"], &queue["message_retention_seconds"]), (&json!("late-rows"), &json!(345_600)));
    // Its own tag, and those of everything.
    let tags = json!({
        "base": "sse-streaming-dev", "project": "sse-streaming", "environment": "dev", "managed-by": "infragen",
    });
    assert_eq!(queue["tags_all"], tags);

    // The usual generator does not know it, and takes its own file away.
    project.run(&["render"]).done();
    assert_eq!(project.names().iter().filter(|name| name.ends_with("queue.tf")).count(), 0);
}
