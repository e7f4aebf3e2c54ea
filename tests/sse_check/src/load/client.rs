//! One client of a run: what an EventSource does, and what it has had.

use std::io;
use std::time::Duration;

use super::answer::Answer;
use super::blocks::{self, Block};
use super::socket::Socket;
use super::tally::Tally;
use super::updates::Had;
use crate::wire::Head;

/// Time after which a client comes back where the server announces none: Chromium's.
const RETRY_DEFAULT: Duration = Duration::from_secs(3);
/// A stream that ends sooner after its first byte, and has told neither an update nor a position, was a refusal. A limit of a server is known
/// at once; this leaves room for one that has much to do.
const REFUSAL_MAX: Duration = Duration::from_millis(250);
/// Longest block of a stream, bytes.
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// Room of an unfinished block that is kept from one read to the next, bytes.
const REST_BYTES_KEPT: usize = 4096;

/// Room that clients share while they read.
pub(super) struct Room {
    /// What a read brings.
    pub(super) read: Vec<u8>,
    /// Bytes of a body, behind the unfinished block that came before them.
    body: Vec<u8>,
    /// Data of several lines.
    lines: Vec<u8>,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self { read: vec![0; bytes], body: Vec::new(), lines: Vec::new() }
    }
}

/// What a client waits for.
pub(super) enum State {
    /// Its time to connect.
    Away,
    /// Its connection, or room to write; so many bytes of the request are written.
    Asking(Socket, usize),
    /// Bytes.
    Reading(Socket),
    /// Nothing: an EventSource would not come back.
    Over,
}

/// What becomes of a client after it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It reads on once there is more.
    Wait,
    /// There may be more at once.
    More,
    /// It comes back.
    Return,
    /// It goes on to where it is led.
    Redirect(String),
    /// It does not.
    Over,
}

/// A client.
pub(super) struct Client {
    pub(super) state: State,
    /// When its first connect was begun, since the run began.
    pub(super) began: Option<Duration>,
    /// When it had its first event.
    pub(super) came: Option<Duration>,
    /// When it had the first event of a stream that was no refusal.
    pub(super) served: Option<Duration>,
    /// Whether its last stream was a refusal.
    pub(super) is_refused: bool,
    /// When it comes back, where it is away.
    pub(super) due: Duration,
    pub(super) had: Had,
    pub(super) retry: Duration,
    /// What it presents when it comes back.
    pub(super) last_id: Vec<u8>,
    /// Where it comes back to: where it had a stream last. Chromium remembers no redirect but that.
    pub(super) place: usize,
    /// Where it asks or asked now.
    pub(super) asks: usize,
    /// Redirects since it came.
    pub(super) redirects: usize,
    asked: Duration,
    answer: Answer,
    /// When the first byte of this stream came.
    opened: Option<Duration>,
    /// The type of its last event, by its index.
    said: Option<usize>,
    /// Whether it told an update or a position.
    has_place: bool,
    rest: Vec<u8>,
    /// Types of which it had an event: a bit each.
    names: u64,
}

impl Client {
    pub(super) fn new(place: usize) -> Self {
        Self {
            state: State::Away,
            place,
            asks: place,
            redirects: 0,
            began: None,
            came: None,
            served: None,
            is_refused: false,
            due: Duration::ZERO,
            had: Had::default(),
            retry: RETRY_DEFAULT,
            last_id: Vec::new(),
            asked: Duration::ZERO,
            answer: Answer::default(),
            opened: None,
            said: None,
            has_place: false,
            rest: Vec::new(),
            names: 0,
        }
    }

    /// Whether bytes of a stream have come on its connection.
    pub(super) fn is_open(&self) -> bool {
        self.opened.is_some() && matches!(self.state, State::Reading(_))
    }

    /// Whether it has had an event of the type with this index.
    pub(super) fn has_had(&self, name: usize) -> bool {
        self.names & (1 << name) != 0
    }

    /// Begins anew on a connection. That it was refused before is kept until a stream turns out to be none.
    pub(super) fn connect(&mut self, socket: Socket, now: Duration) {
        self.began.get_or_insert(now);
        if self.redirects == 0 {
            self.asked = now;
        }
        self.answer = Answer::default();
        self.opened = None;
        self.said = None;
        self.has_place = false;
        self.rest = Vec::new();
        self.state = State::Asking(socket, 0);
    }

