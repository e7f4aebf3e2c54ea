//! `sse-check URL…`: checks an event stream from the outside and says what it found.

#![allow(clippy::disallowed_methods, reason = "`NO_COLOR` is not ours to define")]

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{ColorChoice, Parser, ValueEnum};
use sse_check::cases::{CASES, Severity};
use sse_check::load::{CLIENTS_MAX, Load, Run};
use sse_check::options::{Action, Options};
use sse_check::report::CaseReport;
use sse_check::target::Target;

/// Something is wrong with the command line, or nobody answers.
const USAGE: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  sse-check https://api.example.com/events
  sse-check --list
  sse-check --only resume --update-event order --id-field /order_id --trigger ./new-order.sh http://127.0.0.1:8081/events
  sse-check --skip churn --header 'Authorization: Bearer …' --format json https://api.example.com/events
  sse-check --max-session 2m --pid 4711 --terminate http://127.0.0.1:8081/events
  sse-check --load 10000 --ramp 10s --for 1m --update-event order --id-field /order_id --time-field /at http://127.0.0.1:8081/events

Several URLs are several instances of one stream: `resume` comes back to any of them.
Exit status: 0 all passed, 1 something was found, 2 usage, or nobody answers.
TLS trusts the certificates of this machine, or those in the file that SSL_CERT_FILE names.";

/// Checks an event stream (server-sent events, EventSource) from the outside.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    /// What to check; http or https
    #[arg(required_unless_present = "list")]
    url: Vec<String>,
    /// Print all cases with their rules, and run none
    #[arg(long)]
    list: bool,
    /// Run only this case; may be repeated
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    /// Leave this case out; may be repeated
    #[arg(long, value_name = "CASE")]
    skip: Vec<String>,
    /// A header for every request, `Name: value`; may be repeated
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// How to report
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Whether to use colours
    #[arg(long, value_enum, default_value = "auto")]
    color: ColorChoice,
    /// Warnings do not count for the exit status
    #[arg(long)]
    allow_warnings: bool,
    /// Longest wait for an answer, an event, an end
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    timeout: Duration,
    /// How long the first stream is listened to
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = time)]
    listen: Duration,
    /// Latest first byte of a body
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    first_byte: Duration,
    /// Type of the events that must arrive exactly once; otherwise all that have an id
    #[arg(long, value_name = "TYPE")]
    update_event: Option<String>,
    /// JSON pointer into an update's data that tells it from others; may be repeated; otherwise its id does
    #[arg(long, value_name = "POINTER", value_parser = pointer)]
    id_field: Vec<String>,
    /// Type of the event that says that a position was not taken
    #[arg(long, value_name = "TYPE")]
    reset_event: Option<String>,
    /// Type of the event that shows that the stream is alive
    #[arg(long, value_name = "TYPE")]
    heartbeat_event: Option<String>,
    /// Shell command that causes an update, where the endpoint does not do so by itself
    #[arg(long, value_name = "COMMAND")]
    trigger: Option<String>,
    /// How often `resume` cuts its stream
    #[arg(long, value_name = "N", default_value_t = 20)]
    cuts: u32,
    /// A cut comes after at most so many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 4096)]
    cut_bytes: u64,
    /// How many streams are opened to find the limit
    #[arg(long, value_name = "N", default_value_t = 50)]
    connections: u32,
    /// How long a slow reader does not read
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    stall: Duration,
    /// How many clients `churn` sends
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    churn: u32,
    /// How many of them at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    churn_concurrency: u32,
    /// The server ends a stream by itself at the latest after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_session: Option<Duration>,
    /// Process of the server on this machine: its memory and open files are watched
    #[arg(long)]
    pid: Option<u32>,
    /// Send SIGTERM to --pid as the last case
    #[arg(long, requires = "pid")]
    terminate: bool,
    /// Shell command that stops the server, as the last case
    #[arg(long, value_name = "COMMAND", conflicts_with = "terminate")]
    on_shutdown: Option<String>,
    /// Run no case, but so many clients at once: what is lost or doubled, and how soon the rest comes
    #[arg(long, value_name = "N", value_parser = clients, conflicts_with_all = ["list", "only", "skip"])]
    load: Option<usize>,
    /// Time over which these clients come, evenly; 0s for all at once
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time, requires = "load")]
    ramp: Duration,
    /// How long they stay
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time, requires = "load")]
    stay: Duration,
    /// Clients may be refused with status 200 and an end, as where a server is full; otherwise that is a finding
    #[arg(long, requires = "load")]
    allow_refusals: bool,
    /// JSON pointer into an update's data to the time when it was made
    #[arg(long, value_name = "POINTER", default_value = "/timestamp", value_parser = pointer, requires = "load")]
    time_field: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Reads `250ms`, `20s`, `2m`.
fn time(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().map_err(|_| "it must be a time such as 250ms, 20s or 2m".to_owned())?;
    let per_unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err("it must be a time such as 250ms, 20s or 2m".to_owned()),
    };
    number
        .checked_mul(per_unit)
        .filter(|ms| *ms <= 86_400_000)
        .map(Duration::from_millis)
        .ok_or("it must be at most a day".into())
}

