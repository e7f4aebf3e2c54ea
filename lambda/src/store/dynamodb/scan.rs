//! A query without a key condition is sent as a scan: asked for and answered in the same words. The SDK's own costs tens of
//! kilobytes of program, which every cold start reads.

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::query::QueryInput;

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
        let query = context.inner().input().and_then(|input| input.downcast_ref::<QueryInput>());
        if query.is_some_and(|query| query.key_condition_expression().is_none()) {
            context.request_mut().headers_mut().insert("x-amz-target", "DynamoDB_20120810.Scan");
        }
        Ok(())
    }
}
