//! Sums of old hours in a real table: written by an instance that read its window whole, read by histories that begin before theirs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use stream_core::timestamp::Timestamp;

use super::{LIMIT, config, connect};
use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::client::Request;
use crate::support::proxy::Proxy;
use crate::support::seed;
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{bins, dynamodb};
use contract::routes;

const ROWS: usize = 900;
/// Hours that a window of a day has whole, whatever the minute.
const HOURS: usize = 23;
const HOUR_MILLIS: u64 = 3_600_000;
/// Looks at what is kept that two readings of the whole window take: four hours at a look.
const LOOKS: usize = 2 * HOURS.div_ceil(4) + 1;
/// How far back the histories of these tests begin, hours.
const BACK: u64 = 20;

/// A table of rows over 23 hours, and one for its sums.
struct Scene {
    table: Table,
    rows: Vec<Row>,
    history: String,
}

fn now_millis() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn millis(row: &Row) -> u64 {
    Timestamp::parse(&row.time).unwrap().millis()
}

fn at(value: &Value) -> u64 {
    Timestamp::parse(value.as_str().unwrap()).unwrap().millis()
}

impl Scene {
    async fn new() -> Self {
        let table = Table::create(SENTIMENTS).await;
        let mut random = seed::from_env(17);
        let tags: [&[&str]; 4] = [&["AAPL"], &["AAPL", "MSFT"], &["NVDA"], &[]];
        let rows: Vec<Row> = (0..ROWS)
            .map(|n| {
                let label = SENTIMENTS.labels[random.usize(..3)];
                let ago = Duration::from_secs(random.u64(60..23 * 3600));
                Row::new(&format!("row-{n}"), label, tags[random.usize(..4)]).ago(ago)
            })
            .collect();
        table.put_all(&rows).await;
        let history = format!("history-{:x}", fastrand::u64(..));
        dynamodb::create_users_table(table.server, &history).await;
        Self { table, rows, history }
    }

    fn config(&self, proxy: &Proxy, more: &[(&str, &str)]) -> Config {
        let own = [("HISTORY_TABLE", self.history.as_str()), ("HISTORY_KEEP", "30d"), ("SSE_MAX_SESSION", "890s")];
        let own = own.into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
        Config { timeout: Duration::from_secs(900), ..config(&self.table, proxy.address(), &own) }
    }

    /// A stream function with one client, which stays.
    async fn watch(&self, more: &[(&str, &str)]) -> (Proxy, Emulator) {
        self.watch_within(more, LIMIT).await
    }

    /// The same, where the window takes longer to read.
    async fn watch_within(&self, more: &[(&str, &str)], limit: Duration) -> (Proxy, Emulator) {
        let proxy = Proxy::start().await;
        let emulator = Emulator::start(self.config(&proxy, more)).await;
        let mut client = connect(&emulator, "").await;
        client.data("metrics", limit).await;
        tokio::spawn(async move { client.until_end(Duration::from_secs(300)).await });
        (proxy, emulator)
    }

    /// A dashboard function whose window is short, so that what it says of older hours is what was kept.
    async fn dashboard(&self, more: &[(&str, &str)]) -> (Proxy, Emulator) {
        let proxy = Proxy::start().await;
        let more = [("DATA_WINDOW", "2h")].into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
        let base = self.config(&proxy, &more);
        let config = Config { program: bins::path("dashboard"), invoke_mode: InvokeMode::Buffered, ..base };
        (proxy, Emulator::start(config).await)
    }

    async fn kept(&self) -> Vec<Value> {
        let answer = dynamodb::call_at(self.table.server, "Scan", &json!({ "TableName": self.history })).await;
        answer["Items"].as_array().cloned().unwrap_or_default()
    }

    /// The heads that are there, oldest first.
    async fn heads(&self) -> Vec<Value> {
        let mut heads: Vec<Value> = self.kept().await.into_iter().filter(|item| !item["content"].is_null()).collect();
        heads.sort_by_key(|head| head["SK"]["S"].to_string());
        heads
    }

