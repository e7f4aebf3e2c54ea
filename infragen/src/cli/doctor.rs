//! `infragen doctor`: looks at programs, files, the environment and the account, and prints what is missing. It leaves
//! this machine only through the AWS command line, and only to ask.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use contract::units::{Bare, parse_duration};
use infragen::doctor::keys::Role;
use infragen::doctor::{self, Check, Places, Ran, archives, aws, files, keys, rows, stopped, table, tools};
use infragen::load::{Loaded, Target};
use infragen::render::render;
use infragen::write::{self, WriteMode};
use infragen::zip;

use super::run::run;
use super::shell::Shell;
use super::sign_in;
use super::{Format, Outcome, Stopped};

#[derive(Args, Debug)]
pub(super) struct DoctorArguments {
    /// Ask nothing of AWS: only this machine is looked at.
    #[arg(long)]
    offline: bool,
    /// Time that each program may take.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = time_limit)]
    time_limit: Duration,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = parse_duration(text, Bare::Refused).map_err(|error| error.to_string())?;
    if limit.is_zero() { Err("it must be more than nothing".to_owned()) } else { Ok(limit) }
}

/// Variables that are credentials, or name a way to them, as the AWS tools look for them.
const SOURCES: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

#[expect(clippy::disallowed_methods, reason = "whose credentials there are, the environment says")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "what is there is what this command looks at")]
fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

fn read_text(path: &Path) -> Option<String> {
    read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn credentials() -> aws::Credentials {
    // A key without its secret is none.
    let is_whole = |name: &&str| *name != SOURCES[0] || variable("AWS_SECRET_ACCESS_KEY").is_some();
    let from_variable = |name: &str| match (name, variable(name)?) {
        ("AWS_PROFILE", profile) => Some(format!("profile `{profile}` (AWS_PROFILE)")),
        (name, _) => Some(format!("{name} in the environment")),
    };
    let mut sources: Vec<String> = SOURCES.into_iter().filter(is_whole).filter_map(from_variable).collect();
    let home = variable("HOME").map(PathBuf::from);
    for (name, file) in [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")] {
        let path = variable(name).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".aws").join(file)));
        sources.extend(path.filter(|path| path.is_file()).map(|path| format!("`{}`", path.display())));
    }
    aws::Credentials { sources, region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")) }
}

impl Shell<'_> {
    pub(super) fn doctor(&self, arguments: &DoctorArguments) -> Stopped {
        let loaded = self.load()?;
        let mut checks = self.machine(&loaded, arguments)?;
        if loaded.target != Target::Local {
            checks.extend(account(&loaded, arguments));
        }
        match arguments.format {
            Format::Human => {
                let colour = self.colour(io::stdout().is_terminal());
                self.print(&doctor::human(&checks, colour))?;
                self.say(&doctor::summary(&checks));
            }
            Format::Json => self.print(&doctor::json(&checks))?,
        }
        Ok(if doctor::needs_person(&checks) { Outcome::NeedsPerson } else { Outcome::Done })
    }

    /// What this machine has. The environment `local` needs its rendered file and nothing else.
    fn machine(&self, loaded: &Loaded, arguments: &DoctorArguments) -> Result<Vec<Check>, Outcome> {
        let (root, manifest, places) = (self.root(), &loaded.manifest, Places::of(loaded));
        let rendering = render(loaded, &self.templates()?).map_err(|error| self.fail(&error, None))?;
        let rendered = files::rendered(&places, &write::write(root, &rendering, WriteMode::Compare));
        if loaded.target == Target::Local {
            return Ok(vec![rendered]);
        }
        let (program, terraform) = terraform_version(arguments.time_limit);
        let lock = read_text(&root.join(&places.root).join(".terraform.lock.hcl"));
        let digest = |path: &str| Some(zip::hash(&read(&root.join(path))?));
        let mut checks = vec![
            tools::terraform(manifest, program, &terraform),
            tools::provider(manifest, program, &places, lock.as_deref()),
            rendered,
            files::state(loaded),
        ];
        checks.extend(files::artifacts(
            manifest,
            &places,
            read_text(&root.join(&places.artifacts)).as_deref(),
            &digest,
        ));
        checks.push(files::page(loaded, &places, read_text(&root.join(&places.page)).as_deref()));
        checks.extend(stopped::stopped(manifest, &places));
        Ok(checks)
    }
}

/// The program that applies what is rendered, and what it said of its version.
pub(super) fn terraform_version(limit: Duration) -> (&'static str, Ran) {
    let ask = |program: &'static str| (program, run(&tools::version_command(program), limit));
    let mut answers = tools::PROGRAMS.into_iter().map(ask);
    answers.find(|(_, ran)| *ran != Ran::Absent).unwrap_or((tools::PROGRAMS[0], Ran::Absent))
}

/// What the account has, where AWS may be asked.
fn account(loaded: &Loaded, arguments: &DoctorArguments) -> Vec<Check> {
    let (manifest, credentials) = (&loaded.manifest, credentials());
    if arguments.offline {
        return vec![aws::credentials(&credentials, &Ran::Absent), aws::region(manifest, &credentials)];
    }
    let ask = |command: Vec<String>| run(&command, arguments.time_limit);
    let identity = sign_in::identity(manifest, arguments.time_limit);
    let mut checks = vec![aws::credentials(&credentials, &identity), aws::region(manifest, &credentials)];
    // Without credentials AWS's own words about that say nothing new; that its command line is missing does.
    if !doctor::needs_person(&checks) || identity == Ran::Absent {
        checks.push(aws::identity(manifest, &identity));
    }
    let is_known = matches!(identity, Ran::Done(_));
    // A DynamoDB of one's own knows everybody.
    let has_own = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"].into_iter().any(|name| variable(name).is_some());
    if is_known || has_own {
        checks.extend(items_table(loaded, &ask));
        if let Some(name) = table::existing_users(manifest) {
            let described = ask(table::describe_command(manifest, &name));
            checks.push(table::users(manifest, &name, &described));
            checks.extend(keys::judge(manifest, Role::Users, &name, &described, &ask));
        }
    }
    if !is_known {
        // Whoever is not known is told nothing else either: one finding, not four.
        return checks;
    }
    for archive in archives::of(manifest) {
        let [object, place] = [archive.object_command(manifest), archive.place_command(manifest)].map(&ask);
        checks.push(archive.judge(manifest, &object, &place));
    }
    checks.push(aws::concurrency(manifest, &ask(aws::account_command(manifest))));
    for (name, function) in aws::functions(manifest) {
        checks.push(aws::permissions(loaded, name, &function, &ask(aws::policy_command(manifest, &function))));
    }
    checks
}

/// What a table is like that exists before the deployment.
fn items_table(loaded: &Loaded, ask: &dyn Fn(Vec<String>) -> Ran) -> Vec<Check> {
    let manifest = &loaded.manifest;
    let Some(name) = table::existing(manifest) else { return Vec::new() };
    let described = ask(table::describe_command(manifest, &name));
    let mut checks = table::structure(manifest, &name, &described);
    checks.extend(keys::judge(manifest, Role::Items, &name, &described, ask));
    if table::has_index(manifest, &described) {
        let [sample, in_table] = [true, false].map(|of_index| ask(rows::sample_command(manifest, &name, of_index)));
        checks.extend(rows::judge(manifest, &sample, &rows::of(&in_table)));
    }
    checks
}
