//! What types of resources are called where people read of them, and what is lost with one.

/// What is lost or felt elsewhere where a resource is replaced or removed.
const LOSSES: [(&str, &str); 7] = [
    ("aws_dynamodb_table", "its rows are lost"),
    ("aws_s3_bucket", "its files are lost"),
    ("aws_kms_key", "tokens that it signed are refused"),
    ("aws_lambda_function_url", "its address changes: pages that know the old one lose their stream"),
    ("aws_cloudfront_distribution", "its address changes, and the new one takes minutes"),
    ("aws_api_gateway_rest_api", "its address changes: pages that know the old one lose their stream"),
    ("aws_ecr_repository", "its images are lost"),
];

/// Types and what people call them; others are called what Terraform calls them.
const NOUNS: [(&str, &str); 50] = [
    ("aws_acm_certificate", "certificate"),
    ("aws_acm_certificate_validation", "proof of a certificate"),
    ("aws_api_gateway_base_path_mapping", "domain of the API"),
    ("aws_api_gateway_deployment", "state of the API"),
    ("aws_api_gateway_domain_name", "domain"),
    ("aws_api_gateway_integration", "target of a path"),
    ("aws_api_gateway_method", "methods of a path"),
    ("aws_api_gateway_method_settings", "throttle"),
    ("aws_api_gateway_resource", "path"),
    ("aws_api_gateway_rest_api", "REST API"),
    ("aws_api_gateway_rest_api_policy", "policy of the API"),
    ("aws_api_gateway_stage", "stage"),
    ("aws_budgets_budget", "budget"),
    ("aws_cloudformation_stack", "permission"),
    ("aws_cloudfront_cache_policy", "cache policy"),
    ("aws_cloudfront_distribution", "distribution"),
    ("aws_cloudfront_origin_access_control", "access of the distribution"),
    ("aws_cloudfront_response_headers_policy", "policy of headers"),
    ("aws_cloudwatch_dashboard", "CloudWatch dashboard"),
    ("aws_cloudwatch_log_delivery", "delivery of a log"),
    ("aws_cloudwatch_log_delivery_destination", "target of a log's delivery"),
    ("aws_cloudwatch_log_delivery_source", "source of a log's delivery"),
    ("aws_cloudwatch_log_group", "log"),
    ("aws_cloudwatch_metric_alarm", "alarm"),
    ("aws_dynamodb_table", "table"),
    ("aws_ecr_lifecycle_policy", "expiry of images"),
    ("aws_ecr_repository", "repository"),
    ("aws_iam_openid_connect_provider", "identity provider"),
    ("aws_iam_policy", "policy"),
    ("aws_iam_role", "role"),
    ("aws_iam_role_policy", "policy"),
    ("aws_iam_role_policy_attachment", "attachment of a policy"),
    ("aws_kms_alias", "name of a key"),
    ("aws_kms_key", "key"),
    ("aws_lambda_alias", "alias"),
    ("aws_lambda_capacity_provider", "capacity provider"),
    ("aws_lambda_function", "function"),
    ("aws_lambda_function_url", "URL"),
    ("aws_lambda_permission", "permission"),
    ("aws_route53_record", "record"),
    ("aws_s3_bucket", "bucket"),
    ("aws_s3_bucket_policy", "policy of a bucket"),
    ("aws_s3_bucket_public_access_block", "lock of a bucket"),
    ("aws_s3_bucket_server_side_encryption_configuration", "encryption of a bucket"),
    ("aws_s3_bucket_versioning", "versioning of a bucket"),
    ("aws_s3_object", "file of the page"),
    ("aws_sns_topic", "topic"),
    ("aws_sns_topic_subscription", "subscription"),
    ("aws_wafv2_web_acl", "firewall"),
    ("aws_wafv2_web_acl_association", "place of the firewall"),
];

fn lookup<'t>(table: &[(&str, &'t str)], resource: &str) -> Option<&'t str> {
    table.iter().find(|(name, _)| *name == resource).map(|(_, text)| *text)
}

/// What a type of resource is called.
#[must_use]
pub fn noun_of(resource: &str) -> String {
    let plain = || resource.strip_prefix("aws_").unwrap_or(resource).replace('_', " ");
    lookup(&NOUNS, resource).map_or_else(plain, str::to_owned)
}

/// What is lost with one of a type that is replaced or removed, where anything is.
#[must_use]
pub fn loss_of(resource: &str) -> Option<&'static str> {
    lookup(&LOSSES, resource)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test reads the templates")]
    fn everything_that_is_rendered_has_a_noun() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates");
        let (mut open, mut kinds) = (vec![std::path::PathBuf::from(folder)], BTreeSet::new());
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let lines = text.lines().filter_map(|line| line.strip_prefix("resource \"aws_")?.split_once('"'));
                kinds.extend(lines.map(|(kind, _)| format!("aws_{kind}")));
            }
        }
        // Somebody's own, beside what is rendered.
        kinds.remove("aws_sqs_queue");
        let unnamed: Vec<&String> = kinds.iter().filter(|kind| lookup(&NOUNS, kind).is_none()).collect();
        assert!(unnamed.is_empty() && kinds.len() > 30, "{unnamed:?} of {kinds:?}");
        assert!(NOUNS.is_sorted(), "they are looked for by people, too");
    }
}
