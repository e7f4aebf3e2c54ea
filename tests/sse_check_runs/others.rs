//! Other people's streams, as their documentation shows how to make one: what the kit finds there.
//!
//! docs/sse_check.md says of each finding whether the library or the program around it is the cause.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Run, tried};
use crate::support::client::Request;
use crate::support::external::{python, tool};
use crate::support::local::free_port;
use crate::support::process::Process;

pub(super) struct Peer {
    process: Process,
    pub(super) address: SocketAddr,
}

impl Peer {
    async fn start(program: &Path, arguments: Vec<String>, env: BTreeMap<String, String>, address: SocketAddr) -> Self {
        let process = Process::spawn(program, &arguments, &env);
        let up = async {
            // Any answer will do; OPTIONS opens no stream.
            while Request::new(address, "OPTIONS", "/events").try_send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        process.is_up(up).await;
        Self { process, address }
    }

    async fn check(&self, path: &str, [first_byte, timeout, listen]: [&str; 3], more: &[&str]) -> Result<Run, String> {
        let (pid, url) = (self.process.pid().to_string(), format!("http://{}{path}", self.address));
        let limits = ["--first-byte", first_byte, "--timeout", timeout, "--listen", listen];
        let own = ["--churn", "200", "--churn-concurrency", "8"];
        let known = ["--connections", "12", "--update-event", "update", "--id-field", "/n", "--pid", &pid];
        tried(&[&limits[..], &own, &known, more, &[&url]].concat()).await
    }
}

/// Time for the first byte, for an answer, and to listen. What is still found when a machine has all the time is no matter of its speed.
const PATIENCE: [[&str; 3]; 3] = [["1s", "2s", "1500ms"], ["10s", "15s", "6s"], ["30s", "60s", "20s"]];

/// What the kit finds at a peer that `start` starts: with more patience, at one that is started anew, where it is not this.
async fn found<F: Future<Output = Peer>>(
    start: impl Fn() -> F,
    (path, more): (&str, &[&str]),
    outcome: &str,
    expected: &[&str],
) -> Run {
    let [first, others @ ..] = PATIENCE;
    let mut run = start().await.check(path, first, more).await;
    for patience in others {
        if run.as_ref().is_ok_and(|run| run.with(outcome) == expected) {
            break;
        }
        run = start().await.check(path, patience, more).await;
    }
    let run = run.unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(run.with(outcome), expected, "{}", run.text());
    run
}

pub(super) async fn starlette() -> Peer {
    let address = free_port();
    let path = peers().join("python").display().to_string();
    let env = BTreeMap::from([("PYTHONPATH".to_owned(), path), ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned())]);
    let arguments = vec![script("starlette_events.py"), address.port().to_string()];
    Peer::start(&python(), arguments, env, address).await
}

fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sse_check_runs/servers").join(name).display().to_string()
}

fn peers() -> PathBuf {
    tool("TOOLS_PEERS", ".tools/peers")
}

pub(super) async fn better_sse() -> Peer {
    let address = free_port();
    let modules = peers().join("node/node_modules").display().to_string();
    let arguments = vec![script("better_sse_events.mjs"), address.port().to_string(), modules];
    let path = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
    Peer::start(Path::new("node"), arguments, path, address).await
}

#[tokio::test]
async fn sse_starlette_pings_by_comments_announces_no_retry_and_breaks_off_at_shutdown() {
    let expected = ["hop-by-hop", "retry", "heartbeat", "absolute-form", "unknown-id", "resume", "shutdown"];
    let run = found(starlette, ("/events", &["--terminate", "--stall", "1s"]), "failed", &expected).await;
    assert_eq!(run.code, Some(1));
}

#[tokio::test]
async fn sse_starlette_holds_a_stalled_reader_back_and_not_in_memory() {
    found(starlette, ("/bulk", &["--only", "slow-reader", "--stall", "4s"]), "passed", &["slow-reader"]).await;
}

#[tokio::test]
async fn better_sse_leaves_head_open_forgets_who_returns_and_keeps_what_stalled_readers_do_not_read() {
    let bulk = ("/bulk", &["--only", "slow-reader", "--stall", "4s"][..]);
    let run = found(better_sse, bulk, "failed", &["slow-reader"]).await;
    assert!(run.detail("slow-reader").contains("bytes of memory"), "{}", run.text());
    let expected = ["hop-by-hop", "heartbeat", "head", "unknown-id", "resume", "shutdown"];
    let run = found(better_sse, ("/events", &["--terminate", "--stall", "1s"]), "failed", &expected).await;
    assert_eq!(run.code, Some(1));
}
