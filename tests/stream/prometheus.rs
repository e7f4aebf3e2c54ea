//! `/metrics` of local mode, read by Prometheus' own Python parser, and a log that nobody reads.

use std::process::Stdio;
use std::time::Duration;

use contract::limits::LOG_QUEUE_BYTES_MAX;
use futures_util::future::join_all;
use serde_json::Value;

use super::LIMIT;
use crate::support::client::Request;
use crate::support::clock::BUSY;
use crate::support::external::prometheus;
use crate::support::local::{Local, free_port};
use crate::support::sse::SseClient;
use crate::support::{bins, reaper};

/// What it says there, by family.
pub(super) async fn scrape(address: std::net::SocketAddr) -> Value {
    let answer = Request::get(address, "/metrics").send().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.head.all("content-type"), ["text/plain; version=0.0.4; charset=utf-8"]);
    let text = String::from_utf8(answer.bytes().await.unwrap()).unwrap();
    tokio::task::spawn_blocking(move || prometheus(&text)).await.unwrap()
}

/// The value of a sample: its name, and its labels as `name=value`.
pub(super) fn sample(families: &Value, name: &str, labels: &str) -> f64 {
    let key = format!("{name}{{{labels}}}");
    let samples = families.as_object().unwrap().values().filter_map(|family| family["samples"].get(&key));
    samples.filter_map(Value::as_f64).next().unwrap_or_else(|| panic!("no `{key}` in {families:#}"))
}

#[tokio::test]
async fn both_ports_tell_prometheus_what_the_process_did() {
    let local =
        Local::start(&[("SSE_MAX_SESSION", "20s"), ("SSE_POLL_INTERVAL", "200ms"), ("SAMPLE_RATE", "10")]).await;
    let before = scrape(local.stream).await;
    assert_eq!(sample(&before, "sse_streams_opened_total", ""), 0.0);
    assert_eq!(sample(&before, "sse_streams_reset_total", "reason=foreign"), 0.0);
    let mut client = SseClient::connect(local.get("/api/v2/stream")).await;
    client.event("sentiment_update", LIMIT).await;
    let open = scrape(local.dashboard).await;
    assert_eq!(sample(&open, "sse_connections", ""), 1.0);
    client.until_end(LIMIT).await;
    let refused = local.get("/api/v2/stream?tickers=%00").send().await;
    assert_eq!(refused.status(), 400);
    let mut again = SseClient::connect(local.get("/api/v2/stream").header("Last-Event-ID", "nonsense")).await;
    again.event("reset", LIMIT).await;
    let after = scrape(local.stream).await;
    for (name, labels, expected) in [
        ("sse_streams_opened_total", "", 2.0),
        ("sse_streams_returned_total", "", 1.0),
        ("sse_streams_reset_total", "reason=unknown", 1.0),
        ("sse_streams_refused_total", "reason=bad_request", 1.0),
        ("sse_streams_ended_total", "", 1.0),
        ("sse_connections", "", 1.0),
        ("sse_log_lines_dropped_total", "", 0.0),
    ] {
        assert_eq!(sample(&after, name, labels), expected, "{name}");
    }
    assert!(sample(&after, "sse_session_seconds_total", "reason=session") > 15.0);
    let updates = sample(&after, "sse_events_sent_total", "event=update");
    assert!(updates >= 1.0 && sample(&after, "sse_lag_seconds_count", "") <= updates);
    assert!(sample(&after, "sse_poll_duration_seconds_bucket", "le=+Inf") >= 2.0);
    for (name, family) in after.as_object().unwrap() {
        assert!(family["help"].as_str().is_some_and(|help| help.len() > 10), "{name}");
        assert!(["counter", "gauge", "histogram"].contains(&family["type"].as_str().unwrap()), "{name}");
    }
    // An ordinary address of the page's server stays what it was.
    assert_eq!(Request::get(local.dashboard, "/api/v2/metrics").send().await.status(), 200);
}

/// Sessions between two looks whether lines were dropped.
const SESSIONS: usize = 500;
/// So many of them at once.
const SESSIONS_AT_ONCE: usize = 20;

/// A pipe holds 64 KiB. What comes after that waits for a reader that never reads, and must not make a stream wait.
#[tokio::test]
async fn streams_go_on_when_nobody_reads_the_log() {
    let (stream, dashboard) = (free_port(), free_port());
    let mut child = tokio::process::Command::new(bins::path("local"))
        .env_clear()
        .envs([("STREAM_PORT", stream.port().to_string()), ("DASHBOARD_PORT", dashboard.port().to_string())])
        .env("FRONTEND_DIR", bins::workspace().join("frontend"))
        .envs([("SSE_POLL_INTERVAL", "200ms"), ("SSE_HEARTBEAT_INTERVAL", "500ms"), ("METRICS", "detailed")])
        .envs([("SSE_MAX_CONNECTIONS", "1000"), ("SSE_CONNECTIONS_PER_CLIENT", "1000")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = child.id().unwrap();
    reaper::adopt(pid);
    // Held and never read.
    let unread = child.stdout.take();
    while !Request::get(stream, "/health").try_send().await.is_ok_and(|answer| answer.status() == 200) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let open = || SseClient::connect(Request::get(stream, "/api/v2/stream"));
    let mut watcher = open().await;
    watcher.event("metrics", LIMIT).await;
    // Each leaves two lines, of a hundred bytes at least: more cannot be needed.
    let sessions_max = LOG_QUEUE_BYTES_MAX / 200;
    let mut opened = 0;
    while sample(&scrape(dashboard).await, "sse_log_lines_dropped_total", "") == 0.0 {
        assert!(opened < sessions_max, "the log is not full yet: the test proves nothing");
        for _ in 0..SESSIONS / SESSIONS_AT_ONCE {
            join_all((0..SESSIONS_AT_ONCE).map(|_| async { open().await.event("heartbeat", LIMIT).await })).await;
        }
        opened += SESSIONS;
    }
    watcher.event("sentiment_update", LIMIT).await;
    let (_, first) = watcher.arrival("heartbeat", LIMIT).await;
    let (_, second) = watcher.arrival("heartbeat", LIMIT).await;
    assert!(second - first < Duration::from_millis(500) + BUSY, "{:?}", second - first);
    open().await.event("heartbeat", LIMIT).await;
    drop(unread);
    child.start_kill().unwrap();
    child.wait().await.unwrap();
    reaper::release(pid);
}
