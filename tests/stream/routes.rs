//! The routes of the stream function, their headers and their errors.

use serde_json::{Value, json};

use super::{LIMIT, STREAM, assert_has, config, connect, counts, function, pairs, updates};
use crate::emulator::{Config, Emulator, Outcome};
use crate::support::client::{Request, Response};
use crate::support::dynamodb::{self, put_configuration};
use crate::support::harmless::{assert_bare, assert_harmless, assert_harmless_health};
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

fn configuration(id: &str) -> String {
    contract::routes::CONFIGURATION_STREAM.replace("{config_id}", id)
}

/// Asserts a JSON error and returns its `detail`.
async fn detail(response: Response, status: u16) -> String {
    let head = response.head.clone();
    assert_harmless(&response, &head.start);
    assert_eq!(response.status(), status, "{head:?}");
    assert_eq!(head.all("content-type"), ["application/json"], "{head:?}");
    let body: Value = response.into_json().await;
    body["detail"].as_str().unwrap_or_else(|| panic!("no `detail` in {body}")).to_owned()
}

#[tokio::test]
async fn status_and_health_are_what_the_contract_says() {
    let local = Local::start(&[("SSE_MAX_CONNECTIONS", "7")]).await;
    let mut client = SseClient::connect(local.get(STREAM)).await;
    client.event("heartbeat", LIMIT).await;
    let status = local.get(contract::routes::STREAM_STATUS).send().await;
    assert_harmless(&status, "status");
    let status = status.into_json().await;
    assert_has(&status, &json!({ "connections": 1, "max_connections": 7, "available": 6 }));
    assert_eq!(super::keys(&status), ["available", "connections", "max_connections", "uptime_seconds"]);
    for address in [local.stream, local.dashboard] {
        let health = Request::get(address, "/health").send().await;
        assert_harmless_health(&health);
        assert_eq!(health.head.all("content-type"), ["application/json"]);
        assert_eq!(health.into_json().await, json!({ "status": "healthy" }));
    }
}

#[tokio::test]
async fn every_error_is_json_with_a_detail() {
    let local = Local::start(&[]).await;
    for target in ["/", "/api/v2", "/api/v2/streams", "/api/v2/stream%2F", "/api/v2/configurations/x/y"] {
        detail(local.get(target).send().await, 404).await;
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let response = Request::new(local.stream, method, STREAM).send().await;
        let allow = response.head.all("allow");
        detail(response, 405).await;
        assert_eq!(allow.len(), 1, "{method}");
        assert!(allow[0].contains("GET"), "{allow:?}");
    }
    assert_eq!(detail(local.get(&configuration("x")).send().await, 401).await, "Missing user identification");
}

#[tokio::test]
async fn a_bad_parameter_is_a_400_that_names_it() {
    let local = Local::start(&[]).await;
    let long = format!("tickers={}", "A".repeat(65));
    let many = format!("tickers={}", (0..51).map(|n| format!("T{n}")).collect::<Vec<_>>().join(","));
    for query in ["tickers=%00", "tickers=A,B%00", "tickers=A%0AB", "tickers=A&tickers=%FF", &long, &many] {
        let detail = detail(local.get(&format!("{STREAM}?{query}")).send().await, 400).await;
        assert!(detail.contains("ticker"), "{query}: {detail}");
    }
    let mut client = SseClient::connect(local.get(&format!("{STREAM}?tickers=BRK.B,AAPL&utm_source=mail"))).await;
    client.event("heartbeat", LIMIT).await;
}

#[tokio::test]
async fn a_stream_answers_with_exactly_these_headers() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("heartbeat", LIMIT).await;
    let prelude = emulator.invocations()[0].prelude.clone().expect("a stream begins with a prelude");
    assert_eq!(prelude["statusCode"], 200);
    let expected = json!({
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
    });
    assert_eq!(prelude["headers"], expected);
    assert_eq!(prelude["cookies"], json!([]));
    assert_bare(client.response());
    let head = &client.response().head;
    for name in ["content-type", "cache-control", "x-accel-buffering"] {
        assert_eq!(head.all(name).len(), 1, "{head:?}");
    }
    // Behind a URL, CORS is the URL's business.
    assert!(!head.headers.iter().any(|(name, _)| name.to_lowercase().starts_with("access-control")), "{head:?}");
}

