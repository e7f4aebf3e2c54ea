//! A table that exists, as `aws dynamodb describe-table` tells of it.

use serde_json::Value;

/// A table, as far as AWS describes it.
#[derive(Debug)]
pub struct Described {
    /// What stands under `Table`.
    pub table: Value,
}

/// A key of a table or an index: name and type.
pub type Key = Option<(String, String)>;

impl Described {
    /// Reads what `aws dynamodb describe-table` printed; none where it is no such thing.
    #[must_use]
    pub fn read(answer: &str) -> Option<Self> {
        let answer: Value = serde_json::from_str(answer).ok()?;
        answer.get("Table").filter(|table| table.is_object()).map(|table| Self { table: table.clone() })
    }

    /// A text; empty where there is none.
    #[must_use]
    pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
        value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list; empty where there is none.
    #[must_use]
    pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
        value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Hash or range key (`HASH`, `RANGE`) of the table or of one of its indexes.
    #[must_use]
    pub fn key(&self, of: &Value, kind: &str) -> Key {
        let schema = Self::list(of, "KeySchema").iter().find(|part| Self::text(part, "KeyType") == kind)?;
        let name = Self::text(schema, "AttributeName");
        let definitions = Self::list(&self.table, "AttributeDefinitions");
        let definition = definitions.iter().find(|one| Self::text(one, "AttributeName") == name);
        Some((name.to_owned(), definition.map_or("", |one| Self::text(one, "AttributeType")).to_owned()))
    }

    /// ARN of the key of KMS that it is encrypted with; none where `DynamoDB` has a key of its own for it. That of the alias
    /// `aws/dynamodb` has the form of any other: only KMS says whose a key is.
    #[must_use]
    pub fn kms_key(&self) -> Option<&str> {
        let found = self.table.get("SSEDescription").filter(|found| Self::text(found, "SSEType") == "KMS")?;
        let is_off = ["DISABLED", "DISABLING"].contains(&Self::text(found, "Status"));
        let arn = Self::text(found, "KMSMasterKeyArn");
        (!is_off && !arn.is_empty() && !arn.ends_with(":alias/aws/dynamodb")).then_some(arn)
    }

    /// Its global secondary indexes.
    #[must_use]
    pub fn indexes(&self) -> &[Value] {
        Self::list(&self.table, "GlobalSecondaryIndexes")
    }

    /// One of them.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Value> {
        self.indexes().iter().find(|index| Self::text(index, "IndexName") == name)
    }
}
