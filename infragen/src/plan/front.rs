//! Manifest → the distribution before both functions: which path goes where, and what it needs beside it.

use contract::routes;
use serde::Serialize;

use crate::load::{Loaded, Target};
use crate::manifest::Names;
use crate::manifest::aws::DomainName;
use crate::manifest::regions::CLOUDFRONT_REGION;
use crate::manifest::sections::FrontSection;
use crate::manifest::types::FrontKind;

/// What reads only.
const READ_METHODS: &[&str] = &["GET", "HEAD"];
/// CloudFront takes three sets of methods; the one with POST has all of these.
const ALL_METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
/// One CloudFront distribution: page, REST and stream on one domain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DistributionPlan {
    /// What tells it from others of the account: AWS makes up its name.
    pub comment: String,
    /// What goes to the functions, in the order in which CloudFront looks; everything else is the page.
    pub behaviors: Vec<BehaviorPlan>,
    /// Longest time for which a segment is kept, seconds, where viewers share any.
    pub segment_secs: Option<u64>,
    /// What is in the key of a segment: whoever asks with other parameters or headers is none of those who share it.
    pub segment_queries: Vec<&'static str>,
    /// Longest silence of a function, seconds.
    pub read_timeout_secs: u64,
    /// Where it answers from.
    pub price_class: &'static str,
    /// Its own name, where it has one.
    pub domain: Option<DomainPlan>,
    /// CloudFront function that runs before every request to the functions.
    pub viewer_function_arn: Option<String>,
    /// Content security policy of the page.
    pub page_policy: String,
    /// Whether pages of other origins may show the page in a frame.
    pub is_framed: bool,
    /// Folder of the page, as Terraform's root sees it.
    pub page_folder: String,
    /// Provider of what must be in us-east-1, where everything else is in another region.
    pub cloudfront_provider: Option<&'static str>,
}

/// Where the paths of one pattern go. Nothing of it is compressed, and nothing cached but what viewers share: answers are live.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BehaviorPlan {
    /// Pattern of paths; `*` is any text, slashes too.
    pub pattern: String,
    /// The function, `stream` or `dashboard`.
    pub role: &'static str,
    /// Methods that get through.
    pub methods: &'static [&'static str],
    /// Why it is there, for a reader.
    pub comment: &'static str,
    /// Whether answers are kept until they end, for all who ask the same.
    pub is_shared: bool,
}

/// A domain name of one's own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DomainPlan {
    /// The name.
    pub name: String,
    /// Hosted zone in which its records are made.
    pub hosted_zone_id: Option<String>,
    /// Certificate that is there already; without one it is made, and proven in the zone.
    pub certificate_arn: Option<String>,
}

impl DomainPlan {
    pub(super) fn of(front: &FrontSection, name: &DomainName) -> Self {
        Self {
            name: name.as_str().to_owned(),
            hosted_zone_id: front.hosted_zone_id.as_ref().map(|zone| zone.as_str().to_owned()),
            certificate_arn: front.certificate_arn.as_ref().map(|arn| arn.as_str().to_owned()),
        }
    }
}

/// A web application firewall.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirewallPlan {
    /// Requests of one address in five minutes, above which it is blocked.
    pub limit: i64,
    /// Where it stands, `CLOUDFRONT` or `REGIONAL`.
    pub scope: &'static str,
    /// Provider of it, where it must be in another region than everything else.
    pub provider: Option<&'static str>,
    /// The region that it is in.
    pub region: String,
}

/// Decides whether a firewall stands before the functions.
#[must_use]
pub fn firewall(loaded: &Loaded) -> Option<FirewallPlan> {
    let front = &loaded.manifest.front;
    let limit = front.rate_limit?.get().into();
    match front.kind {
        FrontKind::FunctionUrl => None,
        FrontKind::CloudFront => {
            let (scope, region) = ("CLOUDFRONT", CLOUDFRONT_REGION.to_owned());
            Some(FirewallPlan { limit, scope, provider: us_east_1(loaded), region })
        }
        FrontKind::ApiGateway => {
            let region = loaded.manifest.project.region.as_str().to_owned();
            Some(FirewallPlan { limit, scope: "REGIONAL", provider: None, region })
        }
    }
}

/// The provider of what belongs to CloudFront, where everything else is in another region.
pub(super) fn us_east_1(loaded: &Loaded) -> Option<&'static str> {
    (loaded.manifest.project.region.as_str() != CLOUDFRONT_REGION).then_some("aws.us_east_1")
}

