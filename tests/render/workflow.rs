//! The rendered workflow, run as GitHub runs it: each job in a fresh checkout, the shell lines of its steps one after the other, and
//! in the place of each action what it does. It ends in deployed environments, in an AWS in memory; only the compiler and GitHub's
//! own command line are programs that write down what they were asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::account::{Account, manifest};
use super::{moto, programs, workspace};
use crate::support::local::Local;

const BUCKET: &str = "sse-streaming-state-0123456789";
const CI: &str = "[terraform.backend]\nkind = \"s3\"\nbucket = \"sse-streaming-state-0123456789\"\n\
                  [ci]\nprovider = \"github\"\nrepository = \"example/live\"\n\
                  [env.prod.project]\nregion = \"eu-central-1\"\n[env.try.ci]\nprovider = \"none\"\n";
/// Variables that a shell line has of nobody but a step before it.
const CREDENTIALS: [&str; 5] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"];

/// A repository on GitHub, and the account that its workflow deploys to.
struct Repository {
    account: Account,
    /// What the fake programs write down, outside of every checkout.
    records: TempDir,
    /// Variables of the repository, and those of each environment.
    variables: BTreeMap<String, String>,
    of_environments: BTreeMap<String, BTreeMap<String, String>>,
}

/// What became of a run.
#[derive(Debug, Default)]
struct Outcome {
    /// Jobs that ran to their end, in that order.
    done: Vec<String>,
    /// Roles that were taken on: job, role and region.
    roles: Vec<(String, String, String)>,
    /// What was built in each job: a line for each call of the compiler.
    built: Vec<(String, Vec<String>)>,
}

impl Repository {
    /// A repository whose rendered files are committed, and whose bootstrap roots were applied by a person.
    fn new(local: &Local) -> Self {
        let account = Account::new(&format!("{}{CI}", manifest(local, "128 MiB")));
        let records = tempfile::tempdir().unwrap();
        let mut repository = Self { account, records, variables: BTreeMap::new(), of_environments: BTreeMap::new() };
        repository.commit();
        for (environment, folder) in [("dev", "generated"), ("prod", "generated/prod")] {
            let outputs = repository.bootstrap(&format!("{folder}/bootstrap"));
            let role = |name: &str| outputs[name]["value"].as_str().unwrap().to_owned();
            let reads = format!("PLAN_ROLE_ARN_{}", environment.to_uppercase());
            repository.variables.insert(reads, role("plan_role_arn"));
            let deploys = BTreeMap::from([("DEPLOY_ROLE_ARN".to_owned(), role("deploy_role_arn"))]);
            repository.of_environments.insert(environment.to_owned(), deploys);
        }
        repository
    }

