//! Goodbyes: a page says that it goes, and its stream ends at the next look for that.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{LIMIT, config, connect, names};
use crate::emulator::{Config, Emulator, InvokeMode, Outcome};
use crate::support::client::{Request, Response};
use crate::support::clock::{BUSY, until};
use crate::support::decoder::Item;
use crate::support::local::Local;
use crate::support::proxy::Proxy;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

const GOODBYE: &str = contract::routes::STREAM_GOODBYE;
const POLL: Duration = Duration::from_secs(1);
const ON: [(&str, &str); 3] = [("SSE_GOODBYE", "true"), ("SSE_POLL_INTERVAL", "1s"), ("SSE_MAX_SESSION", "80s")];

/// Both functions on one table.
async fn functions(table: &Table) -> (Emulator, Emulator) {
    let timeout = Duration::from_secs(100);
    let stream = Emulator::start(Config { timeout, ..config(table, dynamodb::address(), &ON) }).await;
    (stream, dashboard(table, "true").await)
}

async fn dashboard(table: &Table, goodbye: &str) -> Emulator {
    let goodbye = ("SSE_GOODBYE".to_owned(), goodbye.to_owned());
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain([goodbye]).collect();
    let program = bins::path("dashboard");
    let emulator = Emulator::start(Config { invoke_mode: InvokeMode::Buffered, ..Config::new(program, env) }).await;
    Request::get(emulator.address(), "/health").send().await;
    emulator
}

async fn stream_id(client: &mut SseClient) -> String {
    client.data("heartbeat", LIMIT).await["stream_id"].as_str().unwrap().to_owned()
}

/// What `sendBeacon` sends.
async fn beacon(dashboard: &Emulator, stream_id: &str) -> Response {
    let body = json!({ "stream_id": stream_id }).to_string();
    Request::new(dashboard.address(), "POST", GOODBYE).text(body).send().await
}

fn closing_line(stream: &Emulator, stream_id: &str) -> Value {
    let logs = stream.logs();
    let line = logs.iter().find(|line| line.text.contains("stream closed") && line.text.contains(stream_id));
    serde_json::from_str(&line.unwrap_or_else(|| panic!("{logs:#?}")).text).unwrap()
}

#[tokio::test]
async fn a_tab_that_is_closed_at_once_is_billed_for_one_interval() {
    let table = Table::create(SENTIMENTS).await;
    let (stream, dashboard) = functions(&table).await;
    let mut stays = connect(&stream, "").await;
    stream_id(&mut stays).await;
    let mut leaves = connect(&stream, "").await;
    let left = stream_id(&mut leaves).await;
    drop(leaves);
    let answer = beacon(&dashboard, &left).await;
    assert_eq!((answer.status(), answer.head.all("cache-control")), (204, vec!["no-store".to_owned()]));
    assert_eq!(answer.bytes().await.unwrap(), b"");
    let record = stream.finished(1, LIMIT).await;
    assert_eq!(record.outcome, Some(Outcome::Done));
    assert!(record.billed.unwrap() <= POLL + BUSY, "{:?}", record.billed);
    let line = closing_line(&stream, &left);
    assert_eq!(line["reason"], "goodbye");
    assert!(line.to_string().contains(&record.request_id), "{line}");
    for field in ["seconds", "events", "updates", "bytes", "polls", "writes"] {
        assert!(line[field].is_number(), "`{field}` of {line}");
    }
    assert!(line["polls"].as_u64().unwrap() >= 1 && line["bytes"].as_u64().unwrap() > 0, "{line}");

    // Nobody else hears of it, and the environment is as good as new.
    table.put(&Row::new("a", "positive", &["X"])).await;
    assert_eq!(stays.data("sentiment_update", LIMIT).await["item_id"], "a");
    let mut again = connect(&stream, "").await;
    again.event("metrics", LIMIT).await;
    assert_eq!(stream.environments(), 2);

    // What is left behind expires by itself.
    let key = json!({ "PK": { "S": format!("STREAM#{left}") }, "SK": { "S": "GOODBYE" } });
    let row = dynamodb::call("GetItem", &json!({ "TableName": table.users, "Key": key })).await;
    let ttl: u64 = row["Item"]["ttl"]["N"].as_str().unwrap().parse().unwrap();
    let left_secs = ttl - crate::support::clock::epoch_ms() / 1000;
    assert!((800..=900).contains(&left_secs), "{left_secs}");
}

#[tokio::test]
async fn a_reader_that_is_still_there_is_sent_away_cleanly_and_comes_back() {
    let table = Table::create(SENTIMENTS).await;
    let (stream, dashboard) = functions(&table).await;
    let mut client = connect(&stream, "").await;
    let id = stream_id(&mut client).await;
    client.event("metrics", LIMIT).await;
    let said = Instant::now();
    let json = Request::new(dashboard.address(), "POST", GOODBYE).json(&json!({ "stream_id": id, "more": 1 }));
    assert_eq!(json.send().await.status(), 204);
    let all = client.until_end(LIMIT).await;
    assert!(said.elapsed() <= POLL + BUSY, "{:?}", said.elapsed());
    let Some(Item::Retry(retry)) = all.last().map(|last| last.item.clone()) else { panic!("{all:?}") };
    assert!((500..=1500).contains(&retry), "{retry}");
    table.put(&Row::new("meanwhile", "positive", &["X"])).await;
    let mut client = connect(&stream, &client.last_id()).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "meanwhile");
}

