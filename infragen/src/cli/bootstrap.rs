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
        root.refuse_state_elsewhere()?;
        if !root.is_there() {
            let environment = &loaded.manifest.project.environment;
            self.say(&format!(
                "nothing to make for `{environment}`: it needs nothing, or another environment makes it"
            ));
            return Ok(Outcome::Done);
        }
        root.make(arguments.yes)?;
        let outputs = root.outputs()?;
        for name in ["repository_url", "state_bucket", "deploy_role_arn", "plan_role_arn"] {
            if let Some(value) = outputs.text(name) {
                self.print(&format!("{name:<16}{value}\n"))?;
            }
        }
        Ok(Outcome::Done)
    }
}

impl Root<'_> {
    /// Plans it, asks, applies it, and puts its state where it belongs.
    pub(super) fn make(&self, yes: bool) -> Result<(), Outcome> {
        self.init()?;
        let changes = self.plan(&[])?;
        if changes.is_idle() {
            self.shell().say("      nothing to change");
        }
        // Repositories and buckets cost next to nothing.
        self.agree(&changes, "", yes)?;
        if !changes.is_idle() || changes.has_outputs {
            self.apply()?;
        }
        self.settle()
    }
}
