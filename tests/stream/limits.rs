//! Limits: how many streams an instance serves, in all and for one address, and what the next one hears.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, STREAM, config, names};
use crate::emulator::{Config, Emulator};
use crate::support::client::Request;
use crate::support::clock::{BUSY, until};
use crate::support::decoder::Item;
use crate::support::dynamodb;
use crate::support::harmless::assert_bare;
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};

const STATUS: &str = contract::routes::STREAM_STATUS;
const SOURCE_IP: &str = "x-emulator-source-ip";

async fn open(local: &Local, count: usize) -> Vec<SseClient> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = SseClient::connect(local.get(STREAM)).await;
        client.event("heartbeat", LIMIT).await;
        clients.push(client);
    }
    clients
}

async fn connections(local: &Local) -> u64 {
    local.get(STATUS).send().await.into_json().await["connections"].as_u64().expect("a number")
}

/// Asserts the answer to an EventSource that found the instance full.
async fn assert_overloaded(request: Request, max: u64) {
    let mut client = SseClient::connect(request).await;
    assert_bare(client.response());
    let all = client.until_end(LIMIT).await;
    assert_eq!(names(&all), ["overloaded"]);
    let Item::Retry(retry) = all[0].item else { panic!("{all:?}") };
    let event = all[1].event().unwrap();
    assert!(!event.has_id, "{event:?}");
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(super::keys(&data), ["detail", "max_connections", "retry_after_ms"]);
    assert_eq!((&data["max_connections"], &data["retry_after_ms"]), (&json!(max), &json!(retry)));
}

/// Asserts the answer to everybody else.
async fn assert_rejected(request: Request, max: u64) {
    let response = request.send().await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.head.all("retry-after"), ["30"]);
    assert_eq!(response.head.all("content-type"), ["application/json"]);
    let expected =
        json!({ "detail": "Connection limit reached. Try again later.", "max_connections": max, "retry_after": 30 });
    assert_eq!(response.into_json().await, expected);
}

