//! The way in, as Terraform plans it: who may call the functions, and which path goes where.

use std::collections::{BTreeMap, BTreeSet};

use contract::routes;
use serde_json::{Value, json};

use super::plans::{artifacts, resources, sorted};
use super::terraform::Root;
use super::{Project, workspace};
use crate::support::shared::Shared;

/// Policies that AWS manages (CloudFront, "Use managed cache policies", "Use managed origin request policies").
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ALL_VIEWER_EXCEPT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

const READ: &[&str] = &["GET", "HEAD"];
const ALL: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

const CLOUDFRONT: &str = "[front]\nkind = \"cloudfront\"\n";

/// What Terraform plans to create, and the files that say so.
pub(super) struct Planned {
    pub(super) files: BTreeMap<String, String>,
    pub(super) plan: Value,
}

/// The fixture that most tests look at: a plan takes seconds.
pub(super) static PLANNED: Shared<Planned> =
    Shared::new("the plan of the fixture", || planned(Project::fixture("cloudfront")));

/// Renders a manifest beside the page and plans it, without asking AWS anything in either region.
pub(super) fn planned(project: Project) -> Planned {
    let project = project.with_page();
    project.run(&["render"]).done();
    let files = project.files().into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect();
    Planned { files, plan: plan_root(&project, "generated/terraform", &[]) }
}

fn plan_root(project: &Project, path: &str, more: &[&str]) -> Value {
    if project.path().join(path).join("us_east_1.tf").exists() {
        let skip = "provider \"aws\" {\n  alias = \"us_east_1\"\n  skip_credentials_validation = true\n  \
                    skip_requesting_account_id = true\n  skip_metadata_api_check = true\n}\n";
        project.write(&format!("{path}/us_east_1_override.tf"), skip);
    }
    Root::new(project, path).with_artifacts(&artifacts()).planned(more)
}

fn distribution(plan: &Value) -> Value {
    resources(plan, "")["aws_cloudfront_distribution.front"].clone()
}

/// What the configuration of a root's or module's resource says, where the values are known only after apply.
pub(super) fn expressions<'p>(plan: &'p Value, module: &str, address: &str) -> &'p Value {
    let root = &plan["configuration"]["root_module"];
    let module = if module.is_empty() { root } else { &root["module_calls"][module]["module"] };
    let all = module["resources"].as_array().unwrap();
    let found = all.iter().find(|resource| resource["address"] == address);
    &found.unwrap_or_else(|| panic!("`{address}` is not there"))["expressions"]
}

pub(super) fn refers(expression: &Value, to: &str) -> bool {
    expression["references"].as_array().is_some_and(|references| references.iter().any(|found| found == to))
}

/// Whether a path fits a pattern of CloudFront: `*` is any text, `?` any one character.
fn fits(pattern: &str, path: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => path.is_empty(),
        Some('*') => {
            let ends = path.char_indices().map(|(at, _)| at).chain([path.len()]);
            ends.into_iter().any(|at| fits(rest.as_str(), &path[at..]))
        }
        Some(wanted) => {
            let mut path = path.chars();
            path.next().is_some_and(|found| wanted == '?' || wanted == found) && fits(rest.as_str(), path.as_str())
        }
    }
}

#[test]
fn patterns_fit_as_cloudfront_says() {
    for (pattern, path, expected) in [
        ("/a*", "/a", true),
        ("/a*", "/abc/d", true),
        ("/a*", "/ba", false),
        ("/a/*/c", "/a/b/c", true),
        ("/a/*/c", "/a/b/b/c", true),
        ("/a/*/c", "/a/c", false),
        ("/a?", "/ab", true),
        ("/a?", "/a", false),
        ("/a", "/a/", false),
    ] {
        assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
    }
}

/// The behaviour that a path gets: the first that fits, else the default one.
fn behavior<'d>(distribution: &'d Value, path: &str) -> &'d Value {
    let ordered = distribution["ordered_cache_behavior"].as_array().unwrap().iter();
    ordered
        .into_iter()
        .find(|behavior| fits(behavior["path_pattern"].as_str().unwrap(), path))
        .unwrap_or(&distribution["default_cache_behavior"][0])
}

