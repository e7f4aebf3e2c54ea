//! Errors as clients see them: a status and `{"detail": "…"}`. The cause is logged once, here.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use contract::limits;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::auth::Denied;
use crate::dashboard::draft::Fault;
use crate::random::NoRandomness;
use crate::store::StoreError;
use crate::stream::slots::Full;
use stream_core::event::LIMIT_REACHED;
use stream_core::filter::FilterError;

/// Why a request gets no stream and no data.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A parameter is malformed; the text says which and why.
    #[error("{0}")]
    BadParameter(String),
    /// The tickers are malformed.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Fields of the body are not as they must be.
    #[error("{}", sentence(.0))]
    Invalid(Vec<Fault>),
    /// The body is larger than it may be.
    #[error("the body is too large; it must have at most {0} bytes")]
    TooLarge(usize),
    /// The body says that it is something else than JSON.
    #[error("`Content-Type` is {}; it must be `application/json`", .0.as_ref().map_or_else(|| "missing".into(), |found| format!("`{}`", found.escape_debug())))]
    NotJson(Option<String>),
    /// The user has as many configurations as there may be.
    #[error("There are {max} configurations already; delete one first", max = limits::CONFIGURATIONS_MAX)]
    TooManyConfigurations,
    /// The user or the source address has changed too much in too short a time.
    #[error("Too many changes. Try again later.")]
    TooOften(Duration),
    /// The request names no user.
    #[error("Missing user identification")]
    Unidentified,
    /// Users cannot be identified now.
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
    /// The process was told to stop.
    #[error("This server is about to stop. Try again.")]
    Stopping,
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
    /// Why, in a word for metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::BadParameter(_) | Self::Filter(_) | Self::Invalid(_) => "bad_request",
            Self::Unidentified => "unidentified",
            Self::NoConfiguration => "no_configuration",
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::TooLarge(_)
            | Self::NotJson(_)
            | Self::TooManyConfigurations
            | Self::TooOften(_) => contract::metrics::OTHER,
            Self::Full { full, .. } => full.as_str(),
            Self::Store(_) | Self::Randomness(_) | Self::AuthUnavailable | Self::Stopping => "unavailable",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::BadParameter(_) | Self::Filter(_) | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyConfigurations => StatusCode::CONFLICT,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unidentified => StatusCode::UNAUTHORIZED,
            Self::NoConfiguration | Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Full { .. } | Self::Store(_) | Self::Randomness(_) | Self::AuthUnavailable | Self::Stopping => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl ApiError {
    /// Whether nothing is wrong with the request: what it needs does not answer now.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Randomness(_) | Self::AuthUnavailable | Self::Stopping)
    }

    /// Writes the cause down, which the answer does not say. Once for each error, where it becomes an answer.
    pub fn log(&self) {
        match self {
            Self::Store(error) => tracing::warn!(kind = error.kind(), %error, "request failed"),
            Self::Randomness(error) => tracing::error!(%error, "request failed"),
            _ => {}
        }
    }

    /// Seconds after which to try again, where that may help.
    fn retry_after(&self) -> Option<u64> {
        match self {
            // Rounded up: a client that comes back at that time is let in.
            Self::TooOften(wait) => Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
            // Of the next one that answers at this address, not of this one.
            Self::Stopping => Some(1),
            other if other.status() == StatusCode::SERVICE_UNAVAILABLE => Some(limits::RETRY_AFTER_SECS),
            _ => None,
        }
    }
}

/// All faults in one sentence, for people.
fn sentence(faults: &[Fault]) -> String {
    let one = |fault: &Fault| match fault.field.as_str() {
        "" => fault.detail.clone(),
        field => format!("`{field}` {}", fault.detail),
    };
    faults.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let body = match &self {
            Self::Full { max_connections, .. } => json!({
                "detail": LIMIT_REACHED,
                "max_connections": max_connections,
                "retry_after": limits::RETRY_AFTER_SECS,
            }),
            Self::Invalid(faults) => {
                let error = |fault: &Fault| json!({ "field": fault.field, "detail": fault.detail });
                json!({ "detail": self.to_string(), "errors": faults.iter().map(error).collect::<Vec<_>>() })
            }
            Self::TooOften(_) => json!({ "detail": self.to_string(), "retry_after": self.retry_after() }),
            other => json!({ "detail": other.to_string() }),
        };
        let mut response = (self.status(), Json(body)).into_response();
        response.extensions_mut().insert(Refused(self.reason()));
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
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
