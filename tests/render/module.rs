//! The module of one function as others use it: from roots of their own, with the provider that is here, and against an AWS in
//! memory. The roots are its examples.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hcl_edit::structure::Body;
use serde_json::{Value, json};

use super::apply::{State, ZIP, ZIP_SHA256, apply_all, state};
use super::moto::Moto;
use super::plans::resources;
use super::terraform::{Init, Root};
use super::{Project, is_updating, workspace};
use crate::support::shared::Shared;

/// Where it lies, in the repository and in a project made of it.
const PATH: &str = "templates/terraform/modules/lambda";

/// Of the module in roots that call it `function`, as the examples do.
static MODULE: Shared<Init> =
    Shared::new("`terraform init` of the module", || Init::new("terraform-module", &project(), &example("zip")));

/// Of a root with everything that does not fit.
static WRONG_ROOT: Shared<Init> =
    Shared::new("`terraform init` of wrong calls", || Init::new("terraform-wrong", &wrong(), &example("wrong")));

fn folder() -> PathBuf {
    workspace().join(PATH)
}

/// Names of the examples, sorted.
fn examples() -> Vec<String> {
    let entries = std::fs::read_dir(folder().join("examples")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The module as it lies in the repository, with its examples, and an archive where they look for one.
fn project() -> Project {
    let project = Project::empty();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(workspace()).unwrap().to_str().unwrap().to_owned();
                project.write_bytes(&name, &std::fs::read(&path).unwrap());
            }
        }
    }
    for name in examples() {
        project.write_bytes(&format!("{PATH}/examples/{name}/function.zip"), ZIP);
    }
    project
}

fn example(name: &str) -> String {
    format!("{PATH}/examples/{name}")
}

fn image() -> String {
    format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/example@sha256:{}", "1".repeat(64))
}

/// Values of the variables that the examples have no defaults for.
fn values() -> Value {
    json!({
        "image_uri": image(),
        "layer_arn": "arn:aws:lambda:us-east-1:123456789012:layer:example:1",
        "security_group_ids": ["sg-0123456789abcdef0"],
        "subnet_ids": ["subnet-0123456789abcdef0"],
    })
}

/// One root of the module's, with the values that it declares variables for.
fn root<'p>(project: &'p Project, name: &str) -> Root<'p> {
    let path = example(name);
    let body = parse(&project.path().join(&path).join("main.tf"));
    let declared = labels(&body, "variable");
    let mut values = values();
    values.as_object_mut().unwrap().retain(|name, _| declared.contains(name));
    project.write(&format!("{path}/values.auto.tfvars.json"), &values.to_string());
    Root::of(project, &path, &MODULE)
}

fn parse(path: &Path) -> Body {
    let text = std::fs::read_to_string(path).unwrap();
    hcl_edit::parser::parse_body(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn labels(body: &Body, kind: &str) -> Vec<String> {
    body.get_blocks(kind).map(|block| block.labels[0].as_str().to_owned()).collect()
}

/// Files of one of its folders that Terraform reads.
fn terraform_files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|one| one == "tf")).collect();
    paths.sort();
    paths
}

#[test]
fn it_lies_there_as_terraform_reads_it() {
    let project = project();
    Root::of(&project, PATH, &MODULE).validate();
    for name in examples() {
        root(&project, &name).validate();
    }
    assert!(examples().len() >= 5, "{:?}", examples());
    let output = std::process::Command::new("terraform")
        .args(["fmt", "-check", "-recursive", "-no-color"])
        .current_dir(folder())
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    for path in terraform_files(&folder()) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("{%") && !text.contains("{{"), "{} is a template", path.display());
    }
}

#[test]
fn it_asks_for_no_upper_version() {
    let text = std::fs::read_to_string(folder().join("versions.tf")).unwrap();
    let constraints: Vec<&str> = text.lines().filter(|line| line.contains("version") && line.contains('"')).collect();
    assert_eq!(constraints.len(), 2, "{text}");
    assert!(constraints.iter().all(|line| line.contains("\">= ") && !line.contains(',')), "{text}");
}

