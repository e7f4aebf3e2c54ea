//! Two versions of a deployment behind one address, as while a new one gets a share of the requests first: viewers go from one to the
//! other and back at every reconnect. The program is one; the settings of the versions differ as far as positions do not depend on
//! them. (Another table, index, label set or late window makes other positions: viewers then begin anew with `reset`.)

use std::time::Duration;

use super::fleet::{CLIENTS, Fleet};
use crate::support::dynamodb;
use crate::support::local::Local;
use crate::support::table::{Row, SENTIMENTS, Table};

/// A busy machine needs it.
const LIMIT: Duration = Duration::from_secs(120);
const BASELINE: u64 = 40;
const MINUTE: Duration = Duration::from_secs(60);
/// How often every client changes the version, at least.
const ROUNDS: usize = 3;

async fn version(table: &Table, own: &[(&str, &str)]) -> Local {
    let common = [("STORE", "dynamodb"), ("SSE_MAX_SESSION", "10s"), ("SSE_CONNECTIONS_PER_CLIENT", "100")];
    let table: Vec<_> = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).collect();
    let table = table.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Local::start(&common.into_iter().chain(own.iter().copied()).chain(table).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn viewers_of_two_versions_have_every_update_once_and_no_wrong_number() {
    let table = Table::create(SENTIMENTS).await;
    let rows: Vec<Row> =
        (0..BASELINE).map(|n| Row::new(&format!("old-{n}"), "neutral", &["X"]).ago(20 * MINUTE)).collect();
    table.put_all(&rows).await;
    let before = version(&table, &[("SSE_POLL_INTERVAL", "500ms")]).await;
    let after = [
        ("SSE_POLL_INTERVAL", "1s"),
        ("SSE_LATE_INTERVAL", "10s"),
        ("SSE_RECONCILE_INTERVAL", "5m"),
        ("SSE_HEARTBEAT_INTERVAL", "5s"),
        ("SSE_REPLAY_EVENTS", "50"),
        ("DATA_TAGS_MAX", "1"),
    ];
    let after = version(&table, &after).await;
    // Two of three requests are for the version before: each client meets both within three sessions.
    let fleet = Fleet::connect(&[before.stream, after.stream, before.stream], BASELINE, LIMIT).await;
    let mut written = 0;
    while fleet.connects() < CLIENTS * (ROUNDS + 1) {
        let row = Row::new(&format!("new-{written}"), "positive", &["AAPL", "MSFT"]);
        let late = if written % 3 == 2 { 4 * MINUTE } else { Duration::ZERO };
        fleet.put(&table, &row.ago(late)).await;
        written += 1;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    fleet.caught_up("two versions", LIMIT).await;
    fleet.check("two versions", LIMIT, &["deadline"]).await;
}
