//! Rows as real tables hold them: other forms of a time, sets and single tags, more than one page, rows that grow old.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{LIMIT, POLL, assert_has, connect, counts, function, pairs, updates};
use crate::support::clock::{ago, parse_ms, rfc3339};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Schema, Table};

const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn every_form_of_an_rfc_3339_time_in_utc_is_delivered_at_once() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let second = |moment: SystemTime| rfc3339(moment)[..19].to_owned();
    for form in ["Z", ".5Z", ".123456Z", ".123456789Z", "+00:00", ".25+00:00"] {
        let text = format!("{}{form}", second(SystemTime::now()));
        table.put(&Row { time: text.clone(), ..Row::new(form, "neutral", &["X"]) }).await;
        let update = client.data("sentiment_update", LIMIT).await;
        assert_eq!(update["item_id"], form);
        let shown = update["timestamp"].as_str().unwrap();
        assert!(shown.len() == "2025-12-02T10:30:00.123Z".len() && shown.ends_with('Z'), "{shown}");
        assert_eq!(parse_ms(shown), parse_ms(&text), "{text}");
    }
    assert_eq!(updates(client.seen()).len(), 6);
}

/// How programs write a moment, and what it is then to the second or to the minute.
fn written(moment: SystemTime, form: &str) -> (String, String) {
    let half_hours = |count: u32| count * Duration::from_secs(1800);
    let second = |moment: SystemTime| rfc3339(moment)[..19].to_owned();
    let (here, india, newfoundland) = (second(moment), second(moment + half_hours(11)), second(moment - half_hours(7)));
    let text = match form {
        "PynamoDB" => format!("{here}.123456+0000"),
        "Python" => format!("{}.123456+00:00", here.replace('T', " ")),
        "PostgreSQL" => format!("{}.123+00", here.replace('T', " ")),
        "Ruby" => format!("{} +0000", here.replace('T', " ")),
        "lower case" => format!("{}z", here.replace('T', "t")),
        "Java" => format!("{india}+05:30[Asia/Kolkata]"),
        "strftime" => format!("{newfoundland}-0330"),
        "minute" => format!("{}Z", &here[..16]),
        "minute with zone" => format!("{}-0330", &newfoundland[..16].replace('T', " ")),
        "decimals" => format!("{here}.{}Z", "123".repeat(10)),
        _ => panic!("{form} is none"),
    };
    let millis = if text.contains(".123") { "123" } else { "000" };
    let shown = if form.starts_with("minute") { format!("{}:00", &here[..16]) } else { here };
    (text, format!("{shown}.{millis}Z"))
}

const FORMS: [&str; 10] = [
    "PynamoDB",
    "Python",
    "PostgreSQL",
    "Ruby",
    "lower case",
    "Java",
    "strftime",
    "minute",
    "minute with zone",
    "decimals",
];

#[tokio::test]
async fn times_are_taken_as_programs_write_them_be_they_there_or_new() {
    let table = Table::create(SENTIMENTS).await;
    for form in FORMS {
        let (time, _) = written(SystemTime::now() - HOUR, form);
        table.put(&Row { time, ..Row::new(&format!("{form} before"), "neutral", &["X"]) }).await;
    }
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(10, 0, 10, 0));
    for form in FORMS {
        let (time, expected) = written(SystemTime::now(), form);
        table.put(&Row { time: time.clone(), ..Row::new(form, "neutral", &["X"]) }).await;
        let update = client.data("sentiment_update", LIMIT).await;
        assert_eq!(
            (update["item_id"].as_str(), update["timestamp"].as_str()),
            (Some(form), Some(&*expected)),
            "{time}"
        );
    }
    assert_has(&client.data("metrics", LIMIT).await, &counts(20, 0, 20, 0));
    // Nothing of it goes missing at a later read, and comes again; nor from another instance.
    client.during(POLL * 6).await;
    assert_eq!(updates(client.seen()).len(), FORMS.len());
    let mut again = connect(&emulator, &client.last_id()).await;
    again.during(POLL * 4).await;
    assert_eq!((updates(again.seen()), super::names(again.seen()).contains(&"reset".to_owned())), (vec![], false));
    assert_has(&connect(&emulator, "").await.data("metrics", LIMIT).await, &counts(20, 0, 20, 0));
}

