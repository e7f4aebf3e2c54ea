//! `infragen deploy` and what comes after it, from the outside: the real Terraform and the real AWS command line, an AWS in
//! memory, and both functions as a server on this machine behind the addresses that the manifest names.

use std::io::Read as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use super::account::{Account, ROOT, manifest};
use super::programs::good_terraform;
use super::{Project, bins};
use crate::support::local::Local;
use crate::support::script::script;

/// The tables, as the inventory names them; the account has nothing else where all but these is gone.
const TABLES: [&str; 2] = ["sse-streaming-dev-items", "sse-streaming-dev-users"];

#[tokio::test(flavor = "multi_thread")]
async fn one_command_deploys_and_others_look_go_back_and_destroy() {
    let local = Local::start(&[]).await;
    let account = Account::new(&manifest(&local, "128 MiB"));

    let run = account.typed(&["deploy"], "no\n");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("the answer was no"), "{run:?}");
    assert!(run.stderr.contains("generated/terraform: 31 new\n  new "), "{run:?}");
    assert_eq!(account.moto.inventory(), json!({}));
    let status = account.run(&["status"]);
    assert_eq!((status.code, status.stdout.matches("not deployed").count()), (1, 2), "{status:?}");

    let first = account.typed(&["deploy"], "yes\n").done();
    assert!(first.stdout.starts_with("sse-streaming-dev in us-east-1: 31 new, in "), "{first:?}");
    assert!(first.stdout.contains(&format!("http://{}/api/v2/stream  version 1\n", local.stream)), "{first:?}");
    for seen in
        ["[1/6] check: infragen doctor", "/api/v2/stream: `metrics` after ", "goes on, with", "/api/v2/metrics answers"]
    {
        assert!(first.stderr.contains(seen), "{seen}: {first:?}");
    }
    assert!(!account.project.path().join(ROOT).join("infragen.tfplan").exists());

    account.project.write("deploy.toml", &manifest(&local, "256 MiB"));
    let changed = account.run(&["deploy", "--yes"]).done();
    assert!(changed.stderr.contains("function sse-streaming-dev-stream: memory_size 128 → 256"), "{changed:?}");
    assert!(!changed.stderr.contains("replaced"), "{changed:?}");
    assert_eq!(account.live(), ["2", "1"]);

    let status = account.run(&["status"]).done();
    assert!(status.stdout.contains("active, version 2, since 20"), "{status:?}");
    assert!(status.stdout.contains("zip, arm64, 256 MiB"), "{status:?}");
    assert!(status.stdout.contains("alarms     none is going off"), "{status:?}");
    let json: Value = serde_json::from_str(&account.run(&["status", "--format", "json"]).done().stdout).unwrap();
    assert_eq!((&json["well"], &json["functions"][0]["version"]), (&json!(true), &json!("2")));

    shows_the_address_of_an_api(&account);
    rolls_back(&account);
    shows_logs(&account);
    destroys(&account);
}

/// The API is one of the account's: which the provider of the tests cannot make, so that the AWS command line does.
fn shows_the_address_of_an_api(account: &Account) {
    let status = |more: &[&str]| {
        let kind = ["--set", "front.kind='api-gateway'", "--set", "terraform.aws_provider='>= 6.28.0, < 7.0.0'"];
        account.run(&[&kind[..], more, &["status"]].concat()).done().stdout
    };
    assert!(!status(&[]).contains("https://"), "there is none yet");
    account.aws(&["apigateway", "create-rest-api", "--name", "another-front"]);
    let api = account.aws(&["apigateway", "create-rest-api", "--name", "sse-streaming-dev-front"]);
    let id = api["id"].as_str().unwrap();
    let said = status(&[]);
    assert_eq!(
        said.matches(&format!("\n           https://{id}.execute-api.us-east-1.amazonaws.com/live\n")).count(),
        2,
        "{said}"
    );
    let endpoints = "front.api.vpc_endpoints=['vpce-0123456789abcdef0']";
    let said = status(&["--set", "front.api.private=true", "--set", endpoints]);
    assert!(said.contains(&format!("https://{id}-vpce-0123456789abcdef0.execute-api.us-east-1.")), "{said}");
    let certificate = "front.certificate_arn='arn:aws:acm:us-east-1:123456789012:certificate/1a'";
    let said = status(&["--set", "front.domain='live.example.com'", "--set", certificate]);
    assert_eq!(said.matches("\n           https://live.example.com\n").count(), 2, "{said}");
    for api in account.aws(&["apigateway", "get-rest-apis"])["items"].as_array().unwrap() {
        account.aws(&["apigateway", "delete-rest-api", "--rest-api-id", api["id"].as_str().unwrap()]);
    }
}

