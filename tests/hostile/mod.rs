//! Hostile requests to both functions, as an ordinary server and behind a Function URL: 4xx with JSON or an ordinary answer,
//! never 5xx, never a panic, and nothing secret in the log.

mod rest;
mod table;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::client::Request;
use crate::support::local::Local;
use crate::support::table::{SENTIMENTS, Table};
use crate::support::{bins, dynamodb};
use contract::routes;
use table::{Hostile, SECRET};

/// A request that is none may be waited for for ever; this is when a test stops waiting.
const NOTHING_COMES: Duration = Duration::from_millis(600);
/// Longest wait for an answer to a request.
const LIMIT: Duration = Duration::from_secs(60);
/// Fewest requests of the table.
const REQUESTS_MIN: usize = 200;

const STREAM_PATHS: &[&str] = &[routes::STREAM, routes::STREAM_STATUS, routes::HEALTH];
const DASHBOARD_PATHS: &[&str] =
    &[routes::METRICS, routes::HEALTH, routes::ITEMS, routes::RUNTIME, routes::CONFIGURATIONS, routes::OPENAPI];

/// What came back.
#[derive(Debug)]
enum Answer {
    /// Head and as much of the body as there is, or one event of a stream.
    Http { status: u16, head: String, body: Vec<u8> },
    /// The connection was closed.
    Closed,
    /// Nothing.
    Nothing,
}

/// Sends the bytes and reads one answer.
async fn ask(address: SocketAddr, hostile: &Hostile) -> Answer {
    let mut socket = TcpStream::connect(address).await.expect("the server listens");
    let mut answer = Vec::new();
    let talk = async {
        let (mut read, mut write) = socket.split();
        let writing = async {
            // The answer may come before all is written, and the connection be closed.
            write.write_all(&hostile.bytes).await.ok();
            std::future::pending::<()>().await;
        };
        let reading = async {
            while !is_whole(&answer, hostile) && read.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
        };
        tokio::select! {
            () = writing => {}
            () = reading => {}
        }
    };
    let silent = tokio::time::timeout(if hostile.http { LIMIT } else { NOTHING_COMES }, talk).await.is_err();
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if silent { Answer::Nothing } else { Answer::Closed };
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.get(9..12).and_then(|digits| digits.parse().ok()).expect("a status line");
    Answer::Http { status, head, body: answer.split_off(end + 4) }
}

/// Whether an answer is complete, or begins an ordinary stream.
fn is_whole(answer: &[u8], hostile: &Hostile) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let (head, body) = (String::from_utf8_lossy(&answer[..end]).to_lowercase(), &answer[end + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    if hostile.bytes.starts_with(b"HEAD ") || head.starts_with("http/1.1 204") || head.starts_with("http/1.1 304") {
        return true;
    }
    match length {
        Some(length) => body.len() >= length,
        None if head.contains("text/event-stream") => body.windows(2).any(|two| two == b"\n\n"),
        None => body.ends_with(b"0\r\n\r\n"),
    }
}

/// Says what is wrong with an answer. Where a page is served beside the function, other paths are the page's.
fn complaint(hostile: &Hostile, answer: &Answer, page: bool) -> Option<String> {
    let (status, head, body) = match answer {
        Answer::Http { status, head, body } => (*status, head, body),
        Answer::Closed | Answer::Nothing if !hostile.http => return None,
        other => return Some(format!("{other:?}")),
    };
    let text = String::from_utf8_lossy(body);
    let json =
        || text.find('{').and_then(|start| serde_json::from_str::<Value>(text[start..=text.rfind('}')?].trim()).ok());
    match status {
        200 if head.contains("text/event-stream") && !hostile.bytes.starts_with(b"HEAD ") => {
            // Ordinary: it greets, or says that there is no room.
            (!text.contains("event: ")).then(|| format!("a stream that says {text:?}"))
        }
        200 | 201 | 204 | 304 => None,
        // The library's own refusal of what is no HTTP, bare.
        400..=499 if !hostile.http && body.is_empty() => None,
        400..=499 if hostile.bytes.starts_with(b"HEAD ") => None,
        307 | 404 | 405 if page && (body.is_empty() || !hostile.http) => None,
        400..=499 if json().is_some_and(|json| json["detail"].is_string()) => None,
        _ => Some(format!("status {status}: {head}\n{text}")),
    }
}

/// All requests to the function that serves these paths.
fn requests(paths: &[&str], host: &str) -> Vec<Hostile> {
    let rest = if paths == DASHBOARD_PATHS { rest::requests(host) } else { Vec::new() };
    table::requests(paths, host).into_iter().chain(rest).collect()
}

async fn assert_survives(address: SocketAddr, paths: &[&str], page: bool) {
    let all = requests(paths, &address.to_string());
    assert!(all.len() >= REQUESTS_MIN, "{} requests", all.len());
    let mut complaints = Vec::new();
    for hostile in &all {
        let answer = ask(address, hostile).await;
        complaints.extend(complaint(hostile, &answer, page).map(|text| format!("{}: {text}\n", hostile.name)));
    }
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), all.len(), complaints.concat());
    assert_eq!(Request::get(address, routes::HEALTH).send().await.status(), 200);
}

