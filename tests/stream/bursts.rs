//! Many updates at once: what one poll brought reaches everybody who had all before it.

use super::{LIMIT, STREAM, names, updates};
use crate::support::clock::BUSY;
use crate::support::dynamodb;
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Readers, of whom every fifth has a filter.
const READERS: usize = 50;
const ROWS: usize = 1000;
/// Tickers of a row; a fifth of the rows has one of them in place of `RARE`.
const TICKERS: [&str; 5] = ["AAPL", "MSFT", "NVDA", "AMZN", "TSLA"];

#[tokio::test]
async fn five_thousand_updates_of_one_poll_reach_fifty_readers_in_order_and_once() {
    let table = Table::create(SENTIMENTS).await;
    let own = [
        ("STORE", "dynamodb"),
        ("SSE_POLL_INTERVAL", "15s"),
        ("SSE_CONNECTIONS_PER_CLIENT", "100"),
        ("SSE_MAX_SESSION", "10m"),
    ];
    let tables = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).collect::<Vec<_>>();
    let tables = tables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let local = Local::start(&own.into_iter().chain(tables).collect::<Vec<_>>()).await;
    let mut readers = Vec::new();
    for n in 0..READERS {
        let filter = if n % 5 == 0 { "?tickers=NVDA,NOBODY" } else { "" };
        let mut reader = SseClient::connect(local.get(&format!("{STREAM}{filter}"))).await;
        reader.event("metrics", LIMIT).await;
        readers.push((n % 5 == 0, reader));
    }
    let rows: Vec<Row> = (0..ROWS).map(|n| Row::new(&format!("burst-{n:04}"), "positive", &TICKERS)).collect();
    table.put_all(&rows).await;
    for (is_filtered, reader) in &mut readers {
        let wanted = if *is_filtered { ROWS } else { ROWS * TICKERS.len() };
        for _ in 0..wanted {
            reader.event("sentiment_update", LIMIT + BUSY).await;
        }
    }
    // The numbers come after the last update of a poll; a poll may have fallen between the writes.
    for (is_filtered, reader) in &mut readers {
        let all = format!("\"total\":{ROWS},");
        reader.find("all rows counted", LIMIT, |one| one.event().is_some_and(|event| event.data.contains(&all))).await;
        let got = updates(reader.seen());
        let of_row = |n: usize| {
            TICKERS.iter().filter(|ticker| !*is_filtered || **ticker == "NVDA").map(move |ticker| (n, ticker))
        };
        let mut expected: Vec<_> =
            (0..ROWS).flat_map(of_row).map(|(n, ticker)| (format!("burst-{n:04}"), (*ticker).to_owned())).collect();
        assert_eq!(got.len(), expected.len());
        // Rows of one millisecond stand in an order of their own, which all readers see.
        let (mut sorted, in_order) = (got.clone(), got.iter().map(|(id, _)| id).collect::<Vec<_>>());
        sorted.sort();
        expected.sort();
        assert_eq!(sorted, expected);
        let mut ids = in_order.clone();
        ids.dedup();
        assert_eq!(ids.len(), ROWS, "the updates of a row come together");
        let ends = ["reset", "deadline", "overloaded"];
        assert!(!names(reader.seen()).iter().any(|name| ends.contains(&name.as_str())));
    }
    let orders: Vec<_> = readers.iter().filter(|one| !one.0).map(|(_, reader)| updates(reader.seen())).collect();
    assert!(orders.windows(2).all(|two| two[0] == two[1]), "two readers heard different orders");
    assert_eq!(local.process.lines().iter().filter(|line| line.text.contains("stream closed")).count(), 0);
}
