//! Tables as other programs write them, each with the manifest that fits: what the stream and REST make of their rows.
//!
//! `tests/fixtures/tables/NAME` has the manifest, what `CreateTable` was called with, rows that are there before a stream and
//! rows that come after, and what is to be seen; and a line of the manifest that does not fit, with what the log says of it. A text `@-60|YYYY-MM-DDThh:mm:ssZ` is the time so many seconds from now.

mod read_only;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::client::Request;
use crate::support::clock::{epoch_ms, rfc3339};
use crate::support::sse::SseClient;
use crate::support::{bins, dynamodb};

const LIMIT: Duration = Duration::from_secs(60);

/// A folder of `tests/fixtures/tables`.
struct Fixture(PathBuf);

impl Fixture {
    fn new(name: &str) -> Self {
        Self(bins::workspace().join("tests/fixtures/tables").join(name))
    }

    fn text(&self, file: &str) -> String {
        let path = self.0.join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&self.text(file)).unwrap_or_else(|error| panic!("{}/{file}: {error}", self.0.display()))
    }

    /// Variables of the functions, as the generator writes them from a manifest.
    fn variables(manifest: &str) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("deploy.toml"), manifest).unwrap();
        let mut infragen = std::process::Command::new(bins::path("infragen"));
        let output = infragen.args(["--env", "local", "render"]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(folder.path().join("generated/local/functions.env")).unwrap();
        let data = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.lines().filter(|line| line.starts_with("DATA_")).filter_map(data).collect()
    }
}

/// The time so many seconds from now, in this pattern.
fn written(seconds: i64, pattern: &str) -> String {
    let now = UNIX_EPOCH + Duration::from_millis(epoch_ms());
    let shift = Duration::from_secs(seconds.unsigned_abs());
    let moment = if seconds < 0 { now - shift } else { now + shift };
    let millis = moment.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let text = rfc3339(moment);
    let (second, fraction) = (millis / 1000, &text[20..23]);
    let parts = [
        ("EPOCH", second.to_string()),
        ("MILLIS", millis.to_string()),
        ("YYYY", text[..4].to_owned()),
        ("MM", text[5..7].to_owned()),
        ("DD", text[8..10].to_owned()),
        ("hh", text[11..13].to_owned()),
        ("mm", text[14..16].to_owned()),
        ("ss", text[17..19].to_owned()),
        ("ffffff", format!("{fraction}456")),
        ("fff", fraction.to_owned()),
    ];
    parts.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Writes the times of a row: `@-60+3600|PATTERN`.
fn dated(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('@').and_then(|rest| rest.split_once('|')) {
            Some((shifts, pattern)) => {
                let shifts = shifts.replace('-', " -").replace('+', " +");
                let seconds = shifts.split_whitespace().map(|shift| shift.parse::<i64>().unwrap()).sum();
                Value::String(written(seconds, pattern))
            }
            None => value.clone(),
        },
        Value::Array(values) => values.iter().map(dated).collect(),
        Value::Object(values) => {
            values.iter().map(|(name, value)| (name.clone(), dated(value))).collect::<Map<_, _>>().into()
        }
        _ => value.clone(),
    }
}

/// A table with the rows of a fixture.
struct Table {
    name: String,
    variables: BTreeMap<String, String>,
}

impl Table {
    async fn create(fixture: &Fixture, manifest: &str) -> Self {
        let name = format!("{}-{:x}", fixture.0.file_name().unwrap().to_string_lossy(), fastrand::u64(..));
        let mut input = fixture.json("table.json");
        input["TableName"] = name.clone().into();
        input["BillingMode"] = "PAY_PER_REQUEST".into();
        let server = dynamodb::address();
        dynamodb::call_at(server, "CreateTable", &input).await;
        let users = format!("{name}-users");
        dynamodb::create_users_table(server, &users).await;
        let own = [("SENTIMENTS_TABLE", &*name), ("USERS_TABLE", &users), ("SSE_POLL_INTERVAL", "500ms")];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = Fixture::variables(manifest).into_iter().chain(own).chain(dynamodb::env(server)).collect();
        Self { name, variables }
    }

    async fn put(&self, rows: &Value) {
        for row in rows.as_array().expect("a list of rows") {
            let input = json!({ "TableName": self.name, "Item": dated(row) });
            dynamodb::call_at(dynamodb::address(), "PutItem", &input).await;
        }
    }

