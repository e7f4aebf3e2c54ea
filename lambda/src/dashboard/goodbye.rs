//! `POST /api/v2/stream/goodbye`: a page says that it leaves.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::response::{IntoResponse, Response};
use contract::{limits, routes};
use http::{HeaderMap, StatusCode, header};
use utoipa::ToSchema;

use super::deps::Deps;
use super::openapi::{Problem, TooOften};
use crate::error::ApiError;
use crate::origin::Origin;
use crate::store::within;
use stream_core::stream_id::StreamId;

/// What a page sends when it leaves. A beacon has the content type of plain text, so that is not asked for.
#[derive(serde::Deserialize, ToSchema)]
#[schema(as = GoodbyeInput)]
pub(super) struct Goodbye {
    /// The `stream_id` of the stream's heartbeats.
    stream_id: String,
}

/// Writes down that the client of a stream has left. To know the stream's id is the right to say so: it cannot be guessed.
#[utoipa::path(
    post,
    path = routes::STREAM_GOODBYE,
    operation_id = "goodbye",
    summary = "Says that the client of a stream has left",
    request_body(content = Goodbye, description = "Any content type is taken"),
    responses(
        (status = 204, description = "The stream ends at its next poll"),
        (status = 400, description = "The body is malformed or too large", body = Problem),
        (status = 429, description = "Too many goodbyes from one address", body = TooOften),
        (status = 503, description = "The table cannot be written", body = Problem),
    ),
)]
pub(super) async fn goodbye(
    State(deps): State<Deps>,
    origin: Origin,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let bad = |rule: String| ApiError::BadParameter(format!("the body must be {{\"stream_id\":\"…\"}}: {rule}"));
    let bytes = body.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            bad(format!("it must have at most {} bytes", limits::GOODBYE_BODY_BYTES_MAX))
        }
        _ => bad("it ends too early, or takes too long".to_owned()),
    })?;
    let said: Goodbye = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    let stream =
        StreamId::parse(&said.stream_id).ok_or_else(|| bad(format!("`stream_id` must be {}", StreamId::RULE)))?;
    deps.writes.goodbye(origin.client(deps.settings.client_address, &headers))?;
    let expires_at = deps.clock.wall().plus(limits::GOODBYE_LIFE).millis() / 1000;
    within(deps.goodbyes.say(stream, expires_at), "to a goodbye").await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response())
}
