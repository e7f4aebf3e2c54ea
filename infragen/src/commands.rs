//! What a person types next: recipes of the project's runner, or in a repository without one the programs behind them.

use crate::load::{Loaded, Target};

/// Commands of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    runner: Option<String>,
    /// Its name, where it is not the base.
    environment: Option<String>,
    folder: String,
}

impl Commands {
    /// Those of an environment.
    #[must_use]
    pub fn of(loaded: &Loaded) -> Self {
        let is_overlay = loaded.target != Target::Base;
        Self {
            runner: loaded.manifest.output.runner.as_str().map(str::to_owned),
            environment: is_overlay.then(|| loaded.manifest.project.environment.to_string()),
            folder: loaded.folder(),
        }
    }

    /// Renders.
    #[must_use]
    pub fn render(&self) -> String {
        self.infragen("render")
    }

    /// Makes archives and tells Terraform of them.
    #[must_use]
    pub fn package(&self) -> String {
        self.runner.as_ref().map_or_else(
            || "infragen package --function FUNCTION --zip FILE".to_owned(),
            |runner| format!("{runner} package"),
        )
    }

    /// Makes images, pushes them and tells Terraform of them.
    #[must_use]
    pub fn image(&self) -> String {
        self.runner.as_ref().map_or_else(|| "infragen image push".to_owned(), |runner| format!("{runner} image"))
    }

    /// Makes what has to exist before.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.recipe("bootstrap").unwrap_or_else(|| self.infragen("bootstrap"))
    }

    /// Applies the root.
    #[must_use]
    pub fn apply(&self) -> String {
        self.recipe("apply").unwrap_or_else(|| format!("terraform -chdir={}/terraform apply", self.folder))
    }

    /// Starts everything on this machine, where there is a runner that can.
    #[must_use]
    pub fn dev(&self) -> Option<String> {
        Some(format!("{} dev", self.runner.as_ref()?))
    }

    fn recipe(&self, name: &str) -> Option<String> {
        let environment = self.environment.as_ref().map(|environment| format!(" {environment}")).unwrap_or_default();
        Some(format!("{} {name}{environment}", self.runner.as_ref()?))
    }

    /// One of infragen's own, for this environment.
    #[must_use]
    pub fn infragen(&self, command: &str) -> String {
        match &self.environment {
            Some(name) => format!("infragen --env {name} {command}"),
            None => format!("infragen {command}"),
        }
    }
}
