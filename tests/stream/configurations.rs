//! A stream of a saved configuration follows it: other tickers, an end when it is deleted, and nothing when it cannot be read.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{LIMIT, POLL, assert_has, config, counts, names, pairs, updates};
use crate::emulator::{Config, Emulator};
use crate::support::client::Request;
use crate::support::clock::{BUSY, until};
use crate::support::decoder::Item;
use crate::support::dynamodb::{self, delete_configuration, put_configuration};
use crate::support::local::Local;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

const CONFIGURATION: &str = "/api/v2/configurations/tech/stream";
/// What a change may take: one poll interval, and a machine that is busy with other tests.
const ONE_POLL: Duration = POLL.saturating_add(BUSY);

async fn start(table: &Table, endpoint: std::net::SocketAddr) -> Emulator {
    Emulator::start(Config { max_environments: 1, ..config(table, endpoint, &[("AUTH_MODE", "trusted-header")]) }).await
}

fn request(to: std::net::SocketAddr, last_id: &str) -> Request {
    let request = Request::get(to, CONFIGURATION).header("X-User-ID", "ann");
    if last_id.is_empty() { request } else { request.header("Last-Event-ID", last_id) }
}

#[tokio::test]
async fn other_tickers_reach_an_open_stream_within_a_poll_and_its_ids_go_on() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL", "MSFT"]).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    table.put(&Row::new("g", "negative", &["GOOG"])).await;
    let emulator = start(&table, dynamodb::address()).await;
    let mut client = SseClient::connect(request(emulator.address(), "")).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
    table.put(&Row::new("before", "neutral", &["AAPL", "GOOG"])).await;
    assert_has(&client.data("sentiment_update", LIMIT).await, &json!({ "item_id": "before", "ticker": "AAPL" }));
    client.event("metrics", LIMIT).await;

    put_configuration(&table.users, "ann", "tech", &["AAPL", "GOOG"]).await;
    let metrics = client.data("metrics", ONE_POLL).await;
    assert_has(&metrics, &counts(3, 1, 1, 1));
    assert_eq!(metrics["by_tag"], json!({ "AAPL": 2, "GOOG": 2 }));
    table.put(&Row::new("after", "positive", &["AAPL", "GOOG", "MSFT"])).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(4, 2, 1, 1));
    let expected = pairs(&[("before", "AAPL"), ("after", "AAPL"), ("after", "GOOG")]);
    assert_eq!(updates(client.seen()), expected);

    // Somewhere else the id is as good: the gap, and no numbers that the client has.
    table.put(&Row::new("gap", "positive", &["GOOG", "MSFT"])).await;
    let elsewhere = start(&table, dynamodb::address()).await;
    let mut again = SseClient::connect(request(elsewhere.address(), &client.last_id())).await;
    again.event("metrics", LIMIT).await;
    again.during(POLL).await;
    assert_eq!(updates(again.seen()), pairs(&[("gap", "GOOG")]));
    assert_eq!(names(again.seen()), ["heartbeat", "sentiment_update", "metrics"]);
    client.check().await;
}

#[tokio::test]
async fn a_deleted_configuration_ends_its_stream_in_band_and_is_a_404_then() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    put_configuration(&table.users, "bob", "tech", &["AAPL"]).await;
    let emulator = start(&table, dynamodb::address()).await;
    let mut client = SseClient::connect(request(emulator.address(), "")).await;
    client.event("metrics", LIMIT).await;
    delete_configuration(&table.users, "bob", "tech").await;
    assert_eq!(names(&client.during(POLL * 3).await), [""; 0], "somebody else's is no concern of this stream");
    delete_configuration(&table.users, "ann", "tech").await;
    let ending = client.until_end(ONE_POLL).await;
    let [retry, last] = &ending[..] else { panic!("{ending:?}") };
    let Item::Retry(retry) = retry.item else { panic!("{ending:?}") };
    let event = last.event().unwrap();
    assert_eq!((event.name.as_str(), event.has_id), ("deadline", false));
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data, json!({ "reason": "configuration_deleted", "reconnect_ms": retry }));
    let status = Request::get(emulator.address(), contract::routes::STREAM_STATUS).send().await.into_json().await;
    assert_eq!(status["connections"], 0, "the slot is still taken");
    let gone = request(emulator.address(), &client.last_id()).header("Accept", "text/event-stream").send().await;
    assert_eq!(gone.status(), 404);
    let gone = gone.into_json().await;
    let never = Request::get(emulator.address(), CONFIGURATION).header("X-User-ID", "eve").send().await;
    assert_eq!((never.status(), never.into_json().await), (404, gone));
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_stays_as_it_was_and_costs_one_read_a_poll() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let proxy = Proxy::start().await;
    let emulator = start(&table, proxy.address()).await;
    let mut client = SseClient::connect(request(emulator.address(), "")).await;
    client.event("metrics", LIMIT).await;
    let reads = proxy.count("GetItem");
    let began = Instant::now();
    until("five more reads", LIMIT, || (proxy.count("GetItem") >= reads + 5).then_some(())).await;
    let (time, reads) = (began.elapsed(), proxy.count("GetItem") - reads);
    // One for each poll interval, and one that was due when the count began.
    assert!(reads as u128 <= time.as_millis() / POLL.as_millis() + 2, "{reads} reads in {time:?}");

    for mode in [Mode::Fail, Mode::Throttle, Mode::Refuse] {
        proxy.set(mode);
        let seen = client.during(POLL * 3).await;
        assert_eq!(names(&seen), [""; 0], "{mode:?}");
    }
    proxy.set(Mode::Pass);
    table.put(&Row::new("a", "positive", &["AAPL", "GOOG"])).await;
    // Tables that failed are asked less often for a while.
    assert_has(&client.data("sentiment_update", LIMIT).await, &json!({ "item_id": "a", "ticker": "AAPL" }));
    put_configuration(&table.users, "ann", "tech", &["GOOG"]).await;
    let fits = |metrics: &Value| metrics["by_tag"] == json!({ "GOOG": 1 });
    while !fits(&client.data("metrics", LIMIT).await) {}
    assert_eq!(updates(client.seen()), pairs(&[("a", "AAPL")]));
    let said = emulator.logs().iter().filter(|line| line.text.contains("configuration cannot be read")).count();
    assert_eq!(said, 1, "one line for one failure that lasts");
}