fn rolls_back(account: &Account) {
    let both = account.run(&["rollback"]);
    assert_eq!(both.code, 1, "{both:?}");
    assert!(
        both.stderr.contains("`sse-streaming-dev-dashboard` runs version 1, and there is none before it"),
        "{both:?}"
    );
    assert_eq!(account.live(), ["2", "1"], "nothing moves where not everything can");
    account.run(&["rollback", "--function", "stream"]).done();
    assert_eq!(account.live(), ["1", "1"]);
    let none = account.run(&["rollback", "--function", "stream", "--to", "9"]);
    assert!(none.stderr.contains("has no version 9: it has 1, 2"), "{none:?}");
    account.run(&["rollback", "--forward"]).done();
    assert_eq!(account.live(), ["2", "1"]);
}

fn shows_logs(account: &Account) {
    let group = "/aws/lambda/sse-streaming-dev-stream";
    let of = ["--log-group-name", group, "--log-stream-name", "one"];
    account.aws(&[&["logs", "create-log-stream"], &of[..]].concat());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let ours = json!({"level": "INFO", "message": "stream opened", "span": {"request_id": "one-two"}}).to_string();
    let events = json!([
        {"timestamp": now - 2000, "message": ours},
        {"timestamp": now - 1000, "message": "{\"_aws\":{}}"},
        {"timestamp": now, "message": "REPORT RequestId: three"},
    ]);
    account.aws(&[&["logs", "put-log-events"], &of[..], &["--log-events", &events.to_string()]].concat());
    let all = account.run(&["logs"]).done().stdout;
    assert!(all.contains("Z  stream     INFO   stream opened  request_id=one-two\n"), "{all}");
    assert_eq!(all.lines().count(), 2, "{all}");
    let one = account.run(&["logs", "--find", "one-two"]).done().stdout;
    assert_eq!(one.lines().count(), 1, "{one}");
    assert_eq!(account.run(&["logs", "--function", "dashboard"]).done().stdout, "");
    assert_eq!(account.run(&["logs", "--raw"]).done().stdout.lines().count(), 3);
}

fn destroys(account: &Account) {
    let wrong = account.typed(&["destroy"], "yes\n");
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("nothing was destroyed"), "{wrong:?}");
    let kept = account.typed(&["destroy"], "sse-streaming-dev\n").done();
    assert!(kept.stderr.contains("sse-streaming-dev is gone; kept: "), "{kept:?}");
    assert_eq!(account.moto.inventory(), json!({ "dynamodb.TableNames": TABLES }));
    let again = account.run(&["destroy", "--yes"]).done();
    assert!(again.stderr.contains("nothing to destroy of sse-streaming-dev; kept: "), "{again:?}");

    // The tables are taken up again.
    let back = account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert!(back.stdout.contains(": 29 new, in "), "{back:?}");
    assert!(!back.stdout.contains("replaced"), "{back:?}");

    let stranger = account.run(&["destroy", "--yes", "--table", "orders"]);
    assert_eq!(stranger.code, 2, "{stranger:?}");
    let once = account.run(&["destroy", "--yes", "--table", TABLES[0]]);
    assert_eq!(once.code, 1, "{once:?}");
    assert!(
        once.stderr.contains(&format!("`{}` and its rows would be lost, and it is named once", TABLES[0])),
        "{once:?}"
    );
    let twice = ["destroy", "--table", TABLES[0], "--table", TABLES[1], "--table", TABLES[0]];
    let all = account.typed(&twice, &format!("sse-streaming-dev\n{}\n", TABLES[1])).done();
    assert!(all.stderr.contains("table sse-streaming-dev-items: its rows are lost"), "{all:?}");
    assert_eq!(account.moto.inventory(), json!({}));
}

/// A run of the generator as a shell starts it, which a test stops: it is told as soon as it has said something.
fn stopped_at(account: &Account, arguments: &[&str], said: &str, signal: Signal) -> (Option<i32>, String) {
    once_said(generator(account, arguments), said, |group| kill_process_group(group, signal).unwrap())
}

fn generator(account: &Account, arguments: &[&str]) -> Command {
    account.command(&bins::path("infragen").display().to_string(), arguments)
}

