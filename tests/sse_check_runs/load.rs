//! `sse-check --load`: many clients at our server and at other people's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::LIMIT;
use super::others::{better_sse, starlette};
use super::ours::{QUICK, beside_writes};
use crate::support::bins;
use crate::support::process::Process;
use crate::support::server::Server;
use crate::support::table::{SENTIMENTS, Table};

/// Runs it with these arguments; its status and what it said.
async fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let process = Process::spawn(&bins::path("sse-check"), &arguments, &BTreeMap::new());
    let status = process.exits_within(LIMIT).await;
    (status.code(), process.text())
}

/// The report of a run, in which nothing may be found.
async fn clean(arguments: &[&str]) -> Value {
    let (code, text) = said(&[&["--format", "json"], arguments].concat()).await;
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!((code, &report["findings"]), (Some(0), &serde_json::json!([])), "{text}");
    report
}

fn number(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {report}"))
}

#[tokio::test]
async fn three_hundred_clients_of_the_server_have_every_update_once_across_their_sessions() {
    let table = Table::create(SENTIMENTS).await;
    // Of one address there may be ten: each client has one of its own.
    let more = [("SSE_MAX_CONNECTIONS", "400"), ("SSE_CONNECTIONS_PER_CLIENT", "1")];
    let env: Vec<(&str, &str)> =
        QUICK.into_iter().filter(|(name, _)| !name.contains("CONNECTIONS")).chain(more).collect();
    let server = Server::start(&table, &env).await.ready().await;
    let url = format!("http://{}{}", server.address, contract::routes::STREAM);
    let rules =
        ["--update-event", "sentiment_update", "--id-field", "/item_id", "--id-field", "/ticker", "--timeout", "60s"];
    let load = ["--load", "300", "--ramp", "500ms", "--for", "8s", &url];
    let report = beside_writes(&table, clean(&[&rules[..], &load].concat())).await;
    assert!(number(&report, "/reconnects") > 0 && number(&report, "/ended") > 0, "{report}");
    assert!(number(&report, "/updates") > 0 && number(&report, "/owed") > number(&report, "/updates"), "{report}");
    assert_eq!((number(&report, "/lost"), number(&report, "/doubled")), (0, 0));
    for first in ["/first_byte/count", "/first_event/heartbeat/count", "/first_event/metrics/count"] {
        assert!(number(&report, first) >= 300, "{first}: {report}");
    }
    assert_eq!(report["time_field"], "/timestamp");
    assert_eq!(number(&report, "/delivery/count"), number(&report, "/delivered"));
    assert_eq!(number(&report, "/events/sentiment_update"), number(&report, "/delivered"));
}

#[tokio::test]
async fn what_other_servers_send_to_all_comes_to_all_once() {
    for peer in [starlette().await, better_sse().await] {
        let url = format!("http://{}/events", peer.address);
        let rules = ["--update-event", "update", "--id-field", "/n", "--time-field", "/at", "--timeout", "60s"];
        let load = ["--load", "50", "--ramp", "200ms", "--for", "2s"];
        let report = clean(&[&rules[..], &load, &[&url]].concat()).await;
        assert!(number(&report, "/updates") > 0 && number(&report, "/reconnects") == 0, "{report}");
        assert_eq!((number(&report, "/first_event/update/count"), &report["time_field"]), (50, &Value::Null));
        let others = number(&report, "/delivered") - number(&report, "/updates");
        assert_eq!(number(&report, "/spread/count"), others);
        let (code, text) = said(&[&rules[..], &["--load", "3", "--for", "500ms", &url]].concat()).await;
        assert_eq!(code, Some(0), "{text}");
        for line in ["3 clients, 3 connects, 0 of them returns", "first `update`, 3 clients", " 0 lost, 0 doubled"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
