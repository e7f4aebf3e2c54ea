//! The workflow of GitHub Actions: a value that serde prints, so that no text of the manifest can end up as YAML.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::artifact::{Artifact, RenderError};
use crate::ci::{DeployedPlan, WorkflowPlan};
use crate::signature::SIGNATURE;

/// Where it is rendered.
pub(super) const PATH: &str = "generated/workflow.yml";
/// Where GitHub looks for it.
const RUNS_FROM: &str = ".github/workflows/deploy.yml";
/// The machine that it runs on.
const RUNNER: &str = "ubuntu-24.04";
/// Minutes after which a job is given up: a first build of everything takes about a third of it.
const JOB_MINUTES: u64 = 45;

/// An action at one commit. A tag can be moved to another commit by whoever has the action's repository; a commit cannot.
///
/// Each pair of version and commit was found in the public workflows of several unrelated owners; it could not be
/// compared with the action's own repository from where this was written.
struct Action {
    name: &'static str,
    version: &'static str,
    commit: &'static str,
}

const CHECKOUT: Action =
    Action { name: "actions/checkout", version: "v5.0.0", commit: "08c6903cd8c0fde910a37f88322edcfb5dd907a8" };
const SETUP_TERRAFORM: Action =
    Action { name: "hashicorp/setup-terraform", version: "v3.1.2", commit: "b9cd54a3c349d3f38e8881555d616ced269862dd" };
const CREDENTIALS: Action = Action {
    name: "aws-actions/configure-aws-credentials",
    version: "v5.0.0",
    commit: "a03048d87541d1d9fcf2ecf528a4a65ba9bd7838",
};

#[derive(Serialize)]
struct Workflow<'a> {
    name: String,
    on: Triggers<'a>,
    permissions: Permissions,
    jobs: Jobs,
}

#[derive(Serialize)]
struct Triggers<'a> {
    pull_request: Branches<'a>,
    push: Branches<'a>,
}

#[derive(Serialize)]
struct Branches<'a> {
    branches: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Permissions {
    contents: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_requests: Option<&'static str>,
}

impl Permissions {
    /// To read the repository.
    const READ: Self = Self { contents: "read", id_token: None, pull_requests: None };
    /// To take on a role in AWS as well.
    const SIGNED: Self = Self { id_token: Some("write"), ..Self::READ };
}

/// Jobs in the order in which they run.
struct Jobs(Vec<(String, Job)>);

