//! Accepts connections and serves each of them until told to stop, and then until every open answer has ended.
//!
//! `axum::serve` would do that too, but hyper below it keeps 400 KB of an answer that its client does not read, and only the
//! builder that it hides can say how much it shall be.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::serve::start;

/// Hands each connection to `connection`, at most so many at once.
pub(super) async fn serve<F>(
    listener: TcpListener,
    connections_max: usize,
    mut stop: watch::Receiver<bool>,
    connection: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= connections_max {
            connections.join_next().await;
            continue;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = start::stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => {
                // Small writes go out at once: an event must not wait for the one after it.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
                }
                connections.spawn(connection(stream, address));
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

/// Answers the requests of one connection. Told to stop, it ends with the answer that is under way.
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
    let mut served = pin!(builder.serve_connection(TokioIo::new(io), service_fn(answer)));
    tokio::select! {
        result = served.as_mut() => result,
        () = start::stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    }
}
