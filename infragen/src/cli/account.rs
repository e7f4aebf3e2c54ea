//! `infragen status`, `logs` and `rollback`: what runs in the account, what it says, and which version it is.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use contract::units::{Bare, parse_duration};
use infragen::deploy::account::{self, Metric};
use infragen::deploy::lines::{self, Line};
use infragen::deploy::running::{self, Function, Running};
use infragen::deploy::versions::{self, Live, Wanted};
use infragen::deploy::{Deployed, functions};
use infragen::doctor::Ran;
use infragen::load::{Loaded, Target};
use infragen::manifest::Names;
use infragen::plan::front::distribution;
use infragen::plan::gateway::gateway;

use super::deploy::ANSWER_MAX;
use super::run::run;
use super::shell::Shell;
use super::stop::Stop;
use super::{Format, Outcome, Stopped};

/// Time between two looks at a log that is followed.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);
/// How far back a look at a log that is followed goes: lines of one moment are not all there at once.
const FOLLOW_BACK_MS: u64 = 20_000;

#[derive(Args, Debug)]
pub(super) struct StatusArguments {
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    Stream,
    Dashboard,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Dashboard => "dashboard",
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct LogsArguments {
    /// Of this function alone.
    #[arg(long, value_enum, value_name = "NAME")]
    function: Option<Role>,
    /// How far back.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = span)]
    since: Duration,
    /// Go on with what comes, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Only lines with this text, such as the id of a request or of a stream.
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// Lines as they were written, numbers for CloudWatch included.
    #[arg(long)]
    raw: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text, Bare::Refused).map_err(|error| error.to_string())
}

#[derive(Args, Debug)]
pub(super) struct RollbackArguments {
    /// To this version; else the one before that which runs. Needs `--function`.
    #[arg(long, value_name = "VERSION", requires = "function", conflicts_with = "forward")]
    to: Option<u64>,
    /// Back to the newest version.
    #[arg(long)]
    forward: bool,
    /// This function alone.
    #[arg(long, value_enum, value_name = "NAME")]
    function: Option<Role>,
}

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "logs and numbers are asked for by the time of day, and rows are written with it"
)]
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or_default()
}

/// Whether something stands before the functions, and its address where that is known.
fn door(loaded: &Loaded, ask: &dyn Fn(Vec<String>) -> Ran) -> Option<Option<String>> {
    let (manifest, region) = (&loaded.manifest, loaded.manifest.project.region.as_str());
    if let Some(gateway) = gateway(loaded) {
        let known = gateway.url(region, None);
        let asked =
            || gateway.url(region, running::api_id(&gateway.name, &ask(account::rest_apis(manifest))).as_deref());
        return Some(known.or_else(asked));
    }
    let distribution = distribution(loaded)?;
    let asked = || running::site(&distribution.comment, &ask(account::distributions(manifest)));
    Some(distribution.domain.as_ref().map(|domain| format!("https://{}", domain.name)).or_else(asked))
}

