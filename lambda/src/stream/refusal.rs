//! Answers to a client that gets no stream now and may come back.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::BytesMut;
use contract::metrics::Metric;
use contract::{WhenFull, events};
use http::HeaderMap;
use serde_json::json;

use super::body::event_stream;
use super::deps::Deps;
use super::opening::reconnect_within;
use super::segment;
use crate::error::{ApiError, Refused};
use crate::request::accepts_event_stream;
use stream_core::{encode, event};

/// For how long a cache gives a refusal to others: where none is kept, it asks for each of them alone, for a while. None of
/// them comes back as soon.
const KEPT: Duration = Duration::from_secs(1);

/// Answers a request that gets no stream: an EventSource that may come back hears one event, everybody else sees the error. `is_shared` says
/// whether a cache may give the answer to others.
pub(super) fn refuse(deps: &Deps, headers: &HeaderMap, error: ApiError, is_shared: bool) -> Result<Response, ApiError> {
    let is_polite = match &error {
        ApiError::Full { full, .. } => {
            tracing::info!(connections = deps.slots.taken(), limit = full.as_str(), "stream refused");
            deps.settings.when_full == WhenFull::Overloaded
        }
        other => other.is_unavailable(),
    };
    if !is_polite || !accepts_event_stream(headers) {
        return Err(error);
    }
    error.log();
    let delay = if matches!(error, ApiError::Stopping) { reconnect_within(deps.drain) } else { come_back_in() };
    let retry_after_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    let (name, body) = match &error {
        ApiError::Full { max_connections, .. } => {
            (events::OVERLOADED, event::overloaded(*max_connections, retry_after_ms))
        }
        other => {
            let data = json!({ "detail": other.to_string(), "retry_after_ms": retry_after_ms });
            (events::UNAVAILABLE, encode::event_body(events::UNAVAILABLE, &data.to_string()))
        }
    };
    deps.meter.add_by(Metric::EventsSent, name, 1.0);
    let mut out = BytesMut::new();
    encode::retry(&mut out, delay);
    out.extend_from_slice(&body);
    // With status 200: any other would end a browser's EventSource for good; this one comes back after `retry`.
    let mut response = event_stream(Body::from(out.freeze()));
    response.extensions_mut().insert(Refused(error.reason()));
    Ok(if is_shared { segment::keep(response, KEPT) } else { response })
}

/// Spread out, so that those who were refused together do not return together.
fn come_back_in() -> Duration {
    Duration::from_millis(fastrand::u64(5_000..=10_000))
}
