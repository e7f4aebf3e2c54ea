//! `infragen seed` and `infragen put`: rows into the table of items, through the AWS command line.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::{Args, ValueHint};
use contract::units::{Bare, parse_duration};
use infragen::doctor::Ran;
use infragen::manifest::Manifest;
use infragen::seed::{self, BATCH_ROWS_MAX, Fault, Given, Shape};
use serde_json::{Map, Value};
use stream_core::timestamp::Timestamp;

use super::account::now_ms;
use super::deploy::ANSWER_MAX;
use super::run::run_with;
use super::shell::Shell;
use super::{Outcome, Stopped, interrupt};

/// Faults that are shown; more are counted.
const FAULTS_MAX: usize = 20;
/// Largest file: it is read whole.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// How often what a table does not take at once is tried again, and the time before the first of these, which doubles.
const TRIES_MAX: u32 = 8;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Rows between two lines of progress.
const SAID_EVERY: usize = 1000;

#[derive(Args, Debug)]
pub(super) struct SeedArguments {
    /// Rows: a table with a line of names (`.csv`), or a JSON object a line (`.jsonl`, `.ndjson`).
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// One row after the other at this pace, such as `5/s` or `30/m`; those without a time get the moment at which they are written.
    /// Else as fast as the table takes them.
    #[arg(long, value_name = "N/UNIT", value_parser = pace)]
    rate: Option<Duration>,
    /// Move the times of all rows by the same, so that the newest is of now: for rows of an example.
    #[arg(long, conflicts_with = "rate")]
    fresh: bool,
    /// Check every row and write none.
    #[arg(long)]
    dry_run: bool,
    /// Print every row as DynamoDB has it, one a line, and write none.
    #[arg(long, conflicts_with_all = ["rate", "dry_run"])]
    print: bool,
    /// What the table is: what `aws dynamodb describe-table` printed or `create-table` takes. Else the table itself is asked.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    table: Option<PathBuf>,
}

impl SeedArguments {
    /// Whether nothing is asked of an account and nothing is written there.
    const fn is_offline(&self) -> bool {
        self.table.is_some() && (self.print || self.dry_run)
    }
}

#[derive(Args, Debug)]
pub(super) struct PutArguments {
    /// The label, one of `data.labels`.
    #[arg(long, value_name = "TEXT", allow_negative_numbers = true)]
    label: String,
    /// The hash key; else one made of the time.
    #[arg(long, value_name = "TEXT")]
    id: Option<String>,
    /// The time, RFC 3339; else now.
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Score, -1 to 1.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = |text: &str| within(text, -1.0))]
    score: Option<f64>,
    /// Confidence, 0 to 1.
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| within(text, 0.0))]
    confidence: Option<f64>,
    /// A ticker, or another tag; may be repeated.
    #[arg(long = "ticker", value_name = "TEXT")]
    tickers: Vec<String>,
    /// Where it comes from.
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Any other attribute; may be repeated.
    #[arg(long = "with", value_name = "NAME=TEXT", value_parser = pair)]
    others: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("it must be NAME=TEXT")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A number from `least` to 1.
fn within(text: &str, least: f64) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (least..=1.0).contains(number));
    number.ok_or_else(|| format!("it must be a number from {least} to 1"))
}

/// Time between two rows of a pace such as `5/s`.
fn pace(text: &str) -> Result<Duration, String> {
    const RULE: &str = "it must be a whole number from 1 to 1000 and a unit, such as `5/s` or `30/m`";
    let (count, unit) = text.split_once('/').ok_or(RULE)?;
    let count = count.parse::<u32>().ok().filter(|count| (1..=1000).contains(count)).ok_or(RULE)?;
    if unit.starts_with(|c: char| !c.is_ascii_alphabetic()) {
        return Err(RULE.to_owned());
    }
    let unit = parse_duration(&format!("1{unit}"), Bare::Refused).map_err(|_| RULE)?;
    Ok(unit / count)
}

fn now() -> Timestamp {
    Timestamp::from_millis(now_ms())
}

