//! Sends a request to DynamoDB, and again where that helps: the one place that knows how long a request may take, which
//! failures pass, and what they mean. The SDK's own retries are off.

use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::retry::ErrorKind;
use contract::limits;
use tokio::time::{Instant, sleep, timeout_at};

use crate::aws_env;
use crate::store::StoreError;

/// Attempts at one request, at most.
const ATTEMPTS_MAX: u32 = 4;
/// Pause before the second attempt; doubled for each further one, half of it random.
const BACKOFF: Duration = Duration::from_millis(50);

/// A request that failed for good.
#[derive(Debug)]
pub(super) struct Failed {
    /// What the last attempt came to.
    pub error: StoreError,
    /// Whether that was a condition that does not hold.
    pub is_condition: bool,
    /// Whether an attempt before the last one may have been carried out, although nothing said so: a write that is
    /// repeated meets its own work then.
    pub is_doubtful: bool,
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Sends what `request` makes, anew for each attempt, within [`limits::STORE_TIMEOUT`] in all and half of that for each.
pub(super) async fn send<T, E, F>(mut request: impl FnMut() -> F) -> Result<T, Failed>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let end = Instant::now() + limits::STORE_TIMEOUT;
    let mut pause = BACKOFF;
    let mut is_doubtful = false;
    for attempt in 1.. {
        let attempt_end = end.min(Instant::now() + limits::STORE_TIMEOUT / 2);
        let outcome = match timeout_at(attempt_end, request()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => Outcome::of(&error),
            Err(_) => Outcome::too_slow(),
        };
        let jittered = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        if !outcome.passes || attempt == ATTEMPTS_MAX || end <= Instant::now() + jittered {
            return Err(Failed { error: outcome.error, is_condition: outcome.is_condition, is_doubtful });
        }
        is_doubtful |= outcome.is_doubtful;
        sleep(jittered).await;
        pause *= 2;
    }
    unreachable!("the last attempt returns")
}

/// What one attempt that failed came to.
struct Outcome {
    error: StoreError,
    is_condition: bool,
    /// Whether the next attempt may fare better.
    passes: bool,
    /// Whether it may have been carried out all the same.
    is_doubtful: bool,
}

impl Outcome {
    fn too_slow() -> Self {
        let error = StoreError::Unavailable(format!("no answer within {:?}", limits::STORE_TIMEOUT / 2));
        Self { error, is_condition: false, passes: true, is_doubtful: true }
    }

    fn of<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> Self {
        let (mut passes, mut is_doubtful) = match error {
            // The first request after a freeze meets a connection that died in the meantime. Where that ends without an
            // error of the system, it is one of another kind, which says that it passes.
            SdkError::DispatchFailure(failure) => {
                let passes = failure.as_other().is_some_and(|kind| kind == ErrorKind::TransientError);
                (passes || failure.is_io() || failure.is_timeout(), true)
            }
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => (true, true),
            SdkError::ServiceError(service) => {
                let is_theirs = service.raw().status().as_u16() >= 500 || error.code() == Some("InternalServerError");
                (is_theirs, is_theirs)
            }
            _ => (false, false),
        };
        let error_of = match error.code() {
            Some(
                "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "LimitExceededException",
            ) => {
                (passes, is_doubtful) = (true, false);
                StoreError::Throttled
            }
            Some(
                "ResourceNotFoundException"
                | "ValidationException"
                | "AccessDeniedException"
                | "UnrecognizedClientException"
                | "InvalidSignatureException"
                | "ExpiredTokenException",
            ) => StoreError::Refused,
            _ => StoreError::Unavailable,
        };
        let is_condition = error.code() == Some("ConditionalCheckFailedException");
        Self { error: error_of(text(error)), is_condition, passes, is_doubtful }
    }
}

/// The service's own words, or the chain of what went wrong on the way to it.
fn text<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ServiceError(service) => {
            let fault = service.err();
            let code = fault.code().unwrap_or("no code");
            let text = format!("{code}: {}", fault.message().unwrap_or("no message"));
            match aws_env::remedy(code) {
                Some(remedy) => format!("{text}; {remedy}"),
                None => text,
            }
        }
        other => std::iter::successors(std::error::Error::source(other), |cause| cause.source())
            .fold(other.to_string(), |text, cause| format!("{text}: {cause}")),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    type Fault = SdkError<PutItemError, HttpResponse>;

    fn service(status: u16, code: &str) -> Fault {
        let error = PutItemError::generic(ErrorMetadata::builder().code(code).message("as told").build());
        SdkError::service_error(error, HttpResponse::new(status.try_into().unwrap(), SdkBody::empty()))
    }

    fn dispatch(error: fn(Box<dyn std::error::Error + Send + Sync>) -> ConnectorError) -> Fault {
        SdkError::dispatch_failure(error("as told".into()))
    }

    /// Fails so in turn, and then answers, or never.
    async fn sent(faults: Vec<Fault>, answer: Option<u32>) -> (Result<u32, Failed>, usize) {
        let mut left = faults.into_iter();
        let mut attempts = 0;
        let result = send(|| {
            attempts += 1;
            let fault = left.next();
            async move {
                match (fault, answer) {
                    (Some(fault), _) => Err(fault),
                    (None, Some(answer)) => Ok(answer),
                    (None, None) => std::future::pending().await,
                }
            }
        })
        .await;
        (result, attempts)
    }

    async fn check(first: Fault, comes_again: bool, doubtful: bool) {
        let shown = format!("{first:?}");
        let (result, attempts) = sent(vec![first, service(400, "ConditionalCheckFailedException")], None).await;
        let failed = result.unwrap_err();
        assert_eq!((attempts, failed.is_condition), if comes_again { (2, true) } else { (1, false) }, "{shown}");
        assert_eq!(failed.is_doubtful, comes_again && doubtful, "{shown}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_and_what_may_have_been_done_is_in_doubt() {
        check(service(400, "ThrottlingException"), true, false).await;
        check(service(500, "InternalServerError"), true, true).await;
        check(service(503, "ServiceUnavailable"), true, true).await;
        check(service(502, "unheard of"), true, true).await;
        check(SdkError::timeout_error("as told"), true, true).await;
        check(dispatch(ConnectorError::io), true, true).await;
        check(dispatch(ConnectorError::timeout), true, true).await;
        check(dispatch(|error| ConnectorError::other(error, Some(ErrorKind::TransientError))), true, true).await;
        check(dispatch(|error| ConnectorError::other(error, None)), false, false).await;
        check(dispatch(ConnectorError::user), false, false).await;
        check(service(400, "ResourceNotFoundException"), false, false).await;
        check(service(400, "unheard of"), false, false).await;
        check(SdkError::construction_failure("as told"), false, false).await;
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_few_and_short_and_end_in_time() {
        let began = Instant::now();
        let (result, attempts) = sent((0..9).map(|_| service(400, "ThrottlingException")).collect(), None).await;
        assert!(matches!(result.unwrap_err().error, StoreError::Throttled(_)));
        assert_eq!(attempts, 4);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let began = Instant::now();
        let (result, attempts) = sent(Vec::new(), None).await;
        assert!(matches!(result.unwrap_err().error, StoreError::Unavailable(_)));
        assert_eq!((attempts, began.elapsed() <= limits::STORE_TIMEOUT), (2, true), "{:?}", began.elapsed());
        let (result, attempts) = sent(vec![service(500, "InternalServerError")], Some(7)).await;
        assert_eq!((result.unwrap(), attempts), (7, 2));
    }
}
