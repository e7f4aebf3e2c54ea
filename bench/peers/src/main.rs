//! Ours and other people's streams, alternately in one run: processor time, memory, herds, what is lost.
//!
//! It must not know how a server does what it does: a process, a URL, and what /proc says.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it is for")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock, /proc and the environment")]

mod cache;
mod feed;
mod peer;
mod plot;
mod process;
mod results;
mod scenario;
mod visit;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;
use serde_json::json;

use crate::peer::Peer;
use crate::results::{LINES, Measured, middle, newest, tables, within};
use crate::scenario::{Scenario, Size};

/// Figures that are drawn, each of one scenario.
const DRAWN: [(&str, &str); 5] =
    [("bulk", "update_us"), ("single", "update_us"), ("bulk", "greeted"), ("bulk", "spread"), ("idle", "connection")];

/// What a stream costs, ours and other people's, side by side.
#[derive(Debug, Parser)]
#[command(name = "peers")]
struct Arguments {
    /// Servers, instead of all: ours, shared (ours behind Varnish), bare (nothing but writes), axum, better-sse, sse-starlette, nchan, durable-streams.
    #[arg(value_parser = named)]
    peers: Vec<Peer>,
    /// Ours, alone and behind Varnish, and axum with few clients, in seconds: does the benchmark work?
    #[arg(long)]
    quick: bool,
    /// Clients who come at once, and listen.
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    /// Clients for whom nearly nothing comes.
    #[arg(long, default_value_t = 10_000)]
    idle_clients: usize,
    /// Clients who share what a cache holds.
    #[arg(long, default_value_t = 2000)]
    shared_clients: usize,
    /// Updates a second, in one lump.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    bulk_rate: u32,
    /// Updates a second, one by one.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    single_rate: u32,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often everything is done.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these: bulk, single, idle, shared.
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Keep the figures in this folder's bench/results and docs.
    #[arg(long, value_name = "ROOT")]
    record: Option<PathBuf>,
    /// Show what the servers say.
    #[arg(long)]
    verbose: bool,
}

fn named(name: &str) -> Result<Peer, String> {
    Peer::ALL.into_iter().find(|peer| peer.name() == name).ok_or_else(|| format!("there is no `{name}`"))
}

impl Arguments {
    fn peers(&self) -> Vec<Peer> {
        match (self.peers.as_slice(), self.quick) {
            ([], true) => vec![Peer::Ours, Peer::Shared, Peer::Axum],
            ([], false) => Peer::ALL.to_vec(),
            (named, _) => named.to_vec(),
        }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        let quick = Size {
            clients: 40,
            idle_clients: 80,
            shared_clients: 40,
            bulk_rate: 20,
            single_rate: 10,
            listen: Duration::from_secs(2),
            segment: Duration::from_secs(10),
        };
        let size = Size {
            clients: self.clients,
            idle_clients: self.idle_clients,
            shared_clients: self.shared_clients,
            bulk_rate: self.bulk_rate,
            single_rate: self.single_rate,
            listen: Duration::from_secs(self.seconds),
            segment: Duration::from_secs(60),
        };
        let mut all = scenario::all(if self.quick { quick } else { size });
        all.retain(|one| self.scenarios.is_empty() || self.scenarios.iter().any(|name| name == one.name));
        all
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let all = measure(&arguments);
    let text = tables(&all);
    println!("{text}");
    if let Some(root) = &arguments.record
        && let Err(why) = record(root, &all)
    {
        eprintln!("error: {why}");
        return ExitCode::FAILURE;
    }
    let is_whole = all.iter().all(|measured| measured.failures.is_empty());
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(arguments: &Arguments) -> Vec<Measured> {
    let (chosen, rounds) = (arguments.peers(), if arguments.quick { 1 } else { arguments.rounds });
    let mut all = Vec::new();
    for scenario in arguments.scenarios() {
        let peers: Vec<Peer> = chosen.iter().copied().filter(|peer| peer.takes_part_in(&scenario)).collect();
        let measured = |peer: &Peer| Measured {
            scenario: scenario.name.into(),
            peer: peer.name().into(),
            clients: scenario.clients,
            rate: scenario.rate,
            rounds: Vec::new(),
            failures: Vec::new(),
        };
        let mut those: Vec<Measured> = peers.iter().map(measured).collect();
        for round in 1..=rounds {
            for (peer, measured) in peers.iter().zip(&mut those) {
                eprintln!("{}: {}, round {round} of {rounds}", scenario.name, peer.name());
                match visit::visit(*peer, &scenario, arguments.verbose) {
                    Ok(figures) => measured.rounds.push(figures),
                    Err(why) => {
                        eprintln!("error: {}: {why}", peer.name());
                        measured.failures.push(why);
                    }
                }
            }
        }
        all.extend(those);
    }
    all
}

/// Adds a line for each to the results, and makes the plots and the block of the page anew, of what was recorded last of each scenario.
fn record(root: &Path, all: &[Measured]) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let path = root.join("bench/results/peers.jsonl");
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    let at = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    for measured in all {
        writeln!(file, "{}", json!({ "at": at, "processors": processors, "measured": measured })).map_err(failed)?;
    }
    let all = newest(&std::fs::read_to_string(&path).map_err(failed)?)?;
    let plots = root.join("docs/peers");
    std::fs::create_dir_all(&plots).map_err(failed)?;
    let mut block = tables(&all);
    for (scenario, key) in DRAWN {
        let Some(line) = LINES.iter().find(|line| line.key == key) else { continue };
        let bar = |measured: &Measured| {
            let (median, ..) = middle(&measured.rounds, line.of).filter(|(median, ..)| *median > 0.0)?;
            Some((measured.peer.clone(), median, format!("{median:.2} {}", line.unit)))
        };
        let bars: Vec<_> = all.iter().filter(|measured| measured.scenario == scenario).filter_map(bar).collect();
        if bars.is_empty() {
            continue;
        }
        let name = format!("{scenario}-{key}.svg");
        plot::bars(&plots.join(&name), &format!("{scenario}: {}, {}", line.what, line.unit), &bars)?;
        block.push_str(&format!("![{scenario}: {}](peers/{name})\n", line.what));
    }
    let page = root.join("docs/performance.md");
    let old = std::fs::read_to_string(&page).map_err(failed)?;
    let new = within(&old, &block).ok_or_else(|| format!("{} has no marks for the block", page.display()))?;
    std::fs::write(&page, new).map_err(failed)
}
