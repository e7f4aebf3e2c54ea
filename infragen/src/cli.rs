//! Commands, and what they print: data to stdout, everything else to stderr. Decides nothing about outputs.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::Environment;
use infragen::diagnostic::{self, Colour, Source};
use infragen::manifest::{self, LoadError, Loaded, Section as _};
use infragen::render::{Rendering, Templates, render};
use infragen::write::{self, Report, WriteMode};

/// The manifest that `init` writes: the one of this repository.
const DEFAULT_MANIFEST: &str = include_str!("../../deploy.toml");

/// Renders Terraform, config.js and the Dockerfile from deploy.toml.
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
struct Global {
    /// The manifest; outputs go below its folder.
    #[arg(long, global = true, default_value = "deploy.toml", value_name = "FILE")]
    manifest: PathBuf,
    /// Environment laid over the base: `[env.NAME]` of the manifest, or `local`.
    #[arg(long, global = true, value_name = "NAME", value_parser = Environment::new)]
    env: Option<Environment>,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
    /// Print errors only.
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write every output, or compare it with what is there.
    Render {
        /// Write nothing; exit with 3 and print a diff where an output is stale, missing or superfluous.
        #[arg(long, conflicts_with = "diff")]
        check: bool,
        /// Write nothing; print what would change.
        #[arg(long)]
        diff: bool,
    },
    /// Report everything that is wrong with the manifest.
    Validate {
        /// For people, on stderr, or for programs, on stdout.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Print the merged manifest with every default, as TOML.
    Show,
    /// Print one value of the merged manifest, such as `architecture`, `package.stream` or `project.region`.
    Query {
        /// Dotted key; `architecture` and `package.FUNCTION` are short for the keys behind them.
        key: String,
    },
    /// Write a commented manifest where there is none.
    Init,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// The manifest or the environment needs a person.
    NeedsPerson,
    /// The command line is wrong.
    Usage,
    /// Outputs are not what the manifest says.
    Stale,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::NeedsPerson => 1,
            Outcome::Usage => 2,
            Outcome::Stale => 3,
        })
    }
}

/// Runs one command.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let shell = Shell { global: &arguments.global };
    let result = match &arguments.command {
        Command::Render { check, diff } => shell.render(*check, *diff),
        Command::Validate { format } => shell.validate(*format),
        Command::Show => shell.show(),
        Command::Query { key } => shell.query(key),
        Command::Init => shell.init(),
    };
    result.unwrap_or_else(|outcome| outcome)
}

struct Shell<'a> {
    global: &'a Global,
}

/// A command that stopped early has printed why.
type Stopped = Result<Outcome, Outcome>;

