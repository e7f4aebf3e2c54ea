//! Answer of both functions to `GET /health`.

use axum::Json;
use axum::response::IntoResponse;
use http::header;
use serde_json::json;

/// Says that the function answers.
pub(crate) async fn health() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "healthy" })))
}
