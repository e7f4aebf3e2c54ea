//! `infragen destroy`: everything of one environment but its tables of items, users and history, unless these are named twice; or what its bootstrap root made.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};

use clap::Args;
use infragen::deploy::account;
use infragen::doctor::Ran;
use infragen::load::{Loaded, Target};
use infragen::manifest::Names;
use infragen::manifest::types::BackendKind;

use super::deploy::ANSWER_MAX;
use super::doctor::terraform_version;
use super::run::run;
use super::shell::Shell;
use super::stop::Stop;
use super::terraform::Root;
use super::{Outcome, Stopped};

#[derive(Args, Debug)]
pub(super) struct DestroyArguments {
    /// Destroy without asking; each table must then be named twice.
    #[arg(long, short)]
    yes: bool,
    /// A table that goes too, with its rows: its whole name. Name it again when asked, or a second time here.
    #[arg(long = "table", value_name = "NAME")]
    tables: Vec<String>,
    /// Instead what the bootstrap root made: the repository with its images, the roles of pipelines; the bucket of the state stays where it holds one.
    #[arg(long, conflicts_with = "tables")]
    bootstrap: bool,
}

/// The repository of images.
const REPOSITORY: &str = "aws_ecr_repository.functions";
/// The resource of a table; its name in Terraform is its role.
const TABLE: &str = "aws_dynamodb_table.";

