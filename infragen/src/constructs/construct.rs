//! What a construct is.

use serde_json::Value;

use super::arns::Arns;
use super::statement::StatementPlan;
use crate::cost::{Charge, Prices};

/// Which of an environment's two roots a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// What is applied once, before everything else.
    Bootstrap,
    /// Everything else.
    Main,
}

/// A file that a construct brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub root: Root,
    /// The template, by its name in the folder `templates`.
    pub template: String,
    /// Its name in the root.
    pub name: String,
    /// Role of the function that the template is rendered for.
    pub function: Option<&'static str>,
}

impl File {
    /// A file of the main root that is rendered from the template of its name.
    #[must_use]
    pub fn main(name: &str) -> Self {
        let (template, name) = (format!("terraform/{name}.tf"), format!("{name}.tf"));
        Self { root: Root::Main, template, name, function: None }
    }

    /// Likewise of the bootstrap root.
    #[must_use]
    pub fn bootstrap(name: &str) -> Self {
        let (template, name) = (format!("bootstrap/{name}.tf"), format!("{name}.tf"));
        Self { root: Root::Bootstrap, template, name, function: None }
    }
}

/// One feature of a deployment: everything that it brings, in one place. What renders, what gives rights, what reckons its cost and
/// what describes it are loops over them.
pub trait Construct {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// What it is for, and which keys of the manifest ask for it: one or two sentences for docs/features.md.
    fn summary(&self) -> &'static str;

    /// Its files.
    fn files(&self) -> Vec<File> {
        Vec::new()
    }

    /// What whoever deploys it must be allowed to do.
    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let _ = arns;
        Vec::new()
    }

    /// What it is billed for, beside what depends on how streams run.
    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let _ = prices;
        Vec::new()
    }

    /// What templates see of it beside the plan, by name.
    fn values(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}
