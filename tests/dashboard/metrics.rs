//! `GET /api/v2/metrics`: the numbers of the stream, the newest items, and nothing for who has them already.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, POLL, answer, assert_has, config, function, get};
use crate::emulator::Emulator;
use crate::support::client::{Request, Response};
use crate::support::sse::SseClient;
use crate::support::table::{ORDERS, Row, SENTIMENTS, Schema, Table};
use contract::routes;

fn ids(metrics: &Value) -> Vec<&str> {
    metrics["recent_items"].as_array().unwrap().iter().map(|item| item["item_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn numbers_are_those_of_now_with_the_newest_items() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("old", "positive", &["AAPL"]).ago(Duration::from_secs(7200))).await;
    table.put(&Row::new("new", "negative", &["AAPL", "MSFT"])).await;
    let emulator = function(&table, &[]).await;
    let metrics = get(&emulator, routes::METRICS).await;
    let expected = json!({
        "total": 2, "positive": 1, "neutral": 0, "negative": 1, "by_tag": { "AAPL": 2, "MSFT": 1 },
        "rate_last_hour": 1, "rate_last_24h": 2,
    });
    assert_has(&metrics, &expected);
    assert_eq!(ids(&metrics), ["new", "old"]);
    emulator.finished(0, LIMIT).await;
    // The environment was frozen in between, and still says what is there now.
    table.put(&Row::new("newest", "neutral", &["X"])).await;
    tokio::time::sleep(POLL + Duration::from_millis(50)).await;
    assert_eq!(get(&emulator, routes::METRICS).await["total"], 3);
    assert_eq!(emulator.environments(), 1);
}

/// What the stream says first, and what REST says, of the same table.
async fn both(schema: Schema, rows: &[Row], query: &str) -> (Value, Value) {
    let table = Table::create(schema).await;
    table.put_all(rows).await;
    let stream = Emulator::start(config("stream", &table, &[])).await;
    let mut client = SseClient::connect(Request::get(stream.address(), &format!("{}{query}", routes::STREAM))).await;
    let event = client.data("metrics", LIMIT).await;
    (event, get(&function(&table, &[]).await, &format!("{}{query}", routes::METRICS)).await)
}

#[tokio::test]
async fn they_are_the_metrics_event_with_and_without_tickers_on_any_table() {
    let old = Duration::from_secs(7200);
    let sentiments = [
        Row::new("a", "positive", &["AAPL", "MSFT"]),
        Row::new("b", "negative", &["MSFT"]).ago(old),
        Row::new("c", "neutral", &["NVDA"]),
        Row::new("d", "neutral", &[]),
    ];
    let orders = [Row::new("1", "placed", &["north"]), Row::new("2", "returned", &["south", "north"]).ago(old)];
    for (schema, rows, query, total, recent) in [
        (SENTIMENTS, &sentiments[..], "", 4, 4),
        (SENTIMENTS, &sentiments, "?tickers=MSFT,NVDA", 3, 3),
        (SENTIMENTS, &sentiments, "?tickers=NONE", 0, 0),
        (ORDERS, &orders, "", 2, 2),
        (ORDERS, &orders, "?tickers=south", 1, 1),
    ] {
        let (mut event, mut rest) = both(schema, rows, query).await;
        assert_eq!(rest["total"], total, "{query}: {rest}");
        let items = rest.as_object_mut().unwrap().remove("recent_items").unwrap();
        assert_eq!(items.as_array().unwrap().len(), recent, "{query}: {items}");
        for one in [&mut event, &mut rest] {
            assert!(one.as_object_mut().unwrap().remove("timestamp").unwrap().is_string());
        }
        assert_eq!(event, rest, "{query}");
    }
}

fn tag(response: &Response) -> String {
    assert_eq!(response.head.all("cache-control"), ["no-cache"]);
    let tags = response.head.all("etag");
    assert_eq!(tags.len(), 1, "{tags:?}");
    assert!(tags[0].starts_with("W/\"") && tags[0].ends_with('"'), "{tags:?}");
    tags[0].clone()
}

#[tokio::test]
async fn who_has_the_numbers_is_told_so_whichever_instance_is_asked() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    table.put(&Row::new("b", "positive", &["MSFT"])).await;
    let (one, other) = (function(&table, &[]).await, function(&table, &[]).await);
    let ask = async |emulator: &Emulator, method: &str, query: &str, held: &[&str]| {
        let request = Request::new(emulator.address(), method, &format!("{}{query}", routes::METRICS));
        held.iter().fold(request, |request, tag| request.header("If-None-Match", tag)).send().await
    };
    let first = ask(&one, "GET", "", &[]).await;
    let held = tag(&first);
    let at = first.into_json().await["timestamp"].clone();
    tokio::time::sleep(POLL + Duration::from_millis(50)).await;
    // Read again, and the same: only its time is another.
    let again = ask(&other, "GET", "", &[]).await;
    assert_eq!(tag(&again), held);
    assert_ne!(again.into_json().await["timestamp"], at);
    let strong = held.trim_start_matches("W/");
    for values in [&[held.as_str()][..], &[strong], &["*"], &["\"x\"", &held], &[&format!("\"a,b\", {held}")]] {
        for method in ["GET", "HEAD"] {
            let response = ask(&other, method, "", values).await;
            assert_eq!((response.status(), tag(&response)), (304, held.clone()), "{values:?}");
            if method == "GET" {
                assert_eq!(response.bytes().await.unwrap(), b"");
            }
        }
    }
    for values in [&["\"x\""][..], &["W/\"\""], &[strong.trim_matches('"')], &[""]] {
        assert_eq!(ask(&one, "GET", "", values).await.status(), 200, "{values:?}");
    }
    let head = ask(&one, "HEAD", "", &[]).await;
    assert_eq!((head.status(), tag(&head)), (200, held.clone()));
    // Other numbers, other tags: of other tickers, and after a change.
    let narrowed = ask(&one, "GET", "?tickers=AAPL", &[&held]).await;
    assert_eq!(narrowed.status(), 200);
    let of_aapl = tag(&narrowed);
    table.put(&Row::new("c", "negative", &["MSFT"])).await;
    tokio::time::sleep(POLL + Duration::from_millis(50)).await;
    assert_eq!(ask(&one, "GET", "", &[&held]).await.status(), 200);
    assert_eq!(ask(&one, "GET", "?tickers=AAPL", &[&of_aapl]).await.status(), 304);
}

#[tokio::test]
async fn malformed_tickers_are_named_and_a_table_that_is_gone_is_503() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let ask = async |query: &str, status| {
        answer(Request::get(emulator.address(), &format!("{}?{query}", routes::METRICS)).send().await, status).await
    };
    for (query, expected) in [
        ("tickers=A%00", "is not a valid ticker"),
        ("tickers=A&tickers=B%0AC", "is not a valid ticker"),
        (&format!("tickers={}", ["A"; 51].join("&tickers=")), "`tickers` lists 51; at most 50"),
        (&format!("tickers={}", ["A"; 51].join(",")), "`tickers` lists 51; at most 50"),
    ] {
        let detail = ask(query, 400).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(expected), "{query}: {detail}");
    }
    crate::support::dynamodb::call("DeleteTable", &json!({ "TableName": table.name })).await;
    tokio::time::sleep(POLL).await;
    let response = Request::get(emulator.address(), routes::METRICS).send().await;
    assert_eq!(response.head.all("retry-after"), ["30"]);
    assert_eq!(answer(response, 503).await["detail"], "The data is not available right now. Try again later.");
}
