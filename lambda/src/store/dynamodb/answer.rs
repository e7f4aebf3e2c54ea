//! Answers to requests for rows, as their bytes: the SDK would make a map of copies of each row, of which most is thrown away again.

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

use super::value::Row;
use crate::store::StoreError;

/// What a query or a request for rows by their keys brought, but for its rows.
#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    /// Key at which the page ended.
    pub(super) last_evaluated_key: Option<Row<'a>>,
    /// Keys that are to be asked for again.
    pub(super) unprocessed: Vec<Row<'a>>,
    /// Read units that it cost.
    pub(super) units: f64,
}

impl<'a> Answer<'a> {
    /// Reads it, and hands each row over as soon as it is read: of a megabyte of text, all rows at once are two more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it is no such answer. Rows may have been handed over before that shows.
    pub(super) fn read(bytes: &'a [u8], take: &mut dyn FnMut(Row<'a>)) -> Result<Self, StoreError> {
        let unread =
            |error: &dyn std::error::Error| StoreError::Unavailable(format!("the answer cannot be read: {error}"));
        // Once for all of it, in place of once for each text.
        let text = std::str::from_utf8(bytes).map_err(|error| unread(&error))?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let answer = reader.deserialize_map(AnswerVisitor(take)).and_then(|answer| reader.end().map(|()| answer));
        answer.map_err(|error| unread(&error))
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Field {
    Items,
    Responses,
    LastEvaluatedKey,
    UnprocessedKeys,
    ConsumedCapacity,
    CapacityUnits,
    #[serde(other)]
    Other,
}

struct AnswerVisitor<'f, 'de>(&'f mut dyn FnMut(Row<'de>));

impl<'de> Visitor<'de> for AnswerVisitor<'_, 'de> {
    type Value = Answer<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer with rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut answer = Answer::default();
        while let Some(field) = map.next_key()? {
            match field {
                Field::Items | Field::Responses => map.next_value_seed(Rows(self.0))?,
                Field::UnprocessedKeys => map.next_value_seed(Rows(&mut |key| answer.unprocessed.push(key)))?,
                Field::LastEvaluatedKey => answer.last_evaluated_key = map.next_value()?,
                Field::ConsumedCapacity => map.next_value_seed(Units(&mut answer.units))?,
                Field::CapacityUnits | Field::Other => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(answer)
    }
}

/// Hands over each row of a list, or of the lists of some tables, however deep they are.
struct Rows<'f, 'de>(&'f mut dyn FnMut(Row<'de>));

impl<'de> DeserializeSeed<'de> for Rows<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows, or those of some tables")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.0)(row);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Rows(&mut *self.0))?;
        }
        Ok(())
    }

    // What else stands beside keys that are to be asked for again: how they were asked for.
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Adds up read units, of one table or of a list of them.
struct Units<'f>(&'f mut f64);

impl<'de> DeserializeSeed<'de> for Units<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Units<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("consumed capacity")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tables: A) -> Result<(), A::Error> {
        while tables.next_element_seed(Units(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key()? {
            match field {
                Field::CapacityUnits => *self.0 += map.next_value::<f64>()?,
                _ => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
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
        Answer::read(text, &mut |row| rows.push(row)).map(|answer| (answer, rows))
    }

    fn row<'a>(value: Value<'a>) -> Row<'a> {
        [("a", value)].into_iter().collect()
    }

    #[test]
    fn an_answer_has_rows_an_end_and_a_price_and_may_lack_each() {
        let text = r#"{"Count":1,"ScannedCount":1,"Items":[{"a":{"S":"x"}}],"LastEvaluatedKey":{"a":{"S":"x"}},
            "ConsumedCapacity":{"TableName":"items","CapacityUnits":0.5}}"#;
        let (answer, rows) = read(text.as_bytes()).unwrap();
        assert_eq!((rows, answer.units), (vec![row(Value::S("x".into()))], 0.5));
        assert_eq!(answer.last_evaluated_key, Some(row(Value::S("x".into()))));
        let (empty, rows) = read(br#"{"Count":0,"ConsumedCapacity":null}"#).unwrap();
        assert_eq!((rows.len(), empty.last_evaluated_key.is_none(), empty.units), (0, true, 0.0));
        let bad = [
            &b"<html>"[..],
            b"{}{}",
            b"[]",
            br#"{"Items":7}"#,
            br#"{"Items":["a"]}"#,
            b"{\"Items\":[{\"a\":{\"S\":\"\xff\"}}]}",
        ];
        for bad in bad {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.starts_with("the table does not answer: the answer cannot be read: "), "{error}");
        }
    }

    #[test]
    fn rows_by_their_keys_come_with_keys_that_were_left_unprocessed() {
        let text = r##"{"Responses":{"hours":[{"a":{"B":"AP8H"}},{}],"other":[]},
            "UnprocessedKeys":{"hours":{"ConsistentRead":false,"Keys":[{"a":{"S":"x\u0041"}}],"ProjectionExpression":"PK",
                "ExpressionAttributeNames":{"#a":"a"}}},
            "ConsumedCapacity":[{"TableName":"hours","CapacityUnits":4.5,"Table":{"CapacityUnits":4.5}},{"CapacityUnits":1}]}"##;
        let (answer, rows) = read(text.as_bytes()).unwrap();
        assert_eq!(rows, [row(Value::B("AP8H".into())), Row::default()]);
        assert_eq!((answer.unprocessed, answer.units), (vec![row(Value::S("xA".into()))], 5.5));
        let (whole, rows) = read(br#"{"Responses":{"hours":[]},"UnprocessedKeys":{}}"#).unwrap();
        assert_eq!((rows.len(), whole.unprocessed.len(), whole.units), (0, 0, 0.0));
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
