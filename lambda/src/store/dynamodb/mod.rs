//! Items from DynamoDB. The only file, with `row`, that knows the AWS SDK.
//!
//! The client is put together by hand (ring, credentials from the environment) because the defaults of `aws-config` double
//! the binary and its start; `aws-config` serves only where the environment has no credentials, which on Lambda never is.

mod configurations;
mod date;
pub mod row;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use contract::{DataSettings, Label, Lookup, limits, logs, tables};
use futures_util::future::try_join_all;

use self::date::{Date, SigningTime};
use self::row::Row;
use super::{Change, Configuration, Goodbyes, Read, Store, StoreError, StoreFuture};
use crate::aws_env::{self, SetupError};
use crate::clock::Clock;
use crate::watch::logs::MEASURED;
use stream_core::journal::TimeRange;
use stream_core::stream_id::StreamId;
use stream_core::timestamp::Timestamp;

/// Rows whose faults were logged, at most; beyond that they are only counted.
const FAULTS_LOGGED_MAX: usize = 1000;
/// Pages of one query at most: 24 hours of a busy label are a few dozen; a loop that never ends is worse than an error.
const PAGES_MAX: usize = 2000;
/// Sort key of a goodbye; its partition key is `STREAM#` and the stream's id, which the functions' rights are narrowed to.
const GOODBYE: &str = "GOODBYE";
/// Tries for one page before the whole read fails.
const PAGE_TRIES: u32 = 4;
/// Pause before the second try of a page; doubled for each further one, half of it random.
const PAGE_BACKOFF: Duration = Duration::from_millis(50);

/// The tables.
pub struct DynamoDb {
    client: Client,
    data: DataSettings,
    query: QueryText,
    faults_logged: Mutex<HashSet<String>>,
}

/// The parts of the query that never change.
struct QueryText {
    key_condition: String,
    projection: String,
    names: Vec<(String, String)>,
}

impl QueryText {
    /// Attribute names stand behind placeholders: half of the likely ones are reserved words of DynamoDB.
    fn new(data: &DataSettings) -> Self {
        let optional =
            [&data.score_attribute, &data.confidence_attribute, &data.source_attribute, &data.status_attribute];
        let required = [&data.label_attribute, &data.time_attribute, &data.key_attribute, &data.tags_attribute];
        let mut names: Vec<(String, String)> = Vec::new();
        for name in required.into_iter().chain(optional.into_iter().flatten()) {
            // Two uses of one attribute are one name: DynamoDB refuses paths that overlap.
            if !names.iter().any(|(_, known)| known == name.as_str()) {
                names.push((format!("#a{}", names.len()), name.to_string()));
            }
        }
        let projection = names.iter().map(|(placeholder, _)| placeholder.as_str()).collect::<Vec<_>>().join(", ");
        Self { key_condition: "#a0 = :label AND #a1 BETWEEN :after AND :until".into(), projection, names }
    }
}

impl DynamoDb {
    /// Sets the client up from the environment alone, without a request.
    ///
    /// # Errors
    /// [`SetupError`] where region or credentials are missing.
    pub fn from_env(data: DataSettings, clock: &Clock, lookup: &Lookup<'_>) -> Result<Self, SetupError> {
        let credentials = SharedCredentialsProvider::new(aws_env::credentials(lookup)?);
        Self::new(data, clock, lookup, credentials)
    }

