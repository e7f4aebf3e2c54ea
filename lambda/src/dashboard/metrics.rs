//! `GET /api/v2/metrics`: the numbers of the stream, and the newest items.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use contract::{limits, routes};
use http::HeaderMap;

use super::deps::Deps;
use super::etag::ETag;
use super::item::ItemAnswer;
use super::openapi::{MetricsAnswer, Problem};
use super::whole::whole;
use crate::error::ApiError;
use crate::request::filter;
use stream_core::event::Metrics;
use stream_core::page::{Wanted, page};

/// The same numbers as the `metrics` event, from the same window: no older than the stream's would be.
#[utoipa::path(
    get,
    path = routes::METRICS,
    operation_id = "metrics",
    summary = "Numbers of the last 24 hours, and the newest items",
    responses(
        (status = 200, description = "The numbers", body = MetricsAnswer),
        (status = 304, description = "They are what the client has"),
        (status = 400, description = "A parameter is malformed", body = Problem),
        (status = 401, description = "`auth.private` is set and the request has no good token", body = Problem),
        (status = 503, description = "The table cannot be read", body = Problem),
    ),
)]
pub(super) async fn metrics(
    State(deps): State<Deps>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let filter = filter(query.as_deref())?;
    deps.auth.admit(&headers, query.as_deref()).await?;
    let snapshot = deps.hub.current(deps.settings.poll.poll_interval.get()).await?;
    let labels = snapshot.data.labels.as_slice();
    let numbers = deps.hub.numbers(&filter, &snapshot);
    let rows =
        whole(&*deps.items, &snapshot, &page(&snapshot, &filter, Wanted::default(), limits::RECENT_ITEMS).rows).await?;
    let recent: Vec<ItemAnswer<'_>> = rows.iter().map(|row| ItemAnswer::new(&snapshot.data, &row.item)).collect();
    let mut metrics = Metrics { labels, numbers: &numbers, timestamp: None, recent: Some(recent) };
    // Before there is a time in it: a read that finds nothing new is nothing new.
    let tag = ETag::of(&metrics);
    metrics.timestamp = Some(snapshot.read_at);
    // Made into bytes here: the numbers are borrowed from the snapshot.
    Ok(tag.answer(&headers, || Json(metrics).into_response()))
}
