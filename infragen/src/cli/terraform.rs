//! A root of Terraform: initialised, planned, told in people's words, and applied once somebody has said yes.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use infragen::deploy::changes::Changes;
use infragen::doctor::Places;
use infragen::load::Loaded;
use infragen::manifest::types::Runner;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::Outcome;
use super::shell::Shell;
use super::state::StatePlace;
use super::stop::Stop;

/// The plan that was shown, so that nothing else is applied; it lies in the root, because it names files from there.
const PLAN: &str = "infragen.tfplan";
/// Another one may hold the state: in a pipeline, or one that outlived whoever had called it.
const LOCK_TIMEOUT: &str = "-lock-timeout=5m";
/// Time between two looks at whether somebody wants to stop.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What Terraform leaves in the root where it could not keep its state: what was made since then is in no other file.
const LEFT_OVER: &str = "errored.tfstate";
/// What must be free on the disk of a root before anything is applied, in bytes: a state, which has under one MiB, is written anew
/// with each thing that is made. Terraform 1.11 breaks it off in the middle of a line where the disk takes no more, and reads it
/// no more afterwards.
const FREE_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// One root.
pub(super) struct Root<'s> {
    shell: &'s Shell<'s>,
    stop: &'s Stop,
    /// Terraform, or OpenTofu.
    program: &'static str,
    /// The folder from the manifest's own, as messages name it.
    name: String,
    folder: PathBuf,
    place: StatePlace,
    /// The folder of all outputs, from the manifest's own.
    outputs: String,
}

impl<'s> Root<'s> {
    /// The root of everything that runs.
    pub(super) fn main(shell: &'s Shell<'s>, stop: &'s Stop, program: &'static str, loaded: &Loaded) -> Self {
        Self::new(shell, stop, program, loaded, (Places::of(loaded).root, StatePlace::of(loaded, false)))
    }

    /// The root of what has to exist before.
    pub(super) fn bootstrap(shell: &'s Shell<'s>, stop: &'s Stop, program: &'static str, loaded: &Loaded) -> Self {
        let name = format!("{}/bootstrap", loaded.folder());
        Self::new(shell, stop, program, loaded, (name, StatePlace::of(loaded, true)))
    }

    fn new(
        shell: &'s Shell<'s>,
        stop: &'s Stop,
        program: &'static str,
        loaded: &Loaded,
        (name, place): (String, StatePlace),
    ) -> Self {
        let outputs = loaded.manifest.output.folder.as_str().to_owned();
        Self { shell, stop, program, folder: shell.root().join(&name), name, place, outputs }
    }

    pub(super) const fn shell(&self) -> &'s Shell<'s> {
        self.shell
    }

    pub(super) const fn stop(&self) -> &'s Stop {
        self.stop
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its state is to be.
    pub(super) const fn place(&self) -> &StatePlace {
        &self.place
    }

    /// Where it is, from the manifest's folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The folder that it is in with everything else that is rendered.
    pub(super) fn outputs_folder(&self) -> &str {
        &self.outputs
    }

