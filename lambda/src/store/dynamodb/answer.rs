//! Answers to requests for rows, as their bytes: the SDK would make a map of copies of each row, of which most is thrown away again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::{BoxError, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use contract::limits;
use http_body::Body as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::de::StrRead;

use super::value::Row;
use crate::store::StoreError;

/// What a query brought, but for its rows.
#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    /// Key at which the page ended.
    pub(super) last_evaluated_key: Option<Row<'a>>,
    consumed_capacity: Option<Capacity>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Capacity {
    capacity_units: f64,
}

impl<'a> Answer<'a> {
    /// Reads it, and hands each row over as soon as it is read: of a megabyte of text, all rows at once are two more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it is no such answer. Rows may have been handed over before that shows.
    pub(super) fn read(bytes: &'a [u8], take: impl FnMut(Row<'a>)) -> Result<Self, StoreError> {
        read(bytes, |reader| reader.deserialize_map(AnswerVisitor(take)))
    }

    /// Read units that it cost.
    pub(super) fn units(&self) -> f64 {
        self.consumed_capacity.as_ref().map_or(0.0, |capacity| capacity.capacity_units)
    }
}

/// What rows by their keys are, of some tables.
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
        read(bytes, |reader| Self::deserialize(reader))
    }

    /// Read units that it cost.
    pub(super) fn units(&self) -> f64 {
        self.consumed_capacity.iter().map(|capacity| capacity.capacity_units).sum()
    }
}

fn read<'a, T>(
    bytes: &'a [u8],
    answer: impl FnOnce(&mut serde_json::Deserializer<StrRead<'a>>) -> serde_json::Result<T>,
) -> Result<T, StoreError> {
    let unread = |error: &dyn std::error::Error| StoreError::Unavailable(format!("the answer cannot be read: {error}"));
    // Once for all of it, in place of once for each text.
    let text = std::str::from_utf8(bytes).map_err(|error| unread(&error))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let answer = answer(&mut reader).and_then(|answer| reader.end().map(|()| answer));
    answer.map_err(|error| unread(&error))
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Field {
    Items,
    LastEvaluatedKey,
    ConsumedCapacity,
    #[serde(other)]
    Other,
}

struct AnswerVisitor<F>(F);

impl<'de, F: FnMut(Row<'de>)> Visitor<'de> for AnswerVisitor<F> {
    type Value = Answer<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer to a query")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut answer = Answer::default();
        while let Some(field) = map.next_key()? {
            match field {
                Field::Items => map.next_value_seed(Rows(&mut self.0))?,
                Field::LastEvaluatedKey => answer.last_evaluated_key = map.next_value()?,
                Field::ConsumedCapacity => answer.consumed_capacity = map.next_value()?,
                Field::Other => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(answer)
    }
}

/// Hands each row of a list over.
struct Rows<'f, F>(&'f mut F);

impl<'de, F: FnMut(Row<'de>)> DeserializeSeed<'de> for Rows<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Row<'de>)> Visitor<'de> for Rows<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.0)(row);
        }
        Ok(())
    }
}

/// Keeps the body of an answer that is none of an error, before anything of it was read; the SDK is given an empty answer.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    kept: Arc<Mutex<Option<Kept>>>,
    empty: fn() -> Output,
}

/// A body, and how long it is, where the answer says so: the SDK's does not know that any more.
#[derive(Debug)]
struct Kept {
    body: SdkBody,
    length: usize,
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

    /// Reads the body that came last to its end, into one piece of memory: the SDK would gather its parts and copy them twice.
    ///
    /// # Errors
    /// What the SDK says where a body breaks off.
    pub(super) async fn read<E>(&self) -> Result<Bytes, SdkError<E, HttpResponse>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Kept { mut body, length }) = kept else { return Ok(Bytes::new()) };
        let mut bytes = BytesMut::with_capacity(length.min(limits::STORE_ANSWER_BYTES_EXPECTED));
        let mut body = Pin::new(&mut body);
        while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
            let frame = frame.map_err(|error| SdkError::response_error(error, empty()))?;
            if let Ok(part) = frame.into_data() {
                bytes.extend_from_slice(&part);
            }
        }
        Ok(bytes.freeze())
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
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        let length =
            response.headers().get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        let kept = Kept { body: response.take_body(), length };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Some(Ok((self.empty)()))
    }
}

/// An answer that there is nothing to say of, but that there was one.
fn empty() -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(200).expect("a status"), SdkBody::empty())
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use http_body::Frame;

    use super::*;
    use crate::store::dynamodb::value::Value;

    /// A body that comes in parts.
    struct Parts(std::vec::IntoIter<std::io::Result<&'static [u8]>>);

    impl http_body::Body for Parts {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
            Poll::Ready(self.0.next().map(|part| part.map(|bytes| Frame::data(Bytes::from_static(bytes)))))
        }
    }

    fn read(text: &[u8]) -> Result<(Answer<'_>, Vec<Row<'_>>), StoreError> {
        let mut rows = Vec::new();
        Answer::read(text, |row| rows.push(row)).map(|answer| (answer, rows))
    }

    #[test]
    fn an_answer_has_rows_an_end_and_a_price_and_may_lack_each() {
        let text = r#"{"Count":1,"ScannedCount":1,"Items":[{"a":{"S":"x"}}],"LastEvaluatedKey":{"a":{"S":"x"}},
            "ConsumedCapacity":{"TableName":"items","CapacityUnits":0.5}}"#;
        let (answer, rows) = read(text.as_bytes()).unwrap();
        let row: Row<'_> = [("a", Value::S("x".into()))].into_iter().collect();
        assert_eq!((rows.as_slice(), answer.units()), (&[row.clone()][..], 0.5));
        assert_eq!(answer.last_evaluated_key, Some(row));
        let (empty, rows) = read(br#"{"Count":0}"#).unwrap();
        assert_eq!((rows.len(), empty.last_evaluated_key.is_none(), empty.units()), (0, true, 0.0));
        for bad in [&b"<html>"[..], b"{}{}", b"[]", br#"{"Items":{}}"#, b"{\"Items\":[{\"a\":{\"S\":\"\xff\"}}]}"] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.starts_with("the table does not answer: the answer cannot be read: "), "{error}");
        }
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
        assert!(BatchAnswer::read(b"{\"Responses\":[]}").is_err());
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end_and_one_that_breaks_off_is_an_answer_that_failed() {
        let with = |body: SdkBody| {
            let keep = Keep::of_query();
            let mut response = HttpResponse::new(StatusCode::try_from(200).unwrap(), body);
            assert!(keep.deserialize_streaming_with_config(&mut response, &ConfigBag::base()).unwrap().is_ok());
            keep
        };
        let parts = |parts: Vec<_>| with(SdkBody::from_body_1_x(Parts(parts.into_iter())));
        assert_eq!(with(SdkBody::from("abc")).read::<()>().await.unwrap(), "abc");
        assert_eq!(parts(vec![Ok(b"ab"), Ok(b"c")]).read::<()>().await.unwrap(), "abc");
        let broken = parts(vec![Ok(b"ab"), Err(std::io::ErrorKind::ConnectionReset.into())]);
        assert!(matches!(broken.read::<()>().await, Err(SdkError::ResponseError(_))));
        assert!(broken.read::<()>().await.unwrap().is_empty());
    }
}
