//! Readers that are slow, stop or never begin, on an ordinary server, where nobody reads in their stead.

use std::time::{Duration, Instant};

use contract::limits::{CONNECTION_BUFFER_BYTES_MAX, WRITE_BEHIND_MAX};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{LIMIT, STREAM, names, updates};
use crate::support::client::Request;
use crate::support::clock::until;
use crate::support::decoder::{Decoder, Item};
use crate::support::dynamodb;
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Readers that never read.
const DEAD: usize = 60;
/// What one of them may cost: what the server keeps of its stream ([`CONNECTION_BUFFER_BYTES_MAX`]), its session, and
/// its share of what has grown for all: some 240 KB in all, and 480 with the 408 KB that hyper keeps of its own accord.
const BYTES_PER_READER_MAX: u64 = 384 * 1024;
/// What it may cost more after 14 MB more, which each of them would hold if its stream did: the rows themselves, shared by all,
/// and what the allocator keeps of snapshots that came and went (5 and 20 KB in two runs; of twenty readers, up to 200 KB).
const GROWTH_PER_READER_MAX: u64 = 256 * 1024;
/// Tags of a big row: as many updates of 2 KB.
const TAGS: usize = 100;

async fn local(table: &Table, more: &[(&str, &str)]) -> Local {
    let own = [("STORE", "dynamodb"), ("SSE_POLL_INTERVAL", "100ms"), ("SSE_CONNECTIONS_PER_CLIENT", "100")];
    let tables = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).collect::<Vec<_>>();
    let tables = tables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Local::start(&own.into_iter().chain(more.iter().copied()).chain(tables).collect::<Vec<_>>()).await
}

