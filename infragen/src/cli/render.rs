//! `infragen render`: writes every output, or compares.

use std::io::{self, IsTerminal as _};

use infragen::load::{Environments, Loaded, Target};
use infragen::manifest::folder::FOLDER;
use infragen::render::{Rendering, Templates, render_with};
use infragen::write::{self, Report, WriteError, WriteMode};

use super::shell::{Shell, TEMPLATES};
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn render(&self, mode: WriteMode, check: bool) -> Stopped {
        let environments = match &self.global.env {
            Some(_) => Environments { all: vec![self.load()?], warnings: Vec::new() },
            None => self.load_all()?,
        };
        let templates = self.templates()?;
        let rendering = self.rendering(&environments.all, &templates)?;
        let report = write::write(self.root(), &rendering, mode).map_err(|error| {
            if let WriteError::Edited { diff, .. } = &error {
                // What was asked for is not done; whoever does not read the reason needs no difference either.
                let _ignored = self.print(&self.coloured(diff));
            }
            self.fail(&error, error.hint())
        })?;
        if mode == WriteMode::Compare {
            self.print(&self.coloured(&report.diff))?;
        }
        for replaced in &report.replaced {
            self.caution(&replaced.to_string());
        }
        for name in templates.own().iter().filter(|_| check) {
            self.say(&format!("`{TEMPLATES}/{name}` is yours: it is rendered in the place of the built-in one"));
        }
        for path in report.own.iter().filter(|_| check) {
            self.say(&format!("`{path}` is yours: Terraform reads it with what is rendered"));
        }
        if self.global.env.is_none() {
            self.report_orphans(&environments.all)?;
        }
        let folder = environments.all.first().map_or(FOLDER, |base| base.manifest.output.folder.as_str());
        self.report_left(folder)?;
        if check && !report.changes.is_empty() {
            let command = self.render_command(&report);
            let hint = match &report.edited[..] {
                [] => format!("run `{command}`"),
                // The command alone would write over what somebody has done.
                _ => format!("{}: `{command}`", WriteError::EDITED_HINT),
            };
            self.error(&stale(&report), Some(&hint));
            return Ok(Outcome::Stale);
        }
        let is_quiet = mode == WriteMode::Compare && !check && !report.changes.is_empty();
        if !is_quiet {
            self.say(&summary(&report, mode));
        }
        Ok(Outcome::Done)
    }

    /// Renders the environments one after the other into one set of outputs.
    fn rendering(&self, all: &[Loaded], templates: &Templates) -> Result<Rendering, Outcome> {
        let mut rendering = Rendering { artifacts: Vec::new(), folders: Vec::new(), files: Vec::new() };
        let engine = templates.engine().map_err(|error| self.fail(&error, None))?;
        for loaded in all {
            rendering.extend(render_with(loaded, &engine).map_err(|error| self.fail(&error, None))?);
        }
        Ok(rendering)
    }

    /// The command that makes the outputs what they should be.
    fn render_command(&self, report: &Report) -> String {
        let environment = self.global.env.as_ref().map(|name| format!(" --env {name}")).unwrap_or_default();
        let force = if report.edited.is_empty() { "" } else { " --force" };
        format!("infragen{environment} render{force}")
    }

    /// Says which folders are of environments that the manifest no longer has.
    fn report_orphans(&self, all: &[Loaded]) -> Result<(), Outcome> {
        let overlays = all.iter().filter(|loaded| loaded.target == Target::Overlay);
        let names = overlays.map(|loaded| loaded.manifest.project.environment.to_string());
        let known: Vec<String> = names.chain(["terraform", "bootstrap", "local"].map(str::to_owned)).collect();
        let folder = all.first().map_or(FOLDER, |base| base.manifest.output.folder.as_str());
        for folder in write::orphans(self.root(), folder, &known).map_err(|error| self.fail(&error, None))? {
            let name = folder.rsplit('/').next().unwrap_or_default();
            self.warning(
                &format!("`{folder}` is of no environment of the manifest"),
                &format!(
                    "if nothing of it was ever applied, remove the folder; else write `[env.{name}]` again, and run \
                     `infragen --env {name} destroy`, which keeps its tables and their rows; after another name for it, \
                     everything would be made a second time"
                ),
            );
        }
        Ok(())
    }

    fn coloured(&self, diff: &str) -> String {
        let colour = self.colour(io::stdout().is_terminal());
        let line = |line: &str| match line.as_bytes().first() {
            Some(b'+') => colour.paint("32", line),
            Some(b'-') => colour.paint("31", line),
            Some(b'@') => colour.paint("36", line),
            _ => line.to_owned(),
        };
        diff.lines().map(|text| line(text) + "\n").collect()
    }
}

fn stale(report: &Report) -> String {
    let count = report.changes.len();
    let files =
        if count == 1 { "1 rendered file is stale".to_owned() } else { format!("{count} rendered files are stale") };
    match &report.edited[..] {
        [] => files,
        [one] => format!("{files}; `{one}` was edited"),
        [first, others @ ..] => format!("{files}; `{first}` and {} more were edited", others.len()),
    }
}

fn summary(report: &Report, mode: WriteMode) -> String {
    let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let changed = report.changes.len();
    match (mode, changed) {
        (_, 0) => format!("{} up to date", files(report.unchanged)),
        (WriteMode::Write | WriteMode::Force, _) => {
            let names: String =
                report.changes.iter().map(|(path, change)| format!("  {} {path}\n", verb(*change))).collect();
            format!("{names}{} changed, {} unchanged", files(changed), report.unchanged)
        }
        (WriteMode::Compare, _) => format!("{} would change", files(changed)),
    }
}

const fn verb(change: write::Change) -> &'static str {
    match change {
        write::Change::Create => "created",
        write::Change::Update => "updated",
        write::Change::Remove => "removed",
    }
}
