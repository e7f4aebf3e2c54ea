//! Runs a router as a Lambda function.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use contract::limits;
use lambda_http::lambda_runtime::Error;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt, service_fn};
use tower::ServiceExt;
use tracing::Instrument as _;

use crate::client_key::ClientKey;
use crate::clock::Clock;
use crate::origin::{Origin, request_span};
use crate::path;
use crate::serve::nodelay::RuntimeApi;
use crate::serve::start::variable;
use crate::watch::lines;
use crate::watch::meter::Meter;

/// Serves invocations in mode `RESPONSE_STREAM` until the platform stops the process.
///
/// # Errors
/// What the runtime cannot go on from.
pub async fn serve_streaming(router: Router, clock: Clock, meter: Meter) -> Result<(), Error> {
    let runtime_api = RuntimeApi::new(variable("AWS_LAMBDA_RUNTIME_API").as_deref());
    lambda_http::run_with_streaming_response_concurrent(service_fn(move |request| {
        runtime_api.send_at_once();
        answer(router.clone(), clock.clone(), meter.clone(), request)
    }))
    .await
}

/// Serves invocations in mode `BUFFERED` until the platform stops the process.
///
/// # Errors
/// What the runtime cannot go on from.
pub async fn serve_buffered(router: Router, clock: Clock, meter: Meter) -> Result<(), Error> {
    lambda_http::run_concurrent(service_fn(move |request| {
        let answer = answer(router.clone(), clock.clone(), meter.clone(), request);
        async move { buffered(answer.await?).await }
    }))
    .await
}

/// Reads the whole body: a buffered function hands its answer over in one piece.
async fn buffered(response: Response) -> Result<http::Response<lambda_http::Body>, Error> {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, limits::BUFFERED_BYTES_MAX).await?;
    let body = match String::from_utf8(bytes.into()) {
        Ok(text) => lambda_http::Body::Text(text),
        Err(error) => lambda_http::Body::Binary(error.into_bytes()),
    };
    Ok(http::Response::from_parts(parts, body))
}

async fn answer(router: Router, clock: Clock, meter: Meter, request: Request) -> Result<Response, Infallible> {
    let origin = origin(&request, &clock);
    respond(router, meter, origin, request.map(Body::new)).await
}

/// Answers one invocation's request, whichever way it came.
pub(crate) async fn respond(
    router: Router,
    meter: Meter,
    origin: Origin,
    request: http::Request<Body>,
) -> Result<Response, Infallible> {
    let span = request_span(&origin);
    let mut request = path::understood(request);
    request.extensions_mut().insert(origin);
    let response = router.oneshot(request).instrument(span).await;
    // An answer that opens no stream is over now, and with it, for all that is known, the process.
    if meter.is_idle() {
        meter.flush();
        lines::written().await;
    }
    response
}

fn origin(request: &Request, clock: &Clock) -> Origin {
    let context = request.lambda_context_ref();
    let source = match request.request_context_ref() {
        // The context, not `X-Forwarded-For`: that one a client can write itself.
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    let left = context.map_or(0, |context| context.deadline.saturating_sub(clock.wall().millis()));
    Origin {
        request_id: context.map(|context| context.request_id.clone()).unwrap_or_default(),
        trace_id: context.and_then(|context| context.xray_trace_id.clone()),
        source: source.and_then(ClientKey::parse),
        deadline: (left > 0).then(|| tokio::time::Instant::now() + Duration::from_millis(left)),
    }
}
