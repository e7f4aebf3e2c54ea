//! Reconnecting: any instance continues from an id, and an id that cannot be honoured gets `reset` and the current state.

use std::time::Duration;

use serde_json::json;

use super::{LIMIT, POLL, STREAM, assert_has, config, connect, counts, function, names, pairs, updates};
use crate::emulator::{Config, Emulator};
use crate::support::client::Request;
use crate::support::dynamodb;
use crate::support::sse::SseClient;
use crate::support::table::{ORDERS, Row, SENTIMENTS, Table};

const MINUTE: Duration = Duration::from_secs(60);

/// Connects until the first metrics and returns the last id: a client that has everything.
async fn up_to_date(emulator: &Emulator) -> String {
    let mut client = connect(emulator, "").await;
    client.event("metrics", LIMIT).await;
    client.last_id()
}

#[tokio::test]
async fn another_instance_delivers_exactly_what_was_missed_in_order() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("known", "neutral", &["X"]).ago(8 * MINUTE)).await;
    let (first, second) = (function(&table, &[]).await, function(&table, &[]).await);
    let mut client = connect(&first, "").await;
    client.event("metrics", LIMIT).await;
    table.put(&Row::new("seen", "positive", &["X", "Y"])).await;
    client.event("sentiment_update", LIMIT).await;
    // Between the two updates of one row: the id says that the second is still to come.
    let id = client.last_id();
    drop(client);
    table.put(&Row::new("new-1", "negative", &["X"])).await;
    table.put(&Row::new("late", "negative", &["Z"]).ago(6 * MINUTE)).await;
    table.put(&Row::new("new-2", "negative", &["X"])).await;

    let mut client = connect(&second, &id).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(5, 1, 1, 3));
    let expected = pairs(&[("late", "Z"), ("seen", "Y"), ("new-1", "X"), ("new-2", "X")]);
    assert_eq!(updates(client.seen()), expected);
    assert_eq!(names(client.seen()).first().map(String::as_str), Some("heartbeat"));
    client.check().await;

    // Back at the first with nothing missed: neither updates nor the same numbers again.
    let id = client.last_id();
    let mut client = connect(&first, &id).await;
    client.event("heartbeat", LIMIT).await;
    assert_eq!(names(&client.during(POLL * 3).await), [""; 0]);
    table.put(&Row::new("live", "negative", &["X"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "live");
}

#[tokio::test]
async fn the_query_parameter_works_as_the_header_does_and_the_header_wins() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let id = up_to_date(&emulator).await;
    table.put(&Row::new("missed", "neutral", &["X"])).await;
    let target = format!("{STREAM}?last_event_id={id}");
    let mut client = SseClient::connect(Request::get(emulator.address(), &target)).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "missed");
    let target = format!("{STREAM}?last_event_id=garbage");
    let request = Request::get(emulator.address(), &target).header("Last-Event-ID", &id);
    let mut client = SseClient::connect(request).await;
    client.event("sentiment_update", LIMIT).await;
    assert_eq!(updates(client.seen()), pairs(&[("missed", "X")]));
    assert!(!names(client.seen()).contains(&"reset".to_owned()));
}

#[tokio::test]
async fn eight_late_rows_in_the_gap_come_once_and_more_may_repeat_but_are_never_missing() {
    for late in [8, 30] {
        let table = Table::create(SENTIMENTS).await;
        let before: Vec<Row> =
            (0..20).map(|n| Row::new(&format!("old-{n}"), "neutral", &["X"]).ago(n * MINUTE / 4)).collect();
        table.put_all(&before).await;
        let (first, second) = (function(&table, &[]).await, function(&table, &[]).await);
        let id = up_to_date(&first).await;
        let rows: Vec<Row> = (0..late)
            .map(|n| Row::new(&format!("late-{n}"), "positive", &["X", "Y", "Z"]).ago(n * MINUTE / 5 + MINUTE))
            .collect();
        table.put_all(&rows).await;
        let mut client = connect(&second, &id).await;
        client.event("metrics", LIMIT).await;
        let came = updates(client.seen());
        let mut late_ones: Vec<_> = came.iter().filter(|(id, _)| id.starts_with("late")).collect();
        late_ones.sort_unstable();
        late_ones.dedup();
        assert_eq!(late_ones.len(), 3 * usize::try_from(late).unwrap(), "{came:?}");
        if late <= 8 {
            assert_eq!(came.len(), late_ones.len(), "{came:?}");
        }
    }
}

#[tokio::test]
async fn a_row_from_a_clock_ahead_of_ours_hides_no_late_row() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let ahead = std::time::SystemTime::now() + 4 * MINUTE;
    let time = crate::support::clock::rfc3339(ahead);
    table.put(&Row { time, ..Row::new("ahead", "neutral", &["X"]) }).await;
    client.event("sentiment_update", LIMIT).await;
    let id = client.last_id();
    drop(client);
    table.put(&Row::new("late", "negative", &["X"]).ago(8 * MINUTE)).await;
    let mut client = connect(&emulator, &id).await;
    client.event("metrics", LIMIT).await;
    assert_eq!(updates(client.seen()), pairs(&[("late", "X")]));
}

