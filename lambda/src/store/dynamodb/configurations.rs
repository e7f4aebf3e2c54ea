//! Configurations as rows of the users table.
//!
//! The table may be somebody else's, with attributes that we do not know: a change leaves them as they are, and no write
//! makes or takes a row that it does not mean to.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use contract::{Tag, limits, tables};

use super::{DynamoDb, Row, store_error};
use crate::store::configurations::READ_MAX;
use crate::store::{Change, Configuration, StoreError};
use stream_core::timestamp::Timestamp;

/// Pages of one user's configurations at most: far more than there can be, unless somebody else writes them.
const PAGES_MAX: usize = 10;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn partition(user_id: &str) -> AttributeValue {
    text(format!("{}{user_id}", tables::USER_PREFIX))
}

fn sort_key(config_id: &str) -> AttributeValue {
    text(format!("{}{config_id}", tables::CONFIGURATION_PREFIX))
}

fn tickers(configuration: &Configuration) -> AttributeValue {
    AttributeValue::L(configuration.tickers.iter().map(|ticker| text(ticker.as_str())).collect())
}

impl DynamoDb {
    /// One configuration.
    pub(super) async fn read_configuration(
        &self,
        user_id: &str,
        config_id: &str,
    ) -> Result<Option<Configuration>, StoreError> {
        let found = self
            .client
            .get_item()
            .table_name(self.data.users_table.as_str())
            .key("PK", partition(user_id))
            .key("SK", sort_key(config_id))
            // Consistent: a page opens the stream of what it has just saved, and no 404 may end that; and an open
            // stream must not go back to tickers from before a change.
            .consistent_read(true)
            .send()
            .await
            .map_err(store_error)?;
        Ok(found.item.as_ref().and_then(|row| self.configuration_of(row)))
    }

    /// All configurations of one user.
    pub(super) async fn read_configurations(&self, user_id: &str) -> Result<Vec<Configuration>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .client
                .query()
                .table_name(self.data.users_table.as_str())
                .key_condition_expression("PK = :user AND begins_with(SK, :configuration)")
                .expression_attribute_values(":user", partition(user_id))
                .expression_attribute_values(":configuration", text(tables::CONFIGURATION_PREFIX))
                // Consistent: a page lists what it has just saved.
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(store_error)?;
            found.extend(page.items.unwrap_or_default().iter().filter_map(|row| self.configuration_of(row)));
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || found.len() >= READ_MAX {
                break;
            }
        }
        found.truncate(READ_MAX);
        Ok(found)
    }

    /// Makes a change, or none where the row is not as the change expects it.
    pub(super) async fn write_configuration(
        &self,
        user_id: &str,
        change: &Change,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let written = match change {
            Change::Create(configuration) => self.create(user_id, configuration, now).await,
            Change::Replace(configuration) => self.replace(user_id, configuration, now).await,
            Change::Delete(config_id) => self.delete(user_id, config_id).await,
        };
        match written {
            Ok(()) => Ok(true),
            Err(Unwritten::Condition) => Ok(false),
            Err(Unwritten::Failed(error)) => Err(error),
        }
    }

    async fn create(&self, user_id: &str, configuration: &Configuration, now: Timestamp) -> Result<(), Unwritten> {
        let request = self
            .client
            .put_item()
            .table_name(self.data.users_table.as_str())
            .item("PK", partition(user_id))
            .item("SK", sort_key(&configuration.config_id))
            .item("config_id", text(&configuration.config_id))
            .item("user_id", text(user_id))
            .item("name", text(&configuration.name))
            .item("tickers", tickers(configuration))
            .item("created_at", text(now.to_string()))
            .item("updated_at", text(now.to_string()))
            .condition_expression("attribute_not_exists(PK)");
        request.send().await.map(|_| ()).map_err(Unwritten::new)
    }

    async fn replace(&self, user_id: &str, configuration: &Configuration, now: Timestamp) -> Result<(), Unwritten> {
        let request = self
            .client
            .update_item()
            .table_name(self.data.users_table.as_str())
            .key("PK", partition(user_id))
            .key("SK", sort_key(&configuration.config_id))
            .update_expression("SET #name = :name, tickers = :tickers, updated_at = :now")
            // A reserved word of DynamoDB.
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", text(&configuration.name))
            .expression_attribute_values(":tickers", tickers(configuration))
            .expression_attribute_values(":now", text(now.to_string()))
            // Without it an update makes the row that it does not find: one that was deleted a moment ago would be back.
            .condition_expression("attribute_exists(PK)");
        request.send().await.map(|_| ()).map_err(Unwritten::new)
    }

    async fn delete(&self, user_id: &str, config_id: &str) -> Result<(), Unwritten> {
        let request = self
            .client
            .delete_item()
            .table_name(self.data.users_table.as_str())
            .key("PK", partition(user_id))
            .key("SK", sort_key(config_id))
            .condition_expression("attribute_exists(PK)");
        request.send().await.map(|_| ()).map_err(Unwritten::new)
    }

    fn configuration_of(&self, row: &Row) -> Option<Configuration> {
        let parsed = parse(row);
        if parsed.is_none() {
            self.log_configuration_fault(row);
        }
        parsed
    }
}

