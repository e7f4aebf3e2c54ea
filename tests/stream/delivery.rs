//! From a row in the table to an event at the client.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{LIMIT, POLL, assert_has, config, connect, counts, function, keys, names, pairs, updates};
use crate::emulator::Emulator;
use crate::support::clock::{BUSY, parse_ms};
use crate::support::decoder::Item;
use crate::support::proxy::{Mode, Proxy};
use crate::support::table::{ORDERS, Row, SENTIMENTS, Table};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_stream_opens_with_retry_and_heartbeat_and_the_baseline_is_only_counted() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("old", "positive", &["AAPL", "MSFT"]).ago(2 * 60 * MINUTE)).await;
    table.put(&Row::new("new", "negative", &["AAPL"]).ago(MINUTE)).await;
    table.put(&Row { ready: false, ..Row::new("pending", "neutral", &["AAPL"]) }).await;
    table.put(&Row::new("yesterday", "neutral", &["AAPL"]).ago(25 * 60 * MINUTE)).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;

    let first = client.next(LIMIT).await;
    let Item::Retry(retry) = first.item else { panic!("{first:?}") };
    assert!((3000..=4500).contains(&retry), "{retry}");
    let second = client.next(LIMIT).await;
    let heartbeat = second.event().expect("an event").clone();
    assert_eq!(heartbeat.name, "heartbeat");
    assert_eq!(first.at, second.at, "both come in one write");
    assert!(heartbeat.has_id && heartbeat.id.starts_with("evt_") && heartbeat.id.len() <= 64, "{heartbeat:?}");
    let data: serde_json::Value = serde_json::from_str(&heartbeat.data).unwrap();
    assert_eq!(keys(&data), ["connections", "stream_id", "timestamp", "uptime_seconds"]);
    assert_eq!(data["connections"], 1);
    parse_ms(data["timestamp"].as_str().unwrap());

    let metrics = client.data("metrics", LIMIT).await;
    assert_has(&metrics, &counts(2, 1, 0, 1));
    assert_has(&metrics, &json!({ "by_tag": { "AAPL": 2, "MSFT": 1 }, "rate_last_hour": 1, "rate_last_24h": 2 }));
    let expected =
        ["by_tag", "negative", "neutral", "positive", "rate_last_24h", "rate_last_hour", "timestamp", "total"];
    assert_eq!(keys(&metrics), expected);

    // Nothing changes, so nothing is said: the next thing to come is the row that is put now.
    let rest = client.during(POLL * 3).await;
    assert_eq!(names(&rest), [""; 0]);
    client.check().await;
}

#[tokio::test]
async fn a_new_row_reaches_the_client_within_one_poll() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[])).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(0, 0, 0, 0));

    let mut waits = Vec::new();
    for n in 0..5u64 {
        let row = Row { score: 0.25, ..Row::new(&format!("row-{n}"), "positive", &["MSFT", "AAPL"]) };
        let before = Instant::now();
        table.put(&row).await;
        let there = Instant::now();
        let (update, at) = client.arrival("sentiment_update", LIMIT).await;
        waits.push(at - before);
        // Whatever the machine is busy with: the first poll that began with the row in the table brought it.
        let asked = proxy.exchanges().into_iter().find(|one| one.at > there && one.values().contains(&row.label));
        assert!(asked.is_none_or(|one| one.status == 0 || one.response.to_string().contains(&row.id)), "row {n}");
        let data: serde_json::Value = serde_json::from_str(&update.data).unwrap();
        let expected = json!({
            "item_id": row.id, "ticker": "MSFT", "score": 0.25, "label": "positive",
            "confidence": 0.9, "source": "tests", "timestamp": row.time,
        });
        assert_eq!(data, expected);
        assert_eq!(client.data("sentiment_update", LIMIT).await["ticker"], "AAPL");
        assert_has(&client.data("metrics", LIMIT).await, &counts(n + 1, n + 1, 0, 0));
    }
    waits.sort_unstable();
    println!("from row to client, reading every {POLL:?}: {waits:?}");
    assert!(waits[4] <= POLL + BUSY, "{waits:?}");
    client.check().await;
}

