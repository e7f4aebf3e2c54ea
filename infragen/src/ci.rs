//! Who deploys on a push: what the workflow does, and what the two roles of each environment may.
//!
//! Pull requests get a role of their own that only reads: whoever may open one in the repository decides what runs there.

use serde::Serialize;

use crate::constructs::{Arns, Construct, StatementPlan};
use crate::load::{Loaded, Target};
use crate::manifest::aws::{GITHUB_TOKENS, OidcProviderArn};
use crate::manifest::types::Packaging;
use crate::manifest::{Manifest, Names};
use crate::plan::Plan;

/// The roles that the workflow takes on for one environment, made by its bootstrap root.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolesPlan {
    /// Owner of the repository.
    pub owner: String,
    /// Its name.
    pub repository: String,
    /// The branch that is deployed.
    pub branch: String,
    /// The environment, which GitHub calls by the same name.
    pub environment: String,
    /// Whether this root tells AWS of GitHub's tokens; otherwise that of another environment does, or the account knows already.
    pub makes_provider: bool,
    /// ARN of what the account knows of them, where the manifest names it.
    pub provider_arn: Option<String>,
    /// Who signs the tokens, as conditions name it.
    pub issuer: String,
    /// What the roles may do.
    pub statements: Vec<StatementPlan>,
}

/// The workflow that deploys the environments of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowPlan {
    /// Name of the project.
    pub project: String,
    /// The branch that is deployed.
    pub branch: String,
    /// What is deployed, one after the other.
    pub environments: Vec<DeployedPlan>,
}

/// An environment that the workflow deploys.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployedPlan {
    /// Its name, which is that of GitHub's environment too.
    pub name: String,
    /// What its resources' names begin with.
    pub base: String,
    /// AWS region.
    pub region: String,
    /// The role that deploys, where there is one already; otherwise its bootstrap root makes it.
    pub role_arn: Option<String>,
    /// The Terraform that runs: the lowest that the manifest allows, so that nothing moves by itself.
    pub terraform_version: String,
    /// Whether archives are built.
    pub has_zip: bool,
    /// Whether images are built.
    pub has_image: bool,
    /// Minutes for which a deployment watches a new version before it gets all requests.
    pub canary_minutes: u64,
}

/// Decides what the workflow may do in one environment, from the manifest and everything else that must exist.
#[must_use]
pub fn roles(loaded: &Loaded, plan: &Plan, constructs: &[&dyn Construct]) -> Option<RolesPlan> {
    let section = &loaded.manifest.ci;
    if loaded.target == Target::Local || !section.makes_roles() {
        return None;
    }
    let (owner, repository) = section.repository.as_ref()?.as_str().split_once('/')?;
    let arns = Arns::of(plan);
    Some(RolesPlan {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        branch: section.branch.as_str().to_owned(),
        environment: loaded.manifest.project.environment.to_string(),
        makes_provider: section.oidc_provider_arn.is_none() && !loaded.shared.knows_github,
        provider_arn: section.oidc_provider_arn.as_ref().map(|arn| arn.as_str().to_owned()),
        issuer: section.oidc_provider_arn.as_ref().map_or(GITHUB_TOKENS, OidcProviderArn::issuer).to_owned(),
        // What both roles may do is what each construct needs.
        statements: constructs.iter().flat_map(|construct| construct.statements(&arns)).collect(),
    })
}

/// Decides what deploys on a push: the base, and then the others in the order of the manifest.
#[must_use]
pub fn workflow(loaded: &Loaded) -> Option<WorkflowPlan> {
    if loaded.target != Target::Base {
        return None;
    }
    let all = std::iter::once(&loaded.manifest).chain(&loaded.others);
    let environments: Vec<DeployedPlan> = all.filter(|manifest| manifest.ci.deploys()).map(deployed).collect();
    (!environments.is_empty()).then(|| WorkflowPlan {
        project: loaded.manifest.project.name.as_str().to_owned(),
        branch: loaded.manifest.ci.branch.as_str().to_owned(),
        environments,
    })
}

fn deployed(manifest: &Manifest) -> DeployedPlan {
    let builds = |wanted| manifest.built().iter().any(|(_, package)| *package == wanted);
    DeployedPlan {
        name: manifest.project.environment.to_string(),
        base: Names::derive(manifest).base,
        region: manifest.project.region.as_str().to_owned(),
        role_arn: manifest.ci.role_arn.as_ref().map(|arn| arn.as_str().to_owned()),
        terraform_version: manifest.terraform.required_version.get().floor().to_string(),
        has_zip: builds(Packaging::Zip),
        has_image: builds(Packaging::Image),
        canary_minutes: manifest.deploy.canary.map_or(0, |canary| canary.lasts().as_secs().div_ceil(60)),
    }
}
