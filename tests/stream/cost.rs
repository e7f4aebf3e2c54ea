//! What an idle stream costs: read units and the bounds of its queries, whatever the window holds.

use std::time::{Duration, Instant};

use super::{LIMIT, config, connect};
use crate::emulator::{Config, Emulator};
use crate::support::client::Request;
use crate::support::clock::parse_ms;
use crate::support::proxy::{Exchange, Proxy};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Three queries of one poll, a few polls.
const QUERIES: usize = 9;

/// Polls of an idle stream over a window with so many rows, and the time of the newest row.
async fn idle_polls(rows: u64) -> (Vec<Exchange>, String) {
    let table = Table::create(SENTIMENTS).await;
    let labels = SENTIMENTS.labels.iter().cycle();
    // Between one and 23 hours old, and one of a minute ago.
    let age = |n: u64| Duration::from_secs(3600 + n * 22 * 3600 / rows);
    let rows: Vec<Row> =
        (0..rows).zip(labels).map(|(n, label)| Row::new(&format!("r{n}"), label, &["X"]).ago(age(n))).collect();
    table.put_all(&rows).await;
    let newest = Row::new("newest", "positive", &["X"]).ago(Duration::from_secs(60));
    table.put(&newest).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[])).await;
    let mut client = connect(&emulator, "").await;
    let metrics = client.data("metrics", LIMIT).await;
    assert_eq!(metrics["total"], rows.len() + 1);
    let polls = proxy.more(QUERIES, LIMIT).await;
    assert_eq!(super::names(&client.during(Duration::from_millis(1)).await), [""; 0]);
    (polls, newest.time)
}

#[tokio::test]
async fn an_idle_poll_costs_three_half_units_whatever_the_window_holds() {
    let ((small, _), (large, large_newest)) = tokio::join!(idle_polls(10), idle_polls(2000));
    // Of a small table, rows of the whole day cost no more, and are asked for.
    for (polls, newest) in [(&small, None), (&large, Some(large_newest))] {
        let late_window = i128::try_from(contract::limits::LATE_WINDOW_DEFAULT.as_millis()).unwrap();
        for query in polls.iter() {
            assert!(query.is_query_of("by_sentiment"), "{query:?}");
            assert_eq!(query.status, 200);
            assert!(query.units() <= 0.5, "{query:?}");
            assert!(query.response.get("LastEvaluatedKey").is_none(), "{query:?}");
            if let Some(newest) = &newest {
                // The lower bound is the newest row less the late window, down to a whole second.
                let times: Vec<i128> =
                    query.values().iter().filter(|text| text.starts_with("20")).map(|text| bound(text)).collect();
                let lower = *times.iter().min().expect("a query has a lower bound");
                let behind = parse_ms(newest) - late_window - lower;
                assert!((0..=2000).contains(&behind), "{behind} ms below: {query:?}");
            }
        }
    }
    let units = |polls: &[Exchange]| polls.iter().map(Exchange::units).sum::<f64>();
    assert!(units(&small[..QUERIES]) <= 0.5 * 9.0);
    assert!(units(&large[..QUERIES]) <= 0.5 * 9.0);
}

/// A bound need not be a whole time: it is compared as text.
fn bound(text: &str) -> i128 {
    let whole = if text.len() == "2025-12-02T10:30:00".len() { format!("{text}Z") } else { text.to_owned() };
    parse_ms(&whole)
}

#[tokio::test]
async fn streams_of_one_instance_share_one_poller_and_nobody_listening_means_no_reads() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let config = Config {
        concurrency_per_environment: 8,
        freeze: false,
        ..config(&table, proxy.address(), &[("SSE_MAX_SESSION", "5s"), ("SSE_POLL_INTERVAL", "1s")])
    };
    let emulator = Emulator::start(config).await;
    assert_eq!(Request::get(emulator.address(), contract::routes::HEALTH).send().await.status(), 200);
    let (queries, began) = (proxy.count("Query"), Instant::now());
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = SseClient::connect(Request::get(emulator.address(), super::STREAM)).await;
        client.event("metrics", LIMIT).await;
        clients.push(client);
    }
    assert_eq!(emulator.environments(), 1);
    for mut client in clients {
        client.until_end(LIMIT).await;
    }
    // Three queries for each poll, one at the beginning and one that is due at the end; each stream's own would be five times that.
    let (queries, time) = (proxy.count("Query") - queries, began.elapsed());
    assert!(queries as u64 <= 3 * (time.as_secs() + 2), "{queries} queries in {time:?}");
    let before = proxy.count("Query");
    // Two polls' time in which nobody listens.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(proxy.count("Query") <= before + 3, "{} more", proxy.count("Query") - before);
}
