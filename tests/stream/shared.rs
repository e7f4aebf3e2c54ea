//! Many viewers, one invocation: the function behind Varnish, which stands in for CloudFront. Both hand an answer that comes to all who ask
//! the same, and keep none that broke off. What only a real distribution shows, docs/fronts.md says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::limits::{SEGMENT_MIN, SEGMENT_RECONNECT_MIN_MS};
use serde_json::{Value, json};

use super::prometheus::{sample, scrape};
use super::{LIMIT, STREAM, config};
use crate::emulator::{Emulator, Invocation};
use crate::support::client::Request;
use crate::support::external::tool;
use crate::support::local::free_port;
use crate::support::process::Process;
use crate::support::server::Server;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

/// Viewers at once.
const VIEWERS: u64 = 300;
/// What the stream says in segments of the shortest length.
const SEGMENTS: [(&str, &str); 3] =
    [("SSE_SHARED_SEGMENTS", "true"), ("SSE_SEGMENT_LENGTH", "10s"), ("SSE_HEARTBEAT_INTERVAL", "1s")];
/// Time over which they come.
const RAMP: Duration = Duration::from_secs(1);
/// How long before the end of a segment newcomers begin to come, so that no cache would keep what lasts until then, and over which time.
const NEWCOMERS: (Duration, Duration) = (Duration::from_millis(400), Duration::from_secs(1));
/// For how long they watch: the rest of a segment, a whole one and some of the next.
const WATCHED: Duration = Duration::from_secs(25);
/// Ends of segments within that time, at most, and the one with which what they are owed comes then.
const ENDS: u64 = 4;

/// Whether a cache hands on what it has not whole yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    AsItComes,
    Whole,
}