#[tokio::test]
async fn the_stream_after_the_hundredth_is_refused_and_the_others_go_on() {
    let local = Local::start(&[("SSE_CONNECTIONS_PER_CLIENT", "200"), ("SSE_HEARTBEAT_INTERVAL", "60s")]).await;
    let mut clients = open(&local, 100).await;
    let status = local.get(STATUS).send().await.into_json().await;
    super::assert_has(&status, &json!({ "connections": 100, "max_connections": 100, "available": 0 }));
    assert_overloaded(local.get(STREAM).header("Accept", "text/event-stream"), 100).await;
    assert_rejected(local.get(STREAM), 100).await;
    assert_rejected(local.get(STREAM).header("Accept", "*/*"), 100).await;
    assert_rejected(local.get(STREAM).header("Accept", "application/json"), 100).await;
    for client in &mut clients {
        client.event("metrics", LIMIT).await;
    }
    // A closed stream frees its slot at once: on an ordinary server the close is seen.
    drop(clients.pop());
    let began = std::time::Instant::now();
    while connections(&local).await != 99 {
        assert!(began.elapsed() < BUSY, "the slot of a closed stream is still taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    open(&local, 1).await.pop().expect("one more").check().await;
}

#[tokio::test]
async fn when_full_may_mean_503_for_everybody() {
    let local = Local::start(&[("SSE_MAX_CONNECTIONS", "1"), ("SSE_WHEN_FULL", "reject")]).await;
    let _one = open(&local, 1).await;
    assert_rejected(local.get(STREAM).header("Accept", "text/event-stream"), 1).await;
    assert_rejected(local.get(STREAM), 1).await;
}

#[tokio::test]
async fn one_address_gets_only_so_many_and_others_are_not_in_its_way() {
    let local = Local::start(&[("SSE_CONNECTIONS_PER_CLIENT", "2")]).await;
    let clients = open(&local, 2).await;
    assert_eq!(local.get(STREAM).send().await.status(), 503);
    let mut refused = SseClient::connect(local.get(STREAM)).await;
    assert_eq!(names(&refused.until_end(LIMIT).await), ["overloaded"]);
    let mut other = SseClient::connect(local.get(STREAM).from([127, 0, 0, 2])).await;
    other.event("heartbeat", LIMIT).await;
    drop(clients);
    let began = std::time::Instant::now();
    while connections(&local).await != 1 {
        assert!(began.elapsed() < BUSY, "slots of closed streams are still taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    open(&local, 2).await;
}

#[tokio::test]
async fn many_at_once_never_exceed_the_limit() {
    let local = Local::start(&[("SSE_MAX_CONNECTIONS", "10"), ("SSE_CONNECTIONS_PER_CLIENT", "100")]).await;
    let all = futures_util::future::join_all((0..30).map(|_| {
        let request = local.get(STREAM);
        async move { request.send().await }
    }));
    let all = all.await;
    assert_eq!(all.iter().filter(|response| response.status() == 200).count(), 10);
    assert_eq!(all.iter().filter(|response| response.status() == 503).count(), 20);
    assert_eq!(connections(&local).await, 10);
}

#[tokio::test]
async fn a_refused_or_failed_request_takes_no_slot() {
    let local = Local::start(&[("SSE_MAX_CONNECTIONS", "1")]).await;
    for _ in 0..3 {
        assert_eq!(local.get("/api/v2/configurations/x/stream").send().await.status(), 401);
        assert_eq!(local.get(&format!("{STREAM}?tickers=%00")).send().await.status(), 400);
    }
    assert_eq!(connections(&local).await, 0);
    let _one = open(&local, 1).await;
    assert_overloaded(local.get(STREAM).header("Accept", "text/event-stream"), 1).await;
    assert_eq!(connections(&local).await, 1);
}

#[tokio::test]
async fn on_lambda_the_address_is_that_of_the_request_context() {
    let table = Table::create(SENTIMENTS).await;
    let more = [("SSE_CONNECTIONS_PER_CLIENT", "1"), ("SSE_MAX_CONNECTIONS", "2"), ("SSE_MAX_SESSION", "5s")];
    let config = Config { concurrency_per_environment: 8, freeze: false, ..config(&table, dynamodb::address(), &more) };
    let emulator = Emulator::start(config).await;
    let from = |address: &str| Request::get(emulator.address(), STREAM).header(SOURCE_IP, address);
    let mut first = SseClient::connect(from("192.0.2.1")).await;
    first.event("heartbeat", LIMIT).await;
    // The first address again, also when it claims to be another.
    assert_eq!(from("192.0.2.1").send().await.status(), 503);
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CloudFront-Viewer-Address"] {
        let forged = from("192.0.2.1").header(header, "203.0.113.9:4711");
        assert_eq!(forged.send().await.status(), 503, "{header}");
    }
    let mut second = SseClient::connect(from("192.0.2.2")).await;
    second.event("heartbeat", LIMIT).await;
    // Now the instance is full for every address.
    assert_overloaded(from("192.0.2.3").header("Accept", "text/event-stream"), 2).await;
    first.until_end(LIMIT).await;
    second.until_end(LIMIT).await;
    until("slots are free again", LIMIT, || (emulator.invocations().len() >= 8).then_some(())).await;
    let status = Request::get(emulator.address(), STATUS).send().await.into_json().await;
    assert_eq!(status["connections"], 0);
    assert_eq!(emulator.environments(), 1);
}

#[tokio::test]
async fn behind_cloudfront_the_address_is_the_viewers_and_not_cloudfronts() {
    let table = Table::create(SENTIMENTS).await;
    let more = [("SSE_CONNECTIONS_PER_CLIENT", "1"), ("SSE_CLIENT_ADDRESS", "cloudfront")];
    let config = Config { concurrency_per_environment: 8, freeze: false, ..config(&table, dynamodb::address(), &more) };
    let emulator = Emulator::start(config).await;
    // One of CloudFront's addresses for everybody; the header is CloudFront's, which lets no viewer write it.
    let viewer = |address: &str| {
        let request = Request::get(emulator.address(), STREAM).header(SOURCE_IP, "192.0.2.1");
        request.header("CloudFront-Viewer-Address", address)
    };
    let mut open = Vec::new();
    for address in ["198.51.100.1:40001", "198.51.100.2:40001", "2001:db8::1:40001"] {
        let mut client = SseClient::connect(viewer(address)).await;
        client.event("heartbeat", LIMIT).await;
        open.push(client);
    }
    for again in ["198.51.100.1:40002", "2001:db8::1:40002"] {
        assert_eq!(viewer(again).send().await.status(), 503, "{again}");
        // What a viewer can write changes nothing.
        let forged = viewer(again).header("X-Forwarded-For", "203.0.113.9").header("Forwarded", "for=203.0.113.9");
        assert_eq!(forged.send().await.status(), 503, "{again}");
        let mut refused = SseClient::connect(viewer(again)).await;
        assert_eq!(names(&refused.until_end(LIMIT).await), ["overloaded"]);
    }
    assert_eq!(viewer("198.51.100.3:40001").send().await.status(), 200);
}

#[tokio::test]
async fn who_sees_the_end_of_a_stream_finds_its_slot_free() {
    let local = Local::start(&[("SSE_MAX_CONNECTIONS", "1"), ("SSE_MAX_SESSION", "5s")]).await;
    let mut client = open(&local, 1).await.pop().unwrap();
    client.event("deadline", LIMIT).await;
    // The end itself is not even there yet.
    let mut next = SseClient::connect(local.get(STREAM)).await;
    next.event("heartbeat", LIMIT).await;
    client.until_end(LIMIT).await;
}