/// Asserts that an EventSource hears that it may come back, and everybody else is told so by a status.
async fn assert_unavailable(request: Request, detail: &str) {
    let mut client = SseClient::connect(request.clone().header("Accept", "text/event-stream")).await;
    let all = client.until_end(LIMIT).await;
    assert_eq!(names(&all), ["unavailable"]);
    let Item::Retry(retry) = all[0].item else { panic!("{all:?}") };
    let event = all[1].event().unwrap();
    assert!(!event.has_id && (5_000..=10_000).contains(&retry), "{all:?}");
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data, json!({ "detail": detail, "retry_after_ms": retry }));
    client.check().await;
    for accept in ["*/*", "application/json"] {
        let other = request.clone().header("Accept", accept).send().await;
        assert_eq!((other.status(), other.head.all("retry-after")), (503, vec!["30".to_owned()]), "{accept}");
        assert_eq!(other.into_json().await, json!({ "detail": detail }), "{accept}");
    }
}

#[tokio::test]
async fn an_event_source_survives_a_users_table_that_does_not_answer() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let proxy = Proxy::start().await;
    let more = [("AUTH_MODE", "trusted-header"), ("SSE_WHEN_FULL", "reject")];
    let config = config(&table, proxy.address(), &more);
    let emulator = Emulator::start(Config { concurrency_per_environment: 16, freeze: false, ..config }).await;
    for mode in [Mode::Fail, Mode::Throttle, Mode::Refuse] {
        proxy.set(mode);
        let detail = "The data is not available right now. Try again later.";
        assert_unavailable(request(emulator.address(), ""), detail).await;
        proxy.set(Mode::Pass);
        SseClient::connect(request(emulator.address(), "")).await.event("heartbeat", LIMIT).await;
    }
    // What passes within a moment is not even noticed.
    proxy.lose("GetItem");
    SseClient::connect(request(emulator.address(), "")).await.event("heartbeat", LIMIT).await;
    // What is wrong with the request is a status all the same.
    proxy.set(Mode::Fail);
    let eager = |request: Request| request.header("Accept", "text/event-stream");
    assert_eq!(eager(Request::get(emulator.address(), CONFIGURATION)).send().await.status(), 401);
    let malformed = format!("{CONFIGURATION}?tickers=%00");
    let malformed = Request::get(emulator.address(), &malformed).header("X-User-ID", "ann");
    assert_eq!(eager(malformed).send().await.status(), 400);
}

#[tokio::test]
async fn three_servers_follow_the_same_configuration() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let own = [("STORE", "dynamodb"), ("SSE_POLL_INTERVAL", "500ms"), ("AUTH_MODE", "trusted-header")];
    let env: Vec<(String, String)> = own
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .chain(table.env())
        .chain(dynamodb::env(dynamodb::address()))
        .collect();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (mut locals, mut clients) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let local = Local::start(&env).await;
        let mut client = SseClient::connect(request(local.stream, "")).await;
        client.event("metrics", LIMIT).await;
        locals.push(local);
        clients.push(client);
    }
    put_configuration(&table.users, "ann", "tech", &["AAPL", "GOOG"]).await;
    for client in &mut clients {
        client.event("metrics", ONE_POLL).await;
    }
    table.put(&Row::new("a", "positive", &["AAPL", "GOOG"])).await;
    for client in &mut clients {
        client.event("metrics", LIMIT).await;
        assert_eq!(updates(client.seen()), pairs(&[("a", "AAPL"), ("a", "GOOG")]));
    }
    // From one to the next with the id, the configuration saved anew in between.
    put_configuration(&table.users, "ann", "tech", &["GOOG"]).await;
    table.put(&Row::new("b", "positive", &["AAPL", "GOOG"])).await;
    let mut moved = SseClient::connect(request(locals[1].stream, &clients[0].last_id())).await;
    assert_has(&moved.data("sentiment_update", LIMIT).await, &json!({ "item_id": "b", "ticker": "GOOG" }));
    moved.event("metrics", LIMIT).await;
    assert_eq!(updates(moved.seen()), pairs(&[("b", "GOOG")]));
    delete_configuration(&table.users, "ann", "tech").await;
    clients.push(moved);
    for client in &mut clients {
        let ending = client.until_end(ONE_POLL * 2).await;
        assert!(ending.last().unwrap().event().unwrap().data.contains("configuration_deleted"), "{ending:?}");
    }
    assert_eq!(request(locals[2].stream, "").send().await.status(), 404);
}
