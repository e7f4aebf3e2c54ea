//! `infragen destroy`: everything of one environment but its tables, unless these are named twice.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};

use clap::Args;
use infragen::deploy::account;
use infragen::doctor::{Places, Ran};
use infragen::load::Target;
use infragen::manifest::Names;

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
}

/// The resource of a table; its name in Terraform is its role.
const TABLE: &str = "aws_dynamodb_table.";

impl Shell<'_> {
    pub(super) fn destroy(&self, arguments: &DestroyArguments) -> Stopped {
        let loaded = self.load()?;
        if loaded.target == Target::Local {
            self.error("`local` is this machine: there is nothing to destroy", None);
            return Ok(Outcome::Usage);
        }
        let names = Names::derive(&loaded.manifest);
        let tables = [(names.items_table.as_str(), "items"), (names.users_table.as_str(), "users")];
        let wanted: BTreeSet<&str> = arguments.tables.iter().map(String::as_str).collect();
        for name in &wanted {
            if !tables.iter().any(|(table, _)| table == name) {
                let known = tables.map(|(table, _)| format!("`{table}`")).join(" and ");
                self.error(&format!("`--table` is `{name}`: {} has {known}", names.base), None);
                return Ok(Outcome::Usage);
            }
        }
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        let (program, answer) = terraform_version(ANSWER_MAX);
        if answer == Ran::Absent {
            self.error("there is no `terraform` on PATH", Some("`infragen doctor` says how to get it"));
            return Err(Outcome::NeedsPerson);
        }
        let root = Root::new(self, &stop, program, &Places::of(&loaded).root);
        root.init()?;
        let keeps = |address: &str| {
            let role = address.strip_prefix(TABLE).unwrap_or_default();
            let table = tables.iter().find(|(_, of)| !role.is_empty() && role.starts_with(of));
            table.filter(|(name, _)| !wanted.contains(name)).map(|(name, _)| *name)
        };
        let addresses = root.addresses()?;
        let kept: Vec<&str> = addresses.iter().filter_map(|address| keeps(address)).collect();
        // What is only read has an address too, and cannot be destroyed.
        let is_real = |address: &&String| !address.split('.').any(|part| part == "data") && keeps(address).is_none();
        let going: Vec<&String> = addresses.iter().filter(is_real).collect();
        if going.is_empty() {
            self.say(&format!("nothing to destroy of {}{}", names.base, and_kept(&kept)));
            return Ok(Outcome::Done);
        }
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
        if !self.agreed(arguments, &stop, &names.base, &wanted)? {
            root.forget_plan();
            self.error("nothing was destroyed: the answer was another one", None);
            return Err(Outcome::NeedsPerson);
        }
        for table in &wanted {
            // Terraform would be refused by AWS; the person has said twice that it may go.
            let freed = run(&account::unprotect(&loaded.manifest, table), ANSWER_MAX);
            if let (Some(why), false) = (freed.silence("aws"), is_gone(&freed)) {
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

/// A table that is not there needs nobody's leave.
fn is_gone(answer: &Ran) -> bool {
    matches!(answer, Ran::Failed(said) if said.contains("ResourceNotFoundException"))
}

fn and_kept(kept: &[&str]) -> String {
    if kept.is_empty() { String::new() } else { format!("; kept: {}", kept.join(", ")) }
}
