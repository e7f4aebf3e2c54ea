//! `GET /api/v2/items`: pages that fit together while rows come and go, on whichever instance.

use std::time::Duration;

use serde_json::{Value, json};

use super::{POLL, answer, function, get};
use crate::support::client::Request;
use crate::support::table::{ORDERS, Row, SENTIMENTS, Schema, Table};
use contract::{limits, routes};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["item_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_item_says_what_its_row_says() {
    let table = Table::create(SENTIMENTS).await;
    let row = Row::new("a", "positive", &["MSFT", "AAPL"]);
    table.put(&row).await;
    table.put(&Row { ready: false, ..Row::new("pending", "positive", &["MSFT"]) }).await;
    table.put(&Row::new("yesterday", "positive", &["MSFT"]).ago(Duration::from_secs(24 * 3600 + 5))).await;
    let expected = json!({
        "items": [{
            "item_id": "a", "tickers": ["MSFT", "AAPL"], "score": 0.5, "label": "positive", "confidence": 0.9,
            "source": "tests", "timestamp": row.time,
        }],
        "next": null,
    });
    let emulator = function(&table, &[]).await;
    let response = Request::get(emulator.address(), routes::ITEMS).send().await;
    assert_eq!(response.head.all("cache-control"), ["no-store"]);
    assert_eq!(answer(response, 200).await, expected);
    let orders = Table::create(ORDERS).await;
    let row = Row::new("1", "placed", &["north"]);
    orders.put(&row).await;
    let items = get(&function(&orders, &[]).await, routes::ITEMS).await["items"].clone();
    assert_eq!(items, json!([{ "item_id": "1", "tickers": ["north"], "label": "placed", "timestamp": row.time }]));
}

#[tokio::test]
async fn an_item_says_what_can_be_read_of_a_row_as_another_program_wrote_it() {
    let table = Table::create(Schema { key_type: "N", ..SENTIMENTS }).await;
    let now = Row::new("", "", &[]).time;
    let time = format!("{} {}.5+0000", &now[..10], &now[11..19]);
    table
        .put_raw(&json!({
            "source_id": { "N": "8817265" }, "timestamp": { "S": time }, "sentiment": { "S": "neutral" },
            "score": { "S": " 1.00000001" }, "confidence": { "S": "high" }, "source": { "S": "import" },
            "matched_tickers": { "L": [{ "N": "600519" }, { "NULL": true }, { "S": "" }, { "L": [] }, { "S": "0700" }] },
            "status": { "S": "analyzed" },
        }))
        .await;
    let page = get(&function(&table, &[]).await, routes::ITEMS).await;
    let item = &page["items"][0];
    assert_eq!(item["timestamp"], format!("{}.500Z", &now[..19]));
    assert_eq!((&item["item_id"], &item["tickers"]), (&json!("8817265"), &json!(["600519", "0700"])));
    assert_eq!(
        (item["score"].as_f64(), &item["confidence"], &item["source"]),
        (Some(1.0), &Value::Null, &json!("import"))
    );
}

