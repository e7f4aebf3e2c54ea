//! What Terraform plans to create from a rendered root, without asking AWS anything.

use std::collections::BTreeMap;

use contract::{DashboardSettings, StreamSettings};
use serde_json::{Value, json};

use super::terraform::Root;
use super::{Project, rendered, workspace};

fn zip(name: &str) -> Value {
    json!({ "path": format!("../../dist/{name}.zip"), "sha256": format!("{}=", "A".repeat(43)) })
}

fn image(name: &str) -> Value {
    json!(format!("registry.invalid/{name}@sha256:{}", "0".repeat(64)))
}

/// Exactly what packaging writes, and the image besides.
pub(super) fn artifacts() -> Value {
    json!({ "stream_zip": zip("stream"), "dashboard_zip": zip("dashboard"), "stream_image": image("stream") })
}

/// What two functions are that are both images.
pub(super) fn images() -> Value {
    json!({ "stream_image": image("stream"), "dashboard_image": image("dashboard") })
}

/// The planned resources of a module (`""` for the root) by type and name.
pub(super) fn resources(plan: &Value, module: &str) -> BTreeMap<String, Value> {
    let root = &plan["planned_values"]["root_module"];
    let module = match module {
        "" => root,
        name => {
            let children = root["child_modules"].as_array().expect("there are modules");
            let address = format!("module.{name}");
            children.iter().find(|child| child["address"] == address.as_str()).expect("the module is planned")
        }
    };
    let resources = module["resources"].as_array().expect("there are resources").iter();
    resources
        .map(|resource| {
            let name = format!("{}.{}", resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap());
            (name, resource["values"].clone())
        })
        .collect()
}

