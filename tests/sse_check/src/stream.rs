//! A request, its answer, and a stream that is being read: the part of a browser that these checks need.

use std::io;
use std::time::{Duration, Instant};

use crate::decode::{Decoder, Event};
use crate::target::Target;
use crate::wire::{Body, Connection, Head, Shape};

/// Bytes asked for at once, where nothing else is wanted.
const READ_BYTES: usize = 16 * 1024;

/// A request about to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: &'static str,
    /// What stands after the method: a path, or a whole URL.
    pub target: String,
    /// `1.1` or `1.0`.
    pub version: &'static str,
    /// Headers after `Host`; values may be any bytes.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Bytes after the head.
    pub body: Vec<u8>,
    /// How the connection is opened.
    pub shape: Shape,
    to: Target,
    limit: Duration,
}

impl Request {
    /// What an EventSource asks, with these headers added; without those that the target must not have.
    #[must_use]
    pub fn new(to: &Target, headers: &[(String, String)], limit: Duration) -> Self {
        let own = [("Accept", "text/event-stream"), ("Cache-Control", "no-cache")];
        let own = own.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let is_credential = |name: &str| ["authorization", "cookie"].iter().any(|one| one.eq_ignore_ascii_case(name));
        let more = headers.iter().filter(|(name, _)| to.takes_credentials || !is_credential(name));
        let more = more.map(|(name, value)| (name.clone(), value.as_bytes().to_vec()));
        Self {
            method: "GET",
            target: to.path.clone(),
            version: "1.1",
            headers: own.into_iter().chain(more).collect(),
            body: Vec::new(),
            shape: Shape { receive_buffer: None, read_bytes: READ_BYTES, limit },
            to: to.clone(),
            limit,
        }
    }

    /// The same with another method.
    #[must_use]
    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The same, coming back: an empty id is none, as in browsers.
    #[must_use]
    pub fn last_id(self, id: &[u8]) -> Self {
        if id.is_empty() { self } else { self.header("Last-Event-ID", id) }
    }

    /// The request as bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let start = format!("{} {} HTTP/{}\r\nHost: {}\r\n", self.method, self.target, self.version, self.to.authority);
        let mut bytes = start.into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// Connects without sending anything.
    ///
    /// # Errors
    /// [`Failure::Connect`]
    pub async fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(&self.to, self.shape).await.map_err(|error| Failure::Connect(error.to_string()))
    }

    /// Sends the request and reads the head of the answer.
    ///
    /// # Errors
    /// [`Failure`]: at what point, and what the system says.
    pub async fn send(&self) -> Result<Stream, Failure> {
        self.send_on(self.connect().await?).await
    }

    /// As [`Request::send`] on a connection that is there.
    ///
    /// # Errors
    /// [`Failure`]: at what point, and what the system says.
    pub async fn send_on(&self, mut connection: Connection) -> Result<Stream, Failure> {
        let sent = Instant::now();
        // A refusal may be there before the request is written in full; what it says counts more than the broken pipe.
        let written = connection.write(&self.bytes()).await;
        self.answer(connection, sent).await.map_err(|failure| match written {
            Err(error) if matches!(failure, Failure::Closed) => Failure::Broken(error.to_string()),
            _ => failure,
        })
    }

    /// Reads the head of an answer to this request, which was sent then.
    ///
    /// # Errors
    /// [`Failure`]: at what point, and what the system says.
    pub async fn answer(&self, mut connection: Connection, sent: Instant) -> Result<Stream, Failure> {
        let head = tokio::time::timeout(self.limit, connection.head()).await;
        let head =
            head.map_err(|_| Failure::Silent(self.limit))?.map_err(|error| Failure::Broken(error.to_string()))?;
        let head = head.ok_or(Failure::Closed)?;
        let body = head.body(self.method).map_err(|error| Failure::Broken(error.to_string()))?;
        let decoder = Decoder::default();
        let opened = sent.elapsed();
        Ok(Stream { head, sent, opened, first_byte: None, bytes: 0, decoder, end: None, connection, body })
    }
}

/// Why a request got no head of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// The connection was closed instead of an answer.
    #[error("the connection was closed without an answer")]
    Closed,
    /// Something that is no HTTP answer.
    #[error("{0}")]
    Broken(String),
    /// A redirect that is not followed.
    #[error("a redirect that is not followed: {0}")]
    Redirect(String),
}

/// How a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As its framing says.
    Clean,
    /// The connection was closed or reset before that.
    Cut(String),
    /// The framing makes no sense.
    Broken(String),
}

/// An answer whose body may still be coming.
pub struct Stream {
    /// Status line and headers.
    pub head: Head,
    /// When the request was sent.
    pub sent: Instant,
    /// Time from the request to the head.
    pub opened: Duration,
    /// Time from the request to the first byte of the body.
    pub first_byte: Option<Duration>,
    /// Bytes of the body so far.
    pub bytes: u64,
    /// What they said.
    pub decoder: Decoder,
    /// How it ended, if it has.
    pub end: Option<End>,
    connection: Connection,
    body: Body,
}

/// What is left of a stream that was listened to, without its connection: that one is closed.
#[derive(Debug)]
pub struct Sample {
    /// Status line and headers.
    pub head: Head,
    /// Time from the request to the first byte of the body.
    pub first_byte: Option<Duration>,
    /// What it said.
    pub decoder: Decoder,
    /// How it ended, if it has.
    pub end: Option<End>,
}

impl From<Stream> for Sample {
    fn from(stream: Stream) -> Self {
        Self { head: stream.head, first_byte: stream.first_byte, decoder: stream.decoder, end: stream.end }
    }
}

impl Stream {
    /// Reads until `enough` says so, the end, or the limit; says whether it was enough.
    pub async fn until(&mut self, limit: Duration, mut enough: impl FnMut(&Self) -> bool) -> bool {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            if enough(self) {
                return true;
            }
            if self.end.is_some() {
                return false;
            }
            let Ok(piece) = tokio::time::timeout_at(deadline, self.connection.piece(&mut self.body)).await else {
                return false;
            };
            self.take(piece);
            // A stream that always has more must not keep us.
            if tokio::time::Instant::now() > deadline {
                return enough(self);
            }
        }
    }

    /// Reads for so long, or to the end.
    pub async fn listen(&mut self, time: Duration) {
        self.until(time, |_| false).await;
    }

    /// Reads until there is an event.
    pub async fn first_event(&mut self, limit: Duration) -> Option<Event> {
        self.until(limit, |stream| stream.decoder.events().next().is_some()).await;
        self.decoder.events().next().map(|(_, event)| event.clone())
    }

    fn take(&mut self, piece: io::Result<Option<Vec<u8>>>) {
        match piece {
            Ok(Some(bytes)) => {
                let at = self.sent.elapsed();
                self.first_byte.get_or_insert(at);
                self.bytes += bytes.len() as u64;
                self.decoder.feed(&bytes, at);
            }
            Ok(None) => self.end = Some(End::Clean),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => self.end = Some(End::Broken(error.to_string())),
            Err(error) => self.end = Some(End::Cut(error.to_string())),
        }
    }

    /// Drops a part of what was read that nobody needs any more.
    pub fn forget(&mut self) {
        self.decoder.items.clear();
    }

    /// Ends it with a reset.
    pub fn abort(self) {
        self.connection.abort();
    }

    /// Gives the connection back, for another request after a body that has ended.
    #[must_use]
    pub fn into_connection(self) -> Connection {
        self.connection
    }
}