#[tokio::test]
async fn an_item_that_is_its_key_comes_once_with_its_newest_row() {
    let table = Table::create(ORDERS).await;
    let row = |id: &str, label: &str, secs: u64| Row::new(id, label, &["east"]).ago(Duration::from_secs(secs));
    let rows = [
        row("11", "placed", 9000),
        row("12", "placed", 8000),
        row("12", "returned", 6000),
        row("13", "shipped", 50),
        row("11", "shipped", 7000),
        row("13", "placed", 70),
    ];
    table.put_all(&rows).await;
    let emulator = function(&table, &[("DATA_IDENTITY", "key")]).await;
    let shown = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| format!("{} {}", item["item_id"].as_str().unwrap(), item["label"].as_str().unwrap())).collect()
    };
    let first = get(&emulator, &format!("{}?limit=2", routes::ITEMS)).await;
    assert_eq!(shown(&first), ["13 shipped", "12 returned"]);
    let next = first["next"].as_str().unwrap();
    let second = get(&emulator, &format!("{}?limit=2&after={next}", routes::ITEMS)).await;
    assert_eq!((shown(&second), &second["next"]), (vec!["11 shipped".to_owned()], &Value::Null));
    let metrics = get(&emulator, routes::METRICS).await;
    assert_eq!((&metrics["total"], &metrics["placed"], &metrics["shipped"]), (&json!(3), &json!(0), &json!(2)));
    assert_eq!(metrics["recent_items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn pages_fit_together_across_instances_while_rows_come_and_go() {
    let table = Table::create(SENTIMENTS).await;
    let at = |millis: u64| Duration::from_millis(millis);
    // Seven of one time, among others.
    let mut rows: Vec<Row> =
        (0..45_u64).map(|n| Row::new(&format!("r{n}"), "positive", &["A"]).ago(at(60_000 + n * 10))).collect();
    let same = rows[20].time.clone();
    for row in &mut rows[17..24] {
        row.time.clone_from(&same);
    }
    table.put_all(&rows).await;
    let emulators = [function(&table, &[]).await, function(&table, &[]).await];
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let target = format!("{}?limit=4{after}", routes::ITEMS);
        let page = get(&emulators[pages % 2], &target).await;
        assert!(ids(&page).len() <= 4);
        seen.extend(ids(&page));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(ids(&page).len(), 4, "a page that is followed is full");
        after = format!("&after={next}");
        // One that is newer than all, one of the time at which most are; and the oldest goes.
        table.put(&Row::new(&format!("new{pages}"), "negative", &["A"])).await;
        let twin = Row { time: same.clone(), ..Row::new(&format!("twin{pages}"), "negative", &["A"]) };
        table.put(&twin).await;
        tokio::time::sleep(POLL + Duration::from_millis(20)).await;
    }
    assert!(!seen.iter().any(|id| id.starts_with("new")), "newer than where it began: {seen:?}");
    let mut old: Vec<&String> = seen.iter().filter(|id| id.starts_with('r')).collect();
    assert_eq!(old.len(), 45, "{seen:?}");
    old.sort();
    old.dedup();
    assert_eq!(old.len(), 45, "{seen:?}");
    let mut all = seen.clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), seen.len(), "an item came twice: {seen:?}");
}

#[tokio::test]
async fn a_page_is_as_long_as_asked_and_of_the_tickers_asked_for() {
    let table = Table::create(SENTIMENTS).await;
    let rows: Vec<Row> = (0..230_u64)
        .map(|n| {
            let ticker = if n % 2 == 0 { "EVEN" } else { "ODD" };
            Row::new(&format!("r{n}"), "neutral", &[ticker]).ago(Duration::from_secs(n))
        })
        .collect();
    table.put_all(&rows).await;
    let emulator = function(&table, &[]).await;
    for (query, expected) in [("", 20), ("?limit=1", 1), ("?limit=200", 200), ("?limit=200&tickers=ODD", 115)] {
        let page = get(&emulator, &format!("{}{query}", routes::ITEMS)).await;
        assert_eq!((ids(&page).len(), page["next"].is_string()), (expected, expected != 115), "{query}");
    }
    for (tickers, expected) in [
        ("tickers=ODD,", 115),
        ("tickers=,+ODD,,", 115),
        ("tickers=NONE&tickers=ODD", 115),
        ("tickers=%20ODD%0A&tickers=", 115),
        ("tickers=", 200),
        ("tickers=,&tickers", 200),
    ] {
        let page = get(&emulator, &format!("{}?limit=200&{tickers}", routes::ITEMS)).await;
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{tickers}");
    }
    let first = get(&emulator, &format!("{}?tickers=ODD,NONE&limit=3", routes::ITEMS)).await;
    assert_eq!(ids(&first), ["r1", "r3", "r5"]);
    let after = first["next"].as_str().unwrap();
    let second = get(&emulator, &format!("{}?tickers=ODD&limit=2&after={after}", routes::ITEMS)).await;
    assert_eq!(ids(&second), ["r7", "r9"]);
}