/// What a table shows of an expression: all of it on one line.
fn cell(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = lines.join(", ").replace("{, ", "{ ").replace(", }", " }").replace('|', "\\|");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tables of inputs and outputs, as the files of the module say them.
fn tables() -> String {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for path in terraform_files(&folder()).into_iter().chain(terraform_files(&folder().join("since_6_24"))) {
        let body = parse(&path);
        for block in body.get_blocks("variable").chain(body.get_blocks("output")) {
            let name = block.labels[0].as_str();
            let text = |key: &str| block.body.get_attribute(key).map(|one| cell(&one.value.to_string()));
            let description = text("description").unwrap_or_else(|| panic!("`{name}` has no description"));
            let description = description.trim_matches('"').to_owned();
            assert!(seen.insert((block.ident.to_string(), name.to_owned())), "`{name}` is there twice");
            if block.ident.as_str() == "output" {
                outputs.push(format!("| `{name}` | {description} |\n"));
                continue;
            }
            let kind = text("type").unwrap_or_else(|| panic!("`{name}` has no type"));
            let default = text("default").map_or_else(|| "required".to_owned(), |default| format!("`{default}`"));
            let since = if path.parent() == Some(&folder()) { "" } else { " Provider 6.24.0 or newer." };
            inputs.push(format!("| `{name}` | `{kind}` | {default} | {description}{since} |\n"));
        }
    }
    format!(
        "\n| input | type | default | |\n|---|---|---|---|\n{}\n| output | |\n|---|---|\n{}\n",
        inputs.concat(),
        outputs.concat()
    )
}

#[test]
fn its_readme_lists_every_input_and_output() {
    const BEGIN: &str = "<!-- made from the .tf files -->\n";
    const END: &str = "<!-- until here -->\n";
    let path = folder().join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the mark of the tables");
    let (_, tail) = rest.split_once(END).expect("the mark of their end");
    let found = [head, BEGIN, &tables(), END, tail].concat();
    if is_updating() {
        std::fs::write(&path, &found).unwrap();
    } else {
        assert!(text == found, "{PATH}/README.md is stale: run `UPDATE=1 ./justw it -p tests render::module`");
    }
    for name in examples() {
        assert!(text.contains(&format!("(examples/{name}/main.tf)")), "{name} is not mentioned");
    }
}

/// Outputs of a state, by name.
fn outputs(project: &Project, root: &str) -> Value {
    let state: Value = serde_json::from_str(&project.read(&format!("{root}/terraform.tfstate"))).unwrap();
    state["outputs"]["function"]["value"].clone()
}

/// Applies an example, finds nothing left to do, and gives its state and what AWS says; then destroys it.
fn applied(name: &str) -> (State, Value) {
    let moto = Moto::start();
    let project = project();
    let path = example(name);
    let root = root(&project, name).in_memory(&moto);
    apply_all(&root);
    let (state, outputs, inventory) = (state(&project, &path), outputs(&project, &path), moto.inventory());
    root.done(&["destroy", "-auto-approve", "-refresh=false"]);
    assert_eq!(moto.inventory(), json!({}));
    check_outputs(&outputs, name);
    (state, inventory)
}

/// What every function has in common: its names, and that all of them are of one function.
fn check_outputs(outputs: &Value, name: &str) {
    let function = format!("arn:aws:lambda:us-east-1:123456789012:function:example-{name}");
    let path = if name == "s3" { "functions/" } else { "" };
    for (output, expected) in [
        ("function_name", format!("example-{name}")),
        ("function_arn", function.clone()),
        ("version", "1".into()),
        ("qualified_arn", format!("{function}:1")),
        ("alias_name", "live".into()),
        ("alias_arn", format!("{function}:live")),
        ("role_name", format!("example-{name}")),
        ("role_arn", format!("arn:aws:iam::123456789012:role/{path}example-{name}")),
        ("log_group_name", format!("/aws/lambda/example-{name}")),
        ("log_group_arn", format!("arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/example-{name}")),
        (
            "invoke_arn",
            format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}:live/invocations"),
        ),
        (
            "streaming_invoke_arn",
            format!(
                "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/{function}:live/\
                 response-streaming-invocations"
            ),
        ),
    ] {
        assert_eq!(outputs[output], expected, "{output}");
    }
    let (url, host) = (outputs["url"].as_str().unwrap(), outputs["url_host"].as_str().unwrap());
    assert_eq!(url.trim_start_matches("https://").trim_end_matches('/'), host);
    assert_eq!(outputs.as_object().unwrap().len(), 14, "{outputs:#}");
}

