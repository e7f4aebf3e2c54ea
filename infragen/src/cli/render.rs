//! `infragen render`: writes every output, or compares.

use std::io::{self, IsTerminal as _};

use infragen::render::{Rendering, Templates, render};
use infragen::write::{self, Report, WriteMode};

use super::shell::Shell;
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn render(&self, check: bool, diff: bool) -> Stopped {
        let rendering = self.rendering()?;
        let mode = if check || diff { WriteMode::Compare } else { WriteMode::Write };
        let report = write::write(self.root(), &rendering, mode).map_err(|error| self.fail(&error, error.hint()))?;
        if mode == WriteMode::Compare {
            self.print(&self.coloured(&report.diff))?;
        }
        let changed = report.changes.len();
        if check && changed > 0 {
            self.error(&format!("{changed} of the rendered files are stale"), Some("run `infragen render`"));
            return Ok(Outcome::Stale);
        }
        if !diff {
            self.say(&summary(&report, mode));
        }
        Ok(Outcome::Done)
    }

    fn rendering(&self) -> Result<Rendering, Outcome> {
        let loaded = self.load()?;
        render(&loaded, &Templates::embedded()).map_err(|error| self.fail(&error, None))
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

fn summary(report: &Report, mode: WriteMode) -> String {
    let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let changed = report.changes.len();
    match (mode, changed) {
        (_, 0) => format!("{} up to date", files(report.unchanged)),
        (WriteMode::Write, _) => {
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
