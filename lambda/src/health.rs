//! Answer of both functions to `GET /health`.

use axum::Json;
use axum::response::IntoResponse;
use http::{HeaderName, header};
use serde_json::json;

/// Says that the function answers, and nothing else: a page of another origin may load it without CORS, which is how it tells a
/// stream that is refused from a server that is not there. A browser would call any other answer of ours a network error.
pub(crate) async fn health() -> impl IntoResponse {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, Json(json!({ "status": "healthy" })))
}