#[test]
fn an_image_streams_to_everybody() {
    let (state, inventory) = applied("image");
    let function = &state["module.function.aws_lambda_function.this"];
    assert_eq!((&function["package_type"], &function["image_uri"]), (&json!("Image"), &json!(image())));
    assert_eq!(function["image_config"][0]["command"], json!(["serve"]));
    assert_eq!((function.get("runtime"), function.get("environment")), (None, None));
    assert!(!state.contains_key("module.function.aws_iam_role_policy.access[0]"), "no policy was given");
    let url = &inventory["lambda.Urls"]["example-image"];
    assert_eq!((&url["AuthType"], &url["InvokeMode"]), (&json!("NONE"), &json!("RESPONSE_STREAM")));
    assert_eq!(url["Cors"]["AllowOrigins"], json!(["https://www.example.com"]));
}

#[test]
fn an_archive_comes_from_s3_with_key_boundary_and_traces() {
    let (state, inventory) = applied("s3");
    let function = &state["module.function.aws_lambda_function.this"];
    assert_eq!((&function["package_type"], &function["s3_key"]), (&json!("Zip"), &json!("function.zip")));
    assert_eq!(function["s3_object_version"], state["aws_s3_object.archive"]["version_id"]);
    assert_eq!((&function["source_code_hash"], &function["code_sha256"]), (&json!(ZIP_SHA256), &json!(ZIP_SHA256)));
    assert_eq!((&function["runtime"], &function["handler"]), (&json!("provided.al2023"), &json!("bootstrap")));
    assert_eq!(function["ephemeral_storage"][0]["size"], 1024);
    assert_eq!(function["tracing_config"][0]["mode"], "Active");
    let key = &state["aws_kms_key.this"]["arn"];
    let group = &state["module.function.aws_cloudwatch_log_group.this[0]"];
    assert_eq!((&function["kms_key_arn"], &group["kms_key_id"]), (key, key));
    assert_eq!(group["retention_in_days"], 30);
    let role = &state["module.function.aws_iam_role.this"];
    assert_eq!(role["permissions_boundary"], state["aws_iam_policy.boundary"]["arn"]);
    assert!(state.contains_key("module.function.aws_iam_role_policy.traces[0]"));
    let url = &inventory["lambda.Urls"]["example-s3"];
    assert_eq!((&url["AuthType"], &url["InvokeMode"]), (&json!("NONE"), &json!("BUFFERED")));
}

#[test]
fn an_archive_on_this_machine_is_granted_more_from_outside() {
    let (state, _) = applied("zip");
    let function = &state["module.function.aws_lambda_function.this"];
    assert_eq!((&function["package_type"], &function["source_code_hash"]), (&json!("Zip"), &json!(ZIP_SHA256)));
    assert_eq!((&function["runtime"], &function["handler"]), (&json!("nodejs22.x"), &json!("index.handler")));
    assert_eq!(function["logging_config"][0]["log_format"], "JSON");
    assert_eq!(function["logging_config"][0]["log_group"], "/aws/lambda/example-zip");
    assert!(state.contains_key("module.function.aws_iam_role_policy.access[0]"));
    assert_eq!(state["aws_lambda_permission.schedule"]["qualifier"], "live");
}

#[test]
fn a_distribution_and_a_network_are_planned() {
    let project = project();
    let plan = root(&project, "cloudfront").planned(&[]);
    let function = resources(&plan, "function");
    assert_eq!(function["aws_lambda_function_url.this"]["authorization_type"], "AWS_IAM");
    for permission in ["url", "function"] {
        let permission = &function[&format!("aws_lambda_permission.{permission}")];
        assert_eq!(permission["principal"], "cloudfront.amazonaws.com");
    }
    assert!(!function.contains_key("aws_cloudformation_stack.permission"));
    let plan = root(&project, "vpc").planned(&[]);
    let function = &resources(&plan, "function")["aws_lambda_function.this"];
    assert_eq!(function["vpc_config"][0]["subnet_ids"], values()["subnet_ids"]);
    assert_eq!(function["layers"], json!([values()["layer_arn"]]));
}

const CODE_ONCE: &str = "Give the code once: either `image_uri`, or `s3_bucket` and `s3_key`, or `zip`.";
const CALLERS: &str = "Say who may call the URL: either `public = true`, or `distribution_arn`.";
const ZIP_INPUT: &str = "zip = { path = \"function.zip\", sha256 = \"abc\" }";

