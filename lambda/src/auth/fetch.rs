//! Small requests over HTTPS, bounded in time and size, with the HTTP client that the AWS SDK brings along.

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use contract::{Lookup, limits};
use http_body::Body;

use crate::aws_tls;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// It took too long.
    #[error("no answer within {:?}", limits::AUTH_FETCH_TIMEOUT)]
    TooSlow,
    /// It is larger than an answer may be.
    #[error("the answer is larger than {} bytes", limits::AUTH_ANSWER_BYTES_MAX)]
    TooLarge,
    /// No connection, or one that broke.
    #[error("no answer: {0}")]
    Broken(String),
}

/// A client for such requests. It follows no redirect: the target of one could name the keys.
pub(super) struct Fetch(SharedHttpConnector);

impl Fetch {
    /// Of anybody whom the system trusts. Opens no connection yet.
    pub(super) fn new() -> Self {
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Self(SharedHttpConnector::new(connector))
    }

    /// Of AWS alone. Opens no connection yet.
    pub(super) fn of_aws(lookup: &Lookup<'_>) -> Self {
        Self(aws_tls::connector(lookup))
    }

    /// Sends a request and returns status and body.
    pub(super) async fn send(&self, request: http::Request<String>) -> Result<(u16, Bytes), FetchError> {
        let answer = self.answer(request);
        tokio::time::timeout(limits::AUTH_FETCH_TIMEOUT, answer).await.map_err(|_| FetchError::TooSlow)?
    }

    async fn answer(&self, request: http::Request<String>) -> Result<(u16, Bytes), FetchError> {
        let request = HttpRequest::try_from(request.map(SdkBody::from)).map_err(broken)?;
        let answer = self.0.call(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let mut body = std::pin::pin!(answer.into_body());
        let mut bytes = BytesMut::new();
        while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
            if let Ok(data) = frame.map_err(|error| FetchError::Broken(error.to_string()))?.into_data() {
                if bytes.len() + data.len() > limits::AUTH_ANSWER_BYTES_MAX {
                    return Err(FetchError::TooLarge);
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok((status, bytes.freeze()))
    }
}

fn broken(error: impl std::error::Error) -> FetchError {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    FetchError::Broken(causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
}
