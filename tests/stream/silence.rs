//! A table of which nothing is shown: one line of the log says what was looked for and what is there.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, POLL, assert_has, config, connect, counts, function};
use crate::emulator::Emulator;
use crate::support::clock::until;
use crate::support::proxy::{Mode, Proxy};
use crate::support::table::{ORDERS, Row, SENTIMENTS, Table};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The lines that say that nothing was found.
fn lines(emulator: &Emulator) -> Vec<Value> {
    let logs = emulator.logs();
    let lines = logs.iter().filter(|line| line.text.contains(contract::logs::NOTHING_FOUND));
    lines.map(|line| serde_json::from_str(&line.text).unwrap()).collect()
}

/// What is said of the table to a function that finds nothing in it, by way of a proxy in that mode.
async fn said(table: &Table, mode: Mode) -> Value {
    let proxy = Proxy::start().await;
    proxy.set(mode);
    let emulator = Emulator::start(config(table, proxy.address(), &[])).await;
    let mut client = connect(&emulator, "").await;
    let metrics = client.data("metrics", LIMIT).await;
    assert_eq!(metrics["total"], 0);
    let mut found =
        until("a line that says why", LIMIT, || Some(lines(&emulator)).filter(|lines| !lines.is_empty())).await;
    client.during(POLL * 3).await;
    assert_eq!(lines(&emulator).len(), 1);
    // One scan, small; where that is not allowed, one query of each label.
    assert_eq!(proxy.count("Scan"), 1);
    found.remove(0)
}

fn row(id: &str, sentiment: &str, status: &str, time: &str) -> Value {
    json!({
        "source_id": { "S": id }, "timestamp": { "S": time }, "sentiment": { "S": sentiment },
        "matched_tickers": { "SS": ["X"] }, "status": { "S": status }, "score": { "N": "0.1" },
    })
}

/// Rows of each kind that does not count: seven with labels of another program, two that are pending, one each that is too
/// old, too new, and of no time.
async fn unheard() -> Table {
    let table = Table::create(SENTIMENTS).await;
    let now = Row::new("", "", &[]).time;
    for n in 0..4 {
        table.put_raw(&row(&format!("upper-{n}"), "POSITIVE", "analyzed", &now)).await;
    }
    for n in 0..3 {
        // A time that is none besides: what is wrong with the label is what a person must know first.
        table.put_raw(&row(&format!("bull-{n}"), "Somewhat-Bullish", "analyzed", "20251202T103000")).await;
    }
    for n in 0..2 {
        table.put_raw(&row(&format!("pending-{n}"), "neutral", "scored", &now)).await;
    }
    table.put_raw(&row("old", "negative", "analyzed", "2025-02-03T04:05:06Z")).await;
    table.put_raw(&row("new", "negative", "analyzed", "2999-02-03T04:05:06Z")).await;
    table.put_raw(&row("epoch", "positive", "analyzed", "1764671400")).await;
    table
}

const BESIDE: [&str; 4] = [
    "2 of them: `status` is `scored`, and not `analyzed`",
    "1 of them: `timestamp` is before the window, as 2025-02-03T04:05:06.000Z",
    "1 of them: `timestamp` is in the future, as 2999-02-03T04:05:06.000Z",
    "1 of them: `timestamp` is `1764671400`, which is digits and no RFC 3339 time; `data.time_format = \"epoch-seconds-text\"` reads them as counted from 1970",
];

#[tokio::test]
async fn what_is_there_instead_is_said_once_by_kind() {
    let table = unheard().await;
    let said = said(&table, Mode::Pass).await;
    assert_has(
        &said,
        &json!({
            "level": "WARN", "table": table.name, "index": "by_sentiment", "label": "sentiment", "time": "timestamp",
            "labels": "positive,neutral,negative", "status": "status = analyzed",
        }),
    );
    let [after, until] = ["after", "until"].map(|key| said[key].as_str().unwrap().to_owned());
    let now = Row::new("", "", &[]).time;
    assert!(after < Row::new("", "", &[]).ago(DAY).time && now < until, "{after} {until}");
    let found = said["found"].as_str().unwrap();
    assert!(
        found.starts_with(
            "12 rows; 4 of them: `sentiment` is `POSITIVE`, which is no label of this table; \
             3 of them: `sentiment` is `Somewhat-Bullish`, which is no label of this table; 2 of them: `status`"
        ),
        "{found}"
    );
    assert!(BESIDE.iter().all(|part| found.contains(part)), "{found}");
}

#[tokio::test]
async fn without_the_right_to_scan_it_is_said_what_could_not_be_looked_for() {
    let said = said(&unheard().await, Mode::DenyScan).await;
    let found = said["found"].as_str().unwrap();
    assert!(found.starts_with("5 rows; 2 of them: `status`"), "{found}");
    assert!(BESIDE.iter().all(|part| found.contains(part)), "{found}");
    assert!(
        found.ends_with("; other labels could not be looked for, because `dynamodb:Scan` of the index is not allowed"),
        "{found}"
    );
}

#[tokio::test]
async fn an_index_without_rows_says_which_rows_it_would_have() {
    let table = Table::create(ORDERS).await;
    // Not in the index: it has no label there.
    table.put_raw(&json!({ "order_id": { "S": "1" }, "updated_at": { "S": "2026-01-01T00:00:00Z" } })).await;
    let said = said(&table, Mode::Pass).await;
    assert_has(
        &said,
        &json!({
            "labels": "placed,shipped,returned", "status": "any",
            "found": "no rows: a row is in the index where it has `state` and `updated_at`, both of the index's types",
        }),
    );
}

#[tokio::test]
async fn a_table_that_has_rows_is_not_spoken_of_when_they_are_gone() {
    let table = Table::create(SENTIMENTS).await;
    let row = Row::new("a", "positive", &["X"]);
    table.put(&row).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
    table.delete(&row).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(0, 0, 0, 0));
    client.during(POLL * 3).await;
    assert_eq!(lines(&emulator), [Value::Null; 0]);
}
