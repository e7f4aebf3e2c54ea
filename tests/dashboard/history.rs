//! `GET /api/v2/history`: all steps together are the numbers, and each is what a count of the table says; tables for spreadsheets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{function, get};
use crate::emulator::Emulator;
use crate::support::client::Request;
use crate::support::seed;
use crate::support::table::{ORDERS, Row, SENTIMENTS, Table};
use contract::routes;

fn points(history: &Value) -> &Vec<Value> {
    history["points"].as_array().unwrap()
}

fn sum(history: &Value, label: &str) -> u64 {
    points(history).iter().map(|point| point["by_label"][label].as_u64().unwrap()).sum()
}

async fn history(emulator: &Emulator, query: &str) -> Value {
    get(emulator, &format!("{}{query}", routes::HISTORY)).await
}

/// Seconds since 1970 of a time as it is answered with.
fn secs(timestamp: &Value) -> u64 {
    let text = timestamp.as_str().unwrap();
    assert!(text.ends_with(":00.000Z"), "steps begin with a minute: {text}");
    stream_core::timestamp::Timestamp::parse(text).unwrap().millis() / 1000
}

#[tokio::test]
async fn every_step_is_what_a_count_of_the_table_says_and_together_they_are_the_numbers() {
    let table = Table::create(SENTIMENTS).await;
    let mut random = seed::from_env(16);
    let labels = ["positive", "neutral", "negative"];
    let tickers: [&[&str]; 4] = [&["AAPL"], &["MSFT", "AAPL"], &["TSLA"], &[]];
    let rows: Vec<Row> = (0..400)
        .map(|n| {
            let ago = Duration::from_secs(random.u64(20..86_000));
            let (label, tickers) = (labels[random.usize(..3)], tickers[random.usize(..4)]);
            Row::new(&format!("r{n}"), label, tickers).ago(ago)
        })
        .collect();
    table.put_all(&rows).await;
    let emulator = function(&table, &[("SSE_POLL_INTERVAL", "60s")]).await;
    for (filter, wanted) in [
        ("", &["AAPL", "MSFT", "TSLA"] as &[&str]),
        ("tickers=AAPL", &["AAPL"]),
        ("tickers=TSLA,MSFT", &["TSLA", "MSFT"]),
    ] {
        let metrics = get(&emulator, &format!("{}?{filter}", routes::METRICS)).await;
        for (step, length) in [("1m", 60), ("5m", 300), ("15m", 900), ("1h", 3600), ("120", 120)] {
            let found = history(&emulator, &format!("?step={step}&{filter}")).await;
            assert_eq!(found["step_seconds"], length);
            for label in labels {
                assert_eq!(sum(&found, label), metrics[label].as_u64().unwrap(), "{label} {step} {filter}");
            }
            let mut start = secs(&found["from"]);
            for point in points(&found) {
                assert_eq!(secs(&point["timestamp"]), start, "no step is left out");
                let inside = |row: &&Row| {
                    let at = stream_core::timestamp::Timestamp::parse(&row.time).unwrap().millis() / 1000;
                    let is_wanted =
                        filter.is_empty() || row.tags.iter().any(|ticker| wanted.contains(&ticker.as_str()));
                    (start..start + length).contains(&at) && is_wanted
                };
                let inside: Vec<&Row> = rows.iter().filter(inside).collect();
                assert_eq!(point["total"], inside.len(), "{start} {step} {filter}");
                let scores = if inside.is_empty() {
                    Value::Null
                } else {
                    json!({ "count": inside.len(), "mean": 0.5, "min": 0.5, "max": 0.5 })
                };
                assert_eq!(point["score"], scores);
                start += length;
            }
            assert_eq!(secs(&found["to"]), start);
        }
    }
}

#[tokio::test]
async fn a_part_of_the_day_has_whole_steps_and_what_is_not_there_is_not_made_up() {
    let table = Table::create(SENTIMENTS).await;
    table.put_all(&[Row::new("a", "positive", &[]).ago(Duration::from_secs(7000))]).await;
    let emulator = function(&table, &[]).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = |back: u64| stream_core::timestamp::Timestamp::from_millis((now - back) * 1000).to_string();
    let found = history(&emulator, &format!("?from={}&to={}&step=30m", at(7200), at(3600))).await;
    assert!((2..=4).contains(&points(&found).len()) && sum(&found, "positive") == 1, "{found}");
    assert!(secs(&found["from"]) <= now - 7200 && secs(&found["to"]) >= now - 3600);
    // The day, unless it is said otherwise, in as many steps as a chart shows.
    let day = history(&emulator, "").await;
    assert!(day["step_seconds"] == 300 && (288..=290).contains(&points(&day).len()), "{}", points(&day).len());
    assert_eq!(history(&emulator, &format!("?from={}", at(900_000))).await["points"], day["points"]);
    for empty in [format!("?from={}&to={}", at(900_000), at(800_000)), "?from=2999-01-01T00:00:00Z".to_owned()] {
        assert_eq!(history(&emulator, &empty).await["points"], json!([]), "{empty}");
    }
    for (bad, said) in [
        ("step=7m", "`step` is `7m`; it must be whole minutes that divide an hour"),
        ("from=today", "`from` is `today`: it is no RFC 3339 time"),
        ("tickers=A%00", "is not a valid"),
        ("format=xml", "`format` is `xml`; it must be `json` or `csv`"),
    ] {
        let answer = Request::get(emulator.address(), &format!("{}?{bad}", routes::HISTORY)).send().await;
        assert_eq!(answer.status(), 400, "{bad}");
        let detail = answer.into_json().await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(said), "{bad}: {detail}");
    }
}