#[tokio::test]
async fn an_id_that_says_nothing_gets_reset_and_the_current_state() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["X"])).await;
    let orders = Table::create(ORDERS).await;
    orders.put(&Row::new("o", "placed", &["X"])).await;
    let foreign = up_to_date(&function(&orders, &[]).await).await;
    let config = config(&table, dynamodb::address(), &[]);
    let emulator = Emulator::start(Config { concurrency_per_environment: 16, freeze: false, ..config }).await;
    let own = up_to_date(&emulator).await;
    let long = "x".repeat(5000);
    let cut = &own[..own.len() - 3];
    let cases: [(&[u8], &str); 9] = [
        (b"garbage", "unknown"),
        (b"evt_", "unknown"),
        (b"evt_!!!!", "unknown"),
        (b"42", "unknown"),
        (b"\xc3\xa9v\xe9nement \xf0\x9f\x98\x80", "unknown"),
        (b"evt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown"),
        (long.as_bytes(), "unknown"),
        (cut.as_bytes(), "unknown"),
        (foreign.as_bytes(), "foreign"),
    ];
    for (id, reason) in cases {
        let request = Request::get(emulator.address(), STREAM).header("Last-Event-ID", id);
        let mut client = SseClient::connect(request).await;
        let shown = String::from_utf8_lossy(id);
        let data = client.data("reset", LIMIT).await;
        assert_eq!(data, json!({ "reason": reason }), "{shown}");
        assert_eq!(names(client.seen()), ["reset"], "{shown}");
        assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
        assert_eq!(updates(client.seen()), [], "{shown}");
        // What came with the reset is a position again.
        assert!(client.last_id().starts_with("evt_"), "{shown}");
    }
}

#[tokio::test]
async fn an_empty_id_is_no_id() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let request = Request::get(emulator.address(), STREAM).header("Last-Event-ID", "");
    let mut client = SseClient::connect(request).await;
    client.event("metrics", LIMIT).await;
    assert_eq!(names(client.seen()), ["heartbeat", "metrics"]);
}

#[tokio::test]
async fn an_id_from_long_ago_resumes_while_nothing_happened_and_expires_when_much_did() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["X"]).ago(120 * MINUTE)).await;
    let emulator = function(&table, &[]).await;
    let id = up_to_date(&emulator).await;
    // Two hours without a row: the id is old, and still says everything.
    let mut client = connect(&emulator, &id).await;
    client.event("heartbeat", LIMIT).await;
    assert_eq!(names(&client.during(POLL * 2).await), [""; 0]);
    drop(client);
    table.put(&Row::new("b", "positive", &["X"]).ago(60 * MINUTE)).await;
    table.put(&Row::new("c", "positive", &["X"])).await;
    let other = function(&table, &[]).await;
    let mut client = connect(&other, &id).await;
    assert_eq!(client.data("reset", LIMIT).await, json!({ "reason": "expired" }));
    assert_has(&client.data("metrics", LIMIT).await, &counts(3, 3, 0, 0));
    assert_eq!(updates(client.seen()), []);
}

#[tokio::test]
async fn a_burst_larger_than_the_limit_reaches_live_clients_and_those_that_come_back_to_their_instance() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[("SSE_REPLAY_EVENTS", "5"), ("SSE_MAX_SESSION", "5s")]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let tickers = ["A", "B", "C", "D", "E", "F"];
    let of = |id: &'static str| tickers.map(|ticker| (id.to_owned(), ticker.to_owned()));
    table.put(&Row::new("first", "neutral", &tickers)).await;
    client.until_end(LIMIT).await;
    assert_eq!(updates(client.seen()), of("first"));
    table.put(&Row::new("second", "neutral", &tickers)).await;
    // Its instance goes on from the position of the last update, whatever the number of those that follow.
    let mut again = connect(&emulator, &client.last_id()).await;
    again.until_end(LIMIT).await;
    assert_eq!(updates(again.seen()), of("second"));
    assert!(!names(again.seen()).contains(&"reset".to_owned()));
    assert_eq!(emulator.environments(), 1);
}

#[tokio::test]
async fn as_many_updates_as_the_limit_are_replayed_and_one_more_is_an_overflow() {
    let table = Table::create(SENTIMENTS).await;
    let limit = [("SSE_REPLAY_EVENTS", "5")];
    let id = up_to_date(&function(&table, &limit).await).await;
    let rows: Vec<Row> = (0..5).map(|n| Row::new(&format!("r{n}"), "neutral", &["X"])).collect();
    table.put_all(&rows).await;
    let other = function(&table, &limit).await;
    let mut client = connect(&other, &id).await;
    client.event("metrics", LIMIT).await;
    assert_eq!(updates(client.seen()).len(), 5);
    table.put(&Row::new("r5", "neutral", &["X"])).await;
    let other = function(&table, &limit).await;
    let mut client = connect(&other, &id).await;
    assert_eq!(client.data("reset", LIMIT).await, json!({ "reason": "overflow" }));
    assert_has(&client.data("metrics", LIMIT).await, &counts(6, 0, 6, 0));
    assert_eq!(updates(client.seen()), []);
}
