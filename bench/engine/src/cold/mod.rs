//! Cold starts beside others: from the start of a process to the first byte of its stream and to its first numbers.

mod api;
mod program;
mod usage;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use contract::routes;
use lambda::clock::Clock;

use self::program::Program;
use crate::table::{Table, day};

/// Time that one start may take, on a machine that does other things too.
const LIMIT: Duration = Duration::from_secs(120);

/// What one start came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// From the start of the process to the first byte of its stream.
    first_byte: Duration,
    /// To the end of its first `metrics` line.
    first_metrics: Duration,
    /// Processor time by then.
    processor: Duration,
    /// Resident memory then, bytes.
    resident: u64,
}

/// What is shown of each program.
struct Line {
    what: &'static str,
    unit: &'static str,
    of: fn(&Start) -> f64,
}

const LINES: [Line; 4] = [
    Line { what: "process start to first byte", unit: "ms", of: |start| millis(start.first_byte) },
    Line { what: "process start to first `metrics`", unit: "ms", of: |start| millis(start.first_metrics) },
    Line { what: "processor time until then", unit: "ms", of: |start| millis(start.processor) },
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    Line { what: "resident memory at one connection", unit: "MB", of: |start| start.resident as f64 / 1e6 },
];

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Fills a table with rows of a day and starts every program so many times, alternately. `names` chooses some of them.
/// Ours lie in `folder`.
pub(crate) async fn measure(
    address: SocketAddr,
    folder: &Path,
    rows: u64,
    rounds: u32,
    names: &[String],
) -> Result<(), String> {
    let programs = Program::named(names)?;
    let mut table = Table::create(address).await?;
    table.write(day(rows, Clock::system().now().wall)).await?;
    let mut all: Vec<Vec<Start>> = vec![Vec::new(); programs.len()];
    // One round more than is counted: the first finds files on the disk and has Python compile them.
    for round in 0..=rounds {
        for (program, starts) in programs.iter().zip(&mut all) {
            let started = tokio::time::timeout(LIMIT, program.start(folder, address, routes::STREAM)).await;
            let start = started.map_err(|_| format!("{} has no numbers after {LIMIT:?}", program.name()))??;
            starts.extend((round > 0).then_some(start));
        }
    }
    print(rows, &programs, &all);
    Ok(())
}

/// Fills a table with ever more rows of a day, and counts the instructions of a start of ours and of the least that there can be, whoever else
/// uses the machine. A line for each size.
#[expect(clippy::print_stdout, reason = "what it is for")]
pub(crate) async fn instructions(address: SocketAddr, folder: &Path, sizes: &[u64]) -> Result<(), String> {
    let mut table = Table::create(address).await?;
    println!("| rows | constant | ours | for each row |\n| ---: | ---: | ---: | ---: |");
    let (mut rows, mut least) = (0, None);
    for size in sizes {
        table.write(day(size.saturating_sub(rows), Clock::system().now().wall)).await?;
        rows = rows.max(*size);
        let mut counts = [0; 2];
        for (program, count) in [Program::Constant, Program::Ours].into_iter().zip(&mut counts) {
            let counting = tokio::time::timeout(LIMIT * 5, program.count(folder, address, routes::STREAM)).await;
            *count = counting.map_err(|_| format!("{} has no numbers", program.name()))??;
        }
        let [constant, ours] = counts;
        let (first, before) = *least.get_or_insert((rows, ours));
        let each = ours.saturating_sub(before).checked_div(rows - first).map_or("–".into(), |each| each.to_string());
        println!("| {rows} | {:.1} million | {:.1} million | {each} |", millions(constant), millions(ours));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "rounded anyway")]
fn millions(count: u64) -> f64 {
    count as f64 / 1e6
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn print(rows: u64, programs: &[Program], all: &[Vec<Start>]) {
    let names: Vec<&str> = programs.iter().map(|program| program.name()).collect();
    println!("| {rows} rows | {} |\n| --- |{}", names.join(" | "), " ---: |".repeat(programs.len()));
    for Line { what, unit, of } in &LINES {
        let figures: Vec<[f64; 3]> = all.iter().map(|starts| spread(starts.iter().map(of).collect())).collect();
        let cell = |[least, median, most]: &[f64; 3]| {
            let ratio = median / figures[0][1];
            format!("{median:.1} {unit} ({least:.1}–{most:.1}), {ratio:.2} ×")
        };
        println!("| {what} | {} |", figures.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
}

/// The least, the median and the most.
fn spread(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_by(f64::total_cmp);
    [figures[0], figures[figures.len() / 2], figures[figures.len() - 1]]
}
