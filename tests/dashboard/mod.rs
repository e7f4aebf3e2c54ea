//! The dashboard function from the outside: the shipped binary behind a `BUFFERED` URL, on a real table.

use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::{Config, Emulator, InvokeMode, Outcome};
use crate::support::client::Request;
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

const LIMIT: Duration = Duration::from_secs(20);

async fn function(table: &Table) -> Emulator {
    let poll = ("SSE_POLL_INTERVAL".to_owned(), "100ms".to_owned());
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain([poll]).collect();
    Emulator::start(Config { invoke_mode: InvokeMode::Buffered, ..Config::new(bins::path("dashboard"), env) }).await
}

#[tokio::test]
async fn metrics_are_those_of_the_stream_with_the_newest_items() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("old", "positive", &["AAPL"]).ago(Duration::from_secs(7200))).await;
    table.put(&Row::new("new", "negative", &["AAPL", "MSFT"])).await;
    let emulator = function(&table).await;
    let get = || async { Request::get(emulator.address(), contract::routes::METRICS).send().await };
    let response = get().await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.head.all("content-type"), ["application/json"]);
    let metrics: Value = response.into_json().await;
    for (key, value) in json!({
        "total": 2, "positive": 1, "neutral": 0, "negative": 1, "by_tag": { "AAPL": 2, "MSFT": 1 },
        "rate_last_hour": 1, "rate_last_24h": 2,
    })
    .as_object()
    .unwrap()
    {
        assert_eq!(&metrics[key], value, "`{key}` of {metrics}");
    }
    let recent: Vec<&str> =
        metrics["recent_items"].as_array().unwrap().iter().map(|item| item["item_id"].as_str().unwrap()).collect();
    assert_eq!(recent, ["new", "old"]);
    emulator.finished(0, LIMIT).await;
    // The environment was frozen in between, and still says what is there now.
    table.put(&Row::new("newest", "neutral", &["X"])).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(get().await.into_json().await["total"], 3);
    assert_eq!(emulator.environments(), 1);
}

#[tokio::test]
async fn other_routes_answer_in_json_through_the_buffered_url() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table).await;
    for (method, target, status, body) in [
        ("GET", "/health", 200, Some(json!({ "status": "healthy" }))),
        ("GET", "/nowhere", 404, None),
        ("DELETE", "/health", 405, None),
    ] {
        let response = Request::new(emulator.address(), method, target).send().await;
        assert_eq!(response.status(), status, "{method} {target}");
        assert_eq!(response.head.all("content-type"), ["application/json"]);
        let found = response.into_json().await;
        match body {
            Some(body) => assert_eq!(found, body),
            None => assert!(found["detail"].is_string(), "{found}"),
        }
    }
    for index in 0..3 {
        assert_eq!(emulator.finished(index, LIMIT).await.outcome, Some(Outcome::Done));
    }
}
