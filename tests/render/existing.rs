//! What an account has once already is used as it is: a provider of GitHub's tokens, a repository of images, a log group. And the
//! images go to that repository with the rights of the role that the manifest names.

use serde_json::{Value, json};

use super::Project;
use super::account::{Account, ROOT};
use super::apply::{apply_all, state};
use super::moto::Moto;
use super::plans::images;
use super::terraform::{Root, with_local_state};
use crate::image::noise;
use crate::support::nursery;
use crate::support::script::script;

const BOOTSTRAP: &str = "generated/bootstrap";
const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const GROUP: &str = "/company/live";

/// An account that has all of it.
fn inhabited(manifest: &str) -> Account {
    let account = Account::new(manifest);
    account.aws(&["ecr", "create-repository", "--repository-name", "team/live"]);
    account.aws(&["logs", "create-log-group", "--log-group-name", GROUP]);
    let url = ["--url", "https://token.actions.githubusercontent.com", "--client-id-list", "sts.amazonaws.com"];
    account.aws(&[&["iam", "create-open-id-connect-provider"], &url[..]].concat());
    account
}

fn manifest() -> String {
    Project::fixture("existing").read("deploy.toml")
}

#[test]
fn nothing_is_made_that_the_account_has_once_and_nothing_of_it_goes() {
    let account = inhabited(&manifest());
    let theirs = account.moto.inventory();
    account.project.run(&["render"]).done();
    assert!(!account.project.names().contains(&format!("{BOOTSTRAP}/ecr.tf")));
    let text = account.project.read(&format!("{BOOTSTRAP}/ci.tf"));
    assert!(!text.contains("aws_iam_openid_connect_provider"), "{text}");
    for root in [BOOTSTRAP, ROOT] {
        with_local_state(&account.project, root);
    }

    let bootstrap = Root::new(&account.project, BOOTSTRAP).in_memory(&account.moto);
    apply_all(&bootstrap);
    let role = account.aws(&["iam", "get-role", "--role-name", "sse-streaming-dev-deploy"]);
    let trust = &role["Role"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"], json!({ "Federated": PROVIDER }));
    let of = ["iam", "get-role-policy", "--role-name", "sse-streaming-dev-deploy", "--policy-name", "deploy"];
    let policy = account.aws(&of)["PolicyDocument"].to_string();
    assert!(!policy.contains("logs:CreateLogGroup") && !policy.contains("logs:DeleteLogGroup"), "{policy}");
    assert!(policy.contains("arn:aws:ecr:us-east-1:*:repository/team/live"), "{policy}");

    let root = Root::new(&account.project, ROOT).with_artifacts(&images()).in_memory(&account.moto);
    apply_all(&root);
    let made = state(&account.project, ROOT);
    for role in ["stream", "dashboard"] {
        assert!(!made.keys().any(|address| address.contains("aws_cloudwatch_log_group")), "{:?}", made.keys());
        let function = &made[&format!("module.{role}.aws_lambda_function.this")];
        let logging = &function["logging_config"][0];
        assert_eq!((&logging["log_group"], &logging["log_format"]), (&json!(GROUP), &json!("Text")), "{role}");
        let logs = &made[&format!("module.{role}.aws_iam_role_policy.logs")]["policy"];
        let logs: Value = serde_json::from_str(logs.as_str().unwrap()).unwrap();
        let streams = format!("arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:*");
        assert_eq!(logs["Statement"][0]["Resource"], json!([streams]), "{role}");
    }
    let status = account.run(&["status"]);
    assert_eq!(status.stdout.matches(&format!("log {GROUP}\n")).count(), 2, "{status:?}");

    account.project.write(
        "deploy.toml",
        &format!("{}\n[tables]\nitems.deletion_protection = false\nusers.deletion_protection = false\n", manifest()),
    );
    account.project.run(&["render", "--force"]).done();
    for root in [BOOTSTRAP, ROOT] {
        with_local_state(&account.project, root);
    }
    root.done(&["apply", "-auto-approve"]);
    root.done(&["destroy", "-auto-approve"]);
    bootstrap.done(&["destroy", "-auto-approve"]);
    assert_eq!(account.moto.inventory(), theirs);
}

#[test]
fn without_its_name_the_provider_would_be_made_a_second_time() {
    let text = manifest().replace(&format!("oidc_provider_arn = \"{PROVIDER}\"\n"), "");
    let account = inhabited(&text);
    account.project.run(&["render"]).done();
    with_local_state(&account.project, BOOTSTRAP);
    let root = Root::new(&account.project, BOOTSTRAP).in_memory(&account.moto);
    let (is_applied, said) = root.run(&["apply", "-auto-approve", "-no-color"]);
    assert!(!is_applied && said.contains("EntityAlreadyExists"), "{said}");
}

#[test]
fn a_log_group_that_is_not_there_is_said_by_the_plan() {
    let moto = Moto::start();
    let project = Project::new(&format!("[stream]\nlog_group = \"{GROUP}\"\n"));
    project.run(&["render"]).done();
    let root = Root::new(&project, ROOT).with_artifacts(&super::plans::artifacts()).in_memory(&moto);
    let (is_planned, said) = root.run(&["plan", "-no-color", "-input=false"]);
    assert!(!is_planned && said.contains(GROUP) && said.contains("data.aws_cloudwatch_log_group.existing"), "{said}");
}

/// Writes down with whose key each call of the AWS command line is made.
fn watched(account: &Account) {
    let path = account.programs.path();
    std::fs::remove_file(path.join("aws")).unwrap();
    let real = path.join("real");
    std::fs::create_dir(&real).unwrap();
    nursery::aws(&real);
    let calls = path.join("calls");
    let text = format!(
        "echo \"$AWS_ACCESS_KEY_ID $1 $2\" >>'{}'\nexec '{}' \"$@\"",
        calls.display(),
        real.join("aws").display()
    );
    script(&path.join("aws"), &text);
}

#[test]
fn images_are_pushed_with_the_rights_of_the_role_of_each_environment() {
    let role = "arn:aws:iam::210987654321:role/deploy";
    let other = "arn:aws:iam::310987654321:role/deploy";
    let account = Account::new(&format!(
        "[package]\nrepository = \"team/live\"\ncreate_repository = false\n[stream]\npackage = \"image\"\n\
         [aws]\naccount_ids = [\"210987654321\", \"310987654321\"]\n[aws.assume_role]\nrole_arn = \"{role}\"\n\
         [env.far]\nproject.region = \"eu-west-1\"\naws.assume_role.role_arn = \"{other}\"\n"
    ));
    watched(&account);
    account.project.write_bytes("program", &noise("arm64", 1000));
    account.run(&["image", "build", "--function", "stream", "--program", "program"]).done();
    let push = |environment: &[&str]| {
        let pushed = account.run(&[environment, &["image", "push"]].concat());
        let calls = std::fs::read_to_string(account.programs.path().join("calls")).unwrap();
        std::fs::remove_file(account.programs.path().join("calls")).unwrap();
        (pushed, calls)
    };
    for (environment, registry) in [
        (&[][..], "210987654321.dkr.ecr.us-east-1.amazonaws.com"),
        (&["--env", "far"], "310987654321.dkr.ecr.eu-west-1.amazonaws.com"),
    ] {
        let (pushed, calls) = push(environment);
        // Nobody reaches AWS from here; whose registry it would have been is known by then.
        assert!(pushed.code == 1 && pushed.stderr.contains(&format!("{registry}/team/live")), "{pushed:?}");
        let calls: Vec<(&str, &str)> = calls.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert!(calls.contains(&("test", "sts assume-role")), "{calls:?}");
        let others: Vec<_> = calls.iter().filter(|(_, call)| *call != "sts assume-role").collect();
        assert!(others.iter().any(|(_, call)| *call == "ecr get-login-password"), "{calls:?}");
        assert!(others.iter().all(|(key, _)| key.starts_with("ASIA")), "{calls:?}");
    }
}

#[test]
fn images_go_into_no_account_that_the_manifest_does_not_name() {
    let account = Account::new(
        "[aws]\naccount_ids = [\"210987654321\"]\n[package]\nrepository = \"team/live\"\ncreate_repository = false\n\
         [stream]\npackage = \"image\"\n",
    );
    watched(&account);
    account.project.write_bytes("program", &noise("arm64", 1000));
    account.run(&["image", "build", "--function", "stream", "--program", "program"]).done();
    let pushed = account.run(&["image", "push"]);
    assert!(pushed.stderr.contains("the credentials are of account 123456789012"), "{pushed:?}");
    let calls = std::fs::read_to_string(account.programs.path().join("calls")).unwrap();
    assert!(!calls.contains("ecr"), "{calls}");
}

#[test]
fn an_image_of_the_server_is_pushed_with_the_rights_of_the_role_too() {
    let role = "arn:aws:iam::210987654321:role/deploy";
    let account =
        Account::new(&format!("[aws]\naccount_ids = [\"210987654321\"]\n[aws.assume_role]\nrole_arn = \"{role}\"\n"));
    watched(&account);
    account.project.write_bytes("program", &noise("arm64", 1000));
    account.run(&["image", "build", "--function", "server", "--program", "program"]).done();
    let push = |to: &str| account.run(&["image", "push", "--function", "server", "--repository", to]);
    // Nobody reaches AWS from here.
    assert_eq!(push("210987654321.dkr.ecr.us-east-1.amazonaws.com/live").code, 1);
    let calls = std::fs::read_to_string(account.programs.path().join("calls")).unwrap();
    let calls: Vec<String> = calls.lines().map(str::to_owned).collect();
    assert!(calls.contains(&"test sts assume-role".to_owned()), "{calls:?}");
    assert!(calls.iter().any(|call| call.starts_with("ASIA") && call.ends_with("ecr get-login-password")), "{calls:?}");
    assert!(!calls.contains(&"test ecr get-login-password".to_owned()), "{calls:?}");
}
