//! Our own streams: every case runs, none finds anything.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Run, sse_check};
use crate::support::bins;
use crate::support::dynamodb;
use crate::support::local::Local;
use crate::support::process::Process;
use crate::support::server::Server;
use crate::support::table::{Row, SENTIMENTS, Table};

/// What is known of our events.
pub(super) const OURS: [&str; 12] = [
    // A machine may have other things to do.
    "--timeout",
    "30s",
    "--update-event",
    "sentiment_update",
    "--id-field",
    "/item_id",
    "--id-field",
    "/ticker",
    "--reset-event",
    "reset",
    "--heartbeat-event",
    "heartbeat",
];

/// A stream in which everything happens while the kit looks.
pub(super) const QUICK: [(&str, &str); 5] = [
    ("SSE_POLL_INTERVAL", "100ms"),
    ("SSE_HEARTBEAT_INTERVAL", "500ms"),
    ("SSE_MAX_SESSION", "5s"),
    ("SSE_MAX_CONNECTIONS", "40"),
    ("SSE_CONNECTIONS_PER_CLIENT", "40"),
];

/// What the kit finds while rows come.
pub(super) async fn beside_writes<R>(table: &Table, checking: impl Future<Output = R>) -> R {
    let writing = async {
        for n in 0.. {
            table.put(&Row::new(&format!("row-{n}"), "neutral", &["AAPL", "MSFT"])).await;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    };
    tokio::select! {
        () = writing => unreachable!("it writes for ever"),
        run = checking => run,
    }
}

fn assert_clean(run: &Run, skipped: &[&str]) {
    assert_eq!(run.with("failed"), Vec::<&str>::new(), "{}", run.text());
    assert_eq!(run.with("skipped"), skipped, "{}", run.text());
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn nothing_is_found_in_our_stream_and_ten_thousand_clients_leave_nothing_behind() {
    // Updates come soon enough for every case that waits for one.
    let local = Local::start(&[&QUICK[..], &[("SAMPLE_RATE", "10")]].concat()).await;
    let url = format!("http://{}{}", local.stream, contract::routes::STREAM);
    let pid = local.process.pid().to_string();
    let own = ["--pid", &pid, "--terminate", "--max-session", "5s", "--listen", "2s", "--stall", "1s"];
    let more = ["--cuts", "20", "--connections", "45", "--churn", "10000", "--churn-concurrency", "8", &url];
    let run = sse_check(&[&OURS[..], &own, &more].concat()).await;
    assert_clean(&run, &[]);
    assert!(run.detail("refusal").starts_with("with 40 streams open: 200"), "{}", run.text());
    assert!(run.detail("churn").starts_with("10000 connects"), "{}", run.text());
    assert!(!local.process.text().contains("panicked"), "{}", local.process.text());
}

#[tokio::test]
async fn nothing_is_found_in_the_stream_of_the_server() {
    let table = Table::create(SENTIMENTS).await;
    let server = Server::start(&table, &QUICK).await.ready().await;
    let url = format!("http://{}{}", server.address, contract::routes::STREAM);
    let pid = server.process.pid().to_string();
    let own = ["--pid", &pid, "--terminate", "--max-session", "5s", "--listen", "2s", "--stall", "1s"];
    let more = ["--cuts", "10", "--connections", "45", "--churn", "500", "--churn-concurrency", "8", &url];
    let arguments = [&OURS[..], &own, &more].concat();
    let run = beside_writes(&table, sse_check(&arguments)).await;
    assert_clean(&run, &[]);
}

#[tokio::test]
async fn a_client_that_is_cut_anywhere_resumes_at_any_of_three_processes() {
    let table = Table::create(SENTIMENTS).await;
    let env: Vec<(String, String)> = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).collect();
    // Two of them know later than the first what is new, as on a machine that has other things to do.
    let env = |poll| {
        let more = [("STORE", "dynamodb"), ("SSE_POLL_INTERVAL", poll), ("SSE_HEARTBEAT_INTERVAL", "500ms")];
        env.iter().map(|(name, value)| (&**name, &**value)).chain(more).collect::<Vec<(&str, &str)>>()
    };
    let (quick, slow) = (env("100ms"), env("1s"));
    let (first, second, third) = tokio::join!(Local::start(&quick), Local::start(&slow), Local::start(&slow));
    let url = |local: &Local| format!("http://{}{}", local.stream, contract::routes::STREAM);
    let urls = [url(&first), url(&second), url(&third)];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let cases = ["--only", "hostile-ids", "--only", "unknown-id", "--only", "resume", "--cuts", "20", "--listen", "1s"];
    let arguments = [&OURS[..], &cases, &urls].concat();
    let run = beside_writes(&table, sse_check(&arguments)).await;
    assert_clean(&run, &[]);
    assert!(run.detail("resume").ends_with("over 20 cuts"), "{}", run.text());
}

#[tokio::test]
async fn wrong_usage_and_an_endpoint_that_is_not_there_end_with_2_and_say_why() {
    for (arguments, said) in [
        (vec!["ftp://a/"], "`ftp://a/` is not a URL to check: it must begin with http:// or https://"),
        (vec!["http://127.0.0.1:1/"], "http://127.0.0.1:1/ cannot be checked: no connection: "),
        (vec!["--only", "nothing", "http://127.0.0.1:1/"], "there is no case `nothing`; --list names them"),
        (vec!["--header", "no colon", "http://127.0.0.1:1/"], "`no colon` is not a header; write it as `Name: value`"),
        (vec!["--timeout", "soon", "http://127.0.0.1:1/"], "it must be a time such as 250ms, 20s or 2m"),
        (vec!["--terminate", "http://127.0.0.1:1/"], "--pid"),
        (vec!["--load", "0", "http://127.0.0.1:1/"], "it must be a number of clients from 1 to 1000000"),
        (vec!["--ramp", "1s", "http://127.0.0.1:1/"], "--load"),
        (vec!["--id-field", "item_id", "http://127.0.0.1:1/"], "it must be a JSON pointer, which begins with `/`"),
        (
            vec!["--load", "2", "--ramp", "0s", "--for", "10ms", "http://127.0.0.1:1/"],
            "cannot be checked: 2 times: no connection: ",
        ),
    ] {
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let process = Process::spawn(&bins::path("sse-check"), &arguments, &BTreeMap::new());
        let status = process.exits_within(super::LIMIT).await;
        assert_eq!(status.code(), Some(2), "{arguments:?}");
        assert!(process.text().contains(said), "{arguments:?}: {}", process.text());
        assert!(process.lines().iter().all(|line| line.stderr), "{}", process.text());
    }
}
