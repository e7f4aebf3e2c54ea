//! How a stream is asked for, byte by byte: whether the server answers by itself or hands the connection on, the stream is the same.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{LIMIT, STREAM};
use crate::support::local::Local;

const REST: &str = "HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";

/// A connection, and what came on it.
struct Raw {
    stream: TcpStream,
    said: String,
}

impl Raw {
    async fn connect(local: &Local) -> Self {
        let stream = TcpStream::connect(local.stream).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, said: String::new() }
    }

    async fn say(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Reads on; `false` at the end.
    async fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let count = timeout(LIMIT, self.stream.read(&mut bytes)).await.expect("there is more, or an end").unwrap_or(0);
        self.said.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        count > 0
    }

    async fn find(&mut self, text: &str) {
        while !self.said.contains(text) {
            assert!(self.read().await, "no {text:?} in {:?}", self.said);
        }
    }

    /// The lines of the head that came last, in lower case, sorted.
    fn head(&self) -> Vec<String> {
        let from = self.said.rfind("HTTP/1.").unwrap();
        let head = self.said[from..].split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        let mut lines: Vec<String> = head.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

async fn streams(local: &Local) -> u64 {
    let status = local.get(contract::routes::STREAM_STATUS).send().await.into_json().await;
    status["connections"].as_u64().unwrap()
}

async fn until_streams(local: &Local, count: u64) {
    let wait = async {
        while streams(local).await != count {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("there never were {count} streams"));
}

/// Without a header that may differ between two answers of the same kind.
fn without(lines: Vec<String>, name: &str) -> Vec<String> {
    lines.into_iter().filter(|line| !line.starts_with(name)).collect()
}

#[tokio::test]
async fn an_answer_is_the_same_whoever_writes_it() {
    let local = Local::start(&[("SSE_CONNECTIONS_PER_CLIENT", "100")]).await;
    let plain = format!("GET {STREAM} {REST}");
    let by_hyper = plain.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
    let mut heads = Vec::new();
    for request in [&plain, &by_hyper] {
        let mut raw = Raw::connect(&local).await;
        raw.say(request).await;
        raw.find("event: metrics").await;
        assert!(raw.head().contains(&"transfer-encoding: chunked".to_owned()), "{:?}", raw.head());
        assert!(!raw.head().iter().any(|line| line.starts_with("connection:")), "{:?}", raw.head());
        assert!(raw.head().iter().any(|line| line.starts_with("date: ")));
        heads.push(without(raw.head(), "date:"));
    }
    assert_eq!(heads[0], heads[1]);
    // A refusal too.
    let mut heads = Vec::new();
    for request in [&plain, &by_hyper] {
        let mut raw = Raw::connect(&local).await;
        raw.say(&request.replace(STREAM, "/api/v2/configurations/c/stream")).await;
        raw.find("}").await;
        assert!(raw.said.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{}", raw.said);
        heads.push((without(raw.head(), "date:"), raw.said.split("\r\n\r\n").nth(1).unwrap().to_owned()));
    }
    assert_eq!(heads[0], heads[1]);
    until_streams(&local, 0).await;
}

#[tokio::test]
async fn a_head_in_pieces_is_one_and_what_comes_after_it_is_answered_after_the_stream() {
    let local = Local::start(&[("SSE_MAX_SESSION", "5s")]).await;
    let mut raw = Raw::connect(&local).await;
    for piece in ["G", "ET /api/v2/str", "eam HTTP/1.1\r\nHo", "st: localhost\r\n", "\r", "\n"] {
        raw.say(piece).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // What every stream begins with. Metrics may come only after this one's end: whoever comes while the day is read for the first time waits
    // for the read after that.
    raw.find("retry: ").await;
    raw.say(&format!("GET /health {REST}GET {STREAM} {REST}")).await;
    raw.find("event: deadline").await;
    raw.find("\n\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n").await;
    raw.find("{\"status\":\"healthy\"}").await;
    let first = raw.said.find("{\"status\":\"healthy\"}").unwrap();
    while !raw.said[first..].contains("retry: ") {
        assert!(raw.read().await, "{}", raw.said);
    }
    drop(raw);
    until_streams(&local, 0).await;
}

#[tokio::test]
async fn a_connection_may_have_one_stream_after_another() {
    let local = Local::start(&[("SSE_MAX_SESSION", "5s")]).await;
    let mut raw = Raw::connect(&local).await;
    for stream in 1..=2 {
        raw.say(&format!("GET {STREAM} {REST}")).await;
        while raw.said.matches("\r\n0\r\n\r\n").count() < stream {
            assert!(raw.read().await, "{}", raw.said);
        }
        assert_eq!(raw.said.matches("HTTP/1.1 200 OK").count(), stream);
    }
    raw.say(&format!("GET {STREAM} {REST}").replace("Host", "Connection: close\r\nHost")).await;
    while raw.read().await {}
    assert!(raw.head().contains(&"connection: close".to_owned()), "{:?}", raw.head());
    assert!(raw.said.ends_with("\r\n0\r\n\r\n"), "{}", raw.said);
}

#[tokio::test]
async fn the_next_head_may_begin_while_a_stream_is_open() {
    let local = Local::start(&[("SSE_MAX_SESSION", "5s")]).await;
    let mut raw = Raw::connect(&local).await;
    let request = format!("GET {STREAM} {REST}");
    let (begin, end) = request.split_at(request.len() - 3);
    raw.say(&request).await;
    raw.find("retry: ").await;
    raw.say(begin).await;
    raw.find("\r\n0\r\n\r\n").await;
    raw.say(end).await;
    while raw.said.matches("\r\n0\r\n\r\n").count() < 2 {
        assert!(raw.read().await, "{}", raw.said);
    }
    assert_eq!(raw.said.matches("HTTP/1.1 200 OK").count(), 2);
}

#[tokio::test]
async fn requests_behind_one_another_are_all_answered_in_order() {
    let local = Local::start(&[]).await;
    let health = format!("GET /health {REST}");
    let mut raw = Raw::connect(&local).await;
    // The stream is not the first, and a request stands behind it.
    raw.say(&format!("{health}{health}GET {STREAM} {REST}{health}")).await;
    raw.find("event: metrics").await;
    assert_eq!(raw.said.matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!(raw.said.matches("{\"status\":\"healthy\"}").count(), 2);
    drop(raw);
    until_streams(&local, 0).await;
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_no_chunks_and_the_end_with_the_connection() {
    let local = Local::start(&[("SSE_MAX_SESSION", "5s")]).await;
    let mut raw = Raw::connect(&local).await;
    raw.say(&format!("GET {STREAM} HTTP/1.0\r\n\r\n")).await;
    while raw.read().await {}
    let (head, body) = raw.said.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && !head.contains("transfer-encoding"), "{head}");
    assert!(body.starts_with("retry: ") && !body.contains('\r'), "{body}");
    assert!(body.contains("event: deadline\n") && body.ends_with("\n\n"), "{body}");
    until_streams(&local, 0).await;
}

#[tokio::test]
async fn a_request_names_one_host() {
    let local = Local::start(&[]).await;
    for (path, hosts, version, status) in [
        ("/health", "", "1.1", "400"),
        ("/health", "Host: a\r\nHost: b\r\n", "1.1", "400"),
        (STREAM, "Host: localhost\r\nHost: localhost\r\n", "1.1", "400"),
        (STREAM, "", "1.1", "400"),
        ("/health", "", "1.0", "200"),
        ("/health", "Host: localhost\r\n", "1.1", "200"),
    ] {
        let mut raw = Raw::connect(&local).await;
        raw.say(&format!("GET {path} HTTP/{version}\r\n{hosts}\r\n")).await;
        raw.find("\r\n\r\n").await;
        assert!(raw.said.starts_with(&format!("HTTP/{version} {status} ")), "{path} {hosts:?}: {}", raw.said);
    }
}
