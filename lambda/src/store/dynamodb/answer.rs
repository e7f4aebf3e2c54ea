//! Answers to queries for rows, as their bytes: the SDK would make a map of copies of each row, of which most is thrown away again.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use bytes::Bytes;
use serde::Deserialize;

use super::value::Row;
use crate::store::StoreError;

/// What a query brought.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    pub(super) items: Vec<Row<'a>>,
    /// Key at which the page ended.
    #[serde(borrow)]
    pub(super) last_evaluated_key: Option<Row<'a>>,
    consumed_capacity: Option<Capacity>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Capacity {
    capacity_units: f64,
}

impl<'a> Answer<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it is no such answer.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, StoreError> {
        let unread = |error| StoreError::Unavailable(format!("the answer cannot be read: {error}"));
        serde_json::from_slice(bytes).map_err(unread)
    }

    /// Read units that it cost.
    pub(super) fn units(&self) -> f64 {
        self.consumed_capacity.as_ref().map_or(0.0, |capacity| capacity.capacity_units)
    }
}

/// Keeps the bytes of an answer that is none of an error.
#[derive(Clone, Debug, Default)]
pub(super) struct Keep(Arc<Mutex<Bytes>>);

impl Keep {
    /// Takes what came last.
    pub(super) fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Keep {
    fn name(&self) -> &'static str {
        "keep"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Errors are read as ever.
        if context.response().status().is_success() {
            config.interceptor_state().store_put(SharedResponseDeserializer::new(self.clone()));
        }
        Ok(())
    }
}

impl DeserializeResponse for Keep {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let bytes = response.body().bytes().map(Bytes::copy_from_slice);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.unwrap_or_default();
        Ok(Output::erase(QueryOutput::builder().build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::dynamodb::value::Value;

    #[test]
    fn an_answer_has_rows_an_end_and_a_price_and_may_lack_each() {
        let text = r#"{"Count":1,"ScannedCount":1,"Items":[{"a":{"S":"x"}}],"LastEvaluatedKey":{"a":{"S":"x"}},
            "ConsumedCapacity":{"TableName":"items","CapacityUnits":0.5}}"#;
        let answer = Answer::read(text.as_bytes()).unwrap();
        let row: Row<'_> = [("a", Value::S("x".into()))].into_iter().collect();
        assert_eq!((answer.items.as_slice(), answer.units()), (&[row.clone()][..], 0.5));
        assert_eq!(answer.last_evaluated_key, Some(row));
        let empty = Answer::read(br#"{"Count":0}"#).unwrap();
        assert_eq!((empty.items.len(), empty.last_evaluated_key.is_none(), empty.units()), (0, true, 0.0));
        let error = Answer::read(b"<html>").unwrap_err().to_string();
        assert!(error.starts_with("the table does not answer: the answer cannot be read: "), "{error}");
    }
}
