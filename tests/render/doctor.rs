//! `infragen doctor` from the outside. Terraform and the AWS command line are small programs that say what the real ones
//! would; one test asks the real Terraform.

mod table;

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Project, Run, bins, is_updating, workspace};
use crate::support::script::script;

/// Version of the AWS provider that the default manifest allows.
const LOCK: &str = "provider \"registry.terraform.io/hashicorp/aws\" {\n  version = \"5.100.0\"\n}\n";
const CONFIG: &str =
    "window.CONFIG = Object.freeze({\"API_BASE_URL\":\"https://a.example\",\"SSE_BASE_URL\":\"https://b.example\"});\n";
/// Base64 SHA-256 of the text `zip`.
const ZIP_SHA256: &str = "SnD+mqZDbgLC3qNA+9HjUuTvLYzmylKtJdS5VHH8i/I=";

/// A rendered project where everything is as it must be, and programs that say so.
struct Ward {
    project: Project,
    programs: TempDir,
    home: TempDir,
}

impl Ward {
    fn healthy(manifest: &str) -> Self {
        let project = Project::new(manifest);
        project.run(&["render"]).done();
        let [programs, home] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let ward = Self { project, programs, home };
        ward.project.write("generated/terraform/.terraform.lock.hcl", LOCK);
        ward.project.write("dist/page/config.js", CONFIG);
        for role in ["stream", "dashboard"] {
            ward.project.write(&format!("dist/{role}.zip"), "zip");
        }
        let zip = |role: &str| json!({"path": format!("../../dist/{role}.zip"), "sha256": ZIP_SHA256, "architecture": "arm64"});
        let artifacts = json!({"stream_zip": zip("stream"), "dashboard_zip": zip("dashboard")});
        ward.project.write("generated/terraform/artifacts.auto.tfvars.json", &artifacts.to_string());
        ward.program("terraform", "echo '{\"terraform_version\": \"1.11.4\"}'");
        ward.aws(&answers());
        ward
    }

    /// Puts a program on the PATH of the doctor.
    fn program(&self, name: &str, text: &str) {
        script(&self.programs.path().join(name), text);
    }

    fn without(&self, name: &str) {
        std::fs::remove_file(self.programs.path().join(name)).unwrap();
    }

    /// An AWS command line that answers by the first two words of its arguments, and checks the others.
    fn aws(&self, answers: &[(&str, String)]) {
        let case = |(command, script): &(&str, String)| {
            format!("'{command}'*\" --region us-east-1 --output json\") {script} ;;")
        };
        let cases: Vec<String> = answers.iter().map(case).collect();
        self.program(
            "aws",
            &format!("case \"$*\" in\n{}\n*) echo \"unexpected: $*\" >&2; exit 9 ;;\nesac", cases.join("\n")),
        );
    }

    fn doctor(&self, more: &[&str]) -> Run {
        self.doctor_with(&[("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_SECRET_ACCESS_KEY", "s")], more)
    }

