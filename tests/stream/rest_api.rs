//! The stream function behind a REST API of API Gateway: whatever is asked, the answer is the one that a Function URL gives.

use serde_json::{Value, json};

use super::{LIMIT, POLL, STREAM, assert_has, config, counts, names, pairs, updates};
use crate::emulator::rest_api::STAGE;
use crate::emulator::{Config, Emulator, Outcome, Way};
use crate::support::client::Request;
use crate::support::dynamodb::{self, put_configuration};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Headers that are the front's own, or differ with every request.
const OF_THE_FRONT: [&str; 3] = ["x-amzn-requestid", "transfer-encoding", "content-length"];

/// Origin of a page elsewhere.
const PAGE: &str = "https://page.example.com";

async fn behind(way: Way, table: &Table, more: &[(&str, &str)]) -> Emulator {
    Emulator::start(Config { way, max_environments: 8, ..config(table, dynamodb::address(), more) }).await
}

async fn both(table: &Table, more: &[(&str, &str)]) -> [Emulator; 2] {
    [behind(Way::FunctionUrl, table, more).await, behind(Way::RestApi, table, more).await]
}

fn request(emulator: &Emulator, method: &str, target: &str) -> Request {
    let stage = if emulator.way() == Way::RestApi { format!("/{STAGE}") } else { String::new() };
    Request::new(emulator.address(), method, &format!("{stage}{target}"))
}

fn get(emulator: &Emulator, target: &str) -> Request {
    request(emulator, "GET", target)
}

/// Status, headers and body of an answer that ends by itself.
async fn whole(request: Request) -> (u16, Vec<(String, String)>, String) {
    let response = request.send().await;
    let (status, head) = (response.status(), response.head.clone());
    let lower = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()));
    let headers = lower.filter(|(name, _)| !OF_THE_FRONT.contains(&name.as_str())).collect();
    (status, headers, String::from_utf8(response.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_stream_is_the_same_through_both_and_goes_on_from_one_to_the_other() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("known", "neutral", &["X"])).await;
    let emulators = both(&table, &[]).await;
    let mut clients = Vec::new();
    for emulator in &emulators {
        let mut client = SseClient::connect(get(emulator, &format!("{STREAM}?tickers=X&tickers=A%26B"))).await;
        assert_has(&client.data("metrics", LIMIT).await, &counts(1, 0, 1, 0));
        clients.push(client);
    }
    table.put_all(&[Row::new("two", "positive", &["A&B", "X"]), Row::new("other", "positive", &["Y"])]).await;
    let mut heard = Vec::new();
    for client in &mut clients {
        client.event("sentiment_update", LIMIT).await;
        client.event("sentiment_update", LIMIT).await;
        client.event("metrics", LIMIT).await;
        client.check().await;
        let data = client.seen().iter().filter_map(|one| one.event());
        let updates: Vec<_> =
            data.filter(|event| event.name == "sentiment_update").map(|event| event.data.clone()).collect();
        heard.push((names(client.seen()), updates));
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(updates(clients[1].seen()), pairs(&[("two", "A&B"), ("two", "X")]));
    let preludes = emulators.each_ref().map(|emulator| emulator.invocations()[0].prelude.clone().unwrap());
    assert_eq!(preludes[0], preludes[1]);
    assert_eq!(preludes[1]["cookies"], json!([]));

    // An id of the one is good at the other, in the header and in the query.
    table.put(&Row::new("gap", "negative", &["X"])).await;
    for (emulator, id) in emulators.iter().zip([clients[1].last_id(), clients[0].last_id()]) {
        for in_query in [false, true] {
            let cursor = format!("{STREAM}?tickers=X&last_event_id={id}");
            let request =
                if in_query { get(emulator, &cursor) } else { get(emulator, STREAM).header("Last-Event-ID", &id) };
            let mut client = SseClient::connect(request).await;
            client.event("metrics", LIMIT).await;
            client.during(POLL).await;
            assert!(updates(client.seen()).contains(&("gap".into(), "X".into())), "{:?}", client.seen());
            assert!(!updates(client.seen()).contains(&("two".into(), "X".into())), "{:?}", client.seen());
        }
    }
}

#[tokio::test]
async fn refusals_and_small_answers_are_the_same_bytes() {
    let table = Table::create(SENTIMENTS).await;
    let emulators = both(&table, &[]).await;
    for (method, target) in [
        ("GET", "/health"),
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("GET", "/api/v2/stream%2F"),
        ("GET", "/api/v2/stream?tickers=A%00B"),
        ("GET", "/api/v2/stream?tickers=A&tickers=%01"),
        ("GET", "/api/v2/configurations/x/stream"),
        ("GET", "/api/v2/configurations/a%20b/stream"),
        ("POST", "/api/v2/stream"),
        ("DELETE", "/api/v2/stream/"),
        ("HEAD", "/health"),
        ("OPTIONS", "/api/v2/stream"),
    ] {
        let [url, api] = emulators.each_ref().map(|emulator| request(emulator, method, target));
        let (url, api) = (whole(url).await, whole(api).await);
        assert_eq!(url, api, "{method} {target}");
    }
    // Bodies of every kind, which no route of the stream reads.
    for body in [&b""[..], b"{}", b"\xff\x00\xfe"] {
        let [url, api] = emulators.each_ref().map(|one| request(one, "POST", STREAM).body(Some("image/png"), body));
        assert_eq!(whole(url).await, whole(api).await);
    }
    let outside = Request::get(emulators[1].address(), STREAM).send().await;
    assert_eq!(outside.status(), 403, "without the stage there is no such route");
    let outcomes = emulators[1].invocations().into_iter().filter(|one| one.outcome != Some(Outcome::NoRoute));
    for (index, _) in outcomes.enumerate() {
        assert_eq!(emulators[1].finished(index, LIMIT).await.outcome, Some(Outcome::Done), "{index}");
    }
}

#[tokio::test]
async fn a_cursor_of_any_bytes_and_any_number_of_values_opens_a_stream() {
    let table = Table::create(SENTIMENTS).await;
    let [_, api] = both(&table, &[]).await;
    for values in [&["garbage"][..], &["", "x"], &["\u{e9}", ""], &["%00", "a,b"]] {
        let mut request = get(&api, &format!("{STREAM}/?last_event_id=%FF&lastEventId="));
        for value in values {
            request = request.header("Last-Event-ID", value);
        }
        let mut client =
            SseClient::connect(request.header("Accept", "*/*").header("Accept", "text/event-stream")).await;
        assert_has(&client.data("reset", LIMIT).await, &json!({ "reason": "unknown" }));
        client.event("metrics", LIMIT).await;
    }
}

#[tokio::test]
async fn a_clients_address_is_the_one_that_connected_to_the_api() {
    let table = Table::create(SENTIMENTS).await;
    let config = config(&table, dynamodb::address(), &[("SSE_CONNECTIONS_PER_CLIENT", "1")]);
    let config = Config { concurrency_per_environment: 8, max_environments: 1, freeze: false, ..config };
    let api = Emulator::start(Config { way: Way::RestApi, ..config }).await;
    let from =
        |address: &str| get(&api, STREAM).header("x-emulator-source-ip", address).header("Accept", "text/event-stream");
    let mut first = SseClient::connect(from("192.0.2.1")).await;
    first.event("heartbeat", LIMIT).await;
    let mut forged = SseClient::connect(from("192.0.2.1").header("X-Forwarded-For", "192.0.2.2")).await;
    assert_eq!(names(&forged.until_end(LIMIT).await), ["overloaded"]);
    let mut second = SseClient::connect(from("192.0.2.2")).await;
    second.event("metrics", LIMIT).await;
}

#[tokio::test]
async fn a_configurations_stream_and_a_token_in_any_of_its_places_work() {
    let table = Table::create(SENTIMENTS).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    table.put_all(&[Row::new("a", "positive", &["AAPL"]), Row::new("b", "positive", &["MSFT"])]).await;
    let [_, api] = both(&table, &[("AUTH_MODE", "trusted-header")]).await;
    let target = "/api/v2/configurations/tech/stream";
    assert_eq!(whole(get(&api, target)).await.0, 401);
    assert_eq!(whole(get(&api, target).header("x-user-id", "bob")).await.0, 404);
    let mut client = SseClient::connect(get(&api, target).header("X-User-ID", "ann")).await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));
}