#[test]
fn every_route_goes_to_the_function_that_serves_it_with_its_methods() {
    let configuration_stream = routes::CONFIGURATION_STREAM.replace("{config_id}", "c-1");
    let table: &[(&str, &str, &[&str])] = &[
        (routes::STREAM, "stream", &["GET"]),
        (routes::STREAM_STATUS, "stream", &["GET"]),
        (&configuration_stream, "stream", &["GET"]),
        (routes::STREAM_GOODBYE, "dashboard", &["POST"]),
        (routes::METRICS, "dashboard", &["GET"]),
        (routes::HEALTH, "dashboard", &["GET"]),
        (routes::ITEMS, "dashboard", &["GET"]),
        (routes::HISTORY, "dashboard", &["GET"]),
        (routes::RUNTIME, "dashboard", &["GET"]),
        (routes::OPENAPI, "dashboard", &["GET"]),
        (routes::AUTH_ANONYMOUS, "dashboard", &["POST"]),
        (routes::CONFIGURATIONS, "dashboard", &["GET", "POST"]),
        ("/api/v2/configurations/stream", "dashboard", &["GET", "PUT", "DELETE"]),
        ("/api/v2/configurations/c-1", "dashboard", &["GET", "PUT", "DELETE"]),
        ("/api/v2/stream/", "stream", &["GET"]),
        ("//api/v2/stream", "stream", &["GET"]),
        ("/api/v2//stream", "stream", &["GET"]),
        ("/api/v2/configurations/c-1/stream/", "stream", &["GET"]),
        ("//api/v2//configurations//c-1//stream//", "stream", &["GET"]),
        ("/api/v2/stream/goodbye/", "dashboard", &["POST"]),
        ("//api/v2/metrics/", "dashboard", &["GET"]),
        ("/api/v2/configurations/streams", "dashboard", &["GET", "PUT", "DELETE"]),
        ("/", "page", &["GET"]),
        ("/index.html", "page", &["GET"]),
        ("/config.js", "page", &["GET"]),
        ("/js/stream.js", "page", &["GET"]),
        ("/api", "page", &["GET"]),
    ];
    // A route that is added to the contract must be added here.
    let contract = std::fs::read_to_string(workspace().join("contract/src/routes.rs")).unwrap();
    let texts = contract.split('"').skip(1).step_by(2);
    for route in texts.filter(|text| text.starts_with('/') && !text.ends_with('/')) {
        let route = route.replace("{config_id}", "c-1");
        assert!(table.iter().any(|(path, ..)| *path == route), "`{route}` is not in the table of this test");
    }
    let plan = &PLANNED.plan;
    let distribution = distribution(plan);
    for (path, origin, methods) in table {
        let behavior = behavior(&distribution, path);
        assert_eq!(behavior["target_origin_id"], *origin, "{path}");
        let allowed = sorted(&behavior["allowed_methods"]);
        assert!(methods.iter().all(|method| allowed.contains(method)), "{path}: {allowed:?}");
    }
}

#[test]
fn answers_of_functions_are_neither_cached_nor_compressed_and_errors_not_kept() {
    let plan = &PLANNED.plan;
    let distribution = distribution(plan);
    let behaviors = distribution["ordered_cache_behavior"].as_array().unwrap();
    let expected = [
        ("*/api/v2/stream/goodbye*", "dashboard", ALL),
        ("*/api/v2/stream*", "stream", READ),
        ("*/api/v2//stream*", "stream", READ),
        ("*/api/v2/*configurations/*/stream*", "stream", READ),
        ("*/api/v2/*", "dashboard", ALL),
        ("/health", "dashboard", READ),
    ];
    assert_eq!(behaviors.len(), expected.len());
    for (found, (pattern, origin, methods)) in behaviors.iter().zip(expected) {
        assert_eq!((&found["path_pattern"], &found["target_origin_id"]), (&json!(pattern), &json!(origin)));
        assert_eq!(sorted(&found["allowed_methods"]), methods, "{pattern}");
        assert_eq!(found["compress"], false, "{pattern}");
        assert_eq!(found["cache_policy_id"], CACHING_DISABLED, "{pattern}");
        assert_eq!(found["origin_request_policy_id"], ALL_VIEWER_EXCEPT_HOST, "{pattern}");
        assert_eq!(found["viewer_protocol_policy"], "https-only", "{pattern}");
        assert_eq!(found["function_association"], json!([]), "{pattern}");
    }
    let page = &distribution["default_cache_behavior"][0];
    assert_eq!((&page["target_origin_id"], &page["compress"]), (&json!("page"), &json!(true)));
    assert_eq!(
        (&page["cache_policy_id"], &page["origin_request_policy_id"]),
        (&json!(CACHING_OPTIMIZED), &Value::Null)
    );
    assert_eq!(
        (sorted(&page["allowed_methods"]), page["viewer_protocol_policy"].as_str()),
        (READ.to_vec(), Some("redirect-to-https"))
    );
    let kept = distribution["custom_error_response"].as_array().unwrap();
    let codes: BTreeSet<u64> = kept.iter().map(|error| error["error_code"].as_u64().unwrap()).collect();
    // All that CloudFront can be told about.
    assert_eq!(codes, BTreeSet::from([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]));
    assert!(kept.iter().all(|error| error["error_caching_min_ttl"] == 0), "{kept:?}");
    // A page of CloudFront's own would hide the functions' JSON.
    assert!(kept.iter().all(|error| error["response_page_path"].as_str().is_none_or(str::is_empty)), "{kept:?}");
}

