//! The workflow of GitHub Actions: a value that serde prints, so that no text of the manifest can end up as YAML.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::artifact::{Artifact, RenderError};
use crate::ci::CiPlan;
use crate::plan::Plan;
use crate::signature::SIGNATURE;

/// Where it is rendered.
pub(super) const PATH: &str = "generated/workflow.yml";
/// Where GitHub looks for it.
const RUNS_FROM: &str = ".github/workflows/deploy.yml";
/// The machine that it runs on.
const RUNNER: &str = "ubuntu-24.04";
/// Minutes after which a job is given up: a first build of everything takes about a third of it.
const JOB_MINUTES: u32 = 45;

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

#[derive(Serialize)]
struct Jobs {
    check: Job,
    plan: Job,
    deploy: Job,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Job {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<&'static str>,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    runs_on: &'static str,
    timeout_minutes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<Concurrency>,
    steps: Vec<Step>,
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
pub(super) fn workflow(plan: &Plan, ci: &CiPlan) -> Result<Artifact, RenderError> {
    let branches = || Branches { branches: [&ci.branch] };
    let workflow = Workflow {
        name: format!("Deploy {}", plan.names.base),
        on: Triggers { pull_request: branches(), push: branches() },
        permissions: Permissions::READ,
        jobs: Jobs { check: check(), plan: plan_job(plan, ci), deploy: deploy(plan, ci) },
    };
    let yaml = serde_saphyr::to_string(&workflow)
        .map_err(|source| RenderError::Yaml { path: PATH.to_owned(), source: Box::new(source) })?;
    let text = format!("# {SIGNATURE}\n{}\n{}\n", head(ci), yaml.trim_end());
    Ok(Artifact { path: PATH.to_owned(), text })
}

fn head(ci: &CiPlan) -> String {
    let deploy_variable = match ci.role_arn {
        Some(_) => "",
        None => "#   DEPLOY_ROLE_ARN  the output `deploy_role_arn`: the role of pushes\n",
    };
    let plan_source = match ci.role_arn {
        Some(_) => "a role that may only read, for pull requests; without it they get no plan",
        None => "the output `plan_role_arn`: the role of pull requests, which may only read",
    };
    format!(
        "#\n\
         # GitHub runs it from {RUNS_FROM}: copy it there after every change; the first job compares the two.\n\
         # Variables that the repository needs (Settings, Secrets and variables, Actions, Variables), from\n\
         # `./justw bootstrap` where it says output:\n\
         {deploy_variable}\
         #   PLAN_ROLE_ARN    {plan_source}\n\
         # Both are names, not secrets. Protect the branch: what is merged is deployed.\n"
    )
}

/// Runs on forks' pull requests too, and needs nothing but the repository.
fn check() -> Job {
    Job {
        name: "Check",
        needs: None,
        condition: None,
        runs_on: RUNNER,
        timeout_minutes: JOB_MINUTES,
        permissions: None,
        concurrency: None,
        steps: vec![
            check_out(),
            toolchain(),
            Step::run("Is everything rendered up to date?", "./justw check"),
            Step::run("Is this the rendered workflow?", format!("cmp {PATH} {RUNS_FROM}")),
        ],
    }
}

fn plan_job(plan: &Plan, ci: &CiPlan) -> Job {
    let mut steps = vec![check_out(), toolchain()];
    steps.extend(ci.has_zip.then(|| Step::run("Build the archives", "./justw package")));
    steps.extend([terraform(ci), credentials(plan, "${{ vars.PLAN_ROLE_ARN }}".to_owned())]);
    // Images are pushed from the branch only: the plan shows a digest of zeros for what a merge would push.
    steps.push(Step::run("Plan", "./justw deploy --plan > plan.md"));
    // The same comment again for every push to the pull request. What is told comes in variables: text of others in a command would
    // be a command.
    steps.push(Step {
        env: [("GH_TOKEN", "${{ github.token }}"), ("PULL_REQUEST", "${{ github.event.pull_request.number }}")].into(),
        ..Step::run(
            "Tell the pull request",
            "gh pr comment \"$PULL_REQUEST\" --repo \"$GITHUB_REPOSITORY\" --edit-last --create-if-none --body-file plan.md",
        )
    });
    Job {
        name: "Plan",
        needs: Some("check"),
        condition: Some(
            "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == \
             github.repository && vars.PLAN_ROLE_ARN != ''",
        ),
        runs_on: RUNNER,
        timeout_minutes: JOB_MINUTES,
        permissions: Some(Permissions { pull_requests: Some("write"), ..Permissions::SIGNED }),
        concurrency: None,
        steps,
    }
}

fn deploy(plan: &Plan, ci: &CiPlan) -> Job {
    let role = ci.role_arn.clone().unwrap_or_else(|| "${{ vars.DEPLOY_ROLE_ARN }}".to_owned());
    // What is built runs without credentials: a build script of some dependency has nothing to take.
    let mut steps = vec![check_out(), toolchain()];
    steps.extend(ci.has_zip.then(|| Step::run("Build the archives", "./justw package")));
    let has_images = !ci.image_roles.is_empty();
    steps.extend(has_images.then(|| Step::run("Build the images", "./justw image --to-layout")));
    steps.extend([terraform(ci), credentials(plan, role)]);
    steps.push(Step::run("Push, plan, apply, and look at the live stream", "./justw deploy --yes"));
    Job {
        name: "Deploy",
        needs: Some("check"),
        condition: Some("github.event_name == 'push'"),
        runs_on: RUNNER,
        timeout_minutes: JOB_MINUTES,
        permissions: Some(Permissions::SIGNED),
        // One after the other, and none cut off half done.
        concurrency: Some(Concurrency { group: format!("deploy-{}", plan.names.base), cancel_in_progress: false }),
        steps,
    }
}

fn check_out() -> Step {
    // No later step has business with the repository's own token.
    Step::uses("Check out", &CHECKOUT, [("persist-credentials", Input::Flag(false))])
}

fn toolchain() -> Step {
    Step::run("Install the compiler of rust-toolchain.toml", "rustup toolchain install")
}

fn terraform(ci: &CiPlan) -> Step {
    let with =
        [("terraform_version", Input::Text(ci.terraform_version.clone())), ("terraform_wrapper", Input::Flag(false))];
    Step::uses("Install Terraform", &SETUP_TERRAFORM, with)
}

fn credentials(plan: &Plan, role: String) -> Step {
    let with = [("aws-region", Input::Text(plan.region.clone())), ("role-to-assume", Input::Text(role))];
    Step::uses("Take on the role", &CREDENTIALS, with)
}
