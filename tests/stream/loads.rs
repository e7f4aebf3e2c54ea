//! Windows of many pages: read while the table fails, throttles and is slow, and polled where it is busy.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{LIMIT, POLL, assert_has, config, connect, counts, updates};
use crate::emulator::Emulator;
use crate::support::clock::BUSY;
use crate::support::proxy::{Exchange, Mode, Proxy};
use crate::support::table::{Row, SENTIMENTS, Table};

/// Rows of some 2 KB: about 500 of them are a page.
const BIG_ROWS: u64 = 3000;

/// Rows over 23 hours, two in three of one label.
async fn big_table() -> Table {
    let table = Table::create(SENTIMENTS).await;
    let row = |n: u64| {
        let label = SENTIMENTS.labels[usize::from(n.is_multiple_of(3))];
        let id = format!("big-{n}-{}", "x".repeat(1900));
        Row::new(&id, label, &["X"]).ago(Duration::from_secs(60 + n * 27))
    };
    table.put_all(&(0..BIG_ROWS).map(row).collect::<Vec<_>>()).await;
    table
}

/// What page a query asked for: label, bounds and where it starts.
fn page(query: &Exchange) -> String {
    format!("{} {}", query.request["ExpressionAttributeValues"], query.request["ExclusiveStartKey"])
}

/// Queries that were answered, by page.
fn answered(proxy: &Proxy) -> BTreeMap<String, usize> {
    let mut pages = BTreeMap::new();
    for query in proxy.exchanges().iter().filter(|one| one.is_query_of("by_sentiment") && one.status == 200) {
        *pages.entry(page(query)).or_default() += 1;
    }
    pages
}

#[tokio::test]
async fn a_load_that_is_disturbed_again_and_again_ends_whole_and_reads_no_page_twice() {
    let table = big_table().await;
    let proxy = Proxy::start().await;
    proxy.set(Mode::Slow);
    let emulator = Emulator::start(config(&table, proxy.address(), &[("SSE_HEARTBEAT_INTERVAL", "500ms")])).await;
    let mut client = connect(&emulator, "").await;
    for (pages, fault) in [(1, Mode::Throttle), (3, Mode::Refuse), (5, Mode::Fail), (6, Mode::Hang)] {
        // In the middle of the load, each time a little further.
        let began = Instant::now();
        while answered(&proxy).len() < pages + 1 {
            assert!(began.elapsed() < LIMIT, "{} pages", answered(&proxy).len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.set(fault);
        // Streams are alive meanwhile, and say no number that is not whole.
        client.event("heartbeat", LIMIT).await;
        client.event("heartbeat", LIMIT).await;
        assert!(!super::names(client.seen()).contains(&"metrics".to_owned()), "numbers before the window was whole");
        proxy.set(Mode::Slow);
    }
    let metrics = client.data("metrics", LIMIT).await;
    let third = BIG_ROWS / 3;
    assert_has(&metrics, &counts(BIG_ROWS, BIG_ROWS - third, third, 0));
    let pages = answered(&proxy);
    let load: Vec<_> = pages.iter().filter(|(page, _)| !page.ends_with("null")).collect();
    assert!(load.len() >= 3, "{} pages that go on", load.len());
    // An answer that hung may have come in the end, without anybody waiting for it.
    assert!(load.iter().all(|(_, times)| **times == 1), "{load:#?}");
    assert_eq!(updates(client.seen()), []);
}

/// Most tables have more than a day. As long as no form of a time was met, bounds are wider than the window, so that the first page may
/// end below what the next one would be asked for with: it is the last one then.
#[tokio::test]
async fn a_first_page_that_ends_below_the_window_is_the_last() {
    let table = Table::create(SENTIMENTS).await;
    // Some 500 are a page, of 30 hours; the window has 400 of them for the next 200 s.
    let (rows, each) = (1200, Duration::from_secs(216));
    let row = |n: u32| {
        let id = format!("long-{n}-{}", "x".repeat(1900));
        Row::new(&id, "positive", &["X"]).ago(Duration::from_secs(10) + each * n)
    };
    table.put_all(&(0..rows).map(row).collect::<Vec<_>>()).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[])).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(400, 400, 0, 0));
    let queries: Vec<Exchange> = proxy.exchanges().into_iter().filter(|one| one.is_query_of("by_sentiment")).collect();
    assert!(queries.iter().all(|one| one.status == 200), "{queries:#?}");
    let first = queries.iter().find(|one| !one.response["LastEvaluatedKey"].is_null()).expect("a page that is not all");
    let end = first.response["LastEvaluatedKey"]["timestamp"]["S"].as_str().expect("a time");
    let day_ago = Row::new("day", "positive", &[]).ago(Duration::from_secs(86_400)).time;
    assert!(end < day_ago.as_str(), "{end} is in the window: nothing is shown by this");
}

#[tokio::test]
async fn a_busy_table_is_read_in_parts_and_a_late_row_comes_within_the_late_interval() {
    const LATE_INTERVAL: Duration = Duration::from_secs(8);
    let table = Table::create(SENTIMENTS).await;
    // 1,200 rows in ten minutes: far more than a quiet table has.
    let rows = (0..1200_u64).zip(SENTIMENTS.labels.iter().cycle());
    let rows = rows.map(|(n, label)| Row::new(&format!("r{n}"), label, &["X"]).ago(Duration::from_millis(500 * n)));
    table.put_all(&rows.collect::<Vec<_>>()).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[("SSE_LATE_INTERVAL", "8s")])).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1200, 400, 400, 400));
    for (id, secs) in [("late-5", 300), ("late-9", 540), ("late-1", 60)] {
        let before = Instant::now();
        table.put(&Row::new(id, "negative", &["LATE"]).ago(Duration::from_secs(secs))).await;
        let of_it = |data: &Value| data["item_id"] == id;
        let (event, at) = client.arrival("sentiment_update", LIMIT).await;
        assert!(of_it(&serde_json::from_str(&event.data).unwrap()), "{event:?}");
        assert!(at - before <= LATE_INTERVAL + POLL + BUSY, "{:?}", at - before);
    }
    assert_has(&client.data("metrics", LIMIT).await, &counts(1203, 400, 400, 403));
    // What the queries of later polls returned, against what the first ones did.
    let polls: Vec<Exchange> = proxy.more(18, LIMIT).await;
    let rows = |query: &Exchange| query.response["Items"].as_array().map_or(0, Vec::len);
    let per_poll = polls.iter().map(rows).sum::<usize>() as f64 / (polls.len() as f64 / 6.0);
    // What is new has 15 s of margin, 30 rows; a part is 600 s of 7.5 s in 0.5 s, 80 rows: of 1,200.
    assert!(per_poll <= 1203.0 / 6.0, "{per_poll} rows a poll");
}
