//! Measures what the window of the stream function costs, without a table: rows are made up, and the clock moves as it is
//! told to. It must not decide what the program does: it only drives the core as the hub does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it is for")]

mod bounds;
mod client;
mod gauge;
mod instance;
mod report;
mod run;
mod table;

use std::process::{Command, ExitCode, Stdio};

use clap::Parser;

use crate::report::Report;
use crate::run::Size;

/// What a window of 24 hours costs: memory, processor time, allocations.
#[derive(Debug, Parser)]
#[command(name = "window")]
struct Arguments {
    /// Windows of 10,000 and 100,000 rows, and fewer filters: seconds instead of minutes.
    #[arg(long)]
    quick: bool,
    /// Exit with 1 where a count or a size is beyond its bound. Times are never judged.
    #[arg(long)]
    check: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Rows of the windows, instead of 10,000, 100,000 and 1,000,000.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1000..=5_000_000))]
    rows: Vec<u64>,
    /// Filters that are counted one after the other, instead of 10,000 or 500.
    #[arg(long, value_name = "FILTERS", value_parser = clap::value_parser!(u64).range(1..))]
    filters: Option<u64>,
    /// Measure one size in this process: each has a process of its own, whose memory is its own.
    #[arg(long, hide = true, conflicts_with = "check")]
    here: bool,
    /// Only load a window and poll that often, for a program that counts from outside.
    #[arg(long, value_name = "POLLS", requires = "rows")]
    polls: Option<usize>,
    /// New rows of each of these polls.
    #[arg(long, value_name = "ROWS", default_value_t = 0)]
    new_rows: u64,
}

impl Arguments {
    fn sizes(&self) -> &[u64] {
        match (self.rows.as_slice(), self.quick) {
            ([], true) => &[10_000, 100_000],
            ([], false) => &[10_000, 100_000, 1_000_000],
            (rows, _) => rows,
        }
    }

    fn filters(&self) -> u64 {
        self.filters.unwrap_or(if self.quick { 500 } else { 10_000 })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(polls) = arguments.polls {
        arguments.sizes().iter().for_each(|rows| run::only_polls(*rows, polls, arguments.new_rows));
        return ExitCode::SUCCESS;
    }
    if arguments.here {
        let reports = arguments.sizes().iter().map(|rows| run::run(Size { rows: *rows, filters: arguments.filters() }));
        println!("{}", json(&reports.collect::<Vec<_>>()));
        return ExitCode::SUCCESS;
    }
    let mut reports = Vec::new();
    for rows in arguments.sizes() {
        match elsewhere(Size { rows: *rows, filters: arguments.filters() }) {
            Ok(more) => reports.extend(more),
            Err(reason) => {
                eprintln!("error: a window of {rows} rows: {reason}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}", if arguments.json { json(&reports) } else { report::table(&reports) });
    if !arguments.check {
        return ExitCode::SUCCESS;
    }
    let broken = bounds::broken(&reports);
    broken.iter().for_each(|bound| eprintln!("error: {bound}"));
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn json(reports: &[Report]) -> String {
    serde_json::to_string_pretty(reports).expect("figures are JSON")
}

/// Measures one size in a process of its own.
fn elsewhere(size: Size) -> Result<Vec<Report>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["--here", "--rows", &size.rows.to_string(), "--filters", &size.filters.to_string()]);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(output.status.to_string());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