#[tokio::test]
async fn a_body_that_is_no_goodbye_is_a_400_that_says_why() {
    let table = Table::create(SENTIMENTS).await;
    let dashboard = dashboard(&table, "true").await;
    let id = "0123456789abcdef0123456789abcdef";
    for (body, says) in [
        (String::new(), "stream_id"),
        ("{".to_owned(), "stream_id"),
        ("[]".to_owned(), "stream_id"),
        ("{}".to_owned(), "stream_id"),
        (json!({ "stream_id": 7 }).to_string(), "string"),
        (json!({ "stream_id": id[1..] }).to_string(), "32 of 0-9 and a-f"),
        (json!({ "stream_id": id.to_uppercase() }).to_string(), "32 of 0-9 and a-f"),
        (json!({ "stream_id": "../../USER#somebody" }).to_string(), "32 of 0-9 and a-f"),
        (json!({ "stream_id": id, "more": "x".repeat(256) }).to_string(), "at most 256 bytes"),
        (json!({ "stream_id": "x".repeat(100_000) }).to_string(), "at most 256 bytes"),
    ] {
        let answer = Request::new(dashboard.address(), "POST", GOODBYE).text(&body).send().await;
        assert_eq!(answer.status(), 400, "{body:.80}");
        assert_eq!(answer.head.all("content-type"), ["application/json"]);
        let detail = answer.into_json().await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says) && detail.len() < 300, "{body:.80}: {detail}");
    }
    let not_text = Request::new(dashboard.address(), "POST", GOODBYE).text([0xff, 0xfe, 0]).send().await;
    assert_eq!(not_text.status(), 400);
    assert_eq!(Request::get(dashboard.address(), GOODBYE).send().await.status(), 405);
    // A stream that nobody ever heard of: nothing to be told from one that has ended.
    assert_eq!(beacon(&dashboard, id).await.status(), 204);
}

#[tokio::test]
async fn where_pages_say_none_there_is_no_such_route_and_nobody_looks() {
    let table = Table::create(SENTIMENTS).await;
    let dashboard = dashboard(&table, "false").await;
    let answer = beacon(&dashboard, "0123456789abcdef0123456789abcdef").await;
    assert_eq!((answer.status(), answer.into_json().await), (404, json!({ "detail": "Not found" })));
    let proxy = Proxy::start().await;
    let stream = Emulator::start(config(&table, proxy.address(), &[])).await;
    let mut client = connect(&stream, "").await;
    client.event("metrics", LIMIT).await;
    // Three polls, each of which asks for three labels.
    proxy.more(9, LIMIT).await;
    assert_eq!(proxy.count("BatchGetItem"), 0);
}

#[tokio::test]
async fn all_streams_of_an_instance_are_looked_for_at_once() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let config = config(&table, proxy.address(), &[("SSE_GOODBYE", "true")]);
    let emulator = Emulator::start(Config { concurrency_per_environment: 8, freeze: false, ..config }).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = connect(&emulator, "").await;
        client.event("heartbeat", LIMIT).await;
        clients.push(client);
    }
    let began = proxy.count("BatchGetItem");
    let first = Instant::now();
    until("five more looks", LIMIT, || (proxy.count("BatchGetItem") >= began + 5).then_some(())).await;
    let time = first.elapsed();
    let looks: Vec<Value> = proxy
        .exchanges()
        .iter()
        .filter(|one| one.operation == "BatchGetItem")
        .skip(began)
        .map(|one| one.request["RequestItems"][&table.users]["Keys"].clone())
        .collect();
    // One for each poll interval, and one that was due when the count began.
    assert!(looks.len() as u128 <= time.as_millis() / super::POLL.as_millis() + 2, "{} looks in {time:?}", looks.len());
    assert!(looks.iter().all(|keys| keys.as_array().is_some_and(|keys| keys.len() == 3)), "{looks:?}");
}

#[tokio::test]
async fn the_local_server_takes_goodbyes_and_tells_its_page() {
    let local = Local::start(&[("SSE_GOODBYE", "true"), ("SSE_POLL_INTERVAL", "200ms")]).await;
    let mut client = SseClient::connect(local.get(super::STREAM)).await;
    let id = stream_id(&mut client).await;
    let body = json!({ "stream_id": id }).to_string();
    assert_eq!(Request::new(local.dashboard, "POST", GOODBYE).text(body).send().await.status(), 204);
    let all = client.until_end(LIMIT).await;
    assert!(!names(&all).contains(&"deadline".to_owned()));
    let config = Request::get(local.dashboard, "/config.js").send().await.bytes().await.unwrap();
    assert!(String::from_utf8_lossy(&config).contains(r#""GOODBYE":"beacon""#));
}
