//! Old hours that instances leave for one another, in a real table.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMIT, assert_has, config, connect, counts, names, pairs, updates};
use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::client::Request;
use crate::support::proxy::{Exchange, Mode, Proxy};
use crate::support::table::{Row, SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

/// Rows over the last 23 hours, a third of each label.
const ROWS: u64 = 6000;
/// Hours of the day that are left at least, whatever the minute: all but the newest, of which rows may be asked for whole.
const HOURS: usize = 20;
/// Longest that an instance leaves nothing: an errand that failed, where the engine is slow, is not followed by another one at once.
const IDLE_MAX: Duration = Duration::from_secs(3 * contract::limits::BACKOFF_MAX.as_secs());
/// What the newest hours have of all rows at most is one part of these.
const NEWEST: usize = 5;

/// A table of many rows, and one for its hours.
struct Scene {
    table: Table,
    hours: String,
}

impl Scene {
    async fn new() -> Self {
        Self::of(ROWS, Duration::from_millis(13_800)).await
    }

    /// So many rows, one in each such time.
    async fn of(rows: u64, each: Duration) -> Self {
        let table = Table::create(SENTIMENTS).await;
        let row = |n: u64| {
            let label = SENTIMENTS.labels[usize::try_from(n % 3).unwrap()];
            let tags: &[&str] = if n.is_multiple_of(2) { &["AAPL", "MSFT"] } else { &["NVDA"] };
            let ago = Duration::from_secs(60) + each * u32::try_from(n).unwrap();
            Row::new(&format!("row-{n}-{}", "x".repeat(60)), label, tags).ago(ago)
        };
        table.put_all(&(0..rows).map(row).collect::<Vec<_>>()).await;
        let hours = format!("hours-{:x}", fastrand::u64(..));
        dynamodb::create_users_table(table.server, &hours).await;
        Self { table, hours }
    }

    fn config(&self, proxy: &Proxy, more: &[(&str, &str)]) -> Config {
        // An instance whose stream has ended is frozen, and leaves nothing any more.
        let own = [("HOURS_TABLE", self.hours.as_str()), ("SSE_MAX_SESSION", "890s")];
        let own = own.into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
        Config { timeout: Duration::from_secs(900), ..config(&self.table, proxy.address(), &own) }
    }

    /// Everything that is on the shelf.
    async fn shelf(&self) -> Vec<Value> {
        let (mut items, mut scan) = (Vec::new(), json!({ "TableName": self.hours }));
        loop {
            // A page is a megabyte.
            let answer = dynamodb::call_at(self.table.server, "Scan", &scan).await;
            items.extend(answer["Items"].as_array().cloned().unwrap_or_default());
            if answer["LastEvaluatedKey"].is_null() {
                return items;
            }
            scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"].clone();
        }
    }

    /// How many hours have bytes.
    async fn left(&self) -> usize {
        self.shelf().await.iter().filter(|item| !item["content"].is_null()).count()
    }

    /// Waits until the instance behind the proxy has left all of the day that is old: two polls that left nothing more. As long
    /// as it goes on; how many hours that are depends on the minute.
    async fn full(&self, proxy: &Proxy) {
        let (mut since, mut known) = (std::time::Instant::now(), 0);
        loop {
            let left = self.left().await;
            let exchanges = proxy.exchanges();
            let last = exchanges.iter().rposition(|one| is_write_of(one, &self.hours)).unwrap_or(0);
            let queries = exchanges[last..].iter().filter(|one| one.is_query_of("by_sentiment") && one.status == 200);
            if left >= HOURS && queries.count() >= 2 * SENTIMENTS.labels.len() {
                return;
            }
            if left > known {
                (since, known) = (std::time::Instant::now(), left);
            }
            assert!(since.elapsed() < IDLE_MAX, "{left} hours");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn delete(&self, item: &Value) {
        let key = json!({ "PK": item["PK"], "SK": item["SK"] });
        dynamodb::call_at(self.table.server, "DeleteItem", &json!({ "TableName": self.hours, "Key": key })).await;
    }
}

fn all() -> Value {
    counts(ROWS, ROWS / 3, ROWS / 3, ROWS / 3)
}

fn of_index(proxy: &Proxy) -> Vec<Exchange> {
    proxy.exchanges().into_iter().filter(|one| one.is_query_of("by_sentiment") && one.status == 200).collect()
}

/// Queries of the index before the first hour was left.
fn loaded(proxy: &Proxy, hours: &str) -> Vec<Exchange> {
    let is_load = |one: &Exchange| !is_write_of(one, hours);
    let before = proxy.exchanges().into_iter().take_while(is_load);
    before.filter(|one| one.is_query_of("by_sentiment") && one.status == 200).collect()
}

fn rows(exchanges: &[Exchange]) -> usize {
    exchanges.iter().filter_map(|one| one.response["Items"].as_array()).map(Vec::len).sum()
}

fn units(exchanges: &[Exchange]) -> f64 {
    exchanges.iter().map(Exchange::units).sum()
}

fn is_write_of(one: &Exchange, hours: &str) -> bool {
    one.operation == "PutItem" && one.request["TableName"] == hours && one.status == 200
}

/// Heads and bytes that were written, those that were refused not.
fn written(proxy: &Proxy, hours: &str) -> Vec<Exchange> {
    proxy.exchanges().into_iter().filter(|one| is_write_of(one, hours)).collect()
}

/// The hours whose heads were written, each once.
fn hours_written(proxy: &Proxy, hours: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for one in written(proxy, hours).iter().filter(|one| !one.request["Item"]["content"].is_null()) {
        let hour = one.request["Item"]["SK"]["S"].as_str().unwrap();
        assert!(all.insert(hour.to_owned()), "{hour} was written twice");
    }
    all
}

/// A function that starts, and its numbers.
async fn start(scene: &Scene, more: &[(&str, &str)]) -> (Proxy, Emulator, Value) {
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(scene.config(&proxy, more)).await;
    let mut client = connect(&emulator, "").await;
    let metrics = client.data("metrics", LIMIT).await;
    // The stream stays open: its instance goes on.
    tokio::spawn(async move { client.until_end(Duration::from_secs(300)).await });
    (proxy, emulator, metrics)
}

#[tokio::test]
async fn the_next_instance_takes_the_hours_and_reads_only_what_is_new() {
    let scene = Scene::new().await;
    let (first, _alive, metrics) = start(&scene, &[]).await;
    assert_has(&metrics, &all());
    let read = of_index(&first);
    let whole = usize::try_from(ROWS).unwrap();
    assert!(rows(&read) >= whole, "{} rows", rows(&read));
    // Where the shelf is empty each row is read once, but for those of a first poll.
    let of_load = loaded(&first, &scene.hours);
    assert!(rows(&of_load) <= whole + whole / 10, "{} rows of {whole}", rows(&of_load));
    scene.full(&first).await;
    let before = hours_written(&first, &scene.hours);

    let (second, _alive, again) = start(&scene, &[]).await;
    for key in ["total", "positive", "neutral", "negative", "by_tag", "rate_last_24h"] {
        assert_eq!(again[key], metrics[key], "{key}");
    }
    let read_again = of_index(&second);
    assert!(rows(&read_again) * NEWEST < rows(&read), "{} rows of {}", rows(&read_again), rows(&read));
    let is_of_hours = |one: &Exchange| {
        one.request["TableName"] == scene.hours.as_str() || !one.request["RequestItems"][&scene.hours].is_null()
    };
    let taken: Vec<Exchange> = second.exchanges().into_iter().filter(is_of_hours).collect();
    assert!(taken.iter().any(|one| one.operation == "BatchGetItem") && units(&taken) > 10.0, "{taken:?}");
    let of_start = units(&read_again) + units(&taken);
    assert!(of_start * 2.0 < units(&read), "{of_start} read units, {} without hours", units(&read));
    // What was there is not written again; an hour that has become old since then may be, by one of the two.
    let new = hours_written(&second, &scene.hours);
    assert!(new.len() <= 1 && new.is_disjoint(&before), "{new:?} beside {before:?}");
    assert!(new.is_disjoint(&hours_written(&first, &scene.hours)), "{new:?}");

    // The dashboard function takes them too, and may write nothing.
    let proxy = Proxy::start().await;
    let base = scene.config(&proxy, &[]);
    let emulator =
        Emulator::start(Config { program: bins::path("dashboard"), invoke_mode: InvokeMode::Buffered, ..base }).await;
    let answer = Request::get(emulator.address(), "/api/v2/metrics").send().await;
    assert_has(&answer.into_json().await, &all());
    assert!(rows(&of_index(&proxy)) * NEWEST < rows(&read), "{} rows", rows(&of_index(&proxy)));
    assert!(written(&proxy, &scene.hours).is_empty());
}

#[tokio::test]
async fn what_is_altered_lost_or_out_of_reach_is_read_from_the_table() {
    let scene = Scene::new().await;
    let (first, _alive, metrics) = start(&scene, &[]).await;
    assert_has(&metrics, &all());
    scene.full(&first).await;
    // One is altered, one lacks its bytes, one its head.
    let shelf = scene.shelf().await;
    let mut heads: Vec<&Value> = shelf.iter().filter(|item| !item["content"].is_null()).collect();
    heads.sort_by_key(|head| head["SK"]["S"].to_string());
    let chunk = |head: &Value| {
        let text = |value: &Value| value["S"].as_str().unwrap().to_owned();
        let partition = format!("{}#{}#{}", text(&head["PK"]), text(&head["SK"]), text(&head["content"]));
        shelf.iter().find(|item| item["PK"]["S"] == partition.as_str()).unwrap().clone()
    };
    let (mut altered, gone, head) = (chunk(heads[5]), chunk(heads[8]), heads[11]);
    altered["chunk"] = json!({ "B": "AQMAAAAA" });
    dynamodb::call_at(scene.table.server, "PutItem", &json!({ "TableName": scene.hours, "Item": altered })).await;
    scene.delete(&gone).await;
    scene.delete(head).await;
    let (_proxy, second, again) = start(&scene, &[]).await;
    assert_has(&again, &all());
    let refused = |logs: &[crate::support::process::LogLine]| {
        logs.iter().filter(|line| line.text.contains(contract::logs::HOUR_REFUSED)).count()
    };
    assert_eq!(refused(&second.logs()), 2, "{:#?}", second.logs());
    // They are written again.
    let key = json!({ "PK": gone["PK"], "SK": gone["SK"] });
    let began = std::time::Instant::now();
    loop {
        let found =
            dynamodb::call_at(scene.table.server, "GetItem", &json!({ "TableName": scene.hours, "Key": key })).await;
        if !found["Item"].is_null() {
            break;
        }
        assert!(began.elapsed() < LIMIT, "the bytes are not there again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // And of nothing at all, in the middle of everything.
    for item in scene.shelf().await {
        scene.delete(&item).await;
    }
    let (_proxy, _alive, third) = start(&scene, &[]).await;
    assert_has(&third, &all());
    // A table that is not there costs a line.
    let nowhere = Scene {
        table: Table { name: scene.table.name.clone(), users: scene.table.users.clone(), ..scene.table },
        hours: "no-such-table".into(),
    };
    let (_proxy, alone, fourth) = start(&nowhere, &[]).await;
    assert_has(&fourth, &all());
    let said = alone.logs().iter().filter(|line| line.text.contains(contract::logs::HOURS_FAIL)).count();
    assert_eq!(said, 1, "{:#?}", alone.logs());
}

#[tokio::test]
async fn instances_that_start_at_once_write_each_hour_once() {
    let scene = Scene::new().await;
    let (one, other) = (Proxy::start().await, Proxy::start().await);
    one.set(Mode::Slow);
    other.set(Mode::Slow);
    let (first, second) =
        (Emulator::start(scene.config(&one, &[])).await, Emulator::start(scene.config(&other, &[])).await);
    let (mut a, mut b) = (connect(&first, "").await, connect(&second, "").await);
    let (at_a, at_b) = tokio::join!(a.data("metrics", LIMIT), b.data("metrics", LIMIT));
    assert_has(&at_a, &all());
    assert_has(&at_b, &all());
    scene.full(&one).await;
    scene.full(&other).await;
    let (of_one, of_other) = (hours_written(&one, &scene.hours), hours_written(&other, &scene.hours));
    assert!(of_one.is_disjoint(&of_other), "{of_one:?} and {of_other:?}");
}

#[tokio::test]
async fn a_row_that_appears_late_in_an_old_hour_is_found_within_the_interval_by_all() {
    let scene = Scene::new().await;
    let interval = [("SSE_RECONCILE_INTERVAL", "12s")];
    let (one, _alive, metrics) = start(&scene, &interval).await;
    assert_has(&metrics, &all());
    scene.full(&one).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(scene.config(&proxy, &interval)).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &all());
    scene.table.put(&Row::new("very-late", "negative", &["LATE"]).ago(Duration::from_secs(10 * 3600))).await;
    let more = loop {
        let metrics = client.data("metrics", LIMIT).await;
        if metrics["total"] != json!(ROWS) {
            break metrics;
        }
    };
    assert_has(&more, &counts(ROWS + 1, ROWS / 3, ROWS / 3, ROWS / 3 + 1));
    // The third may take the hour as it was left before: not for longer than the interval.
    let proxy = Proxy::start().await;
    let third = Emulator::start(scene.config(&proxy, &interval)).await;
    let mut client = connect(&third, "").await;
    while client.data("metrics", LIMIT).await["total"] != more["total"] {}
}

/// A busy table: the newest hours are there too, as they stand, and are rows of the table a moment after the first numbers.
#[tokio::test]
async fn where_there_are_many_rows_the_first_numbers_do_not_wait_for_the_newest_hours() {
    // 9,000 an hour, of four hours.
    let (rows, each) = (36_000, Duration::from_millis(400));
    let scene = Scene::of(rows, each).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(scene.config(&proxy, &[])).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(rows, rows / 3, rows / 3, rows / 3));
    let id = client.last_id();
    // Each kind of hours is a partition of its own.
    let began = std::time::Instant::now();
    let kinds = loop {
        let shelf = scene.shelf().await;
        let heads = shelf.iter().filter(|item| !item["content"].is_null());
        let kinds: BTreeSet<String> = heads.map(|head| head["PK"]["S"].to_string()).collect();
        if kinds.len() == 2 {
            break kinds;
        }
        assert!(began.elapsed() < IDLE_MAX, "{kinds:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    scene.table.put(&Row::new("missed", "negative", &["X", "Y"])).await;

    let proxy = Proxy::start().await;
    let second = Emulator::start(scene.config(&proxy, &[])).await;
    let mut new = connect(&second, "").await;
    let all = counts(rows + 1, rows / 3, rows / 3, rows / 3 + 1);
    assert_has(&new.data("metrics", LIMIT).await, &all);
    let exchanges = proxy.exchanges();
    let is_taken = |one: &Exchange| !one.request["RequestItems"][&scene.hours].is_null();
    let last = exchanges.iter().rposition(is_taken).unwrap_or_else(|| panic!("nothing of {kinds:?} was taken"));
    let before = exchanges[..last].iter().filter(|one| one.is_query_of("by_sentiment")).cloned().collect::<Vec<_>>();
    // 23 minutes and the age of what was left; the newest hours are 45 to 105.
    assert!(self::rows(&before) < 5_000, "{} rows before the first numbers", self::rows(&before));
    // The rest is read after it, once.
    let read = wait_for_rest(&proxy, &before).await;
    assert!(read < 18_000, "{read} rows in all");
    // Whoever returns to such an instance has what it missed.
    let proxy = Proxy::start().await;
    let third = Emulator::start(scene.config(&proxy, &[])).await;
    let mut back = connect(&third, &id).await;
    assert_has(&back.data("metrics", LIMIT).await, &all);
    assert_eq!(updates(back.seen()), pairs(&[("missed", "X"), ("missed", "Y")]));
    assert!(!names(back.seen()).contains(&"reset".to_owned()));
}

/// Rows that an instance has read, once it has read more than for its first numbers, and nothing but what is new any more.
async fn wait_for_rest(proxy: &Proxy, first: &[Exchange]) -> usize {
    let began = std::time::Instant::now();
    loop {
        let all = of_index(proxy);
        let newest = all.iter().rev().take(3).map(|one| rows(std::slice::from_ref(one))).max().unwrap_or(0);
        if rows(&all) > rows(first) + 3_000 && newest < 1_000 {
            return rows(&all);
        }
        assert!(began.elapsed() < LIMIT, "{} rows, {newest} at last", rows(&all));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