/// The cache, and where it keeps its files.
struct Varnish {
    process: Process,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Varnish {
    /// Starts one with the key that the rendered cache policy has: address, place and kind of client.
    async fn before(origin: SocketAddr, passing: Passing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_port();
        let rules = folder.path().join("rules.vcl");
        std::fs::write(&rules, vcl(origin, passing)).unwrap();
        let run = folder.path().join("run");
        // As the user that the test has: its folder lets in nobody else.
        let (address_text, rules, run) = (address.to_string(), rules.to_str().unwrap(), run.to_str().unwrap());
        let arguments = ["-F", "-j", "none", "-a", &address_text, "-f", rules, "-s", "malloc,64m", "-n", run];
        let arguments = arguments.map(str::to_owned);
        let program = tool("TOOLS_VARNISH", "varnishd");
        // It has the rules compiled.
        let env = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
        let process = Process::spawn(&program, &arguments, &env);
        let varnish = Self { process, address, _folder: folder };
        let health = async || Request::get(address, contract::routes::HEALTH).try_send().await;
        let up = async {
            while !health().await.is_ok_and(|answer| answer.status() == 200) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        varnish.process.is_up(up).await;
        varnish
    }
}

fn vcl(origin: SocketAddr, passing: Passing) -> String {
    let streams = passing == Passing::AsItComes;
    include_str!("../fixtures/cache.vcl")
        .replace("{HOST}", &origin.ip().to_string())
        .replace("{PORT}", &origin.port().to_string())
        .replace("{STREAMS}", &streams.to_string())
}

/// Writes an item of two tags again and again.
async fn write(table: &Table) -> ! {
    for n in 0.. {
        table.put(&Row::new(&format!("row-{n}"), "neutral", &["AAPL", "MSFT"])).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    unreachable!("nobody counts so far")
}

/// What comes of `watching` while items are written.
async fn while_written(table: &Table, watching: impl Future<Output = Value>) -> Value {
    tokio::select! {
        report = watching => report,
        never = write(table) => never,
    }
}

/// A table, the function on it, and the cache before that.
async fn behind_a_cache(passing: Passing) -> (Table, Emulator, Varnish) {
    let table = Table::create(SENTIMENTS).await;
    let emulator = Emulator::start(config(&table, dynamodb::address(), &SEGMENTS)).await;
    let varnish = Varnish::before(emulator.address(), passing).await;
    (table, emulator, varnish)
}

/// What `sse-check --load` says of viewers who come over that time and watch for [`WATCHED`].
async fn load(address: SocketAddr, ramp: Duration) -> Value {
    let rules =
        ["--format", "json", "--update-event", "sentiment_update", "--id-field", "/item_id", "--id-field", "/ticker"];
    let (viewers, watched, url) = (VIEWERS.to_string(), format!("{WATCHED:?}"), format!("http://{address}{STREAM}"));
    let ramp = format!("{ramp:?}");
    let load = ["--timeout", "60s", "--load", &viewers, "--ramp", &ramp, "--for", &watched, &url];
    let arguments: Vec<String> = rules.iter().chain(&load).map(|text| (*text).to_owned()).collect();
    let process = Process::spawn(&bins::path("sse-check"), &arguments, &BTreeMap::new());
    process.exits_within(LIMIT * 3).await;
    let out: String =
        process.lines().iter().filter(|line| !line.stderr).map(|line| format!("{}\n", line.text)).collect();
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {}", process.text()))
}

/// Each viewer had each update once.
#[track_caller]
fn all_had_all(report: &Value) {
    let expected = (&json!(0), &json!(0));
    assert_eq!((&report["lost"], &report["doubled"]), expected, "{report}");
    assert!(report["updates"].as_u64() > Some(20), "{report}");
}

fn streams(invocations: &[Invocation]) -> usize {
    invocations.iter().filter(|invocation| invocation.target.starts_with(STREAM)).count()
}

/// All of them together were a handful of streams.
#[track_caller]
fn are_few(emulator: &Emulator) {
    let count = streams(&emulator.invocations());
    assert!((2..=12).contains(&count), "{count} invocations for {VIEWERS} viewers");
}

#[tokio::test]
async fn hundreds_of_viewers_are_a_handful_of_invocations_and_each_has_every_update_once() {
    let (table, emulator, varnish) = behind_a_cache(Passing::AsItComes).await;
    let report = while_written(&table, load(varnish.address, RAMP)).await;
    all_had_all(&report);
    assert_eq!(report["findings"], json!([]), "{report}");
    assert!(report["reconnects"].as_u64() >= Some(VIEWERS), "{report}");
    // Newcomers, and those who go on: a viewer whose last piece came late asks from elsewhere.
    are_few(&emulator);
}

#[tokio::test]
async fn newcomers_who_come_while_a_segment_ends_share_the_next_one() {
    let (table, emulator, varnish) = behind_a_cache(Passing::AsItComes).await;
    let (before, ramp) = NEWCOMERS;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let into = Duration::from_nanos_u128(since_1970.as_nanos() % SEGMENT_MIN.as_nanos());
    let left = (SEGMENT_MIN - into).checked_sub(before).unwrap_or(SEGMENT_MIN * 2 - into - before);
    tokio::time::sleep(left).await;
    let report = while_written(&table, load(varnish.address, ramp)).await;
    all_had_all(&report);
    assert_eq!(report["findings"], json!([]), "{report}");
    are_few(&emulator);
}

#[tokio::test]
async fn a_function_that_dies_in_the_middle_costs_nobody_an_update() {
    let (table, emulator, varnish) = behind_a_cache(Passing::AsItComes).await;
    let killing = async {
        // The health of the way in was asked for first, the segment with which they begin, and one that they went on with.
        emulator.wait("a second segment", LIMIT, |all| (streams(all) >= 2).then_some(())).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        emulator.kill();
    };
    let loading = async { tokio::join!(load(varnish.address, RAMP), killing).0 };
    let report = while_written(&table, loading).await;
    all_had_all(&report);
    let failures = report["failures"].as_object().unwrap();
    assert!(failures.keys().any(|why| why.starts_with("a stream broke off")), "nobody noticed: {report}");
    let count = streams(&emulator.invocations());
    assert!(count <= 20, "{count} invocations for {VIEWERS} viewers");
}

#[tokio::test]
async fn a_cache_that_hands_on_whole_answers_only_is_slow_and_right() {
    let (table, _emulator, varnish) = behind_a_cache(Passing::Whole).await;
    let report = while_written(&table, load(varnish.address, RAMP)).await;
    all_had_all(&report);
    // Whoever has a segment whole is at its end, and comes back for the next one, which takes its time too.
    let returns = report["reconnects"].as_u64().unwrap();
    assert!(returns <= VIEWERS * ENDS, "{returns} returns of {VIEWERS} viewers");
}

#[tokio::test]
async fn where_nothing_happens_an_answer_that_ended_is_not_handed_out_again() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("the only one", "positive", &["AAPL"])).await;
    let emulator = Emulator::start(config(&table, dynamodb::address(), &SEGMENTS)).await;
    let varnish = Varnish::before(emulator.address(), Passing::AsItComes).await;
    // The id is the one of the segment before, and so is the address: a second after its end nobody gets it.
    let report = load(varnish.address, RAMP).await;
    let findings = report["findings"].as_array().unwrap();
    let none = "no update came: looked for `sentiment_update` events";
    assert!(matches!(&findings[..], [one] if one.as_str().unwrap().starts_with(none)), "{report}");
    let returns = report["reconnects"].as_u64().unwrap();
    assert!((VIEWERS..=VIEWERS * ENDS).contains(&returns), "{returns} returns of {VIEWERS} viewers");
    assert!(streams(&emulator.invocations()) as u64 <= ENDS * 2, "{} invocations", streams(&emulator.invocations()));
    assert!(SEGMENT_RECONNECT_MIN_MS >= 1000 && SEGMENT_MIN < WATCHED, "a cache counts in seconds");
}

#[tokio::test]
async fn newcomers_who_are_refused_share_that_too() {
    let table = Table::create(SENTIMENTS).await;
    let full = [("SSE_MAX_CONNECTIONS", "1"), SEGMENTS[0], SEGMENTS[1], SEGMENTS[2]];
    let server = Server::start(&table, &full).await.ready().await;
    let _only = SseClient::connect(server.get(STREAM)).await;
    let varnish = Varnish::before(server.address, Passing::AsItComes).await;
    let newcomer = async || {
        let asked = Request::get(varnish.address, STREAM).header("Accept", contract::events::CONTENT_TYPE);
        let answer = asked.send().await;
        String::from_utf8(answer.bytes().await.unwrap()).unwrap()
    };
    let refusals = futures_util::future::join_all((0..VIEWERS).map(|_| newcomer())).await;
    assert!(refusals.iter().all(|refusal| refusal.contains("event: overloaded\n")), "{refusals:?}");
    let refused = sample(&scrape(server.address).await, "sse_streams_refused_total", "reason=instance_full");
    // One for each second that it takes, and not one for each of them.
    assert!((1.0..=LIMIT.as_secs_f64()).contains(&refused), "{refused} refusals for {VIEWERS} newcomers");
}
