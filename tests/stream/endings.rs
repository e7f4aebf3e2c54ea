//! Many streams that end at once: each leaves its closing line, also where the log is read only later.

use contract::logs;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{LIMIT, STREAM};
use crate::support::clock::until;
use crate::support::local::Local;

/// Streams: nearly as many as one process may serve.
const STREAMS: usize = 1500;

async fn local() -> Local {
    Local::start(&[
        ("SAMPLE_RATE", "0"),
        ("SSE_MAX_CONNECTIONS", "1600"),
        ("SSE_CONNECTIONS_PER_CLIENT", "1600"),
        ("SSE_MAX_SESSION", "10m"),
    ])
    .await
}

/// Opens a stream and waits until its first event is there.
async fn open(to: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let request = format!("GET {STREAM} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&said).contains("event: heartbeat") {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&buffer[..count]);
    }
    stream
}

async fn open_all(local: &Local) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    while streams.len() < STREAMS {
        // As many as a listener lets wait.
        let mut opening = JoinSet::new();
        (0..100).for_each(|_| drop(opening.spawn(open(local.stream))));
        streams.extend(opening.join_all().await);
    }
    streams
}

/// Reasons of the closing lines, whatever else the log holds, and that none of it was dropped.
fn reasons(local: &Local) -> Vec<String> {
    let lines = local.process.lines();
    assert!(!lines.iter().any(|line| line.text.contains("log lines dropped")));
    let closing = lines.iter().filter(|line| line.text.contains(logs::STREAM_CLOSED));
    let reason = |text: &str| serde_json::from_str::<Value>(text).unwrap()[logs::REASON].as_str().unwrap().to_owned();
    closing.map(|line| reason(&line.text)).collect()
}

#[tokio::test]
async fn streams_whose_clients_leave_all_at_once_leave_a_line_each_in_a_log_that_is_read_later() {
    let local = local().await;
    let streams = open_all(&local).await;
    local.process.read_output(false);
    drop(streams);
    let status = || async { local.get(contract::routes::STREAM_STATUS).send().await.into_json().await };
    tokio::time::timeout(LIMIT, async { while status().await["connections"] != 0 {} }).await.unwrap();
    assert!(reasons(&local).len() < 10, "the log was read meanwhile");
    local.process.read_output(true);
    until("all closing lines", LIMIT, || (reasons(&local).len() >= STREAMS).then_some(())).await;
    let reasons = reasons(&local);
    assert_eq!((reasons.len(), reasons.iter().all(|reason| reason == logs::CLIENT_LEFT)), (STREAMS, true));
}

#[tokio::test]
async fn streams_of_a_process_that_is_told_to_stop_leave_a_line_each_before_it_ends() {
    let local = local().await;
    let mut streams = open_all(&local).await;
    local.process.read_output(false);
    local.terminate();
    // Until the last of them is closed.
    let mut buffer = vec![0; 4096];
    for stream in &mut streams {
        let to_end = async { while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {} };
        tokio::time::timeout(LIMIT, to_end).await.unwrap();
    }
    local.process.read_output(true);
    let status = local.process.exits_within(LIMIT).await;
    assert!(status.success(), "{status}");
    assert_eq!(reasons(&local).len(), STREAMS);
}