/// A table of one form with more rows than a query gives for its least price, so that all forms are not asked for each time.
async fn is_served(form: &str) {
    let table = Table::create(SENTIMENTS).await;
    let row = |n: u32| {
        let (time, _) = written(SystemTime::now() - Duration::from_secs(120) - n * HOUR / 8, form);
        Row { time, ..Row::new(&format!("r{n}"), "positive", &["X"]) }
    };
    table.put_all(&(0..180).map(row).collect::<Vec<_>>()).await;
    let emulator = function(&table, &[("SSE_RECONCILE_INTERVAL", "10s")]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(180, 180, 0, 0));
    for n in 0..3 {
        let id = format!("{form} {n}");
        let (time, _) = written(SystemTime::now(), form);
        table.put(&Row { time, ..Row::new(&id, "positive", &["X"]) }).await;
        assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], id.as_str());
    }
    // Longer than until the window is read again as a whole.
    client.during(Duration::from_secs(12)).await;
    assert_eq!(updates(client.seen()).len(), 3, "{form}");
    assert_has(&connect(&emulator, "").await.data("metrics", LIMIT).await, &counts(183, 183, 0, 0));
}

#[tokio::test]
async fn a_large_table_in_another_form_is_served_as_one_in_the_usual_form_is() {
    tokio::join!(is_served("Python"), is_served("strftime"), is_served("minute with zone"));
}

/// Score, confidence and source of the update that a row with these attributes makes.
async fn shown(table: &Table, client: &mut SseClient, id: &str, attributes: Value) -> Value {
    let mut item = json!({
        "source_id": { "S": id }, "timestamp": { "S": ago(Duration::ZERO) }, "sentiment": { "S": "positive" },
        "matched_tickers": { "S": "X" }, "status": { "S": "analyzed" }, "source": { "S": "csv" },
    });
    item.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    table.put_raw(&item).await;
    let update = client.data("sentiment_update", LIMIT).await;
    assert_eq!(update["item_id"], id);
    json!([update["score"].as_f64(), update["confidence"].as_f64(), update["source"]])
}

#[tokio::test]
async fn numbers_may_be_texts_and_what_is_none_costs_the_row_nothing_else() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let n = |text: &str| json!({ "N": text });
    let s = |text: &str| json!({ "S": text });
    for (id, attributes, expected) in [
        ("texts", json!({ "score": s(" -0.25 "), "confidence": s("+9e-1") }), json!([-0.25, 0.9, "csv"])),
        ("rounded", json!({ "score": n("1.0000000002"), "confidence": s("-0.00001") }), json!([1.0, 0.0, "csv"])),
        ("first", json!({ "score": n("7"), "confidence": s("0.9") }), json!([null, 0.9, "csv"])),
        ("second", json!({ "score": n("8"), "confidence": s("NaN") }), json!([null, null, "csv"])),
        ("third", json!({ "score": s("good"), "source": n("3") }), json!([null, null, "3"])),
        ("fourth", json!({ "source": { "BOOL": true } }), json!([null, null, null])),
        ("blank", json!({ "score": s(""), "source": { "NULL": true } }), json!([null, null, null])),
    ] {
        let found = shown(&table, &mut client, id, attributes).await;
        assert_eq!(found, expected, "{id}");
    }
    client.during(POLL * 3).await;
    let logs = emulator.logs();
    let lines: Vec<_> = logs.iter().filter(|line| line.text.contains("value skipped")).collect();
    let said =
        |id: &str, error: &str| lines.iter().filter(|line| line.text.contains(id) && line.text.contains(error)).count();
    assert_eq!(said("first", "`score` is 7; it must be from -1 to 1"), 1, "{lines:?}");
    assert_eq!(said("second", "`confidence` is NaN; it must be from 0 to 1"), 1, "{lines:?}");
    assert_eq!(said("third", "`score` is `good`, which is not a number"), 1, "{lines:?}");
    assert_eq!(said("fourth", "`source` is not a string or a number"), 1, "{lines:?}");
    assert_eq!(lines.len(), 4, "each kind once: {lines:?}");
}

