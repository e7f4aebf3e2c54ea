//! The two routers: values that any server can run.

pub mod body;
pub mod configuration;
pub mod cors;
pub mod dashboard;
pub mod error;
pub mod request;
pub mod security;
pub mod stream;

use axum::Json;
use axum::response::IntoResponse;
use http::header;
use serde_json::json;

/// Answer of both functions to `GET /health`.
async fn health() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "healthy" })))
}
