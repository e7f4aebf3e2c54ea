//! JSON that a client sends.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use contract::limits;
use http::header;
use serde_json::Value;

use super::draft::Fault;
use crate::error::ApiError;

/// The body of a request, which says that it is JSON, and is.
///
/// The content type is asked for because a form of a foreign page can send anything but this without asking first.
pub(super) struct JsonBody(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let said = request.headers().get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let kind = said.as_deref().map(|text| text.split(';').next().unwrap_or_default().trim());
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::NotJson(kind.map(|kind| kind.chars().take(80).collect())));
        }
        let bad = |detail: String| ApiError::Invalid(vec![Fault { field: String::new(), detail }]);
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                ApiError::TooLarge(limits::CONFIGURATION_BODY_BYTES_MAX)
            }
            _ => bad("the body ends too early, or takes too long".into()),
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| bad(format!("the body is not JSON: {error}")))
    }
}
