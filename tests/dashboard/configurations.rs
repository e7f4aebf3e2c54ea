//! `/api/v2/configurations`: saved, listed, changed and deleted, by their owner alone; and seen by their streams.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, USER, answer, body, config, function};
use crate::emulator::Emulator;
use crate::support::client::{Request, Response};
use crate::support::clock::BUSY;
use crate::support::dynamodb::{call, put_configuration};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};
use contract::routes;

const PATH: &str = routes::CONFIGURATIONS;
/// What a change may take to reach a stream: one poll interval, and a machine that is busy with other tests.
const ONE_POLL: Duration = Duration::from_millis(500).saturating_add(BUSY);

async fn send(emulator: &Emulator, method: &str, target: &str, user: &str, body: Option<&Value>) -> Response {
    let request = Request::new(emulator.address(), method, target).header(USER, user);
    body.map_or(request.clone(), |body| request.json(body)).send().await
}

fn one(id: &str) -> String {
    routes::CONFIGURATION.replace("{config_id}", id)
}

/// Saves a configuration and returns its id.
async fn saved(emulator: &Emulator, user: &str, name: &str, tickers: &[&str]) -> String {
    let made = answer(send(emulator, "POST", PATH, user, Some(&body(name, tickers))).await, 201).await;
    made["config_id"].as_str().unwrap().to_owned()
}