#[test]
fn each_origin_is_signed_for_and_waits_for_the_manifests_time() {
    let plan = &PLANNED.plan;
    let distribution = distribution(plan);
    assert_eq!(
        (&distribution["http_version"], &distribution["default_root_object"]),
        (&json!("http2and3"), &json!("index.html"))
    );
    assert_eq!((&distribution["aliases"], &distribution["web_acl_id"]), (&Value::Null, &Value::Null));
    assert_eq!(distribution["viewer_certificate"][0]["cloudfront_default_certificate"], true);
    for origin in distribution["origin"].as_array().unwrap().iter().filter(|origin| origin["origin_id"] != "page") {
        let custom = &origin["custom_origin_config"][0];
        assert_eq!(custom["origin_read_timeout"], 60, "{origin}");
        // A stream that says nothing is asked for once; three is CloudFront's own number.
        let attempts = if origin["origin_id"] == "stream" { 1 } else { 3 };
        assert_eq!(origin["connection_attempts"], attempts, "{origin}");
        assert_eq!(
            (&custom["origin_protocol_policy"], &custom["origin_ssl_protocols"]),
            (&json!("https-only"), &json!(["TLSv1.2"]))
        );
    }
    let origins = expressions(plan, "", "aws_cloudfront_distribution.front")["origin"].as_array().unwrap();
    assert_eq!(origins.len(), 3);
    for (role, host, control) in [
        ("page", "aws_s3_bucket.page.bucket_regional_domain_name", "page"),
        ("stream", "module.stream.url_host", "functions"),
        ("dashboard", "module.dashboard.url_host", "functions"),
    ] {
        let origin = origins.iter().find(|origin| origin["origin_id"]["constant_value"] == role).unwrap();
        assert!(refers(&origin["domain_name"], host), "{origin}");
        let control = format!("aws_cloudfront_origin_access_control.{control}.id");
        assert!(refers(&origin["origin_access_control_id"], &control), "{origin}");
    }
    let resources = resources(plan, "");
    for (name, kind) in [("page", "s3"), ("functions", "lambda")] {
        let control = &resources[&format!("aws_cloudfront_origin_access_control.{name}")];
        assert_eq!(control["origin_access_control_origin_type"], kind);
        assert_eq!((&control["signing_behavior"], &control["signing_protocol"]), (&json!("always"), &json!("sigv4")));
    }
}

#[test]
fn nobody_but_the_distribution_may_call_a_function() {
    let Planned { plan, .. } = &*PLANNED;
    for role in ["stream", "dashboard"] {
        let resources = resources(plan, role);
        let url = &resources["aws_lambda_function_url.this"];
        assert_eq!((&url["authorization_type"], &url["cors"]), (&json!("AWS_IAM"), &json!([])), "{role}");
        let permissions: BTreeMap<&str, &Value> = resources
            .iter()
            .filter(|(address, _)| address.starts_with("aws_lambda_permission."))
            .map(|(_, permission)| (permission["action"].as_str().unwrap(), permission))
            .collect();
        let actions: Vec<&&str> = permissions.keys().collect();
        assert_eq!(actions, [&"lambda:InvokeFunction", &"lambda:InvokeFunctionUrl"], "{role}");
        for permission in permissions.values() {
            assert_eq!(permission["principal"], "cloudfront.amazonaws.com");
            assert_eq!(permission["function_url_auth_type"], Value::Null);
            assert_eq!(
                (&permission["function_name"], &permission["qualifier"]),
                (&url["function_name"], &json!("live"))
            );
        }
        for name in ["url", "function"] {
            let expressions = expressions(plan, role, &format!("aws_lambda_permission.{name}"));
            assert!(refers(&expressions["source_arn"], "var.distribution_arn"), "{expressions}");
        }
        let call = &plan["configuration"]["root_module"]["module_calls"][role]["expressions"];
        assert!(refers(&call["distribution_arn"], "aws_cloudfront_distribution.front.arn"), "{call}");
        assert!(!resources.keys().any(|address| address.starts_with("aws_cloudformation_stack.")), "{role}");
    }
    let outputs = plan["configuration"]["root_module"]["outputs"].as_object().unwrap();
    for name in ["site_url", "stream_url", "dashboard_url"] {
        assert!(refers(&outputs[name]["expression"], "local.site_url"), "{name}");
    }
    for (name, output) in outputs {
        assert!(output["description"].as_str().is_some_and(|text| !text.is_empty()), "`{name}` has no description");
    }
}