impl Shell<'_> {
    fn render(&self, check: bool, diff: bool) -> Stopped {
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

    fn validate(&self, format: Format) -> Stopped {
        let source = self.source()?;
        let result = manifest::load(&source, self.global.env.as_ref());
        if format == Format::Json {
            let diagnostics = match &result {
                Err(LoadError::Invalid(diagnostics)) => diagnostics.as_slice(),
                _ => &[],
            };
            if !matches!(result, Err(LoadError::UnknownEnvironment { .. })) {
                self.print(&diagnostic::json(&source, diagnostics))?;
                return Ok(if diagnostics.is_empty() { Outcome::Done } else { Outcome::NeedsPerson });
            }
        }
        result.map_err(|error| self.load_error(&source, &error))?;
        self.say(&format!("`{}` is valid", source.name));
        Ok(Outcome::Done)
    }

    fn show(&self) -> Stopped {
        let shown = self.shown()?;
        let text = toml::to_string(&shown).map_err(|error| self.fail(&error, None))?;
        self.print(&text)?;
        Ok(Outcome::Done)
    }

    fn query(&self, key: &str) -> Stopped {
        let path = match key {
            "architecture" => "package.architecture",
            "package.stream" => "stream.package",
            "package.dashboard" => "dashboard.package",
            key => key,
        };
        let shown = toml::Value::Table(self.shown()?);
        let found = path.split('.').try_fold(&shown, |value, part| value.get(part));
        match found {
            Some(toml::Value::String(text)) => self.print(&format!("{text}\n"))?,
            Some(toml::Value::Table(table)) => {
                let text = toml::to_string(table).map_err(|error| self.fail(&error, None))?;
                self.print(&text)?;
            }
            Some(value) => self.print(&format!("{value}\n"))?,
            None => {
                self.error(&format!("`{key}` is no key of the manifest, or has no value"), Some("see `infragen show`"));
                return Ok(Outcome::Usage);
            }
        }
        Ok(Outcome::Done)
    }

    fn init(&self) -> Stopped {
        let path = &self.global.manifest;
        if path.exists() {
            let message = format!("`{}` exists already", path.display());
            self.error(&message, Some("name another file with `--manifest`"));
            return Ok(Outcome::NeedsPerson);
        }
        write::create_new(path, DEFAULT_MANIFEST).map_err(|error| self.fail(&error, None))?;
        self.say(&format!("wrote `{}`; next: edit it, then `infragen render`", path.display()));
        Ok(Outcome::Done)
    }

    fn shown(&self) -> Result<toml::Table, Outcome> {
        Ok(self.load()?.manifest.show())
    }

    fn load(&self) -> Result<Loaded, Outcome> {
        let source = self.source()?;
        manifest::load(&source, self.global.env.as_ref()).map_err(|error| self.load_error(&source, &error))
    }

    fn load_error(&self, source: &Source, error: &LoadError) -> Outcome {
        match error {
            LoadError::Invalid(diagnostics) => {
                self.complain(&diagnostic::human(source, diagnostics, self.colour(io::stderr().is_terminal())));
            }
            LoadError::UnknownEnvironment { name, known } => {
                let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let message = format!("`--env` is `{name}`: `{}` has no `[env.{name}]`", source.name);
                self.error(&message, Some(&format!("use one of {known}")));
            }
        }
        Outcome::NeedsPerson
    }

    #[expect(clippy::disallowed_methods, reason = "the manifest is read here and nowhere else")]
    fn source(&self) -> Result<Source, Outcome> {
        let path = &self.global.manifest;
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Source { name, text }),
            Err(error) => {
                let hint = (error.kind() == io::ErrorKind::NotFound).then_some("write one with `infragen init`");
                self.error(&format!("`{name}` cannot be read: {error}"), hint);
                Err(Outcome::NeedsPerson)
            }
        }
    }

    /// Folder that outputs go below: the manifest's own.
    fn root(&self) -> &Path {
        match self.global.manifest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "NO_COLOR is a convention between terminals and programs")]
    fn colour(&self, is_terminal: bool) -> Colour {
        Colour(match self.global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        })
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

    /// Prints data. A reader that has gone away is no error of ours, but nothing more can be said to it.
    fn print(&self, text: &str) -> Result<(), Outcome> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Outcome::Done),
            Err(error) => Err(self.fail(&error, None)),
        }
    }

    fn complain(&self, text: &str) {
        // Where stderr is closed, the exit code still tells.
        let _ignored = io::stderr().lock().write_all(text.as_bytes());
    }

    fn say(&self, text: &str) {
        if !self.global.quiet {
            self.complain(&format!("{text}\n"));
        }
    }

    fn error(&self, message: &str, hint: Option<&str>) {
        let colour = self.colour(io::stderr().is_terminal());
        self.complain(&format!("{} {message}\n", colour.paint("1;31", "error:")));
        if let Some(hint) = hint {
            self.complain(&format!(" {} {hint}\n", colour.paint("1;36", "hint:")));
        }
    }

    /// Prints an error with its causes.
    fn fail(&self, error: &dyn std::error::Error, hint: Option<&str>) -> Outcome {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        self.error(&message, hint);
        Outcome::NeedsPerson
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
