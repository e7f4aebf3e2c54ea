//! Every name that reaches AWS, derived in one place.

use contract::TableName;

use super::logs::LogGroupName;
use super::sections::Manifest;

/// The names of everything that a manifest makes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Names {
    /// Project and environment: the beginning of every other name.
    pub base: String,
    /// The stream function, its role and its policies.
    pub stream: String,
    /// The dashboard function, its role and its policies.
    pub dashboard: String,
    /// The log group of the stream function.
    pub stream_log_group: String,
    /// The log group of the dashboard function.
    pub dashboard_log_group: String,
    /// The table of items.
    pub items_table: String,
    /// The table of users.
    pub users_table: String,
    /// The table of hours that instances share.
    pub hours_table: String,
    /// The table of sums of old hours.
    pub history_table: String,
    /// The ECR repository of both functions' images.
    pub repository: String,
    /// What goes before the name of a key that session tokens are signed with, in its alias.
    pub session_key_prefix: String,
    /// Beginning of the state bucket's name; AWS adds what makes it unique in the world.
    pub state_bucket_prefix: String,
    /// Beginning of the page's bucket's name, likewise.
    pub page_bucket_prefix: String,
    /// Where in the state bucket the state of `generated/bootstrap` is.
    pub bootstrap_state_key: String,
    /// Likewise of `generated/terraform`.
    pub state_key: String,
}

/// Longest name of a Lambda function and of an IAM role (AWS Lambda `FunctionName`, IAM quotas).
pub const FUNCTION_NAME_MAX: usize = 64;
/// The provider adds 26 characters to a bucket prefix; 63 are allowed in all.
const BUCKET_PREFIX_MAX: usize = 37;

impl Names {
    /// Derives the names.
    #[must_use]
    pub fn derive(manifest: &Manifest) -> Self {
        let (project, environment) = (manifest.project.name.as_str(), manifest.project.environment.as_str());
        let base = format!("{project}-{environment}");
        let table = |name: &Option<TableName>, role: &str| {
            name.as_ref().map_or_else(|| format!("{base}-{role}"), TableName::to_string)
        };
        let bucket_prefix = |suffix: &str| {
            // Names are ASCII, so that cutting bytes is cutting characters.
            let cut = base.len().min(BUCKET_PREFIX_MAX - suffix.len());
            format!("{}{suffix}", base[..cut].trim_end_matches('-'))
        };
        let log_group = |name: &Option<LogGroupName>, role: &str| match name {
            Some(name) => name.as_str().to_owned(),
            None => format!("/aws/lambda/{base}-{role}"),
        };
        Self {
            stream_log_group: log_group(&manifest.stream.log_group, "stream"),
            dashboard_log_group: log_group(&manifest.dashboard.log_group, "dashboard"),
            stream: format!("{base}-stream"),
            dashboard: format!("{base}-dashboard"),
            items_table: table(&manifest.tables.items.name, "items"),
            users_table: table(&manifest.tables.users.name, "users"),
            hours_table: table(&None, "hours"),
            history_table: table(&None, "history"),
            repository: manifest
                .package
                .repository
                .as_ref()
                .map_or_else(|| base.clone(), |name| name.as_str().to_owned()),
            session_key_prefix: format!("alias/{base}-session-"),
            state_bucket_prefix: bucket_prefix("-state-"),
            page_bucket_prefix: bucket_prefix("-page-"),
            bootstrap_state_key: format!("{project}/{environment}/bootstrap.tfstate"),
            state_key: format!("{project}/{environment}/terraform.tfstate"),
            base,
        }
    }
}
