//! `[deploy]`, `[output]` and `[ci]`: how what is rendered gets to where it runs, from whose repository, and who does it.

use super::aws::{Branch, CiProvider, GithubRepository, OidcProviderArn, RoleArn};
use super::canary::Canary;
use super::folder::{FOLDER, FolderPath, PAGE_FOLDER};
use super::reader::section;
use super::types::Runner;

section! {
    /// `[deploy]`: how `infragen deploy` goes from one version to the next.
    pub struct DeploySection {
        /// Share of the requests that a new version gets first, and for how long its alarms are watched; one of them that goes off sends all requests back to the version before.
        "canary" => canary: Option<Canary> = None;
    }
}

section! {
    /// `[output]`: whose repository it goes to.
    pub struct OutputSection {
        /// Folder of what is rendered, the same for every environment.
        "folder" => folder: FolderPath = FolderPath::new(FOLDER).expect("a literal that the test `defaults_are_valid` makes");
        /// Folder of the page: its configuration is written there, and a distribution gets the files that lie there.
        "page" => page: FolderPath = FolderPath::new(PAGE_FOLDER).expect("a literal that the test `defaults_are_valid` makes");
        /// What runs the recipes `package`, `image`, `bootstrap` and `apply`, as messages name it; or `false` where nothing does.
        "runner" => runner: Runner = Runner::new(Runner::OWN).expect("a literal that the test `defaults_are_valid` makes");
    }
}

section! {
    /// `[ci]`: who deploys on a push.
    pub struct CiSection {
        /// The service whose workflow deploys this environment.
        "provider" => provider: CiProvider = CiProvider::None;
        /// Repository that may deploy; needed by `github`.
        "repository" => repository: Option<GithubRepository> = None;
        /// Branch that is deployed.
        "branch" => branch: Branch = Branch::new("main").expect("a literal that the test `defaults_are_valid` makes");
        /// Role that a push takes on; left out, it is the one that generated/bootstrap makes.
        "role_arn" => role_arn: Option<RoleArn> = None;
        /// Provider of GitHub's tokens that the account has already; left out, generated/bootstrap makes it.
        "oidc_provider_arn" => oidc_provider_arn: Option<OidcProviderArn> = None;
    }
}

impl CiSection {
    /// Whether a workflow deploys this environment.
    #[must_use]
    pub fn deploys(&self) -> bool {
        self.provider != CiProvider::None
    }

    /// Whether the bootstrap root makes the roles that the workflow takes on.
    #[must_use]
    pub fn makes_roles(&self) -> bool {
        self.deploys() && self.role_arn.is_none()
    }
}
