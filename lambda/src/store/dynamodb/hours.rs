//! Hours that instances share, and sums of hours that are kept, each as rows of a table of their own, which forgets them by itself.
//!
//! A head is a row of the scope's partition, so that all of a day are one query. The bytes are rows of a partition that carries
//! their version: whoever reads them gets those that the head named, or too few, whatever is written meanwhile.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use aws_smithy_types::base64;
use contract::{limits, tables};

use super::answer::Answer;
use super::client::{DynamoDb, SdkRow};
use super::value::{Row, Value};
use crate::store::{Heads, HourBytes, Hours, StoreError, StoreFuture};
use stream_core::hour::Version;
use stream_core::shelf::{Head, Kind, Scope, Write};
use stream_core::timestamp::Timestamp;

const VERSION: &str = "content";
const BYTES: &str = "content_bytes";
const READ_AT: &str = "read_at";
const AFTER: &str = "rows_after";
const CLAIMED_UNTIL: &str = "claimed_until";
const CHUNK: &str = "chunk";
/// What the writer knew of how times are written.
const FORMS: &str = "time_forms";

/// Keys of one request (`BatchGetItem` takes no more).
const KEYS_MAX: usize = 100;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn hour_key(hour: u64) -> String {
    format!("{hour:08}")
}

fn chunk_key(index: usize) -> String {
    format!("{index:03}")
}

/// Partition and sort key of some of the bytes of an hour.
type ChunkKey = (String, String);

/// Reads such a key; a row without one is none.
fn chunk_of(row: &Row<'_>) -> Option<ChunkKey> {
    match (row.get("PK")?, row.get("SK")?) {
        (Value::S(partition), Value::S(index)) => Some((partition.to_string(), index.to_string())),
        _ => None,
    }
}

fn partition(scope: Scope, hour: u64, version: Version) -> String {
    format!("{scope}#{hour:08}#{:016x}", version.0)
}

/// Reads a head; a row that is none is none.
fn head_of(kind: Kind, row: &SdkRow) -> Option<Head> {
    let of = |name: &str| row.get(name).and_then(|value| value.as_n().ok())?.parse::<u64>().ok();
    let version = match row.get(VERSION) {
        None => None,
        Some(value) => Some(Version(u64::from_str_radix(value.as_s().ok()?, 16).ok()?)),
    };
    Some(Head {
        kind,
        hour: row.get("SK")?.as_s().ok()?.parse().ok()?,
        version,
        bytes: u32::try_from(of(BYTES)?).ok().filter(|bytes| *bytes as usize <= limits::HOUR_BYTES_MAX)?,
        read_at: Timestamp::from_millis(of(READ_AT)?),
        after: Timestamp::from_millis(of(AFTER)?),
        claimed_until: Timestamp::from_millis(of(CLAIMED_UNTIL)?),
    })
}

impl DynamoDb {
    /// The table of such hours; where there is none, nobody asks.
    fn hours_table(&self, scope: Scope) -> Result<&str, StoreError> {
        let table = match scope.kind() {
            Kind::Rows | Kind::Young => &self.data.hours_table,
            Kind::Sums => &self.data.history_table,
        };
        let table = table.as_ref().map(contract::TableName::as_str);
        table.ok_or_else(|| StoreError::Refused("there is no table of such hours".into()))
    }

    async fn write_hour(&self, scope: Scope, write: &Write) -> Result<bool, StoreError> {
        let table = self.hours_table(scope)?;
        let Write { head, seen, bytes, expires_at } = write;
        let row = |partition: String, key: String| {
            let put = self.client.put_item().table_name(table);
            put.item("PK", text(partition)).item("SK", text(key)).item(tables::TTL_ATTRIBUTE, number(*expires_at))
        };
        if let Some(version) = head.version {
            for (index, chunk) in bytes.chunks(limits::HOUR_CHUNK_BYTES_MAX).enumerate() {
                let chunk = AttributeValue::B(Blob::new(chunk));
                self.put(row(partition(scope, head.hour, version), chunk_key(index)).item(CHUNK, chunk)).await?;
            }
        }
        let mut put = row(scope.to_string(), hour_key(head.hour))
            .item(BYTES, number(u64::from(head.bytes)))
            .item(FORMS, text(self.forms.to_text()))
            .item(READ_AT, number(head.read_at.millis()))
            .item(AFTER, number(head.after.millis()))
            .item(CLAIMED_UNTIL, number(head.claimed_until.millis()));
        if let Some(version) = head.version {
            put = put.item(VERSION, text(format!("{:016x}", version.0)));
        }
        put = match seen {
            None => put.condition_expression("attribute_not_exists(PK)"),
            Some(seen) => {
                let is_content = match seen.version {
                    None => "attribute_not_exists(content)",
                    Some(_) => "content = :content",
                };
                let versions = seen.version.map(|version| text(format!("{:016x}", version.0)));
                let values = HashMap::from([
                    (":read".to_owned(), number(seen.read_at.millis())),
                    (":claimed".to_owned(), number(seen.claimed_until.millis())),
                ]);
                let values = values.into_iter().chain(versions.map(|version| (":content".to_owned(), version)));
                put.condition_expression(format!("{is_content} AND read_at = :read AND claimed_until = :claimed"))
                    .set_expression_attribute_values(Some(values.collect()))
            }
        };
        match self.put(put).await {
            Ok(()) => Ok(true),
            // Of an attempt before this one that was carried out nobody knows whose head it is: the next look says.
            Err(failed) if failed.is_condition => Ok(false),
            Err(failed) => Err(failed.error),
        }
    }

