//! Every session ends by itself: by its length, before Lambda's deadline, at a shutdown; never by a cut.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{LIMIT, STREAM, config, connect, function};
use crate::emulator::{Config, Emulator, Outcome};
use crate::support::client::Request;
use crate::support::clock::BUSY;
use crate::support::decoder::Item;
use crate::support::dynamodb;
use crate::support::local::Local;
use crate::support::sse::{Arrived, SseClient};
use crate::support::table::{Row, SENTIMENTS, Table};

/// Asserts that a stream ended as planned: `retry:`, then `deadline` with the same delay, then nothing.
pub(super) fn assert_planned_end(arrived: &[Arrived], reason: &str) {
    let [.., retry, last] = arrived else { panic!("{arrived:?}") };
    let Item::Retry(retry) = retry.item else { panic!("no `retry:` before the end: {arrived:?}") };
    let event = last.event().expect("the last is an event");
    assert_eq!(event.name, "deadline");
    assert!(!event.has_id, "{event:?}");
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data["reason"], reason);
    assert_eq!(data["reconnect_ms"], retry);
    assert!((500..=1500).contains(&retry), "{retry}");
}

#[tokio::test]
async fn a_session_ends_itself_and_the_viewer_that_left_costs_no_more_than_that() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[("SSE_MAX_SESSION", "5s")]).await;
    let began = Instant::now();
    let mut client = connect(&emulator, "").await;
    let leaver = connect(&emulator, "").await;
    drop(leaver);
    assert_planned_end(&client.until_end(LIMIT).await, "session");
    // Shortened by up to 20 %, so that clients do not all come back at once.
    let took = began.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(5) + BUSY).contains(&took), "{took:?}");
    for index in [0, 1] {
        let record = emulator.finished(index, LIMIT).await;
        assert_eq!(record.outcome, Some(Outcome::Done));
        let billed = record.billed.unwrap();
        assert!(billed >= Duration::from_millis(3900) && billed < Duration::from_secs(5) + BUSY, "{billed:?}");
    }
    assert!(emulator.invocations()[1].viewer_left.is_some());
    // The environment froze meanwhile; the next stream on it is as good as the first.
    let environments = emulator.environments();
    table.put(&Row::new("a", "positive", &["X"])).await;
    let mut again = connect(&emulator, &client.last_id()).await;
    assert_eq!(again.data("sentiment_update", LIMIT).await["item_id"], "a");
    assert_eq!(emulator.environments(), environments);
}

#[tokio::test]
async fn a_session_ends_before_the_invocation_does_and_is_never_cut() {
    let table = Table::create(SENTIMENTS).await;
    // Shorter than the margin that is kept for closing: even then there is a stream, and it ends in time.
    for timeout in [6, 9] {
        let timeout = Duration::from_secs(timeout);
        let config = Config { timeout, ..config(&table, dynamodb::address(), &[]) };
        let emulator = Emulator::start(config).await;
        let mut client = connect(&emulator, "").await;
        let all = client.until_end(LIMIT).await;
        assert_planned_end(&all, "deadline");
        assert_eq!(super::names(&all)[..2], ["heartbeat", "metrics"]);
        let record = emulator.finished(0, LIMIT).await;
        assert_eq!(record.outcome, Some(Outcome::Done));
        let took = record.billed.unwrap();
        assert!(took >= timeout / 4 && took <= timeout * 3 / 4, "{took:?} of {timeout:?}");
    }
}

#[tokio::test]
async fn a_timeout_far_below_the_session_limit_cuts_no_invocation() {
    let table = Table::create(SENTIMENTS).await;
    let timeout = Duration::from_secs(20);
    let more = [("SSE_MAX_SESSION", "10m"), ("SSE_HEARTBEAT_INTERVAL", "1s")];
    let emulator = Emulator::start(Config { timeout, ..config(&table, dynamodb::address(), &more) }).await;
    // One that reads, one that leaves at once, one that opens and never reads, and one that returns.
    let mut reads = connect(&emulator, "").await;
    drop(connect(&emulator, "").await);
    let silent = Request::get(emulator.address(), STREAM).send().await;
    reads.event("metrics", LIMIT).await;
    drop(connect(&emulator, &reads.last_id()).await);
    assert_planned_end(&reads.until_end(LIMIT).await, "deadline");
    for index in 0..4 {
        let record = emulator.finished(index, LIMIT).await;
        assert_eq!(record.outcome, Some(Outcome::Done), "{index}");
        assert!(record.billed.unwrap() < timeout - Duration::from_secs(5), "{index}: {:?}", record.billed);
    }
    drop(silent);
}

#[tokio::test]
async fn every_line_about_a_stream_carries_the_request_id_of_its_invocation() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[("SSE_MAX_SESSION", "5s")]).await;
    let mut client = connect(&emulator, "").await;
    let heartbeat = client.data("heartbeat", LIMIT).await;
    let stream_id = heartbeat["stream_id"].as_str().unwrap().to_owned();
    client.until_end(LIMIT).await;
    let record = emulator.finished(0, LIMIT).await;
    let logs = emulator.logs();
    let lines: Vec<&String> = logs.iter().map(|line| &line.text).filter(|text| text.contains(&stream_id)).collect();
    assert!(lines.len() >= 2, "opened and closed: {logs:#?}");
    for line in lines {
        assert!(line.contains(&record.request_id), "{line}");
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

/// Stops `local` with streams open and looks how they end.
async fn shutdown(stop: fn(&Local)) {
    let local = Local::start(&[]).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = SseClient::connect(local.get(STREAM)).await;
        client.event("heartbeat", LIMIT).await;
        clients.push(client);
    }
    let told = Instant::now();
    stop(&local);
    for client in &mut clients {
        assert_planned_end(&client.until_end(LIMIT).await, "shutdown");
    }
    let status = local.process.exited().await;
    let took = told.elapsed();
    assert!(took <= Duration::from_secs(1) + BUSY, "{took:?}");
    assert!(status.success(), "{status}: {}", local.process.text());
}

#[tokio::test]
async fn an_interrupt_says_goodbye_to_every_stream_and_ends_within_a_second() {
    shutdown(Local::interrupt).await;
}

#[tokio::test]
async fn a_terminate_signal_says_goodbye_to_every_stream_and_ends_within_a_second() {
    shutdown(Local::terminate).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_up_a_shutdown() {
    let local = Local::start(&[]).await;
    let _open = Request::get(local.stream, STREAM).header("Accept", "text/event-stream").send().await;
    let told = Instant::now();
    local.interrupt();
    let status = local.process.exits_within(LIMIT).await;
    assert!(told.elapsed() <= Duration::from_secs(1) + BUSY, "{:?}", told.elapsed());
    assert!(status.success(), "{status}");
}
