//! Managed instances: Terraform text for a provider that is newer than the one that can be run here, so that it is parsed
//! and compared, and not planned.

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use super::Project;

fn parse(project: &Project, path: &str) -> Body {
    hcl_edit::parser::parse_body(&project.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The first block whose keyword and labels are these.
fn block<'b>(body: &'b Body, path: &[&'b str]) -> &'b Block {
    let labels = |block: &Block| block.labels.iter().map(|label| label.as_str().to_owned()).collect::<Vec<_>>();
    let mut found = body.get_blocks(path[0]).filter(|block| labels(block) == path[1..]);
    found.next().unwrap_or_else(|| panic!("no block {path:?}"))
}

/// An attribute as it is written, without the space around it.
fn attribute(block: &Block, name: &str) -> String {
    let attribute = block.body.get_attribute(name).unwrap_or_else(|| panic!("no attribute `{name}`"));
    let text = attribute.value.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_instances_have_a_network_a_role_and_a_limit() {
    let project = Project::rendered("managed_instances");
    let body = parse(&project, "generated/terraform/instances.tf");
    let provider = block(&body, &["resource", "aws_lambda_capacity_provider", "stream"]);
    assert_eq!(attribute(provider, "name"), "\"sse-streaming-dev-stream\"");
    let vpc = block(&provider.body, &["vpc_config"]);
    let subnets = vpc.body.get_attribute("subnet_ids").unwrap().value.as_array().unwrap();
    assert_eq!(subnets.len(), 3);
    assert_eq!(attribute(vpc, "security_group_ids"), "[\"sg-0123456789abcdef0\"]");
    assert_eq!(attribute(block(&provider.body, &["instance_requirements"]), "architectures"), "[\"arm64\"]");
    let scaling = block(&provider.body, &["capacity_provider_scaling_config"]);
    assert_eq!(
        (attribute(scaling, "scaling_mode"), attribute(scaling, "max_vcpu_count")),
        ("\"Auto\"".into(), "30".into())
    );
    let permissions = block(&provider.body, &["permissions_config"]);
    assert_eq!(attribute(permissions, "capacity_provider_operator_role_arn"), "aws_iam_role.operator.arn");
    let attachment = block(&body, &["resource", "aws_iam_role_policy_attachment", "operator"]);
    assert_eq!(attribute(attachment, "policy_arn"), "\"arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator\"");
}

#[test]
fn the_stream_function_runs_on_them_and_the_dashboard_function_does_not() {
    let project = Project::rendered("managed_instances");
    let stream = parse(&project, "generated/terraform/stream.tf");
    let module = block(&stream, &["module", "stream"]);
    let Expression::Object(instances) = &module.body.get_attribute("instances").unwrap().value else {
        panic!("`instances` is an object")
    };
    let found: Vec<(String, String)> = instances
        .iter()
        .map(|(key, value)| (key.as_ident().unwrap().to_string(), value.expr().to_string().trim().into()))
        .collect();
    let expected = [
        ("capacity_provider_arn", "aws_lambda_capacity_provider.stream.arn"),
        ("concurrency", "300"),
        ("memory_gibibytes_per_vcpu", "4"),
    ];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(attribute(module, "memory_mebibytes"), "4096");
    for absent in ["vpc", "reserved_concurrency"] {
        assert!(module.body.get_attribute(absent).is_none(), "`{absent}` is for a function without instances");
    }
    let dashboard = parse(&project, "generated/terraform/dashboard.tf");
    assert!(block(&dashboard, &["module", "dashboard"]).body.get_attribute("instances").is_none());
}

#[test]
fn the_module_gives_a_function_instances_where_its_caller_does() {
    let project = Project::rendered("managed_instances");
    let body = parse(&project, "generated/terraform/modules/lambda/instances_override.tf");
    let function = block(&body, &["resource", "aws_lambda_function", "this"]);
    let config = block(&function.body, &["dynamic", "capacity_provider_config"]);
    assert_eq!(attribute(config, "for_each"), "var.instances == null ? [] : [var.instances]");
    let inner = block(&block(&config.body, &["content"]).body, &["lambda_managed_instances_capacity_provider_config"]);
    for (name, value) in [
        ("capacity_provider_arn", "capacity_provider_arn"),
        ("per_execution_environment_max_concurrency", "concurrency"),
        ("execution_environment_memory_gib_per_vcpu", "memory_gibibytes_per_vcpu"),
    ] {
        assert_eq!(attribute(inner, name), format!("capacity_provider_config.value.{value}"));
    }
    // It is merged over a function of the same name, whose alias points to a numbered version as without instances.
    let merged = parse(&project, "generated/terraform/modules/lambda/function.tf");
    assert_eq!(attribute(block(&merged, &["resource", "aws_lambda_function", "this"]), "publish"), "true");
    let variables = parse(&project, "generated/terraform/modules/lambda/instances.tf");
    assert_eq!(attribute(block(&variables, &["variable", "instances"]), "default"), "null");
}

#[test]
fn the_dashboard_and_the_roles_know_of_them() {
    let project = Project::rendered("managed_instances");
    let monitoring = project.read("generated/terraform/monitoring.tf");
    assert!(
        monitoring.contains("\"ExecutionEnvironmentConcurrency\"") && !monitoring.contains("\"ConcurrentExecutions\"")
    );
    let bootstrap = project.read("generated/bootstrap/ci.tf");
    for expected in [
        "arn:aws:lambda:us-east-1:*:capacity-provider:sse-streaming-dev-stream",
        "arn:aws:iam::*:role/sse-streaming-dev-operator",
        "lambda:PassCapacityProvider",
    ] {
        assert!(bootstrap.contains(expected), "no `{expected}` in {bootstrap}");
    }
}

#[test]
fn a_classic_function_shows_no_trace_of_them() {
    let project = Project::rendered("default");
    for (name, bytes) in project.files().into_iter().filter(|(name, _)| name.ends_with(".tf")) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("capacity_provider") && !text.contains("var.instances"), "{name}");
    }
}
