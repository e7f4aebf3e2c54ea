//! The command `infragen`: reads the command line and the manifest, prints, and turns outcomes into exit codes.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    cli::run(&arguments).into()
}
