//! What a company's account asks for, in the plan of both roots and in an account in memory.

use serde_json::{Value, json};

use super::Project;
use super::account::{Account, ROOT};
use super::moto::Moto;
use super::plans::{artifacts, resources};
use super::programs::good_terraform;
use super::terraform::{Root, with_local_state};

/// The account that the AWS in memory is of, and another one.
const ACCOUNT: &str = "123456789012";
const OTHER: &str = "210987654321";
const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/team/boundary";

/// A key of the fixture: its digits are all the same.
fn key(digit: char) -> String {
    let part = |length| digit.to_string().repeat(length);
    let id = [8, 4, 4, 4, 12].map(part).join("-");
    format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/{id}")
}

/// Plans a root with an account in memory, as Terraform prints it for programs.
fn planned(root: &Root<'_>) -> Value {
    root.done(&["plan", "-out=company.bin"]);
    let (is_shown, said) = root.run(&["show", "-json", "company.bin"]);
    assert!(is_shown, "{said}");
    serde_json::from_str(&said).unwrap()
}

fn policy(role_policy: &Value) -> Value {
    serde_json::from_str(role_policy["policy"].as_str().expect("it is known before apply")).unwrap()
}

fn statement<'p>(policy: &'p Value, sid: &str) -> &'p Value {
    let mut statements = policy["Statement"].as_array().unwrap().iter();
    statements.find(|statement| statement["Sid"] == sid).unwrap_or_else(|| panic!("{sid} is in {policy:#}"))
}

#[test]
fn every_role_is_bounded_and_everything_kept_is_under_its_key() {
    let moto = Moto::start();
    let project = Project::rendered("company").with_page();
    let backend = with_local_state(&project, ROOT);
    for line in [format!("kms_key_id          = \"{}\"", key('0')), format!("allowed_account_ids = [\"{ACCOUNT}\"]")] {
        assert!(backend.contains(&line), "{backend}");
    }
    let root = Root::new(&project, ROOT).with_artifacts(&artifacts()).in_memory(&moto);
    let plan = planned(&root);
    for role in ["stream", "dashboard"] {
        let module = resources(&plan, role);
        let found = &module["aws_iam_role.this"];
        assert_eq!(
            (&found["permissions_boundary"], &found["path"]),
            (&json!(BOUNDARY), &json!("/team/live/")),
            "{role}"
        );
        assert_eq!(module["aws_lambda_function.this"]["kms_key_arn"], key('2'), "{role}");
        assert_eq!(module["aws_cloudwatch_log_group.this"]["kms_key_id"], key('2'), "{role}");
        let logging = &module["aws_lambda_function.this"]["logging_config"][0];
        let found = (&logging["log_format"], &logging["application_log_level"], &logging["system_log_level"]);
        assert_eq!(found, (&json!("JSON"), &json!("DEBUG"), &json!("WARN")), "{role}");
        let text = project.read(&format!("{ROOT}/{role}.tf"));
        let (_, decrypt) = text.split_once("\"DecryptTables\"").expect("it reads tables under keys");
        let statement = decrypt.split("}\n      },").next().unwrap();
        assert!(statement.contains(&format!("Resource = [\n          \"{}\",\n          \"{}\",", key('1'), key('3'))));
        assert!(statement.contains("\"kms:ViaService\" = \"dynamodb.eu-west-1.amazonaws.com\""), "{statement}");
    }
    let found = resources(&plan, "");
    for (table, digit) in [("items", '1'), ("users", '3'), ("hours", '1')] {
        let encryption = &found[&format!("aws_dynamodb_table.{table}")]["server_side_encryption"][0];
        assert_eq!((&encryption["enabled"], &encryption["kms_key_arn"]), (&json!(true), &json!(key(digit))), "{table}");
    }
    let rule = &found["aws_s3_bucket_server_side_encryption_configuration.page"]["rule"][0];
    let default = &rule["apply_server_side_encryption_by_default"][0];
    assert_eq!((&default["sse_algorithm"], &default["kms_master_key_id"]), (&json!("aws:kms"), &json!(key('0'))));
    assert_eq!(found["aws_sns_topic.alarms"]["kms_master_key_id"], key('0'));
    // Without one of its own a table is said to have AWS's: the provider keeps what is left out.
    let plain = Project::rendered("default").read(&format!("{ROOT}/tables.tf"));
    let own = plain.matches("server_side_encryption {\n    enabled = false\n  }").count();
    assert!(own == 2 && !plain.contains("kms_key_arn"), "{plain}");
}

