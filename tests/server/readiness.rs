//! What the server says of itself to who runs it.

use serde_json::{Value, json};

use super::{LIMIT, STREAM};
use crate::support::client::Response;
use crate::support::external::prometheus;
use crate::support::proxy::{Mode, Proxy};
use crate::support::server::Server;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

async fn word(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status, "{:?}", response.head);
    assert_eq!(response.head.all("cache-control"), ["no-store"]);
    response.into_json().await
}

#[tokio::test]
async fn it_is_ready_once_the_window_is_whole_and_stays_so() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    let proxy = Proxy::start().await;
    proxy.set(Mode::Hang);
    let server = Server::start_at(&table, proxy.address(), &[]).await;
    assert_eq!(word(server.ask("/readyz").await, 503).await, json!({ "status": "loading" }));
    assert_eq!(word(server.ask("/livez").await, 200).await, json!({ "status": "alive" }));
    // Nobody has to ask for a stream: it reads by itself.
    proxy.set(Mode::Pass);
    let server = server.ready().await;
    assert_eq!(word(server.ask("/readyz").await, 200).await, json!({ "status": "ready" }));
    // What was read is there, and a table that fails now is no reason to send everybody elsewhere.
    proxy.set(Mode::Fail);
    proxy.more(3, LIMIT).await;
    word(server.ask("/readyz").await, 200).await;
}

#[tokio::test]
async fn one_address_has_streams_rest_and_numbers_for_prometheus() {
    let table = Table::create(SENTIMENTS).await;
    let server = Server::start(&table, &[("SSE_CONNECTIONS_PER_CLIENT", "5")]).await.ready().await;
    let mut client = SseClient::connect(server.get(STREAM)).await;
    client.event("metrics", LIMIT).await;
    table.put(&Row::new("b", "negative", &["AAPL"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "b");
    for (path, status) in [
        ("/health", 200),
        (contract::routes::METRICS, 200),
        (contract::routes::ITEMS, 200),
        (contract::routes::OPENAPI, 200),
        (contract::routes::STREAM_STATUS, 200),
        ("/api/v2/nowhere", 404),
        ("/nowhere", 404),
    ] {
        assert_eq!(server.ask(path).await.status(), status, "{path}");
    }
    // The stream is where the page is.
    let runtime = server.ask(contract::routes::RUNTIME).await.into_json().await;
    assert_eq!(runtime["sse_url"], "");
    // Behind a proxy it has another name, and pages of other origins may read what everybody may.
    let named = server.get(STREAM).header("Host", "live.example.com").header("Origin", "https://page.example.com");
    let named = SseClient::connect(named).await;
    assert_eq!(named.response().head.all("access-control-allow-origin"), ["*"]);
    let text = server.ask("/metrics").await.bytes().await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let families = tokio::task::spawn_blocking(move || prometheus(&text)).await.unwrap();
    assert_eq!(families["sse_connections"]["samples"]["sse_connections{}"], 2.0, "{families:#}");
}