impl Shell<'_> {
    pub(super) fn destroy(&self, arguments: &DestroyArguments) -> Stopped {
        let loaded = self.load()?;
        if loaded.target == Target::Local {
            self.error("`local` is this machine: there is nothing to destroy", None);
            return Ok(Outcome::Usage);
        }
        self.signed_in(&loaded.manifest)?;
        if arguments.bootstrap {
            return self.destroy_bootstrap(&loaded, arguments);
        }
        let names = Names::derive(&loaded.manifest);
        let mut tables = vec![(names.items_table.as_str(), "items"), (names.users_table.as_str(), "users")];
        if loaded.manifest.history.keep.is_some() {
            tables.push((names.history_table.as_str(), "history"));
        }
        let wanted: BTreeSet<&str> = arguments.tables.iter().map(String::as_str).collect();
        for name in &wanted {
            if !tables.iter().any(|(table, _)| table == name) {
                let known = tables.iter().map(|(table, _)| format!("`{table}`")).collect::<Vec<_>>().join(" and ");
                self.error(&format!("`--table` is `{name}`: {} has {known}", names.base), None);
                return Ok(Outcome::Usage);
            }
        }
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        let program = self.terraform_or_none()?;
        let root = Root::main(self, &stop, program, &loaded);
        root.init()?;
        let keeps = |address: &str| {
            let role = address.strip_prefix(TABLE).unwrap_or_default();
            let table = tables.iter().find(|(_, of)| !role.is_empty() && role.starts_with(of));
            table.filter(|(name, _)| !wanted.contains(name)).map(|(name, _)| *name)
        };
        let addresses = root.addresses()?;
        let kept: Vec<&str> = addresses.iter().filter_map(|address| keeps(address)).collect();
        let going: Vec<&String> = addresses.iter().filter(|address| keeps(address).is_none()).collect();
        if going.is_empty() {
            self.say(&format!("nothing to destroy of {}{}", names.base, and_kept(&kept)));
            return Ok(Outcome::Done);
        }
        self.plan_destruction(&root, &going, &kept)?;
        if !self.agreed(arguments, &stop, &names.base, &wanted)? {
            return Err(self.refused(&root));
        }
        for table in &wanted {
            // Terraform would be refused by AWS; the person has said twice that it may go.
            let freed = run(&account::unprotect(&loaded.manifest, table), ANSWER_MAX);
            // A table that is not there needs nobody's leave.
            let is_gone = freed.failed_with("ResourceNotFoundException");
            if let (Some(why), false) = (freed.silence("aws"), is_gone) {
                root.forget_plan();
                let hint = "set `deletion_protection = false` in deploy.toml, apply, and run this again";
                self.error(&format!("`{table}` cannot be released: {why}"), Some(hint));
                return Err(Outcome::NeedsPerson);
            }
        }
        root.apply()?;
        self.say(&format!("{} is gone{}", names.base, and_kept(&kept)));
        Ok(Outcome::Done)
    }

    /// The program, if there is one.
    pub(super) fn terraform_or_none(&self) -> Result<&'static str, Outcome> {
        let (program, answer) = terraform_version(ANSWER_MAX);
        if answer == Ran::Absent {
            self.error("there is no `terraform` on PATH", Some("`infragen doctor` says how to get it"));
            return Err(Outcome::NeedsPerson);
        }
        Ok(program)
    }

    /// Plans the end of these, and shows it beside what is kept.
    fn plan_destruction(&self, root: &Root<'_>, going: &[&String], kept: &[&str]) -> Result<(), Outcome> {
        let mut more = vec!["-destroy".to_owned()];
        // Terraform destroys everything but what it is not told of.
        if !kept.is_empty() {
            more.extend(going.iter().map(|address| format!("-target={address}")));
        }
        let changes = root.plan(&more)?;
        let colour = self.colour(io::stderr().is_terminal());
        self.complain(&format!("\n{}: {}\n{}", root.name(), changes.summary(), changes.human(colour)));
        if !kept.is_empty() {
            self.complain(&format!("  kept      {}\n", kept.join(", ")));
        }
        self.complain("\n");
        Ok(())
    }

    /// Everything of the bootstrap root but the bucket of a state that is in it: a state describes what may still be there.
    fn destroy_bootstrap(&self, loaded: &Loaded, arguments: &DestroyArguments) -> Stopped {
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        let root = Root::bootstrap(self, &stop, self.terraform_or_none()?, loaded);
        let name = root.name().to_owned();
        if !root.is_there() {
            self.error(&format!("`{name}` is not there: this environment has no bootstrap root of its own"), None);
            return Err(Outcome::NeedsPerson);
        }
        root.init()?;
        let addresses = root.addresses()?;
        // Where no environment keeps its state there, the bucket is empty, or AWS refuses.
        let has_state = self.load_all()?.all.iter().any(|one| one.manifest.terraform.backend.kind == BackendKind::S3);
        let is_state = |address: &str| has_state && address.starts_with("aws_s3_bucket") && address.ends_with(".state");
        let kept =
            if addresses.iter().any(|address| is_state(address)) { vec!["the bucket of the state"] } else { vec![] };
        let going: Vec<&String> = addresses.iter().filter(|address| !is_state(address)).collect();
        let base = Names::derive(&loaded.manifest).base;
        if going.is_empty() {
            self.say(&format!("nothing to destroy of {name}{}", and_kept(&kept)));
            return Ok(Outcome::Done);
        }
        self.plan_destruction(&root, &going, &kept)?;
        self.complain("Functions of every environment that run images of this repository fail without it.\n");
        // The name is all that is asked for: tables are in another root.
        if !self.agreed(arguments, &stop, &base, &BTreeSet::new())? {
            return Err(self.refused(&root));
        }
        if going.iter().any(|address| *address == REPOSITORY) {
            // Terraform would be refused while there are images in it.
            let emptied = run(&account::remove_repository(&loaded.manifest, &loaded.shared.repository), ANSWER_MAX);
            let is_gone = emptied.failed_with("RepositoryNotFoundException");
            if let (Some(why), false) = (emptied.silence("aws"), is_gone) {
                root.forget_plan();
                self.error(&format!("the repository `{}` cannot be removed: {why}", loaded.shared.repository), None);
                return Err(Outcome::NeedsPerson);
            }
        }
        root.apply()?;
        self.say(&format!("{name} is gone{}", and_kept(&kept)));
        Ok(Outcome::Done)
    }

    /// What follows where a person does not want that.
    fn refused(&self, root: &Root<'_>) -> Outcome {
        root.forget_plan();
        self.error("nothing was destroyed: the answer was another one", None);
        Outcome::NeedsPerson
    }

    /// Whether a person wants that: the name of the environment, and of each table that goes, once more.
    fn agreed(
        &self,
        arguments: &DestroyArguments,
        stop: &Stop,
        base: &str,
        tables: &BTreeSet<&str>,
    ) -> Result<bool, Outcome> {
        if !arguments.yes && !self.ask(stop, &format!("Type `{base}` to destroy this:"), &[base], "--yes")? {
            return Ok(false);
        }
        for table in tables {
            let named = arguments.tables.iter().filter(|name| name == table).count();
            if named > 1 {
                continue;
            }
            if arguments.yes {
                let hint = format!("write `--table {table}` a second time");
                self.error(&format!("`{table}` and its rows would be lost, and it is named once"), Some(&hint));
                return Err(Outcome::NeedsPerson);
            }
            let question = format!("Type `{table}` to lose its rows for good:");
            if !self.ask(stop, &question, &[table], &format!("--table {table}"))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn and_kept(kept: &[&str]) -> String {
    if kept.is_empty() { String::new() } else { format!("; kept: {}", kept.join(", ")) }
}
