//! What goes wrong under fifty open streams: afterwards every client has every update once, and meanwhile nothing was false.

use std::time::Duration;

use super::fleet::Fleet;
use crate::support::clock::{epoch_ms, parse_ms, until};
use crate::support::dynamodb::{self, Server};
use crate::support::faketime::FakeClock;
use crate::support::local::Local;
use crate::support::proxy::{Mode, Proxy};
use crate::support::table::{Row, SENTIMENTS, Table};

/// Fifty clients and a Java machine share the cores with other tests; a hang must end at some time.
const LIMIT: Duration = Duration::from_secs(180);
const MINUTE: Duration = Duration::from_secs(60);
/// Rows that are there before anybody listens.
const BASELINE: u64 = 30;

/// A table with rows of the last hours in it.
async fn table(server: std::net::SocketAddr) -> Table {
    let table = Table::create_at(server, SENTIMENTS).await;
    let age = |n: u64| Duration::from_secs(n * 300);
    let row = |n: u64| Row::new(&format!("old-{n}"), SENTIMENTS.labels[(n % 3) as usize], &["AAPL"]).ago(age(n));
    table.put_all(&(1..=BASELINE).map(row).collect::<Vec<_>>()).await;
    table
}

/// A server process on this table, reached through `endpoint`.
async fn server(table: &Table, endpoint: std::net::SocketAddr, more: &[(String, String)]) -> Local {
    let own = [
        ("STORE", "dynamodb"),
        ("SSE_POLL_INTERVAL", "300ms"),
        ("SSE_HEARTBEAT_INTERVAL", "2s"),
        ("SSE_MAX_SESSION", "890s"),
        ("SSE_CONNECTIONS_PER_CLIENT", "100"),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let env: Vec<_> = own.into_iter().chain(table.env()).chain(dynamodb::env(endpoint)).collect();
    let env: Vec<_> = env.iter().chain(more).map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Local::start(&env).await
}

/// Three rows: of now, of now with two tickers, and one whose analysis took four minutes.
async fn three_rows(fleet: &Fleet, table: &Table, name: &str) {
    fleet.put(table, &Row::new(&format!("{name}-a"), "positive", &["AAPL"])).await;
    fleet.put(table, &Row::new(&format!("{name}-b"), "negative", &["MSFT", "NVDA"])).await;
    fleet.put(table, &Row::new(&format!("{name}-c"), "neutral", &["AAPL"]).ago(4 * MINUTE)).await;
}

async fn a_dead_table() {
    let mut tables = Server::start().await;
    let table = table(tables.address).await;
    let server = server(&table, tables.address, &[]).await;
    let fleet = Fleet::connect(&[server.stream], BASELINE, LIMIT).await;
    three_rows(&fleet, &table, "before").await;
    fleet.caught_up("before", LIMIT).await;
    // Written and not yet read: only the table knows of them.
    three_rows(&fleet, &table, "last").await;
    tables.kill();
    tokio::time::sleep(Duration::from_secs(5)).await;
    tables.start_again().await;
    three_rows(&fleet, &table, "after").await;
    fleet.caught_up("a dead table", LIMIT).await;
    assert_eq!(fleet.connects(), super::fleet::CLIENTS, "no stream ends because its table does");
    fleet.check("a dead table", LIMIT, &[]).await;
}

/// The table is there and does not serve for this long.
async fn no_answers(mode: Mode, time: Duration) {
    let table = table(dynamodb::address()).await;
    let proxy = Proxy::start().await;
    let server = server(&table, proxy.address(), &[]).await;
    let fleet = Fleet::connect(&[server.stream], BASELINE, LIMIT).await;
    three_rows(&fleet, &table, "before").await;
    fleet.caught_up("before", LIMIT).await;
    let heard = fleet.heard();
    proxy.set(mode);
    for n in 0..3 {
        three_rows(&fleet, &table, &format!("during-{n}")).await;
        tokio::time::sleep(time / 3).await;
    }
    // A poll that was under way when the outage began may still have brought the first rows.
    assert!(fleet.heard() <= heard + 4 * super::fleet::CLIENTS, "{mode:?} is no outage");
    proxy.set(Mode::Pass);
    three_rows(&fleet, &table, "after").await;
    fleet.caught_up("no answers", LIMIT).await;
    assert_eq!(fleet.connects(), super::fleet::CLIENTS, "no stream ends because its table does");
    fleet.check(&format!("{mode:?}"), LIMIT, &[]).await;
}

/// Asserts that the process believes that it is so many seconds later than it is: its log carries its time of day. (The `Date`
/// of its answers does not: hyper keeps one until the clock has passed it.)
async fn believes(server: &Local, offset: i64) {
    let from = server.process.lines().len();
    drop(server.get(super::STREAM).send().await);
    let timestamp = || {
        let lines = server.process.lines().into_iter().skip(from);
        lines
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line.text).ok())
            .find_map(|line| Some(parse_ms(line["timestamp"].as_str()?)))
    };
    let believed = until("a log line", LIMIT, timestamp).await;
    let error = believed - i128::from(epoch_ms()) - i128::from(offset) * 1000;
    assert!(error.abs() < 60_000, "the clock was not stepped by {offset} s, but is {error} ms from there");
}

async fn a_wrong_clock() {
    let table = table(dynamodb::address()).await;
    let clock = FakeClock::right();
    let server = server(&table, dynamodb::address(), &clock.env()).await;
    let fleet = Fleet::connect(&[server.stream], BASELINE, LIMIT).await;
    for (name, offset) in [("right", 0), ("ahead", 3600), ("right-again", 0), ("behind", -3600), ("right-at-last", 0)] {
        clock.set(offset);
        believes(&server, offset).await;
        three_rows(&fleet, &table, name).await;
        fleet.caught_up(name, LIMIT).await;
    }
    assert_eq!(fleet.connects(), super::fleet::CLIENTS, "no stream ends because a clock is wrong");
    fleet.check("a wrong clock", LIMIT, &[]).await;
}

async fn a_killed_process() {
    let table = table(dynamodb::address()).await;
    let endpoint = dynamodb::address();
    let (first, second) = tokio::join!(server(&table, endpoint, &[]), server(&table, endpoint, &[]));
    let fleet = Fleet::connect(&[first.stream, second.stream], BASELINE, LIMIT).await;
    three_rows(&fleet, &table, "before").await;
    fleet.caught_up("before", LIMIT).await;
    three_rows(&fleet, &table, "last").await;
    // Dropping the process kills it.
    drop(first);
    three_rows(&fleet, &table, "after").await;
    fleet.caught_up("a killed process", LIMIT).await;
    assert!(fleet.connects() > super::fleet::CLIENTS, "nobody noticed");
    fleet.check("a killed process", LIMIT, &[]).await;
}

/// All at once, because most of the time is waiting: a minute of throttling is a minute.
#[tokio::test]
async fn after_every_outage_every_client_has_every_update_once_and_nothing_false_was_said() {
    tokio::join!(
        a_dead_table(),
        no_answers(Mode::Throttle, MINUTE),
        no_answers(Mode::Hang, MINUTE / 2),
        a_wrong_clock(),
        a_killed_process(),
    );
}