    /// Writes what the repository has in it: the project's scripts and page, sources, and everything rendered.
    fn commit(&self) {
        let project = &self.account.project;
        // Zips are of no repository.
        std::fs::remove_dir_all(project.path().join("dist")).unwrap();
        std::fs::remove_dir_all(project.path().join("generated")).unwrap();
        for from in ["justw", "justfile", "tools", "frontend"] {
            copied(&workspace().join(from), &project.path().join(from));
        }
        for source in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"] {
            project.write(source, "");
        }
        for source in ["contract", "stream_core", "lambda"] {
            project.write(&format!("{source}/src/lib.rs"), "//! A program.\n");
        }
        project.run(&["render"]).done();
        let workflow = project.read("generated/workflow.yml");
        project.write(".github/workflows/deploy.yml", &workflow);
        for (environment, region) in [("", "us-east-1"), ("prod/", "eu-central-1")] {
            let name = if environment.is_empty() { "dev" } else { "prod" };
            let backend = format!(
                "terraform {{\n  backend \"s3\" {{\n    bucket = \"{BUCKET}\"\n    key = \"{name}\"\n    \
                 region = \"{region}\"\n    use_path_style = true\n    use_lockfile = true\n    \
                 skip_credentials_validation = true\n    skip_requesting_account_id = true\n  }}\n}}\n"
            );
            project.write(&format!("generated/{environment}terraform/zz_override.tf"), &(backend + moto::PROVIDER));
            // Whoever applied it had its state at hand.
            let local = format!("terraform {{\n  backend \"local\" {{}}\n}}\n{}", moto::PROVIDER);
            project.write(&format!("generated/{environment}bootstrap/zz_override.tf"), &local);
        }
        let records = self.records.path().display();
        programs::compiler(
            &project.path().join("tools/programs.sh"),
            &format!(
                "[ -z \"${{AWS_SECRET_ACCESS_KEY:-}}\" ] || {{ echo 'the compiler has credentials' >&2; exit 1; }}\n\
                 echo \"$*\" >>'{records}/built'"
            ),
        );
        programs::cargo(self.account.programs.path());
        self.account.program("rustup", &format!("echo \"rustup $*\" >>'{records}/rustup'"));
        self.account.program(
            "gh",
            &format!(
                "for last; do :; done\n[ -n \"$GH_TOKEN\" ] || exit 1\nprintf '%s\\n' \"$*\" >>'{records}/gh'\n\
                 cp \"$last\" '{records}/comment'"
            ),
        );
    }

    /// Applies a bootstrap root and returns its outputs.
    fn bootstrap(&self, root: &str) -> Value {
        let terraform = |arguments: &[&str]| {
            let chdir = format!("-chdir={root}");
            let mut command = self.account.command("tools/terraform-config.sh", &["--unless-configured"]);
            let configuration = String::from_utf8(command.output().unwrap().stdout).unwrap();
            let mut command = self.account.command("terraform", &[&[chdir.as_str()], arguments].concat());
            command.envs(configuration.trim().split_once('='));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{root}: {output:?}");
            output.stdout
        };
        terraform(&["init", "-input=false"]);
        terraform(&["apply", "-auto-approve", "-input=false"]);
        serde_json::from_slice(&terraform(&["output", "-json"])).unwrap()
    }

    /// Takes away what a fake program wrote down.
    fn taken(&self, record: &str) -> String {
        let path = self.records.path().join(record);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::remove_file(path).ok();
        text
    }

    /// Runs the workflow for an event; every job and every step must succeed.
    fn run(&self, event: &[(&str, &str)]) -> Outcome {
        let text = self.account.project.read(".github/workflows/deploy.yml");
        let workflow: Value = yaml_serde::from_str(&text).unwrap();
        let mut waiting: BTreeMap<&String, &Value> = workflow["jobs"].as_object().unwrap().iter().collect();
        let (mut outcome, mut skipped) = (Outcome::default(), BTreeSet::new());
        while !waiting.is_empty() {
            let needs = |job: &Value| -> Vec<String> {
                let needs = job["needs"].as_array().into_iter().flatten();
                needs.map(|need| need.as_str().unwrap().to_owned()).collect()
            };
            let is_over = |need: &String| outcome.done.contains(need) || skipped.contains(need);
            let next = waiting.iter().find(|(_, job)| needs(job).iter().all(is_over));
            let (&name, &job) = next.expect("jobs do not wait for each other in a circle");
            waiting.remove(name);
            let context = self.context(event, job);
            if needs(job).iter().any(|need| skipped.contains(need)) || !context.holds(&job["if"]) {
                skipped.insert(name.clone());
                continue;
            }
            self.job(name, job, &context, &mut outcome);
            outcome.done.push(name.clone());
        }
        outcome
    }

    /// What expressions of a job may name.
    fn context(&self, event: &[(&str, &str)], job: &Value) -> Context {
        let mut values: BTreeMap<String, String> =
            event.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        values.insert("github.repository".to_owned(), "example/live".to_owned());
        values.insert("github.token".to_owned(), "token-of-this-run".to_owned());
        let environment = job["environment"].as_str();
        let of_environment = environment.and_then(|name| self.of_environments.get(name));
        for (name, value) in self.variables.iter().chain(of_environment.into_iter().flatten()) {
            values.insert(format!("vars.{name}"), value.clone());
        }
        Context(values)
    }

    fn job(&self, name: &str, job: &Value, context: &Context, outcome: &mut Outcome) {
        let machine = tempfile::tempdir().unwrap();
        let checkout = machine.path().join("checkout");
        let mut environment: BTreeMap<String, String> = BTreeMap::new();
        for step in job["steps"].as_array().unwrap().iter().filter(|step| context.holds(&step["if"])) {
            let action = step["uses"].as_str().and_then(|uses| uses.split('@').next());
            match action {
                Some("actions/checkout") => self.check_out(&checkout),
                // The machine has one.
                Some("hashicorp/setup-terraform") => {}
                Some("aws-actions/configure-aws-credentials") => {
                    assert_eq!(job["permissions"]["id-token"], "write", "{name}: GitHub signs no token");
                    let with = |key: &str| context.filled(step["with"][key].as_str().unwrap());
                    let (role, region) = (with("role-to-assume"), with("aws-region"));
                    let values = ["test", "test", "test", region.as_str(), region.as_str()];
                    environment.extend(CREDENTIALS.iter().zip(values).map(|(k, v)| ((*k).to_owned(), v.to_owned())));
                    outcome.roles.push((name.to_owned(), role, region));
                }
                Some(other) => panic!("{name}: nobody said what {other} does"),
                None => self.shell(name, &checkout, step, context, &environment),
            }
        }
        outcome.built.push((name.to_owned(), self.taken("built").lines().map(str::to_owned).collect()));
    }

    fn check_out(&self, folder: &Path) {
        copied(self.account.project.path(), folder);
        // What a person's applies left there is not committed.
        for root in ["generated/bootstrap", "generated/prod/bootstrap"] {
            std::fs::remove_dir_all(folder.join(root).join(".terraform")).unwrap();
            std::fs::remove_file(folder.join(root).join("terraform.tfstate")).unwrap();
        }
        // Set up before, as an image of a runner is.
        std::os::unix::fs::symlink(workspace().join(".tools"), folder.join(".tools")).unwrap();
    }

    /// Runs a shell line. GitHub starts `bash -e` where a step names no shell.
    fn shell(
        &self,
        job: &str,
        checkout: &Path,
        step: &Value,
        context: &Context,
        environment: &BTreeMap<String, String>,
    ) {
        let line = step["run"].as_str().expect("a step uses an action or runs a line");
        let script = checkout.with_file_name("step.sh");
        std::fs::write(&script, line).unwrap();
        let mut command = self.account.command("bash", &["-e", script.to_str().unwrap()]);
        for name in CREDENTIALS {
            command.env_remove(name);
        }
        let own = step["env"].as_object().into_iter().flatten();
        let own = own.map(|(name, value)| (name.clone(), context.filled(value.as_str().unwrap())));
        command.current_dir(checkout).env("GITHUB_REPOSITORY", "example/live").env("CI", "true");
        let output = command.envs(environment).envs(own).output().unwrap();
        let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{job}: {line}\n{}\n{}", said(&output.stdout), said(&output.stderr));
    }
}