    /// Whether it was ever rendered.
    pub(super) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.arg(format!("-chdir={}", self.folder.display())).args(arguments);
        command.envs([("CHECKPOINT_DISABLE", "1"), ("TF_IN_AUTOMATION", "1")]).stdin(Stdio::null());
        command
    }

    pub(super) fn failed(&self, what: &str) -> Outcome {
        let typed = format!("{} -chdir={} {what}", self.program, self.name);
        if self.stop.is_set() {
            self.shell.error(&format!("stopped in `{typed}`"), Some("run the same command again to go on from there"));
            return Outcome::Interrupted;
        }
        self.shell.error(&format!("`{typed}` failed, it says why above"), None);
        Outcome::NeedsPerson
    }

    /// Runs it to its end, in a group of processes of its own, so that a terminal's Ctrl-C does not reach it: broken off in the
    /// middle of a request, it forgets what that request made. It is told when somebody has asked for the end so many times.
    fn finish(&self, command: &mut Command, breaks_at: u32) -> Result<Output, Outcome> {
        let child = command.process_group(0).spawn();
        let child = child.map_err(|error| self.shell.fail_to_start(self.program, &error))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let is_done = AtomicBool::new(false);
        let output = std::thread::scope(|scope| {
            scope.spawn(|| self.watch(&is_done, group, breaks_at));
            let output = child.wait_with_output();
            is_done.store(true, Ordering::SeqCst);
            output
        });
        let output = output.map_err(|error| self.shell.fail(&error, None))?;
        if output.status.signal().is_some() {
            // A Ctrl-C reaches a program that has no group of its own yet, and this one may not have noticed it: wait until it has.
            let _noticed = self.stop.explains_a_failure();
        }
        Ok(output)
    }

    /// Hands on to a group of processes what somebody wants.
    fn watch(&self, is_done: &AtomicBool, group: Option<Pid>, breaks_at: u32) {
        let mut has_said = false;
        while !is_done.load(Ordering::SeqCst) {
            let times = self.stop.times();
            if times >= breaks_at {
                // It may have ended just now.
                let _told = group.map(|group| kill_process_group(group, Signal::INT));
                return;
            }
            if times > 0 && !has_said {
                has_said = true;
                self.shell.say("finishing what has begun, so that nothing is made that nobody remembers; Ctrl-C again breaks it off");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Runs it in silence.
    pub(super) fn output(&self, arguments: &[&str]) -> Result<Output, Outcome> {
        self.finish(self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()), 1)
    }

    /// Runs it in silence; what it said is shown where it fails. Returns its output and whether it ended with this code.
    pub(super) fn capture(&self, arguments: &[&str], what: &str, good: &[i32]) -> Result<(i32, String), Outcome> {
        let output = self.output(arguments)?;
        let code = output.status.code().unwrap_or(-1);
        if self.stop.is_set() || !good.contains(&code) {
            self.shell.complain(&String::from_utf8_lossy(&output.stdout));
            self.shell.complain(&String::from_utf8_lossy(&output.stderr));
            return Err(self.failed(what));
        }
        Ok((code, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Plans, and keeps the plan; `more` narrows it, or turns it round.
    pub(super) fn plan(&self, more: &[String]) -> Result<Changes, Outcome> {
        self.has_all_it_made()?;
        let out = format!("-out={PLAN}");
        let mut arguments = vec!["plan", "-input=false", "-no-color", "-detailed-exitcode", LOCK_TIMEOUT, &out];
        arguments.extend(more.iter().map(String::as_str));
        let (code, _) = self.capture(&arguments, "plan", &[0, 2])?;
        if code == 0 {
            self.forget_plan();
            return Ok(Changes::default());
        }
        let (_, shown) = self.capture(&["show", "-json", PLAN], "show", &[0])?;
        Changes::read(&shown).map_err(|error| {
            self.shell.error(&error, None);
            Outcome::NeedsPerson
        })
    }

    /// Whether the state has whatever was made: planned without it, all of that would be made again.
    fn has_all_it_made(&self) -> Result<(), Outcome> {
        let left = self.folder.join(LEFT_OVER);
        let Ok(about) = left.metadata() else { return Ok(()) };
        let file = format!("{}/{LEFT_OVER}", self.name);
        let (found, hint) = if about.len() == 0 {
            let hint = "what it printed then is the state: put it there, or delete the file and import what was made";
            ("is empty", hint.to_owned())
        } else {
            let push = format!("`{} -chdir={} state push {LEFT_OVER}`", self.program, self.name);
            ("has what an apply made and could not note in the state", format!("run {push}, and delete the file"))
        };
        self.shell.error(&format!("`{file}` {found}"), Some(&hint));
        Err(Outcome::NeedsPerson)
    }

    /// Whether what is made can be noted, as far as that is this machine's business.
    fn has_room(&self) -> Result<(), Outcome> {
        // A system that does not say how full it is says it when it is written to.
        let Ok(disk) = rustix::fs::statvfs(&self.folder) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= FREE_BYTES_MIN {
            return Ok(());
        }
        let (kept, free, min) = (&self.name, free / 1024, FREE_BYTES_MIN / 1024);
        let message = format!(
            "the disk of `{kept}` has {free} KiB free, and {min} are needed: Terraform notes there what it makes"
        );
        self.shell.error(&message, Some("make room, and run the same command again: nothing is applied yet"));
        Err(Outcome::NeedsPerson)
    }

    /// Shows its plan, with what a month then costs, and asks for a yes.
    pub(super) fn agree(&self, changes: &Changes, cost: &str, yes: bool) -> Result<(), Outcome> {
        if changes.is_idle() {
            return Ok(());
        }
        let colour = self.shell.colour(io::stderr().is_terminal());
        let (what, changes) = (changes.summary(), changes.human(colour));
        self.shell.complain(&format!("\n{}: {what}\n{changes}{cost}\n", self.name));
        if yes || self.shell.ask(self.stop, "Apply this? [yes/no]", &["yes", "y"], "--yes")? {
            return Ok(());
        }
        self.forget_plan();
        self.shell.error("nothing was applied: the answer was no", None);
        Err(Outcome::NeedsPerson)
    }

    /// Applies what was planned.
    pub(super) fn apply(&self) -> Result<(), Outcome> {
        if let Err(outcome) = self.has_room() {
            self.forget_plan();
            return Err(outcome);
        }
        let mut arguments = vec!["apply", "-input=false", LOCK_TIMEOUT];
        if !self.shell.colour(io::stderr().is_terminal()).0 {
            arguments.push("-no-color");
        }
        arguments.push(PLAN);
        let ended = self.finish(self.command(&arguments).stdout(Stdio::from(io::stderr())), 2);
        self.forget_plan();
        if ended?.status.success() { Ok(()) } else { Err(self.failed("apply")) }
    }

    /// The plan has values of the state in it, which nobody should find lying about.
    #[expect(clippy::disallowed_methods, reason = "a file of this command's own, and no output of a rendering")]
    pub(super) fn forget_plan(&self) {
        // It may never have been written.
        let _gone = std::fs::remove_file(self.folder.join(PLAN));
    }

    /// What the state says for others: none where nothing was applied.
    pub(super) fn outputs(&self) -> Result<Outputs, Outcome> {
        let (_, text) = self.capture(&["output", "-json", "-no-color"], "output", &[0])?;
        Ok(Outputs(serde_json::from_str(&text).unwrap_or_default()))
    }

    /// Every resource of the state, by its address; what is only read has one too, and is none.
    pub(super) fn addresses(&self) -> Result<Vec<String>, Outcome> {
        // Without any state it fails, and there is nothing.
        let (code, text) = self.capture(&["state", "list", "-no-color"], "state list", &[0, 1])?;
        let is_resource = |address: &&str| !address.split('.').any(|part| part == "data");
        Ok(if code == 0 { text.lines().filter(is_resource).map(str::to_owned).collect() } else { Vec::new() })
    }
}

/// Outputs of a root.
#[derive(Debug, Default)]
pub(super) struct Outputs(Value);

impl Outputs {
    /// One of them, where it is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.get("value")?.as_str()
    }
}

impl Shell<'_> {
    pub(super) fn fail_to_start(&self, program: &str, error: &io::Error) -> Outcome {
        if error.kind() == io::ErrorKind::NotFound {
            self.error(&format!("there is no `{program}` on PATH"), Some("`infragen doctor` says how to get it"));
        } else {
            self.error(&format!("`{program}` cannot be started: {error}"), None);
        }
        Outcome::NeedsPerson
    }

    /// Asks a person; what is not `wanted` is a no.
    pub(super) fn ask(&self, stop: &Stop, question: &str, wanted: &[&str], flag: &str) -> Result<bool, Outcome> {
        self.complain(&format!("{question} "));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = io::stdin().lock().take(1024).read_line(&mut line);
            // Nobody waits any more where it was stopped.
            let _sent = sender.send(read.map(|_| line));
        });
        loop {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(Ok(line)) if line.is_empty() => {
                    self.complain("\n");
                    let hint = format!("add `{flag}` to go on without being asked");
                    self.error("nobody can be asked: standard input has ended", Some(&hint));
                    return Err(Outcome::NeedsPerson);
                }
                Ok(Ok(line)) => return Ok(wanted.contains(&line.trim())),
                Ok(Err(error)) => {
                    self.error(&format!("standard input cannot be read: {error}"), None);
                    return Err(Outcome::NeedsPerson);
                }
                Err(mpsc::RecvTimeoutError::Timeout) if stop.is_set() => {
                    self.complain("\n");
                    self.error("stopped before anything was changed", None);
                    return Err(Outcome::Interrupted);
                }
                Err(_) => {}
            }
        }
    }

    /// The runner of the project's own tools, where this is a project that builds its functions itself.
    pub(super) fn runner(&self, loaded: &Loaded) -> Option<&'static Path> {
        let is_own = loaded.manifest.output.runner.as_str() == Some(Runner::OWN);
        let runner = Path::new(Runner::OWN);
        (is_own && self.root().join(runner).is_file()).then_some(runner)
    }
}