#[test]
fn the_bootstrap_root_is_bounded_too_and_stays_as_it_was_applied() {
    let moto = Moto::start();
    let project = Project::rendered("company");
    with_local_state(&project, "generated/bootstrap");
    let root = Root::new(&project, "generated/bootstrap").in_memory(&moto);
    let plan = planned(&root);
    let found = resources(&plan, "");
    for role in ["deploy", "plan"] {
        let found = &found[&format!("aws_iam_role.{role}")];
        assert_eq!(
            (&found["permissions_boundary"], &found["path"]),
            (&json!(BOUNDARY), &json!("/team/live/")),
            "{role}"
        );
    }
    let repository = &found["aws_ecr_repository.functions"]["encryption_configuration"][0];
    assert_eq!((&repository["encryption_type"], &repository["kms_key"]), (&json!("KMS"), &json!(key('0'))));
    let rule = &found["aws_s3_bucket_server_side_encryption_configuration.state"]["rule"][0];
    assert_eq!(rule["apply_server_side_encryption_by_default"][0]["kms_master_key_id"], key('0'));

    let deploy = policy(&found["aws_iam_role_policy.deploy"]);
    let roles = ["stream", "dashboard"].map(|role| format!("arn:aws:iam::*:role/team/live/sse-streaming-dev-{role}"));
    let bounded = statement(&deploy, "BoundedRoles");
    assert_eq!(bounded["Resource"], json!(roles));
    assert_eq!(bounded["Condition"], json!({ "StringEquals": { "iam:PermissionsBoundary": BOUNDARY } }));
    // No other statement makes a role, gives one a right or takes the boundary off.
    let gives = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePermissionsBoundary", "iam:PutRolePolicy"];
    for one in deploy["Statement"].as_array().unwrap().iter().filter(|one| one["Sid"] != "BoundedRoles") {
        let actions = one["Action"].as_array().unwrap();
        assert!(!actions.iter().any(|action| gives.contains(&action.as_str().unwrap())), "{one:#}");
    }
    let keys = statement(&deploy, "UseKeys");
    assert_eq!(keys["Resource"], json!([key('0'), key('1'), key('2'), key('3')]));
    assert_eq!(statement(&deploy, "GrantKeys")["Condition"]["Bool"], json!({ "kms:GrantIsForAWSResource": "true" }));
    let plan_role = policy(&found["aws_iam_role_policy.plan"]);
    assert_eq!(statement(&plan_role, "UseKeys")["Action"], json!(["kms:Decrypt", "kms:DescribeKey"]));
    assert!(!plan_role.to_string().contains("GrantKeys"));

    super::apply::apply_all(&root);
}

#[test]
fn another_account_is_refused_before_anything_is_planned() {
    let moto = Moto::start();
    let project = Project::new(&format!("[aws]\naccount_ids = [\"{OTHER}\"]\n[stream]\npackage = \"image\"\n"));
    project.run(&["render"]).done();
    for path in [ROOT, "generated/bootstrap"] {
        let root = Root::new(&project, path).with_artifacts(&artifacts()).in_memory(&moto);
        let (is_planned, said) = root.run(&["plan", "-no-color", "-input=false", "-lock=false"]);
        assert!(!is_planned && said.contains(&format!("AWS account ID not allowed: {ACCOUNT}")), "{path}: {said}");
        assert!(!said.contains("Plan:"), "{path}: {said}");
    }
}

#[test]
fn every_command_says_whose_the_credentials_are_before_it_runs_terraform() {
    let account = Account::new(&format!("[aws]\naccount_ids = [\"{OTHER}\", \"{OTHER}\"]\n"));
    std::fs::remove_file(account.programs.path().join("terraform")).unwrap();
    account.program("terraform", &good_terraform("*) echo \"started: $*\" >&2; exit 1 ;;"));
    let sentence =
        format!("the credentials are of account {ACCOUNT}, and `aws.account_ids` allows {OTHER} and {OTHER}");
    for command in [
        &["deploy", "--yes", "--no-smoke"][..],
        &["status"],
        &["logs"],
        &["rollback"],
        &["destroy", "--yes"],
        &["put", "--label", "positive"],
    ] {
        let run = account.run(command);
        assert_eq!(run.code, 1, "{command:?}: {run:?}");
        assert!(run.stderr.contains(&sentence), "{command:?}: {run:?}");
        assert!(!run.stderr.contains("started"), "{command:?}: {run:?}");
    }
    assert_eq!(account.moto.inventory(), json!({}));
}

