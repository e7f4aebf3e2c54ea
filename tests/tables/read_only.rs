//! A table that is only looked at, by tools/dev.sh and the program `local`: with the real engine, the real AWS command line and the commands
//! of docs/your-table.md.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Fixture, Table};
use crate::support::client::Request;
use crate::support::local::Local;
use crate::support::script::script;
use crate::support::{bins, dynamodb, nursery};

/// Variables of a person's shell at DynamoDB Local.
fn shell(path: &str) -> Vec<(String, String)> {
    let infragen = bins::path("infragen");
    let own = [
        ("PATH", path),
        ("INFRAGEN", infragen.to_str().unwrap()),
        ("BINARIES_DIR", infragen.parent().unwrap().to_str().unwrap()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("SSE_POLL_INTERVAL", "500ms"),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    dynamodb::env(dynamodb::address()).into_iter().chain(own).collect()
}

async fn begun(folder: &Path, command: &str, env: &[(String, String)]) -> Local {
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Local::start_by(&format!("cd '{}' && exec {command}", folder.display()), &env).await
}

async fn metrics(local: &Local) -> Value {
    Request::get(local.dashboard, contract::routes::METRICS).send().await.into_json().await
}

async fn rows_of(table: &str) -> u64 {
    let counted = dynamodb::call("Scan", &json!({ "TableName": table, "Select": "COUNT" })).await;
    counted["Count"].as_u64().unwrap()
}

/// The program with a table of the name, which must end by itself; what it says.
fn refused(env: &[(&str, &str)]) -> String {
    let mut command = Command::new(bins::path("local"));
    command.env_clear().envs([("STORE", "table"), ("DASHBOARD_PORT", "0"), ("STREAM_PORT", "0"), ("HOME", "/nowhere")]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(env.iter().copied());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// Tickets as another program writes them: a number for a key, times as texts of milliseconds, a queue in capitals, a map of more.
fn odd_row(number: u32, now_ms: u64) -> Value {
    let at = now_ms - u64::from(number) * 60_000;
    let queue = ["IN REVIEW", "On hold!", "done"][number as usize % 3];
    let mut row = json!({
        "Ticket_No": { "N": number.to_string() },
        "changedAt": { "S": at.to_string() },
        "Queue": { "S": queue },
        "labels": { "SS": [format!("team-{}", number % 7), "support"] },
        "detail": { "M": { "opened.by": { "S": "ada" }, "tries": { "N": "3" } } },
    });
    if number.is_multiple_of(5) {
        row["labels"] = json!({ "NULL": true });
    }
    row
}

/// A table of such tickets.
async fn odd_table(name: &str) -> u64 {
    let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let created = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("Ticket_No", "HASH")],
        "AttributeDefinitions": [attribute("Ticket_No", "N"), attribute("changedAt", "S"), attribute("Queue", "S")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "Queue-changedAt-index", "KeySchema": [key("Queue", "HASH"), key("changedAt", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    dynamodb::call("CreateTable", &created).await;
    let now_ms = crate::support::clock::epoch_ms();
    let rows: Vec<Value> = (0..500).map(|number| odd_row(number, now_ms)).collect();
    for rows in rows.chunks(25) {
        let puts: Vec<Value> = rows.iter().map(|row| json!({ "PutRequest": { "Item": row } })).collect();
        dynamodb::call("BatchWriteItem", &json!({ "RequestItems": { name: puts } })).await;
    }
    500
}

/// The commands of a page, in its order.
fn commands(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(bins::workspace().join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_strangers_table_comes_to_its_page_by_the_commands_that_are_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let programs = tempfile::tempdir().unwrap();
    nursery::aws(programs.path());
    std::os::unix::fs::symlink(bins::path("infragen"), programs.path().join("infragen")).unwrap();
    let dev = bins::workspace().join("tools/dev.sh");
    script(&folder.path().join("justw"), &format!("shift\nexec '{}' \"$@\"", dev.display()));
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let mut env = shell(&path);
    let rows = odd_table("tickets").await;
    // All of it at one address, so that nothing else of AWS is asked.
    env.push(("AWS_ENDPOINT_URL".to_owned(), format!("http://{}", dynamodb::address())));
    let mut is_shown = false;
    let commands = commands("docs/your-table.md");
    assert_eq!(commands.len(), 7, "{commands:?}");
    for command in commands {
        if command.starts_with("./justw dev ") {
            let local = begun(folder.path(), &command, &env).await;
            let metrics = metrics(&local).await;
            assert_eq!(metrics["total"], rows, "{metrics}");
            assert_eq!((&metrics["in_review"], &metrics["by_tag"]["support"]), (&json!(167), &json!(400)), "{metrics}");
            is_shown = true;
            continue;
        }
        let mut run = Command::new("sh");
        run.args(["-c", &command]).current_dir(folder.path()).env_clear().envs(env.iter().cloned());
        let output = run.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // On this machine, something else is missing for a deployment.
        let is_doctor = command == "infragen doctor";
        assert!(output.status.success() || is_doctor, "{command}: {said}");
        assert!(!is_doctor || said.contains("table-rows"), "{said}");
    }
    assert!(is_shown);
    assert_eq!(rows_of("tickets").await, rows);
}

#[tokio::test]
async fn a_table_is_shown_as_it_is_and_whoever_would_save_something_is_told_that_nothing_is() {
    let fixture = Fixture::new("orders");
    let table = Table::create(&fixture, &fixture.text("deploy.toml")).await;
    table.put(&fixture.json("rows.json")["before"]).await;
    let folder = tempfile::tempdir().unwrap();
    for (file, operation) in [("table.json", "DescribeTable"), ("rows.json", "Scan")] {
        let answer = dynamodb::call(operation, &json!({ "TableName": table.name })).await;
        std::fs::write(folder.path().join(file), answer.to_string()).unwrap();
    }
    let before = rows_of(&table.name).await;
    let dev = bins::workspace().join("tools/dev.sh");
    let command = format!("'{}' --table {} --from - --rows rows.json <table.json", dev.display(), table.name);
    let local = begun(folder.path(), &command, &shell(&std::env::var("PATH").unwrap())).await;
    assert_eq!(metrics(&local).await["total"], before);
    let token = Request::new(local.dashboard, "POST", "/api/v2/auth/anonymous").send().await.into_json().await;
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let all = Request::get(local.dashboard, contract::routes::CONFIGURATIONS).header("Authorization", &bearer);
    assert_eq!(all.send().await.into_json().await, json!({ "configurations": [] }));
    let body = json!({ "name": "mine", "tickers": ["north"] });
    for (method, path) in [("POST", ""), ("PUT", "/cfg_1"), ("DELETE", "/cfg_1")] {
        let target = format!("{}{path}", contract::routes::CONFIGURATIONS);
        let request = Request::new(local.dashboard, method, &target).header("Authorization", &bearer);
        let answer = request.json(&body).send().await;
        assert_eq!(answer.status(), 403, "{method}");
        let detail = "This server shows a table and only reads: no configuration is saved.";
        assert_eq!(answer.into_json().await, json!({ "detail": detail }));
    }
    assert_eq!(rows_of(&table.name).await, before);
    let users = table.variable("USERS_TABLE");
    assert_eq!(rows_of(users).await, 0);
}

#[tokio::test]
async fn what_stands_in_the_way_is_said_in_one_sentence() {
    let fixture = Fixture::new("orders");
    let table = Table::create(&fixture, &fixture.text("deploy.toml")).await;
    let address = dynamodb::env(dynamodb::address());
    let at = |name: &'static str, index: &'static str| {
        let known = address.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        known.chain([("SENTIMENTS_TABLE", name), ("DATA_INDEX", index)]).collect::<Vec<_>>()
    };
    assert_eq!(
        refused(&at("nowhere", "by_state")),
        "there is no table `nowhere` in us-east-1: check its name, or name another region with `--region`"
    );
    let elsewhere = at("nowhere", "by_state").into_iter().chain([("AWS_REGION", "eu-west-1")]);
    assert_eq!(
        refused(&elsewhere.collect::<Vec<_>>()),
        "there is no table `nowhere` in eu-west-1: check its name, or name another region with `--region`"
    );
    let name: &'static str = table.name.clone().leak();
    let said = refused(&at(name, "by_colour"));
    assert!(said.starts_with(&format!("table `{name}` has no index `by_colour`: set `index` of [data] to")), "{said}");
    let without: Vec<_> = at(name, "by_state").into_iter().filter(|(name, _)| !name.contains("KEY")).collect();
    let nobody = format!(
        "there are no credentials for table `{name}`: name a profile that has some with `--profile`, or sign in"
    );
    assert_eq!(refused(&without), nobody);
    let profile: Vec<_> = without.iter().copied().chain([("AWS_PROFILE", "nobody")]).collect();
    assert_eq!(refused(&profile), nobody);
    let no_region: Vec<_> = at(name, "by_state").into_iter().filter(|(name, _)| *name != "AWS_REGION").collect();
    assert!(refused(&no_region).starts_with("AWS_REGION is not set"));
}