/// Reads a JSON pointer. The empty one, which is all of the data, is refused: it is more likely a variable that was not set.
fn pointer(text: &str) -> Result<String, String> {
    let pointer = text.starts_with('/').then(|| text.to_owned());
    pointer.ok_or_else(|| "it must be a JSON pointer, which begins with `/`, such as /order_id".into())
}

/// Reads a number of clients.
fn clients(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=CLIENTS_MAX).contains(number));
    number.ok_or_else(|| format!("it must be a number of clients from 1 to {CLIENTS_MAX}"))
}

impl Arguments {
    fn load(&self) -> Option<Load> {
        Some(Load {
            clients: self.load?,
            ramp: self.ramp,
            time_field: self.time_field.clone(),
            allows_refusals: self.allow_refusals,
        })
    }

    fn options(self) -> Result<Options, String> {
        let targets = self.url.iter().map(|url| Target::parse(url)).collect::<Result<_, _>>()?;
        for name in self.only.iter().chain(&self.skip) {
            if !CASES.iter().any(|case| case.name == name) {
                return Err(format!("there is no case `{name}`; --list names them"));
            }
        }
        let headers = self.header.iter().map(|text| header(text)).collect::<Result<_, _>>()?;
        let terminate = self.pid.filter(|_| self.terminate).map(Action::Terminate);
        Ok(Options {
            headers,
            timeout: self.timeout,
            listen: self.listen,
            first_byte: self.first_byte,
            update_event: self.update_event,
            id_fields: self.id_field,
            reset_event: self.reset_event,
            heartbeat_event: self.heartbeat_event,
            trigger: self.trigger.map(Action::Command),
            cuts: self.cuts,
            cut_bytes: self.cut_bytes,
            connections: self.connections,
            stall: self.stall,
            churn: self.churn,
            churn_concurrency: self.churn_concurrency,
            max_session: self.max_session,
            shutdown: self.on_shutdown.map(Action::Command).or(terminate),
            pid: self.pid,
            only: self.only,
            skip: self.skip,
            ..Options::new(targets)
        })
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let bad = || format!("`{text}` is not a header; write it as `Name: value`");
    let (name, value) = text.split_once(':').ok_or_else(bad)?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(good) || value.contains(['\r', '\n', '\0']) {
        return Err(bad());
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// A line on stdout; a reader that has gone away is no reason to complain.
fn say(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "error: {text}"));
    ExitCode::from(USAGE)
}

fn list() {
    for case in CASES {
        let severity = if case.severity == Severity::Error { "error" } else { "warning" };
        say(&format!("{:<16}{severity:<9}{}\n{:25}{}\n", case.name, case.rule, "", case.source));
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        list();
        return ExitCode::SUCCESS;
    }
    let (format, allow_warnings) = (arguments.format, arguments.allow_warnings);
    let color = match arguments.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let (load, stay) = (arguments.load(), arguments.stay);
    let options = match arguments.options() {
        Ok(options) => options,
        Err(why) => return complain(&why),
    };
    if let Some(load) = load {
        return clients_at_once(&options, &load, stay, format);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string()),
    };
    let url = options.targets[0].url();
    let done = |case: &CaseReport| {
        if format == Format::Human {
            say(&case.text(color));
        }
    };
    let report = match runtime.block_on(sse_check::run(options, done)) {
        Ok(report) => report,
        Err(failure) => return complain(&format!("{url} cannot be checked: {failure}")),
    };
    match format {
        Format::Human => say(&report.summary()),
        Format::Json => say(&format!("{}\n", serde_json::to_string_pretty(&report).expect("a report is plain data"))),
    }
    let failed = report.has(Severity::Error) || report.has(Severity::Warning) && !allow_warnings;
    ExitCode::from(u8::from(failed))
}

/// Runs many clients for a while, and waits for what was under way at its end as long as for an answer.
fn clients_at_once(options: &Options, load: &Load, stay: Duration, format: Format) -> ExitCode {
    let run = || {
        let mut run = Run::new(options, load)?;
        run.until(load.ramp + stay, |_| false)?;
        let owed = run.settle(options.timeout)?;
        Ok::<_, String>(run.report(&owed))
    };
    let report = match run() {
        Ok(report) => report,
        Err(why) => return complain(&why),
    };
    if report.first_byte.count == 0 {
        return complain(&format!("{} cannot be checked: {}", report.urls[0], report.findings.join("; ")));
    }
    match format {
        Format::Human => say(&report.text()),
        Format::Json => say(&format!("{}\n", serde_json::to_string_pretty(&report).expect("a report is plain data"))),
    }
    ExitCode::from(u8::from(!report.is_clean()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(arguments: &[&str]) -> Option<String> {
        let all = [&["sse-check", "http://127.0.0.1:1/"], arguments].concat();
        Arguments::try_parse_from(all).err().map(|error| error.to_string())
    }

    #[test]
    fn a_pointer_begins_with_a_slash() {
        for option in ["--id-field", "--time-field"] {
            assert_eq!(said(&["--load", "1", option, "/order/id"]), None);
            for bad in ["order_id", "", "$.order_id", "./order_id"] {
                let said = said(&["--load", "1", option, bad]).unwrap();
                assert!(said.contains("it must be a JSON pointer, which begins with `/`"), "{option} {bad}: {said}");
            }
        }
    }
}
