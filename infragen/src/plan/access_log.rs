//! Manifest → the access log of what stands before the functions: which fields, for how long, and in which region.

use serde::Serialize;

use super::front::us_east_1;
use crate::load::Loaded;
use crate::manifest::Names;
use crate::manifest::regions::CLOUDFRONT_REGION;
use crate::manifest::types::FrontKind;

/// Fields of a line of CloudFront, as it calls them. Neither query, cookie nor referrer: a token may stand in the first two, and an
/// address of somebody's page in the third.
const CLOUDFRONT_FIELDS: [&str; 16] = [
    "timestamp(ms)",
    "x-edge-request-id",
    "x-edge-location",
    "x-host-header",
    "c-ip",
    "cs-method",
    "cs-uri-stem",
    "cs-protocol",
    "cs-protocol-version",
    "sc-status",
    "sc-bytes",
    "cs-bytes",
    "time-taken",
    "time-to-first-byte",
    "x-edge-result-type",
    "x-edge-detailed-result-type",
];

/// A line for each request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccessLogPlan {
    /// Name of its log group.
    pub group: String,
    /// The region that the group is in.
    pub region: String,
    /// Provider of it, where that is another region than everything else's.
    pub provider: Option<&'static str>,
    /// Days for which it is kept.
    pub retention_days: i64,
    /// What CloudFront writes; a REST API has a format of its own.
    pub fields: &'static [&'static str],
}

/// Decides whether there is one.
#[must_use]
pub fn access_log(loaded: &Loaded, names: &Names) -> Option<AccessLogPlan> {
    let front = &loaded.manifest.front;
    if !front.access_log {
        return None;
    }
    let retention_days = front.access_log_retention.days();
    match front.kind {
        FrontKind::FunctionUrl => None,
        FrontKind::CloudFront => Some(AccessLogPlan {
            // Groups of this name share one policy of CloudWatch, which has room for a few others only.
            group: format!("/aws/vendedlogs/cloudfront/{}", names.base),
            region: CLOUDFRONT_REGION.to_owned(),
            provider: us_east_1(loaded),
            retention_days,
            fields: &CLOUDFRONT_FIELDS,
        }),
        FrontKind::ApiGateway => Some(AccessLogPlan {
            group: format!("/aws/apigateway/{}", names.base),
            region: loaded.manifest.project.region.as_str().to_owned(),
            provider: None,
            retention_days,
            fields: &[],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_may_have_a_token_in_it() {
        for secret in ["query", "Cookie", "Referer", "Authorization", "header("] {
            assert!(!CLOUDFRONT_FIELDS.iter().any(|field| field.contains(secret)), "{secret}");
        }
    }
}
