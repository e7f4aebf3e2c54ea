//! Answers to a client that gets no stream now and may come back.

use std::time::Duration;

use axum::response::Response;
use contract::metrics::Metric;
use contract::{WhenFull, events};
use http::HeaderMap;

use super::body::event_stream;
use super::deps::Deps;
use super::slots::Full;
use crate::error::{ApiError, Refused};
use crate::request::accepts_event_stream;
use stream_core::event;

/// Answers a client that finds no free slot.
pub(super) fn refuse(deps: &Deps, headers: &HeaderMap, full: Full) -> Result<Response, ApiError> {
    let max_connections = deps.slots.max();
    tracing::info!(connections = deps.slots.taken(), limit = full.as_str(), "stream refused");
    if deps.settings.when_full == WhenFull::Reject || !accepts_event_stream(headers) {
        return Err(ApiError::Full { max_connections, full });
    }
    // Any other status would end a browser's EventSource for good; it comes back after `retry`. Spread out, so that those
    // who were refused together do not return together.
    let delay = Duration::from_millis(fastrand::u64(5_000..=10_000));
    let mut out = bytes::BytesMut::new();
    stream_core::encode::retry(&mut out, delay);
    out.extend_from_slice(&event::overloaded(max_connections, u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)));
    deps.meter.add_by(Metric::EventsSent, events::OVERLOADED, 1.0);
    let mut response = event_stream(axum::body::Body::from(out.freeze()));
    response.extensions_mut().insert(Refused(full.as_str()));
    Ok(response)
}
