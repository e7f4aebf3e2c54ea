//! The dashboard function's routes; buffered REST beside the stream.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contract::{DashboardSettings, limits, routes};
use http::{StatusCode, header};

use super::error::{ApiError, method_not_allowed, not_found};
use super::health;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::core::event::{Metrics, RecentItem};
use crate::core::stream_id::StreamId;
use crate::hub::Hub;
use crate::meter::Meter;
use crate::store::{Store, StoreError};

/// What the dashboard routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<DashboardSettings>,
    /// For goodbyes.
    pub store: Arc<dyn Store>,
    /// For items.
    pub hub: Hub,
    /// Reads the time.
    pub clock: Clock,
    /// Who callers are.
    pub auth: Auth,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(settings: DashboardSettings, store: Arc<dyn Store>, auth: Auth, clock: Clock, meter: Meter) -> Self {
        let hub = Hub::new(Arc::clone(&store), settings.data.clone(), settings.poll.clone(), clock.clone(), meter);
        Self { settings: Arc::new(settings), store, hub, clock, auth }
    }
}

/// Returns the dashboard function as a router.
pub fn router(deps: Deps) -> Router {
    let mut router = Router::new()
        .route(routes::METRICS, get(metrics))
        .route(routes::AUTH_ANONYMOUS, post(anonymous))
        .route(routes::HEALTH, get(health));
    // Where pages say none, there is no such route.
    if deps.settings.goodbye.enabled {
        let limited = DefaultBodyLimit::max(limits::GOODBYE_BODY_BYTES_MAX);
        router = router.route(routes::STREAM_GOODBYE, post(goodbye).layer(limited));
    }
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(deps)
}

/// What a page sends when it leaves. A beacon has the content type of plain text, so that is not asked for.
#[derive(serde::Deserialize)]
struct Goodbye {
    stream_id: String,
}

/// Writes down that a stream has lost its reader. Whoever knows the stream's id may say so: it cannot be guessed.
async fn goodbye(State(deps): State<Deps>, body: Result<Bytes, BytesRejection>) -> Result<Response, ApiError> {
    let bad = |rule: String| ApiError::BadParameter(format!("the body must be {{\"stream_id\":\"…\"}}: {rule}"));
    let bytes = body.map_err(|_| bad(format!("it must have at most {} bytes", limits::GOODBYE_BODY_BYTES_MAX)))?;
    let said: Goodbye = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    let stream =
        StreamId::parse(&said.stream_id).ok_or_else(|| bad(format!("`stream_id` must be {}", StreamId::RULE)))?;
    let expires_at = deps.clock.wall().plus(limits::GOODBYE_LIFE).millis() / 1000;
    let written = tokio::time::timeout(limits::STORE_TIMEOUT, deps.store.say_goodbye(stream, expires_at)).await;
    written.map_err(|_| StoreError::Unavailable("no answer to a goodbye".into()))??;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

/// The same numbers as the `metrics` event, from the same window: no older than the stream's would be.
async fn metrics(State(deps): State<Deps>) -> Result<Response, ApiError> {
    let snapshot = deps.hub.current(deps.settings.poll.poll_interval.get()).await?;
    let labels = snapshot.data.labels.as_slice();
    let recent = snapshot.window.newest_first().take(limits::RECENT_ITEMS);
    let metrics = Metrics {
        labels,
        counts: snapshot.window.counts(),
        timestamp: Some(snapshot.read_at),
        recent: Some(recent.map(|item| RecentItem::new(labels, item)).collect()),
    };
    // Made into bytes here: the numbers are borrowed from the snapshot.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(metrics)).into_response())
}

/// A token for somebody who was not there before. Where users come from elsewhere there is no such route.
async fn anonymous(State(deps): State<Deps>) -> Result<Response, ApiError> {
    let issued = deps.auth.anonymous().await?.ok_or(ApiError::NotFound)?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(issued)).into_response())
}
