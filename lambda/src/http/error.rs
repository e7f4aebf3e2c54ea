//! Errors as clients see them: a status and `{"detail": "…"}`. The cause is logged once, here.

use axum::Json;
use axum::response::{IntoResponse, Response};
use contract::limits;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::auth::Denied;
use crate::core::event::LIMIT_REACHED;
use crate::core::filter::FilterError;
use crate::random::NoRandomness;
use crate::slots::Full;
use crate::store::StoreError;

/// Why a request gets no stream and no data.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A parameter is malformed; the text says which and why.
    #[error("{0}")]
    BadParameter(String),
    /// The tickers are malformed.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Nobody has identified themselves.
    #[error("Missing user identification")]
    Unidentified,
    /// Nobody can be identified now.
    #[error("Users cannot be identified right now. Try again later.")]
    AuthUnavailable,
    /// No such configuration of this user.
    #[error("Configuration not found")]
    NoConfiguration,
    /// No such route.
    #[error("Not found")]
    NotFound,
    /// The route has no such method.
    #[error("Method not allowed")]
    MethodNotAllowed,
    /// The instance or the source address has all the streams it may have.
    #[error("{LIMIT_REACHED}")]
    Full {
        /// Streams an instance may have.
        max_connections: u32,
        /// Which limit was reached.
        full: Full,
    },
    /// The system gives no random bytes for what must not be guessed.
    #[error("The service is not available right now. Try again later.")]
    Randomness(#[from] NoRandomness),
    /// The table cannot be read now.
    #[error("The data is not available right now. Try again later.")]
    Store(#[from] StoreError),
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unidentified => Self::Unidentified,
            Denied::Unavailable => Self::AuthUnavailable,
        }
    }
}

/// Extension of an answer that is an error or a polite refusal: why, in a word for metrics.
#[derive(Clone, Copy, Debug)]
pub struct Refused(pub &'static str);

impl ApiError {
    const fn reason(&self) -> &'static str {
        match self {
            Self::BadParameter(_) | Self::Filter(_) => "bad_request",
            Self::Unidentified => "unidentified",
            Self::NoConfiguration => "no_configuration",
            Self::NotFound | Self::MethodNotAllowed => contract::metrics::OTHER,
            Self::Full { full, .. } => full.as_str(),
            Self::Store(_) | Self::Randomness(_) | Self::AuthUnavailable => "unavailable",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::BadParameter(_) | Self::Filter(_) => StatusCode::BAD_REQUEST,
            Self::Unidentified => StatusCode::UNAUTHORIZED,
            Self::NoConfiguration | Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Full { .. } | Self::Store(_) | Self::Randomness(_) | Self::AuthUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            tracing::warn!(kind = error.kind(), %error, "request failed");
        }
        if let Self::Randomness(error) = &self {
            tracing::error!(%error, "request failed");
        }
        let body = match &self {
            Self::Full { max_connections, .. } => json!({
                "detail": LIMIT_REACHED,
                "max_connections": max_connections,
                "retry_after": limits::RETRY_AFTER_SECS,
            }),
            other => json!({ "detail": other.to_string() }),
        };
        let mut response = (self.status(), Json(body)).into_response();
        response.extensions_mut().insert(Refused(self.reason()));
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER_SECS));
        }
        response
    }
}

/// Answer for an unknown path.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}

/// Answer for a known path with another method.
pub async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}