    /// Sets the client up with what the AWS command line would use: profiles, single sign-on, container roles.
    ///
    /// # Errors
    /// [`SetupError`] where region or credentials are missing.
    pub async fn from_profile(data: DataSettings, clock: &Clock, lookup: &Lookup<'_>) -> Result<Self, SetupError> {
        let shared = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()).load().await;
        let credentials = shared.credentials_provider().ok_or(SetupError::NoCredentials)?;
        let region = shared.region().map(ToString::to_string);
        let with_region = |name: &str| match (name, lookup(name)) {
            ("AWS_REGION", None) => region.clone(),
            (_, found) => found,
        };
        Self::new(data, clock, &with_region, credentials)
    }

    fn new(
        data: DataSettings,
        clock: &Clock,
        lookup: &Lookup<'_>,
        credentials: SharedCredentialsProvider,
    ) -> Result<Self, SetupError> {
        let region = aws_env::region(lookup)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(limits::STORE_TIMEOUT / 2)
            .build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(credentials)
            .http_client(http_client())
            .timeout_config(timeouts)
            .interceptor(Date(clock.clone()))
            .time_source(SigningTime(clock.clone()))
            // Retries are ours: a page is tried again here, a read by the hub, with one cap for both.
            .retry_config(RetryConfig::disabled());
        if let Some(url) = aws_env::endpoint(lookup, "DYNAMODB") {
            config = config.endpoint_url(url);
        }
        let query = QueryText::new(&data);
        Ok(Self { client: Client::from_conf(config.build()), data, query, faults_logged: Mutex::default() })
    }

    async fn read_label(&self, label: &Label, range: TimeRange) -> Result<Read, StoreError> {
        let mut read = Read::default();
        let mut start = None;
        for _ in 0..PAGES_MAX {
            let page = self.page(label, range, start).await?;
            read.units += page.consumed_capacity.and_then(|capacity| capacity.capacity_units).unwrap_or_default();
            for row in page.items.unwrap_or_default() {
                match row::parse(&self.data, &row) {
                    Ok(item) => read.items.extend(item),
                    Err(error) => {
                        read.skipped += 1;
                        read.newly_skipped += u64::from(self.log_fault(&row, &error));
                    }
                }
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(read);
            }
        }
        Err(StoreError::Unavailable(format!("label `{label}` has more than {PAGES_MAX} pages in the window")))
    }

    async fn page(
        &self,
        label: &Label,
        range: TimeRange,
        start: Option<Row>,
    ) -> Result<aws_sdk_dynamodb::operation::query::QueryOutput, StoreError> {
        let mut pause = PAGE_BACKOFF;
        for attempt in 1.. {
            let mut query = self
                .client
                .query()
                .table_name(self.data.items_table.as_str())
                .index_name(self.data.index.as_str())
                .key_condition_expression(&self.query.key_condition)
                .projection_expression(&self.query.projection)
                .expression_attribute_values(":label", AttributeValue::S(label.to_string()))
                .expression_attribute_values(":after", AttributeValue::S(after_text(range)))
                .expression_attribute_values(":until", AttributeValue::S(until_text(range)))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(start.clone());
            for (placeholder, name) in &self.query.names {
                query = query.expression_attribute_names(placeholder, name);
            }
            match query.send().await.map_err(Attempt::new) {
                Err(Attempt { again: true, .. }) if attempt < PAGE_TRIES => {
                    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    pause *= 2;
                }
                result => return result.map_err(|failed| failed.error),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Logs the fault of a row that was not met before, and says whether it was one.
    fn log_fault(&self, row: &Row, error: &row::RowError) -> bool {
        let part = |name: &contract::AttributeName| {
            let value = row.get(name.as_str()).and_then(|value| value.as_s().ok());
            value.map_or_else(String::new, |text| text.chars().take(200).collect())
        };
        let key = format!("{}\u{0}{}", part(&self.data.key_attribute), part(&self.data.time_attribute));
        let is_new = self.is_new_fault(key);
        if is_new {
            tracing::warn!(
                target: MEASURED,
                message = logs::ROW_SKIPPED,
                item_id = part(&self.data.key_attribute),
                timestamp = part(&self.data.time_attribute),
                %error,
            );
        }
        is_new
    }

    /// Logs a configuration that cannot be read, the first time. Whose it is, is nobody's business.
    fn log_configuration_fault(&self, row: &Row) {
        let part = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
        let config_id: String = part("SK").chars().take(200).collect();
        if self.is_new_fault(format!("{}\u{0}{config_id}", part("PK"))) {
            tracing::warn!(target: MEASURED, message = "configuration skipped", config_id, error = "no list of tickers");
        }
    }

    fn is_new_fault(&self, key: String) -> bool {
        let mut logged = self.faults_logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < FAULTS_LOGGED_MAX && logged.insert(key)
    }
}

/// Lower bound as text: the second after `after`, which the journal puts right before a whole second.
fn after_text(range: TimeRange) -> String {
    range.after.plus(Duration::from_millis(1)).second_prefix()
}

/// Upper bound as text: the beginning of the second that follows. Rows of a fraction too far are dropped by the window.
fn until_text(range: TimeRange) -> String {
    range.until.plus(Duration::from_secs(1)).second_prefix()
}

fn http_client() -> aws_sdk_dynamodb::config::SharedHttpClient {
    HttpBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

fn goodbye_partition(stream: StreamId) -> AttributeValue {
    AttributeValue::S(format!("{}{stream}", tables::STREAM_PREFIX))
}

/// A request that failed.
struct Attempt {
    error: StoreError,
    /// Whether trying again at once is worth it: the table throttles, or a connection kept from before a freeze was dead.
    again: bool,
}

impl Attempt {
    fn new<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let dropped = matches!(&error, SdkError::DispatchFailure(failure) if failure.is_io());
        let error = store_error(error);
        Self { again: dropped || matches!(error, StoreError::Throttled(_)), error }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn store_error<E: ProvideErrorMetadata + std::error::Error + 'static, R: std::fmt::Debug + 'static>(
    error: SdkError<E, R>,
) -> StoreError {
    let text = match &error {
        SdkError::ServiceError(service) => {
            let fault = service.err();
            format!("{}: {}", fault.code().unwrap_or("no code"), fault.message().unwrap_or("no message"))
        }
        other => std::iter::successors(std::error::Error::source(other), |cause| cause.source())
            .fold(other.to_string(), |text, cause| format!("{text}: {cause}")),
    };
    match error.code() {
        Some(
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "LimitExceededException",
        ) => StoreError::Throttled(text),
        Some(
            "ResourceNotFoundException"
            | "ValidationException"
            | "AccessDeniedException"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException",
        ) => StoreError::Refused(text),
        _ => StoreError::Unavailable(text),
    }
}

impl Store for DynamoDb {
    fn read(&self, range: TimeRange) -> StoreFuture<'_, Read> {
        Box::pin(async move {
            // One query per label, all at once: the index's hash key is the label.
            let queries = self.data.labels.as_slice().iter().map(|label| self.read_label(label, range));
            let mut whole = Read::default();
            for read in try_join_all(queries).await? {
                whole.items.extend(read.items);
                whole.skipped += read.skipped;
                whole.newly_skipped += read.newly_skipped;
                whole.units += read.units;
            }
            Ok(whole)
        })
    }

    fn configuration<'a>(&'a self, user_id: &'a str, config_id: &'a str) -> StoreFuture<'a, Option<Configuration>> {
        Box::pin(self.read_configuration(user_id, config_id))
    }

    fn configurations<'a>(&'a self, user_id: &'a str) -> StoreFuture<'a, Vec<Configuration>> {
        Box::pin(self.read_configurations(user_id))
    }

    fn change_configuration<'a>(
        &'a self,
        user_id: &'a str,
        change: &'a Change,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(self.write_configuration(user_id, change, now))
    }

    fn say_goodbye(&self, stream: StreamId, expires_at: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.client
                .put_item()
                .table_name(self.data.users_table.as_str())
                .item("PK", goodbye_partition(stream))
                .item("SK", AttributeValue::S(GOODBYE.into()))
                .item(tables::TTL_ATTRIBUTE, AttributeValue::N(expires_at.to_string()))
                .send()
                .await
                .map_err(store_error)?;
            Ok(())
        })
    }

    fn goodbyes<'a>(&'a self, streams: &'a [StreamId]) -> StoreFuture<'a, Goodbyes> {
        Box::pin(async move {
            let key = |stream: &StreamId| {
                HashMap::from([
                    ("PK".to_owned(), goodbye_partition(*stream)),
                    ("SK".to_owned(), AttributeValue::S(GOODBYE.into())),
                ])
            };
            // Half a unit a stream, found or not. Without a strong read a goodbye of the last second may be missed once.
            let asked = KeysAndAttributes::builder()
                .set_keys(Some(streams.iter().map(key).collect()))
                .projection_expression("PK")
                .build()
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let table = self.data.users_table.as_str();
            let request = self.client.batch_get_item().request_items(table, asked);
            let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
            let answer = answer.map_err(store_error)?;
            let units =
                answer.consumed_capacity.unwrap_or_default().iter().filter_map(|used| used.capacity_units).sum();
            // Keys that were left unprocessed are asked for again at the next look.
            let found = answer.responses.unwrap_or_default().remove(table).unwrap_or_default();
            let left = found
                .iter()
                .filter_map(|row| StreamId::parse(row.get("PK")?.as_s().ok()?.strip_prefix(tables::STREAM_PREFIX)?));
            Ok(Goodbyes { left: left.collect(), units })
        })
    }

    fn warm_up(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            // A read that finds nothing costs half a unit and leaves the connection open for the first real one.
            let range = TimeRange { after: Timestamp::EPOCH, until: Timestamp::EPOCH, full: false };
            if let Some(label) = self.data.labels.as_slice().first() {
                self.page(label, range, None).await?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use contract::TableName;

    use super::*;

    #[test]
    fn bounds_are_whole_seconds_that_take_in_every_form_of_a_time() {
        let range = TimeRange {
            after: Timestamp::parse("2025-12-02T10:29:59.999Z").unwrap(),
            until: Timestamp::parse("2025-12-02T11:00:00.500Z").unwrap(),
            full: false,
        };
        assert_eq!(after_text(range), "2025-12-02T10:30:00");
        assert_eq!(until_text(range), "2025-12-02T11:00:01");
        assert!("2025-12-02T11:00:00.500Z" <= until_text(range).as_str());
    }

    #[test]
    fn an_attribute_with_two_uses_is_asked_for_once() {
        let mut data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        data.source_attribute = Some(data.key_attribute.clone());
        let query = QueryText::new(&data);
        assert_eq!(query.names.len(), 7);
        assert_eq!(query.projection, "#a0, #a1, #a2, #a3, #a4, #a5, #a6");
    }
}
