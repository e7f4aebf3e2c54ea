//! The table that is read: made, filled, and written to while it is read.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_http_client::Builder as HttpBuilder;
use contract::{DataSettings, TableName};
use futures_util::future::try_join_all;
use stream_core::timestamp::Timestamp;

/// Rows of one `BatchWriteItem`: what it takes at most.
const BATCH_ROWS: u64 = 25;
/// Batches that are on their way at once.
const WRITERS: u64 = 16;
/// Tries of a batch.
const TRIES: u32 = 5;
const TICKERS: [&str; 8] = ["AAPL", "MSFT", "NVDA", "AMZN", "GOOG", "META", "TSLA", "AVGO"];

/// A table, and the rows that were written to it.
pub(crate) struct Table {
    client: Client,
    data: DataSettings,
    /// Time and label of each row, by number.
    written: Vec<(Timestamp, usize)>,
    /// Number of the first of them.
    first: usize,
}

impl Table {
    /// Creates an empty table as Terraform does.
    pub(crate) async fn create(address: SocketAddr) -> Result<Self, String> {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
            .endpoint_url(format!("http://{address}"))
            .http_client(HttpBuilder::new().build_http());
        let client = Client::from_conf(config.build());
        let table = Self { client, data: data(), written: Vec::new(), first: 0 };
        table.make().await.map_err(|error| format!("the table cannot be made: {error}"))?;
        Ok(table)
    }