/// A run of the generator as a shell starts it, and what happens elsewhere as soon as it has said something.
pub(super) fn once_said(mut command: Command, said: &str, happens: impl Fn(Pid)) -> (Option<i32>, String) {
    // A group of its own, as a shell gives it to a command: Ctrl-C reaches everybody in it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let mut output = child.stderr.take().unwrap();
    let (mut text, mut piece, mut is_told) = (Vec::new(), [0; 4096], false);
    loop {
        let read = output.read(&mut piece).unwrap();
        text.extend_from_slice(&piece[..read]);
        if !is_told && String::from_utf8_lossy(&text).contains(said) {
            is_told = true;
            happens(group);
        }
        if read == 0 {
            break;
        }
    }
    let code = child.wait().unwrap().code();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(is_told, "{text}");
    (code, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_loses_nothing_and_the_same_command_goes_on() {
    let local = Local::start(&[]).await;
    let account = Account::new(&manifest(&local, "128 MiB"));
    let (code, said) = stopped_at(&account, &["deploy", "--yes"], "plan: terraform", Signal::INT);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("error: stopped in `terraform -chdir=generated/terraform "), "{said}");
    assert_eq!(account.moto.inventory(), json!({}));

    // While something is made it is waited for, so that nothing is there which the state does not know.
    let (code, said) = stopped_at(&account, &["deploy", "--yes"], "Creation complete", Signal::INT);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("finishing what has begun"), "{said}");
    assert!(said.contains("error: stopped after `apply`\n hint: run the same command again to go on\n"), "{said}");
    let rest = account.run(&["deploy"]).done();
    assert!(rest.stdout.contains("nothing to change"), "{rest:?}");
    assert_eq!(account.live(), ["1", "1"]);

    // Whoever asks it to end while it waits for an answer is heard.
    let before = account.moto.inventory();
    let (code, said) = stopped_at(&account, &["destroy"], "to destroy this:", Signal::TERM);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("error: stopped before anything was changed"), "{said}");
    assert_eq!(account.moto.inventory(), before);
}

/// Between its start and its own group of processes a program gets a terminal's Ctrl-C too, and may end of it before anybody knows.
#[test]
fn a_program_that_ctrl_c_reached_first_has_not_failed() {
    let project = Project::new("");
    let programs = tempfile::tempdir().unwrap();
    let later = "(/bin/sleep 0.3; kill -INT $PPID) >/dev/null 2>&1 &";
    script(&programs.path().join("terraform"), &good_terraform(&format!("*init*) {later}\nkill -INT $$ ;;")));
    let mut command = Command::new(bins::path("infragen"));
    command.args(["deploy", "--yes"]).current_dir(project.path()).env_clear().env("PATH", programs.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("error: stopped in `terraform -chdir=generated/terraform init`"), "{said}");
}

/// The version behind the alias of the stream function, and what gets a share beside it.
fn shares(account: &Account) -> (Value, Value) {
    let alias = account.aws(&["lambda", "get-alias", "--function-name", "sse-streaming-dev-stream", "--name", "live"]);
    (alias["FunctionVersion"].clone(), alias["RoutingConfig"]["AdditionalVersionWeights"].clone())
}