/// Copies a file or a folder with everything in it.
fn copied(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-R").args([from, to]).status().unwrap();
    assert!(status.success(), "{}", from.display());
}

/// What expressions may name, with its values; what is not there is empty.
struct Context(BTreeMap<String, String>);

impl Context {
    fn value(&self, term: &str) -> String {
        match term.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            Some(literal) => literal.to_owned(),
            None => self.0.get(term).cloned().unwrap_or_default(),
        }
    }

    /// Replaces `${{ NAME }}`.
    fn filled(&self, text: &str) -> String {
        match text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) {
            Some(name) => self.value(name),
            None => text.to_owned(),
        }
    }

    /// Whether a condition holds: comparisons joined by `&&`, one group of which may be joined by `||` in parentheses. None holds.
    fn holds(&self, condition: &Value) -> bool {
        let compared = |text: &str| {
            let (left, right, is_equal) = match (text.split_once(" == "), text.split_once(" != ")) {
                (Some((left, right)), None) => (left, right, true),
                (None, Some((left, right))) => (left, right, false),
                _ => panic!("this test does not understand `{text}`"),
            };
            (self.value(left.trim()) == self.value(right.trim())) == is_equal
        };
        let group = |text: &str| text.trim_matches(['(', ')']).split(" || ").any(compared);
        condition.as_str().is_none_or(|text| text.split(" && ").all(group))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_told_its_plans_and_a_push_deploys_one_environment_after_the_other() {
    let local = Local::start(&[]).await;
    let repository = Repository::new(&local);
    let before = repository.account.moto.inventory();

    let pull_request = [
        ("github.event_name", "pull_request"),
        ("github.ref", "refs/pull/7/merge"),
        ("github.event.pull_request.number", "7"),
    ];
    let fork = [&pull_request[..], &[("github.event.pull_request.head.repo.full_name", "somebody/live")]].concat();
    assert_eq!(repository.run(&fork).done, ["check"]);
    let own = [&pull_request[..], &[("github.event.pull_request.head.repo.full_name", "example/live")]].concat();
    let planned = repository.run(&own);
    assert_eq!(planned.done, ["check", "plan"]);
    let roles = |outcome: &Outcome| -> Vec<String> {
        outcome.roles.iter().map(|(job, role, region)| format!("{job} {} {region}", last(role))).collect()
    };
    let expected = ["plan sse-streaming-dev-plan us-east-1", "plan sse-streaming-prod-plan eu-central-1"];
    assert_eq!(roles(&planned), expected);
    let told = "pr comment 7 --repo example/live --edit-last --create-if-none --body-file plan.md\n";
    assert_eq!(repository.taken("gh"), told);
    let comment = repository.taken("comment");
    let sections: Vec<&str> = comment.lines().filter(|line| line.starts_with("### ")).collect();
    assert_eq!(sections, ["### sse-streaming-dev: 31 new", "### sse-streaming-prod: 31 new"], "{comment}");
    assert_eq!(repository.account.moto.inventory(), before, "a pull request changes nothing");

    let push = |branch: &'static str| [("github.event_name", "push"), ("github.ref", branch)];
    assert_eq!(repository.run(&push("refs/heads/other")).done, ["check"]);
    let deployed = repository.run(&push("refs/heads/main"));
    assert_eq!(deployed.done, ["check", "deploy-dev", "deploy-prod"]);
    let expected =
        ["deploy-dev sse-streaming-dev-deploy us-east-1", "deploy-prod sse-streaming-prod-deploy eu-central-1"];
    assert_eq!(roles(&deployed), expected);
    for (job, calls) in &deployed.built {
        let expected: &[&str] = if job == "check" { &[] } else { &["arm64 gnu stream dashboard"] };
        assert_eq!(calls, expected, "{job}");
    }
    assert_eq!(live(&repository.account, "dev", "us-east-1"), json!("1"));
    assert_eq!(live(&repository.account, "prod", "eu-central-1"), json!("1"));
    assert!(!repository.account.moto.inventory().to_string().contains("sse-streaming-try"));

    // The next run, on another machine, finds what is there by its state.
    let states = repository.account.aws(&["s3api", "list-objects-v2", "--bucket", BUCKET]);
    let keys: Vec<&str> =
        states["Contents"].as_array().unwrap().iter().map(|one| one["Key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["dev", "prod"]);
}

/// The last part of a role's ARN.
fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// The version of the stream function that viewers get.
fn live(account: &Account, environment: &str, region: &str) -> Value {
    let name = format!("sse-streaming-{environment}-stream");
    let alias = ["lambda", "get-alias", "--region", region, "--function-name", &name, "--name", "live"];
    account.aws(&alias)["FunctionVersion"].clone()
}
