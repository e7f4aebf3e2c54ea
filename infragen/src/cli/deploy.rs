//! `infragen deploy`: from a manifest to a live URL. Each step is a command that a person could type, and finds done what was done
//! before; so the same command goes on where it stopped. Terraform keeps the state and the lock.

use std::io::{self, IsTerminal as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Args;
use contract::units::duration_text;
use infragen::commands::Commands;
use infragen::deploy::changes::Changes;
use infragen::deploy::{account, canary, place};
use infragen::doctor::{self, Places, Ran, aws, tools};
use infragen::load::{Loaded, Target};
use infragen::manifest::Names;
use infragen::manifest::types::{FrontKind, Packaging};
use infragen::render::render;
use infragen::write::{self, WriteMode};

use super::canary::Watch;
use super::cost;
use super::doctor::terraform_version;
use super::run::run;
use super::shell::Shell;
use super::sign_in;
use super::smoke;
use super::stop::Stop;
use super::terraform::{LOOK_EVERY, Outputs, Root};
use super::{Outcome, Stopped};

/// Time for one answer of AWS.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(super) struct DeployArguments {
    /// Apply without asking, for pipelines.
    #[arg(long, short)]
    yes: bool,
    /// Print the steps, and do none.
    #[arg(long)]
    dry_run: bool,
    /// Print what would change, as a comment of a pull request, and stop there: nothing is pushed, locked or applied.
    #[arg(long, conflicts_with_all = ["yes", "dry_run"])]
    plan: bool,
    /// Do not look at the live stream at the end.
    #[arg(long)]
    no_smoke: bool,
}

/// A step: its name, and what a person would type for it.
type Step = (&'static str, String);

impl Shell<'_> {
    pub(super) fn deploy(&self, arguments: &DeployArguments) -> Stopped {
        let loaded = self.load()?;
        if loaded.target == Target::Local {
            let hint = Commands::of(&loaded).dev().map(|dev| format!("run `{dev}`"));
            self.error("`local` is this machine: nothing of it is deployed", hint.as_deref());
            return Ok(Outcome::Usage);
        }
        let maker = self.maker_of_images(&loaded)?;
        let steps = self.steps(&loaded, maker.as_ref(), arguments);
        if arguments.dry_run {
            let width = steps.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
            let lines = steps.iter().map(|(name, typed)| format!("{name:<width$}  {typed}\n"));
            self.print(&lines.collect::<String>())?;
            return Ok(Outcome::Done);
        }
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        // Before anything is packed and pushed that would be made a second time.
        Root::main(self, &stop, "terraform", &loaded).refuse_state_elsewhere()?;
        let deployment = Deployment { shell: self, loaded: &loaded, arguments, stop: &stop };
        deployment.run(&steps, maker.as_ref())
    }

    /// The environment that makes the repository of images, where one is needed that infragen fills.
    fn maker_of_images(&self, loaded: &Loaded) -> Result<Option<Loaded>, Outcome> {
        if loaded.manifest.built_images().is_empty() {
            return Ok(None);
        }
        Ok(loaded.maker(&self.load_all()?.all).cloned())
    }

    fn steps(&self, loaded: &Loaded, maker: Option<&Loaded>, arguments: &DeployArguments) -> Vec<Step> {
        let places = Places::of(loaded);
        let terraform = format!("terraform -chdir={}", places.root);
        let mut steps = vec![("check", "infragen doctor".to_owned()), ("render", places.render.clone())];
        let maker = maker.filter(|_| !arguments.plan);
        steps.extend(maker.map(|maker| ("bootstrap", Commands::of(maker).infragen("bootstrap"))));
        let (runner, commands) = (self.runner(loaded), Commands::of(loaded));
        if runner.is_some() {
            let has_zip = loaded.manifest.built().iter().any(|(_, package)| *package == Packaging::Zip);
            steps.extend(has_zip.then(|| ("package", commands.package())));
            let pushes = !arguments.plan && !loaded.manifest.built_images().is_empty();
            steps.extend(pushes.then(|| ("push", commands.image())));
        }
        steps.push(("plan", format!("{terraform} init && {terraform} plan")));
        if arguments.plan {
            return steps;
        }
        if let Some(canary) = loaded.manifest.deploy.canary {
            let share = format!("{} % of the requests for {}", canary.percent(), duration_text(canary.lasts()));
            steps.push(("canary", format!("{terraform} apply, {share}, while alarms are watched")));
        }
        steps.push(("apply", format!("{terraform} apply")));
        if loaded.manifest.front.kind != FrontKind::CloudFront {
            steps.push(("page", commands.infragen("page")));
        }
        // Nobody outside of the VPC reaches a private API, this machine included.
        if !arguments.no_smoke && !loaded.manifest.front.api.private {
            steps.push(("smoke", "a first event, a return by its position, the REST API".to_owned()));
        }
        steps
    }
}

