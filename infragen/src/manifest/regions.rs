//! The regions of AWS, each with its partition. A region that is not here was never tried.

use super::reader::{ManifestValue, Problem, near};
use super::tree::Node;
use super::values::{strings, text};

/// The region of what belongs to CloudFront: its certificates, its firewalls and its log groups.
pub const CLOUDFRONT_REGION: &str = "us-east-1";

/// Every region that may be named: what the AWS SDKs know, without those that nobody outside of a government can reach.
const REGIONS: [(&str, &[&str]); 4] = [
    (
        "aws",
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    ("aws-cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-us-gov", &["us-gov-east-1", "us-gov-west-1"]),
    ("aws-eusc", &["eusc-de-east-1"]),
];

/// Regions in which functions have no URLs (AWS Lambda developer guide, "Function URLs", read in 2026).
const WITHOUT_URLS: [&str; 11] = [
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
];

/// The second part of every ARN.
#[must_use]
pub fn is_partition(text: &str) -> bool {
    REGIONS.iter().any(|(partition, _)| *partition == text)
}

fn names() -> Vec<&'static str> {
    REGIONS.iter().flat_map(|(_, regions)| regions.iter().copied()).collect()
}

/// An AWS region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    name: &'static str,
    partition: &'static str,
}

impl Region {
    /// Finds a region by its name.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        REGIONS.iter().find_map(|(partition, regions)| {
            let name = regions.iter().find(|name| **name == text)?;
            Some(Self { name, partition })
        })
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.name
    }

    /// Whether functions have URLs there.
    #[must_use]
    pub fn has_function_urls(&self) -> bool {
        !WITHOUT_URLS.contains(&self.name)
    }

    /// The partition it is in: the second part of every ARN.
    #[must_use]
    pub const fn partition(&self) -> &'static str {
        self.partition
    }
}

impl ManifestValue for Region {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let found = text(node, "a region such as `\"us-east-1\"`")?;
        Self::new(found).ok_or_else(|| {
            let problem = Problem::text(found, "it must be an AWS region that infragen knows").code("unknown-region");
            // `us-east-1a`, `US-EAST-1`, `us_east_1`, `useast1` too.
            let plain = |text: &str| text.to_ascii_lowercase().replace(['_', ' ', '-'], "");
            let is_zone_of = |name: &&&str| found.strip_prefix(**name).is_some_and(|rest| rest.len() == 1);
            let names = names();
            let same = names.iter().find(|name| plain(name) == plain(found));
            let meant = same.or_else(|| names.iter().find(is_zone_of)).copied().or_else(|| near(found, &names));
            let hint = meant.map_or("use one such as `us-east-1` or `eu-west-1`".to_owned(), |name| {
                format!("did you mean `{name}`")
            });
            vec![problem.hint(hint)]
        })
    }
    fn rule() -> String {
        "an AWS region such as us-east-1".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.name.into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "enum": names() })
    }
    fn examples() -> Vec<toml::Value> {
        strings(&["eu-west-1", "ap-southeast-2"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_knows_its_partition_and_others_are_unknown() {
        let partition = |name: &str| Region::new(name).map(|region| region.partition());
        assert_eq!(partition("us-east-1"), Some("aws"));
        assert_eq!(partition("cn-north-1"), Some("aws-cn"));
        assert_eq!(partition("us-gov-west-1"), Some("aws-us-gov"));
        assert_eq!(partition("eusc-de-east-1"), Some("aws-eusc"));
        for unknown in ["xx-yyyy-1", "us-east-9", "us-iso-east-1", ""] {
            assert_eq!(partition(unknown), None, "{unknown}");
        }
        let names = names();
        assert!(names.iter().enumerate().all(|(index, name)| !names[..index].contains(name)));
    }
}
