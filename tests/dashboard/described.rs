//! The description of the routes: whatever Schemathesis makes of it is answered as it says.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{answer, function, get};
use crate::support::client::Request;
use crate::support::external::{python, tool};
use crate::support::local::Local;
use crate::support::table::{ORDERS, SENTIMENTS, Table};
use contract::routes;

/// A hang fails this test and not the run. Alone on two cores it takes half a minute.
const LIMIT: Duration = Duration::from_secs(600);
/// The same requests each time; `SCHEMATHESIS_SEED` asks for others.
const SEED: &str = "1";

/// One run: what it is about, and how many requests of each kind it makes up.
///
/// Changes are limited for each user, so each kind of change has a run with a user of its own. When that is used up, the answer
/// is 429, which the description knows as well.
const RUNS: [(&str, &[&str]); 7] = [
    ("reads", &["--include-method", "GET", "--phases", "coverage,fuzzing", "--max-examples", "25"]),
    (
        "creates",
        &["--include-operation-id", "create_configuration", "--phases", "coverage,fuzzing", "--max-examples", "20"],
    ),
    (
        "changes",
        &["--include-operation-id", "replace_configuration", "--phases", "coverage,fuzzing", "--max-examples", "20"],
    ),
    (
        "deletes",
        &["--include-operation-id", "delete_configuration", "--phases", "coverage,fuzzing", "--max-examples", "20"],
    ),
    ("users", &["--include-operation-id", "anonymous", "--max-examples", "10"]),
    // Fields that it does not know are ignored, and a body of many is larger than 256 bytes: 400, though each is as described.
    (
        "goodbyes",
        &["--include-operation-id", "goodbye", "--exclude-checks", "positive_data_acceptance", "--max-examples", "15"],
    ),
    ("lives", &["--phases", "stateful", "--max-examples", "10"]),
];

/// Runs Schemathesis and returns whether it found nothing, and what it said.
async fn schemathesis(url: &str, token: &str, arguments: &[&str], folder: &Path) -> (bool, String) {
    let seed = std::env::var("SCHEMATHESIS_SEED").unwrap_or_else(|_| SEED.to_owned());
    let mut command = tokio::process::Command::new(python());
    command.env("PYTHONPATH", tool("TOOLS_SCHEMATHESIS", ".tools/schemathesis")).current_dir(folder);
    command.args(["-m", "schemathesis.cli", "run", url, "--checks", "all", "--continue-on-failure", "--no-color"]);
    // How quick the machine is that makes the requests up is no fault of what is described.
    command.args(["--suppress-health-check", "too_slow"]);
    command.args(["--seed", &seed, "--header", &format!("Authorization: Bearer {token}")]).args(arguments);
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("Python starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn what_is_described_is_what_is_answered() {
    let local = Local::start(&[("SSE_GOODBYE", "true")]).await;
    let url = format!("http://{}{}", local.dashboard, routes::OPENAPI);
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let runs = RUNS.map(|(name, arguments)| {
        let (url, folder, dashboard) = (&url, folder.path(), local.dashboard);
        async move {
            let issued = answer(Request::new(dashboard, "POST", routes::AUTH_ANONYMOUS).send().await, 201).await;
            let own = folder.join(name.replace(' ', "_"));
            std::fs::create_dir(&own).unwrap();
            let (is_good, said) = schemathesis(url, issued["token"].as_str().unwrap(), arguments, &own).await;
            (name, is_good, said)
        }
    });
    let runs = tokio::time::timeout(LIMIT, futures_util::future::join_all(runs)).await.expect("it takes less");
    for (name, is_good, said) in runs {
        assert!(is_good, "{name}:\n{said}");
        let summary = said.lines().find(|line| line.contains("generated")).unwrap_or_default().trim();
        println!("{name}: {summary}");
    }
    println!("in {:.0?}", began.elapsed());
    assert!(!local.process.text().contains("panicked"), "{}", local.process.text());
}

#[tokio::test]
async fn it_tells_the_labels_and_the_users_of_this_deployment() {
    let table = Table::create(SENTIMENTS).await;
    let of = async |table: &Table, more: &[(&str, &str)]| get(&function(table, more).await, routes::OPENAPI).await;
    let off = of(&table, &[("AUTH_MODE", "off")]).await;
    assert_eq!(off["openapi"], "3.1.0");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let all = [
        routes::AUTH_ANONYMOUS,
        routes::CONFIGURATIONS,
        routes::CONFIGURATION,
        routes::HISTORY,
        routes::ITEMS,
        routes::METRICS,
        routes::OPENAPI,
        routes::RUNTIME,
        routes::HEALTH,
    ];
    assert_eq!(keys(&off["paths"]), all);
    assert_eq!(off["components"]["securitySchemes"], json!({}));
    let list = &off["paths"][routes::CONFIGURATIONS]["get"];
    assert_eq!(list["security"], json!([]));
    let proxied = of(&table, &[]).await;
    assert_eq!(proxied["components"]["securitySchemes"]["proxy"]["name"], "x-user-id");
    let private = of(&table, &[("AUTH_PRIVATE", "true")]).await;
    for route in [routes::METRICS, routes::ITEMS, routes::HISTORY] {
        assert_eq!(private["paths"][route]["get"]["security"], json!([{ "proxy": [] }]), "{route}");
        assert!(proxied["paths"][route]["get"]["security"].is_null(), "{route} is public");
    }
    for route in [routes::RUNTIME, routes::HEALTH, routes::OPENAPI] {
        assert!(private["paths"][route]["get"]["security"].is_null(), "{route} says nothing of the data");
    }
    let metrics = &off["components"]["schemas"]["MetricsAnswer"];
    let required = metrics["required"].as_array().unwrap();
    for label in SENTIMENTS.labels {
        assert!(metrics["properties"][label].is_object() && required.contains(&json!(label)), "{metrics}");
    }
    let orders = of(&Table::create(ORDERS).await, &[("SSE_GOODBYE", "true")]).await;
    assert_eq!(orders["components"]["schemas"]["Item"]["properties"]["label"]["enum"], json!(ORDERS.labels));
    assert!(orders["components"]["schemas"]["MetricsAnswer"]["properties"]["shipped"].is_object());
    assert!(keys(&orders["paths"]).contains(&routes::STREAM_GOODBYE.to_owned()));
    assert!(!keys(&off["paths"]).contains(&routes::STREAM_GOODBYE.to_owned()));
}
