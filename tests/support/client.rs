//! A raw HTTP/1.1 client: one request for each connection, nothing added, nothing repaired.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http1::{Body, Connection, Head, Piece};

/// Longest wait for an ordinary answer; a hang then fails one test and not the whole run.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A request about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    to: SocketAddr,
    from: Option<IpAddr>,
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// Any method.
    pub(crate) fn new(to: SocketAddr, method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { to, from: None, method, target, headers: Vec::new(), body: Vec::new() }
    }

    /// `GET`
    pub(crate) fn get(to: SocketAddr, target: &str) -> Self {
        Self::new(to, "GET", target)
    }

    /// Adds a header; the value may be any bytes.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("Content-Type", "application/json")
    }

    /// Adds a body of plain text, as a beacon does.
    pub(crate) fn text(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self.header("Content-Type", "text/plain;charset=UTF-8")
    }

    /// Adds a body that says it is of some kind, or of none.
    pub(crate) fn body(mut self, kind: Option<&str>, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        match kind {
            Some(kind) => self.header("Content-Type", kind),
            None => self,
        }
    }

    /// Connects from this address: on Linux all of 127.0.0.0/8 is there.
    pub(crate) fn from(mut self, address: impl Into<IpAddr>) -> Self {
        self.from = Some(address.into());
        self
    }

    /// Sends the request and reads the head of the answer.
    pub(crate) async fn try_send(&self) -> io::Result<Response> {
        let mut connection = Connection::open(self.to, self.from).await?;
        let sent = Instant::now();
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            bytes.extend(format!("Host: {}\r\n", self.to).into_bytes());
        }
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if !self.body.is_empty() {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        connection.write(&bytes).await?;
        let head = connection.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let body = if self.method == "HEAD" { Body::Length(0) } else { head.body()? };
        Ok(Response { head, sent, connection, body })
    }

    /// As [`Request::try_send`]; a failure fails the test.
    pub(crate) async fn send(&self) -> Response {
        let Ok(answer) = tokio::time::timeout(ANSWER_LIMIT, self.try_send()).await else {
            panic!("{} {}: no answer within {ANSWER_LIMIT:?}", self.method, self.target);
        };
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }
}

/// An answer whose body may still be coming.
pub(crate) struct Response {
    /// Status line and headers.
    pub head: Head,
    /// When the request was sent.
    pub sent: Instant,
    connection: Connection,
    body: Body,
}

impl Response {
    /// The status.
    pub(crate) fn status(&self) -> u16 {
        self.head.word(1).parse().expect("a status line has a number")
    }

    /// The next piece of the body, as soon as it is there. May be cancelled without loss.
    pub(crate) async fn piece(&mut self) -> io::Result<Piece> {
        self.connection.piece(&mut self.body).await
    }

    /// The whole body.
    pub(crate) async fn bytes(mut self) -> io::Result<Vec<u8>> {
        self.connection.body(self.body).await.map(|(body, _)| body)
    }

    /// The whole body as JSON.
    pub(crate) async fn into_json(self) -> Value {
        let head = self.head.clone();
        let bytes = tokio::time::timeout(ANSWER_LIMIT, self.bytes()).await.expect("the body ends");
        let bytes = bytes.expect("the body ends cleanly");
        let text = String::from_utf8_lossy(&bytes);
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {head:?} {text}"))
    }
}