impl Serialize for Jobs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, job)| (id, job)))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Job {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<String>,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    /// GitHub's environment, whose rules stand before the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    runs_on: &'static str,
    timeout_minutes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<Concurrency>,
    steps: Vec<Step>,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            name: String::new(),
            needs: Vec::new(),
            condition: None,
            environment: None,
            runs_on: RUNNER,
            timeout_minutes: JOB_MINUTES,
            permissions: None,
            concurrency: None,
            steps: Vec::new(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Concurrency {
    group: String,
    cancel_in_progress: bool,
}

#[derive(Default, Serialize)]
struct Step {
    name: String,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    with: BTreeMap<&'static str, Input>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

/// What an action is told.
#[derive(Serialize)]
#[serde(untagged)]
enum Input {
    Flag(bool),
    Text(String),
}

impl Step {
    /// A step that uses an action; YAML written by serde has no comments, so that the version stands in the name.
    fn uses<const N: usize>(what: &str, action: &Action, with: [(&'static str, Input); N]) -> Self {
        let Action { name, version, commit } = action;
        Self {
            name: format!("{what} ({name} {version})"),
            uses: Some(format!("{name}@{commit}")),
            with: with.into(),
            ..Self::default()
        }
    }

    fn run(what: &str, command: impl Into<String>) -> Self {
        Self { name: what.to_owned(), run: Some(command.into()), ..Self::default() }
    }
}

/// Renders the workflow.
pub(super) fn workflow(plan: &WorkflowPlan) -> Result<Artifact, RenderError> {
    let branches = || Branches { branches: [&plan.branch] };
    let mut jobs = vec![("check".to_owned(), check()), ("plan".to_owned(), plan_job(plan))];
    for environment in &plan.environments {
        // One after the other: what one environment does not take, the next one is not given.
        let before = if jobs.len() > 2 { jobs.last().map(|(id, _)| id.clone()) } else { None };
        let job = deploy(plan, environment, before);
        jobs.push((format!("deploy-{}", environment.name), job));
    }
    let workflow = Workflow {
        name: format!("Deploy {}", plan.project),
        on: Triggers { pull_request: branches(), push: branches() },
        permissions: Permissions::READ,
        jobs: Jobs(jobs),
    };
    let yaml = serde_saphyr::to_string(&workflow)
        .map_err(|source| RenderError::Yaml { path: PATH.to_owned(), source: Box::new(source) })?;
    let text = format!("# {SIGNATURE}\n{}\n{}\n", head(plan), yaml.trim_end());
    Ok(Artifact { path: PATH.to_owned(), text })
}

/// The variable that holds the role of an environment's plans. It is one of the repository: a pull request is in no environment.
fn plan_variable(environment: &DeployedPlan) -> String {
    format!("PLAN_ROLE_ARN_{}", environment.name.to_uppercase().replace('-', "_"))
}

/// Says what a person sets on GitHub, and where.
fn head(plan: &WorkflowPlan) -> String {
    let mut text = format!(
        "#\n\
         # GitHub runs it from {RUNS_FROM}: copy it there after every change; the first job compares the two.\n\
         # Under Settings of the repository, with outputs of `./justw bootstrap` for each environment:\n"
    );
    for environment in &plan.environments {
        let deploys = match environment.role_arn {
            Some(_) => String::new(),
            None => ", with the variable DEPLOY_ROLE_ARN (output `deploy_role_arn`)".to_owned(),
        };
        let reads = match environment.role_arn {
            Some(_) => "a role that may only read; without it pull requests get no plan of it",
            None => "output `plan_role_arn`",
        };
        let (name, branch, variable) = (&environment.name, &plan.branch, plan_variable(environment));
        text += &format!(
            "#   Environments, `{name}`: only the branch {branch}, whoever must agree{deploys}\n\
             #   Secrets and variables, Actions, Variables, {variable}: {reads}\n"
        );
    }
    text + "# Roles are names, not secrets. Protect the branch: what is merged is deployed.\n"
}

/// Runs on forks' pull requests too, and needs nothing but the repository.
fn check() -> Job {
    Job {
        name: "Check".to_owned(),
        steps: vec![
            check_out(),
            toolchain(),
            Step::run("Is everything rendered up to date?", "./justw check"),
            Step::run("Is this the rendered workflow?", format!("cmp {PATH} {RUNS_FROM}")),
        ],
        ..Job::default()
    }
}

/// Plans every environment that has a role for it, into one comment with a section of each.
fn plan_job(plan: &WorkflowPlan) -> Job {
    let mut steps = vec![check_out(), toolchain()];
    let has_zip = plan.environments.iter().any(|environment| environment.has_zip);
    steps.extend(has_zip.then(|| Step::run("Build the archives", "./justw package")));
    let mut installed = None;
    for environment in &plan.environments {
        let DeployedPlan { name, terraform_version, .. } = environment;
        let variable = plan_variable(environment);
        let condition = format!("vars.{variable} != ''");
        // The next environment may count on what this one installs, so that is under no condition.
        if installed.replace(terraform_version) != Some(terraform_version) {
            steps.push(terraform(environment));
        }
        // Images are pushed from the branch only: the plan shows a digest of zeros for what a merge would push.
        let planned = format!("./justw deploy --env {name} --plan >> plan.md");
        for step in [
            credentials(environment, format!("${{{{ vars.{variable} }}}}")),
            Step::run(&format!("Plan {name}"), planned),
        ] {
            steps.push(Step { condition: Some(condition.clone()), ..step });
        }
    }
    // The same comment again for every push to the pull request. What is told comes in variables: text of others in a command would
    // be a command.
    steps.push(Step {
        env: [("GH_TOKEN", "${{ github.token }}"), ("PULL_REQUEST", "${{ github.event.pull_request.number }}")].into(),
        ..Step::run(
            "Tell the pull request",
            "gh pr comment \"$PULL_REQUEST\" --repo \"$GITHUB_REPOSITORY\" --edit-last --create-if-none --body-file plan.md",
        )
    });
    let is_any = plan.environments.iter().map(|environment| format!("vars.{} != ''", plan_variable(environment)));
    Job {
        name: "Plan".to_owned(),
        needs: vec!["check".to_owned()],
        condition: Some(format!(
            "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == \
             github.repository && ({})",
            is_any.collect::<Vec<_>>().join(" || ")
        )),
        permissions: Some(Permissions { pull_requests: Some("write"), ..Permissions::SIGNED }),
        steps,
        ..Job::default()
    }
}

fn deploy(plan: &WorkflowPlan, environment: &DeployedPlan, before: Option<String>) -> Job {
    let DeployedPlan { name, base, role_arn, .. } = environment;
    let role = role_arn.clone().unwrap_or_else(|| "${{ vars.DEPLOY_ROLE_ARN }}".to_owned());
    // What is built runs without credentials: a build script of some dependency has nothing to take.
    let mut steps = vec![check_out(), toolchain()];
    steps.extend(environment.has_zip.then(|| Step::run("Build the archives", "./justw package")));
    steps.extend(environment.has_image.then(|| Step::run("Build the images", "./justw image --to-layout")));
    steps.extend([terraform(environment), credentials(environment, role)]);
    let command = format!("./justw deploy --env {name} --yes");
    steps.push(Step::run("Push, plan, apply, and look at the live stream", command));
    Job {
        name: format!("Deploy {name}"),
        needs: std::iter::once("check".to_owned()).chain(before).collect(),
        // GitHub's environment asks who must agree, and AWS asks for the branch: this line keeps the job from being tried in vain.
        condition: Some(format!("github.event_name == 'push' && github.ref == 'refs/heads/{}'", plan.branch)),
        environment: Some(name.clone()),
        // A job that is given up while it watches would leave the share as it is.
        timeout_minutes: JOB_MINUTES + environment.canary_minutes,
        permissions: Some(Permissions::SIGNED),
        // One after the other, and none cut off half done.
        concurrency: Some(Concurrency { group: format!("deploy-{base}"), cancel_in_progress: false }),
        steps,
        ..Job::default()
    }
}

fn check_out() -> Step {
    // No later step has business with the repository's own token.
    Step::uses("Check out", &CHECKOUT, [("persist-credentials", Input::Flag(false))])
}

fn toolchain() -> Step {
    Step::run("Install the compiler of rust-toolchain.toml", "rustup toolchain install")
}

fn terraform(environment: &DeployedPlan) -> Step {
    let version = Input::Text(environment.terraform_version.clone());
    let with = [("terraform_version", version), ("terraform_wrapper", Input::Flag(false))];
    Step::uses("Install Terraform", &SETUP_TERRAFORM, with)
}

fn credentials(environment: &DeployedPlan, role: String) -> Step {
    let with = [("aws-region", Input::Text(environment.region.clone())), ("role-to-assume", Input::Text(role))];
    Step::uses(&format!("Take on the role in {}", environment.name), &CREDENTIALS, with)
}
