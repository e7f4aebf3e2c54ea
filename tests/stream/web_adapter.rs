//! The stream function behind the AWS Lambda Web Adapter: the real extension between the platform and the same binary.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::web_adapter::{LAMBDA_CONTEXT_HEADER, PORT_VARIABLE, REQUEST_CONTEXT_HEADER, VERSION, variables};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::sessions::assert_planned_end;
use super::{LIMIT, STREAM, assert_has, config, connect, counts, names, pairs, updates};
use crate::emulator::{Config, Emulator, Outcome};
use crate::support::client::Request;
use crate::support::clock::{BUSY, until};
use crate::support::dynamodb;
use crate::support::external::tool;
use crate::support::local::free_port;
use crate::support::process::Process;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

const SOURCE_IP: &str = "x-emulator-source-ip";
/// Cold starts of each kind of which the median is reported.
const STARTS: usize = 5;

/// As [`config`], with the adapter beside the function.
fn adapted(table: &Table, more: &[(&str, &str)]) -> Config {
    let mut config = config(table, dynamodb::address(), more);
    config.env.extend(variables().into_iter().map(|(name, value)| (name.to_owned(), value)));
    config.env.insert("SSE_ADAPTER".into(), "web-adapter".into());
    config.extension = Some(tool("TOOLS_WEB_ADAPTER", ".tools/cargo/bin/lambda-adapter"));
    config.own_port = Some(PORT_VARIABLE);
    config
}

/// The function alone, as the adapter finds it.
async fn alone(table: &Table, more: &[(&str, &str)]) -> (Process, SocketAddr) {
    let address = free_port();
    let mut env: BTreeMap<String, String> = adapted(table, more).env;
    env.insert(PORT_VARIABLE.into(), address.port().to_string());
    let process = Process::spawn(&crate::support::bins::path("stream"), &[], &env);
    let up = async {
        while !Request::get(address, "/health").try_send().await.is_ok_and(|answer| answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    process.is_up(up).await;
    (process, address)
}

/// A request as the adapter makes it for this viewer.
fn asked_for(address: SocketAddr, viewer: &str) -> Request {
    let request = json!({ "accountId": "anonymous", "http": { "sourceIp": viewer } }).to_string();
    Request::get(address, STREAM).header(REQUEST_CONTEXT_HEADER, request)
}

#[test]
fn the_adapter_that_is_tested_is_the_one_that_is_rendered() {
    let script = std::fs::read_to_string(crate::support::bins::workspace().join("tools/setup.sh")).unwrap();
    assert!(script.lines().any(|line| line == format!("web_adapter_version={VERSION}")), "tools/setup.sh has another");
}

#[tokio::test]
async fn events_come_while_the_stream_is_open_with_the_headers_of_the_native_function() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = Emulator::start(adapted(&table, &[("SSE_MAX_SESSION", "5s")])).await;
    let mut client = connect(&emulator, "").await;
    let head = &client.response().head;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(head.all(name), [value], "{head:?}");
    }
    client.event("heartbeat", LIMIT).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(0, 0, 0, 0));
    table.put(&Row::new("live", "positive", &["X"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "live");
    assert_eq!(emulator.invocations()[0].outcome, None, "it is still open");
    assert_planned_end(&client.until_end(LIMIT).await, "session");
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::Done));
    assert!(record.billed.unwrap() < Duration::from_secs(5) + BUSY, "{:?}", record.billed);
    let prelude = record.prelude.unwrap();
    // What the platform says itself, or nobody may say here, must not come from the server behind the adapter.
    assert_eq!(super::keys(&prelude["headers"]), ["cache-control", "content-type", "x-accel-buffering"]);
}

#[tokio::test]
async fn a_client_continues_on_another_environment_and_on_one_that_was_frozen() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = Emulator::start(adapted(&table, &[("SSE_MAX_SESSION", "5s")])).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let id = client.last_id();
    drop(client);
    table.put(&Row::new("missed", "positive", &["X", "Y"])).await;
    // The first environment does not know that its viewer left.
    let mut client = connect(&emulator, &id).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "missed");
    assert_planned_end(&client.until_end(LIMIT).await, "session");
    assert_eq!(emulator.environments(), 2);
    assert_eq!(updates(client.seen()), pairs(&[("missed", "X"), ("missed", "Y")]));
    for index in [0, 1] {
        assert_eq!(emulator.finished(index, LIMIT).await.outcome, Some(Outcome::Done));
        until("frozen", LIMIT, || emulator.is_frozen(index).then_some(())).await;
    }
    table.put(&Row::new("later", "neutral", &["X"])).await;
    let mut client = connect(&emulator, &client.last_id()).await;
    client.event("sentiment_update", LIMIT).await;
    assert_eq!((emulator.environments(), updates(client.seen())), (2, pairs(&[("later", "X")])));
}