#[test]
fn a_newer_provider_narrows_the_second_permission_to_the_url() {
    let file = |name: &str| Project::rendered(name).read("generated/terraform/modules/lambda/function_permission.tf");
    let (older, newer) = (file("cloudfront"), file("cloudfront_certificate"));
    assert!(!older.contains("invoked_via_function_url"), "{older}");
    assert!(newer.contains("invoked_via_function_url = true\n") && newer.contains("var.distribution_arn\n"), "{newer}");
}

#[test]
fn a_domain_brings_certificate_records_firewall_and_viewer_function() {
    let plan = &planned(Project::fixture("cloudfront_domain")).plan;
    let resources = resources(plan, "");
    let distribution = &resources["aws_cloudfront_distribution.front"];
    assert_eq!(
        (&distribution["aliases"], &distribution["price_class"]),
        (&json!(["live.example.com"]), &json!("PriceClass_All"))
    );
    let certificate = &distribution["viewer_certificate"][0];
    assert_eq!(
        (&certificate["minimum_protocol_version"], &certificate["ssl_support_method"]),
        (&json!("TLSv1.2_2021"), &json!("sni-only"))
    );
    let expression = expressions(plan, "", "aws_cloudfront_distribution.front");
    let certificate = &expression["viewer_certificate"][0]["acm_certificate_arn"];
    assert!(refers(certificate, "aws_acm_certificate_validation.front.certificate_arn"), "{certificate}");
    assert!(refers(&expression["web_acl_id"], "aws_wafv2_web_acl.front.arn"), "{expression}");
    for behavior in distribution["ordered_cache_behavior"].as_array().unwrap() {
        let expected = json!([{ "event_type": "viewer-request", "function_arn": "arn:aws:cloudfront::123456789012:function/user-id" }]);
        assert_eq!(behavior["function_association"], expected, "{}", behavior["path_pattern"]);
    }
    assert_eq!(resources["aws_acm_certificate.front"]["validation_method"], "DNS");
    assert_eq!(resources["aws_acm_certificate.front"]["domain_name"], "live.example.com");
    for (name, kind) in [("front_ipv4", "A"), ("front_ipv6", "AAAA")] {
        let record = &resources[&format!("aws_route53_record.{name}")];
        assert_eq!((&record["type"], &record["name"]), (&json!(kind), &json!("live.example.com")));
        assert_eq!(record["zone_id"], "Z0123456789ABCDEFGHIJ");
        let alias = &expressions(plan, "", &format!("aws_route53_record.{name}"))["alias"][0]["name"];
        assert!(refers(alias, "aws_cloudfront_distribution.front.domain_name"), "{alias}");
    }
    let rule = &resources["aws_wafv2_web_acl.front"]["rule"][0];
    let rate = &rule["statement"][0]["rate_based_statement"][0];
    assert_eq!(
        (&rate["limit"], &rate["evaluation_window_sec"], &rate["aggregate_key_type"]),
        (&json!(2000), &json!(300), &json!("IP"))
    );
    assert_eq!(resources["aws_wafv2_web_acl.front"]["scope"], "CLOUDFRONT");
    assert_eq!(rule["action"][0]["block"].as_array().map(Vec::len), Some(1));
    assert_eq!(plan["planned_values"]["outputs"]["stream_url"]["value"], "https://live.example.com");

    let providers: BTreeMap<&str, &str> = plan["configuration"]["root_module"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| (resource["address"].as_str().unwrap(), resource["provider_config_key"].as_str().unwrap()))
        .collect();
    let elsewhere: Vec<&str> =
        providers.iter().filter(|(_, key)| **key == "aws.us_east_1").map(|(at, _)| *at).collect();
    let expected = [
        "aws_acm_certificate.front",
        "aws_acm_certificate_validation.front",
        "aws_cloudwatch_log_delivery.access",
        "aws_cloudwatch_log_delivery_destination.access",
        "aws_cloudwatch_log_delivery_source.access",
        "aws_cloudwatch_log_group.access",
        "aws_wafv2_web_acl.front",
    ];
    assert_eq!(elsewhere, expected);
    let provider = &plan["configuration"]["provider_config"]["aws.us_east_1"]["expressions"]["region"];
    assert_eq!(provider["constant_value"], "us-east-1");
}

