//! The Runtime API of one environment that gets one event, and the Extensions API as far as the web adapter uses it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::program::{Arrived, Reader};

/// Ends the head of a streamed answer.
const HEAD_END: &[u8] = &[0; 8];
/// Timeout of the function.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The API. Dropping it ends it.
pub(super) struct Api {
    pub(super) address: SocketAddr,
    arrived: watch::Receiver<Arrived>,
    serving: JoinHandle<()>,
}

struct Environment {
    target: &'static str,
    /// Whether the event was handed out.
    is_given: std::sync::atomic::AtomicBool,
    arrived: watch::Sender<Arrived>,
}

impl Api {
    /// Serves an environment whose event asks for that path.
    pub(super) async fn start(target: &'static str) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (sender, arrived) = watch::channel(Arrived::default());
        let environment = Arc::new(Environment { target, is_given: false.into(), arrived: sender });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(never))
            .with_state(environment);
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { address, arrived, serving })
    }

    /// Waits for the first numbers.
    pub(super) async fn numbers(&mut self) -> Result<(Instant, Instant), String> {
        let arrived = self.arrived.wait_for(|arrived| arrived.metrics.is_some()).await;
        let arrived = *arrived.map_err(|_| "the environment has ended".to_owned())?;
        arrived.first_byte.zip(arrived.metrics).ok_or_else(|| "numbers came before the first byte".to_owned())
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn never() {
    std::future::pending::<()>().await;
}

async fn register() -> Response {
    let body = json!({ "functionName": "cold", "functionVersion": "1", "handler": "bootstrap" });
    ([("lambda-extension-identifier", "3f1c2f0a-0000-4000-8000-000000000001")], body.to_string()).into_response()
}

async fn next(State(environment): State<Arc<Environment>>) -> Response {
    if environment.is_given.swap(true, std::sync::atomic::Ordering::Relaxed) {
        never().await;
    }
    let http = json!({
        "method": "GET", "path": environment.target, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "cold",
    });
    let context = json!({
        "accountId": "anonymous", "apiId": "cold", "domainName": "cold.lambda-url.us-east-1.on.aws", "domainPrefix": "cold",
        "http": http, "requestId": "cold", "routeKey": "$default", "stage": "$default",
        "time": "23/Nov/2026:10:00:00 +0000", "timeEpoch": 1_795_428_000_000_u64,
    });
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": environment.target, "rawQueryString": "",
        "headers": { "accept": "text/event-stream", "host": "cold.lambda-url.us-east-1.on.aws" },
        "requestContext": context, "isBase64Encoded": false,
    });
    let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default() + TIMEOUT;
    let head = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:cold".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ];
    (head, event.to_string()).into_response()
}

async fn response(State(environment): State<Arc<Environment>>, request: Request<Body>) -> StatusCode {
    let mut body = request.into_body().into_data_stream();
    let mut reader = Reader::after(HEAD_END);
    while let Some(Ok(part)) = body.next().await {
        environment.arrived.send_if_modified(|arrived| reader.take(&part, arrived));
    }
    StatusCode::ACCEPTED
}