#[tokio::test]
async fn a_range_has_the_items_between_its_ends() {
    let table = Table::create(SENTIMENTS).await;
    // Some that an instance keeps whole, and some that it reads again, with others between them.
    let rows: Vec<Row> = (0..60_u64)
        .map(|n| {
            Row::new(&format!("r{n}"), "neutral", &[if n % 3 == 0 { "A" } else { "B" }])
                .ago(Duration::from_secs(n * 1000))
        })
        .collect();
    table.put_all(&rows).await;
    let emulator = function(&table, &[]).await;
    let (from, to) = (&rows[50].time, &rows[20].time);
    let expected = |filter: &str| -> Vec<String> {
        let wanted = (21..=50_u64).filter(|n| filter.is_empty() || n % 3 == 0);
        wanted.map(|n| format!("r{n}")).collect()
    };
    for filter in ["", "&tickers=A"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let target = format!("{}?from={from}&to={to}&limit=7{filter}{after}", routes::ITEMS);
            let page = get(&emulator, &target).await;
            seen.extend(ids(&page));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, expected(filter), "{filter}");
    }
    let nothing = get(&emulator, &format!("{}?from={to}&to={from}", routes::ITEMS)).await;
    assert_eq!(nothing, json!({ "items": [], "next": null }));
}

#[tokio::test]
async fn a_page_of_long_rows_ends_before_it_is_too_long_for_a_function_and_the_next_one_goes_on() {
    let table = Table::create(SENTIMENTS).await;
    let rows: Vec<Row> = (0..1_010_u64)
        .map(|n| Row::new(&format!("{n:0>2000}"), "neutral", &["A"]).ago(Duration::from_secs(n)))
        .collect();
    table.put_all(&rows).await;
    let emulator = function(&table, &[]).await;
    for format in ["json", "csv"] {
        let (mut target, mut seen, mut pages) =
            (format!("{}?limit=1000&format={format}", routes::ITEMS), Vec::new(), 0);
        loop {
            let response = Request::get(emulator.address(), &target).send().await;
            let link = response.head.get("link");
            let body = String::from_utf8(response.bytes().await.unwrap()).unwrap();
            assert!(body.len() < limits::PAGE_BYTES_MAX + 4096, "{} bytes", body.len());
            seen.extend(body.match_indices(&"0".repeat(1996)).map(|(at, _)| body[at + 1996..at + 2000].to_owned()));
            pages += 1;
            if format == "json" {
                // What puts pages together relies on it.
                assert!(
                    body.starts_with("{\"items\":[{") && body.rfind(']') < body.find("\"next\":"),
                    "{}",
                    &body[..40]
                );
            }
            let Some(link) = link else { break };
            target = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        assert_eq!((seen.len(), pages), (1_010, 2), "{format}");
        assert!(seen.windows(2).all(|two| two[0] < two[1]), "{format}: each once, newest first");
    }
}

#[tokio::test]
async fn what_is_malformed_is_named() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let place = "`after` is no cursor; it must be the `next` of an earlier page, as it was";
    for (query, expected) in [
        ("from=yesterday", "`from` is `yesterday`: it is no RFC 3339 time"),
        ("to=", "`to` is ``: it is no RFC 3339 time"),
        ("to=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "`to` is given twice; it must be given once"),
        ("limit=0", "`limit` is `0`; it must be a whole number from 1 to 1000"),
        ("limit=1001", "`limit` is `1001`; it must be"),
        ("limit=-1", "`limit` is `-1`; it must be"),
        ("limit=", "`limit` is ``; it must be"),
        ("limit=%2B5", "`limit` is `+5`; it must be"),
        ("limit=1e1", "`limit` is `1e1`; it must be"),
        ("limit=5&limit=5", "`limit` is given twice"),
        ("after=", place),
        ("after=garbage", place),
        ("after=AQAAAAAAAAAAAAAAAAA", place),
        ("after=BQAAAAAAAAAAAAAAAAAA", place),
        ("after=%00%ff", place),
        ("after=evt_AdiSAaIIAI_G1XkfDWZrOd29nRAeVSnno7kMhHwDyajSgL9GIWPoFzV952yP", place),
        ("tickers=A%00", "is not a valid ticker"),
    ] {
        let response = Request::get(emulator.address(), &format!("{}?{query}", routes::ITEMS)).send().await;
        let detail = answer(response, 400).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(expected) || detail.contains(expected), "{query}: {detail}");
    }
    // Older than everything is no mistake: there is nothing more.
    let page = get(&emulator, &format!("{}?after=AQAAAAAAAAAAAAAAAAAA", routes::ITEMS)).await;
    assert_eq!(page, json!({ "items": [], "next": null }));
}