impl Shell<'_> {
    /// A deployment in an account.
    pub(super) fn deployed(&self) -> Result<Loaded, Outcome> {
        let loaded = self.load()?;
        if loaded.target == Target::Local {
            self.error("`local` is this machine: nothing of it is in an account", None);
            return Err(Outcome::Usage);
        }
        self.signed_in(&loaded.manifest)?;
        Ok(loaded)
    }

    /// Asks AWS; an answer that is none is an error.
    pub(super) fn asked(&self, command: &[String]) -> Result<String, Outcome> {
        self.answered(run(command, ANSWER_MAX))
    }

    pub(super) fn answered(&self, ran: Ran) -> Result<String, Outcome> {
        match ran {
            Ran::Done(answer) => Ok(answer),
            ran => {
                let hint = "`infragen doctor` says whether AWS can be asked, and `infragen status` what runs";
                self.error(&ran.silence("aws").unwrap_or_default(), Some(hint));
                Err(Outcome::NeedsPerson)
            }
        }
    }

    pub(super) fn status(&self, arguments: &StatusArguments) -> Stopped {
        let loaded = self.deployed()?;
        let manifest = &loaded.manifest;
        let ask = |command: Vec<String>| run(&command, ANSWER_MAX);
        let now = now_ms() / 1000;
        let door = door(&loaded, &ask);
        let look = |deployed: Deployed| -> Function {
            let name = &deployed.name;
            let alias = ask(account::alias(manifest, name));
            if !matches!(alias, Ran::Done(_)) {
                // One reason is enough.
                return running::function(&deployed, &alias, &Ran::Absent, &Ran::Absent);
            }
            let configuration = ask(account::configuration(manifest, name));
            // What stands before the functions is what answers; their own URLs do not, or are not there.
            let url = if door.is_some() { Ran::Absent } else { ask(account::url(manifest, name)) };
            let mut function = running::function(&deployed, &alias, &configuration, &url);
            function.url = door.clone().unwrap_or(function.url);
            let number =
                |metric| Some((metric, running::number(metric, &ask(account::metric(manifest, name, metric, now)))?));
            function.numbers = Metric::ALL.into_iter().filter_map(number).collect();
            function
        };
        let found: Vec<Function> = functions(manifest).into_iter().map(look).collect();
        let running = Running {
            functions: found,
            alarms: running::alarms(&Names::derive(manifest), &ask(account::alarms(manifest))),
        };
        self.print(&match arguments.format {
            Format::Human => running.human(self.colour(io::stdout().is_terminal())),
            Format::Json => running.json(),
        })?;
        Ok(if running.is_well() { Outcome::Done } else { Outcome::NeedsPerson })
    }

    pub(super) fn logs(&self, arguments: &LogsArguments) -> Stopped {
        let loaded = self.deployed()?;
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        let span_ms = u64::try_from(arguments.since.as_millis()).unwrap_or(u64::MAX);
        let mut since = now_ms().saturating_sub(span_ms);
        let mut seen = HashSet::new();
        loop {
            let mut lines = self.lines(&loaded, arguments, since, &stop)?;
            lines.retain(|line| seen.insert((line.role, line.at_ms, line.id.clone())));
            lines.sort_by(|a, b| (a.at_ms, a.role).cmp(&(b.at_ms, b.role)));
            let colour = self.colour(io::stdout().is_terminal());
            let shown = |line: &Line| match arguments.raw {
                true => Some(format!("{}\n", line.text)),
                false => lines::human(line, colour),
            };
            self.print(&lines.iter().filter_map(shown).collect::<String>())?;
            if !arguments.follow || stop.is_set() {
                return Ok(Outcome::Done);
            }
            since = since.max(now_ms().saturating_sub(FOLLOW_BACK_MS));
            // What is older is not asked for again.
            seen.retain(|(_, at_ms, _)| *at_ms >= since);
            std::thread::sleep(FOLLOW_EVERY);
        }
    }

    fn lines(&self, loaded: &Loaded, arguments: &LogsArguments, since: u64, stop: &Stop) -> Result<Vec<Line>, Outcome> {
        let mut all = Vec::new();
        for function in functions(&loaded.manifest) {
            if arguments.function.is_some_and(|wanted| wanted.name() != function.role) {
                continue;
            }
            let group = &function.log_group;
            let ran = run(&account::lines(&loaded.manifest, group, since, arguments.find.as_deref()), ANSWER_MAX);
            // Ctrl-C is how a log that is followed ends, and the program that was asked hears it too.
            if stop.is_set() {
                return Err(Outcome::Done);
            }
            let answer = self.answered(ran)?;
            let lines = lines::read(&function, &answer).map_err(|error| {
                self.error(&error, None);
                Outcome::NeedsPerson
            })?;
            all.extend(lines);
        }
        Ok(all)
    }

    pub(super) fn rollback(&self, arguments: &RollbackArguments) -> Stopped {
        let loaded = self.deployed()?;
        let manifest = &loaded.manifest;
        let wanted = match arguments.to {
            Some(number) => Wanted::Number(number),
            None if arguments.forward => Wanted::Newest,
            None => Wanted::Before,
        };
        let mut moves = Vec::new();
        // Everything is chosen before anything moves: one function in the past beside one in the present helps nobody.
        for Deployed { role, name, .. } in functions(manifest) {
            if arguments.function.is_some_and(|one| one.name() != role) {
                continue;
            }
            let alias = self.asked(&account::alias(manifest, &name))?;
            let Some(live) = versions::live(&alias) else {
                self.error(&format!("the alias `live` of `{name}` points to no version"), None);
                return Err(Outcome::NeedsPerson);
            };
            let all = versions::of(&self.asked(&account::versions(manifest, &name))?);
            let to = versions::choose(&name, live, &all, wanted).map_err(|error| {
                self.error(&error, None);
                Outcome::NeedsPerson
            })?;
            moves.push((name, live, to));
        }
        for (name, from, to) in moves {
            if from == (Live { version: to, beside: None }) {
                self.say(&format!("{name} runs version {to} already"));
                continue;
            }
            self.asked(&account::point(manifest, &name, to))?;
            let beside = from.beside.map_or_else(String::new, |beside| format!(", with a share for {beside}"));
            self.say(&format!("{name} runs version {to}; it was {}{beside}", from.version));
        }
        self.say("the next `terraform apply` goes to the newest version again");
        Ok(Outcome::Done)
    }
}
