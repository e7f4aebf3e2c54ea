//! Tables of items: the default one and a quite different one, their rows, and the variables that describe them.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::clock::ago;
use super::dynamodb;

/// Names of a table of items.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub key: &'static str,
    /// Type of the key: `S` or `N`.
    pub key_type: &'static str,
    pub time: &'static str,
    pub label: &'static str,
    pub tags: &'static str,
    pub index: &'static str,
    pub labels: &'static [&'static str],
    pub update_event: &'static str,
    /// Names of score, confidence and source, where the table has them.
    pub extras: Option<[&'static str; 3]>,
    /// Names of what is shown of its rows beside what they mean.
    pub shown: &'static [&'static str],
    /// Name of the status attribute and its value for a row that is ready.
    pub status: Option<(&'static str, &'static str)>,
}

/// The defaults.
pub(crate) const SENTIMENTS: Schema = Schema {
    key: "source_id",
    key_type: "S",
    time: "timestamp",
    label: "sentiment",
    tags: "matched_tickers",
    index: "by_sentiment",
    labels: &["positive", "neutral", "negative"],
    update_event: "sentiment_update",
    extras: Some(["score", "confidence", "source"]),
    shown: &[],
    status: Some(("status", "analyzed")),
};

/// Something else altogether, without score, confidence, source and status.
pub(crate) const ORDERS: Schema = Schema {
    key: "order_id",
    key_type: "S",
    time: "updated_at",
    label: "state",
    tags: "regions",
    index: "by_state",
    labels: &["placed", "shipped", "returned"],
    update_event: "order_update",
    extras: None,
    shown: &[],
    status: None,
};

/// A row about to be written.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub id: String,
    pub time: String,
    pub label: String,
    pub tags: Vec<String>,
    pub score: f64,
    pub source: String,
    pub ready: bool,
}

impl Row {
    /// A row of now.
    pub(crate) fn new(id: &str, label: &str, tags: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            time: ago(Duration::ZERO),
            label: label.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            score: 0.5,
            source: "tests".to_owned(),
            ready: true,
        }
    }

    /// The same with a time so long ago.
    pub(crate) fn ago(mut self, duration: Duration) -> Self {
        self.time = ago(duration);
        self
    }
}

/// A table in DynamoDB Local with a name of its own, and a users table beside it.
pub(crate) struct Table {
    pub server: SocketAddr,
    pub schema: Schema,
    pub name: String,
    pub users: String,
}

impl Table {
    /// Creates both tables in the shared DynamoDB Local.
    pub(crate) async fn create(schema: Schema) -> Self {
        Self::create_at(dynamodb::address(), schema).await
    }

    /// The same with a table whose key is the hash key alone: a row is overwritten in place.
    pub(crate) async fn create_overwritten(schema: Schema) -> Self {
        Self::create_with(dynamodb::address(), schema, false).await
    }

    /// Creates both tables in the DynamoDB Local at this address.
    pub(crate) async fn create_at(server: SocketAddr, schema: Schema) -> Self {
        Self::create_with(server, schema, true).await
    }

