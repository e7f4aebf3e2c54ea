//! What the functions measure, as CloudWatch gets it: from the lines that the shipped binaries really write.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::metrics::{EVENT, Metric, REASON};
use serde_json::json;

use stream_core::snapshot::SNAPSHOT_AGE_MAX;

use super::{LIMIT, POLL, config, connect, function};
use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::client::Request;
use crate::support::clock::{BUSY, until};
use crate::support::process::LogLine;
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{bins, emf};

const NAMESPACE: &str = "sse-dev";

/// What became of every metric: all its values.
#[derive(Debug)]
struct Measured(BTreeMap<Key, Vec<f64>>);

/// Name of a metric, and its dimension's name and value.
type Key = (String, Option<(String, String)>);

impl Measured {
    /// Reads every line of the format; one that breaks a rule fails the test.
    fn of(logs: &[LogLine]) -> Self {
        let mut all: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for line in logs {
            let Some(measured) = emf::extract(&line.text) else { continue };
            assert!(!line.stderr, "{}", line.text);
            for ((namespace, name, dimensions), values) in
                measured.unwrap_or_else(|error| panic!("{error}: {}", line.text))
            {
                assert_eq!(namespace, NAMESPACE);
                assert!(dimensions.len() <= 1, "each further dimension multiplies the bill: {}", line.text);
                all.entry((name, dimensions.into_iter().next())).or_default().extend(values);
            }
        }
        let known = |name: &str| Metric::ALL.iter().any(|metric| metric.name() == name);
        assert!(all.keys().all(|(name, _)| known(name)), "{all:#?}");
        Self(all)
    }

    fn values(&self, metric: Metric) -> &[f64] {
        self.0.get(&(metric.name().to_owned(), None)).map_or(&[], Vec::as_slice)
    }

    fn sum(&self, metric: Metric) -> f64 {
        self.values(metric).iter().sum()
    }

    fn by(&self, metric: Metric, dimension: &str, value: &str) -> f64 {
        let key = (metric.name().to_owned(), Some((dimension.to_owned(), value.to_owned())));
        self.0.get(&key).map_or(0.0, |values| values.iter().sum())
    }
}

fn settings<'a>(mode: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [("METRICS", mode), ("METRICS_NAMESPACE", NAMESPACE), ("AWS_LAMBDA_LOG_LEVEL", "ERROR")];
    own.into_iter().chain(more.iter().copied()).collect()
}

fn same(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

/// At the level at which the log is shortest: the metrics must not depend on it.
#[tokio::test]
async fn what_a_stream_did_is_in_its_lines_when_it_has_ended() {
    let table = Table::create(SENTIMENTS).await;
    table.put_broken().await;
    for id in ["one", "two"] {
        table
            .put_raw(&json!({
                "source_id": { "S": id }, "timestamp": { "S": Row::new("", "", &[]).time }, "sentiment": { "S": "positive" },
                "score": { "N": "7" }, "confidence": { "S": "high" }, "status": { "S": "analyzed" },
            }))
            .await;
    }
    let emulator = function(&table, &settings("detailed", &[("SSE_MAX_SESSION", "5s")])).await;
    let mut first = connect(&emulator, "").await;
    first.event("metrics", LIMIT).await;
    table.put(&Row::new("now", "positive", &["AAPL", "MSFT"])).await;
    first.event("sentiment_update", LIMIT).await;
    table.put(&Row::new("late", "neutral", &["AAPL"]).ago(Duration::from_secs(300))).await;
    let body = first.until_end(LIMIT).await;
    emulator.finished(0, LIMIT).await;
    // The environment is frozen by now: what is not written would not come any more.
    let measured = Measured::of(&emulator.logs());
    same(measured.sum(Metric::StreamsOpened), 1.0);
    same(measured.sum(Metric::StreamsReturned), 0.0);
    same(measured.sum(Metric::StreamsEnded), 1.0);
    same(measured.sum(Metric::RowsSkipped), 1.0);
    same(measured.sum(Metric::ValuesSkipped), 4.0);
    assert_eq!(measured.values(Metric::Connections), [1.0]);
    let seconds = measured.sum(Metric::SessionSeconds);
    assert!((3.9..=5.5).contains(&seconds), "{seconds}");
    same(measured.by(Metric::SessionSeconds, REASON, "session"), seconds);
    #[expect(clippy::cast_precision_loss, reason = "some kilobytes")]
    same(measured.sum(Metric::BytesSent), first.bytes().len() as f64);
    // Two updates of one row, one of the late one, each with a lag that is the function's own and not the row's.
    assert!(body.len() >= 2);
    same(measured.by(Metric::EventsSent, EVENT, "update"), 3.0);
    same(measured.by(Metric::EventsSent, EVENT, "heartbeat"), 1.0);
    same(measured.by(Metric::EventsSent, EVENT, "deadline"), 1.0);
    let lags = measured.values(Metric::Lag);
    assert_eq!(lags.len(), 3, "{lags:?}");
    let most = (POLL + BUSY).as_secs_f64() * 1000.0;
    assert!(lags.iter().all(|lag| *lag < most), "{lags:?}: half a second between reads, five minutes late");
    same(measured.sum(Metric::LateUpdates), 1.0);
    let polls = measured.values(Metric::PollDuration);
    assert!((3..=14).contains(&polls.len()), "{polls:?}");
    let units = measured.sum(Metric::ReadUnits);
    #[expect(clippy::cast_precision_loss, reason = "a few polls")]
    let least = polls.len() as f64 * 0.5;
    assert!((units * 2.0).fract() < 1e-9 && units >= least, "{units}: half a unit for each label with rows");
}

#[tokio::test]
async fn who_comes_back_is_resumed_or_reset_and_a_replay_is_no_lag() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &settings("detailed", &[("SSE_MAX_SESSION", "5s")])).await;
    let mut first = connect(&emulator, "").await;
    first.until_end(LIMIT).await;
    table.put(&Row::new("missed", "positive", &["AAPL"]).ago(Duration::from_secs(60))).await;
    // Until what the instance knows is too old to begin with: sooner, the row would be one that came while the client was there.
    tokio::time::sleep(SNAPSHOT_AGE_MAX + POLL).await;
    let mut second = connect(&emulator, &first.last_id()).await;
    second.event("sentiment_update", LIMIT).await;
    second.until_end(LIMIT).await;
    let mut third = connect(&emulator, "evt_of_somebody_else").await;
    third.event("reset", LIMIT).await;
    third.until_end(LIMIT).await;
    emulator.finished(2, LIMIT).await;
    let measured = Measured::of(&emulator.logs());
    same(measured.sum(Metric::StreamsOpened), 3.0);
    same(measured.sum(Metric::StreamsReturned), 2.0);
    same(measured.sum(Metric::StreamsResumed), 1.0);
    same(measured.sum(Metric::StreamsReset), 1.0);
    same(measured.by(Metric::StreamsReset, REASON, "unknown"), 1.0);
    same(measured.by(Metric::EventsSent, EVENT, "reset"), 1.0);
    assert_eq!(measured.values(Metric::Lag), [0.0; 0], "what was missed is not late");
}

