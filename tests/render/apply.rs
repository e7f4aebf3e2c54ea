//! A whole life of the rendered Terraform: apply, nothing left to do, one change, destroy; against an AWS in memory.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Project;
use super::moto::Moto;
use super::terraform::Root;
use super::terraform_tests::PAGE;
use crate::auth::sessions::kms;

/// An archive with one empty file `bootstrap`: what AWS is given to run, and never runs here.
pub(super) const ZIP: &[u8] = b"PK\x03\x04\x0a\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0bootstrap\
PK\x01\x02\x0a\x03\x0a\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\xed\x81\0\0\0\0bootstrap\
PK\x05\x06\0\0\0\0\x01\0\x01\x007\0\0\0'\0\0\0\0\0";
/// Base64 SHA-256 of that archive.
pub(super) const ZIP_SHA256: &str = "LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE=";

/// One combination: a manifest whose tables may be deleted, where zips share hours, and nothing else that is not the default.
fn manifest(package: &str, front: &str, memory: &str) -> String {
    let shares = package == "zip";
    format!(
        "[stream]\npackage = \"{package}\"\nmemory = \"{memory}\"\nshare_hours = {shares}\n[dashboard]\npackage = \"{package}\"\n\
         [front]\nkind = \"{front}\"\n\
         [tables.items]\ndeletion_protection = false\n[tables.users]\ndeletion_protection = false\n"
    )
}

fn artifacts(package: &str) -> Value {
    match package {
        "zip" => {
            let zip = json!({ "path": "../../dist/function.zip", "sha256": ZIP_SHA256, "architecture": "arm64" });
            json!({ "stream_zip": zip, "dashboard_zip": zip })
        }
        _ => {
            let image = |digit: &str| {
                json!(format!(
                    "123456789012.dkr.ecr.us-east-1.amazonaws.com/sse-streaming-dev@sha256:{}",
                    digit.repeat(64)
                ))
            };
            json!({ "stream_image": image("1"), "dashboard_image": image("2") })
        }
    }
}

/// Every resource in a state, by address, with its attributes.
pub(super) type State = BTreeMap<String, serde_json::Map<String, Value>>;

pub(super) fn state(project: &Project, root: &str) -> State {
    let state: Value = serde_json::from_str(&project.read(&format!("{root}/terraform.tfstate"))).unwrap();
    let mut resources = State::new();
    for resource in state["resources"].as_array().unwrap().iter().filter(|resource| resource["mode"] == "managed") {
        let part = |key: &str| resource[key].as_str().unwrap();
        let module = resource["module"].as_str().map(|module| format!("{module}.")).unwrap_or_default();
        for instance in resource["instances"].as_array().unwrap() {
            let index = instance.get("index_key").map(|key| format!("[{key}]")).unwrap_or_default();
            let address = format!("{module}{}.{}{index}", part("type"), part("name"));
            let attributes = instance["attributes"].as_object().unwrap().clone();
            resources.insert(
                address,
                attributes.into_iter().filter_map(|(key, value)| Some((key, filled(value)?))).collect(),
            );
        }
    }
    resources
}

/// Leaves out what is empty: a provider writes null after it made something, and an empty list after it read it again.
fn filled(value: Value) -> Option<Value> {
    let value = match value {
        Value::Array(items) => Value::Array(items.into_iter().filter_map(filled).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().filter_map(|(key, value)| Some((key, filled(value)?))).collect())
        }
        other => other,
    };
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    (!is_empty).then_some(value)
}

/// What differs between two states: attributes by address, or the word `created` or `destroyed`.
fn difference(before: &State, after: &State) -> BTreeMap<String, BTreeSet<String>> {
    let mut different = BTreeMap::new();
    for address in before.keys().chain(after.keys()) {
        let attributes: BTreeSet<String> = match (before.get(address), after.get(address)) {
            (Some(before), Some(after)) => {
                before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
            }
            (None, _) => BTreeSet::from(["created".to_owned()]),
            (_, None) => BTreeSet::from(["destroyed".to_owned()]),
        };
        if !attributes.is_empty() {
            different.insert(address.clone(), attributes);
        }
    }
    different
}

