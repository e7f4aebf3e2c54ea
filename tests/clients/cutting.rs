//! A proxy in front of several servers that sends each connection to another one and cuts connections as planned.
//!
//! It works on the bytes of TCP: a cut falls wherever it falls, within a header, a chunk's size or a character.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::place::{Place, Reader};
use crate::support::http1::{Body, Connection, Head, Piece};
use crate::support::process::lock;

/// Time between the last bytes and the cut: what was sent before it is read, not thrown away together with the connection.
const SETTLE: Duration = Duration::from_millis(5);

/// A page of the stream's own origin.
const FRAME: &str = concat!(
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n",
    include_str!("frame.html")
);

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// With a reset, as when a process dies.
    Reset,
    /// With an orderly end of the connection in the middle of the response.
    Fin,
}

/// When a connection ends, counted in bytes of the response.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// After exactly so many bytes.
    After(usize),
    /// Between two events, at the first chance after so many bytes.
    BetweenAfter(usize),
}

/// A cut to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub when: When,
    pub how: How,
}

impl Cut {
    fn is_due(self, count: usize, place: Place) -> bool {
        match self.when {
            When::After(bytes) => count >= bytes,
            When::BetweenAfter(bytes) => count >= bytes && place == Place::Between,
        }
    }
}

/// A cut that has happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub place: Place,
    pub how: How,
}

/// One request that came through.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// When it came.
    pub at: Instant,
    /// The server that it went to.
    pub server: SocketAddr,
    /// The header `Last-Event-ID`.
    pub last_event_id: Option<String>,
    /// When the last bytes so far were about to go to the client, where no cut was planned.
    pub last_bytes: Option<Instant>,
}

#[derive(Default)]
struct State {
    servers: Vec<SocketAddr>,
    turn: usize,
    /// Cuts for the connections to come; nothing is cut before there are any.
    plan: VecDeque<Cut>,
    done: Vec<Done>,
    visits: Vec<Visit>,
}

/// The proxy on a port of its own.
pub(super) struct Front {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listens: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Front {
    /// Starts in front of these servers.
    pub(super) async fn start(servers: &[SocketAddr]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State { servers: servers.to_vec(), ..State::default() }));
        let (listens, changes) = watch::channel(true);
        let task = tokio::spawn(serve(listener, changes, Arc::clone(&state)));
        Self { address, state, listens, task }
    }

    /// Address of the stream as the client knows it.
    pub(super) fn url(&self, query: &str) -> String {
        format!("http://{}{}{query}", self.address, contract::routes::STREAM)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, connections are cut like this, one after the other.
    pub(super) fn cut(&self, plan: impl IntoIterator<Item = Cut>) {
        lock(&self.state).plan.extend(plan);
    }

    /// Sends the connections to come to other servers.
    pub(super) fn route(&self, servers: &[SocketAddr]) {
        servers.clone_into(&mut lock(&self.state).servers);
    }

    /// Ends every connection and refuses new ones, or listens again.
    pub(super) fn listen(&self, listens: bool) {
        self.listens.send_replace(listens);
    }

    /// Cuts so far.
    pub(super) fn done(&self) -> Vec<Done> {
        lock(&self.state).done.clone()
    }

    /// Requests so far.
    pub(super) fn visits(&self) -> Vec<Visit> {
        lock(&self.state).visits.clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, mut listens: watch::Receiver<bool>, state: Arc<Mutex<State>>) {
    let address = listener.local_addr().expect("a bound socket has an address");
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        if !*listens.borrow_and_update() {
            listener = None;
            connections.shutdown().await;
            if listens.wait_for(|listens| *listens).await.is_err() {
                return;
            }
        }
        let bound = match listener.take() {
            Some(bound) => bound,
            None => TcpListener::bind(address).await.expect("nobody else takes the port meanwhile"),
        };
        let bound = listener.insert(bound);
        tokio::select! {
            accepted = bound.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let state = Arc::clone(&state);
                // A server or a client that goes away ends its connection, and nothing else.
                connections.spawn(async move { drop(tunnel(Connection::new(stream), &state).await) });
            }
            changed = listens.changed() => if changed.is_err() { return },
        }
    }
}

/// Takes requests to the next server, and its bytes back until the cut.
async fn tunnel(mut client: Connection, state: &Mutex<State>) -> io::Result<()> {
    let Some(head) = client.head().await? else { return Ok(()) };
    if head.word(1) == "/frame.html" {
        return client.write(FRAME.as_bytes()).await;
    }
    let address = {
        let mut state = lock(state);
        state.turn += 1;
        state.servers[(state.turn - 1) % state.servers.len()]
    };
    let mut server = Connection::open(address, None).await?;
    let mut visit = ask(&mut server, &head, address, state).await?;
    let (mut reader, mut cut, mut raw) = (Reader::default(), None, Body::UntilClose);
    let mut from = 0;
    loop {
        tokio::select! {
            // Another request on the same connection, or its end.
            head = client.head() => match head? {
                Some(head) => visit = ask(&mut server, &head, address, state).await?,
                None => return Ok(()),
            },
            piece = server.piece(&mut raw) => {
                let Piece::Data(data) = piece? else { return Ok(()) };
                if cut.is_none() {
                    cut = lock(state).plan.pop_front();
                    from = reader.count();
                }
                let Some(sure) = cut else {
                    data.iter().for_each(|byte| reader.push(*byte));
                    lock(state).visits[visit].last_bytes = Some(Instant::now());
                    client.write(&data).await?;
                    continue;
                };
                let until = data.iter().position(|byte| {
                    let due = sure.is_due(reader.count() - from, reader.place());
                    if !due {
                        reader.push(*byte);
                    }
                    due
                });
                client.write(&data[..until.unwrap_or(data.len())]).await?;
                if until.is_some() || sure.is_due(reader.count() - from, reader.place()) {
                    tokio::time::sleep(SETTLE).await;
                    lock(state).done.push(Done { place: reader.place(), how: sure.how });
                    if sure.how == How::Reset {
                        client.abort();
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Sends a request on and takes it down; returns its number.
async fn ask(server: &mut Connection, head: &Head, address: SocketAddr, state: &Mutex<State>) -> io::Result<usize> {
    let mut bytes = format!("{}\r\n", head.start).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    let visit =
        Visit { at: Instant::now(), server: address, last_event_id: head.get("last-event-id"), last_bytes: None };
    let number = {
        let mut state = lock(state);
        state.visits.push(visit);
        state.visits.len() - 1
    };
    server.write(&bytes).await?;
    Ok(number)
}
