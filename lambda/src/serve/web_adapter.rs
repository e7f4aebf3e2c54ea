//! The stream function as an HTTP server on loopback, behind the AWS Lambda Web Adapter: an extension that takes the
//! invocations and asks this server.
//!
//! The source address and the deadline stand in headers that the adapter sets. It replaces what a client sent under their names, and
//! nothing but the adapter reaches a loopback port of an execution environment. Nowhere else may those headers be believed.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use contract::{limits, web_adapter};
use http::{HeaderMap, Request};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::client_key::ClientKey;
use crate::clock::Clock;
use crate::fatal::Fatal;
use crate::origin::Origin;
use crate::serve::{connections, lambda};
use crate::watch::meter::Meter;

/// Request headers that are taken: as many as fit into what Lambda takes of a request, and the adapter's own.
const HEADERS_MAX: usize = 1024;

/// A server that listens and does not serve yet.
pub struct Server(TcpListener);

impl Server {
    /// Takes the port.
    ///
    /// # Errors
    /// [`Fatal`] when it is taken.
    pub async fn bind(port: u16) -> Result<Self, Fatal> {
        // Loopback only, where the adapter asks: a client that reached this port could name its own address.
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map(Self).map_err(|error| {
            Fatal::new(format!(
                "cannot listen on 127.0.0.1:{port}: {error}; set {} to a free port",
                web_adapter::PORT_VARIABLE
            ))
        })
    }

    /// Serves until told to stop, and then until every open answer has ended.
    pub async fn serve(self, router: Router, clock: Clock, meter: Meter, stop: watch::Receiver<bool>) {
        let app = App { router, clock, meter };
        let connection = |stream, _| connection(stream, app.clone(), stop.clone());
        connections::serve(self.0, connections::places(limits::ADAPTER_CONNECTIONS_MAX), stop.clone(), connection)
            .await;
    }
}

/// What answers a request.
#[derive(Clone)]
struct App {
    router: Router,
    clock: Clock,
    meter: Meter,
}

async fn connection(stream: TcpStream, app: App, stop: watch::Receiver<bool>) {
    // The platform dates its answers itself; a header must not come twice.
    let mut builder = http1::Builder::new();
    builder.auto_date_header(false).max_headers(HEADERS_MAX);
    let answer = |request| answer(app.clone(), request);
    if let Err(error) = connections::answer(&builder, stream, stop, answer).await {
        tracing::debug!(%error, "a connection from the adapter broke");
    }
}

async fn answer(app: App, request: Request<Incoming>) -> Result<Response, Infallible> {
    let (mut parts, mut body) = request.into_parts();
    let origin = origin(&mut parts.headers, &app.clock);
    // No route of the stream reads a body. One that is left unread would reset the connection, and the adapter would make
    // an error of its own of that, in place of our answer. Lambda takes 6 MB at most.
    while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {}
    lambda::respond(app.router, app.meter, origin, Request::from_parts(parts, Body::empty())).await
}

/// Takes the adapter's headers off a request. What is missing or malformed is not known; the rest still holds.
fn origin(headers: &mut HeaderMap, clock: &Clock) -> Origin {
    let invocation = take(headers, web_adapter::LAMBDA_CONTEXT_HEADER);
    let request = take(headers, web_adapter::REQUEST_CONTEXT_HEADER);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let source = ["http", "identity"].iter().find_map(|form| request[form]["sourceIp"].as_str());
    let source = source.and_then(ClientKey::parse);
    let left = invocation["deadline"].as_u64().unwrap_or(0).saturating_sub(clock.wall().millis());
    let deadline = tokio::time::Instant::now().checked_add(Duration::from_millis(left));
    Origin {
        request_id: text(&invocation["request_id"]).unwrap_or_default(),
        trace_id: text(&invocation["xray_trace_id"]),
        source,
        deadline: deadline.filter(|_| left > 0),
    }
}

/// Takes a header with JSON. The adapter writes exactly one; several would mean that it was not the only one who wrote.
fn take(headers: &mut HeaderMap, name: &str) -> Value {
    let mut values = headers.get_all(name).iter();
    let only = values.next().filter(|_| values.next().is_none());
    let json = only.and_then(|value| serde_json::from_slice(value.as_bytes()).ok()).unwrap_or_default();
    headers.remove(name);
    json
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use stream_core::timestamp::Timestamp;

    const NOW_MS: u64 = 1_000_000;

    fn check(lambda: &[&str], request: &[&str]) -> (Origin, Option<Duration>) {
        let clock = Clock::new(|| Timestamp::EPOCH.plus(Duration::from_millis(NOW_MS)));
        let mut headers = HeaderMap::new();
        for (name, values) in
            [(web_adapter::LAMBDA_CONTEXT_HEADER, lambda), (web_adapter::REQUEST_CONTEXT_HEADER, request)]
        {
            for value in values {
                headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        let origin = origin(&mut headers, &clock);
        assert!(headers.is_empty(), "{headers:?}");
        let left = origin.deadline.map(|deadline| deadline - tokio::time::Instant::now());
        (origin, left)
    }

    #[tokio::test(start_paused = true)]
    async fn the_contexts_say_who_asks_and_until_when() {
        let lambda = r#"{"request_id":"r-1","deadline":1020000,"xray_trace_id":"Root=1","env_config":{"memory":128}}"#;
        let request = r#"{"accountId":"anonymous","http":{"sourceIp":"192.0.2.7","userAgent":"ü"}}"#;
        let (origin, left) = check(&[lambda], &[request]);
        assert_eq!((origin.request_id.as_str(), origin.trace_id.as_deref()), ("r-1", Some("Root=1")));
        assert_eq!((origin.source, left), (ClientKey::parse("192.0.2.7"), Some(Duration::from_secs(20))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_malformed_is_not_known_and_the_rest_holds() {
        let (origin, left) = check(&[r#"{"request_id":7,"deadline":"soon","xray_trace_id":"t"}"#], &["null"]);
        assert_eq!((origin.request_id.as_str(), origin.trace_id.as_deref(), left), ("", Some("t"), None));
        for bad in ["", "{", "[]", "7", "null", r#"{"http":7}"#, r#"{"http":{"sourceIp":"here"}}"#, "\u{fc}"] {
            let (origin, left) = check(&[bad], &[bad]);
            assert_eq!((origin.source, origin.trace_id, left), (None, None, None), "{bad}");
        }
        // Past, and far off.
        assert_eq!(check(&[r#"{"deadline":1000000}"#], &[]).1, None);
        assert_eq!(check(&[r#"{"deadline":1}"#], &[]).1, None);
        assert!(check(&[r#"{"deadline":18446744073709551615}"#], &[]).1.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_came_twice_says_nothing() {
        let one = r#"{"request_id":"r","deadline":1020000,"http":{"sourceIp":"192.0.2.7"}}"#;
        let (origin, left) = check(&[one, one], &[one, one]);
        assert_eq!((origin.request_id.as_str(), origin.source, left), ("", None, None));
    }
}
