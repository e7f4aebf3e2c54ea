//! The dashboard function's routes; buffered REST beside the stream.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contract::{DashboardSettings, limits, routes};
use http::header;

use super::error::{ApiError, method_not_allowed, not_found};
use super::health;
use crate::clock::Clock;
use crate::core::event::{Metrics, RecentItem};
use crate::hub::Hub;
use crate::store::Store;

/// What the dashboard routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<DashboardSettings>,
    /// For items.
    pub hub: Hub,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(settings: DashboardSettings, store: Arc<dyn Store>, clock: Clock) -> Self {
        let hub = Hub::new(store, settings.data.clone(), settings.poll.clone(), clock);
        Self { settings: Arc::new(settings), hub }
    }
}

/// Returns the dashboard function as a router.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route(routes::METRICS, get(metrics))
        .route(routes::HEALTH, get(health))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(deps)
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