    async fn create_with(server: SocketAddr, schema: Schema, is_ranged: bool) -> Self {
        let suffix = fastrand::u64(..);
        let table = Self { server, schema, name: format!("items-{suffix:x}"), users: format!("users-{suffix:x}") };
        let Schema { key, key_type, time, label, index, .. } = table.schema;
        let attribute = |name: &str, of: &str| json!({ "AttributeName": name, "AttributeType": of });
        let keys = |hash: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": time, "KeyType": "RANGE" }]);
        // Only what the stream reads: exactly as the rendered Terraform projects it.
        let more = table.schema.extras.into_iter().flatten().chain(table.schema.status.map(|(name, _)| name));
        let projected: Vec<&str> = more.chain([table.schema.tags]).chain(table.schema.shown.iter().copied()).collect();
        let input = json!({
            "TableName": table.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute(key, key_type), attribute(time, "S"), attribute(label, "S")],
            "KeySchema": if is_ranged { keys(key) } else { json!([{ "AttributeName": key, "KeyType": "HASH" }]) },
            "GlobalSecondaryIndexes": [{
                "IndexName": index,
                "KeySchema": keys(label),
                "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": projected },
            }],
        });
        dynamodb::call_at(server, "CreateTable", &input).await;
        dynamodb::create_users_table(server, &table.users).await;
        table
    }

    /// Variables that describe the table to a function.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let mut env = vec![("SENTIMENTS_TABLE", self.name.clone()), ("USERS_TABLE", self.users.clone())];
        let schema = &self.schema;
        if schema.index != SENTIMENTS.index {
            let absent = || "-".to_owned();
            env.extend([
                ("DATA_INDEX", schema.index.to_owned()),
                ("DATA_KEY_ATTRIBUTE", schema.key.to_owned()),
                ("DATA_TIME_ATTRIBUTE", schema.time.to_owned()),
                ("DATA_LABEL_ATTRIBUTE", schema.label.to_owned()),
                ("DATA_TAGS_ATTRIBUTE", schema.tags.to_owned()),
                ("DATA_LABELS", schema.labels.join(",")),
                ("DATA_UPDATE_EVENT", schema.update_event.to_owned()),
                ("DATA_SCORE_ATTRIBUTE", absent()),
                ("DATA_CONFIDENCE_ATTRIBUTE", absent()),
                ("DATA_SOURCE_ATTRIBUTE", absent()),
                ("DATA_STATUS_ATTRIBUTE", absent()),
            ]);
        }
        env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The row as DynamoDB holds it.
    fn item(&self, row: &Row) -> Value {
        let schema = &self.schema;
        let tags: Vec<Value> = row.tags.iter().map(|tag| json!({ "S": tag })).collect();
        let mut item = json!({
            schema.key: { schema.key_type: row.id },
            schema.time: { "S": row.time },
            schema.label: { "S": row.label },
            schema.tags: { "L": tags },
        });
        if let Some([score, confidence, source]) = schema.extras {
            item[score] = json!({ "N": row.score.to_string() });
            item[confidence] = json!({ "N": "0.9" });
            item[source] = json!({ "S": row.source });
        }
        if let Some((status, ready)) = schema.status {
            item[status] = json!({ "S": if row.ready { ready } else { "pending" } });
        }
        item
    }

    /// Writes a row, new or changed.
    pub(crate) async fn put(&self, row: &Row) {
        dynamodb::call_at(self.server, "PutItem", &json!({ "TableName": self.name, "Item": self.item(row) })).await;
    }

    /// Writes many rows.
    pub(crate) async fn put_all(&self, rows: &[Row]) {
        for rows in rows.chunks(25) {
            let puts: Vec<Value> = rows.iter().map(|row| json!({ "PutRequest": { "Item": self.item(row) } })).collect();
            let answer =
                dynamodb::call_at(self.server, "BatchWriteItem", &json!({ "RequestItems": { &self.name: puts } }))
                    .await;
            assert_eq!(answer["UnprocessedItems"], json!({}));
        }
    }

    /// Writes an item as it is, parseable or not.
    pub(crate) async fn put_raw(&self, item: &Value) {
        dynamodb::call_at(self.server, "PutItem", &json!({ "TableName": self.name, "Item": item })).await;
    }

    /// Writes a row named `broken-row`, of now, that does not parse: its tickers are a truth value.
    pub(crate) async fn put_broken(&self) {
        let time = Row::new("", "", &[]).time;
        self.put_raw(&json!({
            "source_id": { "S": "broken-row" }, "timestamp": { "S": time },
            "sentiment": { "S": "positive" }, "matched_tickers": { "BOOL": true },
            "status": { "S": "analyzed" },
        }))
        .await;
    }

    /// Deletes a row.
    pub(crate) async fn delete(&self, row: &Row) {
        let key = json!({ self.schema.key: { self.schema.key_type: row.id }, self.schema.time: { "S": row.time } });
        dynamodb::call_at(self.server, "DeleteItem", &json!({ "TableName": self.name, "Key": key })).await;
    }
}
