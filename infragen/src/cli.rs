//! The command line: its flags and commands, each of which is in a file of its own. Decides nothing about outputs.

mod account;
mod bootstrap;
mod canary;
mod completions;
mod cost;
mod deploy;
mod destroy;
mod doctor;
mod examples;
mod explain;
mod image;
mod init;
mod interrupt;
mod left;
mod man;
mod package;
mod page;
mod query;
mod references;
mod render;
mod run;
mod schema;
mod seed;
mod shell;
mod show;
mod sign_in;
mod smoke;
mod state;
mod stop;
mod terraform;
mod text;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};
use contract::Environment;
use infragen::diagnostic::Source;
use infragen::manifest::parse_override;
use infragen::write::WriteMode;

use clap_complete::Shell as Shells;
use shell::Shell;

/// Renders Terraform, config.js and the Dockerfile from deploy.toml.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
struct Global {
    /// The manifest, `-` for standard input; else deploy.toml of this folder or of the nearest one above. Outputs go below its
    /// folder.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest: Option<PathBuf>,
    /// Environment laid over the base: `[env.NAME]` of the manifest, or `local`.
    #[arg(long, global = true, value_name = "NAME", value_parser = Environment::new)]
    env: Option<Environment>,
    /// Lay one value over everything else, such as `stream.poll_interval=10s`; may be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = parse_override)]
    overrides: Vec<Source>,
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
    /// Write every output of the base and of every environment, or compare it with what is there.
    ///
    /// `--env` narrows it to one. A file that was edited since is left alone, and so is everything else then; files of your own
    /// beside the rendered ones stay.
    Render {
        /// Write nothing; exit with 3 and print a diff where an output is stale, missing or superfluous.
        #[arg(long, conflicts_with = "diff")]
        check: bool,
        /// Write nothing; print what would change.
        #[arg(long)]
        diff: bool,
        /// Write over files that were edited since they were rendered, too.
        #[arg(long, conflicts_with_all = ["check", "diff"])]
        force: bool,
    },
    /// Report everything that is wrong with the manifest.
    Validate {
        /// For people, on stderr, or for programs, on stdout.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Print the merged manifest with every default, and where each value comes from.
    Show {
        /// A manifest that reads back, with origins in comments, or for programs.
        #[arg(long, value_enum, default_value_t = ShowFormat::Toml)]
        format: ShowFormat,
    },
    /// Print one value of the merged manifest, such as `architecture`, `package.stream` or `project.region`.
    Query {
        /// Dotted key; `architecture` and `package.FUNCTION` are short for the keys behind them; `roots` are Terraform's
        /// folders of all environments, `artifacts` what has to be built for each: root, function, zip or image, processor.
        key: String,
    },
    /// Say what a key means and which outputs it reaches, or which keys are behind an output.
    #[command(group = ArgGroup::new("subject").required(true))]
    Explain {
        /// Dotted key or table, such as `stream.poll_interval` or `stream`; or what `--resource` takes.
        #[arg(group = "subject")]
        key: Option<String>,
        /// Address such as `module.stream` or `aws_lambda_function.this`, rendered file, with `:LINE` if wanted, or variable of a
        /// function such as `SSE_RETRY`.
        #[arg(long, value_name = "ADDRESS", group = "subject", value_hint = ValueHint::FilePath)]
        resource: Option<String>,
        /// Print the reference of every key, in Markdown.
        #[arg(long, group = "subject")]
        all: bool,
    },
    /// Print the JSON Schema (draft-07) of the manifest, for editors.
    Schema,
    /// Write a commented manifest where there is none.
    Init(init::InitArguments),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shells,
    },
    /// Print a manual page, or write those of all commands.
    Man {
        /// The command; else the page of the program itself.
        #[arg(conflicts_with = "folder")]
        command: Option<String>,
        /// Write the pages of the program and of every command into this folder.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Estimate what a month costs, offline.
    Cost(cost::CostArguments),
    /// Say what is missing before this can be deployed, or does not work, and how to get it.
    Doctor(doctor::DoctorArguments),
    /// Make what has to exist before the first deployment: the repository of images, the bucket of Terraform's state, the pipeline's roles.
    ///
    /// Its state, too, moves into the bucket that the manifest names, so that the next person goes on from any clone.
    Bootstrap(bootstrap::BootstrapArguments),
    /// Deploy one environment: check, render, package, plan, ask, apply, and look at the live stream.
    ///
    /// Every step finds done what was done before: after a failure or Ctrl-C the same command goes on where it stopped.
    Deploy(deploy::DeployArguments),
    /// Leave the page with its live addresses in dist/page, for any host of static files; `deploy` does that, too.
    Page,
    /// Say what runs, since when, what went wrong within the last hour, and where to look; exits with 1 where all is not well.
    Status(account::StatusArguments),
    /// Print what both functions log.
    Logs(account::LogsArguments),
    /// Let the functions run an earlier version, or the newest again.
    Rollback(account::RollbackArguments),
    /// Write rows of a file into the table of items, for those who have no producer yet.
    ///
    /// Columns are named as the table's attributes or as in `items` of the REST API. Every row is checked before the first is written.
    Seed(seed::SeedArguments),
    /// Write one row into the table of items.
    Put(seed::PutArguments),
    /// Destroy one environment, but not its tables unless they are named twice.
    ///
    /// It asks for PROJECT-ENVIRONMENT, the beginning of every name. The table of shared hours goes with it: it is made anew from the
    /// items.
    Destroy(destroy::DestroyArguments),
    /// Pack a function as the zip archive that Lambda takes, and tell Terraform.
    ///
    /// The same program gives the same bytes on any machine. Its processor is read from it: told are the environments whose
    /// `package` is `zip` and whose `package.architecture` is that one.
    Package(package::PackageArguments),
    /// Make container images and push them, without a container engine.
    Image(image::ImageArguments),
}

/// A function, by the name of its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Function {
    Stream,
    Dashboard,
}

