//! Many clients on one thread: the only file of the load client that waits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::client::{Client, Next, Room, State};
use super::owed::{Owed, Wait};
use super::places::Places;
use super::report::{LoadReport, Without};
use super::tally::Tally;
use super::updates::Rules;
use super::{Load, Progress};
use crate::options::Options;
use crate::target::REDIRECTS_MAX;

/// Bytes of a read.
const READ_BYTES: usize = 256 * 1024;
/// Reads of one client before the others have their turn.
const READS_MAX: usize = 4;
/// Events that the system says at once.
const EVENTS_MAX: usize = 4096;
/// Longest wait before `enough` is asked again.
const TURN: Duration = Duration::from_millis(20);
/// Shortest time after which a client whose connect failed comes back.
const RETRY_MIN: Duration = Duration::from_millis(50);
/// Descriptors beside those of the clients.
const FILES_BESIDE: u64 = 64;

/// A run: clients that were begun, and what they have had.
pub struct Run {
    options: Options,
    load: Load,
    places: Places,
    poll: Poll,
    began: Instant,
    clients: Vec<Client>,
    /// When which client connects.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Clients that may have more to read, and whether that is the end of their connection.
    ready: Vec<(usize, bool)>,
    room: Room,
    tally: Tally,
    open: usize,
}

impl Run {
    /// Resolves the URLs and plans every client's first connect; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence: what cannot be resolved, or that this process may not have so many connections.
    pub fn new(options: &Options, load: &Load) -> Result<Self, String> {
        raise_files(load.clients)?;
        let places = Places::new(options)?;
        let rules = Rules {
            event: options.update_event.clone(),
            id_fields: options.id_fields.clone(),
            time_field: load.time_field.clone(),
        };
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let due = (0..load.clients).map(|client| {
            let share = u32::try_from(client).unwrap_or(u32::MAX);
            Reverse((load.ramp * share / u32::try_from(load.clients).unwrap_or(u32::MAX), client))
        });
        Ok(Self {
            poll: Poll::new().map_err(|error| format!("this system has nothing to wait with: {error}"))?,
            began: Instant::now(),
            clients: (0..load.clients).map(|client| Client::new(places.first(client))).collect(),
            places,
            due: due.collect(),
            ready: Vec::new(),
            room: Room::new(READ_BYTES),
            tally: Tally::new(rules, since_1970),
            open: 0,
            options: options.clone(),
            load: load.clone(),
        })
    }