/// Rows that make a hundred updates of more than 2 KB each.
fn big_rows(name: &str, count: usize) -> Vec<Row> {
    let tags: Vec<String> = (0..TAGS).map(|tag| format!("T{tag}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    (0..count).map(|row| Row::new(&format!("{name}-{row}-{}", "x".repeat(1980)), "positive", &tags)).collect()
}

/// Asks for the stream with the smallest receive buffer there is, and reads nothing.
async fn silent(local: &Local, last_id: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let mut stream = socket.connect(local.stream).await.unwrap();
    let request = format!("GET {STREAM} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{last_id}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

fn resident_bytes(local: &Local) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", local.process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

async fn connections(local: &Local) -> u64 {
    let status = local.get(contract::routes::STREAM_STATUS).send().await.into_json().await;
    status["connections"].as_u64().unwrap()
}

async fn until_connections(local: &Local, count: u64, limit: Duration) {
    let began = Instant::now();
    while connections(local).await != count {
        assert!(began.elapsed() < limit, "not {count} connections after {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn closing_lines(local: &Local, reason: &str) -> Vec<Value> {
    let lines = local.process.lines();
    let all = lines.iter().filter(|line| line.text.contains("stream closed"));
    all.map(|line| serde_json::from_str::<Value>(&line.text).unwrap()).filter(|line| line["reason"] == reason).collect()
}

/// Updates of a flood arrive at a reader that keeps up.
async fn flood(table: &Table, reader: &mut SseClient, name: &str, rows: usize) {
    let rows = big_rows(name, rows);
    table.put_all(&rows).await;
    let (last, limit) = (format!("{name}-"), Duration::from_secs(60));
    for _ in 0..rows.len() * TAGS {
        reader.find(&last, limit, |one| one.event().is_some_and(|event| event.data.contains(&last))).await;
    }
}

#[tokio::test]
async fn readers_that_never_read_cost_a_fixed_number_of_bytes_and_lose_their_slots() {
    let table = Table::create(SENTIMENTS).await;
    let local =
        local(&table, &[("SSE_MAX_SESSION", "10m"), ("SSE_REPLAY_EVENTS", "2000"), ("MALLOC_ARENA_MAX", "1")]).await;
    let mut reads = SseClient::connect(local.get(STREAM)).await;
    reads.event("metrics", LIMIT).await;
    // What everybody shares has its size before anything is measured.
    flood(&table, &mut reads, "warm", 20).await;
    let before = resident_bytes(&local);
    let mut dead = Vec::new();
    for _ in 0..DEAD {
        dead.push(silent(&local, "").await);
    }
    until_connections(&local, DEAD as u64 + 1, LIMIT).await;
    let each = |before: u64| resident_bytes(&local).saturating_sub(before) / DEAD as u64;
    // As much for each as the system takes at most, and as much again.
    for round in 0..2 {
        flood(&table, &mut reads, &format!("flood{round}"), 20).await;
    }
    let (full, cost) = (resident_bytes(&local), each(before));
    for round in 2..5 {
        flood(&table, &mut reads, &format!("flood{round}"), 20).await;
    }
    let more = each(full);
    println!("{cost} bytes a reader that never reads, {more} more after 14 MB more");
    assert!(cost <= BYTES_PER_READER_MAX, "{cost} bytes a reader");
    assert!(more <= GROWTH_PER_READER_MAX, "{more} bytes more a reader");
    until_connections(&local, 1, WRITE_BEHIND_MAX + LIMIT).await;
    // Cut because it left unread what was written, or sent away because what it is still to get is not kept any more.
    let ended = || closing_lines(&local, "client_left").len() + closing_lines(&local, "overflow").len();
    until("the closing lines", LIMIT, || (ended() >= DEAD).then_some(())).await;
    assert_eq!(ended(), DEAD);
    // The one that reads has noticed nothing.
    table.put(&Row::new("after", "negative", &["X"])).await;
    reads.find("after", LIMIT, |one| one.event().is_some_and(|event| event.data.contains("after"))).await;
    reads.check().await;
}

/// A reader stops, and reads on when more was written than the backlog holds. Returns the line with its last event id and what it
/// got until its end; `None` where the machine was so slow that it was cut meanwhile.
async fn stop_and_read(table: &Table, local: &Local, attempt: usize) -> Option<(String, Vec<u8>)> {
    let mut reads = SseClient::connect(local.get(STREAM)).await;
    reads.event("metrics", LIMIT).await;
    let id = format!("Last-Event-ID: {}\r\n", reads.last_id());
    let stopped = Instant::now();
    let mut stops = silent(local, &id).await;
    until_connections(local, 2, LIMIT).await;
    // The fast one is sent away too when a poll brings more than the backlog holds; it is not what this is about.
    drop(reads);
    for round in 0..20 {
        table.put_all(&big_rows(&format!("round{attempt}-{round}"), 5)).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 65_536];
    // The answer's head, and the chunk sizes, are lines that no decoder of events knows.
    while !bytes.ends_with(b"0\r\n\r\n") {
        match tokio::time::timeout(LIMIT, stops.read(&mut buffer)).await.expect("there is more, or an end") {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            cut => {
                assert!(WRITE_BEHIND_MAX < stopped.elapsed(), "cut after {:?}: {cut:?}", stopped.elapsed());
                until_connections(local, 0, LIMIT).await;
                return None;
            }
        }
    }
    Some((id, bytes))
}

#[tokio::test]
async fn a_reader_that_stops_for_longer_than_the_backlog_is_told_to_come_back() {
    let table = Table::create(SENTIMENTS).await;
    let local = local(&table, &[("SSE_REPLAY_EVENTS", "50")]).await;
    let mut attempts = 0..5;
    let (id, bytes) = loop {
        let attempt =
            attempts.next().expect("the machine writes 100 rows in less time than a reader may leave what was written");
        if let Some(told) = stop_and_read(&table, &local, attempt).await {
            break told;
        }
    };
    let items: Vec<Item> = Decoder::default().push(&bytes).into_iter().collect();
    assert!(matches!(items.iter().rev().find(|item| matches!(item, Item::Retry(_))), Some(Item::Retry(500..=1500))));
    // Lines are written beside the streams.
    until("the closing line", LIMIT, || (!closing_lines(&local, "overflow").is_empty()).then_some(())).await;
    assert_eq!(closing_lines(&local, "overflow").len(), 1, "{}", local.process.text());
    // Too much for a replay: the current state, and it says so.
    let mut again = SseClient::connect(local.get(STREAM).header("Last-Event-ID", &id[15..id.len() - 2])).await;
    assert_eq!(again.data("reset", LIMIT).await["reason"], "overflow");
    again.event("metrics", LIMIT).await;
}

#[tokio::test]
async fn a_reader_of_single_bytes_gets_everything_once() {
    let table = Table::create(SENTIMENTS).await;
    let local = local(&table, &[]).await;
    let mut reads = SseClient::connect(local.get(STREAM)).await;
    reads.event("metrics", LIMIT).await;
    let mut slow = silent(&local, &format!("Last-Event-ID: {}\r\n", reads.last_id())).await;
    until_connections(&local, 2, LIMIT).await;
    let rows: Vec<Row> = (0..20).map(|row| Row::new(&format!("row-{row:02}"), "neutral", &["A", "B"])).collect();
    table.put_all(&rows).await;
    let mut said = String::new();
    let read = async {
        while said.matches("event: sentiment_update").count() < 40 || !said.ends_with("\n\n\r\n") {
            said.push(char::from(slow.read_u8().await.unwrap()));
        }
    };
    tokio::time::timeout(LIMIT, read).await.unwrap();
    for row in &rows {
        for tag in ["A", "B"] {
            let update = format!("\"item_id\":\"{}\",\"ticker\":\"{tag}\"", row.id);
            assert_eq!(said.matches(&update).count(), 1, "{update}");
        }
    }
    for _ in 0..40 {
        reads.event("sentiment_update", LIMIT).await;
    }
    assert_eq!(updates(reads.seen()).len(), 40);
    assert!(!names(reads.seen()).contains(&"reset".to_owned()));
}

#[tokio::test]
async fn the_head_of_a_request_is_bounded_by_what_a_connection_keeps() {
    let local = Local::start(&[]).await;
    for (bytes, status) in [(CONNECTION_BUFFER_BYTES_MAX - 512, 200), (4 * CONNECTION_BUFFER_BYTES_MAX, 431)] {
        let request = Request::get(local.stream, "/health").header("Cookie", "x".repeat(bytes));
        assert_eq!(request.send().await.status(), status, "{bytes}");
    }
}