fn lookup(tables: &[(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| tables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

fn environment(function: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(function["environment"][0]["variables"].clone()).unwrap()
}

fn owned(environment: BTreeMap<&'static str, String>) -> BTreeMap<String, String> {
    environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Both permissions of a public URL, and nothing wider.
fn check_permissions(resources: &BTreeMap<String, Value>, function: &str) {
    let permissions: Vec<&Value> = resources
        .iter()
        .filter(|(name, _)| name.starts_with("aws_lambda_permission."))
        .map(|(_, permission)| permission)
        .collect();
    assert_eq!(permissions.len(), 1, "{permissions:?}");
    let url = permissions[0];
    assert_eq!(url["action"], "lambda:InvokeFunctionUrl");
    assert_eq!((&url["function_url_auth_type"], &url["principal"]), (&json!("NONE"), &json!("*")));
    assert_eq!((&url["function_name"], &url["qualifier"]), (&json!(function), &json!("live")));
    let stack = resources["aws_cloudformation_stack.permission"]["template_body"].as_str().unwrap();
    let stack: Value = serde_json::from_str(stack).unwrap();
    let resources = stack["Resources"].as_object().unwrap();
    assert_eq!(resources.len(), 1);
    let expected = json!({
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": format!("{function}:live"),
            "InvokedViaFunctionUrl": true,
            "Principal": "*",
        },
    });
    assert_eq!(resources.values().next(), Some(&expected));
}

#[test]
fn without_artifacts_one_sentence_names_the_command() {
    for (name, sentence) in [
        (
            "stream_image",
            "The functions are not packaged yet: run `./justw package` for dashboard and `./justw image` to push the image of stream, or set `package = \"zip\"` for stream too.",
        ),
        ("default", "The functions are not packaged yet: run `./justw package`."),
    ] {
        let project = Project::rendered(name);
        let (is_planned, said) = Root::new(&project, "generated/terraform").plan(&[]);
        assert!(!is_planned);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(sentence), "{said}");
        assert_eq!(said.matches("Error:").count(), 1, "{said}");
    }
}

#[test]
fn an_image_by_tag_and_a_zip_by_a_bad_hash_are_refused() {
    let mut tag = artifacts();
    tag["stream_image"] = json!("registry.invalid/stream:latest");
    let mut hash = artifacts();
    hash["dashboard_zip"]["sha256"] = json!("abc");
    for (bad, sentence) in [
        (tag, "`stream_image` must end with `@sha256:` and 64 hexadecimal digits: images are pinned by digest."),
        (hash, "`dashboard_zip.sha256` must be the base64 SHA-256 of the archive, 44 characters."),
    ] {
        let project = Project::rendered("default");
        let (is_planned, said) = Root::new(&project, "generated/terraform").with_artifacts(&bad).plan(&[]);
        assert!(!is_planned);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(sentence), "{said}");
        assert_eq!(said.matches("Error:").count(), 1, "{said}");
    }
}

#[test]
fn an_image_that_streams_and_a_zip_that_does_not_are_planned_side_by_side() {
    let project = Project::rendered("stream_image");
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let (stream, dashboard) = (resources(&plan, "stream"), resources(&plan, "dashboard"));

    let function = &stream["aws_lambda_function.this"];
    assert_eq!((&function["package_type"], &function["image_uri"]), (&json!("Image"), &image("stream")));
    assert_eq!(
        (&function["runtime"], &function["handler"], &function["filename"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!((&function["memory_size"], &function["timeout"]), (&json!(128), &json!(180)));
    assert_eq!((&function["architectures"], &function["publish"]), (&json!(["arm64"]), &json!(true)));
    assert_eq!(stream["aws_lambda_function_url.this"]["invoke_mode"], "RESPONSE_STREAM");

    let function = &dashboard["aws_lambda_function.this"];
    assert_eq!((&function["package_type"], &function["image_uri"]), (&json!("Zip"), &Value::Null));
    assert_eq!((&function["runtime"], &function["handler"]), (&json!("provided.al2023"), &json!("bootstrap")));
    assert_eq!(function["filename"], "../../dist/dashboard.zip");
    assert_eq!(function["source_code_hash"], zip("dashboard")["sha256"]);
    assert_eq!(dashboard["aws_lambda_function_url.this"]["invoke_mode"], "BUFFERED");

    let tables = lookup(&[
        ("SENTIMENTS_TABLE", "sse-streaming-dev-items"),
        ("USERS_TABLE", "sse-streaming-dev-users"),
        ("METRICS", "totals"),
        ("METRICS_NAMESPACE", "sse-streaming-dev"),
    ]);
    let expected = owned(StreamSettings::from_env(&tables).unwrap().to_env());
    assert_eq!(environment(&stream["aws_lambda_function.this"]), expected);
    // The stream's own URL is known only after apply, and until then Terraform tells none of the variables beside it.
    let project = Project::new("[page]\nsse_base_url = \"https://live.example.com\"\n");
    project.run(&["render"]).done();
    let known = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let mut expected = owned(DashboardSettings::from_env(&tables).unwrap().to_env());
    expected.insert("SSE_URL".to_owned(), "https://live.example.com".to_owned());
    assert_eq!(environment(&resources(&known, "dashboard")["aws_lambda_function.this"]), expected);

    for (role, resources) in [("stream", &stream), ("dashboard", &dashboard)] {
        let name = format!("sse-streaming-dev-{role}");
        check_permissions(resources, &name);
        let url = &resources["aws_lambda_function_url.this"];
        assert_eq!((&url["function_name"], &url["qualifier"]), (&json!(name), &json!("live")));
        assert_eq!(url["authorization_type"], "NONE");
        assert_eq!(url["cors"][0]["allow_origins"], json!(["*"]));
        assert_eq!(url["cors"][0]["allow_headers"], json!(contract::cors::ALLOW_HEADERS));
        assert_eq!(resources["aws_lambda_alias.live"]["name"], "live");
        let group = &resources["aws_cloudwatch_log_group.this"];
        assert_eq!((&group["name"], &group["retention_in_days"]), (&json!(format!("/aws/lambda/{name}")), &json!(14)));
        for (address, resource) in resources.iter().filter(|(_, resource)| resource.get("tags_all").is_some()) {
            let tags = json!({ "project": "sse-streaming", "environment": "dev", "managed-by": "infragen" });
            assert_eq!(resource["tags_all"], tags, "{address}");
        }
    }
}

#[test]
fn the_index_carries_exactly_what_is_read_and_the_table_is_guarded() {
    let project = Project::rendered("default");
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let tables = resources(&plan, "");
    let items = &tables["aws_dynamodb_table.items"];
    let index = &items["global_secondary_index"][0];
    assert_eq!((&index["name"], &index["hash_key"]), (&json!("by_sentiment"), &json!("sentiment")));
    assert_eq!((&index["range_key"], &index["projection_type"]), (&json!("timestamp"), &json!("INCLUDE")));
    assert_eq!(sorted(&index["non_key_attributes"]), ["confidence", "matched_tickers", "score", "source", "status"]);
    assert_eq!((&items["hash_key"], &items["range_key"]), (&json!("source_id"), &json!("timestamp")));
    assert_eq!(items["billing_mode"], "PAY_PER_REQUEST");
    assert_eq!(items["ttl"][0]["attribute_name"], "ttl");
    // What is shown of rows comes with it, the whole attribute of a path, and no key twice.
    let shown = rendered(
        "[data]\nshow = [\"author\", \"deal.price\"]\n[data.attributes]\ntitle = \"headline\"\nurl = \"source_id\"\nscore = false\n",
    );
    let plan = Root::new(&shown, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let index = &resources(&plan, "")["aws_dynamodb_table.items"]["global_secondary_index"][0];
    let projected = ["author", "confidence", "deal", "headline", "matched_tickers", "source", "status"];
    assert_eq!(sorted(&index["non_key_attributes"]), projected);
    for table in [items, &tables["aws_dynamodb_table.users"]] {
        assert_eq!(table["deletion_protection_enabled"], true);
        assert_eq!(table["point_in_time_recovery"][0]["enabled"], true);
    }
    let outputs = plan["configuration"]["root_module"]["outputs"].as_object().unwrap();
    assert!(outputs.contains_key("config_js") && outputs.contains_key("stream_url"), "{outputs:?}");
    for (name, output) in outputs {
        assert!(output["description"].as_str().is_some_and(|text| !text.is_empty()), "`{name}` has no description");
    }
}

pub(super) fn sorted(list: &Value) -> Vec<&str> {
    let mut texts: Vec<&str> = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    texts.sort_unstable();
    texts
}

#[test]
fn another_table_is_planned_with_its_own_names_and_without_the_columns_it_lacks() {
    let project = Project::rendered("orders");
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let items = &resources(&plan, "")["aws_dynamodb_table.items"];
    let index = &items["global_secondary_index"][0];
    assert_eq!((&index["name"], &index["hash_key"]), (&json!("by_status"), &json!("order_status")));
    assert_eq!(sorted(&index["non_key_attributes"]), ["regions", "shop", "visible"]);
    let stream = resources(&plan, "stream");
    let function = &stream["aws_lambda_function.this"];
    assert_eq!((&function["package_type"], &function["filename"]), (&json!("Zip"), &json!("../../dist/stream.zip")));
    assert_eq!((&function["reserved_concurrent_executions"], &function["memory_size"]), (&json!(20), &json!(1024)));
    let variables = environment(function);
    for (name, value) in [
        ("DATA_LABELS", "open,shipped,cancelled"),
        ("DATA_SCORE_ATTRIBUTE", "-"),
        ("DATA_UPDATE_EVENT", "order_update"),
        ("SSE_POLL_INTERVAL", "500ms"),
        ("SENTIMENTS_TABLE", "orders-prod-items"),
    ] {
        assert_eq!(variables[name], value, "{name}");
    }
    let origins = &stream["aws_lambda_function_url.this"]["cors"][0]["allow_origins"];
    assert_eq!(
        sorted(origins),
        ["capacitor://localhost", "http://[::1]:8080", "http://localhost:8080", "https://orders.example.com"]
    );
}

#[test]
fn an_archive_for_another_processor_is_refused_before_anything_changes() {
    let project = Project::rendered("default");
    for (architecture, is_good) in [(json!("arm64"), true), (json!(null), true), (json!("x86_64"), false)] {
        let mut artifacts = artifacts();
        artifacts["stream_zip"]["architecture"] = architecture.clone();
        let (is_planned, said) = Root::new(&project, "generated/terraform").with_artifacts(&artifacts).plan(&[]);
        assert_eq!(is_planned, is_good, "{architecture}: {said}");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        let sentence =
            "`stream_zip` was built for another processor than deploy.toml says, arm64: run `./justw package`.";
        assert_eq!(said.contains(sentence), !is_good, "{said}");
    }
}

#[test]
fn hostile_text_reaches_the_plan_as_it_was_written() {
    let project = Project::rendered("hostile");
    let manifest: toml::Table = toml::from_str(&project.read("deploy.toml")).unwrap();
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let stream = resources(&plan, "stream");
    let function = &stream["aws_lambda_function.this"];
    assert_eq!(function["description"].as_str(), manifest["project"]["description"].as_str());
    for (key, value) in manifest["project"]["tags"].as_table().unwrap() {
        assert_eq!(function["tags_all"][key].as_str(), value.as_str(), "{key}");
    }
    assert_eq!(environment(function)["DATA_STATUS_READY"], manifest["data"]["status_ready"].as_str().unwrap());
}

#[test]
fn the_bootstrap_root_plans_a_guarded_repository_and_bucket() {
    let project = Project::rendered("stream_image");
    let plan = Root::new(&project, "generated/bootstrap").planned(&[]);
    let resources = resources(&plan, "");
    let repository = &resources["aws_ecr_repository.functions"];
    assert_eq!(
        (&repository["name"], &repository["image_tag_mutability"]),
        (&json!("sse-streaming-dev"), &json!("IMMUTABLE"))
    );
    assert_eq!(repository["image_scanning_configuration"][0]["scan_on_push"], true);
    assert_eq!(resources["aws_s3_bucket.state"]["bucket_prefix"], "sse-streaming-dev-state-");
    let versioning = &resources["aws_s3_bucket_versioning.state"]["versioning_configuration"][0]["status"];
    assert_eq!(versioning, "Enabled");
    let access = &resources["aws_s3_bucket_public_access_block.state"];
    for key in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] {
        assert_eq!(access[key], true, "{key}");
    }
    assert!(resources.contains_key("aws_s3_bucket_policy.state"));
    assert!(resources.contains_key("aws_ecr_lifecycle_policy.functions"));
}

#[test]
fn a_newer_provider_expresses_the_second_permission_itself() {
    let project = Project::rendered("newer_provider");
    let file = project.read("generated/terraform/modules/lambda/function_permission.tf");
    let is_own = file.contains("invoked_via_function_url = true") && !file.contains("cloudformation");
    assert!(is_own, "{file}");
    let file = Project::rendered("default").read("generated/terraform/modules/lambda/function_permission.tf");
    assert!(!file.contains("invoked_via_function_url") && file.contains("aws_cloudformation_stack"), "{file}");
}

/// Statements that name every resource, by manifest: their actions know no narrower one, or they refuse. That of traces is in the
/// module, whether a manifest asks for them or not.
const EVERY_RESOURCE: [(&str, &[&str]); 5] = [
    ("default", &["WriteTraces"]),
    ("existing_tables", &["WriteTraces"]),
    ("operations", &["FindNetworkInterfaces", "RefuseToProgram", "WriteTraces"]),
    (
        "ci",
        &[
            "FindLogGroups",
            "FindLogGroups",
            "FindNetworkInterfaces",
            "FindNetworks",
            "RefuseToProgram",
            "SignInToRegistry",
            "Subscription",
            "Subscription",
            "WriteTraces",
        ],
    ),
    (
        "ci_cloudfront",
        &[
            "AccessLogPolicy",
            "AccessLogPolicy",
            "AskForCertificate",
            "FindLogGroups",
            "FindLogGroups",
            "MakeAccessControl",
            "WriteTraces",
        ],
    ),
];

#[test]
fn no_policy_names_every_resource() {
    for (name, expected) in EVERY_RESOURCE {
        let project = Project::rendered(name);
        let mut wide = Vec::new();
        for (_, bytes) in project.files() {
            let text = String::from_utf8(bytes).unwrap();
            let mut sid = "";
            for line in text.lines().map(str::trim_start) {
                if line.starts_with("Sid ") {
                    sid = line.split('"').nth(1).unwrap();
                }
                if line.starts_with("Resource ") && line.contains("\"*\"") {
                    wide.push(sid.to_owned());
                }
            }
        }
        wide.sort();
        assert_eq!(wide, expected, "{name}");
        let stream = project.read("generated/terraform/stream.tf");
        let actions: Vec<&str> = stream.lines().filter(|line| line.contains("Action ")).map(str::trim).collect();
        let expected = [r#"Action   = ["dynamodb:Query", "dynamodb:Scan"]"#];
        assert_eq!(actions, expected, "{name}");
    }
}

#[test]
fn what_somebody_adds_survives_and_reaches_the_plan() {
    let project = Project::new("");
    let built_in = std::fs::read_to_string(workspace().join("templates/terraform/tables.tf")).unwrap();
    assert!(built_in.contains("billing_mode = \"PAY_PER_REQUEST\""));
    // A template of one's own, a resource of one's own, and an override of what the module says.
    let class = "{% if tags %}table_class = \"STANDARD_INFREQUENT_ACCESS\"{% endif %}";
    let own = built_in.replace("billing_mode =", &format!("{class}\n  billing_mode ="));
    project.write("templates/terraform/tables.tf", &own);
    project.write("templates/terraform/tabels.tf", &own);
    project.write("generated/terraform/extra.tf", "resource \"aws_sqs_queue\" \"late\" {\n  name = \"late\"\n}\n");
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    project.write(
        "generated/terraform/modules/lambda/iam_override.tf",
        &format!("resource \"aws_iam_role\" \"this\" {{\n  permissions_boundary = \"{boundary}\"\n}}\n"),
    );
    for arguments in [&["render"][..], &["render", "--check"], &["render", "--force"]] {
        let said = project.run(arguments).done().stderr;
        assert!(
            said.contains("warning: `templates/terraform/tabels.tf` has the name of no template: it is not used\n"),
            "{said}"
        );
    }
    let said = project.run(&["render", "--check"]).done().stderr;
    for line in [
        "`templates/terraform/tables.tf` is yours: it is rendered in the place of the built-in one\n",
        "`generated/terraform/extra.tf` is yours: Terraform reads it with what is rendered\n",
        "`generated/terraform/modules/lambda/iam_override.tf` is yours: Terraform reads it with what is rendered\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let root = resources(&plan, "");
    assert_eq!(root["aws_sqs_queue.late"]["name"], "late");
    assert_eq!(root["aws_dynamodb_table.items"]["table_class"], "STANDARD_INFREQUENT_ACCESS");
    for role in ["stream", "dashboard"] {
        assert_eq!(resources(&plan, role)["aws_iam_role.this"]["permissions_boundary"], boundary, "{role}");
    }
    // A template with a mistake is named, and nothing is written.
    project.write("templates/terraform/tables.tf", "resource \"x\" {{ names.nothing }}\n");
    let run = project.run(&["render"]);
    assert!(run.code == 1 && run.stderr.contains("`generated/terraform/tables.tf`"), "{run:?}");
    project.write("templates/terraform/tables.tf", "resource \"x\" {\n");
    let run = project.run(&["render"]);
    assert!(run.code == 1 && run.stderr.contains("rendered `generated/terraform/tables.tf` is not HCL"), "{run:?}");
}
