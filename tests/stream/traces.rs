//! Where the lines and traces of a stream belong: request, trace, stream, from the inside of it too.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::UdpSocket;

use super::{LIMIT, config, connect};
use crate::emulator::{Config, Emulator};
use crate::support::clock::{BUSY, epoch_ms, until};
use crate::support::dynamodb;
use crate::support::proxy::{Mode, Proxy};
use crate::support::table::{SENTIMENTS, Table};

/// A function whose environment says that the daemon listens here.
async fn traced(table: &Table, daemon: &UdpSocket, is_on: bool, sampled: bool) -> Emulator {
    let address = daemon.local_addr().unwrap().to_string();
    let more = [
        ("AWS_XRAY_DAEMON_ADDRESS", address.as_str()),
        ("TRACING", if is_on { "true" } else { "false" }),
        ("SSE_MAX_SESSION", "5s"),
    ];
    Emulator::start(Config { sampled, ..config(table, dynamodb::address(), &more) }).await
}

/// What the daemon got: the document after its header.
async fn document(daemon: &UdpSocket) -> Value {
    let mut bytes = vec![0; 65_536];
    let received = tokio::time::timeout(LIMIT, daemon.recv(&mut bytes)).await.expect("a datagram").unwrap();
    let text = std::str::from_utf8(&bytes[..received]).unwrap();
    let (header, document) = text.split_once('\n').expect("a header on a line of its own");
    assert_eq!(serde_json::from_str::<Value>(header).unwrap(), json!({ "format": "json", "version": 1 }));
    serde_json::from_str(document).unwrap()
}

#[tokio::test]
async fn a_sampled_stream_is_a_subsegment_of_its_requests_trace() {
    let table = Table::create(SENTIMENTS).await;
    let daemon = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let emulator = traced(&table, &daemon, true, true).await;
    let before = epoch_ms();
    let mut first = connect(&emulator, "").await;
    let stream_id = first.data("heartbeat", LIMIT).await["stream_id"].clone();
    first.until_end(LIMIT).await;
    emulator.finished(0, LIMIT).await;
    let one = document(&daemon).await;
    let trace = emulator.invocations()[0].trace.clone();
    let part = |name: &str| trace.split(';').find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
    assert_eq!((&one["trace_id"], &one["parent_id"]), (&json!(part("Root=")), &json!(part("Parent="))));
    assert_eq!((&one["type"], &one["name"]), (&json!("subsegment"), &json!("stream")));
    assert!(one["id"].as_str().is_some_and(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())), "{one}");
    let (start, end) = (one["start_time"].as_f64().unwrap(), one["end_time"].as_f64().unwrap());
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century")]
    let before = before as f64 / 1000.0;
    assert!(start >= before - 0.001 && (3.9..=5.0 + BUSY.as_secs_f64()).contains(&(end - start)), "{one}");
    let said = &one["annotations"];
    assert_eq!(said["stream_id"], stream_id);
    assert_eq!((&said["end_reason"], &said["resumed"]), (&json!("session"), &json!(false)));
    assert_eq!(said["bytes"], first.bytes().len());
    let is_annotation = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    assert!(said.as_object().unwrap().iter().all(|(key, value)| is_annotation(key) && !value.is_object()), "{one}");

    let mut second = connect(&emulator, "nonsense").await;
    second.until_end(LIMIT).await;
    let two = document(&daemon).await;
    assert_eq!((&two["annotations"]["reset"], &two["annotations"]["resumed"]), (&json!("unknown"), &json!(false)));
    assert_ne!(two["id"], one["id"]);
}

#[tokio::test]
async fn nothing_is_told_of_what_is_not_sampled_or_when_tracing_is_off() {
    let table = Table::create(SENTIMENTS).await;
    let daemon = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for (is_on, sampled) in [(true, false), (false, true)] {
        let emulator = traced(&table, &daemon, is_on, sampled).await;
        connect(&emulator, "").await.until_end(LIMIT).await;
        emulator.finished(0, LIMIT).await;
        let silence = tokio::time::timeout(Duration::from_millis(200), daemon.recv(&mut [0; 16])).await;
        assert!(silence.is_err(), "on: {is_on}, sampled: {sampled}");
    }
}

/// The poller's lines too: they come from a task of its own.
#[tokio::test]
async fn every_line_of_a_streams_life_says_which_request_and_trace_it_belongs_to() {
    let table = Table::create(SENTIMENTS).await;
    table.put_broken().await;
    let proxy = Proxy::start().await;
    let more = [("SSE_MAX_SESSION", "5s"), ("AWS_LAMBDA_LOG_LEVEL", "DEBUG")];
    let emulator = Emulator::start(config(&table, proxy.address(), &more)).await;
    for n in 0..2 {
        let from = emulator.logs().len();
        let mut client = connect(&emulator, "").await;
        client.event("metrics", LIMIT).await;
        proxy.set(Mode::Throttle);
        let fails = || emulator.logs()[from..].iter().any(|line| line.text.contains("table reads fail")).then_some(());
        until("a read that fails", LIMIT, fails).await;
        proxy.set(Mode::Pass);
        client.until_end(LIMIT).await;
        emulator.finished(n, LIMIT).await;
        let invocation = emulator.invocations()[n].clone();
        let lines: Vec<Value> =
            emulator.logs()[from..].iter().map(|line| serde_json::from_str(&line.text).expect("JSON")).collect();
        // What comes before is the start of the process.
        let opened = lines.iter().position(|line| line["message"] == "stream opened").expect("it was opened");
        let lines = &lines[opened..];
        let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
        for expected in
            ["stream opened", "table read", "table reads fail; streams go on without new data", "stream closed"]
        {
            assert!(messages.contains(&expected), "{expected}: {messages:?}");
        }
        // Rows are logged once for each instance.
        assert_eq!(messages.contains(&"row skipped"), n == 0, "{messages:?}");
        for line in lines {
            let span = &line["span"];
            assert_eq!(span["request_id"], invocation.request_id.as_str(), "{line}");
            assert_eq!(span["trace_id"], invocation.trace.as_str(), "{line}");
            assert_eq!(span["name"] == "stream", span["stream_id"].is_string(), "{line}");
        }
    }
}
