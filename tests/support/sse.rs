//! An EventSource client that believes nothing: raw bytes with times of arrival, two decoders that must agree.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use serde_json::Value;

use super::client::{Request, Response};
use super::decoder::{self, Decoder, Event, Item};
use super::http1::Piece;

/// One item with its time of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// When the piece came that completed it.
    pub at: Instant,
    /// What it is.
    pub item: Item,
}

impl Arrived {
    /// The event, if it is one.
    pub(crate) fn event(&self) -> Option<&Event> {
        if let Item::Event(event) = &self.item { Some(event) } else { None }
    }
}

/// An open stream.
pub(crate) struct SseClient {
    response: Response,
    decoder: Decoder,
    bytes: Vec<u8>,
    unread: VecDeque<Arrived>,
    seen: Vec<Arrived>,
    end: Option<Result<(), String>>,
}

impl SseClient {
    /// Sends the request as EventSource does and takes whatever status comes.
    pub(crate) async fn open(request: Request) -> Self {
        let response = request.header("Accept", "text/event-stream").header("Cache-Control", "no-cache").send().await;
        Self {
            response,
            decoder: Decoder::default(),
            bytes: Vec::new(),
            unread: VecDeque::new(),
            seen: Vec::new(),
            end: None,
        }
    }

    /// As [`SseClient::open`]; anything but an event stream fails the test.
    pub(crate) async fn connect(request: Request) -> Self {
        let client = Self::open(request).await;
        assert_eq!(client.response.status(), 200, "{:?}", client.response.head);
        assert_eq!(client.response.head.all("content-type"), ["text/event-stream"]);
        client
    }

    /// Status line and headers.
    pub(crate) fn response(&self) -> &Response {
        &self.response
    }

    /// The answer itself, for one that is no stream.
    pub(crate) fn into_response(self) -> Response {
        self.response
    }

    /// The body so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Everything taken with `next` and its kin so far.
    pub(crate) fn seen(&self) -> &[Arrived] {
        &self.seen
    }

    /// Id of the last event that was taken.
    pub(crate) fn last_id(&self) -> String {
        self.seen.iter().rev().find_map(|one| one.event().map(|event| event.id.clone())).unwrap_or_default()
    }

    /// The next item, or `None` at the end of the stream. May be cancelled without loss.
    async fn item(&mut self) -> Option<Arrived> {
        loop {
            if let Some(arrived) = self.unread.pop_front() {
                self.seen.push(arrived.clone());
                return Some(arrived);
            }
            if self.end.is_some() {
                return None;
            }
            match self.response.piece().await {
                Ok(Piece::Data(data)) => {
                    let at = Instant::now();
                    self.bytes.extend_from_slice(&data);
                    self.unread.extend(self.decoder.push(&data).into_iter().map(|item| Arrived { at, item }));
                }
                Ok(Piece::End(_)) => self.end = Some(Ok(())),
                Err(error) => self.end = Some(Err(error.to_string())),
            }
        }
    }

    /// The next item; the end of the stream or the limit fails the test.
    pub(crate) async fn next(&mut self, limit: Duration) -> Arrived {
        self.find("an item", limit, |_| true).await
    }

    /// The next event with this name; others before it are passed over.
    pub(crate) async fn event(&mut self, name: &str, limit: Duration) -> Event {
        self.arrival(name, limit).await.0
    }

    /// The data of the next event with this name.
    pub(crate) async fn data(&mut self, name: &str, limit: Duration) -> Value {
        let event = self.event(name, limit).await;
        serde_json::from_str(&event.data).unwrap_or_else(|error| panic!("{error}: {event:?}"))
    }

    /// The next event with this name, and when it came.
    pub(crate) async fn arrival(&mut self, name: &str, limit: Duration) -> (Event, Instant) {
        let arrived = self.find(name, limit, |one| one.event().is_some_and(|event| event.name == name)).await;
        (arrived.event().expect("just asked for").clone(), arrived.at)
    }

    /// The next item that fits; others before it are passed over.
    pub(crate) async fn find(&mut self, what: &str, limit: Duration, fits: impl Fn(&Arrived) -> bool) -> Arrived {
        let search = async {
            while let Some(arrived) = self.item().await {
                if fits(&arrived) {
                    return Some(arrived);
                }
            }
            None
        };
        let found = tokio::time::timeout(limit, search).await;
        let why = match found {
            Ok(Some(arrived)) => return arrived,
            Ok(None) => format!("the stream ended: {:?}", self.end),
            Err(_) => format!("not within {limit:?}"),
        };
        panic!("waiting for {what}: {why}; came so far:\n{}", String::from_utf8_lossy(&self.bytes));
    }

    /// All items that come within this time. For asserting that something does not come.
    pub(crate) async fn during(&mut self, time: Duration) -> Vec<Arrived> {
        let from = self.seen.len();
        let all = async { while self.item().await.is_some() {} };
        drop(tokio::time::timeout(time, all).await);
        self.seen[from..].to_vec()
    }

    /// Everything to the clean end of the stream; a reset, a cut or the limit fails the test.
    pub(crate) async fn until_end(&mut self, limit: Duration) -> Vec<Arrived> {
        let from = self.seen.len();
        let all = async { while self.item().await.is_some() {} };
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(tokio::time::timeout(limit, all).await.is_ok(), "no end within {limit:?}:\n{}", said(&self.bytes));
        assert_eq!(self.end, Some(Ok(())), "the stream was cut:\n{}", said(&self.bytes));
        assert!(self.decoder.is_between_events(), "the stream ends within an event:\n{}", said(&self.bytes));
        self.check().await;
        self.seen[from..].to_vec()
    }

    /// Fails if a second decoder sees other events, or if anything would be ignored by a browser.
    pub(crate) async fn check(&self) {
        let items = decoder::decode(&self.bytes);
        let ignored: Vec<_> = items.iter().filter(|item| matches!(item, Item::Ignored(_))).collect();
        assert!(ignored.is_empty(), "a browser would ignore {ignored:?}");
        agree(&self.bytes).await;
    }
}

/// Fails unless `eventsource-stream`, fed in random pieces, decodes the same events.
pub(crate) async fn agree(bytes: &[u8]) {
    let pieces = random_pieces(bytes).into_iter().map(Ok::<_, std::convert::Infallible>);
    let stream = futures_util::stream::iter(pieces).eventsource();
    let other: Vec<_> = stream.map(|event| event.expect("it reads what we read")).collect().await;
    let ours = decoder::events(&decoder::decode(bytes));
    let ours: Vec<_> = ours.iter().map(|event| (event.name.as_str(), event.data.as_str())).collect();
    let other: Vec<_> = other.iter().map(|event| (event.event.as_str(), event.data.as_str())).collect();
    assert_eq!(ours, other, "two decoders disagree");
}

/// Cuts bytes at random places: into short pieces, or some hundreds where there are many bytes, because the foreign decoders
/// read what they hold of an event again at each piece.
pub(crate) fn random_pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
    let longest = 40.max(bytes.len() / 100);
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(fastrand::usize(1..=rest.len().min(longest)));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}
