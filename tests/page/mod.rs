//! The page in a browser, against both functions as Lambda runs them: on origins of their own, where CORS is the platform's to
//! answer, and behind one front.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::emulator::{Config, Cors, Emulator, InvokeMode};
use crate::support::process::Process;
use crate::support::table::{SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

/// Several sessions, an outage, and a browser that starts while both cores are busy.
const LIMIT: Duration = Duration::from_secs(600);
/// Short sessions: the page must not be able to tell.
const SESSION: &str = "8s";
/// Environments of the stream function: one is busy until its session ends, whoever has left.
const ENVIRONMENTS: usize = 6;

/// What a browser of another origin may do, as generated/terraform has it.
fn cors() -> Cors {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Cors {
        allow_origins: list(&["*"]),
        allow_methods: list(&["GET"]),
        allow_headers: list(&contract::cors::ALLOW_HEADERS),
    }
}

/// A function on this table, with a URL that is called from this many origins.
async fn function(program: &str, table: &Table, cors: Option<Cors>) -> Emulator {
    let own = [
        ("SSE_POLL_INTERVAL", "500ms"),
        ("SSE_HEARTBEAT_INTERVAL", "2s"),
        ("SSE_MAX_SESSION", SESSION),
        ("AUTH_MODE", "off"),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain(own).collect();
    let mode = if program == "stream" { InvokeMode::Streaming } else { InvokeMode::Buffered };
    let config = Config::new(bins::path(program), env);
    Emulator::start(Config { cors, invoke_mode: mode, max_environments: ENVIRONMENTS, ..config }).await
}

/// Runs the browser's part, which says by itself what was wrong.
#[expect(clippy::print_stdout, reason = "shown where a test fails")]
async fn browse(origins: &str, cors: Option<Cors>) {
    let table = Table::create(SENTIMENTS).await;
    let stream = function("stream", &table, cors.clone()).await;
    let dashboard = function("dashboard", &table, cors).await;
    let inherited = ["PATH", "HOME", "LANG", "TOOLS_NODE_MODULES", "CHROMIUM", "FIREFOX"];
    let mut env: BTreeMap<String, String> = inherited
        .into_iter()
        .filter_map(|name| std::env::var(name).ok().map(|value| (name.to_owned(), value)))
        .collect();
    env.extend(
        [
            ("STREAM_PORT", stream.address().port().to_string()),
            ("DASHBOARD_PORT", dashboard.address().port().to_string()),
            ("DYNAMODB_PORT", table.server.port().to_string()),
            ("ITEMS_TABLE", table.name.clone()),
            ("USERS_TABLE", table.users.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let script = bins::workspace().join("tests/browser/emulated.mjs").display().to_string();
    let node = Process::spawn(Path::new("node"), &[script, origins.to_owned()], &env);
    let status = node.exits_within(LIMIT).await;
    println!("{}", node.text());
    assert!(status.success(), "{origins}: the browser says what was wrong");
}

#[tokio::test]
async fn the_page_and_both_functions_on_origins_of_their_own() {
    browse("two-origins", Some(cors())).await;
}

#[tokio::test]
async fn the_page_and_both_functions_behind_one_front() {
    browse("one-origin", None).await;
}
