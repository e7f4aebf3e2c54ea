//! What docs/producers.md shows, run as it stands there: what it writes arrives on the stream.

use std::process::Command;

use serde_json::{Value, json};

use super::{LIMIT, assert_has, connect, function};
use crate::support::external::{python, tool};
use crate::support::table::{SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

fn page() -> String {
    std::fs::read_to_string(bins::workspace().join("docs/producers.md")).unwrap()
}

/// The programs of a language on the page.
fn blocks(language: &str) -> Vec<String> {
    let page = page();
    let head = format!("\n```{language}\n");
    page.split(&head).skip(1).map(|rest| rest.split("\n```\n").next().unwrap().to_owned()).collect()
}

/// Runs a program beside a stream of its table, and returns the update that it made.
async fn written(program: impl FnOnce(&std::path::Path) -> Command) -> Value {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.current_dir(folder.path()).envs(dynamodb::env(table.server)).env("SENTIMENTS_TABLE", &table.name);
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    client.data("sentiment_update", LIMIT).await
}

#[tokio::test]
async fn the_program_in_python_is_heard() {
    let [program] = <[String; 1]>::try_from(blocks("python")).unwrap();
    let update = written(|_| {
        let mut python = Command::new(python());
        python.env("PYTHONPATH", tool("TOOLS_MOTO", ".tools/moto")).args(["-c", &program]);
        python
    });
    assert_has(
        &update.await,
        &json!({ "item_id": "news-python", "ticker": "AAPL", "score": 0.75, "label": "positive", "source": "wire" }),
    );
}

#[tokio::test]
async fn the_lines_of_the_shell_are_heard() {
    let [program] = <[String; 1]>::try_from(blocks("sh")).unwrap();
    let update = written(|_| {
        let (python, modules) = (python(), tool("TOOLS_AWSCLI", ".tools/awscli"));
        let aws = format!(
            "aws() {{ PYTHONPATH='{}' '{}' -m awscli \"$@\"; }}\n{program}",
            modules.display(),
            python.display()
        );
        let mut shell = Command::new("sh");
        shell.args(["-euc", &aws]);
        shell
    });
    assert_has(
        &update.await,
        &json!({ "item_id": "news-shell", "ticker": "MSFT", "score": -0.4, "label": "negative" }),
    );
}

#[tokio::test]
async fn the_program_in_rust_is_heard_and_is_the_one_on_the_page() {
    let [program] = <[String; 1]>::try_from(blocks("rust")).unwrap();
    let example = std::fs::read_to_string(bins::workspace().join("lambda/examples/producer.rs")).unwrap();
    assert_eq!(example.split_once("\n\n").unwrap().1.trim_end(), program);
    let update = written(|_| Command::new(bins::path("examples/producer"))).await;
    assert_has(&update, &json!({ "item_id": "news-rust", "ticker": "AAPL", "score": 0.75, "label": "positive" }));
}

#[test]
fn what_no_service_runs_here_can_be_read() {
    for text in blocks("json") {
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    let [program] = <[String; 1]>::try_from(blocks("js")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("producer.mjs");
    std::fs::write(&file, program).unwrap();
    assert!(Command::new("node").arg("--check").arg(file).status().unwrap().success());
}