    /// Goes on until `enough` says so, or for so long; says whether it was enough.
    ///
    /// # Errors
    /// A sentence where the system does not let it wait.
    pub fn until(&mut self, limit: Duration, mut enough: impl FnMut(&Progress<'_>) -> bool) -> Result<bool, String> {
        let end = self.began.elapsed() + limit;
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            if enough(&self.progress()) {
                return Ok(true);
            }
            let now = self.began.elapsed();
            if now >= end {
                return Ok(false);
            }
            let next = self.due.peek().map_or(TURN, |Reverse((at, _))| at.saturating_sub(now));
            let wait = if self.ready.is_empty() { next.min(TURN).min(end - now) } else { Duration::ZERO };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.to_string()),
                _ => {}
            }
            let ready = std::mem::take(&mut self.ready);
            ready.into_iter().for_each(|(client, is_closed)| self.go_on(client, is_closed));
            events.iter().for_each(|event| self.go_on(event.token().0, event.is_read_closed()));
            self.connect_due();
        }
    }

    /// Goes on until every client has had what any client had when this was called, at most so long; where a client is away as it was told to
    /// be, so long after its return, which is waited for up to a minute.
    ///
    /// # Errors
    /// As of [`Run::until`].
    pub fn settle(&mut self, limit: Duration) -> Result<Owed, String> {
        let known = self.tally.updates.known().len();
        let mut wait = Wait::new(self.began.elapsed(), limit, known, self.clients.len());
        loop {
            let now = self.began.elapsed();
            let owed = wait.owed(&self.clients, &self.tally.updates, self.options.timeout, now);
            if !owed.is_waiting {
                return Ok(owed);
            }
            self.until(TURN, |_| false)?;
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress<'_> {
        Progress { open: self.open, tally: &self.tally }
    }

    /// Forgets the times of delivery that were measured so far, and no count: what comes from now on is to be known alone.
    pub fn forget_delivery(&mut self) {
        self.tally.delivery = super::percentiles::Histogram::default();
        self.tally.spread = super::percentiles::Histogram::default();
    }

    /// Everything that was found, where this was owed.
    #[must_use]
    pub fn report(&self, owed: &Owed) -> LoadReport {
        let silent = self.clients.iter().filter(|client| client.came.is_none()).count();
        let never_served = self.clients.iter().filter(|client| client.is_refused && client.served.is_none()).count();
        let without = Without { silent, never_served };
        LoadReport::new(&self.options, &self.load, &self.tally, owed, without, self.began.elapsed())
    }

    fn connect_due(&mut self) {
        let now = self.began.elapsed();
        while let Some(Reverse((at, client))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            self.tally.connects += 1;
            let Client { came, redirects, asks, .. } = &self.clients[client];
            self.tally.reconnects += u64::from(came.is_some() && *redirects == 0);
            let opened = self.places.open(*asks, client).and_then(|mut socket| {
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.poll.registry().register(socket.stream(), Token(client), interest)?;
                Ok(socket)
            });
            match opened {
                Ok(socket) => self.clients[client].connect(socket, now),
                Err(error) => self.no_connection(client, &error),
            }
        }
    }

    fn no_connection(&mut self, client: usize, error: &io::Error) {
        self.tally.failed(format!("no connection: {error}"));
        self.leave(client, &Next::Return);
    }

    /// Does whatever a client can do now. The end of a connection is told once, be there bytes before it or not.
    fn go_on(&mut self, client: usize, is_closed: bool) {
        if matches!(self.clients[client].state, State::Asking(..)) && !self.ask(client) {
            return;
        }
        let was_open = self.clients[client].is_open();
        let began = self.began;
        let mut next = Next::More;
        for _ in 0..READS_MAX {
            next = self.clients[client].read(is_closed, &mut self.room, &mut self.tally, || began.elapsed());
            if next != Next::More {
                break;
            }
        }
        self.open += usize::from(!was_open && self.clients[client].is_open());
        match next {
            Next::Wait => {}
            Next::More => self.ready.push((client, is_closed)),
            Next::Return | Next::Over => self.leave(client, &next),
            Next::Redirect(location) => self.redirect(client, &location),
        }
    }

    /// Writes the request as far as it fits; whether all of it is written.
    fn ask(&mut self, number: usize) -> bool {
        let client = &mut self.clients[number];
        let State::Asking(socket, written) = &mut client.state else { return false };
        match socket.is_connected() {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                self.no_connection(number, &error);
                return false;
            }
        }
        let request = self.places.request(client.asks, &client.last_id);
        while *written < request.len() {
            match socket.write(&request[*written..]) {
                Ok(count) => *written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    self.no_connection(number, &error);
                    return false;
                }
            }
        }
        let State::Asking(socket, _) = std::mem::replace(&mut client.state, State::Away) else { return false };
        client.state = State::Reading(socket);
        true
    }

    /// Sends a client on at once to where it is led.
    fn redirect(&mut self, number: usize, location: &str) {
        let client = &mut self.clients[number];
        client.redirects += 1;
        let place = if client.redirects > REDIRECTS_MAX {
            Err(format!("it comes after {REDIRECTS_MAX} others"))
        } else {
            self.places.redirected(client.asks, location)
        };
        match place {
            Ok(place) => {
                self.tally.redirects += 1;
                client.asks = place;
                client.state = State::Away;
                client.due = self.began.elapsed();
                self.due.push(Reverse((client.due, number)));
            }
            Err(why) => {
                self.tally.failed(format!("refused: a redirect that is not followed: {why}"));
                self.leave(number, &Next::Over);
            }
        }
    }

    /// Closes a client's connection, and plans its return.
    fn leave(&mut self, number: usize, next: &Next) {
        let client = &mut self.clients[number];
        self.open -= usize::from(client.is_open());
        client.state = if *next == Next::Over { State::Over } else { State::Away };
        client.redirects = 0;
        client.asks = client.place;
        if *next == Next::Return {
            client.due = self.began.elapsed() + client.retry.max(RETRY_MIN);
            self.due.push(Reverse((client.due, number)));
        }
    }
}

/// A connection is a descriptor.
fn raise_files(clients: usize) -> Result<(), String> {
    let wanted = clients as u64 + FILES_BESIDE;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        let most = limit.maximum.unwrap_or_default();
        return Err(format!(
            "{clients} clients need {wanted} open files, and this process may have {most}; raise `ulimit -n`"
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })
        .map_err(|error| error.to_string())
}
