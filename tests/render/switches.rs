//! Changes of form on a deployed stack: to an image by its plan, to CloudFront and back by applying it. A plan replaces only what must
//! be, and never a table. Credentials of another account, and another region in the manifest, change nothing of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::{Account, ROOT};
use super::apply::ZIP_SHA256;
use super::{Run, bins};

const ITEMS: &str = "sse-streaming-dev-items";
/// An image that is there.
const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sse@sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// The same deployment in another form.
fn form(package: &str, front: &str, region: &str) -> String {
    let image = match package {
        "image" => format!("[stream.image]\nuri = \"{IMAGE}\"\narchitecture = \"arm64\"\n"),
        _ => String::new(),
    };
    format!("[stream]\npackage = \"{package}\"\n{image}[front]\nkind = \"{front}\"\n[project]\nregion = \"{region}\"\n")
}

/// What a deployment said that it replaces and removes, by kind.
fn lost(run: &Run) -> BTreeSet<String> {
    let line = |line: &str| {
        let (kind, what) = line.trim_start().split_once("  ")?;
        let is_lost = ["replaced", "removed"].contains(&kind);
        is_lost.then(|| format!("{kind} {}", what.trim_start().split(": ").next().unwrap_or_default()))
    };
    run.stderr.lines().filter_map(line).collect()
}

fn rows(account: &Account) -> Value {
    account.aws(&["dynamodb", "scan", "--table-name", ITEMS])["Items"].clone()
}

#[test]
fn another_package_is_planned_and_another_front_applied_and_every_table_stays() {
    let account = Account::new(&form("zip", "function-url", "us-east-1"));
    account.project.write("frontend/index.html", "<!doctype html>\n");
    let zip = json!({ "path": "../../dist/function.zip", "sha256": ZIP_SHA256, "architecture": "arm64" });
    let zips = json!({ "stream_zip": zip, "dashboard_zip": zip });
    assert!(
        account
            .project
            .read(&format!("{ROOT}/artifacts.auto.tfvars.json"))
            .contains(&zips["stream_zip"]["sha256"].to_string())
    );
    let deploy = ["deploy", "--yes", "--no-smoke"];
    account.run(&deploy).done();
    let row = json!({ "source_id": { "S": "one" }, "timestamp": { "S": "2026-01-01T00:00:00Z" }, "sentiment": { "S": "positive" } });
    account.aws(&["dynamodb", "put-item", "--table-name", ITEMS, "--item", &row.to_string()]);
    let before = rows(&account);
    assert_eq!(before[0]["source_id"], json!({ "S": "one" }));

    // What another form of the package would replace, without doing it.
    account.project.write("deploy.toml", &form("image", "function-url", "us-east-1"));
    let planned = account.run(&["deploy", "--plan"]).done().stdout;
    let lines = planned.lines().filter(|line| line.contains("replaced") || line.contains("removed"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["### sse-streaming-dev: 1 changed, 1 replaced", "| replaced | `function sse-streaming-dev-stream` |"],
        "{planned}"
    );

    for front in ["cloudfront", "function-url"] {
        account.project.write("deploy.toml", &form("zip", front, "us-east-1"));
        let run = account.run(&deploy).done();
        assert_eq!(rows(&account), before, "{front}: {run:?}");
        let lost = lost(&run);
        // A permission is for one front; functions and addresses stay.
        let replaced = lost.iter().filter_map(|line| line.strip_prefix("replaced "));
        assert!(
            replaced.clone().count() > 0 && replaced.clone().all(|what| what.starts_with("permission ")),
            "{lost:?}"
        );
        // What goes is of the front that goes.
        let removed = lost.iter().filter_map(|line| line.strip_prefix("removed "));
        let of_front = ["permission ", "bucket ", "cloudfront ", "distribution ", "file of the page ", "s3 bucket "];
        let is_of_front = |what: &&str| of_front.iter().any(|noun| what.starts_with(noun));
        assert!(removed.clone().all(|what| is_of_front(&what)), "{run:?}");
    }

    // Credentials of somebody else's account find nothing there, and would make it all once more.
    let here = account.moto.inventory();
    let role = ["--role-arn", "arn:aws:iam::111111111111:role/other", "--role-session-name", "other"];
    let assumed = account.aws(&[&["sts", "assume-role"], &role[..]].concat())["Credentials"].clone();
    let mut command = account.command(&bins::path("infragen").display().to_string(), &deploy);
    for (name, key) in [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ] {
        command.env(name, assumed[key].as_str().unwrap());
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let other = "error: `generated/terraform` is deployed in account 123456789012, and the credentials are of account 111111111111\n hint: sign in";
    assert!(said.contains(other), "{said}");

    account.project.write("deploy.toml", &form("zip", "function-url", "eu-west-1"));
    let far = account.run(&deploy);
    assert_eq!(far.code, 1, "{far:?}");
    let other = "error: `generated/terraform` is deployed in us-east-1, and `project.region` is eu-west-1\n hint: write an `[env.NAME]`";
    assert!(far.stderr.contains(other), "{far:?}");
    assert_eq!(account.moto.inventory(), here);
    assert!(!account.project.path().join(ROOT).join("infragen.tfplan").exists());
}