#[tokio::test]
async fn a_status_may_be_a_number_or_a_truth_value_and_one_that_says_nothing_is_left_out() {
    let table = Table::create(SENTIMENTS).await;
    let row = async |id: &str, status: Value| {
        let item = json!({
            "source_id": { "S": id }, "timestamp": { "S": ago(Duration::ZERO) }, "sentiment": { "S": "neutral" },
            "matched_tickers": { "S": "X" }, "status": status,
        });
        table.put_raw(&item).await;
    };
    for (ready, states, expected) in [
        ("2", [json!({ "N": "1" }), json!({ "N": "2.0" }), json!({ "S": "2" })], [false, true, true]),
        ("true", [json!({ "BOOL": false }), json!({ "BOOL": true }), json!({ "NULL": true })], [false, true, true]),
    ] {
        let emulator = function(&table, &[("DATA_STATUS_READY", ready)]).await;
        let mut client = connect(&emulator, "").await;
        client.event("metrics", LIMIT).await;
        for (n, status) in states.into_iter().enumerate() {
            row(&format!("{ready} {n}"), status).await;
        }
        // Of a type that says nothing: the row counts as if it had none.
        row(&format!("{ready} list"), json!({ "L": [] })).await;
        client.during(POLL * 4).await;
        let ids = (0..3).filter(|n| expected[*n]).map(|n| n.to_string()).chain(["list".to_owned()]);
        let mut ids: Vec<String> = ids.map(|id| format!("{ready} {id}")).collect();
        let mut found: Vec<String> = updates(client.seen()).into_iter().map(|(id, _)| id).collect();
        ids.sort();
        found.sort();
        assert_eq!(found, ids);
        let logs = emulator.logs();
        let told = logs.iter().filter(|line| line.text.contains("value skipped"));
        let told = told.filter(|line| line.text.contains("`status` is not a string, a number")).count();
        assert_eq!(told, 1, "{logs:?}");
    }
}

#[tokio::test]
async fn numbers_are_tickers_and_members_that_are_none_are_left_out() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let long = "L".repeat(65);
    let forms = [
        ("numbers", json!({ "NS": ["700", "600519"] })),
        ("number", json!({ "N": "5" })),
        (
            "mixed",
            json!({ "L": [{ "NULL": true }, { "S": "" }, { "N": "700" }, { "S": "700" }, { "S": " A" }, { "S": " " }] }),
        ),
        ("odd", json!({ "L": [{ "M": { "S": { "S": "B" } } }, { "S": long }, { "S": "C" }, { "BOOL": true }] })),
        ("set", json!({ "SS": [" ", "D"] })),
        ("none", json!({ "NULL": true })),
    ];
    for (n, (id, tags)) in (1u64..).zip(&forms) {
        table
            .put_raw(&json!({
                "source_id": { "S": id }, "timestamp": { "S": ago(Duration::ZERO) }, "sentiment": { "S": "negative" },
                "matched_tickers": tags, "status": { "S": "analyzed" },
            }))
            .await;
        assert_has(&client.data("metrics", LIMIT).await, &counts(n, 0, 0, n));
    }
    let expected = [
        ("numbers", "600519"),
        ("numbers", "700"),
        ("number", "5"),
        ("mixed", "700"),
        ("mixed", "A"),
        ("odd", "C"),
        ("set", "D"),
        ("none", "null"),
    ];
    assert_eq!(updates(client.seen()), pairs(&expected));
    let logs = emulator.logs();
    let lines: Vec<_> = logs.iter().filter(|line| line.text.contains("value skipped")).collect();
    assert!(lines.len() == 1 && lines[0].text.contains("has a member that is a map"), "{lines:?}");
}

