//! The lines that metrics are made of: the rendered filters, held against what the function really logs.

use hcl_edit::structure::Body;
use serde_json::{Value, json};

use super::{LIMIT, POLL, connect, function};
use crate::support::bins;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Label and pattern of every filter that the repository's own manifest renders.
fn filters() -> Vec<(String, String)> {
    let path = bins::workspace().join("generated/terraform/metrics.tf");
    let body: Body = hcl_edit::parser::parse_body(&std::fs::read_to_string(path).unwrap()).unwrap();
    let filters = body.get_blocks("resource").map(|block| {
        let pattern = &block.body.get_attribute("pattern").expect("a filter has a pattern").value;
        (block.labels[1].as_str().to_owned(), pattern.as_str().expect("a literal").to_owned())
    });
    filters.collect()
}

/// What CloudWatch does with `{ $.key = "text" && $.key != "text" && $.key IS TRUE }`, and nothing beyond.
fn matches(pattern: &str, line: &str) -> bool {
    let Ok(Value::Object(line)) = serde_json::from_str(line) else { return false };
    let conditions = pattern.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")).expect("a JSON pattern");
    conditions.split(" && ").all(|condition| {
        let (key, rest) = condition.strip_prefix("$.").and_then(|c| c.split_once(' ')).expect("a key first");
        let found = line.get(key).unwrap_or(&Value::Null);
        let text = |rest: &str| serde_json::from_str::<Value>(rest).expect("text in quotes");
        match rest.split_once(' ').expect("an operator") {
            ("=", rest) => *found == text(rest),
            // A line without the key is no match either.
            ("!=", rest) => found.is_string() && *found != text(rest),
            ("IS", "TRUE") => *found == true,
            other => panic!("{other:?} is no operator of this test's"),
        }
    })
}

/// At the level at which the log is shortest: the metrics must not depend on it.
#[tokio::test]
async fn every_rendered_filter_counts_what_happened_at_any_log_level() {
    let table = Table::create(SENTIMENTS).await;
    table
        .put_raw(&json!({
            "source_id": { "S": "broken-row" }, "timestamp": { "S": Row::new("", "", &[]).time },
            "sentiment": { "S": "positive" }, "score": { "N": "7" }, "status": { "S": "analyzed" },
        }))
        .await;
    let emulator = function(&table, &[("SSE_MAX_SESSION", "5s"), ("AWS_LAMBDA_LOG_LEVEL", "ERROR")]).await;
    let mut first = connect(&emulator, "").await;
    first.until_end(LIMIT).await;
    emulator.finished(0, LIMIT).await;
    let mut second = connect(&emulator, &first.last_id()).await;
    second.event("heartbeat", LIMIT).await;
    second.during(POLL).await;
    let logs = emulator.logs();
    let mut counts: Vec<(String, usize)> = filters()
        .into_iter()
        .map(|(label, pattern)| (label, logs.iter().filter(|line| matches(&pattern, &line.text)).count()))
        .collect();
    counts.sort();
    // One stream ended by itself, its client came back with a cursor, and the second is still open. The row was met once;
    // that the dashboard function's log says the same is the same code.
    let expected = [
        ("dashboard_rows_skipped", 1),
        ("stream_rows_skipped", 1),
        ("streams_ended", 1),
        ("streams_opened", 2),
        ("streams_returned", 1),
    ];
    assert_eq!(counts, expected.map(|(label, count)| (label.to_owned(), count)), "{logs:#?}");
}

#[test]
fn a_pattern_takes_nothing_but_its_lines() {
    let pattern = r#"{ $.message = "stream closed" && $.reason != "client_left" }"#;
    assert!(matches(pattern, r#"{"message":"stream closed","reason":"session"}"#));
    assert!(!matches(pattern, r#"{"message":"stream closed","reason":"client_left"}"#));
    assert!(!matches(pattern, r#"{"message":"stream closed"}"#));
    assert!(!matches(pattern, "stream closed"));
}
