//! Accepts connections and serves each of them until told to stop, and then until every open answer has ended.
//!
//! `axum::serve` would do that too, but hyper below it keeps 400 KB of an answer that its client does not read, and only the
//! builder that it hides can say how much it shall be.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use contract::{limits, logs};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::serve::start;

/// Time after which it is said again that there is no place.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// Listens on an address, with room for a herd that comes before it is accepted.
///
/// # Errors
/// Of the system: the address is taken, or not one of this machine's.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does, so that a restart does not wait for connections of the last one.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(limits::LISTEN_BACKLOG)
}

/// How many connections there may be, whichever listeners of a process accept them.
pub(super) fn places(connections_max: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)))
}

/// Hands each connection to `connection`, as long as there is a place for it; the others wait until one is free.
pub(super) async fn serve<F>(
    listener: TcpListener,
    places: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
    connection: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut said_at: Option<Instant> = None;
    loop {
        while connections.try_join_next().is_some() {}
        let (place, accepted) = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            () = start::stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => {
                // Small writes go out at once: an event must not wait for the one after it.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
                }
                let served = connection(stream, address);
                connections.spawn(async move {
                    served.await;
                    // The connection is closed by now.
                    drop(place);
                });
                let is_said = said_at.is_some_and(|at| at.elapsed() < SAID_AGAIN);
                if places.available_permits() == 0 && !is_said {
                    said_at = Some(Instant::now());
                    tracing::warn!(message = logs::NO_PLACE, connections = connections.len());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // No descriptor is left, or no memory: trying again at once would only turn in a circle.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A place, and the connection that takes it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
    // Nobody closes the semaphore.
    let place = Arc::clone(places).acquire_owned().await.ok();
    (place, listener.accept().await)
}

/// Answers the requests of one connection. Told to stop, it ends with the answer that is under way; one that comes later gets one answer.
pub(super) async fn answer<I, A>(
    builder: &http1::Builder,
    io: I,
    mut stop: watch::Receiver<bool>,
    answer: impl Fn(Request<Incoming>) -> A,
) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
    A: Future<Output = Result<Response, Infallible>>,
{
    let is_stopping = *stop.borrow();
    let mut builder = builder.clone();
    let mut served = pin!(builder.keep_alive(!is_stopping).serve_connection(TokioIo::new(io), service_fn(answer)));
    if is_stopping {
        // A graceful shutdown now would close it before it has asked.
        return served.await;
    }
    tokio::select! {
        result = served.as_mut() => result,
        () = start::stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    }
}