#[tokio::test]
async fn rows_of_one_poll_come_oldest_first_and_a_new_analysis_is_a_new_update() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[])).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let rows =
        [("c", 1), ("a", 3), ("b", 2)].map(|(id, minutes)| Row::new(id, "neutral", &["X"]).ago(minutes * MINUTE));
    // Nobody reads until all of them are there.
    proxy.set(Mode::Throttle);
    proxy.settled(LIMIT).await;
    table.put_all(&rows).await;
    proxy.set(Mode::Pass);
    let mut came = Vec::new();
    while came.len() < 3 {
        client.event("sentiment_update", LIMIT).await;
        came = updates(client.seen());
    }
    assert_eq!(came, pairs(&[("a", "X"), ("b", "X"), ("c", "X")]));

    table.put(&Row { label: "positive".into(), ..rows[0].clone() }).await;
    assert_has(&client.data("sentiment_update", LIMIT).await, &json!({ "item_id": "c", "label": "positive" }));
    assert_has(&client.data("metrics", LIMIT).await, &counts(3, 1, 2, 0));
    client.check().await;
}

#[tokio::test]
async fn a_row_that_shows_up_minutes_late_is_delivered_within_one_poll() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("before", "neutral", &["X"])).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    for (id, minutes) in [("five", 5), ("nine", 9)] {
        let before = Instant::now();
        table.put(&Row::new(id, "negative", &["X"]).ago(minutes * MINUTE)).await;
        let (_, at) = client.arrival("sentiment_update", LIMIT).await;
        // A row that is not found at once is found an hour later.
        assert!(at - before <= POLL + BUSY, "{:?}", at - before);
    }
    assert_eq!(updates(client.seen()), pairs(&[("five", "X"), ("nine", "X")]));
}

#[tokio::test]
async fn a_row_later_than_the_late_window_is_found_by_the_next_full_read() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[("SSE_LATE_WINDOW", "1m"), ("SSE_RECONCILE_INTERVAL", "10s")]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    table.put(&Row::new("now", "neutral", &["X"])).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 0, 1, 0));
    table.put(&Row::new("hours", "positive", &["X"]).ago(300 * MINUTE)).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(2, 1, 1, 0));
}

#[tokio::test]
async fn a_deleted_row_leaves_the_numbers_and_is_no_update() {
    let table = Table::create(SENTIMENTS).await;
    let row = Row::new("gone", "positive", &["X"]);
    table.put(&row).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
    table.delete(&row).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(0, 0, 0, 0));
    assert_eq!(updates(client.seen()), []);
}

#[tokio::test]
async fn a_row_that_does_not_parse_is_skipped_and_logged_once() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let time = Row::new("", "", &[]).time;
    table
        .put_raw(&json!({
            "source_id": { "S": "broken-row" }, "timestamp": { "S": time }, "sentiment": { "S": "positive" },
            "score": { "N": "7" }, "matched_tickers": { "BOOL": true }, "status": { "S": "analyzed" },
        }))
        .await;
    table.put(&Row::new("whole", "positive", &["X"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "whole");
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
    client.during(POLL * 3).await;
    let logs = emulator.logs();
    let lines: Vec<_> = logs.iter().filter(|line| line.text.contains("broken-row")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(updates(client.seen()), pairs(&[("whole", "X")]));
}

#[tokio::test]
async fn a_quite_different_table_is_served_by_settings_alone() {
    let table = Table::create(ORDERS).await;
    table.put(&Row::new("order-1", "placed", &["eu-west-1"]).ago(MINUTE)).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    let metrics = client.data("metrics", LIMIT).await;
    let expected = json!({ "total": 1, "placed": 1, "shipped": 0, "returned": 0, "by_tag": { "eu-west-1": 1 } });
    assert_has(&metrics, &expected);
    assert_eq!(metrics.get("positive"), None);
    let row = Row::new("order-2", "returned", &["eu-west-1", "us-east-1"]);
    table.put(&row).await;
    let update = client.data("order_update", LIMIT).await;
    let expected = json!({ "item_id": "order-2", "label": "returned", "ticker": "eu-west-1", "timestamp": row.time });
    assert_has(&update, &expected);
    assert!(update["score"].is_null() && update["confidence"].is_null() && update["source"].is_null(), "{update}");
    assert_eq!(client.data("order_update", LIMIT).await["ticker"], "us-east-1");
    assert_has(&client.data("metrics", LIMIT).await, &json!({ "total": 2, "placed": 1, "returned": 1 }));
    client.check().await;
}