/// What is given in place of or beside what is right, and the one sentence that says why it cannot be.
fn mistakes() -> [(String, &'static str); 13] {
    [
        ("image_uri = null".into(), CODE_ONCE),
        (ZIP_INPUT.into(), CODE_ONCE),
        ("s3_bucket = \"bucket\"\ns3_key = \"key\"".into(), CODE_ONCE),
        ("image_uri = null\ns3_bucket = \"bucket\"".into(), "Give `s3_bucket` and `s3_key` together."),
        (
            "s3_object_version = \"1\"".into(),
            "`s3_object_version` is of an archive in S3: give `s3_bucket` and `s3_key`.",
        ),
        (
            "s3_sha256 = \"LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE=\"".into(),
            "`s3_sha256` is of an archive in S3: give `s3_bucket` and `s3_key`.",
        ),
        ("layers = [\"arn\"]".into(), "`layers` are for archives: an image has its own."),
        (
            format!("image_uri = null\n{ZIP_INPUT}\nimage_config = {{}}"),
            "`image_config` is of an image: an archive has a `handler`.",
        ),
        ("invoke_mode = \"STREAM\"".into(), "`invoke_mode` must be BUFFERED or RESPONSE_STREAM."),
        ("architecture = \"arm\"".into(), "`architecture` must be arm64 or x86_64."),
        ("logging = { format = \"json\" }".into(), "`logging.format` must be Text or JSON."),
        ("public = false".into(), CALLERS),
        ("distribution_arn = \"arn:aws:cloudfront::123456789012:distribution/X\"".into(), CALLERS),
    ]
}

/// A root that calls the module once for each of these mistakes, and once without any.
fn calls<'m>(mistakes: impl Iterator<Item = (usize, &'m str)>) -> String {
    let right = [
        ("image_uri", format!("\"{}\"", image())),
        ("name", "\"wrong\"".into()),
        ("architecture", "\"arm64\"".into()),
        ("memory_mebibytes", "128".into()),
        ("timeout_secs", "60".into()),
        ("invoke_mode", "\"BUFFERED\"".into()),
        ("public", "true".into()),
    ];
    let mut text = "provider \"aws\" {\n  region = \"us-east-1\"\n}\n".to_owned();
    for (index, change) in mistakes.chain([(self::mistakes().len(), "")]) {
        let is_changed = |name: &str| change.lines().any(|line| line.starts_with(&format!("{name} =")));
        let kept = right.iter().filter(|(name, _)| !is_changed(name));
        let kept: String = kept.map(|(name, value)| format!("{name} = {value}\n")).collect();
        write!(text, "module \"call_{index}\" {{\nsource = \"../..\"\n{kept}{change}\n}}\n").unwrap();
    }
    text
}

fn wrong() -> Project {
    let mistakes = mistakes();
    let project = project();
    let text = calls(mistakes.iter().enumerate().map(|(index, (change, _))| (index, change.as_str())));
    project.write(&format!("{}/main.tf", example("wrong")), &text);
    project
}

#[test]
fn each_call_that_does_not_fit_is_refused_in_one_sentence() {
    let project = wrong();
    let mistakes = mistakes();
    let mut left: Vec<usize> = (0..mistakes.len()).collect();
    // Some are seen before the others are looked at: what was refused is taken out until nothing is.
    while !left.is_empty() {
        let text = calls(left.iter().map(|&index| (index, mistakes[index].0.as_str())));
        project.write(&format!("{}/main.tf", example("wrong")), &text);
        let (is_planned, said) = Root::of(&project, &example("wrong"), &WRONG_ROOT).plan(&[]);
        assert!(!is_planned, "{:?}", left.iter().map(|&index| &mistakes[index]).collect::<Vec<_>>());
        let flat = said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let mut errors: Vec<&str> = flat.split("Error: ").skip(1).collect();
        // Where the input that is wrong was not given, Terraform does not say which call it is of: those come last.
        let names_a_call = |error: &&str| error.contains("in module \"call_");
        errors.sort_by_key(|error| !names_a_call(error));
        for error in &errors {
            let is_of = |&index: &usize| {
                let call = format!("in module \"call_{index}\":");
                error.contains(mistakes[index].1) && (error.contains(&call) || !names_a_call(error))
            };
            let position = left.iter().position(is_of).unwrap_or_else(|| panic!("{error}"));
            left.remove(position);
        }
        assert!(!errors.is_empty(), "{said}");
    }
}
