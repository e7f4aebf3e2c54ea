//! Logs: one JSON object a line on standard output, where Lambda collects them.

use contract::Lookup;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::lines::{self, Lines};
use super::panics;

/// Variable in which Lambda says how much to log (its advanced logging controls).
const LEVEL_VARIABLE: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Target of the lines in `contract::logs`: they are written at any level, because people count and search them, and a stream
/// without its line about what it cost is one that cannot be explained.
pub const MEASURED: &str = "lambda::measured";

/// Starts logging; a second call does nothing.
pub fn start(lookup: &Lookup<'_>) {
    let level = match lookup(LEVEL_VARIABLE).unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" => Level::TRACE,
        "DEBUG" => Level::DEBUG,
        "WARN" => Level::WARN,
        "ERROR" | "FATAL" => Level::ERROR,
        _ => Level::INFO,
    };
    // Ours at the level asked for; the libraries' own talk only when something is wrong. With the colons: without them
    // `lambda_runtime` would be ours, and it writes whole events down, with the tokens in them.
    let targets = Targets::new().with_default(level.min(Level::WARN)).with_target("lambda::", level);
    let targets = targets.with_target(MEASURED, level.max(Level::INFO));
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false).with_target(false);
    lines::start();
    let layer = layer.with_writer(Lines::default);
    // It fails only when logging has been started already, by a test.
    let _started = tracing_subscriber::registry().with(layer).with(targets).try_init();
    log_panics();
}

/// A panic is a line of the log like any other, with the request that it happened in, and not text on standard error.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(panic = panics::payload_text(panic.payload()), place, "panicked");
    }));
}