    fn config(&self, program: &str) -> Config {
        Config::new(bins::path(program), self.variables.clone())
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }
}

/// Asserts that these keys have these values, whatever else there is.
fn assert_has(what: &str, data: &Value, expected: &Value) {
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&data[key], value, "{what}: `{key}` of {data}");
    }
}

async fn is_shown(name: &str) {
    let fixture = Fixture::new(name);
    let (rows, expected) = (fixture.json("rows.json"), fixture.json("expected.json"));
    let table = Table::create(&fixture, &fixture.text("deploy.toml")).await;
    table.put(&rows["before"]).await;
    let stream = Emulator::start(table.config("stream")).await;
    let mut client = SseClient::connect(Request::get(stream.address(), contract::routes::STREAM)).await;
    client.event("metrics", LIMIT).await;
    table.put(&rows["new"]).await;
    let event = table.variable("DATA_UPDATE_EVENT").to_owned();
    // Rows that were written together come in the order of their times.
    let mut left: Vec<&Value> = expected["updates"].as_array().unwrap().iter().collect();
    while !left.is_empty() {
        let update = client.data(&event, LIMIT).await;
        let is_same = |one: &&Value| one["item_id"] == update["item_id"] && one["ticker"] == update["ticker"];
        let at = left.iter().position(is_same).unwrap_or_else(|| panic!("{name}: nobody expects {update}"));
        assert_has(name, &update, left.remove(at));
    }
    // A stream that begins now counts all of them.
    let mut again = SseClient::connect(Request::get(stream.address(), contract::routes::STREAM)).await;
    assert_has(name, &again.data("metrics", LIMIT).await, &expected["metrics"]);
    let config = Config { invoke_mode: InvokeMode::Buffered, ..table.config("dashboard") };
    let dashboard = Emulator::start(config).await;
    let metrics = Request::get(dashboard.address(), contract::routes::METRICS).send().await.into_json().await;
    assert_has(name, &metrics, &expected["metrics"]);
    let items = Request::get(dashboard.address(), contract::routes::ITEMS).send().await.into_json().await;
    let items = items["items"].as_array().unwrap_or_else(|| panic!("{name}: {items}"));
    assert_eq!(items.len(), usize::try_from(metrics["total"].as_u64().unwrap()).unwrap(), "{name}");
    for update in expected["updates"].as_array().unwrap() {
        let item = items.iter().find(|item| item["item_id"] == update["item_id"] && item["label"].is_string());
        let item = item.unwrap_or_else(|| panic!("{name}: {} is not among {items:?}", update["item_id"]));
        let tickers = item["tickers"].as_array().unwrap();
        let has = if update["ticker"].is_null() { tickers.is_empty() } else { tickers.contains(&update["ticker"]) };
        assert!(has, "{name}: {update} and {item}");
    }
}

