//! What items are about, in pages, beside the numbers, as a table, and in the description.

use std::time::Duration;

use serde_json::{Value, json};

use super::{POLL, function, get};
use crate::support::client::Request;
use crate::support::clock::ago;
use crate::support::table::{SENTIMENTS, Schema, Table};
use contract::routes;

const TITLED: Schema = Schema { shown: &["headline", "link", "author", "price"], ..SENTIMENTS };
const ENV: [(&str, &str); 3] =
    [("DATA_TITLE_ATTRIBUTE", "headline"), ("DATA_URL_ATTRIBUTE", "link"), ("DATA_SHOW", "price,author")];

fn row(id: &str, age: u64, headline: &str, link: &str) -> Value {
    json!({
        "source_id": { "S": id }, "timestamp": { "S": ago(Duration::from_secs(age)) }, "sentiment": { "S": "neutral" },
        "status": { "S": "analyzed" }, "headline": { "S": headline }, "link": { "S": link },
        "price": { "N": "-12.50" }, "author": { "BOOL": true },
    })
}

#[tokio::test]
async fn items_say_what_they_are_about_however_old_they_are_and_so_do_tables() {
    let table = Table::create(TITLED).await;
    // One that is kept whole, and one that is read from the index again.
    table.put_raw(&row("new", 5, "=cmd|' /C calc'!A0", "https://example.com/?a=1,2")).await;
    table.put_raw(&row("old", 40_000, "Two\nlines, \"quoted\"", "javascript:alert(1)")).await;
    let emulator = function(&table, &ENV).await;
    let page = get(&emulator, routes::ITEMS).await;
    let of = |item: &Value| {
        let fields = ["item_id", "title", "url", "price", "author"];
        fields.map(|field| item[field].clone())
    };
    let items: Vec<_> = page["items"].as_array().unwrap().iter().map(of).collect();
    let expected = [
        [json!("new"), json!("=cmd|' /C calc'!A0"), json!("https://example.com/?a=1,2"), json!(-12.5), json!(true)],
        [json!("old"), json!("Two\nlines, \"quoted\""), Value::Null, json!(-12.5), json!(true)],
    ];
    assert_eq!(items, expected);
    let metrics = get(&emulator, routes::METRICS).await;
    assert_eq!(metrics["recent_items"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), expected);
    let target = format!("{}?format=csv", routes::ITEMS);
    let saved = Request::get(emulator.address(), &target).send().await;
    let text = String::from_utf8(saved.bytes().await.unwrap()).unwrap();
    let without_time = text.replace(page["items"][0]["timestamp"].as_str().unwrap(), "T");
    let without_time = without_time.replace(page["items"][1]["timestamp"].as_str().unwrap(), "T");
    assert_eq!(
        without_time,
        "timestamp,item_id,label,score,confidence,tickers,source,title,url,price,author\r\n\
         T,new,neutral,,,,,'=cmd|' /C calc'!A0,\"https://example.com/?a=1,2\",-12.5,true\r\n\
         T,old,neutral,,,,,\"Two\nlines, \"\"quoted\"\"\",,-12.5,true\r\n"
    );
    // What is corrected is told as it is now.
    let mut corrected = row("new", 5, "Corrected", "https://example.com/");
    corrected["timestamp"] = page["items"][0]["timestamp"].clone();
    corrected["timestamp"] = json!({ "S": corrected["timestamp"] });
    table.put_raw(&corrected).await;
    let began = tokio::time::Instant::now();
    while get(&emulator, routes::ITEMS).await["items"][0]["title"] != "Corrected" {
        assert!(began.elapsed() < super::LIMIT);
        tokio::time::sleep(POLL).await;
    }
}

#[tokio::test]
async fn the_description_names_what_is_mapped() {
    let table = Table::create(TITLED).await;
    let described = get(&function(&table, &ENV).await, routes::OPENAPI).await;
    let properties = &described["components"]["schemas"]["Item"]["properties"];
    assert_eq!(properties["title"]["maxLength"], 300);
    assert_eq!(properties["price"]["type"], json!(["string", "number", "boolean"]));
    assert!(properties["url"]["pattern"].is_string() && properties["author"].is_object());
    let described = get(&function(&table, &[]).await, routes::OPENAPI).await;
    let properties = described["components"]["schemas"]["Item"]["properties"].as_object().unwrap();
    assert!(!properties.contains_key("title") && !properties.contains_key("author"));
}