#[tokio::test]
async fn a_timeout_far_below_the_session_limit_cuts_nothing_and_no_client_moves_the_deadline() {
    let table = Table::create(SENTIMENTS).await;
    let timeout = Duration::from_secs(20);
    let config = Config { timeout, ..adapted(&table, &[("SSE_MAX_SESSION", "10m")]) };
    let emulator = Emulator::start(config).await;
    let request = || Request::get(emulator.address(), STREAM);
    let later = json!({ "request_id": "forged", "deadline": u64::MAX / 2, "xray_trace_id": "forged" }).to_string();
    let mut reads = connect(&emulator, "").await;
    let mut forges = SseClient::connect(request().header(LAMBDA_CONTEXT_HEADER, later)).await;
    let now = r#"{"request_id":"forged","deadline":1}"#;
    let mut garbles = SseClient::connect(request().header("X-Amzn-Lambda-Context", now)).await;
    drop(connect(&emulator, "").await);
    for client in [&mut reads, &mut forges, &mut garbles] {
        assert_planned_end(&client.until_end(LIMIT).await, "deadline");
    }
    for index in 0..4 {
        let record = emulator.finished(index, LIMIT).await;
        assert_eq!(record.outcome, Some(Outcome::Done), "{index}");
        assert!(record.billed.unwrap() < timeout - Duration::from_secs(5), "{index}: {:?}", record.billed);
    }
    let logs = emulator.logs();
    assert!(logs.iter().all(|line| !line.text.contains("forged")), "{logs:#?}");
}

#[tokio::test]
async fn every_line_about_a_stream_carries_the_request_id_of_its_invocation() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = Emulator::start(adapted(&table, &[("SSE_MAX_SESSION", "5s")])).await;
    let forged = r#"{"request_id":"forged","deadline":99999999999999,"xray_trace_id":"forged"}"#;
    let request = Request::get(emulator.address(), STREAM).header(LAMBDA_CONTEXT_HEADER, forged);
    let mut client = SseClient::connect(request).await;
    let heartbeat = client.data("heartbeat", LIMIT).await;
    let stream_id = heartbeat["stream_id"].as_str().unwrap().to_owned();
    client.until_end(LIMIT).await;
    let record = emulator.finished(0, LIMIT).await;
    let logs = emulator.logs();
    let lines: Vec<&String> = logs.iter().map(|line| &line.text).filter(|text| text.contains(&stream_id)).collect();
    assert!(lines.len() >= 2, "opened and closed: {logs:#?}");
    for line in lines {
        let fields: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = fields.to_string();
        assert!(text.contains(&record.request_id) && text.contains("Root=1-"), "{line}");
        assert!(!text.contains("forged"), "{line}");
    }
}

#[tokio::test]
async fn errors_are_json_and_a_large_body_does_not_break_them() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = Emulator::start(adapted(&table, &[])).await;
    let address = emulator.address();
    let large = vec![b'x'; 3_000_000];
    let configuration = contract::routes::CONFIGURATION_STREAM.replace("{config_id}", "x");
    for (request, status) in [
        (Request::get(address, "/nowhere"), 404),
        (Request::get(address, &configuration), 401),
        (Request::get(address, &format!("{STREAM}?tickers=%00")), 400),
        (Request::new(address, "POST", STREAM), 405),
        (Request::new(address, "POST", STREAM).text(&large), 405),
        (Request::new(address, "PUT", "/nowhere").text(&large), 404),
        // Neither header is ever more than a header.
        (Request::get(address, "/nowhere").header(REQUEST_CONTEXT_HEADER, "{").header(LAMBDA_CONTEXT_HEADER, "["), 404),
    ] {
        let response = request.send().await;
        assert_eq!(response.status(), status, "{:?}", response.head);
        assert_eq!(response.head.all("content-type"), ["application/json"]);
        assert!(response.into_json().await["detail"].is_string());
    }
    let many = (0..300).fold(Request::get(address, "/health"), |request, n| request.header(&format!("x-own-{n}"), "1"));
    assert_eq!(many.send().await.into_json().await, json!({ "status": "healthy" }));
    assert_eq!(emulator.environments(), 1);
}

#[tokio::test]
async fn the_adapters_word_on_the_viewers_address_wins_over_the_viewers_own() {
    let table = Table::create(SENTIMENTS).await;
    let more = [("SSE_CONNECTIONS_PER_CLIENT", "1"), ("SSE_MAX_SESSION", "5s")];
    let emulator = Emulator::start(Config { freeze: false, ..adapted(&table, &more) }).await;
    let from = |viewer: &str| Request::get(emulator.address(), STREAM).header(SOURCE_IP, viewer);
    assert_eq!(Request::get(emulator.address(), "/health").send().await.status(), 200);
    // The adapter asks one by one; a stream past it holds the address's only slot.
    let behind = SocketAddr::from(([127, 0, 0, 1], emulator.own_port(0)));
    let mut held = SseClient::connect(asked_for(behind, "192.0.2.1")).await;
    held.event("heartbeat", LIMIT).await;
    assert_eq!(from("192.0.2.1").send().await.status(), 503);
    let other = json!({ "http": { "sourceIp": "203.0.113.9" } }).to_string();
    for name in [REQUEST_CONTEXT_HEADER, "X-Amzn-Request-Context", "X-Forwarded-For"] {
        assert_eq!(from("192.0.2.1").header(name, &other).send().await.status(), 503, "{name}");
    }
    let twice = from("192.0.2.1").header(REQUEST_CONTEXT_HEADER, &other).header(REQUEST_CONTEXT_HEADER, &other);
    assert_eq!(twice.send().await.status(), 503);
    let mut another = SseClient::connect(from("192.0.2.2")).await;
    another.event("heartbeat", LIMIT).await;
    assert_eq!(emulator.environments(), 1);
}

