//! What time the table's service has: every answer of it says so, and every request must be signed with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use aws_smithy_async::time::TimeSource;

use crate::clock::Clock;
use stream_core::timestamp::Timestamp;

/// Hands the `Date` of every answer to the clock, refusals included: one for a wrong time is what sets it right.
#[derive(Debug)]
pub(super) struct Date(pub Clock);

impl Intercept for Date {
    fn name(&self) -> &'static str {
        "date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok());
        if let Some(millis) = date.and_then(|date| date.to_millis().ok()).and_then(|millis| u64::try_from(millis).ok())
        {
            self.0.told(Timestamp::from_millis(millis));
        }
        Ok(())
    }
}

/// The time that requests are signed with.
#[derive(Debug)]
pub(super) struct SigningTime(pub Clock);

impl TimeSource for SigningTime {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.wall().millis())
    }
}
