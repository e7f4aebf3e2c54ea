//! The client of the tables.
//!
//! It is put together by hand (ring, credentials from the environment) because the defaults of `aws-config` double the binary
//! and its start; `aws-config` serves only where the environment has no credentials, which on Lambda never is.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::http_client_fn;
use contract::{AttributePath, DataSettings, Lookup};

use super::date::{Date, SigningTime};
use super::faults::{Faults, ValueFaults};
use super::forms::Forms;
use super::scan::AsScan;
use crate::aws_env::{self, SetupError};
use crate::aws_tls;
use crate::clock::Clock;
use stream_core::times::Times;

/// A row as the SDK gives it.
pub(super) type SdkRow = HashMap<String, AttributeValue>;

/// The tables.
pub struct DynamoDb {
    pub(super) client: Client,
    pub(super) data: DataSettings,
    pub(super) query: QueryText,
    pub(super) forms: Forms,
    pub(super) faults: Mutex<Faults>,
    pub(super) value_faults: Mutex<ValueFaults>,
}

/// The parts of the query that never change.
pub(super) struct QueryText {
    pub(super) key_condition: String,
    pub(super) projection: String,
    pub(super) names: Vec<(String, String)>,
}

impl QueryText {
    /// Attribute names stand behind placeholders: half of the likely ones are reserved words of DynamoDB.
    pub(super) fn new(data: &DataSettings) -> Self {
        let keys = [&data.label_attribute, &data.time_attribute, &data.key_attribute];
        let mut names: Vec<(String, String)> = Vec::new();
        // Whole attributes, also where a path leads into one, which costs the same: of the members of a list DynamoDB gives none
        // by their names.
        for name in keys.map(ToString::to_string).into_iter().chain(data.paths().map(AttributePath::attribute)) {
            // Two uses of one attribute are one name: DynamoDB refuses paths that overlap.
            if !names.iter().any(|(_, known)| *known == name) {
                names.push((format!("#a{}", names.len()), name));
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
    /// [`SetupError`] where region or credentials are missing, or an endpoint is no address.
    pub fn from_env(data: DataSettings, clock: &Clock, lookup: &Lookup<'_>) -> Result<Self, SetupError> {
        let credentials = SharedCredentialsProvider::new(aws_env::credentials(lookup)?);
        Self::new(data, clock, lookup, credentials)
    }

    /// Sets the client up with what the AWS command line would use: profiles, single sign-on, container roles.
    ///
    /// # Errors
    /// [`SetupError`] where region or credentials are missing, or an endpoint is no address.
    pub async fn from_profile(data: DataSettings, clock: &Clock, lookup: &Lookup<'_>) -> Result<Self, SetupError> {
        let shared = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(lookup)).load().await;
        let credentials = shared.credentials_provider().ok_or(SetupError::NoCredentials)?;
        let region = shared.region().map(ToString::to_string);
        let with_region = |name: &str| match (name, lookup(name)) {
            ("AWS_REGION", None) => region.clone(),
            (_, found) => found,
        };
        Self::new(data, clock, &with_region, credentials)
    }

    /// Region that the tables are looked for in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.client.config().region().map_or("", |region| region.as_ref())
    }

    fn new(
        data: DataSettings,
        clock: &Clock,
        lookup: &Lookup<'_>,
        credentials: SharedCredentialsProvider,
    ) -> Result<Self, SetupError> {
        let region = aws_env::region(lookup)?;
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(credentials)
            .http_client(http_client(lookup))
            .interceptor(Date(clock.clone()))
            .interceptor(AsScan)
            .time_source(SigningTime(clock.clone()))
            // Both are `send`'s: time limits and retries.
            .retry_config(RetryConfig::disabled());
        if let Some(url) = aws_env::endpoint(lookup, "DYNAMODB")? {
            config = config.endpoint_url(url);
        }
        let query = QueryText::new(&data);
        Ok(Self {
            client: Client::from_conf(config.build()),
            forms: Forms::new(Times::of(&data), data.labels.as_slice().len()),
            data,
            query,
            faults: Mutex::default(),
            value_faults: Mutex::default(),
        })
    }
}

/// Connections that are kept for all requests, whatever the SDK thinks of when to make new ones.
fn http_client(lookup: &Lookup<'_>) -> SharedHttpClient {
    let connector = aws_tls::connector(lookup);
    http_client_fn(move |_, _| connector.clone())
}

#[cfg(test)]
mod tests {
    use contract::TableName;

    use super::*;

    #[test]
    fn an_attribute_with_two_uses_is_asked_for_once() {
        let mut data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        data.source_attribute = AttributePath::new(data.key_attribute.as_str()).ok();
        let query = QueryText::new(&data);
        assert_eq!(query.names.len(), 7);
        assert_eq!(query.projection, "#a0, #a1, #a2, #a3, #a4, #a5, #a6");
    }

    #[test]
    fn of_a_path_the_whole_attribute_is_asked_for() {
        let mut data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let path = |text: &str| AttributePath::new(text).ok();
        (data.tags_attribute, data.confidence_attribute, data.status_attribute) = (None, path("result.sure"), None);
        (data.score_attribute, data.source_attribute) = (path("result.score"), path("result\\.by"));
        let names: Vec<String> = QueryText::new(&data).names.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["sentiment", "timestamp", "source_id", "result", "result.by"]);
    }
}
