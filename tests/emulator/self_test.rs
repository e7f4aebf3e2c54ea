//! The emulator against a function of a hundred lines: what the other tests believe of Lambda is true of the emulator.

use std::time::Duration;

use serde_json::{Value, json};

use super::event::SOURCE_IP;
use super::tiny::{self, SLOW_GAP, SLOW_PIECES};
use super::{Config, Cors, Emulator, InvokeMode, Outcome};
use crate::support::client::{Request, Response};
use crate::support::clock::{epoch_ms, until};
use crate::support::http1::Piece;

const LIMIT: Duration = Duration::from_secs(60);

async fn get(emulator: &Emulator, path: &str) -> Response {
    Request::get(emulator.address(), path).send().await
}

async fn text(response: Response) -> Result<String, std::io::Error> {
    response.bytes().await.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn a_request_becomes_an_event_and_the_stream_comes_back() {
    let emulator = Emulator::start(tiny::config()).await;
    let request = Request::get(emulator.address(), "/echo?a=b").header(SOURCE_IP, "192.0.2.9").header("X-A", "1");
    let response = request.send().await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.head.all("content-type"), ["text/plain"]);
    let event: Value = response.into_json().await;
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "192.0.2.9");
    assert_eq!(event["headers"]["x-a"], "1");
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::Done));
    assert_eq!(record.target, "/echo?a=b");
    assert!(emulator.logs().iter().any(|line| line.text.contains(&record.request_id)));
    assert!(record.init.unwrap() > Duration::ZERO);
    assert!(record.billed >= record.responded && record.responded >= record.first_byte);
    // The second request finds the environment warm.
    assert_eq!(get(&emulator, "/echo").await.status(), 200);
    let record = emulator.finished(1, LIMIT).await;
    assert_eq!((record.init, emulator.environments()), (None, 1));
    let line = emulator.logs().into_iter().find(|line| line.text.starts_with("/echo")).unwrap();
    let deadline: u64 = line.text.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(deadline > epoch_ms() && deadline <= epoch_ms() + 30_000, "{deadline}");
}

#[tokio::test]
async fn an_idle_environment_is_frozen_and_thawed_by_the_next_request() {
    let emulator = Emulator::start(tiny::config()).await;
    get(&emulator, "/echo").await;
    emulator.finished(0, LIMIT).await;
    until("frozen", LIMIT, || emulator.is_frozen(0).then_some(())).await;
    let pid = emulator.shared.environments.lock().unwrap()[0].function_pid();
    // Field three of /proc/PID/stat: T is stopped by a signal.
    let stopped = || std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") T "));
    until("stopped", LIMIT, || stopped().then_some(())).await;
    assert_eq!(get(&emulator, "/echo").await.status(), 200);
    assert_eq!(emulator.finished(1, LIMIT).await.outcome, Some(Outcome::Done));
}

#[tokio::test]
async fn a_buffered_url_reads_the_json_answer() {
    let emulator = Emulator::start(Config { invoke_mode: InvokeMode::Buffered, ..tiny::config() }).await;
    let response = get(&emulator, "/plain").await;
    assert_eq!(response.status(), 201);
    assert_eq!(text(response).await.unwrap(), "ok");
    let streamed = get(&emulator, "/echo").await;
    assert_eq!(streamed.status(), 502);
    let record = emulator.finished(1, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::BadResponse("a streamed answer behind a BUFFERED URL".into())));
}

#[tokio::test]
async fn a_buffered_answer_behind_a_streaming_url_is_passed_on_as_text() {
    let emulator = Emulator::start(tiny::config()).await;
    let response = get(&emulator, "/plain").await;
    assert_eq!(response.head.all("content-type"), ["application/octet-stream"]);
    assert_eq!(response.into_json().await, json!({ "statusCode": 201, "body": "ok" }));
    assert!(matches!(emulator.finished(0, LIMIT).await.outcome, Some(Outcome::BadResponse(_))));
}

