//! Changes of form on a deployed stack: to an image and to CloudFront, alone and together, and back. A plan replaces only what must
//! be, and never a table. Credentials of another account, and another region in the manifest, change nothing of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::{Account, ROOT};
use super::{Run, bins};

const ITEMS: &str = "sse-streaming-dev-items";
/// What a new kind of package replaces, beside permissions.
const OF_PACKAGE: [&str; 3] =
    ["URL sse-streaming-dev-stream", "alias sse-streaming-dev-stream", "function sse-streaming-dev-stream"];
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

/// What hangs on the function: another kind of package replaces it under its name, and takes all of that with it.
fn hangs_on(account: &Account, name: &str) -> Value {
    let function = ["--function-name", name];
    let of_alias = ["--function-name", name, "--qualifier", "live"];
    let asked = |command: &str, of: &[&str]| account.aws(&[&["lambda", command], of].concat());
    let policy = asked("get-policy", &of_alias)["Policy"].as_str().unwrap().to_owned();
    let policy = serde_json::from_str::<Value>(&policy).unwrap();
    let names = policy["Statement"].as_array().unwrap().iter().filter_map(|one| one["Sid"].as_str());
    json!({
        "package": asked("get-function-configuration", &function)["PackageType"],
        "alias": asked("list-aliases", &function)["Aliases"].as_array().unwrap().len(),
        "authorization": asked("get-function-url-config", &of_alias)["AuthType"],
        // moto adds some of its own.
        "permissions": names.filter(|name| name.starts_with("Invoke")).collect::<BTreeSet<_>>(),
    })
}

/// The provider looks at a distribution for the first time after 30 s, which AWS in memory has finished at once.
const NOT_WAITED_FOR: &str = "resource \"aws_cloudfront_distribution\" \"front\" {\n  wait_for_deployment = false\n}\n";

/// Writes the manifest of a form.
fn write(account: &Account, package: &str, front: &str) {
    account.project.write("deploy.toml", &form(package, front, "us-east-1"));
    let not_waited_for = if front == "cloudfront" { NOT_WAITED_FOR } else { "" };
    account.project.write(&format!("{ROOT}/zz_front_override.tf"), not_waited_for);
}

const DEPLOY: [&str; 3] = ["deploy", "--yes", "--no-smoke"];

/// Deploys one form and then others, each from the one before.
fn changed(first: [&str; 2], others: [[&str; 2]; 2]) -> Account {
    let [mut was, front] = first;
    let account = Account::new(&form(was, front, "us-east-1"));
    write(&account, was, front);
    account.project.write("frontend/index.html", "<!doctype html>\n");
    account.run(&DEPLOY).done();
    let row = json!({ "source_id": { "S": "one" }, "timestamp": { "S": "2026-01-01T00:00:00Z" }, "sentiment": { "S": "positive" } });
    account.aws(&["dynamodb", "put-item", "--table-name", ITEMS, "--item", &row.to_string()]);
    let before = rows(&account);
    assert_eq!(before[0]["source_id"], json!({ "S": "one" }));

    for [package, front] in others {
        write(&account, package, front);
        let run = account.run(&DEPLOY).done();
        let to = format!("{was} to {package}, {front}");
        assert_eq!(rows(&account), before, "{to}: {run:?}");
        let lost = lost(&run);
        let replaced = lost.iter().filter_map(|line| line.strip_prefix("replaced ")).collect::<Vec<_>>();
        // A permission is for one front. A function is of one package, and what hangs on it goes with it.
        let of_package = replaced.iter().filter(|what| !what.starts_with("permission ")).copied().collect::<Vec<_>>();
        let expected: &[&str] = if was == package { &[] } else { &OF_PACKAGE };
        assert_eq!(of_package, expected, "{to}: {run:?}");
        // What goes is of the front that goes.
        let removed = lost.iter().filter_map(|line| line.strip_prefix("removed "));
        let of_front =
            ["bucket ", "cache policy ", "distribution ", "file of the page ", "permission ", "policy of headers "];
        let of_its_own =
            ["access of the distribution ", "encryption of a bucket ", "lock of a bucket ", "policy of a bucket "];
        let is_of_front = |what: &&str| of_front.iter().chain(&of_its_own).any(|noun| what.starts_with(noun));
        assert!(removed.clone().all(|what| is_of_front(&what)), "{to}: {run:?}");

        let (authorization, permissions): (_, &[&str]) = match front {
            "cloudfront" => ("AWS_IAM", &["InvokeFunctionThroughUrl", "InvokeFunctionUrl"]),
            // The second one is a stack of CloudFormation.
            _ => ("NONE", &["InvokeFunctionUrl"]),
        };
        for (role, package) in [("stream", package), ("dashboard", "zip")] {
            let package = if package == "image" { "Image" } else { "Zip" };
            let expected =
                json!({ "package": package, "alias": 1, "authorization": authorization, "permissions": permissions });
            assert_eq!(hangs_on(&account, &format!("sse-streaming-dev-{role}")), expected, "{to}: {role}: {run:?}");
        }
        let again = account.run(&["deploy", "--plan"]).done().stdout;
        // moto keeps the CORS of a URL that is told to have none.
        let left =
            again.lines().filter(|line| line.starts_with("| ") && *line != "| | |" && !line.contains(": cors ["));
        assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{to}: {again}");
        was = package;
    }
    account
}

#[test]
fn another_package_and_another_front_replace_what_must_be_and_every_table_stays() {
    changed(["zip", "function-url"], [["image", "cloudfront"], ["zip", "cloudfront"]]);
}

#[test]
fn back_to_another_front_and_what_belongs_elsewhere_changes_nothing() {
    let account = changed(["zip", "cloudfront"], [["zip", "function-url"], ["image", "function-url"]]);

    // Credentials of somebody else's account find nothing there, and would make it all once more.
    let here = account.moto.inventory();
    let role = ["--role-arn", "arn:aws:iam::111111111111:role/other", "--role-session-name", "other"];
    let assumed = account.aws(&[&["sts", "assume-role"], &role[..]].concat())["Credentials"].clone();
    let mut command = account.command(&bins::path("infragen").display().to_string(), &DEPLOY);
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
    let far = account.run(&DEPLOY);
    assert_eq!(far.code, 1, "{far:?}");
    let other = "error: `generated/terraform` is deployed in us-east-1, and `project.region` is eu-west-1\n hint: write an `[env.NAME]`";
    assert!(far.stderr.contains(other), "{far:?}");
    assert_eq!(account.moto.inventory(), here);
    assert!(!account.project.path().join(ROOT).join("infragen.tfplan").exists());
}
