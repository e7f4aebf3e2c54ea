//! Runs a router as a Lambda function.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::limits;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use lambda_runtime::{Context, Error, LambdaEvent, MetadataPrelude, StreamResponse, service_fn};
use serde_json::{Map, Value, json};
use tower::ServiceExt;
use tracing::Instrument as _;

use crate::client_key::ClientKey;
use crate::clock::Clock;
use crate::origin::{Origin, request_span};
use crate::path;
use crate::serve::event::{self, Format};
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
    lambda_runtime::run_concurrent(service_fn(move |event| {
        runtime_api.send_at_once();
        let answer = answer(router.clone(), clock.clone(), meter.clone(), event);
        async move { answer.await.map(|(response, _)| streamed(response)) }
    }))
    .await
}

/// Serves invocations in mode `BUFFERED` until the platform stops the process.
///
/// # Errors
/// What the runtime cannot go on from.
pub async fn serve_buffered(router: Router, clock: Clock, meter: Meter) -> Result<(), Error> {
    lambda_runtime::run_concurrent(service_fn(move |event| {
        let answer = answer(router.clone(), clock.clone(), meter.clone(), event);
        async move {
            let (response, format) = answer.await?;
            buffered(response, format).await
        }
    }))
    .await
}

/// Status, headers and cookies go ahead of the stream. A Function URL and a REST API read the same there.
fn streamed(response: Response) -> StreamResponse<BodyDataStream> {
    let (mut parts, body) = response.into_parts();
    let cookies = take_cookies(&mut parts.headers);
    let metadata_prelude = MetadataPrelude { status_code: parts.status, headers: parts.headers, cookies };
    StreamResponse { metadata_prelude, stream: body.into_data_stream() }
}

/// Reads the whole body: a buffered function hands its answer over in one piece.
async fn buffered(response: Response, format: Format) -> Result<Value, Error> {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, limits::BUFFERED_BYTES_MAX).await?;
    let cookies = take_cookies(&mut parts.headers);
    let mut headers = Map::new();
    for name in parts.headers.keys() {
        let values: Vec<_> = parts.headers.get_all(name).iter().map(text).collect();
        headers.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    let (body, is_encoded) = match String::from_utf8(bytes.into()) {
        Ok(text) => (text, false),
        Err(error) => (STANDARD.encode(error.as_bytes()), true),
    };
    let mut answer =
        json!({ "statusCode": parts.status.as_u16(), "headers": headers, "body": body, "isBase64Encoded": is_encoded });
    match format {
        // A REST API takes an answer with a key that it does not know for a malformed one.
        Format::V1 => answer["multiValueHeaders"] = json!({ "set-cookie": cookies }),
        Format::V2 => answer["cookies"] = cookies.into(),
    }
    Ok(answer)
}

fn take_cookies(headers: &mut HeaderMap) -> Vec<String> {
    let cookies = headers.get_all(SET_COOKIE).iter().map(text).collect();
    headers.remove(SET_COOKIE);
    cookies
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

async fn answer(
    router: Router,
    clock: Clock,
    meter: Meter,
    event: LambdaEvent<Value>,
) -> Result<(Response, Format), Error> {
    let asked = event::read(&event.payload)?;
    let origin = origin(&event.context, asked.source, &clock);
    let response = respond(router, meter, origin, asked.request.map(Body::from)).await?;
    Ok((response, asked.format))
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

fn origin(context: &Context, source: Option<ClientKey>, clock: &Clock) -> Origin {
    let left = context.deadline.saturating_sub(clock.wall().millis());
    Origin {
        request_id: context.request_id.clone(),
        trace_id: context.xray_trace_id.clone(),
        source,
        deadline: (left > 0).then(|| tokio::time::Instant::now() + Duration::from_millis(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cookies_go_where_each_form_of_an_answer_has_them() {
        let answer = |body: &'static [u8]| {
            let response =
                http::Response::builder().status(201).header("set-cookie", "a=b").header("set-cookie", "c=d");
            response.header("vary", "origin").header("vary", "accept").body(Body::from(body)).unwrap()
        };
        let v1 = buffered(answer(b"ok"), Format::V1).await.unwrap();
        let expected = json!({
            "statusCode": 201, "headers": { "vary": "origin, accept" }, "body": "ok", "isBase64Encoded": false,
            "multiValueHeaders": { "set-cookie": ["a=b", "c=d"] },
        });
        assert_eq!(v1, expected);
        let v2 = buffered(answer(b"\xff"), Format::V2).await.unwrap();
        assert_eq!(
            (&v2["cookies"], &v2["body"], &v2["isBase64Encoded"]),
            (&json!(["a=b", "c=d"]), &json!("/w=="), &json!(true))
        );
        let streamed = streamed(answer(b"ok")).metadata_prelude;
        assert_eq!((streamed.cookies.len(), streamed.headers.contains_key(SET_COOKIE)), (2, false));
    }
}