    async fn make(&self) -> Result<(), aws_sdk_dynamodb::Error> {
        let data = &self.data;
        let (key, time, label) =
            (data.key_attribute.as_str(), data.time_attribute.as_str(), data.label_attribute.as_str());
        let attribute = |name: &str| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
        };
        let part = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let more = data.paths().map(ToString::to_string);
        let projection =
            Projection::builder().projection_type(ProjectionType::Include).set_non_key_attributes(Some(more.collect()));
        let index = GlobalSecondaryIndex::builder()
            .index_name(data.index.as_str())
            .key_schema(part(label, KeyType::Hash)?)
            .key_schema(part(time, KeyType::Range)?)
            .projection(projection.build());
        let create = self.client.create_table().table_name(data.items_table.as_str());
        let create = create.billing_mode(BillingMode::PayPerRequest).global_secondary_indexes(index.build()?);
        let create = create.key_schema(part(key, KeyType::Hash)?).key_schema(part(time, KeyType::Range)?);
        let create = create.attribute_definitions(attribute(key)?).attribute_definitions(attribute(time)?);
        create.attribute_definitions(attribute(label)?).send().await?;
        Ok(())
    }

    /// Creates the table of hours as Terraform does.
    pub(crate) async fn make_hours(&self, name: &str) -> Result<(), String> {
        let make = async {
            let create = self.client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
            let text = |name: &str| {
                AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
            };
            let part = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
            let create = create.attribute_definitions(text("PK")?).attribute_definitions(text("SK")?);
            let create = create.key_schema(part("PK", KeyType::Hash)?).key_schema(part("SK", KeyType::Range)?);
            create.send().await?;
            Ok::<_, aws_sdk_dynamodb::Error>(())
        };
        make.await.map_err(|error| format!("the table of hours cannot be made: {error}"))
    }

    /// How many hours have bytes, of each kind; of the kind first that has most.
    pub(crate) async fn heads(&self, name: &str) -> Result<Vec<usize>, String> {
        let scan = self.client.scan().table_name(name).projection_expression("PK, content");
        let mut pages = scan.into_paginator().items().send();
        let mut heads = BTreeMap::new();
        while let Some(row) = pages.next().await {
            let row = row.map_err(|error| format!("hours cannot be counted: {error:?}"))?;
            let scope = row.get("PK").and_then(|key| key.as_s().ok());
            if let Some(scope) = scope.filter(|_| row.contains_key("content")) {
                *heads.entry(scope.clone()).or_insert(0) += 1;
            }
        }
        let mut heads: Vec<usize> = heads.into_values().collect();
        heads.sort_unstable_by(|one, other| other.cmp(one));
        Ok(heads)
    }

    /// Says how many rows of the day are not written.
    pub(crate) fn skip(&mut self, rows: usize) {
        self.first += rows;
    }

    /// Writes rows of these times.
    pub(crate) async fn write(&mut self, times: impl IntoIterator<Item = Timestamp>) -> Result<(), String> {
        let first = self.written.len();
        let labels = self.data.labels.as_slice().len();
        let numbers = first + self.first..;
        self.written.extend(times.into_iter().zip(numbers).map(|(at, number)| (at, number % labels)));
        let numbers: Vec<usize> = (first..self.written.len()).collect();
        let batch = usize::try_from(BATCH_ROWS).expect("a few rows");
        for some in numbers.chunks(batch * usize::try_from(WRITERS).expect("a few")) {
            try_join_all(some.chunks(batch).map(|batch| self.put(batch))).await?;
        }
        Ok(())
    }

    async fn put(&self, numbers: &[usize]) -> Result<(), String> {
        let put = |number: &usize| {
            let request = PutRequest::builder().set_item(Some(self.row(*number))).build().expect("it has an item");
            WriteRequest::builder().put_request(request).build()
        };
        let mut left: Vec<WriteRequest> = numbers.iter().map(put).collect();
        for _ in 0..TRIES {
            let answer =
                self.client.batch_write_item().request_items(self.data.items_table.as_str(), left).send().await;
            let answer = answer.map_err(|error| format!("rows cannot be written: {error:?}"))?;
            let unprocessed = answer.unprocessed_items.unwrap_or_default().into_values().flatten().collect::<Vec<_>>();
            if unprocessed.is_empty() {
                return Ok(());
            }
            left = unprocessed;
        }
        Err("rows are left unwritten again and again".into())
    }

    fn row(&self, index: usize) -> HashMap<String, AttributeValue> {
        let ((at, label), number) = (self.written[index], self.first + index);
        let data = &self.data;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let optional = [
            (&data.tags_attribute, AttributeValue::L(tickers(number).map(text).collect())),
            (&data.score_attribute, AttributeValue::N(format!("0.{:03}", number % 1000))),
            (&data.confidence_attribute, AttributeValue::N("0.87".into())),
            (&data.source_attribute, text("newswire")),
            (&data.status_attribute, text(data.status_ready.as_str())),
        ];
        let required = [
            (&data.key_attribute, text(&id(number))),
            (&data.time_attribute, text(&at.to_string())),
            (&data.label_attribute, text(data.labels.as_slice()[label].as_str())),
        ];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name.as_ref()?.to_string(), value)));
        required.into_iter().map(|(name, value)| (name.to_string(), value)).chain(optional).collect()
    }

    /// How many rows were written.
    pub(crate) fn len(&self) -> usize {
        self.written.len()
    }

    /// Time of the newest row.
    pub(crate) fn newest(&self) -> Timestamp {
        self.written.iter().map(|(at, _)| *at).max().unwrap_or_default()
    }

    /// Rows by label that have a time after that one.
    pub(crate) fn by_label(&self, after: Timestamp) -> Vec<u32> {
        let mut rows = vec![0; self.data.labels.as_slice().len()];
        self.written.iter().filter(|(at, _)| *at > after).for_each(|(_, label)| rows[*label] += 1);
        rows
    }
}

/// Tickers of a row.
pub(crate) fn tickers(number: usize) -> impl Iterator<Item = &'static str> {
    TICKERS.into_iter().cycle().skip(number % TICKERS.len()).take(1 + number % 3)
}

/// Identity of a row, 40 bytes.
pub(crate) fn id(number: usize) -> String {
    format!("news-{number:035}")
}

/// The default table.
pub(crate) fn data() -> DataSettings {
    let name = |text| TableName::new(text).expect("a name of letters");
    DataSettings::with_tables(name("items"), name("users"))
}

/// Times spread evenly over a day up to `now`.
pub(crate) fn day(rows: u64, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let day = Duration::from_secs(24 * 3600);
    let began = now.minus(day);
    let millis = u64::try_from(day.as_millis()).expect("a day");
    (1..=rows).map(move |row| began.plus(Duration::from_millis(millis * row / rows)))
}
