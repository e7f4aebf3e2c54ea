//! A query without a key condition is sent as a scan: asked for and answered in the same words. The SDK's own costs tens of
//! kilobytes of program, which every cold start reads.

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

const QUERY: &str = "DynamoDB_20120810.Query";
const SCAN: &str = "DynamoDB_20120810.Scan";
const CONDITION: &[u8] = b"\"KeyConditionExpression\"";

/// Renames such a request, before it is signed.
#[derive(Debug)]
pub(super) struct AsScan;

impl Intercept for AsScan {
    fn name(&self) -> &'static str {
        "as-scan"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let is_query = request.headers().get("x-amz-target") == Some(QUERY);
        // What was asked is only in the body by now; without one nothing can be said, and a query it remains.
        let asks_for_keys = |body: &[u8]| body.windows(CONDITION.len()).any(|part| part == CONDITION);
        if is_query && request.body().bytes().is_some_and(|body| !asks_for_keys(body)) {
            request.headers_mut().insert("x-amz-target", SCAN);
        }
        Ok(())
    }
}