/// Each is a request of its own, after which the environment is frozen.
#[tokio::test]
async fn a_refusal_is_counted_with_its_reason_before_the_environment_is_frozen() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &settings("totals", &[])).await;
    for target in ["/api/v2/stream?tickers=%00", "/api/v2/configurations/c/stream", "/health", "/api/v2/stream/status"]
    {
        Request::get(emulator.address(), target).send().await;
    }
    emulator.finished(3, LIMIT).await;
    let measured = Measured::of(&emulator.logs());
    same(measured.sum(Metric::StreamsRefused), 2.0);
    same(measured.sum(Metric::StreamsOpened), 0.0);
    assert!(measured.0.keys().all(|(_, dimension)| dimension.is_none()), "nothing but totals: {measured:#?}");
    let lines: Vec<serde_json::Value> =
        emulator.logs().iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect();
    let reasons: Vec<_> = lines.iter().filter_map(|line| line.get("StreamsRefusedBy")).collect();
    assert_eq!(reasons, [&json!({ "bad_request": 1 }), &json!({ "unidentified": 1 })], "{lines:#?}");
}

#[tokio::test]
async fn an_instance_of_many_streams_writes_one_line_for_all_of_them() {
    let table = Table::create(SENTIMENTS).await;
    let more = settings("totals", &[("SSE_MAX_SESSION", "5s"), ("SSE_MAX_CONNECTIONS", "3")]);
    let base = config(&table, crate::support::dynamodb::address(), &more);
    let emulator = Emulator::start(Config { concurrency_per_environment: 8, freeze: false, ..base }).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = connect(&emulator, "").await;
        client.event("heartbeat", LIMIT).await;
        clients.push(client);
    }
    let refused = Request::get(emulator.address(), super::STREAM).send().await;
    assert_eq!(refused.status(), 503);
    for client in &mut clients {
        client.until_end(LIMIT).await;
    }
    emulator.finished(2, LIMIT).await;
    let lines = || emulator.logs().iter().filter(|line| emf::extract(&line.text).is_some()).count();
    until("its line", LIMIT, || (lines() > 0).then_some(())).await;
    // For what must not come.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let logs = emulator.logs();
    assert_eq!(lines(), 1, "{logs:#?}");
    let measured = Measured::of(&logs);
    assert_eq!(measured.values(Metric::Connections), [3.0]);
    same(measured.sum(Metric::StreamsOpened), 3.0);
    same(measured.sum(Metric::StreamsEnded), 3.0);
    same(measured.sum(Metric::StreamsRefused), 1.0);
}

#[tokio::test]
async fn the_dashboard_function_says_what_it_read_and_both_say_nothing_when_switched_off() {
    let table = Table::create(SENTIMENTS).await;
    // DynamoDB Local bills nothing for a label without rows.
    table.put(&Row::new("one", "positive", &["AAPL"])).await;
    let base = config(&table, crate::support::dynamodb::address(), &settings("totals", &[]));
    let dashboard = Config { program: bins::path("dashboard"), invoke_mode: InvokeMode::Buffered, ..base };
    let emulator = Emulator::start(dashboard.clone()).await;
    let answer = Request::get(emulator.address(), "/api/v2/metrics").send().await;
    assert_eq!(answer.status(), 200);
    emulator.finished(0, LIMIT).await;
    let measured = Measured::of(&emulator.logs());
    assert_eq!(measured.values(Metric::PollDuration).len(), 1);
    same(measured.sum(Metric::ReadUnits), 0.5);
    assert!(measured.values(Metric::StreamsEnded).is_empty(), "it has no streams");

    let emulator = function(&table, &settings("off", &[("SSE_MAX_SESSION", "5s")])).await;
    connect(&emulator, "").await.until_end(LIMIT).await;
    emulator.finished(0, LIMIT).await;
    tokio::time::sleep(POLL).await;
    assert!(Measured::of(&emulator.logs()).0.is_empty());
}
