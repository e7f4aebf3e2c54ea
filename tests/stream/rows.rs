//! Rows as real tables hold them: other forms of a time, sets and single tags, more than one page, rows that grow old.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{LIMIT, assert_has, connect, counts, function, pairs, updates};
use crate::support::clock::{ago, parse_ms, rfc3339};
use crate::support::table::{Row, SENTIMENTS, Table};

const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn every_form_of_an_rfc_3339_time_in_utc_is_delivered_at_once() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let second = |moment: SystemTime| rfc3339(moment)[..19].to_owned();
    for form in ["Z", ".5Z", ".123456Z", ".123456789Z", "+00:00", ".25+00:00"] {
        let text = format!("{}{form}", second(SystemTime::now()));
        table.put(&Row { time: text.clone(), ..Row::new(form, "neutral", &["X"]) }).await;
        let update = client.data("sentiment_update", LIMIT).await;
        assert_eq!(update["item_id"], form);
        let shown = update["timestamp"].as_str().unwrap();
        assert!(shown.len() == "2025-12-02T10:30:00.123Z".len() && shown.ends_with('Z'), "{shown}");
        assert_eq!(parse_ms(shown), parse_ms(&text), "{text}");
    }
    assert_eq!(updates(client.seen()).len(), 6);
}

#[tokio::test]
async fn tags_may_be_a_list_a_set_or_one_text_and_a_row_without_any_is_only_counted() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let forms = [
        ("list", json!({ "L": [{ "S": "A" }, { "S": "B" }, { "S": "A" }] })),
        ("set", json!({ "SS": ["A", "B"] })),
        ("text", json!({ "S": "A" })),
        ("none", json!({ "L": [] })),
    ];
    for (n, (id, tags)) in (0u64..).zip(&forms) {
        table
            .put_raw(&json!({
                "source_id": { "S": id }, "timestamp": { "S": ago(Duration::ZERO) }, "sentiment": { "S": "positive" },
                "matched_tickers": tags, "status": { "S": "analyzed" }, "score": { "N": "-1" },
            }))
            .await;
        assert_has(&client.data("metrics", LIMIT).await, &counts(n + 1, n + 1, 0, 0));
    }
    let expected = [("list", "A"), ("list", "B"), ("set", "A"), ("set", "B"), ("text", "A")];
    assert_eq!(updates(client.seen()), pairs(&expected));
}

#[tokio::test]
async fn a_window_of_several_pages_is_counted_whole() {
    let table = Table::create(SENTIMENTS).await;
    // A page of DynamoDB ends at one megabyte.
    let source = "s".repeat(2000);
    let row = |n: u32| Row {
        source: source.clone(),
        ..Row::new(&format!("r{n}"), "positive", &["X"]).ago(HOUR + n * HOUR / 50)
    };
    let rows: Vec<Row> = (0..600).map(row).collect();
    table.put_all(&rows).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(600, 600, 0, 0));
}

#[tokio::test]
async fn rows_leave_the_hour_and_the_window_as_time_goes_by() {
    let table = Table::create(SENTIMENTS).await;
    // So long that they are still there when they are first counted, on a machine that is slow too.
    let soon = Duration::from_secs(12);
    table.put(&Row::new("day", "negative", &["X"]).ago(DAY - soon)).await;
    table.put(&Row::new("hour", "positive", &["X"]).ago(HOUR - soon)).await;
    table.put(&Row::new("now", "positive", &["X"])).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    let first = client.data("metrics", LIMIT).await;
    assert_has(&first, &counts(3, 2, 0, 1));
    assert_eq!(first["rate_last_hour"], 2);
    let settled = |data: &Value| data["total"] == 2 && data["rate_last_hour"] == 1;
    let mut last = first;
    // They may leave in one event or in two.
    while !settled(&last) {
        last = client.data("metrics", LIMIT).await;
    }
    assert_has(&last, &counts(2, 2, 0, 0));
    assert_eq!(updates(client.seen()), []);
}

#[tokio::test]
async fn a_row_from_the_future_waits_until_its_time() {
    let table = Table::create(SENTIMENTS).await;
    let skew = contract::limits::FUTURE_SKEW;
    let far = rfc3339(SystemTime::now() + skew + Duration::from_secs(12));
    table.put(&Row { time: far, ..Row::new("far", "neutral", &["X"]) }).await;
    let years = rfc3339(SystemTime::now() + 1000 * DAY);
    table.put(&Row { time: years, ..Row::new("years", "neutral", &["X"]) }).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(0, 0, 0, 0));
    table.put(&Row::new("now", "neutral", &["X"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "now");
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "far");
}