struct Deployment<'s> {
    shell: &'s Shell<'s>,
    loaded: &'s Loaded,
    arguments: &'s DeployArguments,
    stop: &'s Stop,
}

impl Deployment<'_> {
    fn run(&self, steps: &[Step], maker: Option<&Loaded>) -> Stopped {
        #[expect(clippy::disallowed_methods, reason = "how long a step took is said")]
        let now = Instant::now;
        let began = now();
        let (mut program, mut account) = ("terraform", None);
        let mut outputs = Outputs::default();
        let mut changes = Changes::default();
        // What is left of them, and whether somebody has said yes to it.
        let mut left = None;
        for (at, (name, typed)) in steps.iter().enumerate() {
            let step_began = now();
            self.shell.say(&format!("[{}/{}] {name}: {typed}", at + 1, steps.len()));
            let root = || Root::main(self.shell, self.stop, program, self.loaded);
            match *name {
                "check" => (program, account) = self.check()?,
                "render" => self.render()?,
                "bootstrap" => self.bootstrap(program, maker.unwrap_or(self.loaded))?,
                "package" => self.recipe("package")?,
                "push" => self.recipe("image")?,
                "plan" => changes = self.plan(&root(), account.as_deref())?,
                "canary" => left = self.canary(&root(), &changes)?,
                "apply" => outputs = self.apply(&root(), &changes, left.as_ref())?,
                "page" => self.shell.leave_page(self.loaded, &outputs).map(drop)?,
                _ => self.smoke(&outputs)?,
            }
            // The last step is no reason to say that something is left.
            if self.stop.is_set() && at + 1 < steps.len() {
                self.shell.error(&format!("stopped after `{name}`"), Some("run the same command again to go on"));
                return Err(Outcome::Interrupted);
            }
            self.shell.say(&format!("      done in {:.1} s", (now() - step_began).as_secs_f64()));
        }
        if self.arguments.plan {
            Root::main(self.shell, self.stop, program, self.loaded).forget_plan();
            let text = changes.markdown(&Names::derive(&self.loaded.manifest).base);
            let told = cost::told(self.loaded, changes.monthly_usd_before).join("\n\n");
            self.shell.print(&format!("{text}\n{told}\n"))?;
            return Ok(Outcome::Done);
        }
        self.shell.print(&self.summary(&outputs, &changes, (now() - began).as_secs()))?;
        Ok(Outcome::Done)
    }

    /// Whether there is a Terraform that will do, and whose account it is, as far as AWS's command line says it.
    fn check(&self) -> Result<(&'static str, Option<String>), Outcome> {
        let (program, answer) = terraform_version(ANSWER_MAX);
        let mut checks = vec![tools::terraform(&self.loaded.manifest, program, &answer)];
        // Terraform looks for nothing but its own way to credentials, and says itself when it finds none.
        let identity = sign_in::identity(&self.loaded.manifest, ANSWER_MAX);
        if !matches!(identity, Ran::Done(_)) && self.stop.explains_a_failure() {
            // A terminal's Ctrl-C ends what was asked, too: its silence says nothing about the machine.
            return Err(self.stopped("`check`: nothing is changed"));
        }
        checks.push(aws::identity(&self.loaded.manifest, &identity));
        let is_good = answer != Ran::Absent && !doctor::needs_person(&checks);
        let colour = self.shell.colour(io::stderr().is_terminal());
        if is_good && identity != Ran::Absent {
            let known = checks.pop().map(|check| check.found).unwrap_or_default();
            self.shell.say(&format!("      {program}, {known}"));
        } else {
            self.shell.complain(&doctor::human(&checks, colour));
        }
        if is_good { Ok((program, aws::account(&identity))) } else { Err(Outcome::NeedsPerson) }
    }

    fn render(&self) -> Result<(), Outcome> {
        let shell = self.shell;
        let rendering = render(self.loaded, &shell.templates()?).map_err(|error| shell.fail(&error, None))?;
        let report = write::write(shell.root(), &rendering, WriteMode::Write);
        let report = report.map_err(|error| shell.fail(&error, error.hint()))?;
        shell.say(&format!("      {} of {} files changed", report.changes.len(), rendering.artifacts.len()));
        for replaced in &report.replaced {
            shell.caution(&replaced.to_string());
        }
        Ok(())
    }

    /// Makes the repository of images where it is not there.
    fn bootstrap(&self, program: &'static str, maker: &Loaded) -> Result<(), Outcome> {
        let repository = &self.loaded.shared.repository;
        let answer = run(&account::repository(&self.loaded.manifest, repository), ANSWER_MAX);
        if !matches!(answer, Ran::Done(_)) && self.stop.explains_a_failure() {
            return Err(self.stopped("`bootstrap`: nothing is changed"));
        }
        // Whoever deploys may not be allowed to ask; the push then says whether it is there.
        if !answer.failed_with("RepositoryNotFoundException") {
            let found = answer.silence("aws").unwrap_or_else(|| "it is there".to_owned());
            self.shell.say(&format!("      repository `{repository}`: {found}"));
            return Ok(());
        }
        let root = Root::bootstrap(self.shell, self.stop, program, maker);
        if !root.is_there() {
            self.shell.error(&format!("`{}` is not there", root.name()), Some("run `infragen render`"));
            return Err(Outcome::NeedsPerson);
        }
        root.make(self.arguments.yes)
    }

    fn plan(&self, root: &Root<'_>, account: Option<&str>) -> Result<Changes, Outcome> {
        root.init()?;
        let mut more = Vec::new();
        if self.arguments.plan {
            // Whoever only looks may not be allowed to write the lock; and an image is pushed with the change only.
            more.push("-lock=false".to_owned());
            let registry =
                format!("000000000000.dkr.ecr.{}.amazonaws.com", self.loaded.manifest.project.region.as_str());
            let digest = "0".repeat(64);
            let image =
                |role| format!("-var={role}_image={registry}/{}@sha256:{digest}", self.loaded.shared.repository);
            more.extend(self.loaded.manifest.built_images().into_iter().map(image));
        }
        let changes = root.plan(&more)?;
        if let Some(was) = &changes.place {
            let region = self.loaded.manifest.project.region.as_str();
            place::check(root.name(), was, account, region).map_err(|error| {
                root.forget_plan();
                self.shell.fail(&error, Some(error.hint()))
            })?;
        }
        if changes.is_idle() {
            self.shell.say("      nothing to change");
        }
        Ok(changes)
    }

    /// Gives new versions a share of the requests and watches them; returns what is left to apply, where anything was done.
    fn canary(&self, root: &Root<'_>, changes: &Changes) -> Result<Option<Changes>, Outcome> {
        let moves = canary::moves(changes);
        let Some(canary) = self.loaded.manifest.deploy.canary.filter(|_| !moves.is_empty()) else {
            self.shell.say("      no function goes from one version to another");
            return Ok(None);
        };
        self.agree(root, changes)?;
        let manifest = &self.loaded.manifest;
        let left = Watch { shell: self.shell, manifest, stop: self.stop, canary, moves }.run(root)?;
        if !canary::is_end(&left) {
            // Something else came in between, and nobody has said yes to that.
            self.agree(root, &left)?;
        }
        Ok(Some(left))
    }

    /// Applies what was planned, or what a canary has left of it.
    fn apply(&self, root: &Root<'_>, changes: &Changes, left: Option<&Changes>) -> Result<Outputs, Outcome> {
        let rest = left.unwrap_or(changes);
        if left.is_none() && !rest.is_idle() {
            self.agree(root, rest)?;
        }
        if !rest.is_idle() || rest.has_outputs {
            root.apply()?;
        }
        // Whoever wants to stop hears that from the caller.
        if self.stop.is_set() { Ok(Outputs::default()) } else { root.outputs() }
    }

    /// Shows the plan of the functions' root, and asks.
    fn agree(&self, root: &Root<'_>, changes: &Changes) -> Result<(), Outcome> {
        let told = cost::told(self.loaded, changes.monthly_usd_before)
            .iter()
            .map(|line| format!("  {line}\n"))
            .collect::<String>();
        root.agree(changes, &told, self.arguments.yes)
    }

    fn recipe(&self, recipe: &str) -> Result<(), Outcome> {
        match self.shell.runner(self.loaded) {
            Some(runner) => self.program(&runner.display().to_string(), &[recipe]),
            None => Ok(()),
        }
    }

    /// Runs a program of the project with its output on standard error.
    fn program(&self, program: &str, arguments: &[&str]) -> Result<(), Outcome> {
        // A relative path of a program is looked for from here or from there, as the system likes.
        let path =
            std::path::absolute(self.shell.root().join(program)).map_err(|error| self.shell.fail(&error, None))?;
        let mut command = Command::new(path);
        command.args(arguments).current_dir(self.shell.root()).stdin(Stdio::null()).stdout(Stdio::from(io::stderr()));
        let status = command.status().map_err(|error| self.shell.fail_to_start(program, &error))?;
        if status.success() {
            return Ok(());
        }
        let typed = format!("{program} {}", arguments.join(" "));
        if self.stop.explains_a_failure() {
            self.shell.error(&format!("stopped in `{typed}`"), Some("run the same command again to go on from there"));
            return Err(Outcome::Interrupted);
        }
        self.shell.error(&format!("`{typed}` failed, it says why above"), None);
        Err(Outcome::NeedsPerson)
    }

    /// Where viewers find both functions: what the manifest says stands before them, else their own URLs, or the distribution's.
    fn urls(&self, outputs: &Outputs) -> (String, String) {
        let page = &self.loaded.manifest.page;
        let site = outputs.text("site_url").map(|url| url.trim_end_matches('/'));
        let url = |own: &str, output: &str| {
            let found = Some(own).filter(|url| !url.is_empty()).or(site).or_else(|| outputs.text(output));
            found.unwrap_or_default().to_owned()
        };
        (url(page.sse_base_url.as_str(), "stream_url"), url(page.api_base_url.as_str(), "dashboard_url"))
    }

    fn stopped(&self, what: &str) -> Outcome {
        self.shell.error(&format!("stopped in {what}"), Some("run the same command again to go on"));
        Outcome::Interrupted
    }

    fn smoke(&self, outputs: &Outputs) -> Result<(), Outcome> {
        let (stream, api) = self.urls(outputs);
        let is_private = self.loaded.manifest.auth.private;
        // It may wait for minutes, and whoever wants to stop does not: the thread ends with the program.
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(smoke::look(&stream, &api, is_private)));
        let looked = loop {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(looked) => break looked,
                Err(RecvTimeoutError::Timeout) if self.stop.is_set() => {
                    return Err(self.stopped("`smoke`: everything is applied, and was not looked at"));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Err("the look at the stream broke off".to_owned()),
            }
        };
        match looked {
            Ok(seen) => {
                for line in seen {
                    self.shell.say(&format!("      {line}"));
                }
                Ok(())
            }
            Err(error) => {
                let hint =
                    "everything is applied; `infragen status` and `infragen logs` say what runs, and what it says";
                self.shell.error(&error, Some(hint));
                Err(Outcome::NeedsPerson)
            }
        }
    }

    fn summary(&self, outputs: &Outputs, changes: &Changes, secs: u64) -> String {
        let names = Names::derive(&self.loaded.manifest);
        let (stream, api) = self.urls(outputs);
        let page = match outputs.text("site_url") {
            Some(site) => site.to_owned(),
            None => format!("{}, for any host of static files", self.loaded.page_folder()),
        };
        let version = |role: &str| outputs.text(&format!("{role}_function_version")).unwrap_or("unknown").to_owned();
        format!(
            "{} in {}: {}, in {secs} s\n\
             stream     {stream}/api/v2/stream  version {}\n\
             dashboard  {api}/api/v2/metrics  version {}\n\
             page       {page}\n",
            names.base,
            self.loaded.manifest.project.region.as_str(),
            changes.summary(),
            version("stream"),
            version("dashboard"),
        )
    }
}