    /// Reads once and takes what came. Where the connection is known to be closed there is always more: its end.
    pub(super) fn read(
        &mut self,
        is_closed: bool,
        room: &mut Room,
        tally: &mut Tally,
        now: impl Fn() -> Duration,
    ) -> Next {
        let State::Reading(socket) = &mut self.state else { return Next::Wait };
        let (read, has_more) = match socket.read(&mut room.read) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Next::Wait,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Next::More,
            Err(error) => return self.broke_off(tally, &error.to_string()),
        };
        if read == 0 {
            if self.answer.may_end() {
                return self.ended(tally, now());
            }
            return self.broke_off(tally, "the connection just ended");
        }
        let now = now();
        match self.take(read, room, tally, now) {
            Err((why, next)) => {
                tally.failed(why);
                next
            }
            Ok(Some(location)) => Next::Redirect(location),
            Ok(None) if self.answer.has_ended() => self.ended(tally, now),
            Ok(None) if has_more || is_closed => Next::More,
            Ok(None) => Next::Wait,
        }
    }

    /// A stream came to its end as planned, or was none.
    fn ended(&mut self, tally: &mut Tally, now: Duration) -> Next {
        tally.ended += 1;
        let opened = self.opened.unwrap_or(now);
        self.is_refused = !self.has_place && now.saturating_sub(opened) <= REFUSAL_MAX;
        if self.is_refused {
            self.served = self.served.filter(|served| *served < opened);
            tally.refused(self.said);
        }
        Next::Return
    }

    fn broke_off(&self, tally: &mut Tally, why: &str) -> Next {
        let what = if self.opened.is_some() { "a stream broke off" } else { "no answer" };
        tally.failed(format!("{what}: {why}"));
        Next::Return
    }

    /// Takes what came; says where else to go, where that is what came.
    fn take(
        &mut self,
        read: usize,
        room: &mut Room,
        tally: &mut Tally,
        now: Duration,
    ) -> Result<Option<String>, (String, Next)> {
        let Room { read: piece, body, lines } = room;
        body.clear();
        body.append(&mut self.rest);
        let before = body.len();
        if let Some(head) = self.answer.feed(&piece[..read], body).map_err(|why| (why, Next::Return))? {
            if let Some(location) = head.redirect() {
                return Ok(Some(location));
            }
            if !head.is_stream() {
                return Err((refused(&head), Next::Over));
            }
            self.place = self.asks;
            self.redirects = 0;
        }
        let came = body.len() - before;
        tally.bytes += came as u64;
        if came > 0 && self.opened.is_none() {
            self.opened = Some(now);
            tally.first_byte.add(now.saturating_sub(self.asked));
        }
        let taken = blocks::scan(body, lines, |block| self.block(&block, tally, now));
        let rest = &body[taken..];
        if rest.len() > BLOCK_BYTES_MAX {
            return Err(("a block of more than 16 MiB".into(), Next::Return));
        }
        if self.rest.capacity() > REST_BYTES_KEPT || rest.is_empty() {
            self.rest = Vec::new();
        }
        self.rest.extend_from_slice(rest);
        Ok(None)
    }

    fn block(&mut self, block: &Block<'_>, tally: &mut Tally, now: Duration) {
        if let Some(retry) = block.retry {
            self.retry = Duration::from_millis(retry);
        }
        if let Some(id) = block.id {
            self.has_place |= !id.is_empty();
            if id != self.last_id {
                self.last_id.clear();
                self.last_id.extend_from_slice(id);
            }
        }
        if block.data.is_none() {
            return;
        }
        self.came.get_or_insert(now);
        self.served.get_or_insert(now);
        let name = tally.name(block.name);
        self.said = Some(name);
        if !self.has_had(name) {
            self.names |= 1 << name;
            tally.names[name].firsts.add(now.saturating_sub(self.began.unwrap_or(now)));
        }
        if let Some(arrival) = tally.event(name, block, now) {
            self.has_place = true;
            self.is_refused = false;
            let is_new = self.had.add(arrival.index);
            tally.update(arrival, is_new, now);
        }
    }
}

/// Why an answer is no stream.
fn refused(head: &Head) -> String {
    let kind = head.get("content-type").unwrap_or_default();
    format!("refused: status {}, Content-Type `{}`", head.status, kind.escape_debug())
}
