//! A feature of somebody's own, made of one value and one template: it is rendered, survives, and whoever deploys it may.

#![allow(clippy::unwrap_used, reason = "outside of a module of tests clippy takes this for a program")]

use infragen::constructs::{Arns, Construct, File, StatementPlan};
use infragen::diagnostic::{Input, Source};
use infragen::load::{Loaded, load};
use infragen::render::{Rendering, Templates, render_more};
use infragen::write::{self, WriteMode};
use serde_json::{Value, json};

/// A queue of rows that came too late.
struct Queue {
    name: String,
    keeps_days: u32,
}

impl Construct for Queue {
    fn files(&self) -> Vec<File> {
        vec![File::main("queue")]
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let (read, write) =
            (["sqs:GetQueueAttributes"], ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"]);
        vec![StatementPlan::new("Queue", "The queue of late rows.", &read, &write).on([arns.arn("sqs", &self.name)])]
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        vec![("queue", json!({ "name": self.name, "retention_secs": self.keeps_days * 86_400 }))]
    }
}

const TEMPLATE: &str = "resource \"aws_sqs_queue\" \"late\" {\n  name = \"{{ queue.name }}\"\n  \
                        message_retention_seconds = {{ queue.retention_secs }}\n  tags = { base = \"{{ names.base }}\" }\n}\n";
const CI: &str = "[ci]\nprovider = \"github\"\nrepository = \"example/live\"\n[terraform.backend]\nkind = \"s3\"\n\
                  bucket = \"state-of-example\"\n";

fn loaded() -> Loaded {
    load(&Input::new(Source { name: "deploy.toml".into(), text: CI.into() }), None).unwrap()
}

fn rendered(more: &[&dyn Construct]) -> Rendering {
    let mut templates = Templates::embedded();
    templates.add("terraform/queue.tf", TEMPLATE.to_owned());
    render_more(&loaded(), &templates.engine().unwrap(), more).unwrap()
}

fn text<'r>(rendering: &'r Rendering, path: &str) -> &'r str {
    &rendering.artifacts.iter().find(|artifact| artifact.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn a_construct_of_ones_own_brings_its_file_and_its_rights_and_changes_nothing_else() {
    let queue = Queue { name: "late \"rows\" ${x}".into(), keeps_days: 4 };
    let (without, with) = (rendered(&[]), rendered(&[&queue]));
    let own = text(&with, "generated/terraform/queue.tf");
    for line in [
        r#"name                      = "late \"rows\" $${x}""#,
        "message_retention_seconds = 345600",
        r#"tags                      = { base = "sse-streaming-dev" }"#,
    ] {
        assert!(own.contains(line), "{own}");
    }
    let roles = text(&with, "generated/bootstrap/ci.tf");
    assert_eq!(roles.matches("\"sqs:CreateQueue\"").count(), 1, "only whoever deploys: {roles}");
    assert_eq!(roles.matches("\"sqs:GetQueueAttributes\"").count(), 2, "{roles}");
    assert_eq!(roles.matches(":sqs:us-east-1:*:late").count(), 2, "{roles}");
    let different: Vec<&str> = with
        .artifacts
        .iter()
        .filter(|artifact| !without.artifacts.contains(artifact))
        .map(|artifact| artifact.path.as_str())
        .collect();
    assert_eq!(different, ["generated/bootstrap/ci.tf", "generated/terraform/queue.tf"]);
    assert_eq!(with.artifacts.len(), without.artifacts.len() + 1);
}

#[test]
fn what_a_construct_brought_is_written_kept_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue { name: "late".into(), keeps_days: 1 };
    write::write(folder.path(), &rendered(&[&queue]), WriteMode::Write).unwrap();
    let again = write::write(folder.path(), &rendered(&[&queue]), WriteMode::Compare).unwrap();
    assert!(again.changes.is_empty() && again.own.is_empty(), "{again:?}");
    let without = write::write(folder.path(), &rendered(&[]), WriteMode::Write).unwrap();
    assert!(without.changes.contains(&("generated/terraform/queue.tf".into(), write::Change::Remove)), "{without:?}");
}
