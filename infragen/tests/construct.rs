//! A feature of somebody's own, made of one value and one template: it is rendered, survives, and whoever deploys it may.

#![allow(clippy::unwrap_used, reason = "outside of a module of tests clippy takes this for a program")]

#[path = "../examples/queue/queue.rs"]
mod queue;

use std::collections::BTreeMap;

use infragen::constructs::{Construct, charges};
use infragen::cost::{Assumptions, Estimate, Prices, Setup, estimate};
use infragen::diagnostic::{Input, Source};
use infragen::load::{Loaded, load};
use infragen::plan::plan;
use infragen::render::{Rendering, Templates, render_more};
use infragen::write::{self, WriteMode};

use queue::{Queue, TEMPLATE};

const CI: &str = "[ci]\nprovider = \"github\"\nrepository = \"example/live\"\n[terraform.backend]\nkind = \"s3\"\n\
                  bucket = \"state-of-example\"\n";

fn loaded() -> Loaded {
    load(&Input::new(Source { name: "deploy.toml".into(), text: CI.into() }), None).unwrap()
}

fn rendered(more: &[&dyn Construct]) -> Rendering {
    let mut templates = Templates::embedded();
    templates.add(TEMPLATE.0, TEMPLATE.1.to_owned());
    render_more(&loaded(), &templates.engine().unwrap(), more).unwrap()
}

fn text<'r>(rendering: &'r Rendering, path: &str) -> &'r str {
    &rendering.artifacts.iter().find(|artifact| artifact.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn a_construct_of_ones_own_brings_its_file_its_rights_and_its_cost_and_changes_nothing_else() {
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
    // What a month costs is an output, and a queue costs something.
    let expected = ["generated/bootstrap/ci.tf", "generated/terraform/outputs.tf", "generated/terraform/queue.tf"];
    assert_eq!(different, expected);
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

fn month(more: &[&dyn Construct]) -> Estimate {
    let (loaded, prices) = (loaded(), Prices::embedded());
    let mut charges = charges(&plan(&loaded), prices);
    charges.extend(more.iter().flat_map(|construct| construct.charges(prices)));
    let assumptions =
        Assumptions { viewers: 20, hours_per_day: 8, items_per_day: 10_000, visit: Assumptions::VISIT_DEFAULT };
    estimate(&Setup::of(&loaded.manifest, charges), prices, &assumptions, false)
}

#[test]
fn what_a_construct_is_billed_for_is_in_the_month_and_in_what_one_more_viewer_costs() {
    let (without, with) = (month(&[]), month(&[&Queue { name: "late".into(), keeps_days: 1 }]));
    let of = |estimate: &Estimate| -> BTreeMap<&str, f64> {
        estimate.lines.iter().map(|line| (line.item, line.dollars)).collect()
    };
    let mut expected = of(&without);
    // Two requests for each session, $0.40 a million.
    let dollars = 2.0 * without.load.sessions / 1e6 * 0.40;
    expected.insert("SQS requests", dollars);
    assert_eq!(of(&with), expected);
    assert!(dollars > 0.05 && (with.total - without.total - dollars).abs() < 1e-9, "{dollars}");
    let more = with.one_more.per_month - without.one_more.per_month;
    assert!((more - dollars / 20.0).abs() < 1e-6, "{more}");
}
