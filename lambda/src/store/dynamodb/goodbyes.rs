//! Goodbyes as rows of the users table, which forgets them by itself.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use contract::tables;

use super::answer::Answer;
use super::client::DynamoDb;
use super::value::Value;
use crate::store::{Goodbyes, Left, StoreError, StoreFuture};
use stream_core::stream_id::StreamId;

/// Sort key of a goodbye; its partition key is `STREAM#` and the stream's id, which the functions' rights are narrowed to.
const GOODBYE: &str = "GOODBYE";

fn partition(stream: StreamId) -> AttributeValue {
    AttributeValue::S(format!("{}{stream}", tables::STREAM_PREFIX))
}

fn sort_key() -> AttributeValue {
    AttributeValue::S(GOODBYE.into())
}

impl Goodbyes for DynamoDb {
    fn say(&self, stream: StreamId, expires_at: u64) -> StoreFuture<'_, ()> {
        // Said twice it is the same row.
        let request = self
            .client
            .put_item()
            .table_name(self.data.users_table.as_str())
            .item("PK", partition(stream))
            .item("SK", sort_key())
            .item(tables::TTL_ATTRIBUTE, AttributeValue::N(expires_at.to_string()));
        Box::pin(async move { Ok(self.put(request).await?) })
    }

    fn look<'a>(&'a self, streams: &'a [StreamId]) -> StoreFuture<'a, Left> {
        Box::pin(async move {
            let key = |stream: &StreamId| {
                HashMap::from([("PK".to_owned(), partition(*stream)), ("SK".to_owned(), sort_key())])
            };
            // Half a unit a stream, found or not. Without a strong read a goodbye of the last second may be missed once.
            let asked = KeysAndAttributes::builder()
                .set_keys(Some(streams.iter().map(key).collect()))
                .projection_expression("PK")
                .build()
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let table = self.data.users_table.as_str();
            let request = self.client.batch_get_item().request_items(table, asked);
            let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
            let answer = self.get(request).await?;
            let mut streams = Vec::new();
            // Keys that were left unprocessed are asked for again at the next look.
            let answer = Answer::read(&answer, &mut |row| {
                let said = match row.get("PK") {
                    Some(Value::S(partition)) => partition.strip_prefix(tables::STREAM_PREFIX),
                    _ => None,
                };
                streams.extend(said.and_then(StreamId::parse));
            })?;
            Ok(Left { streams, units: answer.units })
        })
    }
}
