//! What updates say their rows are about: titles, links and shown values, also where rows have none that can be read.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, POLL, connect, function, updates};
use crate::support::clock::ago;
use crate::support::table::{SENTIMENTS, Schema, Table};

const TITLED: Schema = Schema { shown: &["headline", "link", "author", "deal"], ..SENTIMENTS };
const ENV: [(&str, &str); 3] =
    [("DATA_TITLE_ATTRIBUTE", "headline"), ("DATA_URL_ATTRIBUTE", "link"), ("DATA_SHOW", "author,deal.price")];

fn row(id: &str, attributes: &Value) -> Value {
    let mut row = json!({
        "source_id": { "S": id }, "timestamp": { "S": ago(Duration::ZERO) }, "sentiment": { "S": "positive" },
        "matched_tickers": { "S": "X" }, "status": { "S": "analyzed" }, "unmapped": { "S": "not told" },
    });
    row.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn an_update_says_what_its_row_is_about_and_no_fault_of_it_costs_the_row() {
    let table = Table::create(TITLED).await;
    let emulator = function(&table, &ENV).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let s = |text: &str| json!({ "S": text });
    let n = |text: &str| json!({ "N": text });
    let price = |value: Value| json!({ "M": { "price": value } });
    let digits = "12345678901234567890.123456789012345678";
    let cut = format!("{}…", "é".repeat(299));
    for (id, attributes, expected) in [
        ("none", json!({}), json!({})),
        (
            "all",
            json!({ "headline": s(" Up <b>\u{202e}\u{7}\n"), "link": s("https://example.com/a?b=c"), "author": s("=1+1") }),
            json!({ "title": "Up <b>\u{202e}\u{7}", "url": "https://example.com/a?b=c", "author": "=1+1" }),
        ),
        ("long", json!({ "headline": s(&"é".repeat(5000)) }), json!({ "title": cut })),
        ("script", json!({ "link": s("javascript:alert(1)"), "headline": n("7") }), json!({ "title": "7" })),
        ("http", json!({ "link": s("http://example.com/") }), json!({})),
        (
            "types",
            json!({ "author": { "BOOL": false }, "deal": price(n("-0.5")) }),
            json!({ "author": false, "deal.price": -0.5 }),
        ),
        (
            "sets",
            json!({ "author": { "SS": ["b", "a"] }, "deal": price(json!({ "NS": ["2"] })) }),
            json!({ "author": "a, b", "deal.price": "2" }),
        ),
        (
            "lists",
            json!({ "author": { "L": [s("b"), n("1"), { "NULL": true }] }, "deal": s("no map") }),
            json!({ "author": "b, 1" }),
        ),
        (
            "maps",
            json!({ "author": { "M": {} }, "headline": { "L": [] }, "deal": price(json!({ "B": "AA==" })) }),
            json!({}),
        ),
        ("null", json!({ "author": { "NULL": true }, "headline": s("  ") }), json!({})),
    ] {
        table.put_raw(&row(id, &attributes)).await;
        let mut update = client.data("sentiment_update", LIMIT).await;
        for known in ["ticker", "label", "timestamp"] {
            assert!(update.as_object_mut().unwrap().remove(known).is_some(), "{id}: {known}");
        }
        let mut expected = expected;
        expected["item_id"] = id.into();
        assert_eq!(update, expected);
    }
    // No digit is lost, so that it is compared as a text.
    table.put_raw(&row("digits", &json!({ "deal": price(n(digits)) }))).await;
    client.data("sentiment_update", LIMIT).await;
    let text = client.seen().iter().filter_map(|one| one.event()).next_back().map(|event| event.data.clone()).unwrap();
    assert!(text.ends_with(&format!(",\"deal.price\":{digits}}}")), "{text}");
    let logs = emulator.logs();
    let lines: Vec<_> = logs.iter().filter(|line| line.text.contains("value skipped")).collect();
    for said in [
        "`link`: `javascript:alert(1)` is not a valid link; it must be https:// and a host",
        "`headline` is not a string or a number",
        "`author` is not a string, a number, a truth value, or a list or set of them",
        "`deal.price` is not a string, a number, a truth value, or a list or set of them",
    ] {
        assert_eq!(lines.iter().filter(|line| line.text.contains(said)).count(), 1, "{said}: {lines:?}");
    }
    assert_eq!(lines.len(), 4, "each kind once: {lines:?}");
    assert!(!logs.iter().any(|line| line.text.contains("row skipped")));
}

#[tokio::test]
async fn a_headline_that_is_corrected_is_no_new_update() {
    let table = Table::create(TITLED).await;
    let emulator = function(&table, &ENV).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let mut first = row("a", &json!({ "headline": { "S": "Frist" }, "author": { "S": "A" } }));
    table.put_raw(&first).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["title"], "Frist");
    first["headline"] = json!({ "S": "First" });
    first["author"] = json!({ "S": "B" });
    first["link"] = json!({ "S": "https://example.com/" });
    table.put_raw(&first).await;
    client.during(POLL * 5).await;
    assert_eq!(updates(client.seen()).len(), 1);
    // One that is analysed anew is told with what it says now.
    first["score"] = json!({ "N": "0.5" });
    table.put_raw(&first).await;
    let update = client.data("sentiment_update", LIMIT).await;
    assert_eq!([&update["title"], &update["author"], &update["url"]], ["First", "B", "https://example.com/"]);
}
