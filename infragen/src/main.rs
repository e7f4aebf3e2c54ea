//! The command `infragen`: reads the command line and the manifest, prints, and turns outcomes into exit codes.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(&cli::parse()).into()
}