impl Shell<'_> {
    pub(super) fn seed(&self, arguments: &SeedArguments) -> Stopped {
        let loaded = if arguments.is_offline() { self.load()? } else { self.deployed()? };
        let mut rows = self.rows(&arguments.file)?;
        interrupt::watch("rows that were written stay; the same command writes them again, in the same places")
            .map_err(|error| self.fail(&error, None))?;
        let shape = self.shape(&loaded.manifest, arguments.table.as_deref())?;
        if arguments.fresh {
            shape.refresh(&mut rows, now());
        }
        let items = shape.items(&rows, now()).map_err(|faults| self.faulty(&arguments.file, &faults))?;
        if arguments.print {
            let lines: Vec<String> = items.iter().map(|item| format!("{item}\n")).collect();
            return self.print(&lines.concat()).map(|()| Outcome::Done);
        }
        if arguments.dry_run {
            return self
                .print(&format!("{} rows fit `{}`; none was written\n", items.len(), shape.table))
                .map(|()| Outcome::Done);
        }
        self.write_items(&loaded.manifest, &shape, arguments, (&rows, &items))?;
        self.print(&format!("{} rows in `{}`\n", items.len(), shape.table))?;
        Ok(Outcome::Done)
    }

    /// Writes all rows: as fast as the table takes them, or at a pace, where those without a time get their own moment each.
    fn write_items(
        &self,
        manifest: &Manifest,
        shape: &Shape<'_>,
        arguments: &SeedArguments,
        (rows, items): (&[Given], &[Value]),
    ) -> Result<(), Outcome> {
        match arguments.rate {
            None => {
                let mut written = 0;
                for request in shape.requests(items, BATCH_ROWS_MAX) {
                    self.write_rows(manifest, request)?;
                    written = (written + BATCH_ROWS_MAX).min(items.len());
                    if written % SAID_EVERY == 0 {
                        self.say(&format!("{written} of {} rows", items.len()));
                    }
                }
            }
            Some(between) => {
                for row in rows {
                    let item = shape
                        .items(std::slice::from_ref(row), now())
                        .map_err(|faults| self.faulty(&arguments.file, &faults))?;
                    for request in shape.requests(&item, 1) {
                        self.write_rows(manifest, request)?;
                    }
                    self.say(&format!("line {}", row.line));
                    thread::sleep(between);
                }
            }
        }
        Ok(())
    }

    pub(super) fn put(&self, arguments: &PutArguments) -> Stopped {
        let loaded = self.deployed()?;
        let now = now();
        let id = arguments.id.clone().unwrap_or_else(|| now.millis().to_string());
        let mut fields = Map::from_iter([
            ("item_id".to_owned(), id.clone().into()),
            ("label".to_owned(), arguments.label.clone().into()),
        ]);
        let mut set = |name: &str, value: Option<Value>| value.map(|value| fields.insert(name.to_owned(), value));
        set("timestamp", arguments.time.clone().map(Value::from));
        set("score", arguments.score.map(Value::from));
        set("confidence", arguments.confidence.map(Value::from));
        set("tickers", (!arguments.tickers.is_empty()).then(|| arguments.tickers.clone().into()));
        set("source", arguments.source.clone().map(Value::from));
        for (name, value) in &arguments.others {
            set(name, Some(value.clone().into()));
        }
        let row = Given { line: 0, fields: fields.into_iter().collect() };
        let shape = self.shape(&loaded.manifest, None)?;
        let items = shape.items(&[row], now).map_err(|faults| {
            faults.iter().for_each(|fault| self.error(&fault.what, None));
            Outcome::NeedsPerson
        })?;
        for request in shape.requests(&items, 1) {
            self.write_rows(&loaded.manifest, request)?;
        }
        self.print(&format!("`{id}` in `{}`\n", shape.table))?;
        Ok(Outcome::Done)
    }

    fn rows(&self, file: &Path) -> Result<Vec<Given>, Outcome> {
        let kind = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let reader: fn(&str) -> Result<Vec<Given>, Vec<Fault>> = match kind {
            "csv" => seed::csv,
            "jsonl" | "ndjson" => seed::json_lines,
            _ => {
                self.error(
                    &format!("`{}` is no file whose name ends in .csv, .jsonl or .ndjson", file.display()),
                    None,
                );
                return Err(Outcome::Usage);
            }
        };
        let text = self.read(file, FILE_BYTES_MAX, None)?;
        let rows = reader(&text).map_err(|faults| self.faulty(file, &faults))?;
        if rows.is_empty() {
            self.error(&format!("`{}` has no rows", file.display()), None);
            return Err(Outcome::NeedsPerson);
        }
        Ok(rows)
    }

    fn shape<'m>(&self, manifest: &'m Manifest, table: Option<&Path>) -> Result<Shape<'m>, Outcome> {
        let described = match table {
            Some(file) => self.read(file, FILE_BYTES_MAX, None)?,
            None => self.asked(&seed::describe(manifest))?,
        };
        Shape::of(manifest, &described).ok_or_else(|| {
            let attributes = &manifest.data.attributes;
            let (key, time, label) = (attributes.key.as_str(), attributes.time.as_str(), attributes.label.as_str());
            let message = format!("the table has no keys `{key}`, `{time}` and `{label}`, its index included");
            self.error(&message, Some("`infragen doctor` says how the table differs from the manifest"));
            Outcome::NeedsPerson
        })
    }

    fn faulty(&self, file: &Path, faults: &[Fault]) -> Outcome {
        for fault in faults.iter().take(FAULTS_MAX) {
            self.error(&format!("{}:{}: {}", file.display(), fault.line, fault.what), None);
        }
        if let Some(more) = faults.len().checked_sub(FAULTS_MAX).filter(|more| *more > 0) {
            self.error(&format!("and {more} more; nothing was written"), None);
        }
        Outcome::NeedsPerson
    }

    /// Writes what one request asks for, as often as the table takes less than all of it.
    fn write_rows(&self, manifest: &Manifest, mut request: String) -> Result<(), Outcome> {
        let mut wait = TRY_AGAIN_AFTER;
        for _ in 0..TRIES_MAX {
            match run_with(&seed::write(manifest), &request, ANSWER_MAX) {
                Ran::Done(answer) => match seed::unwritten(&answer) {
                    None => return Ok(()),
                    Some(left) => request = left,
                },
                failed if failed.failed_with("ProvisionedThroughputExceeded") || failed.failed_with("Throttling") => {}
                failed => return self.answered(failed).map(drop),
            }
            thread::sleep(wait);
            wait *= 2;
        }
        self.error("the table does not take the rows: it is throttled", Some("write them slower, with `--rate`"));
        Err(Outcome::NeedsPerson)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_number_and_a_unit() {
        assert_eq!(pace("5/s"), Ok(Duration::from_millis(200)));
        assert_eq!(pace("30/m"), Ok(Duration::from_secs(2)));
        for bad in ["5", "0/s", "1001/s", "5/x", "/s", "5/", "-1/s", "5/5s"] {
            assert!(pace(bad).is_err(), "{bad}");
        }
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("=b").is_err() && pair("a").is_err());
    }
}