#[tokio::test]
async fn errors_in_trailers_break_the_stream_and_are_recorded() {
    let emulator = Emulator::start(tiny::config()).await;
    let response = get(&emulator, "/trailer").await;
    assert_eq!(response.status(), 200);
    text(response).await.unwrap_err();
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.body, b"half");
    let expected = Outcome::FunctionError("Tiny.Broken".into(), r#"{"errorMessage":"x"}"#.into());
    assert_eq!(record.outcome, Some(expected));
    assert_eq!(get(&emulator, "/error").await.status(), 502);
    let record = emulator.finished(1, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::FunctionError("Tiny.Bad".into(), "{}".into())));
}

#[tokio::test]
async fn a_header_array_is_a_502() {
    let emulator = Emulator::start(tiny::config()).await;
    assert_eq!(get(&emulator, "/array").await.status(), 502);
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::BadResponse(r#"header `vary` is not a string: ["a","b"]"#.into())));
}

#[tokio::test]
async fn a_dead_process_ends_its_requests_and_is_replaced() {
    let emulator = Emulator::start(tiny::config()).await;
    assert_eq!(get(&emulator, "/panic").await.status(), 502);
    assert!(matches!(emulator.finished(0, LIMIT).await.outcome, Some(Outcome::Crashed(_))));
    let response = get(&emulator, "/abort").await;
    assert_eq!(response.status(), 200);
    text(response).await.unwrap_err();
    let record = emulator.finished(1, LIMIT).await;
    assert!(matches!(record.outcome, Some(Outcome::Crashed(_))), "{record:?}");
    assert_eq!(record.body, b"before the abort");
    assert_eq!(get(&emulator, "/echo").await.status(), 200);
    assert_eq!(emulator.environments(), 3);
}

#[tokio::test]
async fn the_deadline_cuts_the_process_and_the_connection() {
    let emulator = Emulator::start(Config { timeout: Duration::from_millis(400), ..tiny::config() }).await;
    let response = get(&emulator, "/hang").await;
    text(response).await.unwrap_err();
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::TimedOut));
    assert_eq!(record.body, b"before the deadline");
    assert!(record.billed.unwrap() >= Duration::from_millis(400), "{record:?}");
}

#[tokio::test]
async fn a_viewer_that_leaves_is_never_reported_and_billing_goes_on() {
    let emulator = Emulator::start(tiny::config()).await;
    let mut response = get(&emulator, "/slow").await;
    assert!(matches!(response.piece().await.unwrap(), Piece::Data(_)));
    drop(response);
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::Done));
    assert_eq!(record.body.len(), SLOW_PIECES * b"piece".len());
    assert!(record.viewer_left.is_some());
    let whole = SLOW_GAP * u32::try_from(SLOW_PIECES).unwrap();
    assert!(record.billed.unwrap() >= whole, "{:?}", record.billed);
}

#[tokio::test]
async fn each_concurrent_request_needs_an_environment_and_beyond_the_limit_is_429() {
    let emulator = Emulator::start(Config { max_environments: 2, ..tiny::config() }).await;
    let (first, second) = tokio::join!(get(&emulator, "/slow"), get(&emulator, "/slow"));
    assert_eq!((first.status(), second.status(), emulator.environments()), (200, 200, 2));
    assert_eq!(get(&emulator, "/slow").await.status(), 429);
    assert_eq!(emulator.invocations()[2].outcome, Some(Outcome::Throttled));
    let (first, second) = tokio::join!(text(first), text(second));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(get(&emulator, "/echo").await.status(), 200);
    assert_eq!(emulator.environments(), 2);
}

#[tokio::test]
async fn cors_is_the_urls_business_only_when_configured() {
    let preflight = |emulator: &Emulator| {
        Request::new(emulator.address(), "OPTIONS", "/echo")
            .header("Origin", "https://a.example")
            .header("Access-Control-Request-Method", "GET")
    };
    let without = Emulator::start(tiny::config()).await;
    preflight(&without).send().await;
    assert_eq!(without.invocations().len(), 1);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let cors = Cors {
        allow_origins: words(&["https://a.example"]),
        allow_methods: words(&["GET"]),
        allow_headers: words(&["last-event-id"]),
    };
    let with = Emulator::start(Config { cors: Some(cors), ..tiny::config() }).await;
    let response = preflight(&with).send().await;
    assert_eq!(response.head.all("access-control-allow-origin"), ["https://a.example"]);
    assert_eq!(response.head.all("access-control-allow-headers"), ["last-event-id"]);
    assert_eq!(with.shutdown().len(), 0);
}