#[test]
fn a_role_of_another_account_makes_everything_and_is_asked_about_it() {
    let role = format!("arn:aws:iam::{OTHER}:role/deploy");
    let account = Account::new(&format!(
        "[aws]\naccount_ids = [\"{OTHER}\"]\n[aws.assume_role]\nrole_arn = \"{role}\"\nexternal_id = \"live\"\n"
    ));
    let deployed = account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert!(deployed.stderr.contains(&format!("account {OTHER}, arn:aws:sts::{OTHER}:assumed-role/deploy/infragen")));
    // Whoever has the credentials sees nothing of it.
    let tables = account.aws(&["dynamodb", "list-tables"]);
    assert_eq!(tables["TableNames"], json!([]));
    let status = account.run(&["status"]).done();
    assert_eq!(status.stdout.matches("active, version 1").count(), 2, "{status:?}");
}

/// Makes a table in the account: keys, and an index with a projection, as the AWS command line wants them.
fn table(account: &Account, name: &str, keys: (&str, &str), index: Option<&str>) {
    let key = |(hash, range): (&str, &str)| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    let mut names = vec![keys.0, keys.1];
    let mut request = json!({ "TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": key(keys) });
    if let Some(projection) = index {
        names.push("sentiment");
        request["GlobalSecondaryIndexes"] = json!([{
            "IndexName": "by_sentiment",
            "KeySchema": key(("sentiment", "timestamp")),
            "Projection": { "ProjectionType": projection },
        }]);
    }
    request["AttributeDefinitions"] =
        names.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" })).collect();
    account.aws(&["dynamodb", "create-table", "--cli-input-json", &request.to_string()]);
}

#[test]
fn what_somebody_elses_table_lacks_is_said_by_the_plan() {
    let account = Account::new(
        "[tables.items]\nname = \"theirs\"\ncreate = false\n[tables.users]\nname = \"people\"\ncreate = false\n",
    );
    account.project.run(&["render"]).done();
    let plan = || {
        let root = Root::new(&account.project, ROOT).in_memory(&account.moto);
        let (is_planned, said) = root.run(&["plan", "-no-color", "-input=false", "-lock=false"]);
        (is_planned, said.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" "))
    };
    table(&account, "people", ("PK", "SK"), None);
    let remove = || account.aws(&["dynamodb", "delete-table", "--table-name", "theirs"]);
    for (keys, index, lacks) in [
        (
            ("id", "timestamp"),
            Some("ALL"),
            "`theirs` has other keys than deploy.toml says: it needs the hash key `source_id`",
        ),
        (("source_id", "timestamp"), None, "`theirs` has no index `by_sentiment` with the hash key `sentiment`"),
        (
            ("source_id", "timestamp"),
            Some("KEYS_ONLY"),
            "The index `by_sentiment` of `theirs` lacks columns that deploy.toml maps",
        ),
    ] {
        table(&account, "theirs", keys, index);
        let (is_planned, said) = plan();
        assert!(!is_planned && said.contains(lacks), "{lacks}: {said}");
        remove();
    }
    table(&account, "theirs", ("source_id", "timestamp"), Some("ALL"));
    let (is_planned, said) = plan();
    assert!(is_planned, "{said}");
}

#[test]
fn a_kill_switch_is_thrown_and_taken_back() {
    let stopped = "[stream]\nreserved_concurrency = 0\n";
    let account = Account::new("");
    let deploy = || account.run(&["deploy", "--yes", "--no-smoke"]).done();
    deploy();
    let reserve = || {
        let of = ["lambda", "get-function-concurrency", "--function-name", "sse-streaming-dev-stream"];
        account.aws(&of)["ReservedConcurrentExecutions"].clone()
    };
    assert_eq!(reserve(), Value::Null);
    account.project.write("deploy.toml", stopped);
    let thrown = deploy();
    assert!(thrown.stderr.contains("function sse-streaming-dev-stream"), "{thrown:?}");
    assert!(!thrown.stderr.contains("replaced"), "{thrown:?}");
    assert_eq!(reserve(), json!(0));
    account.project.write("deploy.toml", "");
    deploy();
    assert_eq!(reserve(), Value::Null);
    // The same versions as before: nothing of the program changed.
    assert_eq!(account.live(), ["1", "1"]);
}
