//! Measures what reading a busy table costs: DynamoDB Local, and the store and the hub of the stream function. Two instances
//! read it: one in parts, as it is deployed, and one that reads the whole interval of late rows at each poll.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it is for")]

mod cold;
mod delivery;
mod instance;
mod local;
mod process;
mod start;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use lambda::clock::Clock;

use crate::delivery::Delivery;
use crate::instance::{Done, Instance};
use crate::local::Local;
use crate::table::{Table, day, id};

/// Rows that are written each second while it is measured.
const ROWS_PER_SEC: u64 = 3;
/// Age of the rows that come late.
const LATE: Duration = Duration::from_secs(300);
/// Time within which the default settings read every part of the late interval, and one poll more.
const LATE_MAX: Duration = Duration::from_secs(60 + 5);
/// Seconds for which polls are measured, at least.
const SECONDS_MIN: u64 = 30;
/// What a poll may cost of one that reads everything: a sixth.
const SHARE_MAX: f64 = 1.0 / 6.0;

/// What reading a busy table costs.
#[derive(Debug, Parser)]
#[command(name = "engine")]
struct Arguments {
    /// Rows of the 24 hours before; the default is as many a second as are written while it is measured.
    #[arg(default_value_t = ROWS_PER_SEC * 24 * 3600)]
    rows: u64,
    /// Seconds that are measured: of polls 30 at least, in which late rows come.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    /// Measures starts that find the hours of the day shared, so many, instead of polls.
    #[arg(long, value_name = "TIMES")]
    starts: Option<u32>,
    /// Measures starts of whole programs beside others, so many of each, instead of polls: constant (a runtime that reads nothing),
    /// ours, research (FastAPI that reads the window at each poll), research-adapter (the same behind the web adapter).
    #[arg(long, value_name = "ROUNDS", group = "programs started", conflicts_with = "starts", value_parser = clap::value_parser!(u32).range(1..))]
    cold: Option<u32>,
    /// Only these of them; ratios are to the first.
    #[arg(long, value_delimiter = ',', requires = "cold")]
    programs: Vec<String>,
    /// Counts the instructions of a start on tables of so many rows, instead of times: ours and constant, under Valgrind.
    #[arg(long, value_name = "ROWS,…", value_delimiter = ',', group = "programs started", conflicts_with = "starts")]
    instructions: Vec<u64>,
    /// Measures how long a row takes to so many clients of the program `server`, instead of polls.
    #[arg(long, value_name = "CLIENTS", group = "programs started", conflicts_with = "starts", value_parser = clap::value_parser!(u32).range(1..))]
    delivery: Option<u32>,
    /// Milliseconds between two polls of that server.
    #[arg(long, value_name = "MS", requires = "delivery", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(500..=60_000))]
    poll_interval: u64,
    /// Folder with the programs `stream`, `server` and `constant`; that of this one by default.
    #[arg(long, requires = "programs started")]
    folder: Option<PathBuf>,
    /// Folder of a control group for the processor, which this process enters while it is measured.
    #[arg(long, requires = "starts")]
    group: Option<PathBuf>,
    /// Share of a processor that it has there: 128 MB of 1,769 by default.
    #[arg(long, requires = "group", default_value_t = 128.0 / 1769.0)]
    share: f64,
    /// Folder with `DynamoDBLocal.jar`.
    #[arg(long, default_value = ".tools/dynamodb-local")]
    dynamodb_local: PathBuf,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(run(&Arguments::parse()))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether everything is as it has to be.
async fn run(arguments: &Arguments) -> Result<bool, String> {
    let clock = Clock::system();
    let local = Local::start(&arguments.dynamodb_local)?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = arguments.folder.as_deref().or(own.parent()).ok_or("this program is in no folder")?;
    if !arguments.instructions.is_empty() {
        cold::instructions(local.address, folder, &arguments.instructions).await?;
        return Ok(true);
    }
    if let Some(clients) = arguments.delivery {
        let clients = usize::try_from(clients).map_err(|error| error.to_string())?;
        let (poll_interval, time) =
            (Duration::from_millis(arguments.poll_interval), Duration::from_secs(arguments.seconds));
        return Delivery { clients, poll_interval, time }.measure(local.address, folder).await;
    }
    if let Some(rounds) = arguments.cold {
        cold::measure(local.address, folder, arguments.rows, rounds, &arguments.programs).await?;
        return Ok(true);
    }
    if let Some(times) = arguments.starts {
        let group = arguments.group.as_deref().map(|group| (group, arguments.share));
        start::measure(local.address, arguments.rows, times, group).await?;
        return Ok(true);
    }
    if arguments.seconds < SECONDS_MIN {
        return Err(format!("--seconds is {}; polls are measured for {SECONDS_MIN} at least", arguments.seconds));
    }
    let mut table = Table::create(local.address).await?;
    eprintln!("writing {} rows", arguments.rows);
    table.write(day(arguments.rows, clock.now().wall)).await?;
    fill(&mut table, &clock).await?;
    eprintln!("reading them");
    let began = clock.now().instant;
    let parts = Instance::start(local.address, "60s")?;
    let (load, took) = (parts.done(), clock.now().instant.duration_since(began));
    println!("| reading the window | {} rows |\n| --- | ---: |", table.len());
    println!("| until the first `metrics` | {:.1} s |\n| pages | {} |", took.as_secs_f64(), load.pages);
    println!("| read units | {:.1} |\n| processor time | {:.2} s |\n", load.units, load.cpu.as_secs_f64());
    fill(&mut table, &clock).await?;
    let whole = Instance::start(local.address, "10s")?;
    fill(&mut table, &clock).await?;
    // What was written while the window was read takes a few polls.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let before = [parts.done(), whole.done()];
    let late = write(&mut table, &clock, arguments.seconds).await?;
    let after = [parts.done(), whole.done()];
    let costs = [0, 1].map(|n| each(before[n], after[n]));
    print(&costs);
    let mut is_good = true;
    let mut check = |what: &str, good: bool| {
        println!("- {what}: {}", if good { "yes" } else { "NO" });
        is_good &= good;
    };
    check("at most a sixth of the read units", costs[0].units <= SHARE_MAX * costs[1].units);
    for (number, written) in late {
        let waited = parts.heard(&id(number)).map(|heard| heard.millis().saturating_sub(written));
        let said = waited
            .map_or_else(|| "never".into(), |millis| format!("{:.1} s", Duration::from_millis(millis).as_secs_f64()));
        check(
            &format!("a row {} s late is handed out in time ({said})", LATE.as_secs()),
            waited.is_some_and(|millis| u128::from(millis) <= LATE_MAX.as_millis()),
        );
    }
    for (name, instance) in [("parts", &parts), ("whole", &whole)] {
        let snapshot = instance.snapshot().ok_or("there is no snapshot")?;
        let expected = table.by_label(snapshot.window_after());
        let what = format!("{name}: {} rows counted, {} written", snapshot.numbers.total, table.len());
        check(&what, snapshot.numbers.by_label == expected);
    }
    Ok(is_good)
}

/// Writes what should have been written since the last row, so that the late interval is as full as the day.
async fn fill(table: &mut Table, clock: &Clock) -> Result<(), String> {
    let (last, now) = (table.newest(), clock.now().wall);
    let step = Duration::from_millis(1000 / ROWS_PER_SEC);
    let times = std::iter::successors(Some(last.plus(step)), |at| Some(at.plus(step)));
    table.write(times.take_while(|at| *at <= now)).await
}

/// Writes while the instances read; returns the late rows and when each was written.
async fn write(table: &mut Table, clock: &Clock, seconds: u64) -> Result<Vec<(usize, u64)>, String> {
    let mut late = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for second in 0..seconds {
        tick.tick().await;
        let now = clock.now().wall;
        let spread = |row| now.minus(Duration::from_millis(1000 * row / ROWS_PER_SEC));
        table.write((0..ROWS_PER_SEC).rev().map(spread)).await?;
        // Early enough that their time is over at the end.
        if second % 11 == 0 && second + LATE_MAX.as_secs() <= seconds {
            late.push((table.len(), now.millis()));
            table.write([now.minus(LATE)]).await?;
        }
    }
    // The last rows are read, too.
    tokio::time::sleep(Duration::from_secs(12)).await;
    Ok(late)
}

/// What one poll cost.
struct Cost {
    polls: u64,
    units: f64,
    pages: f64,
    rows: f64,
    cpu_ms: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn each(before: Done, after: Done) -> Cost {
    let polls = after.polls - before.polls;
    let each = |sum: f64| sum / polls.max(1) as f64;
    Cost {
        polls,
        units: each(after.units - before.units),
        pages: each((after.pages - before.pages) as f64),
        rows: each((after.rows - before.rows) as f64),
        cpu_ms: each((after.cpu - before.cpu).as_secs_f64() * 1000.0),
    }
}

fn print([parts, whole]: &[Cost; 2]) {
    println!("| a poll, {ROWS_PER_SEC} new rows a second | in parts | whole interval | share |");
    println!("| --- | ---: | ---: | ---: |");
    let line = |what: &str, of: fn(&Cost) -> f64| {
        let (parts, whole) = (of(parts), of(whole));
        println!("| {what} | {parts:.1} | {whole:.1} | 1/{:.1} |", whole / parts);
    };
    line("read units", |cost| cost.units);
    line("queries", |cost| cost.pages);
    line("rows read", |cost| cost.rows);
    line("processor time, ms", |cost| cost.cpu_ms);
    println!("\nPolls: {} and {}.\n", parts.polls, whole.polls);
}
