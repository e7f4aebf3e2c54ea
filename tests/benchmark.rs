//! The benchmarks beside others, in their quick form: what nobody runs rots.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Process, START_LIMIT};
use crate::support::{bins, external};

/// A folder in which the benchmark keeps what it found, with a page as docs/performance.md is.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for folder in ["bench/results", "docs"] {
        std::fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    let page = "before\n<!-- peers: begin -->\nold\n<!-- peers: end -->\nafter\n";
    std::fs::write(place.path().join("docs/performance.md"), page).unwrap();
    place
}

fn read(place: &Path, name: &str) -> String {
    std::fs::read_to_string(place.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn ours_and_axum_are_measured_beside_each_other_and_what_was_found_is_kept() {
    let place = place();
    let arguments = ["--quick", "--verbose", "--record", &place.path().display().to_string()].map(String::from);
    // The cache has its rules compiled, and others of its package.
    let varnish = external::tool("TOOLS_VARNISH", "varnishd").display().to_string();
    let env = [("TOOLS_VARNISH", varnish), ("PATH", std::env::var("PATH").unwrap())];
    let env = env.map(|(name, value)| (name.to_owned(), value));
    let process = Process::spawn(&bins::path("peers"), &arguments, &BTreeMap::from(env));
    let status = process.exits_within(START_LIMIT).await;
    assert!(status.success(), "{}", process.text());
    let lines: Vec<Value> = read(place.path(), "bench/results/peers.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {}", line["measured"]["scenario"], line["measured"]["peer"]).replace('"', ""))
        .collect();
    let expected = [
        "bulk ours",
        "bulk axum",
        "single ours",
        "single axum",
        "idle ours",
        "idle axum",
        "shared ours",
        "shared shared",
    ];
    assert_eq!(names, expected);
    for line in &lines {
        let found = &line["measured"]["rounds"][0];
        let figure = |name: &str| found[name].as_f64().unwrap_or_else(|| panic!("no {name}: {line}"));
        assert_eq!((figure("lost_ppm"), figure("doubled_ppm")), (0.0, 0.0), "{line}");
        assert!(figure("resident_bytes") > 1e6 && figure("all_greeted_ms") > 0.0, "{line}");
        if line["measured"]["peer"] == "shared" {
            assert!((2.0..=12.0).contains(&figure("requests")), "{line}");
        }
        if line["measured"]["scenario"] != "idle" {
            assert!(figure("updates_per_second") > 0.0 && figure("update_bytes") > 100.0, "{line}");
        }
    }
    let page = read(place.path(), "docs/performance.md");
    assert!(
        page.starts_with("before\n<!-- peers: begin -->\n\n**bulk**: 40 clients") && page.ends_with("after\n"),
        "{page}"
    );
    assert!(!page.contains("old\n"), "{page}");
    let plot = read(place.path(), "docs/peers/bulk-greeted.svg");
    assert!(plot.starts_with("<svg") && plot.contains("axum") && plot.contains("ours"), "{plot}");
}

#[tokio::test]
async fn a_start_is_measured_beside_the_least_that_there_can_be_and_the_design_that_others_take() {
    let text = |path: std::path::PathBuf| path.display().to_string();
    let dynamodb = text(external::tool("DYNAMODB_LOCAL_DIR", ".tools/dynamodb-local"));
    let arguments = ["600", "--cold", "1", "--dynamodb-local", &dynamodb].map(String::from);
    let own = |(name, otherwise): (&str, &str)| (name.to_owned(), text(external::tool(name, otherwise)));
    let env = [
        ("TOOLS_PYTHON", ".tools/venv/bin/python"),
        ("TOOLS_RESEARCH", ".tools/research"),
        ("TOOLS_WEB_ADAPTER", ".tools/cargo/bin/lambda-adapter"),
    ];
    // Java is found by it.
    let path = ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
    let env = env.map(own).into_iter().chain([path]).collect();
    let process = Process::spawn(&bins::path("engine"), &arguments, &env);
    let status = process.exits_within(START_LIMIT).await;
    assert!(status.success(), "{}", process.text());
    let table = process.text();
    assert!(table.contains("| 600 rows | constant | ours | research | research-adapter |"), "{table}");
    for what in ["first byte", "first `metrics`", "processor time", "resident memory"] {
        let line = table.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what}: {table}"));
        assert_eq!(line.matches(" ×").count(), 4, "{line}");
    }
}

#[tokio::test]
async fn how_long_a_row_takes_to_many_clients_is_measured_by_rows_that_are_written() {
    let dynamodb = external::tool("DYNAMODB_LOCAL_DIR", ".tools/dynamodb-local").display().to_string();
    let arguments = ["--delivery", "20", "--seconds", "5", "--dynamodb-local", &dynamodb].map(String::from);
    let path = ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
    let process = Process::spawn(&bins::path("engine"), &arguments, &[path].into());
    // Whether it is as quick as it shall be is not asked of a machine that runs other tests too.
    process.exits_within(START_LIMIT).await;
    let table = process.text();
    assert!(table.contains("| a row every 137ms, a poll every 1s | 20 clients |"), "{table}");
    for what in ["from the row to the client", "99 of 100, beyond the poll interval", "from the first client"] {
        assert!(table.contains(what), "no {what}: {table}");
    }
    assert!(table.contains("| lost, doubled | 0, 0 |") && !table.contains("clients | 0 |"), "{table}");
}
