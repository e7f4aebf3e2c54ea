//! What plans are made of.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::manifest::archive::ArchiveSection;
use crate::manifest::sections::VpcSection;
use crate::manifest::types::Packaging;

/// Versions and state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TerraformPlan {
    /// Constraint on Terraform.
    pub required_version: String,
    /// Constraint on the AWS provider.
    pub aws_provider: String,
    /// State bucket, where the backend is S3.
    pub state_bucket: Option<String>,
    /// Region that it is in: that of the environment that makes it.
    pub state_region: &'static str,
    /// KMS key that it is encrypted with, that environment's too.
    pub state_key: Option<String>,
    /// Whether the bootstrap root makes the bucket; no where another environment of the manifest does.
    pub makes_state_bucket: bool,
}

/// How Lambda answers through a Function URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum InvokeMode {
    /// Bytes as they are written.
    #[serde(rename = "RESPONSE_STREAM")]
    ResponseStream,
    /// One answer at the end.
    #[serde(rename = "BUFFERED")]
    Buffered,
}

/// One function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionPlan {
    /// What it is for: `stream` or `dashboard`; also its name in Terraform.
    pub role: &'static str,
    /// Its name in AWS.
    pub name: String,
    /// Its description in AWS.
    pub description: String,
    /// Follows from the role: a program for the other mode breaks.
    pub invoke_mode: InvokeMode,
    /// Image or zip.
    pub package: Packaging,
    /// The image that is there already, where the manifest names one.
    pub image_uri: Option<String>,
    /// The archive in S3, likewise.
    pub archive: Option<ArchivePlan>,
    /// Memory, MiB.
    pub memory_mebibytes: u32,
    /// Timeout, seconds.
    pub timeout_secs: u64,
    /// Most instances at once; with 0 Lambda refuses every invocation.
    pub reserved_concurrency: Option<u32>,
    /// Log retention, days.
    pub log_retention_days: i64,
    /// Name of its log group.
    pub log_group: String,
    /// Whether the log group is made here; otherwise it is there already, and its owner's.
    pub makes_log_group: bool,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Those that hold a function's URL, each with that function: known only after apply.
    pub live_urls: Vec<(&'static str, &'static str)>,
    /// Methods that a page of another origin may use.
    pub cors_methods: &'static [&'static str],
    /// What it does with users' configurations.
    pub configurations: Option<ConfigurationsPlan>,
    /// What it does with goodbyes in the users table, where pages say any.
    pub goodbyes: Option<GoodbyesPlan>,
    /// What it may do with the hours that instances share, where they do.
    pub hours: Option<&'static [&'static str]>,
    /// What it may do with the sums of old hours, where they are kept.
    pub history: Option<&'static [&'static str]>,
    /// Keys of one's own that these tables are encrypted with.
    pub table_keys: Vec<String>,
    /// The network that it runs in.
    pub vpc: Option<VpcPlan>,
}

/// A zip archive in S3.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArchivePlan {
    /// Bucket.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Version of the object; without one it is the newest.
    pub object_version: Option<String>,
    /// Base64 SHA-256 of its bytes.
    pub sha256: String,
}

impl ArchivePlan {
    pub(super) fn of(section: &ArchiveSection) -> Option<Self> {
        let (bucket, key) = section.place()?;
        Some(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            object_version: section.object_version.as_ref().map(|version| version.as_str().to_owned()),
            sha256: section.sha256.as_ref()?.as_str().to_owned(),
        })
    }
}

/// Configurations of users in the users table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigurationsPlan {
    /// What the function may do with them, and nothing else.
    pub actions: &'static [&'static str],
    /// What their partition keys are like.
    pub keys: String,
}

/// Goodbyes of pages in the users table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GoodbyesPlan {
    /// The one thing that the function may do with them.
    pub action: &'static str,
    /// What their partition keys are like.
    pub keys: String,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VpcPlan {
    /// Subnets.
    pub subnet_ids: Vec<String>,
    /// Security groups.
    pub security_group_ids: Vec<String>,
}

impl VpcPlan {
    pub(super) fn of(section: &VpcSection) -> Option<Self> {
        let (subnets, groups) = (section.subnets.as_slice(), section.security_groups.as_slice());
        (!subnets.is_empty()).then(|| Self { subnet_ids: subnets.to_vec(), security_group_ids: groups.to_vec() })
    }
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// Its type, as DynamoDB calls it.
    pub kind: &'static str,
}

impl KeyAttribute {
    pub(super) fn text(name: &str) -> Self {
        Self { name: name.to_owned(), kind: "S" }
    }
}

/// One table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TablePlan {
    /// Its name in AWS.
    pub name: String,
    /// Whether it is created, or used as it is.
    pub create: bool,
    /// Whether one that exists is taken over, instead of being made.
    pub import: bool,
    /// How Terraform refers to it.
    pub address: String,
    /// Hash key.
    pub hash_key: String,
    /// Range key.
    pub range_key: String,
    /// Whether it must be so: where an item is its hash key alone, any will do, or none.
    pub needs_range_key: bool,
    /// Attributes that keys are made of, sorted.
    pub key_attributes: Vec<KeyAttribute>,
    /// Its index.
    pub index: Option<IndexPlan>,
    /// Attribute from which DynamoDB reads when a row expires.
    pub ttl_attribute: Option<&'static str>,
    /// Point-in-time recovery.
    pub point_in_time_recovery: bool,
    /// Why there is none, where there is none.
    pub why_unrecovered: String,
    /// Deletion protection.
    pub deletion_protection: bool,
    /// ARN of the key that it is encrypted with, where that is not one of AWS.
    pub kms_key_arn: Option<String>,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexPlan {
    /// Its name.
    pub name: String,
    /// Hash key.
    pub hash_key: String,
    /// Range key.
    pub range_key: String,
    /// Attributes that it carries beside the keys, sorted.
    pub projection: Vec<String>,
}

/// Cross-origin rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorsPlan {
    /// Origins.
    pub allow_origins: Vec<String>,
    /// Whether a page may send cookies along.
    pub allow_credentials: bool,
    /// Request headers.
    pub allow_headers: Vec<String>,
    /// Response headers.
    pub expose_headers: &'static [&'static str],
    /// Seconds for which a preflight's answer holds.
    pub max_age_secs: u32,
}