#[tokio::test]
async fn errors_pass_through_a_streaming_url_whole() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let get = |target: &str| Request::get(emulator.address(), target);
    detail(get("/nowhere").send().await, 404).await;
    detail(get(&format!("{STREAM}?tickers=%00")).send().await, 400).await;
    detail(Request::new(emulator.address(), "POST", STREAM).send().await, 405).await;
    assert_eq!(detail(get(&configuration("x")).send().await, 401).await, "Missing user identification");
    assert_eq!(get("/health").send().await.into_json().await, json!({ "status": "healthy" }));
    let head = Request::new(emulator.address(), "HEAD", "/health").send().await;
    assert_eq!(head.status(), 200);
    for index in 0..6 {
        assert_eq!(emulator.finished(index, LIMIT).await.outcome, Some(Outcome::Done), "{index}");
    }
}

#[tokio::test]
async fn a_head_request_holds_no_stream() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let response = Request::new(emulator.address(), "HEAD", STREAM).send().await;
    assert!([200, 405].contains(&response.status()), "{:?}", response.head);
    let record = emulator.finished(0, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::Done));
    assert_eq!(String::from_utf8_lossy(&record.body).matches("heartbeat").count(), 0);
}

#[tokio::test]
async fn tickers_narrow_updates_and_numbers() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["AAPL", "MSFT"])).await;
    table.put(&Row::new("b", "negative", &["GOOG"])).await;
    let emulator = function(&table, &[]).await;
    let request = Request::get(emulator.address(), &format!("{STREAM}?tickers=AAPL,TSLA"));
    let mut client = SseClient::connect(request).await;
    let metrics = client.data("metrics", LIMIT).await;
    assert_has(&metrics, &counts(1, 1, 0, 0));
    assert_eq!(metrics["by_tag"].get("GOOG"), None);
    table.put(&Row::new("c", "neutral", &["GOOG"])).await;
    table.put(&Row::new("d", "neutral", &["GOOG", "AAPL"])).await;
    assert_has(&client.data("sentiment_update", LIMIT).await, &json!({ "item_id": "d", "ticker": "AAPL" }));
    assert_has(&client.data("metrics", LIMIT).await, &counts(2, 1, 1, 0));
    assert_eq!(updates(client.seen()), pairs(&[("d", "AAPL")]));
}

#[tokio::test]
async fn a_configuration_stream_is_its_owners_alone() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL", "MSFT"]).await;
    put_configuration(&table.users, "bob", "search", &["GOOG"]).await;
    table.put(&Row::new("a", "positive", &["AAPL", "GOOG"])).await;
    table.put(&Row::new("b", "negative", &["GOOG"])).await;
    let more = [("AUTH_MODE", "trusted-header")];
    let config = Config {
        max_environments: 1,
        concurrency_per_environment: 4,
        freeze: false,
        ..config(&table, dynamodb::address(), &more)
    };
    let emulator = Emulator::start(config).await;
    let get = |id: &str| Request::get(emulator.address(), &configuration(id));
    assert_eq!(detail(get("tech").send().await, 401).await, "Missing user identification");
    assert_eq!(detail(get("tech").header("X-User-ID", "").send().await, 401).await, "Missing user identification");
    for (user, id) in [("ann", "search"), ("ann", "none"), ("nobody", "tech"), ("ann", "TECH")] {
        let detail = detail(get(id).header("X-User-ID", user).send().await, 404).await;
        assert_eq!(detail, "Configuration not found", "{user} {id}");
    }
    detail(get("no%20id").header("X-User-ID", "ann").send().await, 400).await;
    let status = Request::get(emulator.address(), contract::routes::STREAM_STATUS).send().await.into_json().await;
    assert_eq!(status["connections"], 0, "refused requests hold slots");
    let mut client = SseClient::connect(get("tech").header("X-User-ID", "ann")).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
    table.put(&Row::new("c", "neutral", &["GOOG", "MSFT"])).await;
    assert_has(&client.data("sentiment_update", LIMIT).await, &json!({ "item_id": "c", "ticker": "MSFT" }));
    client.check().await;
}

#[tokio::test]
async fn without_an_authentication_mode_the_header_proves_nothing() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let emulator = function(&table, &[]).await;
    let request = Request::get(emulator.address(), &configuration("tech")).header("X-User-ID", "ann");
    assert_eq!(detail(request.send().await, 401).await, "Missing user identification");
}

#[tokio::test]
async fn only_the_local_server_answers_cors_and_only_once() {
    let local = Local::start(&[]).await;
    let origin = format!("http://{}", local.dashboard);
    let mut client = SseClient::connect(local.get(STREAM).header("Origin", &origin)).await;
    client.event("heartbeat", LIMIT).await;
    let allowed = client.response().head.all("access-control-allow-origin");
    assert!(allowed == [origin] || allowed == ["*"], "{allowed:?}");
}
