//! A repository of somebody else: from the description of a table to a deployed stack, with nothing of ours but the generator and
//! two programs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use super::account::{Account, ROOT};
use super::archives::{self, archive};
use super::moto::{self, Moto};
use super::plans::resources;
use super::terraform::Root;
use super::{Project, bins, fixture_names, programs, workspace};
use crate::image::noise;
use crate::support::nursery;

#[test]
fn a_table_of_somebody_becomes_a_deployed_stack_with_the_generator_alone() {
    let account = Account { project: Project::empty(), moto: Moto::start(), programs: tempfile::tempdir().unwrap() };
    programs::terraform(account.programs.path());
    nursery::aws(account.programs.path());
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let definition = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let table = json!({
        "TableName": "tickets",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [definition("ticket"), definition("changed_at"), definition("queue")],
        "KeySchema": [key("ticket", "HASH")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "queue-changed_at",
            "KeySchema": [key("queue", "HASH"), key("changed_at", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    account.aws(&["dynamodb", "create-table", "--cli-input-json", &table.to_string()]);
    let item = json!({
        "ticket": { "S": "T-1" }, "changed_at": { "S": "2026-11-28T10:00:00Z" }, "queue": { "S": "In Review" }, "tags": { "SS": ["billing"] },
    });
    account.aws(&["dynamodb", "put-item", "--table-name", "tickets", "--item", &item.to_string()]);
    let rows = account.aws(&["dynamodb", "scan", "--table-name", "tickets", "--max-items", "500"]);
    let described = account.aws(&["dynamodb", "describe-table", "--table-name", "tickets"]);
    account.project.write("rows.json", &rows.to_string());
    let init =
        account.typed(&["init", "--minimal", "--table", "-", "--rows", "rows.json"], &described.to_string()).done();
    assert!(init.stderr.contains("  found    labels: `In Review`\n"), "{init:?}");
    assert!(!init.stderr.contains("no name in `metrics`"), "its name follows: {init:?}");

    // What is said is what can be done here.
    account.run(&["render"]).done();
    account.project.write(&format!("{ROOT}/zz_override.tf"), moto::PROVIDER);
    let missing = account.run(&["deploy", "--yes", "--no-smoke"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    // Terraform breaks its lines.
    let flat = missing.stderr.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("run `infragen package --function FUNCTION --zip FILE`"), "{missing:?}");
    let doctor = account.run(&["doctor"]);
    assert!(doctor.stdout.contains("terraform -chdir=generated/terraform apply"), "{doctor:?}");
    account.project.write_bytes("program", &noise("arm64", 100_000));
    for function in ["stream", "dashboard"] {
        account.run(&["package", "--function", function, "--program", "program"]).done();
    }
    let deployed = account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert!(deployed.stdout.contains(" new, in "), "{deployed:?}");
    assert_eq!(account.live(), ["1", "1"]);
    let said = [&init, &missing, &doctor, &deployed].map(|run| format!("{}{}", run.stdout, run.stderr)).concat();
    assert!(!said.contains("justw"), "{said}");
    let is_ours = |name: &str| name.starts_with("generated/") && !name.contains("/.");
    for (name, bytes) in account.project.files().iter().filter(|(name, _)| is_ours(name)) {
        check_text(name, &String::from_utf8_lossy(bytes));
    }
    // The table is somebody's own.
    let destroyed = account.run(&["destroy", "--yes"]).done();
    assert!(destroyed.stderr.contains("is gone"), "{destroyed:?}");
    assert!(account.moto.inventory()["dynamodb.TableNames"].to_string().contains("tickets"));
}

/// What there is in this repository alone.
const OURS: [&str; 8] = ["justw", "`just ", "tools/", "Cargo.", "cargo ", " docs/", "(docs/", "`docs/"];

/// Fails the test where a text names something of this repository.
fn check_text(name: &str, text: &str) {
    for ours in OURS {
        let line = text.lines().find(|line| line.contains(ours));
        assert!(line.is_none(), "{name} names `{ours}`, which is not there: {}", line.unwrap_or_default());
    }
}

#[test]
fn nothing_that_is_rendered_names_what_is_only_here() {
    let mut rendered = 0;
    for name in fixture_names("valid") {
        let project = Project::fixture(&name);
        let run = project.run(&["--set", "output.runner=false", "render"]);
        // The workflow's steps are recipes.
        if run.stderr.contains("ci-without-runner") {
            continue;
        }
        run.done();
        rendered += 1;
        for (file, bytes) in project.files().iter().filter(|(file, _)| file != "deploy.toml") {
            assert!(!file.contains("Dockerfile") && !file.contains("workflow"), "{name}: {file}");
            check_text(&format!("{name}: {file}"), &String::from_utf8_lossy(bytes));
        }
    }
    assert!(rendered > 20, "{rendered}");
}

/// Sources that may name what is here, each with the reason.
const MAY: [(&str, &str); 4] = [
    ("manifest/types.rs", "names the runner, once"),
    ("program.rs", "says how Cargo builds a program anywhere"),
    ("render/files.rs", "lists sources for a recipe that is rendered with the runner only"),
    ("render/workflow.rs", "is rendered with the runner only"),
];

#[test]
fn no_message_names_a_recipe_by_itself() {
    let sources = workspace().join("infragen/src");
    let mut folders = vec![sources.clone()];
    let mut named = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // Comments are for who reads the sources, and what tests say nobody hears.
            let said = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let said = said.lines().filter(|line| !line.trim_start().starts_with("//"));
            if said.into_iter().any(|line| OURS.iter().any(|ours| line.contains(ours))) && !path.ends_with("tests.rs") {
                named.push(path.strip_prefix(&sources).unwrap().display().to_string());
            }
        }
    }
    named.sort();
    assert_eq!(named, MAY.map(|(path, _)| path));
}

/// A folder of somebody who has a repository in it, and other things that are nobody's business.
struct Elsewhere {
    account: Account,
    table: Value,
}

/// An odd table: blanks and dots in its names, no range key, and times as numbers.
const TABLE: &str = "Shop.Orders_v2";

impl Elsewhere {
    fn new() -> Self {
        let account =
            Account { project: Project::empty(), moto: Moto::start(), programs: tempfile::tempdir().unwrap() };
        programs::terraform(account.programs.path());
        nursery::aws(account.programs.path());
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let definition = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
        let table = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [definition("Order Nr", "N"), definition("State/Now", "S"), definition("changed at (s)", "N")],
            "KeySchema": [key("Order Nr", "HASH")],
            "GlobalSecondaryIndexes": [
                { "IndexName": "gsi-0", "KeySchema": [key("changed at (s)", "HASH")], "Projection": { "ProjectionType": "KEYS_ONLY" } },
                {
                    "IndexName": "gsi.State-1",
                    "KeySchema": [key("State/Now", "HASH"), key("changed at (s)", "RANGE")],
                    "Projection": { "ProjectionType": "ALL" },
                },
            ],
        });
        account.aws(&["dynamodb", "create-table", "--cli-input-json", &table.to_string()]);
        let table = account.aws(&["dynamodb", "describe-table", "--table-name", TABLE]);
        account.project.write("theirs/notes.txt", "nobody's business");
        account.project.write("repository/README.md", "An empty repository.\n");
        Self { account, table }
    }

    fn repository(&self) -> PathBuf {
        self.account.project.path().join("repository")
    }

    /// Runs a program in the repository; it must succeed. Returns what it printed.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let mut command = self.account.command(program, arguments);
        command.current_dir(self.repository()).env("HOME", self.account.project.path().join("home"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may ask for nothing.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        check_text(program, &said);
        String::from_utf8(output.stdout).unwrap()
    }

    fn infragen(&self, arguments: &[&str], input: &str) -> String {
        self.run(&bins::path("infragen").display().to_string(), arguments, input)
    }

    /// What is planned of what is rendered, by the commands that a person would type.
    fn planned(&self) -> Value {
        self.infragen(&["validate"], "");
        self.infragen(&["render"], "");
        std::fs::write(self.repository().join(ROOT).join("zz_override.tf"), moto::PROVIDER).unwrap();
        let root = format!("-chdir={ROOT}");
        self.run("terraform", &[&root, "init", "-input=false"], "");
        self.run("terraform", &[&root, "validate"], "");
        self.run("terraform", &[&root, "plan", "-input=false", "-out=plan.bin"], "");
        serde_json::from_str(&self.run("terraform", &[&root, "show", "-json", "plan.bin"], "")).unwrap()
    }

    /// Both functions are planned, and know the table by its names.
    fn check(&self, plan: &Value) {
        for role in ["stream", "dashboard"] {
            let function = &resources(plan, role)["aws_lambda_function.this"];
            assert_eq!(function["function_name"], format!("sse-streaming-dev-{role}"));
            // Of the dashboard's the plan knows nothing yet: the stream's URL is among it.
            let variables = &function["environment"][0]["variables"];
            let path = self.repository().join(ROOT).join(format!("{role}.tf"));
            let rendered = super::words(&std::fs::read_to_string(path).unwrap());
            for (name, value) in [
                ("SENTIMENTS_TABLE", TABLE),
                ("DATA_INDEX", "gsi.State-1"),
                ("DATA_KEY_ATTRIBUTE", "Order Nr"),
                ("DATA_LABEL_ATTRIBUTE", "State/Now"),
                ("DATA_TIME_ATTRIBUTE", "changed at (s)"),
                ("DATA_TIME_FORMAT", "epoch-seconds"),
                ("DATA_IDENTITY", "key"),
            ] {
                assert!(rendered.contains(&format!("{name} = \"{value}\"")), "{role}: {name}: {rendered}");
                assert!(role != "stream" || variables[name] == value, "{role}: {name}: {variables}");
            }
        }
        // Nothing was applied, and nothing beside the repository was touched.
        assert_eq!(self.account.moto.inventory()["lambda.Functions"], Value::Null);
        let others: Vec<String> =
            self.account.project.names().into_iter().filter(|name| !name.starts_with("repository/")).collect();
        assert_eq!(others, ["theirs/notes.txt"]);
        assert_eq!(self.account.project.read("theirs/notes.txt"), "nobody's business");
        let own = self.account.project.names().into_iter().filter(|name| name.starts_with("repository/"));
        let own: Vec<String> = own.filter(|name| !name.starts_with("repository/generated/")).collect();
        let expected = ["README.md", "deploy.toml", "dist/dashboard.zip", "dist/stream.zip", "frontend/config.js"];
        let expected = expected.map(|name| format!("repository/{name}"));
        assert!(own.iter().all(|name| expected.contains(name)), "{own:?}");
    }
}

#[test]
fn an_odd_table_on_standard_input_becomes_a_plan_with_two_zips_on_this_machine() {
    let elsewhere = Elsewhere::new();
    elsewhere.infragen(&["init", "--table", "-"], &elsewhere.table.to_string());
    let text = std::fs::read_to_string(elsewhere.repository().join("deploy.toml")).unwrap();
    assert!(text.contains("\nrunner = false\n") && !text.contains("justw"), "{text}");
    for function in ["stream", "dashboard"] {
        std::fs::create_dir_all(elsewhere.repository().join("dist")).unwrap();
        let zip = format!("dist/{function}.zip");
        std::fs::write(elsewhere.repository().join(&zip), archive(function.len())).unwrap();
    }
    elsewhere.infragen(&["render"], "");
    for function in ["stream", "dashboard"] {
        elsewhere.infragen(&["package", "--function", function, "--zip", &format!("dist/{function}.zip")], "");
    }
    let plan = elsewhere.planned();
    elsewhere.check(&plan);
    let function = &resources(&plan, "stream")["aws_lambda_function.this"];
    assert_eq!(function["filename"], "../../dist/stream.zip");
}

#[test]
fn an_odd_table_on_standard_input_becomes_a_plan_with_two_objects_in_s3() {
    let elsewhere = Elsewhere::new();
    archives::make_bucket(&elsewhere.account);
    elsewhere.infragen(&["init", "--minimal", "--table", "-"], &elsewhere.table.to_string());
    let path = elsewhere.repository().join("deploy.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for function in ["stream", "dashboard"] {
        let bytes = archive(function.len());
        let (sha256, version) = archives::put(&elsewhere.account, &format!("{function}.zip"), &bytes);
        text += &archives::table(function, &format!("{function}.zip"), &sha256, Some(&version));
    }
    std::fs::write(path, text).unwrap();
    let plan = elsewhere.planned();
    elsewhere.check(&plan);
    let function = &resources(&plan, "dashboard")["aws_lambda_function.this"];
    assert_eq!((&function["s3_bucket"], &function["s3_key"]), (&json!(archives::BUCKET), &json!("dashboard.zip")));
    assert!(!elsewhere.repository().join("dist").exists());
}

/// Terraform and the page in folders of their own, in two environments.
const OWN_FOLDERS: &str = "[front]\nkind = \"cloudfront\"\n[output]\nfolder = \"infrastructure/live\"\npage = \"web/site\"\n\
                           runner = false\n[env.prod.stream]\nmemory = \"256 MiB\"\n";

#[test]
fn everything_goes_to_the_folders_that_the_manifest_names() {
    let project = super::rendered(OWN_FOLDERS);
    let is_expected = |name: &String| {
        ["deploy.toml", "web/site/config.js"].contains(&name.as_str()) || name.starts_with("infrastructure/live/")
    };
    let names = project.names();
    assert!(names.iter().all(is_expected), "{names:?}");
    for name in ["deploy.schema.json", "terraform/stream.tf", "prod/terraform/stream.tf", "prod/config.js"] {
        assert!(names.contains(&format!("infrastructure/live/{name}")), "{name}: {names:?}");
    }
    let [root, prod] = ["infrastructure/live/terraform", "infrastructure/live/prod/terraform"];
    for (root, way) in [(root, "../../../web/site"), (prod, "../../../../web/site")] {
        let text = project.read(&format!("{root}/page.tf"));
        assert!(text.contains(&format!("\"${{path.module}}/{way}\"")), "{root}: {text}");
    }
    project.write("web/site/index.html", "<!doctype html>\n");
    let plan = Root::new(&project, root).with_artifacts(&super::plans::artifacts()).planned(&[]);
    let page = plan["planned_values"]["root_module"]["resources"].as_array().unwrap().iter();
    let uploaded: Vec<&Value> = page
        .filter(|one| one["address"] == "aws_s3_object.page[\"index.html\"]")
        .map(|one| &one["values"]["source"])
        .collect();
    assert_eq!(uploaded.len(), 1, "{uploaded:?}");
    let steps = project.run(&["deploy", "--dry-run"]).done().stdout;
    assert!(steps.contains("terraform -chdir=infrastructure/live/terraform init"), "{steps}");

    // An environment that is gone, and one that has the name of a folder.
    project.write("deploy.toml", OWN_FOLDERS.split("[env").next().unwrap());
    let run = project.run(&["render"]).done();
    assert!(run.stderr.contains("`infrastructure/live/prod` is of no environment of the manifest"), "{run:?}");
    project.write("deploy.toml", &OWN_FOLDERS.replace("env.prod", "env.bootstrap"));
    let run = project.run(&["validate"]);
    assert!(run.stderr.contains("that name is a folder of `infrastructure/live` already"), "{run:?}");
}

#[test]
fn the_recipe_of_images_goes_with_the_runner() {
    let project = Project::rendered("default");
    let is_recipe = |name: &String| name.contains("Dockerfile");
    assert_eq!(project.names().iter().filter(|name| is_recipe(name)).count(), 2);
    project.run(&["--set", "output.runner=false", "render"]).done();
    assert!(!project.names().iter().any(is_recipe), "{:?}", project.names());
}
