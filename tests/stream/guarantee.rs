//! The guarantee, at random: across reconnects and instances every update comes, and comes once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LIMIT, config, connect, updates};
use crate::emulator::{Config, Emulator};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{dynamodb, seed};

const MINUTE: Duration = Duration::from_secs(60);
const ROUNDS: usize = 12;

/// An instance that serves many clients and polls ten times a second.
async fn instance(table: &Table) -> Emulator {
    let config = config(table, dynamodb::address(), &[("SSE_POLL_INTERVAL", "100ms")]);
    Emulator::start(Config { concurrency_per_environment: 32, freeze: false, ..config }).await
}

/// Changes the table: new rows, late rows, rows analysed anew. Few enough for one id to tell them apart.
async fn change(table: &Table, random: &mut fastrand::Rng, rows: &mut Vec<Row>) -> Vec<(String, String)> {
    let mut expected = BTreeMap::new();
    for _ in 0..random.usize(0..=4) {
        let id = format!("row-{}", rows.len());
        let label = SENTIMENTS.labels[random.usize(..3)];
        let row = match random.u8(..4) {
            0 if !rows.is_empty() => {
                let mut row = rows[random.usize(..rows.len())].clone();
                row.score = f64::from(random.i32(-1000..=1000)) / 1000.0;
                row
            }
            1 => Row::new(&id, label, &["X"]).ago(random.u32(1..=8) * MINUTE),
            _ => Row::new(&id, label, &["X"]),
        };
        // One change of a row in each gap: two of them are one update for whoever was away.
        if expected.contains_key(&row.id) {
            continue;
        }
        table.put(&row).await;
        expected.insert(row.id.clone(), "X".to_owned());
        match rows.iter_mut().find(|known| known.id == row.id) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }
    expected.into_iter().collect()
}

/// Reads until so many updates came, and a moment longer.
async fn take(client: &mut SseClient, count: usize) -> Vec<(String, String)> {
    let from = client.seen().len();
    for _ in 0..count {
        client.event("sentiment_update", LIMIT).await;
    }
    // Three polls for what must not come.
    client.during(Duration::from_millis(350)).await;
    let mut came = updates(&client.seen()[from..]);
    came.sort_unstable();
    came
}

#[tokio::test]
async fn every_update_comes_once_across_reconnects_and_instances() {
    // A history that failed once.
    let mut random = seed::from_env(2_603_334_656_541_595_220);
    let table = Table::create(SENTIMENTS).await;
    let instances = [instance(&table).await, instance(&table).await];
    let mut rows = Vec::new();
    let mut client = connect(&instances[0], "").await;
    client.event("metrics", LIMIT).await;
    for round in 0..ROUNDS {
        // Live, then away.
        let live = change(&table, &mut random, &mut rows).await;
        assert_eq!(take(&mut client, live.len()).await, live, "round {round}, live");
        let id = client.last_id();
        client.check().await;
        drop(client);
        let missed = change(&table, &mut random, &mut rows).await;
        client = connect(&instances[random.usize(..2)], &id).await;
        assert_eq!(take(&mut client, missed.len()).await, missed, "round {round}, resumed");
        assert!(!super::names(client.seen()).contains(&"reset".to_owned()), "round {round}");
    }
}

/// A table of twenty recent rows, two instances, and a client of the first that is up to date.
async fn twenty_rows() -> (Table, [Emulator; 2], Vec<Row>, SseClient) {
    let table = Table::create(SENTIMENTS).await;
    let instances = [instance(&table).await, instance(&table).await];
    let rows: Vec<Row> = (0..20).map(|n| Row::new(&format!("row-{n:02}"), "neutral", &["X"]).ago(MINUTE)).collect();
    table.put_all(&rows).await;
    let mut client = connect(&instances[0], "").await;
    client.event("metrics", LIMIT).await;
    (table, instances, rows, client)
}

#[tokio::test]
async fn rows_analysed_anew_in_many_gaps_come_once_each() {
    let (table, instances, rows, mut client) = twenty_rows().await;
    for (round, row) in rows.iter().take(12).enumerate() {
        let id = client.last_id();
        drop(client);
        table.put(&Row { score: -0.5, ..row.clone() }).await;
        client = connect(&instances[round % 2], &id).await;
        assert_eq!(take(&mut client, 1).await, [(row.id.clone(), "X".to_owned())], "round {round}");
    }
}

#[tokio::test]
async fn deleted_rows_do_not_make_others_come_again() {
    let (table, instances, rows, mut client) = twenty_rows().await;
    // Seen live, so no gap has anything to do with it.
    for row in &rows[..12] {
        table.delete(row).await;
    }
    while client.data("metrics", LIMIT).await["total"] != 8 {}
    table.put(&Row::new("after", "positive", &["X"])).await;
    assert_eq!(take(&mut client, 1).await, [("after".to_owned(), "X".to_owned())]);
    let id = client.last_id();
    for instance in &instances {
        let mut client = connect(instance, &id).await;
        client.event("heartbeat", LIMIT).await;
        assert_eq!(take(&mut client, 0).await, []);
    }
}