/// Why nothing was written.
enum Unwritten {
    /// The row is not as the condition says.
    Condition,
    Failed(StoreError),
}

impl Unwritten {
    fn new<E, R>(error: aws_sdk_dynamodb::error::SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        if error.code() == Some("ConditionalCheckFailedException") {
            Self::Condition
        } else {
            Self::Failed(store_error(error))
        }
    }
}

/// Reads a row. Somebody else may have written it: what counts is the key, and that it names tickers.
fn parse(row: &Row) -> Option<Configuration> {
    let config_id = row.get("SK")?.as_s().ok()?.strip_prefix(tables::CONFIGURATION_PREFIX)?.to_owned();
    let texts: Vec<&String> = match row.get("tickers")? {
        AttributeValue::L(values) => values.iter().filter_map(|value| value.as_s().ok()).collect(),
        AttributeValue::Ss(texts) => texts.iter().collect(),
        _ => return None,
    };
    let mut tickers: Vec<Tag> = Vec::new();
    for tag in texts.into_iter().filter_map(|text| Tag::new(text).ok()) {
        if !tickers.contains(&tag) && tickers.len() < limits::FILTER_TAGS_MAX {
            tickers.push(tag);
        }
    }
    // Without a name it goes by its id: its stream works, so it must not be hidden.
    let name = row.get("name").and_then(|value| value.as_s().ok()).unwrap_or(&config_id).clone();
    Some(Configuration { config_id, name, tickers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: Option<&str>, tickers: Option<AttributeValue>) -> Row {
        let tickers = tickers.map(|tickers| ("tickers".to_owned(), tickers));
        let name = name.map(|name| ("name".to_owned(), text(name)));
        [("SK".to_owned(), text("CONFIG#c1"))].into_iter().chain(name).chain(tickers).collect()
    }

    fn check(row: &Row, expected: Option<(&str, &[&str])>) {
        let found = parse(row);
        let found = found.as_ref().map(|found| {
            assert_eq!(found.config_id, "c1");
            (found.name.as_str(), found.tickers.iter().map(Tag::as_str).collect::<Vec<_>>())
        });
        assert_eq!(found, expected.map(|(name, tickers)| (name, tickers.to_vec())));
    }

    #[test]
    fn rows_of_others_are_read_as_far_as_they_go() {
        let list = |texts: &[&str]| Some(AttributeValue::L(texts.iter().map(|t| text(*t)).collect()));
        check(&row(Some("mine"), list(&["MSFT", "A"])), Some(("mine", &["MSFT", "A"])));
        check(&row(None, Some(AttributeValue::Ss(vec!["BRK.B".into()]))), Some(("c1", &["BRK.B"])));
        check(&row(Some("mine"), list(&["A", "A", "", "a,b", "B"])), Some(("mine", &["A", "B"])));
        check(&row(Some("mine"), Some(text("A"))), None);
        check(&row(Some("mine"), None), None);
        check(&Row::from([("SK".to_owned(), text("PROFILE"))]), None);
    }
}
