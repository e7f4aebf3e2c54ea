//! Items that are their hash key alone: orders by status, overwritten in place or with a row for each status.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, POLL, assert_has, connect, function, updates};
use crate::emulator::Emulator;
use crate::support::sse::SseClient;
use crate::support::table::{ORDERS, Row, Table};

const MINUTE: Duration = Duration::from_secs(60);
const BY_KEY: (&str, &str) = ("DATA_IDENTITY", "key");

fn orders(total: u64, placed: u64, shipped: u64, returned: u64) -> Value {
    json!({ "total": total, "placed": placed, "shipped": shipped, "returned": returned, "rate_last_24h": total })
}

async fn expect(client: &mut SseClient, expected: &Value) -> Value {
    let metrics = client.data("metrics", LIMIT).await;
    assert_has(&metrics, expected);
    metrics
}

/// Label and time of the next update.
async fn next(client: &mut SseClient) -> (String, String) {
    let update = client.data("order_update", LIMIT).await;
    let text = |key: &str| update[key].as_str().unwrap().to_owned();
    (format!("{} {}", text("item_id"), text("label")), text("timestamp"))
}

/// A function on the table, and a client of it.
async fn watch(table: &Table, more: &[(&str, &str)]) -> (Emulator, SseClient) {
    let more: Vec<_> = more.iter().copied().chain([BY_KEY]).collect();
    let emulator = function(table, &more).await;
    let client = connect(&emulator, "").await;
    (emulator, client)
}

#[tokio::test]
async fn a_row_for_each_status_is_one_order() {
    let table = Table::create(ORDERS).await;
    let row = |id: &str, label: &str, minutes: u32| Row::new(id, label, &["north"]).ago(minutes * MINUTE);
    // The newest of one is the oldest row but one, and its rows are in all labels.
    table
        .put_all(&[
            row("7", "placed", 300),
            row("7", "returned", 90),
            row("7", "shipped", 200),
            row("8", "placed", 2),
            row("9", "shipped", 1),
            row("9", "placed", 3),
        ])
        .await;
    let (emulator, mut client) = watch(&table, &[]).await;
    let metrics = expect(&mut client, &orders(3, 1, 1, 1)).await;
    assert_eq!((&metrics["by_tag"], &metrics["rate_last_hour"]), (&json!({ "north": 3 }), &json!(2)));
    let shipped = Row::new("8", "shipped", &["south"]);
    table.put(&shipped).await;
    assert_eq!(next(&mut client).await, ("8 shipped".to_owned(), shipped.time));
    let metrics = expect(&mut client, &orders(3, 0, 2, 1)).await;
    assert_eq!(metrics["by_tag"], json!({ "north": 2, "south": 1 }));
    // Older than what there is: no update, and no other numbers. What comes next says so.
    table.put(&row("8", "returned", 1)).await;
    tokio::time::sleep(POLL * 3).await;
    table.put(&Row::new("10", "placed", &["north"])).await;
    assert_eq!(next(&mut client).await.0, "10 placed");
    expect(&mut client, &orders(4, 1, 2, 1)).await;
    // Another instance says the same, and another filter counts the same orders.
    let (_other, mut client) = watch(&table, &[]).await;
    expect(&mut client, &orders(4, 1, 2, 1)).await;
    drop(emulator);
}

#[tokio::test]
async fn a_row_that_is_overwritten_leaves_at_once_however_old_it_was() {
    let table = Table::create_overwritten(ORDERS).await;
    // Hours old: no poll but a full re-read comes that far.
    table.put(&Row::new("A-1", "placed", &["eu"]).ago(400 * MINUTE)).await;
    table.put(&Row::new("A-2", "placed", &["eu", "us"]).ago(MINUTE)).await;
    let (_emulator, mut client) = watch(&table, &[]).await;
    expect(&mut client, &orders(2, 2, 0, 0)).await;
    for (label, numbers) in [("shipped", orders(2, 1, 1, 0)), ("returned", orders(2, 1, 0, 1))] {
        table.put(&Row::new("A-1", label, &["eu"])).await;
        assert_eq!(next(&mut client).await.0, format!("A-1 {label}"));
        expect(&mut client, &numbers).await;
    }
    // The same status again, at another time, is news too.
    table.put(&Row::new("A-1", "returned", &["eu"])).await;
    assert_eq!(next(&mut client).await.0, "A-1 returned");
    assert_eq!(updates(client.seen()).len(), 3);
}

#[tokio::test]
async fn the_default_counts_each_row() {
    let table = Table::create(ORDERS).await;
    table.put_all(&[Row::new("7", "placed", &["x"]).ago(MINUTE), Row::new("7", "shipped", &["x"])]).await;
    let emulator = function(&table, &[]).await;
    expect(&mut connect(&emulator, "").await, &orders(2, 1, 1, 0)).await;
}

#[tokio::test]
async fn a_client_goes_on_at_another_instance_with_the_newest_status_of_each_order() {
    let table = Table::create(ORDERS).await;
    table.put(&Row::new("1", "placed", &["x"]).ago(2 * MINUTE)).await;
    let (_first, mut client) = watch(&table, &[]).await;
    expect(&mut client, &orders(1, 1, 0, 0)).await;
    table.put(&Row::new("1", "shipped", &["x"])).await;
    assert_eq!(next(&mut client).await.0, "1 shipped");
    expect(&mut client, &orders(1, 0, 1, 0)).await;
    let id = client.last_id();
    drop(client);
    // In the gap one order goes through all there is: only where it stands is told.
    for label in ["placed", "shipped", "returned"] {
        table.put(&Row::new("2", label, &["x"])).await;
    }
    let second = function(&table, &[BY_KEY]).await;
    let mut client = connect(&second, &id).await;
    assert_eq!(next(&mut client).await.0, "2 returned");
    expect(&mut client, &orders(2, 0, 1, 1)).await;
    // With another identity, it is another table to ids.
    let by_row = function(&table, &[]).await;
    assert_eq!(connect(&by_row, &id).await.data("reset", LIMIT).await["reason"], "foreign");
}

#[tokio::test]
async fn what_a_deletion_uncovers_is_there_after_the_next_full_reread() {
    let table = Table::create(ORDERS).await;
    table.put(&Row::new("1", "placed", &["x"]).ago(MINUTE)).await;
    let newest = Row::new("1", "shipped", &["x"]);
    table.put(&newest).await;
    let (_emulator, mut client) = watch(&table, &[("SSE_RECONCILE_INTERVAL", "10s")]).await;
    expect(&mut client, &orders(1, 0, 1, 0)).await;
    table.delete(&newest).await;
    expect(&mut client, &orders(0, 0, 0, 0)).await;
    expect(&mut client, &orders(1, 1, 0, 0)).await;
    assert_eq!(updates(client.seen()), []);
}