#[tokio::test]
async fn other_origins_are_answered_by_the_program_and_by_it_alone() {
    let table = Table::create(SENTIMENTS).await;
    let api = behind(Way::RestApi, &table, &[("CORS_ALLOW_ORIGINS", PAGE), ("CORS_ALLOW_CREDENTIALS", "true")]).await;
    let mut client = SseClient::connect(get(&api, STREAM).header("Origin", PAGE)).await;
    client.event("heartbeat", LIMIT).await;
    let head = client.response().head.clone();
    assert_eq!(head.all("access-control-allow-origin"), [PAGE]);
    assert_eq!(head.all("access-control-allow-credentials"), ["true"]);
    let preflight = |origin: &'static str| {
        let request = request(&api, "OPTIONS", STREAM).header("Origin", origin);
        request.header("Access-Control-Request-Method", "GET").header("Access-Control-Request-Headers", "last-event-id")
    };
    let allowed = preflight(PAGE).send().await;
    assert_eq!((allowed.status(), allowed.head.all("access-control-allow-methods")), (204, vec!["GET".to_owned()]));
    assert!(allowed.head.all("access-control-allow-headers")[0].contains("last-event-id"));
    let refused = preflight("https://other.example.com").send().await;
    assert_eq!(refused.head.all("access-control-allow-origin"), [""; 0]);
    // An error too is for that page to read.
    let missing = get(&api, "/nowhere").header("Origin", PAGE).send().await;
    assert_eq!((missing.status(), missing.head.all("access-control-allow-origin")), (404, vec![PAGE.to_owned()]));
    let body: Value = missing.into_json().await;
    assert!(body["detail"].is_string());
}
