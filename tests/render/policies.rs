//! What a linter of IAM finds in every policy that is rendered: actions and resources that are not there, or do not go together, and
//! conditions that never hold. Nothing, or an exception with its reason.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::Element;
use serde_json::{Value, json};

use super::{Project, fixture_names, workspace};
use crate::support::external::{python, tool};

/// What stands for the ARNs that are known after an apply only, by the beginning of what refers to them.
const STAND_INS: [(&str, &str); 9] = [
    ("aws_api_gateway_rest_api.", "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5"),
    ("aws_cloudfront_distribution.", "arn:aws:cloudfront::123456789012:distribution/E1"),
    ("aws_dynamodb_table.", "arn:aws:dynamodb:us-east-1:123456789012:table/one"),
    ("aws_iam_openid_connect_provider.", "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"),
    ("aws_kms_key.session", "arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d-0000-1111-2222-333344445555"),
    ("aws_s3_bucket.", "arn:aws:s3:::one"),
    ("data.aws_dynamodb_table.", "arn:aws:dynamodb:us-east-1:123456789012:table/one"),
    (
        "data.aws_iam_openid_connect_provider.",
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    ),
    ("local.log_group_arn", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/one"),
];

/// Findings that do not apply: the issue, a part of its detail, and why.
const EXCUSED: [(&str, &str, &str); 6] = [
    ("MALFORMED", "neither Resource nor NotResource", "a role's trust is of that role"),
    ("UNKNOWN_FEDERATION_SOURCE", "oidc-provider/", "the linter knows providers of SAML and Cognito only"),
    ("UNKNOWN_ACTION", "CapacityProvider", "managed instances are younger than what the linter knows"),
    (
        "UNKNOWN_CONDITION_FOR_ACTION",
        "lambda:SourceFunctionArn for action ec2:",
        "Lambda puts it into every request with a function's credentials, whatever service is asked",
    ),
    (
        "RESOURCE_MISMATCH",
        "on arn:*:ec2:*:*:",
        "Lambda wants every interface, subnet and security group, which is `*/*`; the linter compares kinds one by one",
    ),
    (
        "MISMATCHED_TYPE_BUT_USABLE",
        "StringEquals requires a value of type String but given Arn",
        "a boundary is one ARN without stars, of which both comparisons say the same",
    ),
];

fn stand_in(reference: &str) -> String {
    let found = STAND_INS.iter().find(|(head, _)| reference.starts_with(head));
    found.unwrap_or_else(|| panic!("nothing stands for `{reference}`")).1.to_owned()
}

/// Makes of an expression what Terraform would, as far as policies need it.
fn evaluate(expression: &Expression) -> Value {
    match expression {
        Expression::String(text) => json!(text.as_str()),
        Expression::Bool(truth) => json!(*truth.value()),
        Expression::Number(number) => json!(number.value().as_f64()),
        Expression::Array(array) => array.iter().map(evaluate).collect(),
        Expression::Object(object) => {
            let key = |key: &ObjectKey| match key {
                ObjectKey::Ident(name) => name.as_str().to_owned(),
                ObjectKey::Expression(text) => evaluate(text).as_str().expect("a key is a text").to_owned(),
            };
            Value::Object(object.iter().map(|(name, value)| (key(name), evaluate(value.expr()))).collect())
        }
        Expression::StringTemplate(template) => {
            let part = |element: &Element| match element {
                Element::Literal(text) => text.as_str().to_owned(),
                Element::Interpolation(inside) => evaluate(&inside.expr).as_str().expect("it is a text").to_owned(),
                Element::Directive(_) => panic!("a directive is in a policy"),
            };
            json!(template.iter().map(part).collect::<String>())
        }
        Expression::Traversal(traversal) => {
            let head = traversal.expr.as_variable().expect("it begins with a name").as_str().to_owned();
            let names = traversal.operators.iter().filter_map(|operator| match operator.value() {
                TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
                _ => None,
            });
            json!(stand_in(&std::iter::once(head).chain(names).collect::<Vec<_>>().join(".")))
        }
        // One of what the loop goes over is enough.
        Expression::ForExpr(all) => json!([evaluate(&all.intro.collection_expr)]),
        Expression::Parenthesis(inside) => evaluate(inside.inner()),
        other => panic!("`{other}` is in a policy"),
    }
}

/// Collects the policies of a body by address: what each block has as `policy` or `assume_role_policy`.
fn collect(body: &Body, address: &str, found: &mut Vec<(String, Value)>) {
    for structure in body {
        match structure {
            Structure::Block(block) => collect(&block.body, &name(block, address), found),
            Structure::Attribute(attribute) if attribute.key.as_str().ends_with("policy") => {
                let Some(call) = attribute.value.as_func_call() else { continue };
                let policy = evaluate(call.args.iter().next().expect("it encodes something"));
                // A repository's rules are called so, too.
                if policy.get("Statement").is_some() {
                    found.push((format!("{address}.{}", attribute.key.as_str()), policy));
                }
            }
            Structure::Attribute(_) => {}
        }
    }
}

fn name(block: &Block, above: &str) -> String {
    let labels = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str);
    std::iter::once(above).chain(labels).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// Every policy of every valid manifest, each text once, by where it is first.
fn policies() -> Vec<(String, Value)> {
    let mut all: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for fixture in fixture_names("valid") {
        for (path, bytes) in Project::rendered(&fixture).files() {
            if !path.ends_with(".tf") || path.contains("/examples/") {
                continue;
            }
            let body = hcl_edit::parser::parse_body(std::str::from_utf8(&bytes).unwrap()).unwrap();
            let mut found = Vec::new();
            collect(&body, "", &mut found);
            for (address, policy) in found {
                all.entry(policy.to_string()).or_insert((format!("{fixture}: {path}: {address}"), policy));
            }
        }
    }
    all.into_values().collect()
}

fn lint(policies: &[(String, Value)]) -> Vec<Value> {
    let mut linter = Command::new(python());
    linter.arg(workspace().join("tests/render/policies.py"));
    linter.env("PYTHONPATH", tool("TOOLS_PARLIAMENT", ".tools/parliament")).env("PYTHONWARNINGS", "ignore");
    let mut child = linter.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let text = serde_json::to_vec(policies).unwrap();
    child.stdin.take().expect("asked for").write_all(&text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_finding_in_a_policy_is_fixed_or_excused_with_a_reason() {
    let all = policies();
    assert!(all.len() > 20, "{}", all.len());
    let mut used = [false; EXCUSED.len()];
    let mut wrong = Vec::new();
    for finding in lint(&all) {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        let excused =
            EXCUSED.iter().position(|(issue, part, _)| text("issue") == *issue && text("detail").contains(part));
        match excused {
            Some(at) => used[at] = true,
            None => wrong.push(finding),
        }
    }
    assert!(wrong.is_empty(), "{} findings: {wrong:#?}", wrong.len());
    let idle: Vec<_> = EXCUSED.iter().zip(used).filter(|(_, is_used)| !is_used).collect();
    assert!(idle.is_empty(), "nothing is found any more that these excuse: {idle:?}");
}

#[test]
fn what_is_wrong_in_a_policy_is_found() {
    let policy = |action: &str, resource: &str| {
        let statement = json!({ "Effect": "Allow", "Action": [action], "Resource": [resource] });
        (action.to_owned(), json!({ "Version": "2012-10-17", "Statement": [statement] }))
    };
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/one";
    let found = lint(&[
        policy("dynamodb:Query", table),
        policy("dynamodb:Qery", table),
        policy("dynamodb:Query", "arn:aws:s3:::one"),
    ]);
    let issues: Vec<&str> = found.iter().map(|finding| finding["issue"].as_str().unwrap()).collect();
    assert_eq!(issues, ["UNKNOWN_ACTION", "RESOURCE_MISMATCH"], "{found:#?}");
}
