//! Headers by which a browser makes less of an answer than it could.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use contract::events;
use http::{HeaderName, HeaderValue, header};

/// Of every answer but event streams. All of them are data: a browser that shows one must run, load and frame nothing.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    // Pages of other origins read answers by CORS, which this leaves alone; they do not embed them. `/health` says otherwise.
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// Adds them to an answer; what is there already stays.
///
/// A stream has none: only an EventSource reads it, which takes it for nothing else, and browsers take a head that was cut off for a whole
/// one. The longer it is, the more often that happens, and an EventSource whose head ends before what lets it read on is closed for good.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == events::CONTENT_TYPE) {
        return response;
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
