//! The stream function's four routes.

use axum::extract::{RawQuery, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contract::metrics::Metric;
use contract::routes;
use http::{HeaderMap, header};
use serde_json::json;

use super::deps::Deps;
use super::follower::{self, ConfigurationKey};
use super::opening::{Wanted, open};
use super::refusal::refuse;
use super::slots::Permit;
use crate::client_key::ClientKey;
use crate::error::{ApiError, Refused, method_not_allowed, not_found};
use crate::health::health;
use crate::origin::Origin;
use crate::request::{ConfigIdPath, StreamQuery};
use crate::serve::security;

/// Returns the stream function as a router.
pub fn router(deps: Deps) -> Router {
    without_headers(deps)
        .route(routes::HEALTH, get(health))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(security::headers))
}

/// Returns what of its routes the dashboard function does not have as well, for a server that is both.
pub fn own_routes(deps: Deps) -> Router {
    without_headers(deps).layer(from_fn(security::headers))
}

/// Its routes, before the headers of all answers are put on them, which is done once.
fn without_headers(deps: Deps) -> Router {
    Router::new()
        .route(routes::STREAM, get(stream))
        .route(routes::CONFIGURATION_STREAM, get(configuration_stream))
        .route_layer(from_fn_with_state(deps.clone(), count_refusals))
        .route(routes::STREAM_STATUS, get(status))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(deps)
}

/// Counts the answers that are no stream, each once, with the reason that its maker gave it.
async fn count_refusals(State(deps): State<Deps>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(Refused(reason)) = response.extensions().get() {
        deps.meter.add_by(Metric::StreamsRefused, reason, 1.0);
    }
    response
}

async fn status(State(deps): State<Deps>) -> impl IntoResponse {
    let (connections, max) = (deps.slots.taken(), deps.slots.max());
    let status = json!({
        "connections": connections,
        "max_connections": max,
        "available": max.saturating_sub(connections),
        "uptime_seconds": deps.started.elapsed().as_secs(),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(status))
}

async fn stream(
    State(deps): State<Deps>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let answer = async {
        stays(&deps)?;
        let raw = query.as_deref();
        let query = StreamQuery::parse(raw)?;
        let until = deps.auth.admit(&headers, raw).await?;
        let is_shared = deps.settings.segments.shared;
        // Of a segment nobody is the one viewer.
        let client = if is_shared { None } else { origin.client(deps.settings.client_address, &headers) };
        let permit = permit(&deps, client)?;
        let wanted = Wanted { filter: query.filter.clone(), configuration: None, until, is_shared };
        open(&deps, &origin, &headers, &query, wanted, permit).await
    };
    answer.await.or_else(|error| refuse(&deps, &headers, error, deps.settings.segments.shared))
}

async fn configuration_stream(
    State(deps): State<Deps>,
    origin: Origin,
    headers: HeaderMap,
    ConfigIdPath(config_id): ConfigIdPath,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let answer = async {
        stays(&deps)?;
        let parsed = StreamQuery::parse(query.as_deref())?;
        let user = deps.auth.user(&headers, query.as_deref()).await?;
        let permit = permit(&deps, origin.client(deps.settings.client_address, &headers))?;
        let key = ConfigurationKey { user_id: user.id, config_id };
        let filter = follower::read(&*deps.configurations, &key).await?.ok_or(ApiError::NoConfiguration)?;
        let wanted = Wanted { filter, configuration: Some(key), until: user.expires, is_shared: false };
        open(&deps, &origin, &headers, &parsed, wanted, permit).await
    };
    answer.await.or_else(|error| refuse(&deps, &headers, error, false))
}

/// Lets nobody in who would have to leave at once.
fn stays(deps: &Deps) -> Result<(), ApiError> {
    if *deps.shutdown.borrow() { Err(ApiError::Stopping) } else { Ok(()) }
}

fn permit(deps: &Deps, client: Option<ClientKey>) -> Result<Permit, ApiError> {
    let full = |full| ApiError::Full { max_connections: deps.slots.max(), full };
    deps.slots.acquire(client).map_err(full)
}