async fn list(emulator: &Emulator, user: &str) -> Vec<Value> {
    let all = answer(send(emulator, "GET", PATH, user, None).await, 200).await;
    all["configurations"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_configuration_lives_and_dies_with_its_owner_alone() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    assert_eq!(list(&emulator, "ann").await, Vec::<Value>::new());
    let response = send(&emulator, "POST", PATH, "ann", Some(&body("  Tech ", &["MSFT", "AAPL"]))).await;
    let location = response.head.get("location").unwrap();
    assert_eq!(response.head.all("cache-control"), ["no-store"]);
    let made = answer(response, 201).await;
    let id = made["config_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(made, json!({ "config_id": id, "name": "Tech", "tickers": ["MSFT", "AAPL"] }));
    assert_eq!(location, one(id));
    assert_eq!(answer(send(&emulator, "GET", &location, "ann", None).await, 200).await, made);
    saved(&emulator, "ann", "search", &["GOOGL"]).await;
    saved(&emulator, "ann", "Autos", &["TSLA"]).await;
    let names = async || -> Vec<String> {
        list(&emulator, "ann").await.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names().await, ["Autos", "search", "Tech"]);

    // Another user: not even that it is there.
    let not_found = json!({ "detail": "Configuration not found" });
    assert_eq!(list(&emulator, "bob").await, Vec::<Value>::new());
    for (method, body) in [("GET", None), ("PUT", Some(body("mine", &["A"]))), ("DELETE", None)] {
        let response = send(&emulator, method, &location, "bob", body.as_ref()).await;
        assert_eq!(answer(response, 404).await, not_found, "{method}");
    }
    let changed = answer(send(&emulator, "PUT", &location, "ann", Some(&body("AI", &["NVDA"]))).await, 200).await;
    assert_eq!(changed, json!({ "config_id": id, "name": "AI", "tickers": ["NVDA"] }));
    assert_eq!(answer(send(&emulator, "GET", &location, "ann", None).await, 200).await, changed);
    assert_eq!(names().await, ["AI", "Autos", "search"]);
    let gone = send(&emulator, "DELETE", &location, "ann", None).await;
    assert_eq!(gone.status(), 204);
    assert_eq!(gone.bytes().await.unwrap(), b"");
    for (method, body) in [("GET", None), ("PUT", Some(body("mine", &["A"]))), ("DELETE", None)] {
        let response = send(&emulator, method, &location, "ann", body.as_ref()).await;
        assert_eq!(answer(response, 404).await, not_found, "{method}");
    }
    assert_eq!(names().await, ["Autos", "search"]);
}

#[tokio::test]
async fn every_mistake_of_a_body_is_told_at_once() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let id = saved(&emulator, "ann", "mine", &["A"]).await;
    let wrong = json!({ "name": "", "tickers": ["A,B", "MSFT", 7, "MSFT"], "unknown": 1 });
    for (method, target) in [("POST", PATH.to_owned()), ("PUT", one(&id))] {
        let found = answer(send(&emulator, method, &target, "ann", Some(&wrong)).await, 400).await;
        let fields: Vec<&str> =
            found["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["name", "tickers[0]", "tickers[2]", "tickers[3]"], "{method}: {found}");
        assert_eq!(
            found["errors"][1]["detail"],
            "`A,B` is no ticker; it must be 1 to 64 bytes without control characters, commas and spaces at its ends"
        );
        assert!(found["detail"].as_str().unwrap().contains("`tickers[2]` is a number"), "{found}");
    }
    let post = |kind: Option<&str>, bytes: Vec<u8>| {
        Request::new(emulator.address(), "POST", PATH).header(USER, "ann").body(kind, bytes)
    };
    let good = body("mine", &["A"]).to_string().into_bytes();
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(post(Some(kind), good.clone()).send().await.status(), 201, "{kind}");
    }
    for (kind, detail) in [
        (None, "`Content-Type` is missing; it must be `application/json`"),
        (Some("text/plain"), "`Content-Type` is `text/plain`; it must be `application/json`"),
        (Some("application/x-www-form-urlencoded"), "`Content-Type` is `application/x-www-form-urlencoded`; it must"),
        (Some("application/jsonx"), "`Content-Type` is `application/jsonx`; it must be"),
    ] {
        let found = answer(post(kind, good.clone()).send().await, 415).await;
        assert!(found["detail"].as_str().unwrap().starts_with(detail), "{found}");
    }
    let json = Some("application/json");
    for bad in
        [&b""[..], b"{", b"[]", b"null", b"\"a\"", b"{\"name\":\"\xff\"}", b"{\"name\":\"\\ud800\"}", &[b'['; 5000]]
    {
        let found = answer(post(json, bad.to_vec()).send().await, 400).await;
        assert!(found["errors"].is_array(), "{found}");
    }
    let at_most = contract::limits::CONFIGURATION_BODY_BYTES_MAX;
    let padded = |length: usize| [good.clone(), vec![b' '; length - good.len()]].concat();
    assert_eq!(post(json, padded(at_most)).send().await.status(), 201);
    let found = answer(post(json, padded(at_most + 1)).send().await, 413).await;
    assert_eq!(found["detail"], format!("the body is too large; it must have at most {at_most} bytes"));
    assert_eq!(list(&emulator, "ann").await.len(), 4);
}

#[tokio::test]
async fn nobody_has_any_without_saying_who_they_are() {
    let table = Table::create(SENTIMENTS).await;
    for mode in ["trusted-header", "off"] {
        let emulator = function(&table, &[("AUTH_MODE", mode)]).await;
        for (method, target) in
            [("GET", PATH), ("POST", PATH), ("GET", &one("a")), ("PUT", &one("a")), ("DELETE", &one("a"))]
        {
            let request = Request::new(emulator.address(), method, target).json(&body("mine", &["A"]));
            let request = if mode == "off" { request.header(USER, "ann") } else { request };
            let found = answer(request.send().await, 401).await;
            assert_eq!(found, json!({ "detail": "Missing user identification" }), "{mode}: {method} {target}");
        }
    }
}

#[tokio::test]
async fn there_are_fifty_at_most() {
    let table = Table::create(SENTIMENTS).await;
    for n in 0..49 {
        put_configuration(&table.users, "ann", &format!("c{n}"), &["A"]).await;
    }
    let emulator = function(&table, &[]).await;
    let id = saved(&emulator, "ann", "the fiftieth", &["A"]).await;
    let refused = answer(send(&emulator, "POST", PATH, "ann", Some(&body("more", &["A"]))).await, 409).await;
    assert_eq!(refused, json!({ "detail": "There are 50 configurations already; delete one first" }));
    saved(&emulator, "bob", "his first", &["A"]).await;
    assert_eq!(send(&emulator, "PUT", &one(&id), "ann", Some(&body("still", &["B"]))).await.status(), 200);
    assert_eq!(send(&emulator, "DELETE", &one(&id), "ann", None).await.status(), 204);
    saved(&emulator, "ann", "again the fiftieth", &["A"]).await;
    // Written by somebody else: one too many is not shown, and not made more.
    put_configuration(&table.users, "ann", "zz", &["A"]).await;
    assert_eq!(list(&emulator, "ann").await.len(), 50);
    assert_eq!(send(&emulator, "POST", PATH, "ann", Some(&body("more", &["A"]))).await.status(), 409);
}

/// The row as it lies in the table.
async fn row(table: &Table, user: &str, id: &str) -> Value {
    let key = json!({ "PK": { "S": format!("USER#{user}") }, "SK": { "S": format!("CONFIG#{id}") } });
    call("GetItem", &json!({ "TableName": table.users, "Key": key, "ConsistentRead": true })).await["Item"].clone()
}

#[tokio::test]
async fn rows_of_others_keep_what_we_do_not_know_and_broken_ones_are_left_alone() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let put = async |id: &str, more: Value| {
        let mut item = json!({ "PK": { "S": "USER#ann" }, "SK": { "S": format!("CONFIG#{id}") } });
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call("PutItem", &json!({ "TableName": table.users, "Item": item })).await;
    };
    put("theirs", json!({ "name": { "S": "b" }, "tickers": { "SS": ["BRK.B"] }, "colour": { "S": "red" } })).await;
    put("nameless", json!({ "tickers": { "L": [{ "S": "A" }] } })).await;
    put("broken", json!({ "name": { "S": "a" }, "tickers": { "N": "7" } })).await;
    put("empty", json!({})).await;
    call(
        "PutItem",
        &json!({ "TableName": table.users, "Item": { "PK": { "S": "USER#ann" }, "SK": { "S": "PROFILE" } } }),
    )
    .await;
    let expected = [
        json!({ "config_id": "theirs", "name": "b", "tickers": ["BRK.B"] }),
        json!({ "config_id": "nameless", "name": "nameless", "tickers": ["A"] }),
    ];
    for _ in 0..2 {
        assert_eq!(list(&emulator, "ann").await, expected);
    }
    assert_eq!(send(&emulator, "GET", &one("broken"), "ann", None).await.status(), 404);
    let skipped = emulator.logs().iter().filter(|line| line.text.contains("configuration skipped")).count();
    assert_eq!(skipped, 2, "each is logged once");
    assert!(!emulator.logs().iter().any(|line| line.text.contains("USER#") || line.text.contains("ann")));

    assert_eq!(send(&emulator, "PUT", &one("theirs"), "ann", Some(&body("mine", &["A"]))).await.status(), 200);
    let theirs = row(&table, "ann", "theirs").await;
    assert_eq!((&theirs["colour"], &theirs["name"]), (&json!({ "S": "red" }), &json!({ "S": "mine" })));
    assert_eq!(theirs["tickers"], json!({ "L": [{ "S": "A" }] }));
    // Whoever says what it is to be makes a broken one whole.
    assert_eq!(send(&emulator, "PUT", &one("broken"), "ann", Some(&body("whole", &["B"]))).await.status(), 200);
    let id = saved(&emulator, "ann", "new", &["A", "B"]).await;
    let mut new = row(&table, "ann", &id).await;
    for name in ["created_at", "updated_at"] {
        let time = new.as_object_mut().unwrap().remove(name).unwrap();
        assert!(time["S"].as_str().unwrap().ends_with('Z'), "{time}");
    }
    let expected = json!({
        "PK": { "S": "USER#ann" }, "SK": { "S": format!("CONFIG#{id}") }, "config_id": { "S": id },
        "user_id": { "S": "ann" }, "name": { "S": "new" }, "tickers": { "L": [{ "S": "A" }, { "S": "B" }] },
    });
    assert_eq!(new, expected);
}

#[tokio::test]
async fn its_stream_follows_a_change_within_a_poll_and_ends_with_it() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    table.put(&Row::new("m", "negative", &["MSFT"])).await;
    let dashboard = function(&table, &[]).await;
    let stream = Emulator::start(config("stream", &table, &[("SSE_POLL_INTERVAL", "500ms")])).await;
    let id = saved(&dashboard, "ann", "mine", &["AAPL"]).await;
    let request = Request::get(stream.address(), &routes::CONFIGURATION_STREAM.replace("{config_id}", &id));
    let mut client = SseClient::connect(request.header(USER, "ann")).await;
    assert_eq!(client.data("metrics", LIMIT).await["by_tag"], json!({ "AAPL": 1 }));
    let wider = body("mine", &["AAPL", "MSFT"]);
    assert_eq!(send(&dashboard, "PUT", &one(&id), "ann", Some(&wider)).await.status(), 200);
    assert_eq!(client.data("metrics", ONE_POLL).await["by_tag"], json!({ "AAPL": 1, "MSFT": 1 }));
    assert_eq!(send(&dashboard, "DELETE", &one(&id), "ann", None).await.status(), 204);
    assert_eq!(client.data("deadline", ONE_POLL).await["reason"], "configuration_deleted");
}
