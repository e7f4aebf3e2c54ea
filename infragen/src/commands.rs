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
        self.environment
            .as_ref()
            .map_or_else(|| "infragen render".to_owned(), |name| format!("infragen --env {name} render"))
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
        self.recipe("bootstrap", &format!("{}/bootstrap", self.folder))
    }

    /// Applies the root.
    #[must_use]
    pub fn apply(&self) -> String {
        self.recipe("apply", &format!("{}/terraform", self.folder))
    }

    fn recipe(&self, name: &str, root: &str) -> String {
        match (&self.runner, &self.environment) {
            (None, _) => format!("terraform -chdir={root} apply"),
            (Some(runner), None) => format!("{runner} {name}"),
            (Some(runner), Some(environment)) => format!("{runner} {name} {environment}"),
        }
    }
}