fn alarm(account: &Account, state: &str) {
    let alarm = ["--alarm-name", "sse-streaming-dev-stream-errors", "--state-value", state, "--state-reason", "a test"];
    account.aws(&[&["cloudwatch", "set-alarm-state"], &alarm[..]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_gets_a_share_first_and_an_alarm_sends_it_back() {
    const SHARED: &str = "20 % of the requests go to the new version of sse-streaming-dev-stream for 30m";
    let local = Local::start(&[]).await;
    let with_canary = |memory, lasts| format!("{}[deploy]\ncanary = \"20% for {lasts}\"\n", manifest(&local, memory));
    // So long that what happens meanwhile does so in time on any machine.
    let account = Account::new(&with_canary("128 MiB", "30m"));
    let first = account.run(&["deploy", "--yes"]).done();
    assert!(first.stderr.contains("no function goes from one version to another"), "{first:?}");
    let none = json!({});
    let all_at = |version: &str| {
        let (live, beside) = shares(&account);
        assert!(live == version && (beside.is_null() || beside == none), "{live} {beside}");
    };
    all_at("1");

    account.project.write("deploy.toml", &with_canary("256 MiB", "30m"));
    let deploy = ["deploy", "--yes"];
    let (code, said) = stopped_at(&account, &deploy, SHARED, Signal::KILL);
    assert_eq!((code, shares(&account)), (None, (json!("1"), json!({"2": 0.2}))), "{said}");
    let status = account.run(&["status"]).done();
    assert!(status.stdout.contains("version 1, and 20 % of it version 2, since"), "{status:?}");

    // Somebody who has seen enough is told where that leaves the requests, and nothing moves.
    let (code, said) = stopped_at(&account, &deploy, SHARED, Signal::INT);
    assert_eq!((code, shares(&account)), (Some(130), (json!("1"), json!({"2": 0.2}))), "{said}");
    let told = "error: stopped with 20 % of the requests at the new version\n hint: run the same command again to go on, or \
                `infragen rollback` to go back\n";
    assert!(said.contains(told), "{said}");

    // Called again, it goes on; what rings since then counts, although it rang before this call.
    alarm(&account, "ALARM");
    let back = account.run(&deploy);
    assert_eq!(back.code, 1, "{back:?}");
    let said = " s there is an alarm: sse-streaming-dev-stream-errors; sse-streaming-dev-stream runs version 1 again\n";
    assert!(back.stderr.contains(said), "{back:?}");
    all_at("1");

    let (code, said) = once_said(generator(&account, &deploy), SHARED, |_| {
        let rolled = account.run(&["rollback", "--function", "stream"]).done();
        assert!(rolled.stderr.contains("-stream runs version 1; it was 1, with a share for 2"), "{rolled:?}");
    });
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("`sse-streaming-dev-stream` was sent back to version 1 meanwhile"), "{said}");
    all_at("1");

    // One that went off before anything was shared is nobody's fault, and in the end the new version has everything.
    account.project.write("deploy.toml", &with_canary("256 MiB", "1m"));
    let last = account.run(&deploy).done();
    assert!(
        last.stderr.contains("went off before and says nothing about it: sse-streaming-dev-stream-errors"),
        "{last:?}"
    );
    assert!(last.stdout.contains("/api/v2/stream  version 2\n"), "{last:?}");
    all_at("2");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_any_step_it_goes_on_where_it_was() {
    let local = Local::start(&[]).await;
    let account = Account::new(&manifest(&local, "128 MiB"));
    let deploy = ["deploy", "--yes"];
    // Terraform outlives whoever called it, and is waited for by the next one.
    for step in ["check: ", "render: ", "plan: ", "Creation complete", "smoke: "] {
        let (code, said) = stopped_at(&account, &deploy, step, Signal::KILL);
        assert_eq!(code, None, "{step}: {said}");
    }
    let last = account.run(&deploy).done();
    assert!(last.stdout.starts_with("sse-streaming-dev in us-east-1: nothing to change, in "), "{last:?}");
    assert_eq!(account.live(), ["1", "1"]);
    account.run(&["status"]).done();
}

#[test]
fn a_dry_run_prints_the_steps_and_does_none() {
    let project = Project::new("[stream]\npackage = \"image\"\n[env.prod]\n");
    let steps = project.run(&["deploy", "--dry-run", "--env", "prod"]).done();
    assert_eq!(
        steps.stdout,
        "check      infragen doctor\nrender     infragen --env prod render\n\
         bootstrap  infragen bootstrap\n\
         plan       terraform -chdir=generated/prod/terraform init && terraform -chdir=generated/prod/terraform plan\n\
         apply      terraform -chdir=generated/prod/terraform apply\n\
         page       infragen --env prod page\n\
         smoke      a first event, a return by its position, the REST API\n"
    );
    assert_eq!(project.names(), ["deploy.toml"]);
    for command in ["deploy", "page", "status", "logs", "rollback", "destroy"] {
        let run = project.run(&[command, "--env", "local"]);
        assert_eq!(run.code, 2, "{command}: {run:?}");
        assert!(run.stderr.starts_with("error: `local` is this machine"), "{command}: {run:?}");
    }
}

/// What stands between a person and a deployment: each is one sentence, and nothing is changed.
#[test]
fn what_is_missing_or_refused_is_one_sentence() {
    let project = Project::new("");
    project.run(&["render"]).done();
    let programs = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| script(&programs.path().join(name), text);
    let deploy = |arguments: &[&str]| {
        let mut command = Command::new(bins::path("infragen"));
        command
            .args(arguments)
            .current_dir(project.path())
            .env_clear()
            .env("PATH", programs.path())
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let said = |expected: &str, arguments: &[&str]| {
        let (code, text) = deploy(arguments);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
    };
    said("there is no `terraform` on PATH", &["deploy", "--yes"]);
    said("there is no `terraform` on PATH", &["destroy", "--yes"]);
    said("there is no `aws` on PATH", &["status"]);
    said("error: there is no `aws` on PATH", &["rollback"]);
    program("terraform", "echo '{\"terraform_version\": \"1.5.7\"}'");
    said("but `>= 1.11.0, < 2.0.0` is asked for", &["deploy", "--yes"]);
    let good = |otherwise: &str| program("terraform", &good_terraform(otherwise));
    good("*) echo 'Error: No valid credential sources found' >&2; exit 1 ;;");
    said("No valid credential sources found", &["deploy", "--yes"]);
    said("`terraform -chdir=generated/terraform init` failed, it says why above", &["deploy", "--yes"]);
    program(
        "aws",
        "echo 'An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: expired' >&2; exit 254",
    );
    said("`aws` failed: An error occurred (ExpiredToken)", &["deploy", "--yes"]);
    said("aws sso login", &["deploy", "--yes"]);
    said("An error occurred (ExpiredToken)", &["logs"]);
    // Without the AWS command line it is left to Terraform to find out whose account it is.
    std::fs::remove_file(programs.path().join("aws")).unwrap();
    good("*show*) echo no ;;\n*plan*) exit 2 ;;");
    said("error: Terraform's plan is no JSON: ", &["deploy", "--yes"]);
    let table = json!({"address": "aws_dynamodb_table.items", "type": "aws_dynamodb_table",
        "change": {"actions": ["delete", "create"], "before": {"name": "items"}, "after": {"name": "items|`"}}});
    let plan = json!({ "resource_changes": [table] });
    good(&format!("*show*) printf '%s' '{plan}' ;;\n*plan*) exit 2 ;;"));
    said("replaced  table items|`: its rows are lost\n  about $", &["deploy"]);
    said("Apply this? [yes/no] \nerror: nobody can be asked", &["deploy"]);
    let (code, shown) = deploy(&["deploy", "--plan", "--quiet"]);
    assert_eq!(code, Some(0), "{shown}");
    let table = "### sse-streaming-dev: 1 replaced\n\n| | |\n|---|---|\n| **replaced** | `table items¦': its rows are lost` |\n\nabout $";
    assert!(shown.starts_with(table), "{shown}");
    let warning =
        "anybody can call it: an attack costs $19.20 an hour of Lambda, which only the account's limit bounds";
    assert!(shown.contains(&format!("says how\n\n{warning}; `stream.reserved_concurrency`")), "{shown}");
    let reserved = ["--set", "stream.reserved_concurrency=20", "--set", "dashboard.reserved_concurrency=10"];
    let (_, shown) = deploy(&[&["deploy", "--plan", "--quiet"][..], &reserved].concat());
    assert!(shown.starts_with(table) && !shown.contains("attack"), "{shown}");
    good("");
    said("error: Terraform's state has no output `stream_url`", &["deploy", "--yes"]);
}

#[test]
fn a_project_that_builds_is_asked_to_wherever_the_command_is_typed() {
    let project = Project::new("[dashboard]\npackage = \"image\"\n");
    std::fs::create_dir(project.path().join("bin")).unwrap();
    let script = |name: &str, text: &str| script(&project.path().join(name), text);
    script("justw", "echo \"justw $*\" >>calls");
    script("bin/aws", "echo '{\"Account\": \"1\", \"Arn\": \"arn\"}'");
    script("bin/terraform", &good_terraform("*) echo '{}' ;;"));
    std::fs::create_dir(project.path().join("docs")).unwrap();
    let path = format!("{}:{}", project.path().join("bin").display(), std::env::var("PATH").unwrap());
    let deploy = |arguments: &[&str]| {
        let mut command = Command::new(bins::path("infragen"));
        command.arg("deploy").args(arguments).current_dir(project.path().join("docs")).env("PATH", &path);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let calls = project.read("calls");
        std::fs::remove_file(project.path().join("calls")).unwrap();
        calls
    };
    assert_eq!(deploy(&["--no-smoke"]), "justw package\njustw image\n");
    assert_eq!(deploy(&["--plan"]), "justw package\n", "what is only looked at is not pushed");
}