#[tokio::test]
async fn what_has_not_changed_is_said_in_one_line_and_an_item_that_is_its_key_counts_once() {
    let table = Table::create(ORDERS).await;
    let row = |id: &str, label: &str, secs: u64| Row::new(id, label, &["east"]).ago(Duration::from_secs(secs));
    table.put_all(&[row("11", "placed", 9000), row("11", "shipped", 4000), row("12", "placed", 8000)]).await;
    let emulator = function(&table, &[("DATA_IDENTITY", "key")]).await;
    let target = format!("{}?step=1h&format=json", routes::HISTORY);
    let first = Request::get(emulator.address(), &target).send().await;
    assert_eq!(first.head.all("cache-control"), ["no-cache"]);
    let tag = first.head.all("etag")[0].to_owned();
    let found = first.into_json().await;
    assert_eq!((sum(&found, "placed"), sum(&found, "shipped")), (1, 1));
    assert!(points(&found).iter().all(|point| point["score"].is_null()), "the table has no scores");
    let again = Request::get(emulator.address(), &target).header("If-None-Match", &tag).send().await;
    // An hour may have begun meanwhile, and then there is a step more.
    assert!(again.status() == 304 || again.head.all("etag")[0] != tag);
    table.put(&row("13", "placed", 1)).await;
    tokio::time::sleep(super::POLL * 3).await;
    let changed = Request::get(emulator.address(), &target).header("If-None-Match", &tag).send().await;
    assert_eq!(changed.status(), 200);
    assert_eq!(sum(&changed.into_json().await, "placed"), 2);
}

/// An answer as text, with its headers.
async fn saved(emulator: &Emulator, target: &str) -> (String, Vec<String>) {
    let answer = Request::get(emulator.address(), target).send().await;
    assert_eq!(answer.status(), 200, "{target}");
    assert_eq!(answer.head.all("content-type"), ["text/csv; charset=utf-8; header=present"]);
    let heads = ["content-disposition", "link"].iter().flat_map(|name| answer.head.all(name)).collect();
    (String::from_utf8(answer.bytes().await.unwrap()).unwrap(), heads)
}

#[tokio::test]
async fn items_and_history_are_tables_for_spreadsheets_and_no_text_is_a_formula() {
    let table = Table::create(SENTIMENTS).await;
    let rows = [
        Row::new("=1+1", "positive", &["AAPL", "=cmd"]).ago(Duration::from_secs(60)),
        Row::new("say \"no\"", "negative", &["MSFT"]).ago(Duration::from_secs(120)),
    ];
    table.put_all(&rows).await;
    let emulator = function(&table, &[]).await;
    let (text, heads) = saved(&emulator, &format!("{}?format=csv", routes::ITEMS)).await;
    assert_eq!(heads, ["attachment; filename=\"items.csv\""]);
    let expected = format!(
        "timestamp,item_id,label,score,confidence,tickers,source\r\n\
         {},'=1+1,positive,0.5,0.9,\"AAPL,=cmd\",tests\r\n{},\"say \"\"no\"\"\",negative,0.5,0.9,MSFT,tests\r\n",
        rows[0].time, rows[1].time
    );
    assert_eq!(text, expected);

    // Page by page, as the header says.
    let (first, heads) = saved(&emulator, &format!("{}?limit=1&format=csv&token=secret", routes::ITEMS)).await;
    let link = heads[1].strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    assert!(!link.contains("secret"), "{link}");
    let (second, heads) = saved(&emulator, link).await;
    assert_eq!(heads.len(), 1, "nothing comes after it");
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!([lines(&first), lines(&second)].concat(), lines(&expected));

    let (text, heads) = saved(&emulator, &format!("{}?format=csv&step=1h", routes::HISTORY)).await;
    assert_eq!(heads, ["attachment; filename=\"history.csv\""]);
    let mut lines = text.lines();
    let columns = "timestamp,total,positive,neutral,negative,score_count,score_mean,score_min,score_max";
    assert_eq!(lines.next(), Some(columns));
    assert!(lines.clone().all(|line| line.split(',').count() == 9));
    let total: u32 = lines.map(|line| line.split(',').nth(1).unwrap().parse::<u32>().unwrap()).sum();
    assert_eq!(total, 2);
}

#[tokio::test]
async fn a_stream_goes_on_where_a_history_was_counted_and_tickers_have_their_own_steps() {
    let table = Table::create(SENTIMENTS).await;
    table.put_all(&[Row::new("a", "positive", &["AAPL", "MSFT"]).ago(Duration::from_secs(90))]).await;
    let emulator = function(&table, &[]).await;
    let found = history(&emulator, "?by_ticker=1h&step=1h").await;
    let ticker = &found["by_ticker"]["tickers"]["MSFT"];
    let total = |list: &Value| list.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum::<u64>();
    assert_eq!((total(&ticker["totals"]), total(&ticker["score_counts"])), (1, 1), "{ticker}");
    assert_eq!((&found["by_ticker"]["from"], &found["by_ticker"]["step_seconds"]), (&found["from"], &json!(3600)));
    let id = found["last_event_id"].as_str().unwrap();
    assert!(id.starts_with("evt_") && id.len() == 64, "{id}");
    // Of the table, whatever is asked for.
    let newest = get(&emulator, routes::ITEMS).await["items"][0]["timestamp"].clone();
    assert!(newest.is_string() && found["watermark"] == newest, "{newest}");
    assert_eq!(history(&emulator, "?tickers=NVDA").await["watermark"], newest);
    // Minutes of a day are more than an answer has: the next longer steps do.
    let longer = history(&emulator, "?by_ticker=1m").await;
    assert_eq!(longer["by_ticker"]["step_seconds"], 1800);
    assert_eq!(total(&longer["by_ticker"]["tickers"]["MSFT"]["totals"]), 1);
}