#[tokio::test]
async fn a_full_instance_refuses_and_a_terminate_signal_ends_every_stream_in_time() {
    let table = Table::create(SENTIMENTS).await;
    let (process, address) = alone(&table, &[("SSE_MAX_CONNECTIONS", "2")]).await;
    let mut open = Vec::new();
    for viewer in ["192.0.2.1", "192.0.2.2"] {
        let mut client = SseClient::connect(asked_for(address, viewer)).await;
        client.event("heartbeat", LIMIT).await;
        open.push(client);
    }
    let mut refused = SseClient::connect(asked_for(address, "192.0.2.3")).await;
    assert_eq!(names(&refused.until_end(LIMIT).await), ["overloaded"]);
    let rejected = asked_for(address, "192.0.2.3").send().await;
    assert_eq!(rejected.status(), 503);
    assert_eq!(rejected.into_json().await["max_connections"], 2);
    let told = Instant::now();
    process.signal(Signal::TERM);
    for client in &mut open {
        assert_planned_end(&client.until_end(LIMIT).await, "shutdown");
    }
    let status = process.exits_within(LIMIT).await;
    let took = told.elapsed();
    assert!(status.success(), "{status}: {}", process.text());
    assert!(took <= Duration::from_secs(1) + BUSY, "{took:?}");
}

#[tokio::test]
async fn an_environment_that_is_taken_away_ends_by_itself_in_the_time_that_lambda_gives() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = Emulator::start(adapted(&table, &[])).await;
    assert_eq!(Request::get(emulator.address(), "/health").send().await.status(), 200);
    until("frozen", LIMIT, || emulator.is_frozen(0).then_some(())).await;
    let status = emulator.reclaim(0).await;
    assert!(status.success(), "{status}: {:#?}", emulator.logs());
}

#[tokio::test]
async fn a_port_that_is_taken_or_no_port_stops_the_start_with_a_line_that_says_so() {
    let table = Table::create(SENTIMENTS).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (port, expected) in [
        (taken.local_addr().unwrap().port().to_string(), "set AWS_LWA_PORT to a free port"),
        ("99999".to_owned(), "AWS_LWA_PORT: `99999` is not a port"),
    ] {
        let mut env = adapted(&table, &[]).env;
        env.insert(PORT_VARIABLE.into(), port);
        let process = Process::spawn(&crate::support::bins::path("stream"), &[], &env);
        let status = process.exits_within(LIMIT).await;
        assert_eq!(status.code(), Some(1));
        assert!(process.text().contains(expected), "{}", process.text());
    }
}

/// Init, and the time from the event to the first `heartbeat`.
async fn cold_start(config: Config) -> (Duration, Duration) {
    let emulator = Emulator::start(config).await;
    let mut client = connect(&emulator, "").await;
    let (_, heartbeat) = client.arrival("heartbeat", LIMIT).await;
    let invocation = &emulator.invocations()[0];
    let began = invocation.started.expect("it was answered");
    (invocation.init.expect("the first request started it"), heartbeat.saturating_duration_since(began))
}

#[tokio::test]
async fn the_first_event_is_there_soon_and_what_the_adapter_adds_is_reported() {
    let table = Table::create(SENTIMENTS).await;
    let (mut native, mut behind) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..STARTS {
        // In turns, so that both find the machine in the same mood.
        for (times, config) in
            [(&mut native, config(&table, dynamodb::address(), &[])), (&mut behind, adapted(&table, &[]))]
        {
            let (init, heartbeat) = cold_start(config).await;
            times.0.push(init);
            times.1.push(heartbeat);
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (native, behind) = ([&mut native.0, &mut native.1].map(median), [&mut behind.0, &mut behind.1].map(median));
    println!(
        "median of {STARTS}: init native {:?}, web adapter {:?}; event to heartbeat native {:?}, web adapter {:?}, ratio {:.1}",
        native[0],
        behind[0],
        native[1],
        behind[1],
        behind[1].as_secs_f64() / native[1].as_secs_f64()
    );
    assert!(behind[1] < Duration::from_secs(1) + BUSY, "{:?}", behind[1]);
}
