//! Configurations as rows of the users table.
//!
//! Other programs may own the table, with attributes that we do not know: a change leaves them as they are, and no write
//! makes or takes a row that it does not mean to.

use std::sync::PoisonError;

use aws_sdk_dynamodb::types::AttributeValue;
use contract::{Tag, limits, tables};

use super::client::{DynamoDb, SdkRow};
use super::faults::Fault;
use super::send::{Failed, send};
use crate::ids::{ConfigId, UserId};
use crate::store::configurations::READ_MAX;
use crate::store::{Change, Configuration, Configurations, StoreFuture};
use crate::watch::logs::MEASURED;
use stream_core::timestamp::Timestamp;

/// Pages of one user's configurations at most: far more than there can be, unless another program writes them.
const PAGES_MAX: usize = 10;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn partition(user: &UserId) -> AttributeValue {
    text(format!("{}{user}", tables::USER_PREFIX))
}

fn sort_key(id: &ConfigId) -> AttributeValue {
    text(format!("{}{id}", tables::CONFIGURATION_PREFIX))
}

fn tickers(configuration: &Configuration) -> AttributeValue {
    AttributeValue::L(configuration.tickers.iter().map(|ticker| text(ticker.as_str())).collect())
}

impl Configurations for DynamoDb {
    fn one<'a>(&'a self, user: &'a UserId, id: &'a ConfigId) -> StoreFuture<'a, Option<Configuration>> {
        let request = self
            .client
            .get_item()
            .table_name(self.data.users_table.as_str())
            .key("PK", partition(user))
            .key("SK", sort_key(id))
            // Consistent: a page opens the stream of what it has just saved, and no 404 may end that; and an open
            // stream must not go back to tickers from before a change.
            .consistent_read(true);
        Box::pin(async move {
            let found = send(|| request.clone().send()).await?;
            Ok(found.item.as_ref().and_then(|row| self.configuration_of(row)))
        })
    }

    fn all<'a>(&'a self, user: &'a UserId) -> StoreFuture<'a, Vec<Configuration>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let mut start = None;
            for _ in 0..PAGES_MAX {
                let request = self
                    .client
                    .query()
                    .table_name(self.data.users_table.as_str())
                    .key_condition_expression("PK = :user AND begins_with(SK, :configuration)")
                    .expression_attribute_values(":user", partition(user))
                    .expression_attribute_values(":configuration", text(tables::CONFIGURATION_PREFIX))
                    // Consistent: a page lists what it has just saved.
                    .consistent_read(true)
                    .set_exclusive_start_key(start);
                let page = self.ask(request).await?;
                found.extend(page.items.unwrap_or_default().iter().filter_map(|row| self.configuration_of(row)));
                start = page.last_evaluated_key.filter(|key| !key.is_empty());
                if start.is_none() || found.len() >= READ_MAX {
                    break;
                }
            }
            found.truncate(READ_MAX);
            Ok(found)
        })
    }

    /// A change that is repeated, because its first attempt may have failed, must not stumble over its own work.
    fn change<'a>(&'a self, user: &'a UserId, change: &'a Change, now: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let (written, is_done_twice) = match change {
                Change::Create(configuration) => (self.create(user, configuration, now).await, false),
                Change::Replace(configuration) => (self.replace(user, configuration, now).await, false),
                // What an attempt before this one has deleted is not there any more.
                Change::Delete(id) => (self.delete(user, id).await, true),
            };
            match written {
                Ok(()) => Ok(true),
                Err(failed) if failed.is_condition => Ok(is_done_twice && failed.is_doubtful),
                Err(failed) => Err(failed.error),
            }
        })
    }
}

impl DynamoDb {
    async fn create(&self, user: &UserId, configuration: &Configuration, now: Timestamp) -> Result<(), Failed> {
        let request = self
            .client
            .put_item()
            .table_name(self.data.users_table.as_str())
            .item("PK", partition(user))
            .item("SK", sort_key(&configuration.config_id))
            .item("config_id", text(configuration.config_id.as_str()))
            .item("user_id", text(user.as_str()))
            .item("name", text(&configuration.name))
            .item("tickers", tickers(configuration))
            .item("created_at", text(now.to_string()))
            .item("updated_at", text(now.to_string()))
            // A row of this user, with 128 random bits of ours in its key and our moment in it, is one that an attempt
            // before this one has made.
            .condition_expression("attribute_not_exists(PK) OR created_at = :now")
            .expression_attribute_values(":now", text(now.to_string()));
        self.put(request).await
    }

    async fn replace(&self, user: &UserId, configuration: &Configuration, now: Timestamp) -> Result<(), Failed> {
        let request = self
            .client
            .update_item()
            .table_name(self.data.users_table.as_str())
            .key("PK", partition(user))
            .key("SK", sort_key(&configuration.config_id))
            .update_expression("SET #name = :name, tickers = :tickers, updated_at = :now")
            // A reserved word of DynamoDB.
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", text(&configuration.name))
            .expression_attribute_values(":tickers", tickers(configuration))
            .expression_attribute_values(":now", text(now.to_string()))
            // Without it an update makes the row that it does not find: one that was deleted a moment ago would be back.
            .condition_expression("attribute_exists(PK)");
        send(|| request.clone().send()).await.map(|_| ())
    }

    async fn delete(&self, user: &UserId, id: &ConfigId) -> Result<(), Failed> {
        let request = self
            .client
            .delete_item()
            .table_name(self.data.users_table.as_str())
            .key("PK", partition(user))
            .key("SK", sort_key(id))
            .condition_expression("attribute_exists(PK)");
        send(|| request.clone().send()).await.map(|_| ())
    }

    /// Reads a row; one that cannot be read is logged the first time, without its user.
    fn configuration_of(&self, row: &SdkRow) -> Option<Configuration> {
        let parsed = parse(row);
        if parsed.is_none() {
            let part = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
            let (user, config_id) = (part("PK"), part("SK"));
            let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).note((user, config_id));
            if fault == Fault::New {
                let config_id: String = config_id.chars().take(200).collect();
                let error = "no list of tickers, or an id that is none";
                tracing::warn!(target: MEASURED, message = "configuration skipped", config_id, error);
            }
        }
        parsed
    }
}

/// Reads a row. Another program may have written it: what counts is the key, and that it names tickers.
fn parse(row: &SdkRow) -> Option<Configuration> {
    let config_id = ConfigId::new(row.get("SK")?.as_s().ok()?.strip_prefix(tables::CONFIGURATION_PREFIX)?)?;
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
    let name = row.get("name").and_then(|value| value.as_s().ok()).cloned();
    let name = name.unwrap_or_else(|| config_id.to_string());
    Some(Configuration { config_id, name, tickers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: Option<&str>, tickers: Option<AttributeValue>) -> SdkRow {
        let tickers = tickers.map(|tickers| ("tickers".to_owned(), tickers));
        let name = name.map(|name| ("name".to_owned(), text(name)));
        [("SK".to_owned(), text("CONFIG#c1"))].into_iter().chain(name).chain(tickers).collect()
    }

    fn check(row: &SdkRow, expected: Option<(&str, &[&str])>) {
        let found = parse(row);
        let found = found.as_ref().map(|found| {
            assert_eq!(found.config_id.as_str(), "c1");
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
        check(&SdkRow::from([("SK".to_owned(), text("PROFILE"))]), None);
        let mut unreachable = row(Some("mine"), list(&["A"]));
        unreachable.insert("SK".to_owned(), text("CONFIG#a/b"));
        check(&unreachable, None);
    }
}