impl From<Function> for infragen::targets::Function {
    fn from(function: Function) -> Self {
        match function {
            Function::Stream => Self::Stream,
            Function::Dashboard => Self::Dashboard,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    Toml,
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
    /// Somebody wanted it to end: 128 and SIGINT, as shells have it.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::NeedsPerson => 1,
            Outcome::Usage => 2,
            Outcome::Stale => 3,
            Outcome::Interrupted => 130,
        })
    }
}

/// Reads the command line; ends the program where it is wrong, or asks for help.
pub(crate) fn parse() -> Arguments {
    let matches = examples::command::<Arguments>().get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Runs one command.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let shell = Shell::new(&arguments.global);
    let of_a_folder = match &arguments.command {
        Command::Render { .. } => Some("render"),
        Command::Init(_) => Some("init"),
        Command::Doctor(_) => Some("doctor"),
        Command::Bootstrap(_) => Some("bootstrap"),
        Command::Deploy(_) => Some("deploy"),
        Command::Page => Some("page"),
        Command::Destroy(_) => Some("destroy"),
        Command::Package(_) => Some("package"),
        Command::Image(_) => Some("image"),
        _ => None,
    };
    if let Some(command) = of_a_folder.filter(|_| shell.reads_stdin()) {
        let message =
            format!("`--manifest` is `-`: `{command}` works in the manifest's folder, and standard input has none");
        shell.error(&message, Some("name a file"));
        return Outcome::Usage;
    }
    let result = match &arguments.command {
        Command::Render { check, diff, force } => {
            let mode = match (check | diff, force) {
                (true, _) => WriteMode::Compare,
                (false, true) => WriteMode::Force,
                (false, false) => WriteMode::Write,
            };
            shell.render(mode, *check)
        }
        Command::Validate { format } => shell.validate(*format),
        Command::Show { format } => shell.show(*format),
        Command::Query { key } => shell.query(key),
        Command::Explain { key, resource, all: _ } => shell.explain(key.as_deref(), resource.as_deref()),
        Command::Schema => shell.schema(),
        Command::Init(arguments) => shell.init(arguments),
        Command::Completions { shell: which } => shell.completions(*which),
        Command::Man { command, folder } => shell.man(command.as_deref(), folder.as_deref()),
        Command::Cost(arguments) => shell.cost(arguments),
        Command::Doctor(arguments) => shell.doctor(arguments),
        Command::Bootstrap(arguments) => shell.bootstrap(arguments),
        Command::Deploy(arguments) => shell.deploy(arguments),
        Command::Page => shell.page(),
        Command::Status(arguments) => shell.status(arguments),
        Command::Logs(arguments) => shell.logs(arguments),
        Command::Rollback(arguments) => shell.rollback(arguments),
        Command::Seed(arguments) => shell.seed(arguments),
        Command::Put(arguments) => shell.put(arguments),
        Command::Destroy(arguments) => shell.destroy(arguments),
        Command::Package(arguments) => shell.package(arguments),
        Command::Image(arguments) => shell.image(arguments),
    };
    result.unwrap_or_else(|outcome| outcome)
}

/// A command that stopped early has printed why.
type Stopped = Result<Outcome, Outcome>;
