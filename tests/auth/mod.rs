//! Who a caller is: the shipped functions with an AWS in memory behind them, or with an issuer of tokens.

mod issuer;
mod issuers;
mod jwt;
mod logs;
mod private;
pub(crate) mod sessions;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::bins;
use crate::support::client::{Request, Response};
use crate::support::decoder::Item;
use crate::support::dynamodb;
use crate::support::sse::SseClient;
use crate::support::table::Table;

/// Nothing here takes that long; a hang fails one test and not the run.
const LIMIT: Duration = Duration::from_secs(60);
const CONFIGURATION: &str = "/api/v2/configurations/tech/stream";

/// A function on this table with more variables; one environment, so that what it has learnt is what is asked about.
async fn function(program: &str, table: &Table, more: &[(&str, &str)]) -> Emulator {
    // Streams go on after their viewers have left.
    let own = [("SSE_POLL_INTERVAL", "500ms"), ("SSE_CONNECTIONS_PER_CLIENT", "64"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")];
    let own = own.into_iter().chain(more.iter().copied());
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain(own).collect();
    let invoke_mode = if program == "dashboard" { InvokeMode::Buffered } else { InvokeMode::Streaming };
    let config = Config { invoke_mode, max_environments: 1, ..Config::new(bins::path(program), env) };
    let config = Config { concurrency_per_environment: 64, freeze: false, ..config };
    Emulator::start(config).await
}

/// A request for the stream of the configuration `tech`.
fn tech(to: SocketAddr) -> Request {
    Request::get(to, CONFIGURATION).header("Accept", "text/event-stream")
}

fn bearer(to: SocketAddr, token: &str) -> Request {
    tech(to).header("Authorization", format!("Bearer {token}"))
}

/// The same of a client that is no EventSource.
fn plain(to: SocketAddr, token: &str) -> Request {
    Request::get(to, CONFIGURATION).header("Authorization", format!("Bearer {token}"))
}

/// Asserts that an EventSource hears that it may come back, and nothing else.
async fn assert_unavailable(request: Request) {
    let heard = SseClient::connect(request).await.until_end(LIMIT).await;
    let [retry, event] = &heard[..] else { panic!("{heard:?}") };
    let Item::Retry(retry) = retry.item else { panic!("{heard:?}") };
    let event = event.event().unwrap();
    assert_eq!((event.name.as_str(), event.has_id), ("unavailable", false));
    let detail = "Users cannot be identified right now. Try again later.";
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data, serde_json::json!({ "detail": detail, "retry_after_ms": retry }));
}

/// Asserts that nobody is identified, in exactly these words.
async fn assert_unidentified(request: Request, what: &str) {
    let response = request.send().await;
    assert_eq!(response.status(), 401, "{what}: {:?}", response.head);
    assert_eq!(response.head.all("content-type"), ["application/json"], "{what}");
    assert_eq!(response.head.all("cache-control"), ["no-store"], "{what}");
    assert_eq!(response.bytes().await.unwrap(), br#"{"detail":"Missing user identification"}"#, "{what}");
}

/// Waits for a line of the log that has all of these words.
async fn assert_logged(function: &Emulator, words: &[&str]) {
    let is_there = || function.logs().iter().any(|line| words.iter().all(|word| line.text.contains(word)));
    let written = async {
        while !is_there() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, written).await.unwrap_or_else(|_| panic!("no line with {words:?}"));
}

/// Asserts the status and returns the answer.
async fn answer(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status, "{:?}", response.head);
    response.into_json().await
}

/// A door before a server, open or shut, that counts who came.
struct Gate {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
    visits: Arc<AtomicUsize>,
}

impl Gate {
    async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (is_open, visits) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (open, count) = (Arc::clone(&is_open), Arc::clone(&visits));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                if open.load(Ordering::Relaxed) {
                    tokio::spawn(async move {
                        let mut server = TcpStream::connect(server).await?;
                        tokio::io::copy_bidirectional(&mut client, &mut server).await
                    });
                }
            }
        });
        Self { address, is_open, visits }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }
}
