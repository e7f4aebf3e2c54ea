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
use contract::limits;
use http::header;
use serde_json::json;

use crate::store::{StoreError, StoreFuture};

/// Answer of both functions to `GET /health`.
async fn health() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "healthy" })))
}

/// Waits for the store as long as it may take, which is less than a client waits.
async fn within<T>(answer: StoreFuture<'_, T>, what: &str) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(limits::STORE_TIMEOUT, answer).await;
    answer.map_err(|_| StoreError::Unavailable(format!("no answer {what}")))?
}