    /// Items of all hours at once: a request takes a small function longer than the bytes of a small hour.
    async fn read_hours(&self, scope: Scope, heads: &[Head]) -> Result<HourBytes, StoreError> {
        let table = self.hours_table(scope)?;
        let key = |head: &Head, index: usize| Some((partition(scope, head.hour, head.version?), chunk_key(index)));
        let mut left: Vec<ChunkKey> =
            heads.iter().flat_map(|head| (0..head.chunks()).filter_map(move |index| key(head, index))).collect();
        let (mut chunks, mut units) = (BTreeMap::new(), 0.0);
        // An answer has 16 MB at most, and leaves the keys of the rest.
        while !left.is_empty() {
            let later = left.split_off(left.len().min(KEYS_MAX));
            let keys = left.into_iter().map(|(partition, index)| {
                SdkRow::from([("PK".to_owned(), text(partition)), ("SK".to_owned(), text(index))])
            });
            let asked = KeysAndAttributes::builder().set_keys(Some(keys.collect())).build();
            let asked = asked.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let request = self.client.batch_get_item().request_items(table, asked);
            let answer = self.get(request.return_consumed_capacity(ReturnConsumedCapacity::Total)).await?;
            let before = chunks.len();
            let answer = Answer::read(&answer, &mut |row| {
                let Some(Value::B(chunk)) = row.get(CHUNK) else { return };
                if let (Some(key), Ok(chunk)) = (chunk_of(&row), base64::decode(chunk.as_ref())) {
                    chunks.insert(key, chunk);
                }
            })?;
            units += answer.units;
            left = answer.unprocessed.iter().filter_map(chunk_of).collect();
            if chunks.len() == before && !left.is_empty() {
                return Err(StoreError::Throttled(format!("{} keys were left unprocessed", left.len())));
            }
            left.extend(later);
        }
        let bytes_of = |head: &Head| {
            let of_hour = (0..head.chunks()).filter_map(|index| chunks.remove(&key(head, index)?));
            let join = |mut bytes: Vec<u8>, chunk: Vec<u8>| {
                bytes.reserve_exact((head.bytes as usize).saturating_sub(bytes.len()));
                bytes.extend_from_slice(&chunk);
                bytes
            };
            of_hour.reduce(join).unwrap_or_default()
        };
        Ok(HourBytes { hours: heads.iter().map(bytes_of).collect(), units })
    }
}

impl Hours for DynamoDb {
    fn heads(&self, scope: Scope, from: u64, to: u64) -> StoreFuture<'_, Heads> {
        Box::pin(async move {
            let query = self
                .client
                .query()
                .table_name(self.hours_table(scope)?)
                .key_condition_expression("PK = :scope AND SK BETWEEN :from AND :to")
                .expression_attribute_values(":scope", text(scope.to_string()))
                .expression_attribute_values(":from", text(hour_key(from)))
                .expression_attribute_values(":to", text(hour_key(to)))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let page = self.ask(query).await?;
            let units = page.consumed_capacity.and_then(|capacity| capacity.capacity_units).unwrap_or_default();
            let rows = page.items.unwrap_or_default();
            // So that rows are asked for as whoever has read the whole day would ask.
            let is_of_rows = scope.kind() != Kind::Sums;
            let known = rows.iter().filter(|_| is_of_rows).filter_map(|row| row.get(FORMS)?.as_s().ok());
            known.for_each(|known| self.forms.learn_text(known));
            Ok(Heads { heads: rows.iter().filter_map(|row| head_of(scope.kind(), row)).collect(), units })
        })
    }

    fn bytes<'a>(&'a self, scope: Scope, heads: &'a [Head]) -> StoreFuture<'a, HourBytes> {
        Box::pin(self.read_hours(scope, heads))
    }

    fn write<'a>(&'a self, scope: Scope, write: &'a Write) -> StoreFuture<'a, bool> {
        Box::pin(self.write_hour(scope, write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_none_is_none() {
        let good = || {
            SdkRow::from([
                ("SK".to_owned(), text("00500000")),
                (VERSION.to_owned(), text("00000000000000ff")),
                (BYTES.to_owned(), number(7)),
                (READ_AT.to_owned(), number(1000)),
                (AFTER.to_owned(), number(10)),
                (CLAIMED_UNTIL.to_owned(), number(0)),
            ])
        };
        let head_of = |row: &SdkRow| head_of(Kind::Rows, row);
        let head = head_of(&good()).unwrap();
        assert_eq!((head.hour, head.version, head.bytes), (500_000, Some(Version(255)), 7));
        assert_eq!((head.read_at.millis(), head.after.millis(), head.claimed_until.millis()), (1000, 10, 0));
        let with = |name: &str, value: AttributeValue| {
            let mut row = good();
            row.insert(name.to_owned(), value);
            head_of(&row)
        };
        for (name, value) in [
            ("SK", text("HEAD")),
            (VERSION, text("zz")),
            (VERSION, number(1)),
            (BYTES, number(limits::HOUR_BYTES_MAX as u64 + 1)),
            (BYTES, AttributeValue::N("-1".into())),
            (READ_AT, text("7")),
            (AFTER, AttributeValue::Null(true)),
            (CLAIMED_UNTIL, AttributeValue::N("1e9".into())),
        ] {
            assert_eq!(with(name, value.clone()), None, "{name} {value:?}");
        }
        let mut claimed = good();
        claimed.remove(VERSION);
        assert_eq!(head_of(&claimed).unwrap().version, None);
    }
}