/// What an apply changed, by address, as Terraform says it for programs.
fn changes(said: &str) -> BTreeMap<String, String> {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let planned = lines.filter(|line| line["type"] == "planned_change");
    planned
        .map(|line| {
            let change = &line["change"];
            (change["resource"]["addr"].as_str().unwrap().to_owned(), change["action"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// Applies everything, and finds nothing left to do.
pub(super) fn apply_all(root: &Root<'_>) {
    root.done(&["apply", "-auto-approve"]);
    // Exit code 2 means that there is a difference; the plan says which.
    root.done(&["plan", "-detailed-exitcode"]);
}

/// The whole life of one combination.
fn cycle(package: &str, front: &str) {
    let moto = Moto::start();
    assert_eq!(moto.inventory(), json!({}));
    let project = Project::new(&manifest(package, front, "128 MiB"));
    project.run(&["render"]).done();
    project.write_bytes("dist/function.zip", ZIP);
    project.write(PAGE, "<!doctype html>\n");
    let root = Root::new(&project, "generated/terraform").with_artifacts(&artifacts(package));
    let root = root.in_memory(&moto);

    apply_all(&root);
    let before = state(&project, "generated/terraform");
    check_inventory(&moto.inventory(), package, front);

    project.write("deploy.toml", &manifest(package, front, "256 MiB"));
    project.run(&["render"]).done();
    let said = root.done(&["apply", "-auto-approve", "-json"]);
    let after = state(&project, "generated/terraform");
    let expected = [
        ("module.stream.aws_lambda_alias.live", &["function_version"][..]),
        (
            "module.stream.aws_lambda_function.this",
            &["memory_size", "qualified_arn", "qualified_invoke_arn", "version"],
        ),
    ];
    let expected = BTreeMap::from(expected.map(|(address, attributes)| {
        (address.to_owned(), attributes.iter().map(|&attribute| attribute.to_owned()).collect())
    }));
    let updates: BTreeMap<String, String> =
        expected.keys().map(|address: &String| (address.clone(), "update".to_owned())).collect();
    assert_eq!(changes(&said), updates);
    // What else differs was read by the provider in another form than it was written; nobody changed it.
    let mut different = difference(&before, &after);
    different.retain(|address, _| updates.contains_key(address));
    assert_eq!(different, expected);
    assert_eq!(after["module.stream.aws_lambda_function.this"]["memory_size"], 256);

    // What is there was just read: reading it again finds nothing else.
    root.done(&["destroy", "-auto-approve", "-refresh=false"]);
    assert_eq!(state(&project, "generated/terraform"), State::new());
    assert_eq!(moto.inventory(), json!({}));
}

/// What AWS itself says is there.
fn check_inventory(inventory: &Value, package: &str, front: &str) {
    let names = |kind: &str| inventory[kind].clone();
    let functions = json!(["sse-streaming-dev-dashboard", "sse-streaming-dev-stream"]);
    assert_eq!(names("lambda.Functions"), functions, "{inventory:#}");
    assert_eq!(names("iam.Roles"), functions, "{inventory:#}");
    let hours = (package == "zip").then_some("sse-streaming-dev-hours");
    let tables: Vec<_> = hours.into_iter().chain(["sse-streaming-dev-items", "sse-streaming-dev-users"]).collect();
    assert_eq!(names("dynamodb.TableNames"), json!(tables));
    let groups = json!(["/aws/lambda/sse-streaming-dev-dashboard", "/aws/lambda/sse-streaming-dev-stream"]);
    assert_eq!(names("logs.logGroups"), groups, "{inventory:#}");
    let auth_type = if front == "cloudfront" { "AWS_IAM" } else { "NONE" };
    for (function, mode) in [("stream", "RESPONSE_STREAM"), ("dashboard", "BUFFERED")] {
        let url = &inventory["lambda.Urls"][format!("sse-streaming-dev-{function}")];
        assert_eq!((&url["AuthType"], &url["InvokeMode"]), (&json!(auth_type), &json!(mode)), "{inventory:#}");
    }
}

#[test]
fn images_behind_function_urls_live_and_die() {
    cycle("image", "function-url");
}

#[test]
fn zips_behind_function_urls_live_and_die() {
    cycle("zip", "function-url");
}

#[test]
fn images_behind_cloudfront_live_and_die() {
    cycle("image", "cloudfront");
}

#[test]
fn zips_behind_cloudfront_live_and_die() {
    cycle("zip", "cloudfront");
}

/// The message whose code under a key is the secret of session tokens.
const SECRET_OF: &str = "sse-streaming: secret of session tokens, version 1";

#[tokio::test]
async fn session_keys_are_made_and_changed_and_no_secret_is_written_down() {
    let moto = Moto::start();
    let with_keys = |keys: &str| {
        format!("{}[auth]\nmode = \"session\"\nsession_keys = {keys}\n", manifest("zip", "function-url", "128 MiB"))
    };
    let project = Project::new(&with_keys("[\"1\"]"));
    project.run(&["render"]).done();
    project.write_bytes("dist/function.zip", ZIP);
    project.write(PAGE, "<!doctype html>\n");
    let root = Root::new(&project, "generated/terraform").with_artifacts(&artifacts("zip"));
    let root = root.in_memory(&moto);
    apply_all(&root);
    let alias = |name: &str| format!("alias/sse-streaming-dev-session-{name}");
    assert_eq!(moto.inventory()["kms.Aliases"], json!([alias("1")]));

    // Exactly the call that the functions make.
    let input = json!({ "KeyId": alias("1"), "Message": STANDARD.encode(SECRET_OF), "MacAlgorithm": "HMAC_SHA_256" });
    let code = kms(moto.address(), "GenerateMac", &input).await["Mac"].as_str().unwrap().to_owned();
    let hex: String = STANDARD.decode(&code).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    root.done(&["plan", "-refresh-only", "-out=plan.bin"]);
    let (is_shown, plan) = root.run(&["show", "-json", "plan.bin"]);
    assert!(is_shown, "{plan}");
    for text in [plan, project.read("generated/terraform/terraform.tfstate")] {
        assert!(text.contains("aws_kms_key") && !text.contains(&code) && !text.contains(&hex));
    }
    let key = &state(&project, "generated/terraform")["aws_kms_key.session[\"1\"]"];
    assert_eq!(
        (&key["key_usage"], &key["customer_master_key_spec"]),
        (&json!("GENERATE_VERIFY_MAC"), &json!("HMAC_256"))
    );

    for (keys, aliases) in [("[\"1\", \"2\"]", json!([alias("1"), alias("2")])), ("[\"2\"]", json!([alias("2")]))] {
        project.write("deploy.toml", &with_keys(keys));
        project.run(&["render"]).done();
        apply_all(&root);
        assert_eq!(moto.inventory()["kms.Aliases"], aliases);
    }
    root.done(&["destroy", "-auto-approve", "-refresh=false"]);
    assert_eq!(moto.inventory(), json!({}));
}

/// Packages both functions for every environment. Returns the hash of their archives, which are of one program.
fn package(project: &Project) -> String {
    project.write_bytes("dist/program", &crate::image::noise("arm64", 128));
    for function in ["stream", "dashboard"] {
        project.run(&["package", "--function", function, "--program", "dist/program"]).done();
    }
    let values: Value = serde_json::from_str(&project.read("generated/terraform/artifacts.auto.tfvars.json")).unwrap();
    values["stream_zip"]["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn environments_are_applied_side_by_side_from_what_was_packaged_once() {
    let moto = Moto::start();
    let unprotected = "[tables.items]\ndeletion_protection = false\n[tables.users]\ndeletion_protection = false\n";
    let project = Project::new(&format!(
        "[stream]\npackage = \"zip\"\n{unprotected}[env.prod.stream]\nmemory = \"256 MiB\"\n\
         [env.eu.project]\nregion = \"eu-west-1\"\n"
    ));
    project.run(&["render"]).done();
    let hash = package(&project);
    let [base, prod, eu] = ["generated/terraform", "generated/prod/terraform", "generated/eu/terraform"].map(|path| {
        assert_eq!(project.read(&format!("{path}/artifacts.auto.tfvars.json")).matches(&hash).count(), 2);
        Root::new(&project, path)
    });
    assert!(eu.plan(&[]).0);
    let roots = [base.in_memory(&moto), prod.in_memory(&moto)];
    for root in &roots {
        root.done(&["apply", "-auto-approve"]);
    }
    // Each still is what its own plan says, with the other one beside it.
    for root in &roots {
        root.done(&["plan", "-detailed-exitcode"]);
    }
    let functions = ["dev-dashboard", "dev-stream", "prod-dashboard", "prod-stream"];
    assert_eq!(moto.inventory()["lambda.Functions"], json!(functions.map(|name| format!("sse-streaming-{name}"))));
    for root in &roots {
        root.done(&["destroy", "-auto-approve", "-refresh=false"]);
    }
    assert_eq!(moto.inventory(), json!({}));
}

#[test]
fn an_image_of_another_region_is_refused_before_anything_changes() {
    let project = Project::new(
        "[stream]\npackage = \"image\"\n[dashboard]\npackage = \"image\"\n[env.eu.project]\nregion = \"eu-west-1\"\n",
    );
    project.run(&["render"]).done();
    let images = artifacts("image");
    assert!(Root::new(&project, "generated/terraform").with_artifacts(&images).plan(&[]).0);
    let (is_planned, said) = Root::new(&project, "generated/eu/terraform").with_artifacts(&images).plan(&[]);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    let sentence = |role: &str| {
        format!(
            "`{role}_image` is an image of another region: a function in eu-west-1 runs images of eu-west-1 only. Push it to \
             the repository that `./justw bootstrap eu` makes."
        )
    };
    assert!(!is_planned, "{said}");
    // Both values stand in one line of one file, and Terraform says one thing of a place.
    assert!(said.contains(&sentence("stream")) || said.contains(&sentence("dashboard")), "{said}");
}

#[test]
fn the_bootstrap_root_lives_and_dies() {
    let moto = Moto::start();
    let project = Project::rendered("stream_image");
    let root = Root::new(&project, "generated/bootstrap").in_memory(&moto);
    apply_all(&root);
    let inventory = moto.inventory();
    assert_eq!(inventory["ecr.repositories"], json!(["sse-streaming-dev"]), "{inventory:#}");
    assert_eq!(inventory["s3.Buckets"].as_array().map(Vec::len), Some(1), "{inventory:#}");
    root.done(&["destroy", "-auto-approve", "-refresh=false"]);
    assert_eq!(moto.inventory(), json!({}));
}
