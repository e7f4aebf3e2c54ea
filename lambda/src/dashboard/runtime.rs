//! `GET /api/v2/runtime` and `GET /health`: what a page and a probe must know of where they are.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use contract::{PublicUrl, routes};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::deps::Deps;

/// Where things are.
#[derive(Serialize, ToSchema)]
#[schema(as = RuntimeAnswer)]
struct Runtime {
    /// Base URL of the stream function; empty means same origin.
    sse_url: String,
    /// Name of the environment.
    environment: String,
}

/// Where the stream function is.
#[utoipa::path(
    get,
    path = routes::RUNTIME,
    operation_id = "runtime",
    summary = "Where the stream function is",
    responses((status = 200, description = "Where the stream function is, and in which environment", body = Runtime)),
)]
pub(super) async fn runtime(State(deps): State<Deps>) -> impl IntoResponse {
    let runtime = Runtime {
        sse_url: deps.settings.sse_url.as_ref().map(PublicUrl::to_string).unwrap_or_default(),
        environment: deps.settings.environment.to_string(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(runtime))
}

/// Whether the function answers.
#[derive(ToSchema)]
#[schema(as = HealthAnswer)]
#[expect(dead_code, reason = "it describes what both functions answer alike")]
struct Health {
    /// Always `healthy`.
    #[schema(pattern = "^healthy$")]
    status: String,
}

/// Liveness.
#[utoipa::path(
    get,
    path = routes::HEALTH,
    operation_id = "health",
    summary = "Whether the function answers",
    responses((status = 200, description = "The function answers", body = Health)),
)]
pub(super) async fn health() -> impl IntoResponse {
    crate::health::health().await
}
