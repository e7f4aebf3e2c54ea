//! `infragen bootstrap`: what has to exist before the first deployment, and its state where the next person finds it.

use clap::Args;
use infragen::load::Target;

use super::shell::Shell;
use super::stop::Stop;
use super::terraform::Root;
use super::{Outcome, Stopped};

#[derive(Args, Debug)]
pub(super) struct BootstrapArguments {
    /// Apply without asking, for pipelines.
    #[arg(long, short)]
    yes: bool,
}

impl Shell<'_> {
    pub(super) fn bootstrap(&self, arguments: &BootstrapArguments) -> Stopped {
        let loaded = self.load()?;
        if loaded.target == Target::Local {
            self.error("`local` is this machine: nothing has to exist before", None);
            return Ok(Outcome::Usage);
        }
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        let root = Root::bootstrap(self, &stop, self.terraform_or_none()?, &loaded);
        if !root.is_there() {
            let environment = &loaded.manifest.project.environment;
            self.say(&format!(
                "nothing to make for `{environment}`: it needs nothing, or another environment makes it"
            ));
            return Ok(Outcome::Done);
        }
        self.apply_bootstrap(&root, &stop, arguments.yes)?;
        let outputs = root.outputs()?;
        for name in ["repository_url", "state_bucket", "deploy_role_arn", "plan_role_arn"] {
            if let Some(value) = outputs.text(name) {
                self.print(&format!("{name:<16}{value}\n"))?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Plans such a root, asks, applies it, and puts its state where it belongs.
    pub(super) fn apply_bootstrap(&self, root: &Root<'_>, stop: &Stop, yes: bool) -> Result<(), Outcome> {
        root.init()?;
        let changes = root.plan(&[])?;
        if changes.is_idle() {
            self.say("      nothing to change");
        }
        // Repositories and buckets cost next to nothing.
        self.agree(stop, root, &changes, "", yes)?;
        if !changes.is_idle() || changes.has_outputs {
            root.apply()?;
        }
        root.settle()
    }
}