    fn doctor_with(&self, variables: &[(&str, &str)], more: &[&str]) -> Run {
        let output = Command::new(bins::path("infragen"))
            .arg("doctor")
            .args(more)
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", self.programs.path())
            .env("HOME", self.home.path())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

const ZIPS: &str = "[stream]\npackage = \"zip\"\n";

fn say(value: &Value) -> String {
    format!("echo '{value}'")
}

fn policy(statements: &[Value]) -> String {
    say(&json!({"Policy": json!({"Statement": statements}).to_string()})).replace('\\', "\\\\")
}

fn permissions() -> [Value; 2] {
    let url = json!({"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl",
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}});
    let through = json!({"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
        "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}});
    [url, through]
}

const STS: &str = "sts get-caller-identity";
const ACCOUNT: &str = "lambda get-account-settings";
const STREAM: &str = "lambda get-policy --function-name sse-streaming-dev-stream --qualifier live";
const DASHBOARD: &str = "lambda get-policy --function-name sse-streaming-dev-dashboard --qualifier live";

fn answers() -> Vec<(&'static str, String)> {
    let identity = json!({"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/deploy"});
    let limits = json!({"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}});
    vec![
        (STS, say(&identity)),
        (ACCOUNT, say(&limits)),
        (STREAM, policy(&permissions())),
        (DASHBOARD, policy(&permissions())),
    ]
}

/// The healthy answers with another one for one command.
fn answers_but(command: &'static str, script: &str) -> Vec<(&'static str, String)> {
    let other = |(name, answer)| if name == command { (name, script.to_owned()) } else { (name, answer) };
    answers().into_iter().map(other).collect()
}

fn transcript(name: &str, run: &Run) {
    let found = format!("{}{}exit code {}\n", run.stdout, run.stderr, run.code);
    let path = workspace().join("tests/fixtures/doctor").join(name);
    if is_updating() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

/// Status, finding and next action of one check; the others must be all right.
fn only(run: &Run, name: &str) -> (String, String, String) {
    let value: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let mut found = None;
    for check in value["checks"].as_array().unwrap() {
        if check["name"] == name {
            found = Some((text(check, "status"), text(check, "found"), text(check, "next")));
        } else {
            assert_eq!(check["status"], "ok", "{check}");
        }
    }
    assert_eq!(run.code, i32::from(!value["ready"].as_bool().unwrap()));
    found.unwrap_or_else(|| panic!("no check `{name}`: {run:?}"))
}

fn expect(ward: &Ward, name: &str, status: &str, found: &str, next: &str) {
    let (got_status, got_found, got_next) = only(&json_run(ward), name);
    assert_eq!(got_status, status, "{got_found}");
    assert!(got_found.contains(found), "{got_found}");
    assert!(got_next.contains(next), "{got_next}");
}

fn json_run(ward: &Ward) -> Run {
    ward.doctor_with(&[("AWS_PROFILE", "work")], &["--format", "json", "--time-limit", "2s"])
}

#[test]
fn a_healthy_project_needs_nobody() {
    let ward = Ward::healthy(ZIPS);
    transcript("healthy.txt", &ward.doctor(&[]));
    let edge = Ward::healthy(&format!("{ZIPS}[front]\nkind = \"cloudfront\"\n"));
    let one = |action: &str| {
        json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": action,
            "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1"}}})
    };
    let both = policy(&[one("lambda:InvokeFunctionUrl"), one("lambda:InvokeFunction")]);
    let [sts, account, ..] = [&answers()[0], &answers()[1]].map(Clone::clone);
    edge.aws(&[sts, account, (STREAM, both.clone()), (DASHBOARD, both)]);
    transcript("healthy_edge.txt", &edge.doctor(&[]));
}

#[test]
fn a_fresh_machine_is_told_every_step() {
    let ward = Ward::healthy("");
    for path in [
        "generated/terraform/.terraform.lock.hcl",
        "generated/terraform/artifacts.auto.tfvars.json",
        "dist/page/config.js",
    ] {
        std::fs::remove_file(ward.project.path().join(path)).unwrap();
    }
    std::fs::remove_file(ward.project.path().join("generated/terraform/stream.tf")).unwrap();
    ward.without("aws");
    ward.without("terraform");
    transcript("fresh.txt", &ward.doctor_with(&[], &[]));
}

#[test]
fn programs_that_are_old_missing_or_hang_are_told_apart() {
    let ward = Ward::healthy(ZIPS);
    ward.program("terraform", "echo '{\"terraform_version\": \"1.5.7\"}'");
    expect(
        &ward,
        "terraform",
        "missing",
        "1.5.7, but `>= 1.11.0, < 2.0.0` is asked for",
        "install a Terraform that is",
    );
    ward.program("terraform", "exec /bin/sleep 60");
    expect(&ward, "terraform", "unknown", "`terraform` gave no answer within 2s", "install Terraform");
    ward.program("terraform", "echo broken >&2; exit 1");
    expect(&ward, "terraform", "unknown", "`terraform` failed: broken", "install Terraform");
    ward.without("terraform");
    expect(&ward, "terraform", "unknown", "there is no `terraform` on PATH", "install Terraform");
    let ward = Ward::healthy(ZIPS);
    ward.without("aws");
    expect(&ward, "identity", "unknown", "there is no `aws` on PATH", "install the AWS command line");
    ward.aws(&answers_but(STS, "exec /bin/sleep 60"));
    expect(&ward, "identity", "unknown", "`aws` gave no answer within 2s", "--time-limit");
}

#[test]
fn what_the_account_lacks_is_said_with_the_way_to_get_it() {
    let ward = Ward::healthy(ZIPS);
    let but = |command, script: &str| ward.aws(&answers_but(command, script));
    but(STS, "echo 'An error occurred (ExpiredToken): expired' >&2; exit 254");
    expect(&ward, "identity", "missing", "(ExpiredToken)", "aws sso login");
    but(ACCOUNT, &say(&json!({"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}})));
    expect(
        &ward,
        "concurrency",
        "missing",
        "10 instances for 22 streams",
        "--quota-code L-B99A9384 --desired-value 22",
    );
    but(ACCOUNT, "echo 'An error occurred (AccessDeniedException)' >&2; exit 254");
    expect(&ward, "concurrency", "unknown", "AccessDenied", "allow `lambda:GetAccountSettings`");
    let [url, through] = permissions();
    but(STREAM, &policy(std::slice::from_ref(&url)));
    expect(&ward, "permissions-stream", "missing", "`lambda:InvokeFunction` is not allowed", "./justw apply");
    but(DASHBOARD, &policy(&[through]));
    expect(&ward, "permissions-dashboard", "missing", "`lambda:InvokeFunctionUrl` is not allowed", "./justw apply");
    but(STREAM, "echo 'An error occurred (ResourceNotFoundException): Function not found: x' >&2; exit 254");
    expect(&ward, "permissions-stream", "unknown", "is not deployed yet", "./justw apply");
    but(STREAM, "echo 'An error occurred (AccessDeniedException)' >&2; exit 254");
    expect(&ward, "permissions-stream", "unknown", "AccessDenied", "allow `lambda:GetPolicy`");
}

#[test]
fn what_is_wrong_on_the_disk_is_said() {
    let ward = Ward::healthy(ZIPS);
    ward.project.write("dist/stream.zip", "another");
    expect(&ward, "artifact-stream", "missing", "another hash", "./justw package");
    std::fs::remove_file(ward.project.path().join("dist/stream.zip")).unwrap();
    expect(&ward, "artifact-stream", "missing", "cannot be read", "./justw package");
    let ward = Ward::healthy(ZIPS);
    let path = "generated/terraform/stream.tf";
    let stale = ward.project.read(path) + "\n";
    ward.project.write(path, &stale);
    expect(&ward, "rendered", "missing", "`generated/terraform/stream.tf` is not what", "infragen render");
    ward.project.write(path, "mine\n");
    expect(&ward, "rendered", "missing", "not written by infragen", "move what you want to keep");
    let ward = Ward::healthy(ZIPS);
    ward.project.write("generated/terraform/.terraform.lock.hcl", &LOCK.replace("5.100.0", "7.1.0"));
    expect(&ward, "provider", "missing", "7.1.0, but", "init` with `-upgrade`");
    let ward = Ward::healthy(ZIPS);
    ward.project.write("dist/page/config.js", &CONFIG.replace("https://b.example", ""));
    expect(&ward, "page", "missing", "SSE_BASE_URL", "./justw apply");
}

#[test]
fn offline_nothing_is_asked_of_aws() {
    let ward = Ward::healthy(ZIPS);
    ward.program("aws", "echo asked >> \"$HOME/asked\"");
    let run = ward.doctor_with(&[("AWS_PROFILE", "work")], &["--offline"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!ward.home.path().join("asked").exists());
    assert!(run.stdout.contains("profile `work`") && !run.stdout.contains("identity"), "{run:?}");
}

#[test]
fn credentials_are_found_in_files_and_the_region_is_compared() {
    let ward = Ward::healthy(ZIPS);
    let run = ward.doctor_with(&[("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_REGION", "eu-west-1")], &[]);
    // A key without its secret is none; but AWS knows the caller: a machine's role.
    assert!(run.stdout.contains("those of this machine's role"), "{run:?}");
    assert!(run.stdout.contains("`project.region` is us-east-1, the environment says eu-west-1"), "{run:?}");
    assert_eq!(run.code, 0);
    std::fs::create_dir(ward.home.path().join(".aws")).unwrap();
    std::fs::write(ward.home.path().join(".aws/credentials"), "[default]\n").unwrap();
    let run = ward.doctor_with(&[], &[]);
    assert!(run.stdout.contains("/.aws/credentials`"), "{run:?}");
}

#[test]
fn another_environment_has_its_own_root_and_functions() {
    let ward = Ward::healthy(&format!("{ZIPS}[env.prod]\n"));
    ward.project.run(&["--env", "prod", "render"]).done();
    let run = ward.doctor(&["--env", "prod"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("terraform -chdir=generated/prod/terraform init"), "{run:?}");
    assert!(run.stdout.contains("`dist/prod/page/config.js` is not there"), "{run:?}");
    assert!(run.stdout.contains("unexpected: lambda get-policy --function-name sse-streaming-prod-stream"), "{run:?}");
    let local = ward.doctor(&["--env", "local"]);
    assert_eq!((local.code, local.stdout.lines().count()), (1, 2), "{local:?}");
}

#[test]
fn the_real_terraform_is_understood() {
    let ward = Ward::healthy(ZIPS);
    let path = std::env::var_os("PATH").unwrap();
    let with_real = std::env::split_paths(&path).collect::<Vec<_>>();
    let real = with_real.iter().map(|folder| folder.join("terraform")).find(|program| program.is_file());
    let real = real.expect("terraform is not on PATH: run `./justw it`, which sets it up");
    ward.without("terraform");
    std::os::unix::fs::symlink(real, ward.programs.path().join("terraform")).unwrap();
    let (status, found, _) = only(&json_run(&ward), "terraform");
    assert_eq!(status, "ok", "{found}");
}