/// Decides what stands before the functions, where something does.
#[must_use]
pub fn distribution(loaded: &Loaded) -> Option<DistributionPlan> {
    let front = &loaded.manifest.front;
    if front.kind != FrontKind::CloudFront {
        return None;
    }
    let domain = front.domain.as_ref().map(|name| DomainPlan::of(front, name));
    let makes_certificate = domain.as_ref().is_some_and(|domain| domain.certificate_arn.is_none());
    let needs_region = makes_certificate || front.rate_limit.is_some() || front.access_log;
    Some(DistributionPlan {
        comment: format!("{}: page, REST and stream", Names::derive(&loaded.manifest).base),
        behaviors: behaviors(front.shared_segments),
        segment_secs: front
            .shared_segments
            .then(|| (front.segment_length.get() + contract::limits::SEGMENT_LEFT_MIN).as_secs()),
        segment_queries: [&routes::LAST_EVENT_ID_QUERIES[..], &[routes::TICKERS_QUERY]].concat(),
        read_timeout_secs: front.read_timeout.get().as_secs(),
        price_class: front.price_class.as_str(),
        domain,
        viewer_function_arn: front.viewer_function_arn.as_ref().map(|arn| arn.as_str().to_owned()),
        // Everything that it asks is of its own origin.
        page_policy: contract::page::policy(&[], &front.frame_ancestors),
        is_framed: !front.frame_ancestors.as_slice().is_empty(),
        page_folder: page_folder(loaded),
        cloudfront_provider: us_east_1(loaded).filter(|_| needs_region),
    })
}

fn page_folder(loaded: &Loaded) -> String {
    let (output, environment) = (&loaded.manifest.output, &loaded.manifest.project.environment);
    let root = match loaded.target {
        Target::Overlay => format!("{environment}/terraform"),
        Target::Base | Target::Local => "terraform".to_owned(),
    };
    output.folder.way_to(&output.page, &root)
}

impl DistributionPlan {
    /// Returns the templates that only a distribution needs, by name.
    #[must_use]
    pub fn files(&self) -> Vec<&'static str> {
        let mut files = vec!["front", "page"];
        files.extend(self.domain.as_ref().filter(|domain| domain.certificate_arn.is_none()).map(|_| "certificate"));
        files.extend(self.cloudfront_provider.map(|_| "us_east_1"));
        files
    }
}

/// Where the routes go, with slashes too many as without: the functions understand both, but a path that fits no pattern is
/// the page's, and a stream's that goes to the other function is not found. For an EventSource either is the end.
fn behaviors(shares_segments: bool) -> Vec<BehaviorPlan> {
    let behavior = |pattern, role, methods, comment| BehaviorPlan { pattern, role, methods, comment, is_shared: false };
    let around = |route| format!("*{}*", pattern(route));
    let mut found = vec![behavior(
        around(routes::STREAM_GOODBYE),
        "dashboard",
        ALL_METHODS,
        "Before the streams: it is about one, but is answered in one piece.",
    )];
    let status =
        behavior(around(routes::STREAM_STATUS), "stream", READ_METHODS, "Before the streams that viewers share.");
    found.extend(shares_segments.then_some(status));
    let mut stream = behavior(around(routes::STREAM), "stream", READ_METHODS, "The global stream and its status.");
    if shares_segments {
        stream.comment = "The global stream, which viewers share.";
    }
    let slashes = BehaviorPlan {
        pattern: stream.pattern.replacen(routes::API, &format!("{}/", routes::API), 1),
        comment: "The same, asked for by a base URL that ends in a slash.",
        ..stream.clone()
    };
    found.extend([stream, slashes].map(|stream| BehaviorPlan { is_shared: shares_segments, ..stream }));
    found.extend([
        behavior(
            around(routes::CONFIGURATION_STREAM).replacen(routes::API, &format!("{}*", routes::API), 1),
            "stream",
            READ_METHODS,
            "The stream of one configuration, out of the REST API below.",
        ),
        behavior(around(routes::API), "dashboard", ALL_METHODS, "The REST API."),
        behavior(pattern(routes::HEALTH), "dashboard", READ_METHODS, "Liveness: both functions have it, one answers."),
    ]);
    found
}

/// Turns a route of axum into a pattern of CloudFront: a parameter is any text.
fn pattern(route: &str) -> String {
    let segments = route.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;

    fn planned(front: &str) -> Option<DistributionPlan> {
        let text = format!("[project]\nregion = \"eu-west-1\"\n[front]\n{front}\n");
        let source = Source { name: "deploy.toml".into(), text };
        distribution(&load(&Input::new(source), None).unwrap())
    }

    #[test]
    fn parameters_become_stars() {
        assert_eq!(pattern("/api/v2/configurations/{config_id}/stream"), "/api/v2/configurations/*/stream");
        assert_eq!(pattern("/health"), "/health");
    }

    #[test]
    fn only_what_is_asked_for_is_rendered() {
        const CERTIFICATE: &str = "certificate_arn = \"arn:aws:acm:us-east-1:123456789012:certificate/1a\"";
        assert_eq!(planned("kind = \"function-url\""), None);
        for (front, expected) in [
            ("", &["front", "page"][..]),
            ("rate_limit = 100", &["front", "page", "us_east_1"]),
            ("access_log = true", &["front", "page", "us_east_1"]),
            (&format!("domain = \"a.example.com\"\n{CERTIFICATE}"), &["front", "page"]),
            (&format!("domain = \"a.example.com\"\nhosted_zone_id = \"Z1\"\n{CERTIFICATE}"), &["front", "page"]),
            ("domain = \"a.example.com\"\nhosted_zone_id = \"Z1\"", &["front", "page", "certificate", "us_east_1"]),
        ] {
            let plan = planned(&format!("kind = \"cloudfront\"\n{front}")).unwrap();
            assert_eq!(plan.files(), expected, "{front}");
        }
    }
}