#[test]
fn what_somebody_else_owns_is_used_as_it_is() {
    let text = std::fs::read_to_string(workspace().join("tests/fixtures/manifests/valid/cloudfront_certificate.toml"))
        .unwrap();
    // The provider that is there to plan with is an older one.
    let Planned { files, plan } = &planned(Project::new(&text.replace("~> 6.28", "~> 5.100")));
    let distribution = distribution(plan);
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    assert_eq!(distribution["viewer_certificate"][0]["acm_certificate_arn"], certificate);
    assert_eq!(distribution["aliases"], json!(["live.example.com"]));
    for absent in ["domain.tf", "firewall.tf", "us_east_1.tf"] {
        assert!(!files.contains_key(&format!("generated/terraform/{absent}")), "{absent}");
    }
}

#[test]
fn in_cloudfronts_own_region_one_provider_does() {
    let more = "domain = \"live.example.com\"\nhosted_zone_id = \"Z0123456789ABCDEFGHIJ\"\nrate_limit = 100\n";
    let Planned { files, plan } = &planned(Project::new(&format!("{CLOUDFRONT}{more}")));
    assert!(resources(plan, "").contains_key("aws_wafv2_web_acl.front"));
    assert!(files.iter().all(|(name, text)| !name.ends_with(".tf") || !text.contains("us_east_1")));
}

#[test]
fn another_environment_has_its_own_front_and_the_same_page() {
    let project = Project::new("[env.prod.front]\nkind = \"cloudfront\"\n").with_page();
    project.run(&["render"]).done();
    assert!(!project.names().contains(&"generated/terraform/front.tf".to_owned()));
    let plan = plan_root(&project, "generated/prod/terraform", &[]);
    let resources = resources(&plan, "");
    assert_eq!(resources["aws_s3_bucket.page"]["bucket_prefix"], "sse-streaming-prod-page-");
    let root = plan["planned_values"]["root_module"]["resources"].as_array().unwrap();
    assert!(root.iter().any(|resource| resource["values"]["source"] == "./../../../frontend/index.html"));
}

#[test]
fn a_switch_back_leaves_nothing_of_the_distribution() {
    let project = Project::fixture("cloudfront");
    project.run(&["render"]).done();
    project.write("deploy.toml", "");
    project.run(&["render"]).done();
    let fresh = Project::new("");
    fresh.run(&["render"]).done();
    assert_eq!(project.names(), fresh.names());
    for file in project.names().iter().filter(|name| *name != "deploy.toml") {
        assert_eq!(project.read(file), fresh.read(file), "{file}");
    }
}

#[test]
fn headers_that_pages_send_are_let_through_by_function_urls_and_on_this_machine() {
    let front = "[front]\nallow_headers = [\"X-Tenant\", \"x-api-key\"]\n";
    let project = Project::new(front);
    project.run(&["render", "--env", "local"]).done();
    let local = project.read("generated/local/functions.env");
    assert!(local.lines().any(|line| line == "CORS_ALLOW_HEADERS=X-Tenant,x-api-key"), "{local}");
    let planned = planned(project);
    for role in ["stream", "dashboard"] {
        let resources = resources(&planned.plan, role);
        let headers = &resources["aws_lambda_function_url.this"]["cors"][0]["allow_headers"];
        let headers: Vec<&str> = headers.as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
        for name in ["authorization", "x-api-key", "x-tenant"] {
            assert!(headers.contains(&name), "{role}: {headers:?}");
        }
        let function = &resources["aws_lambda_function.this"];
        assert!(!function.to_string().contains("CORS_ALLOW_HEADERS"), "{role}: its URL answers");
    }
}

#[test]
fn cookies_of_named_origins_are_let_through_by_function_urls() {
    let front = "[front]\nallow_credentials = true\nallow_origins = [\"https://dashboard.example.com\"]\n";
    let plan = &planned(Project::new(front)).plan;
    for role in ["stream", "dashboard"] {
        let url = &resources(plan, role)["aws_lambda_function_url.this"];
        assert_eq!(url["cors"][0]["allow_credentials"], true, "{role}");
        assert_eq!(url["cors"][0]["allow_origins"], json!(["https://dashboard.example.com"]), "{role}");
    }
}