fn assert_clean(log: &str) {
    assert!(!log.contains(SECRET), "a token is in the log:\n{log}");
    assert!(!log.contains("panicked"), "{log}");
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
}

const MANY: [(&str, &str); 3] = [
    ("SSE_MAX_CONNECTIONS", "1600"),
    ("SSE_CONNECTIONS_PER_CLIENT", "1600"),
    // Everybody is who they say, so that requests get past that.
    ("AUTH_MODE", "trusted-header"),
];

#[tokio::test]
async fn the_stream_server_survives_every_hostile_request() {
    let local = Local::start(&MANY).await;
    assert_survives(local.stream, STREAM_PATHS, false).await;
    assert_clean(&local.process.text());
}

#[tokio::test]
async fn the_dashboard_server_survives_every_hostile_request() {
    let local = Local::start(&MANY).await;
    assert_survives(local.dashboard, DASHBOARD_PATHS, true).await;
    assert_clean(&local.process.text());
}

/// As a Function URL passes them on: what is no HTTP never reaches the function.
async fn assert_function_survives(name: &str, invoke_mode: InvokeMode, paths: &[&str]) {
    let table = Table::create(SENTIMENTS).await;
    let more = MANY.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain(more).collect();
    let config = Config::new(bins::path(name), env);
    // Many at once in one environment: a stream goes on after its viewer has left.
    let emulator =
        Emulator::start(Config { invoke_mode, concurrency_per_environment: 1600, freeze: false, ..config }).await;
    let all = requests(paths, "emulated.lambda-url.us-east-1.on.aws");
    let passed: Vec<&Hostile> = all.iter().filter(|hostile| hostile.http).collect();
    assert!(passed.len() >= REQUESTS_MIN, "{} requests", passed.len());
    let mut complaints = Vec::new();
    for hostile in passed {
        let answer = ask(emulator.address(), hostile).await;
        complaints.extend(complaint(hostile, &answer, false).map(|text| format!("{}: {text}\n", hostile.name)));
    }
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.concat());
    assert_eq!(emulator.environments(), 1, "an environment crashed");
    assert_clean(&emulator.logs().iter().map(|line| format!("{}\n", line.text)).collect::<String>());
}

#[tokio::test]
async fn the_stream_function_survives_every_hostile_request() {
    assert_function_survives("stream", InvokeMode::Streaming, STREAM_PATHS).await;
}

#[tokio::test]
async fn the_dashboard_function_survives_every_hostile_request() {
    assert_function_survives("dashboard", InvokeMode::Buffered, DASHBOARD_PATHS).await;
}