/// With one line of the manifest that does not fit, the log says what is there instead.
async fn is_told(name: &str) {
    let fixture = Fixture::new(name);
    let (manifest, wrong) = (fixture.text("deploy.toml"), &fixture.json("expected.json")["wrong"]);
    let part = |key: &str| wrong[key].as_str().unwrap_or_else(|| panic!("{name}: no `{key}`"));
    let other = manifest.replacen(part("line"), part("instead"), 1);
    assert_ne!(other, manifest, "{name}");
    let table = Table::create(&fixture, &other).await;
    table.put(&fixture.json("rows.json")["before"]).await;
    let stream = Emulator::start(table.config("stream")).await;
    let _client = SseClient::connect(Request::get(stream.address(), contract::routes::STREAM)).await;
    // Lines are JSON, in which a quote is escaped and a backquote is not.
    let says = || stream.logs().into_iter().find(|line| line.text.contains(part("says"))).map(|line| line.text);
    let limit = tokio::time::Instant::now() + LIMIT;
    while says().is_none() {
        let logs: Vec<String> = stream.logs().into_iter().map(|line| line.text).collect();
        assert!(tokio::time::Instant::now() < limit, "{name}: nobody says `{}`: {logs:#?}", part("says"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Keys of a manifest that `init` finds in a table and its rows.
const FOUND: [&str; 15] = [
    "data.index",
    "data.time_format",
    "data.time_zone",
    "data.label_type",
    "data.identity",
    "data.attributes.key",
    "data.attributes.time",
    "data.attributes.label",
    "data.attributes.tags",
    "data.attributes.score",
    "data.attributes.confidence",
    "data.attributes.source",
    "data.attributes.status",
    "data.attributes.title",
    "data.attributes.url",
];

/// What a person wrote down is found in what the engine says of table and rows; a key for which that is too much to ask is in
/// `expected.json`, with what is found. A stream counts as many rows with it.
async fn is_found(name: &str) {
    let fixture = Fixture::new(name);
    let (expected, rows) = (fixture.json("expected.json"), fixture.json("rows.json"));
    let table = Table::create(&fixture, &fixture.text("deploy.toml")).await;
    table.put(&rows["before"]).await;
    table.put(&rows["new"]).await;
    let folder = tempfile::tempdir().unwrap();
    for (file, operation) in [("table.json", "DescribeTable"), ("rows.json", "Scan")] {
        let answer = dynamodb::call_at(dynamodb::address(), operation, &json!({ "TableName": table.name })).await;
        std::fs::write(folder.path().join(file), answer.to_string()).unwrap();
    }
    let infragen = |arguments: &[&str]| {
        let mut infragen = std::process::Command::new(bins::path("infragen"));
        let output = infragen.args(arguments).current_dir(folder.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, said) = infragen(&["init", "--minimal", "--table", "table.json", "--rows", "rows.json"]);
    assert_eq!(code, Some(0), "{name}: {said}");
    let written = std::fs::read_to_string(folder.path().join("deploy.toml")).unwrap();
    std::fs::write(folder.path().join("person.toml"), fixture.text("deploy.toml")).unwrap();
    let found = |manifest: &str| -> BTreeMap<&str, String> {
        let value = |key| (key, infragen(&["--manifest", manifest, "query", key]).1.trim().to_owned());
        FOUND.into_iter().map(value).collect()
    };
    let mut wanted = found("person.toml");
    for (key, value) in expected["found"].as_object().into_iter().flatten() {
        let key = FOUND.into_iter().find(|known| known == key).expect("a key that is found");
        let before = wanted.insert(key, value.as_str().unwrap().to_owned());
        assert_ne!(before.as_deref(), value.as_str(), "{name}: `{key}` is no exception");
    }
    let seen = found("deploy.toml");
    let differ: Vec<_> = wanted
        .iter()
        .filter(|(key, value)| seen[**key] != **value)
        .map(|(key, value)| (key, &seen[key], value))
        .collect();
    assert!(differ.is_empty(), "{name}: {differ:?}\n{said}\n{written}");
    assert!(written.contains(&format!("[tables.items]\nname = \"{}\"\ncreate = false\n", table.name)), "{written}");
    let variables = Fixture::variables(&written)
        .into_iter()
        .chain(table.variables.clone().into_iter().filter(|(name, _)| !name.starts_with("DATA_")));
    let stream = Emulator::start(Config::new(bins::path("stream"), variables.collect())).await;
    let mut client = SseClient::connect(Request::get(stream.address(), contract::routes::STREAM)).await;
    let metrics = client.data("metrics", LIMIT).await;
    // Rows of another zone are in the future, and such that are not ready count, where nobody has said so.
    let counts_as_much = |key: &str| expected["found"].get(key).is_none();
    if ["data.time_zone", "data.attributes.status"].into_iter().all(counts_as_much) {
        assert_eq!(metrics["total"], expected["metrics"]["total"], "{name}: {metrics}\n{written}");
    }
}

macro_rules! tables {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                #[tokio::test]
                async fn is_shown() {
                    super::is_shown(stringify!($name)).await;
                }

                #[tokio::test]
                async fn is_found() {
                    super::is_found(stringify!($name)).await;
                }

                #[tokio::test]
                async fn with_another_manifest_it_is_told() {
                    super::is_told(stringify!($name)).await;
                }
            }
        )+

        #[test]
        fn every_folder_is_tried() {
            let folder = bins::workspace().join("tests/fixtures/tables");
            let mut there: Vec<String> =
                std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            there.sort();
            assert_eq!(there, [$(stringify!($name)),+]);
        }
    };
}

tables!(
    alerts,
    alpha_vantage,
    bigquery,
    boto3,
    builds,
    clicks,
    comprehend,
    csv_import,
    document_client,
    electrodb,
    java_enhanced,
    orders,
    pynamodb,
    ratings,
    sensors,
    shanghai,
    spreadsheet,
    streams,
);
