//! Manifest → the REST API before both functions: its resources, which of them streams, and who reaches it.

use contract::{limits, routes};
use serde::Serialize;

use super::front::DomainPlan;
use crate::load::Loaded;
use crate::manifest::Names;
use crate::manifest::types::FrontKind;

/// The stage, the first part of every path but under a domain of one's own.
const STAGE: &str = "live";
/// Paths of the stream function. Every other one is the dashboard function's.
const STREAM_PATHS: [&str; 3] = [routes::STREAM, routes::STREAM_STATUS, routes::CONFIGURATION_STREAM];

/// One REST API of API Gateway: REST and stream under one address. It has no page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatewayPlan {
    /// What the API is called.
    pub name: String,
    /// Name of its one stage.
    pub stage: &'static str,
    /// Its paths, parents first. What fits none of them is the dashboard function's.
    pub resources: Vec<ResourcePlan>,
    /// End of the names of AWS's hosts in its partition.
    pub dns_suffix: &'static str,
    /// Requests a second that it lets through.
    pub requests_per_second: u32,
    /// Requests that it lets through at once above that.
    pub burst: u32,
    /// Longest stream, milliseconds.
    pub stream_timeout_ms: u64,
    /// Longest wait for an answer of the dashboard function, milliseconds.
    pub answer_timeout_ms: u64,
    /// VPC endpoints that reach it, where nobody else does.
    pub vpc_endpoints: Vec<String>,
    /// Its own name, where it has one.
    pub domain: Option<DomainPlan>,
}

impl GatewayPlan {
    /// Returns its address, as Terraform's outputs have it: of its domain or, where there is none, of the API with this id, which
    /// AWS makes up; nothing where neither is known.
    #[must_use]
    pub fn url(&self, region: &str, id: Option<&str>) -> Option<String> {
        if let Some(domain) = &self.domain {
            return Some(format!("https://{}", domain.name));
        }
        let endpoint = self.vpc_endpoints.first().map_or_else(String::new, |endpoint| format!("-{endpoint}"));
        Some(format!("https://{}{endpoint}.execute-api.{region}.{}/{}", id?, self.dns_suffix, self.stage))
    }
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourcePlan {
    /// Its name in Terraform.
    pub name: String,
    /// Name of the one above it; none under the root.
    pub parent: Option<String>,
    /// The part, `{name}` for a parameter.
    pub part: String,
    /// Whether a stream is asked for here.
    pub is_stream: bool,
}

/// Decides what the API is, where there is one.
#[must_use]
pub fn gateway(loaded: &Loaded) -> Option<GatewayPlan> {
    let (manifest, front) = (&loaded.manifest, &loaded.manifest.front);
    if front.kind != FrontKind::ApiGateway {
        return None;
    }
    let millis = |secs: u64| secs * 1000;
    let answer = manifest.dashboard.timeout.get().min(limits::REST_API_ANSWER_MAX);
    Some(GatewayPlan {
        name: format!("{}-front", Names::derive(manifest).base),
        stage: STAGE,
        resources: resources(),
        dns_suffix: match manifest.project.region.partition() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        },
        requests_per_second: front.api.requests_per_second.get(),
        burst: front.api.burst.get(),
        stream_timeout_ms: millis(manifest.stream.timeout.get().as_secs()),
        answer_timeout_ms: millis(answer.as_secs()),
        vpc_endpoints: front.api.vpc_endpoints.as_slice().to_vec(),
        domain: front.domain.as_ref().map(|name| DomainPlan::of(front, name)),
    })
}

/// Each part of the stream's paths once, parents before what is under them.
fn resources() -> Vec<ResourcePlan> {
    let mut all: Vec<ResourcePlan> = Vec::new();
    for path in STREAM_PATHS {
        let mut parent: Option<String> = None;
        for part in path.split('/').skip(1) {
            let own = part.trim_matches(['{', '}']);
            let name = parent.as_ref().map_or_else(|| own.to_owned(), |parent| format!("{parent}_{own}"));
            if !all.iter().any(|known| known.name == name) {
                let (parent, part) = (parent.clone(), part.to_owned());
                all.push(ResourcePlan { name: name.clone(), parent, part, is_stream: false });
            }
            parent = Some(name);
        }
        for resource in all.iter_mut().filter(|resource| Some(&resource.name) == parent.as_ref()) {
            resource.is_stream = true;
        }
    }
    all
}

impl GatewayPlan {
    /// Returns the templates that only a REST API needs, by name.
    #[must_use]
    pub fn files(&self) -> Vec<&'static str> {
        let mut files = vec!["gateway"];
        files.extend(self.domain.as_ref().map(|_| "gateway_domain"));
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;

    pub(crate) fn planned(more: &str) -> Option<GatewayPlan> {
        let text = format!("[terraform]\naws_provider = \">= 6.25.0, < 7.0.0\"\n{more}\n");
        gateway(&load(&Input::new(Source { name: "deploy.toml".into(), text }), None).unwrap())
    }

    #[test]
    fn the_streams_paths_are_a_tree_and_everything_else_is_rest() {
        let plan = planned("[front]\nkind = \"api-gateway\"").unwrap();
        let names: Vec<_> =
            plan.resources.iter().map(|one| (one.name.as_str(), one.part.as_str(), one.is_stream)).collect();
        assert_eq!(
            names,
            [
                ("api", "api", false),
                ("api_v2", "v2", false),
                ("api_v2_stream", "stream", true),
                ("api_v2_stream_status", "status", true),
                ("api_v2_configurations", "configurations", false),
                ("api_v2_configurations_config_id", "{config_id}", false),
                ("api_v2_configurations_config_id_stream", "stream", true),
            ]
        );
        for (at, resource) in plan.resources.iter().enumerate() {
            let is_known = |parent| plan.resources[..at].iter().any(|one| Some(&one.name) == parent);
            assert!(resource.parent.is_none() == (resource.name == "api"));
            assert!(resource.parent.is_none() || is_known(resource.parent.as_ref()), "{}", resource.name);
        }
        assert_eq!(planned(""), None);
    }

    #[test]
    fn an_answer_is_waited_for_as_long_as_an_api_does_and_a_stream_as_long_as_its_function() {
        let text = "[dashboard]\ntimeout = \"60s\"\n[stream]\ntimeout = \"900s\"\n[front]\nkind = \"api-gateway\"";
        let plan = planned(text).unwrap();
        assert_eq!((plan.answer_timeout_ms, plan.stream_timeout_ms), (29_000, 900_000));
        let text = "[dashboard]\ntimeout = \"10s\"\n[front]\nkind = \"api-gateway\"";
        let plan = planned(text).unwrap();
        assert_eq!(plan.answer_timeout_ms, 10_000);
    }
}