    /// Waits until all hours are kept that a window has whole.
    async fn full(&self) -> Vec<Value> {
        let began = std::time::Instant::now();
        loop {
            let heads = self.heads().await;
            if heads.len() >= HOURS {
                return heads;
            }
            assert!(began.elapsed() < LIMIT, "{} hours", heads.len());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How many rows of that label and ticker lie in a range.
    fn count(&self, range: std::ops::Range<u64>, label: Option<&str>, ticker: Option<&str>) -> u64 {
        let is_it = |row: &&Row| {
            range.contains(&millis(row))
                && label.is_none_or(|label| row.label == label)
                && ticker.is_none_or(|ticker| row.tags.iter().any(|tag| tag == ticker))
        };
        u64::try_from(self.rows.iter().filter(is_it).count()).unwrap()
    }
}

async fn history(emulator: &Emulator, query: &str) -> Value {
    let from = Timestamp::from_millis(now_millis() - BACK * HOUR_MILLIS);
    let path = format!("{}?from={from}{query}", routes::HISTORY);
    Request::get(emulator.address(), &path).send().await.into_json().await
}

fn writes(proxy: &Proxy, table: &str) -> usize {
    let is_it =
        |one: &&crate::support::proxy::Exchange| one.operation == "PutItem" && one.request["TableName"] == table;
    proxy.exchanges().iter().filter(is_it).count()
}

#[tokio::test]
async fn a_history_before_the_window_is_what_a_count_of_the_table_says_and_gaps_are_no_zeros() {
    let scene = Scene::new().await;
    let (_first, _alive) = scene.watch(&[]).await;
    let heads = scene.full().await;

    // Who finds the same writes nothing.
    let (second, _also) = scene.watch(&[]).await;
    let began = std::time::Instant::now();
    let looks = |proxy: &Proxy| {
        let of_table = |one: &&crate::support::proxy::Exchange| {
            one.operation == "Query" && one.request["TableName"] == scene.history.as_str()
        };
        proxy.exchanges().iter().filter(of_table).count()
    };
    while looks(&second) < HOURS.div_ceil(contract::limits::ROLLUPS_PER_POLL) {
        assert!(began.elapsed() < LIMIT, "{} looks", looks(&second));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(writes(&second, &scene.history) <= 2, "an hour that has just ended at most");

    let (proxy, dashboard) = scene.dashboard(&[]).await;
    who_has_the_answer_causes_no_reading_of_sums(&scene, &proxy, &dashboard).await;
    for (query, ticker) in [("", None), ("&tickers=AAPL", Some("AAPL"))] {
        let found = history(&dashboard, query).await;
        assert_eq!((&found["step_seconds"], &found["gaps"]), (&json!(3600), &Value::Null), "{found:#}");
        let points = found["points"].as_array().unwrap();
        assert_eq!(points.len() as u64, BACK + 1);
        for point in points {
            let start = at(&point["timestamp"]);
            let hour = start..start + HOUR_MILLIS;
            assert_eq!(point["total"], json!(scene.count(hour.clone(), None, ticker)), "{query} {point}");
            for label in SENTIMENTS.labels {
                assert_eq!(
                    point["by_label"][label],
                    json!(scene.count(hour.clone(), Some(label), ticker)),
                    "{query} {point}"
                );
            }
        }
    }

    // One hour was never kept, and the bytes of another are not what was written: gaps, each with its reason.
    let lost = &heads[8];
    let key = json!({ "PK": lost["PK"], "SK": lost["SK"] });
    dynamodb::call_at(scene.table.server, "DeleteItem", &json!({ "TableName": scene.history, "Key": key })).await;
    let found = history(&dashboard, "").await;
    let start = lost["SK"]["S"].as_str().unwrap().parse::<u64>().unwrap() * HOUR_MILLIS;
    let gaps = found["gaps"].as_array().unwrap();
    assert_eq!((gaps.len(), at(&gaps[0]["from"]), at(&gaps[0]["to"])), (1, start, start + HOUR_MILLIS), "{gaps:?}");
    assert_eq!(gaps[0]["reason"], "not-kept");
    assert!(found["points"].as_array().unwrap().iter().all(|point| at(&point["timestamp"]) != start), "{found:#}");
    let altered = scene.kept().await.into_iter().find(|item| {
        item["PK"]["S"].as_str().unwrap().contains(&format!("#{}#", heads[12]["SK"]["S"].as_str().unwrap()))
    });
    let mut altered = altered.unwrap();
    altered["chunk"] = json!({ "B": "AQMAAAAA" });
    dynamodb::call_at(scene.table.server, "PutItem", &json!({ "TableName": scene.history, "Item": altered })).await;
    let found = history(&dashboard, "").await;
    let reasons: Vec<&Value> = found["gaps"].as_array().unwrap().iter().map(|gap| &gap["reason"]).collect();
    assert_eq!(reasons, ["unavailable", "unavailable"]);
    assert!(dashboard.logs().iter().any(|line| line.text.contains(contract::logs::ROLLUP_REFUSED)));
}

async fn who_has_the_answer_causes_no_reading_of_sums(scene: &Scene, proxy: &Proxy, dashboard: &Emulator) {
    let path = format!("{}?from={}", routes::HISTORY, Timestamp::from_millis(now_millis() - BACK * HOUR_MILLIS));
    let readings = || {
        let of_sums = |one: &&crate::support::proxy::Exchange| {
            one.operation != "Query" && one.request.to_string().contains(scene.history.as_str())
        };
        proxy.exchanges().iter().filter(of_sums).count()
    };
    // An hour that ends meanwhile is another answer.
    let began = std::time::Instant::now();
    loop {
        let first = Request::get(dashboard.address(), &path).send().await;
        assert_eq!(first.status(), 200);
        let (tag, read) = (first.head.get("etag").unwrap(), readings());
        assert!(read > 0);
        let again = Request::get(dashboard.address(), &path).header("If-None-Match", &tag).send().await;
        if again.status() == 304 {
            assert_eq!((again.head.get("etag"), readings()), (Some(tag), read));
            return;
        }
        assert!(began.elapsed() < LIMIT, "the answer differs each time");
    }
}

#[tokio::test]
async fn an_hour_whose_sums_are_too_large_is_left_out_with_one_line_of_why() {
    let scene = Scene::new().await;
    let hour = now_millis() / HOUR_MILLIS - 5;
    let large: Vec<Row> = (0..1_400)
        .map(|n| {
            let tags: Vec<String> = (0..100).map(|tag| format!("{n:0>30}-{tag:0>30}")).collect();
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let at = Timestamp::from_millis(hour * HOUR_MILLIS + 1_000 + n * 1_000);
            Row { time: at.to_string(), ..Row::new(&format!("large-{n}"), "neutral", &tags) }
        })
        .collect();
    scene.table.put_all(&large).await;
    let (proxy, alive) = scene.watch_within(&[("SSE_RECONCILE_INTERVAL", "12s")], 5 * LIMIT).await;
    let lines = || {
        let logs = alive.logs();
        logs.into_iter().filter(|line| line.text.contains(contract::logs::ROLLUP_TOO_LARGE)).collect::<Vec<_>>()
    };
    let looks = || {
        proxy
            .exchanges()
            .iter()
            .filter(|one| one.request["TableName"] == scene.history.as_str() && one.operation == "Query")
            .count()
    };
    let began = std::time::Instant::now();
    let mut looks_then = None;
    // Until it was read, and looked at, twice more.

    while looks_then.is_none_or(|then| looks() < then + LOOKS) {
        if looks_then.is_none() && !lines().is_empty() {
            looks_then = Some(looks());
        }
        assert!(began.elapsed() < 5 * LIMIT, "{} lines, {} looks", lines().len(), looks());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let [line] = &lines()[..] else { panic!("{} lines", lines().len()) };
    let at = Timestamp::from_millis(hour * HOUR_MILLIS).to_string();
    for said in [at.as_str(), "8388608", "data.attributes.tags"] {
        assert!(line.text.contains(said), "{said}: {}", line.text);
    }
    let hours: Vec<String> =
        scene.heads().await.iter().map(|head| head["SK"]["S"].as_str().unwrap().to_owned()).collect();
    assert!(!hours.contains(&hour.to_string()) && hours.len() >= HOURS - 1, "{hours:?}");
}

#[tokio::test]
async fn a_late_row_is_in_the_sums_after_the_next_reading_and_a_table_out_of_reach_is_a_gap() {
    let scene = Scene::new().await;
    let (_proxy, _alive) = scene.watch(&[("SSE_RECONCILE_INTERVAL", "12s")]).await;
    scene.full().await;
    let late = Row::new("late", "negative", &["LATE"]).ago(Duration::from_secs(10 * 3600));
    scene.table.put(&late).await;
    let (_proxy, dashboard) = scene.dashboard(&[]).await;
    let began = std::time::Instant::now();
    loop {
        let found = history(&dashboard, "&tickers=LATE").await;
        let points = found["points"].as_array().unwrap();
        let with: Vec<&Value> = points.iter().filter(|point| point["total"] != 0).collect();
        if let [point] = with[..] {
            let start = at(&point["timestamp"]);
            assert!((start..start + HOUR_MILLIS).contains(&millis(&late)) && point["total"] == 1, "{point}");
            break;
        }
        assert!(began.elapsed() < LIMIT, "{found:#}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    let (_proxy, blind) = scene.dashboard(&[("HISTORY_TABLE", "no-such-table")]).await;
    let found = history(&blind, "").await;
    let gaps = found["gaps"].as_array().unwrap();
    assert_eq!((gaps.len(), &gaps[0]["reason"]), (1, &json!("unavailable")), "{found:#}");
    let counted: u64 = found["points"].as_array().unwrap().iter().map(|point| point["total"].as_u64().unwrap()).sum();
    assert_eq!(counted, scene.count(at(&gaps[0]["to"])..now_millis(), None, None), "the window is there");
    assert!(blind.logs().iter().any(|line| line.text.contains(contract::logs::ROLLUPS_FAIL)));
}