#[tokio::test]
async fn a_hash_key_may_be_a_number_on_every_page() {
    let table = Table::create(Schema { key_type: "N", ..SENTIMENTS }).await;
    let source = "s".repeat(2000);
    let row = |n: u32| Row {
        source: source.clone(),
        ..Row::new(&(8_000_000_000_u64 + u64::from(n)).to_string(), "positive", &["X"]).ago(HOUR + n * HOUR / 50)
    };
    table.put_all(&(0..600).map(row).collect::<Vec<_>>()).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(600, 600, 0, 0));
    table.put(&Row::new("17", "positive", &["X"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "17");
}

#[tokio::test]
async fn tags_may_be_a_list_a_set_or_one_text_and_a_row_without_any_is_one_update() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let forms = [
        ("list", json!({ "L": [{ "S": "A" }, { "S": "B" }, { "S": "A" }] })),
        ("set", json!({ "SS": ["A", "B"] })),
        ("text", json!({ "S": "A" })),
        ("none", json!({ "L": [] })),
    ];
    for (n, (id, tags)) in (0u64..).zip(&forms) {
        table
            .put_raw(&json!({
                "source_id": { "S": id }, "timestamp": { "S": ago(Duration::ZERO) }, "sentiment": { "S": "positive" },
                "matched_tickers": tags, "status": { "S": "analyzed" }, "score": { "N": "-1" },
            }))
            .await;
        assert_has(&client.data("metrics", LIMIT).await, &counts(n + 1, n + 1, 0, 0));
    }
    let expected = [("list", "A"), ("list", "B"), ("set", "A"), ("set", "B"), ("text", "A"), ("none", "null")];
    assert_eq!(updates(client.seen()), pairs(&expected));
}

#[tokio::test]
async fn a_window_of_several_pages_is_counted_whole() {
    let table = Table::create(SENTIMENTS).await;
    // A page of DynamoDB ends at one megabyte.
    let source = "s".repeat(2000);
    let row = |n: u32| Row {
        source: source.clone(),
        ..Row::new(&format!("r{n}"), "positive", &["X"]).ago(HOUR + n * HOUR / 50)
    };
    let rows: Vec<Row> = (0..600).map(row).collect();
    table.put_all(&rows).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(600, 600, 0, 0));
}

#[tokio::test]
async fn rows_leave_the_hour_and_the_window_as_time_goes_by() {
    let table = Table::create(SENTIMENTS).await;
    // So long that they are still there when they are first counted, on a machine that is slow too.
    let soon = Duration::from_secs(12);
    table.put(&Row::new("day", "negative", &["X"]).ago(DAY - soon)).await;
    table.put(&Row::new("hour", "positive", &["X"]).ago(HOUR - soon)).await;
    table.put(&Row::new("now", "positive", &["X"])).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    let first = client.data("metrics", LIMIT).await;
    assert_has(&first, &counts(3, 2, 0, 1));
    assert_eq!(first["rate_last_hour"], 2);
    let settled = |data: &Value| data["total"] == 2 && data["rate_last_hour"] == 1;
    let mut last = first;
    // They may leave in one event or in two.
    while !settled(&last) {
        last = client.data("metrics", LIMIT).await;
    }
    assert_has(&last, &counts(2, 2, 0, 0));
    assert_eq!(updates(client.seen()), []);
}

#[tokio::test]
async fn a_row_from_the_future_waits_until_its_time() {
    let table = Table::create(SENTIMENTS).await;
    let skew = contract::limits::FUTURE_SKEW;
    let far = rfc3339(SystemTime::now() + skew + Duration::from_secs(12));
    table.put(&Row { time: far, ..Row::new("far", "neutral", &["X"]) }).await;
    let years = rfc3339(SystemTime::now() + 1000 * DAY);
    table.put(&Row { time: years, ..Row::new("years", "neutral", &["X"]) }).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(0, 0, 0, 0));
    table.put(&Row::new("now", "neutral", &["X"])).await;
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "now");
    assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "far");
}
