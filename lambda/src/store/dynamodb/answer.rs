//! Answers to requests for rows, as their bytes: the SDK would make a map of copies of each row, of which most is thrown away again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::body::SdkBody;
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
        read(bytes)
    }

    /// Read units that it cost.
    pub(super) fn units(&self) -> f64 {
        self.consumed_capacity.as_ref().map_or(0.0, |capacity| capacity.capacity_units)
    }
}

/// What the requested rows of some tables are, as far as they were read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct BatchAnswer<'a> {
    #[serde(borrow)]
    pub(super) responses: BTreeMap<Cow<'a, str>, Vec<Row<'a>>>,
    /// What is to be asked for again.
    #[serde(borrow)]
    pub(super) unprocessed_keys: BTreeMap<Cow<'a, str>, Keys<'a>>,
    consumed_capacity: Vec<Capacity>,
}

/// Keys of rows of one table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Keys<'a> {
    #[serde(borrow)]
    pub(super) keys: Vec<Row<'a>>,
}

impl<'a> BatchAnswer<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it is no such answer.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, StoreError> {
        read(bytes)
    }

    /// Read units that it cost.
    pub(super) fn units(&self) -> f64 {
        self.consumed_capacity.iter().map(|capacity| capacity.capacity_units).sum()
    }
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StoreError> {
    let unread = |error| StoreError::Unavailable(format!("the answer cannot be read: {error}"));
    serde_json::from_slice(bytes).map_err(unread)
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Kept(SdkBody);

impl Default for Kept {
    fn default() -> Self {
        Self(SdkBody::empty())
    }
}

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // A keeper takes hold of bodies that were read to their end.
        self.0.bytes().unwrap_or_default()
    }
}

/// Keeps the bytes of an answer that is none of an error; the SDK is given an empty one.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    kept: Arc<Mutex<Kept>>,
    empty: fn() -> Output,
}

impl Keep {
    /// Of the answer to a query.
    pub(super) fn of_query() -> Self {
        Self { kept: Arc::default(), empty: || Output::erase(QueryOutput::builder().build()) }
    }

    /// Of the answer to a request for rows by their keys.
    pub(super) fn of_batch() -> Self {
        Self { kept: Arc::default(), empty: || Output::erase(BatchGetItemOutput::builder().build()) }
    }

    /// Takes what came last.
    pub(super) fn take(&self) -> Kept {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
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
        // It was read to its end, so that this is another hold on the same bytes and no copy.
        let body = response.body().try_clone().unwrap_or_else(SdkBody::empty);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept(body);
        Ok((self.empty)())
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

    #[test]
    fn rows_by_their_keys_come_by_table_with_what_was_left_unprocessed() {
        let text = r#"{"Responses":{"hours":[{"a":{"B":"AP8H"}},{}],"other":[]},
            "UnprocessedKeys":{"hours":{"Keys":[{"a":{"S":"x\u0041"}}],"ConsistentRead":false}},
            "ConsumedCapacity":[{"TableName":"hours","CapacityUnits":4.5},{"CapacityUnits":1}]}"#;
        let answer = BatchAnswer::read(text.as_bytes()).unwrap();
        let row: Row<'_> = [("a", Value::B("AP8H".into()))].into_iter().collect();
        assert_eq!(answer.responses["hours"], [row, Row::default()]);
        let key: Row<'_> = [("a", Value::S("xA".into()))].into_iter().collect();
        assert_eq!((&answer.unprocessed_keys["hours"].keys[..], answer.units()), (&[key][..], 5.5));
        let empty = BatchAnswer::read(b"{}").unwrap();
        assert_eq!((empty.responses.len(), empty.unprocessed_keys.len(), empty.units()), (0, 0, 0.0));
    }
}
