//! Rules of the way in: what each kind of front has, needs and refuses.

use contract::Adapter;

use super::Checks;
use crate::capability::Feature;
use crate::manifest::regions::CLOUDFRONT_REGION;
use crate::manifest::types::{FrontKind, Origins};

/// The partition whose CloudFront is rendered for.
const CLOUDFRONT_PARTITION: &str = "aws";
const FRAMES: &str = "front.frame_ancestors";
const SEGMENTS: &str = "front.shared_segments";
const VIEWER_FUNCTION: &str = "front.viewer_function_arn";

impl Checks<'_> {
    pub(super) fn front(&self) {
        self.origins();
        self.keys_of_others();
        self.domain();
        self.certificate();
        self.partition();
        self.function_urls();
        self.rest_api();
        self.segments();
    }

    /// What many viewers share is nobody's own, and comes to its end.
    fn segments(&self) {
        let (front, stream) = (&self.manifest.front, &self.manifest.stream);
        if !front.shared_segments {
            return;
        }
        let of_one = [
            ("auth.private", self.manifest.auth.private, "what one viewer may see is in no shared cache"),
            ("stream.goodbye", stream.goodbye, "one viewer's goodbye would end what others watch"),
        ];
        for (key, is_set, why) in of_one {
            if is_set {
                self.fail(
                    "segments-of-one-viewer",
                    &[key, SEGMENTS],
                    format!("`{key}` is `true`: `{SEGMENTS}` hands one stream to many, and {why}"),
                    &format!("set `{key}` or `{SEGMENTS}` to `false`"),
                );
            }
        }
        let (timeout, length) = (stream.timeout.get(), front.segment_length);
        let more = contract::limits::SEGMENT_LEFT_MIN + contract::limits::DRAIN_MARGIN;
        if timeout < length.get() + more {
            self.fail(
                "timeout-within-segment",
                &["stream.timeout", "front.segment_length"],
                format!(
                    "`stream.timeout` is `{}`: a segment lasts `front.segment_length`, `{length}`, and up to {} more with its end",
                    stream.timeout,
                    contract::units::duration_text(more)
                ),
                "raise `stream.timeout`, or lower `front.segment_length`",
            );
        }
    }

    fn origins(&self) {
        let front = &self.manifest.front;
        if front.allow_credentials && front.allow_origins == Origins::any() {
            self.fail("credentials-with-star",
                &["front.allow_credentials", "front.allow_origins"],
                "`front.allow_credentials` is `true`: `front.allow_origins` is `*`, and a browser hands no answer with \
                 cookies to a page of any origin"
                    .to_owned(),
                "name the origins in `front.allow_origins`",
            );
        }
        if front.kind == FrontKind::CloudFront && front.allow_origins != Origins::any() {
            self.fail(
                "origins-behind-cloudfront",
                &["front.allow_origins", "front.kind"],
                "`front.allow_origins` is set: behind `cloudfront` page and functions are of one origin, and nobody \
                 answers others"
                    .to_owned(),
                "remove it",
            );
        }
        if front.kind == FrontKind::CloudFront && !front.allow_headers.as_slice().is_empty() {
            self.fail(
                "headers-behind-cloudfront",
                &["front.allow_headers", "front.kind"],
                "`front.allow_headers` is set: behind `cloudfront` page and functions are of one origin, which may send any \
                 header"
                    .to_owned(),
                "remove it",
            );
        }
    }

    fn partition(&self) {
        let (front, region) = (&self.manifest.front, &self.manifest.project.region);
        if front.kind == FrontKind::CloudFront && region.partition() != CLOUDFRONT_PARTITION {
            self.fail(
                "cloudfront-outside-aws",
                &["front.kind", "project.region"],
                format!(
                    "`front.kind` is `cloudfront`: `project.region`, `{}`, is in the partition `{}`, and a distribution takes \
                     its certificate, its firewall and its functions from us-east-1, which is in `{CLOUDFRONT_PARTITION}`",
                    region.as_str(),
                    region.partition()
                ),
                "write `kind = \"function-url\"` under `[front]`",
            );
        }
    }

    /// CloudFront, too, asks the functions at their URLs.
    fn function_urls(&self) {
        let (kind, region) = (self.manifest.front.kind, &self.manifest.project.region);
        if kind != FrontKind::ApiGateway && !region.has_function_urls() {
            self.fail(
                "region-without-function-urls",
                &["front.kind", "project.region"],
                format!(
                    "`front.kind` is `{}`: `project.region`, `{}`, has no function URLs, which it needs",
                    kind.as_str(),
                    region.as_str()
                ),
                &format!("write `kind = \"api-gateway\"` under `[front]`{}, or choose another region", self.for_api()),
            );
        }
    }

    fn keys_of_others(&self) {
        let (front, page) = (&self.manifest.front, &self.manifest.page);
        let of_others = [
            ("front.domain", front.domain.is_some()),
            ("front.hosted_zone_id", front.hosted_zone_id.is_some()),
            ("front.certificate_arn", front.certificate_arn.is_some()),
            ("front.rate_limit", front.rate_limit.is_some()),
            ("front.access_log", front.access_log),
            (SEGMENTS, front.shared_segments),
            (FRAMES, !front.frame_ancestors.as_slice().is_empty()),
            (VIEWER_FUNCTION, front.viewer_function_arn.is_some()),
        ];
        let has_it = |key| match front.kind {
            FrontKind::FunctionUrl => false,
            FrontKind::CloudFront => true,
            FrontKind::ApiGateway => ![FRAMES, VIEWER_FUNCTION, SEGMENTS].contains(&key),
        };
        for (key, _) in of_others.into_iter().filter(|(key, is_set)| *is_set && !has_it(*key)) {
            self.fail(
                "cloudfront-key-without-cloudfront",
                &[key, "front.kind"],
                format!("`{key}` is set: `front.kind` `{}` has no distribution", front.kind.as_str()),
                "remove it, or write `kind = \"cloudfront\"` under `[front]`",
            );
        }
        for (key, url) in [("page.api_base_url", &page.api_base_url), ("page.sse_base_url", &page.sse_base_url)] {
            if front.kind == FrontKind::CloudFront && !url.as_str().is_empty() {
                self.fail(
                    "base-url-behind-cloudfront",
                    &[key, "front.kind"],
                    format!("`{key}` is `{}`: behind `cloudfront` the page asks its own origin", url.as_str()),
                    "leave it empty",
                );
            }
        }
    }

    fn domain(&self) {
        let front = &self.manifest.front;
        match (&front.domain, &front.hosted_zone_id, &front.certificate_arn) {
            (Some(domain), None, None) => self.fail(
                "domain-without-certificate",
                &["front.domain"],
                format!("`front.domain` is `{}`: it needs a certificate", domain.as_str()),
                "set `front.certificate_arn`, or with `cloudfront` `front.hosted_zone_id` to have one made",
            ),
            (Some(domain), Some(_), None) if front.kind == FrontKind::ApiGateway => self.fail(
                "domain-without-certificate",
                &["front.domain", "front.certificate_arn"],
                format!("`front.domain` is `{}`: a REST API's certificate must be there already", domain.as_str()),
                "set `front.certificate_arn`",
            ),
            (None, Some(_), _) => self.fail(
                "hosted-zone-without-domain",
                &["front.hosted_zone_id", "front.domain"],
                "`front.hosted_zone_id` is set: there is no `front.domain` to make records for".to_owned(),
                "set `front.domain`, or remove `front.hosted_zone_id`",
            ),
            (None, None, Some(_)) => self.fail(
                "certificate-without-domain",
                &["front.certificate_arn", "front.domain"],
                "`front.certificate_arn` is set: there is no `front.domain` that it certifies".to_owned(),
                "set `front.domain`, or remove `front.certificate_arn`",
            ),
            _ => {}
        }
    }

    fn certificate(&self) {
        let (front, region) = (&self.manifest.front, self.manifest.project.region.as_str());
        let (place, taker) = match front.kind {
            FrontKind::FunctionUrl => return,
            FrontKind::CloudFront => (CLOUDFRONT_REGION, "CloudFront"),
            FrontKind::ApiGateway => (region, "a regional API of `project.region`"),
        };
        if let Some(arn) = front.certificate_arn.as_ref().filter(|arn| arn.region() != place) {
            self.fail(
                "certificate-of-another-region",
                &["front.certificate_arn", "project.region"],
                format!(
                    "`front.certificate_arn` is in `{}`: {taker} takes certificates of `{place}` only",
                    arn.region()
                ),
                "name a certificate of that region",
            );
        }
    }

    fn rest_api(&self) {
        let (front, api) = (&self.manifest.front, &self.manifest.front.api);
        if front.kind != FrontKind::ApiGateway {
            let of_api = [
                ("front.api.private", api.private),
                ("front.api.vpc_endpoints", !api.vpc_endpoints.as_slice().is_empty()),
            ];
            for (key, _) in of_api.into_iter().filter(|(_, is_set)| *is_set) {
                let message = format!("`{key}` is set: `front.kind` `{}` has no REST API", front.kind.as_str());
                let hint = format!("remove it, or write `kind = \"api-gateway\"` under `[front]`{}", self.for_api());
                self.fail("api-key-without-api-gateway", &[key, "front.kind"], message, &hint);
            }
            return;
        }
        let range = self.manifest.terraform.aws_provider.get();
        if !Feature::StreamingIntegration.is_in(range.floor()) {
            let since = Feature::StreamingIntegration.since();
            self.fail(
                "api-gateway-old-provider",
                &["front.kind", "terraform.aws_provider"],
                format!(
                    "`front.kind` is `api-gateway`: an API that streams needs provider {since}, and `terraform.aws_provider`, \
                     `{}`, allows {}",
                    range.as_str(),
                    range.floor()
                ),
                &format!("set `terraform.aws_provider` to `>= {since}, < 7.0.0`"),
            );
        }
        if self.manifest.stream.adapter == Adapter::WebAdapter {
            self.fail(
                "web-adapter-behind-api-gateway",
                &["stream.adapter", "front.kind"],
                "`stream.adapter` is `web-adapter`: what it makes of a REST API's events was never tried".to_owned(),
                "remove it: the program takes them by itself",
            );
        }
        self.private_api();
    }

    /// What else has to be written for a REST API that streams.
    fn for_api(&self) -> String {
        let since = Feature::StreamingIntegration.since();
        match Feature::StreamingIntegration.is_in(self.manifest.terraform.aws_provider.get().floor()) {
            true => String::new(),
            false => format!(" and `aws_provider = \">= {since}, < 7.0.0\"` under `[terraform]`"),
        }
    }

    fn private_api(&self) {
        let (front, api) = (&self.manifest.front, &self.manifest.front.api);
        let has_endpoints = !api.vpc_endpoints.as_slice().is_empty();
        if api.private && !has_endpoints {
            self.fail(
                "private-without-endpoints",
                &["front.api.private", "front.api.vpc_endpoints"],
                "`front.api.private` is `true`: without `front.api.vpc_endpoints` nobody reaches the API".to_owned(),
                "name the interface endpoints for `execute-api` that may",
            );
        }
        if has_endpoints && !api.private {
            self.fail(
                "endpoints-without-private",
                &["front.api.vpc_endpoints", "front.api.private"],
                "`front.api.vpc_endpoints` is set: an API that is not private is reached from everywhere".to_owned(),
                "write `private = true` under `[front.api]`, or remove `front.api.vpc_endpoints`",
            );
        }
        if api.private && front.domain.is_some() {
            self.fail(
                "private-with-domain",
                &["front.domain", "front.api.private"],
                "`front.domain` is set: a private API is reached by the name of its VPC endpoint".to_owned(),
                "remove it, and make a record of your own in the VPC",
            );
        }
    }
}
