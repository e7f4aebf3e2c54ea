//! The page behind either front: what Terraform uploads, and what an apply leaves where it uploads nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use super::front::{PLANNED, Planned, expressions, planned, refers};
use super::plans::{artifacts, resources};
use super::terraform::Root;
use super::{Project, Run, page_files, workspace};

/// The files that a browser asks for.
fn public_files() -> BTreeSet<String> {
    // Types are for editors.
    let beside = |name: &String| name.starts_with("test/") || name == "package.json" || name.ends_with(".d.ts");
    let mut names: BTreeSet<String> = page_files().into_iter().filter(|name| !beside(name)).collect();
    assert!(names.len() > 5, "{names:?}");
    names.insert("config.js".to_owned());
    names
}

#[test]
fn the_page_lies_in_a_private_bucket_whole_and_without_what_lies_beside_it() {
    let Planned { files, plan } = &*PLANNED;
    let resources = resources(plan, "");
    for key in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] {
        assert_eq!(resources["aws_s3_bucket_public_access_block.page"][key], true, "{key}");
    }
    let encryption = &resources["aws_s3_bucket_server_side_encryption_configuration.page"]["rule"][0];
    assert_eq!(encryption["apply_server_side_encryption_by_default"][0]["sse_algorithm"], "AES256");
    assert_eq!(resources["aws_s3_bucket.page"]["bucket_prefix"], "sse-streaming-dev-page-");
    let policy = expressions(plan, "", "aws_s3_bucket_policy.page");
    assert!(refers(&policy["policy"], "aws_cloudfront_distribution.front.arn"), "{policy}");
    let text = &files["generated/terraform/page.tf"];
    let allowed: Vec<&str> = text.split("Effect    = ").skip(1).filter(|rest| rest.starts_with("\"Allow\"")).collect();
    assert_eq!(allowed.len(), 1, "{text}");
    let words = allowed[0].lines().skip(1).take(4).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let expected = [
        "Principal = { Service = \"cloudfront.amazonaws.com\" }",
        "Action = \"s3:GetObject\"",
        "Resource = \"${aws_s3_bucket.page.arn}/*\"",
        "Condition = { StringEquals = { \"aws:SourceArn\" = aws_cloudfront_distribution.front.arn } }",
    ];
    assert_eq!(words.collect::<Vec<_>>(), expected);

    let root = plan["planned_values"]["root_module"]["resources"].as_array().unwrap();
    let objects: BTreeMap<&str, &Value> = root
        .iter()
        .filter(|resource| resource["type"] == "aws_s3_object")
        .map(|resource| (resource["values"]["key"].as_str().unwrap(), &resource["values"]))
        .collect();
    assert_eq!(objects.keys().map(ToString::to_string).collect::<BTreeSet<_>>(), public_files());
    for (key, object) in &objects {
        let kind = match key.rsplit_once('.').unwrap().1 {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "txt" => "text/plain; charset=utf-8",
            other => panic!("{other}"),
        };
        assert_eq!((&object["content_type"], &object["cache_control"]), (&json!(kind), &json!("no-cache")), "{key}");
        assert_eq!(object["tags_all"], Value::Null, "{key}: an object takes ten tags only");
    }
    let config = objects["config.js"]["content"].as_str().unwrap();
    assert_eq!(plan["planned_values"]["outputs"]["config_js"]["value"], config);
    assert_eq!(page_values(config), page_values(&files["frontend/config.js"]));
    assert_eq!((&page_values(config)["API_BASE_URL"], &page_values(config)["SSE_BASE_URL"]), (&json!(""), &json!("")));
}

#[test]
fn somebodys_own_images_and_fonts_go_with_the_page_and_what_lies_beside_it_does_not() {
    let project = Project::rendered("cloudfront").with_page();
    let own = [
        ("favicon.ico", "image/x-icon"),
        ("logo.svg", "image/svg+xml"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("app.webmanifest", "application/manifest+json"),
        ("fonts/a/text.woff2", "font/woff2"),
        ("img/photo.webp", "image/webp"),
        ("js/part/sums.wasm", "application/wasm"),
        ("js/part/more.js", "text/javascript; charset=utf-8"),
    ];
    for name in own.map(|(name, _)| name) {
        project.write(&format!("frontend/{name}"), name);
    }
    for beside in ["package.json", "notes.txt", "test/x.test.js", "node_modules/a/b.js", "js/draft.md", "js/.env"] {
        project.write(&format!("frontend/{beside}"), "nobody's");
    }
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    let root = plan["planned_values"]["root_module"]["resources"].as_array().unwrap();
    let objects: BTreeMap<&str, &str> = root
        .iter()
        .filter(|resource| resource["type"] == "aws_s3_object")
        .map(|resource| {
            (resource["values"]["key"].as_str().unwrap(), resource["values"]["content_type"].as_str().unwrap())
        })
        .collect();
    let mut expected = public_files();
    expected.extend(own.map(|(name, _)| name.to_owned()));
    assert_eq!(objects.keys().map(ToString::to_string).collect::<BTreeSet<_>>(), expected);
    for (name, kind) in own {
        assert_eq!(objects[name], kind, "{name}");
    }
}

/// The one value of a config.js.
fn page_values(text: &str) -> Value {
    let (_, rest) = text.split_once("window.CONFIG = Object.freeze(").unwrap();
    serde_json::from_str(rest.trim_end().strip_suffix(");").unwrap()).unwrap()
}

#[test]
fn without_a_page_one_sentence_says_so() {
    let project = Project::rendered("cloudfront");
    let (is_planned, said) = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).plan(&[]);
    assert!(!is_planned);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("There is no page in ../../frontend: index.html is missing."), "{said}");
    assert_eq!(said.matches("Error:").count(), 1, "{said}");
}

#[test]
fn the_page_may_do_what_it_says_itself_and_nothing_more() {
    let plan = &PLANNED.plan;
    let headers = &resources(plan, "")["aws_cloudfront_response_headers_policy.page"]["security_headers_config"][0];
    let page = std::fs::read_to_string(workspace().join("frontend/index.html")).unwrap();
    let (_, policy) = page.split_once("http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
    let rules = |text: &str| -> BTreeMap<String, String> {
        let rules = text.split(';').map(|rule| rule.trim().split_once(' ').unwrap());
        rules.map(|(name, values)| (name.to_owned(), values.to_owned())).collect()
    };
    let mut expected = rules(policy.split('"').next().unwrap());
    assert_eq!(expected.insert("connect-src".into(), "'self'".into()).as_deref(), Some("'self' http: https:"));
    expected.insert("frame-ancestors".into(), "'none'".into());
    let found = headers["content_security_policy"][0]["content_security_policy"].as_str().unwrap();
    assert_eq!(rules(found), expected);
    assert_eq!(headers["frame_options"][0]["frame_option"], "DENY");
    assert_eq!(headers["referrer_policy"][0]["referrer_policy"], "no-referrer");
    assert_eq!(headers["content_type_options"][0]["override"], true);
    assert_eq!(headers["strict_transport_security"][0]["access_control_max_age_sec"], 31_536_000);
}

#[test]
fn pages_that_may_show_it_in_a_frame_are_named_behind_cloudfront_and_on_this_machine() {
    let project = Project::new(
        "[front]\nkind = \"cloudfront\"\nframe_ancestors = [\"https://a.example.com\", \"https://b.example.com:8443\"]\n",
    );
    let Planned { files, plan } = &planned(project);
    let headers = &resources(plan, "")["aws_cloudfront_response_headers_policy.page"]["security_headers_config"][0];
    let policy = headers["content_security_policy"][0]["content_security_policy"].as_str().unwrap();
    assert!(policy.contains("; frame-ancestors https://a.example.com https://b.example.com:8443; "), "{policy}");
    assert!(!policy.contains("'none' https"), "{policy}");
    assert_eq!(headers["frame_options"], json!([]), "it would say the contrary");
    assert!(!files["generated/terraform/front.tf"].contains("frame_options"));

    let project = Project::new("[front]\nkind = \"cloudfront\"\nframe_ancestors = [\"https://a.example.com\"]\n");
    project.run(&["--env", "local", "render"]).done();
    let variables = project.read("generated/local/functions.env");
    assert!(variables.lines().any(|line| line == "PAGE_FRAME_ANCESTORS=https://a.example.com"), "{variables}");
    let project = Project::new("");
    project.run(&["--env", "local", "render"]).done();
    assert!(!project.read("generated/local/functions.env").contains("FRAME"));
}

/// Runs `infragen page` where the state has these outputs, beside these files of a page.
fn page(outputs: &[(&str, &str)], files: &[(&str, &str)]) -> (Project, Run) {
    let project = Project::new("[output]\nfolder = \"infra\"\nrunner = false\n");
    let values: String =
        outputs.iter().map(|(name, value)| format!("output \"{name}\" {{\n  value = {value}\n}}\n")).collect();
    project.write("infra/terraform/outputs.tf", &values);
    for (name, text) in files {
        project.write(&format!("frontend/{name}"), text);
    }
    let terraform = |arguments: &[&str]| {
        let root = project.path().join("infra/terraform");
        let output =
            Command::new("terraform").args(arguments).current_dir(root).output().expect("terraform is on PATH");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    terraform(&["init", "-input=false"]);
    if !outputs.is_empty() {
        terraform(&["apply", "-auto-approve"]);
    }
    let run = project.run(&["page"]);
    (project, run)
}

fn left(project: &Project) -> BTreeSet<String> {
    project.names().into_iter().filter_map(|name| name.strip_prefix("dist/page/").map(str::to_owned)).collect()
}

const LIVE: &str = r#""// Rendered\nwindow.CONFIG = Object.freeze({\"SSE_BASE_URL\":\"https://a.example\"});\n""#;

#[test]
fn after_an_apply_the_page_lies_whole_with_the_live_urls_where_terraform_did_not_upload_it() {
    let files: Vec<(String, String)> =
        page_files().into_iter().map(|name| (name.clone(), format!("of {name}\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (project, run) = page(&[("config_js", LIVE)], &files);
    assert_eq!(run.done().stderr, "the page is in `dist/page`: put it on any host of static files\n");
    assert_eq!(left(&project), public_files(), "the files that Terraform uploads behind CloudFront");
    let text = project.read("dist/page/config.js");
    assert_eq!(text, "// Rendered\nwindow.CONFIG = Object.freeze({\"SSE_BASE_URL\":\"https://a.example\"});\n");

    let (project, run) = page(&[("config_js", LIVE), ("site_url", "\"https://b.example\"")], &files);
    assert_eq!(run.done().stderr, "the page is at https://b.example\n");
    assert!(left(&project).is_empty());

    for outputs in [&[][..], &[("repository_url", "\"x\"")]] {
        let (project, run) = page(outputs, &files);
        let said = "nothing is applied of `infra/terraform`: there are no addresses yet";
        assert!(run.code == 1 && run.stderr.contains(said), "{run:?}");
        assert!(left(&project).is_empty(), "a root without a page, or destroyed");
    }
}

#[test]
fn who_has_a_page_elsewhere_gets_its_addresses_alone() {
    let (project, run) = page(&[("config_js", LIVE)], &[]);
    let said = run.done().stderr;
    assert!(said.starts_with("`dist/page/config.js` has the live addresses, for a page of your own"), "{said}");
    assert_eq!(left(&project), BTreeSet::from(["config.js".to_owned()]));
}

/// What no host of static files should have, and what it may, by either way.
#[test]
fn what_is_hidden_or_a_package_beside_the_page_is_not_for_the_world() {
    let private = [
        ".env",
        ".aws/sso-token.json",
        ".vscode/settings.json",
        "css/.backup.css",
        "img/.git/packed.txt",
        "test/a.js",
        "sub/node_modules/x/package.json",
        "node_modules/y.js",
        "package.json",
        "build.mjs",
    ];
    let public = ["index.html", "robots.txt", "css/a.css", ".well-known/security.txt", "sub/deep/b.svg"];
    let files: Vec<(&str, &str)> = private.into_iter().chain(public).map(|name| (name, "x\n")).collect();
    let (project, run) = page(&[("config_js", LIVE)], &files);
    run.done();
    let expected: BTreeSet<String> = public.into_iter().chain(["config.js"]).map(str::to_owned).collect();
    assert_eq!(left(&project), expected);

    let project = Project::new("[front]\nkind = \"cloudfront\"\n");
    for (name, text) in files {
        project.write(&format!("frontend/{name}"), text);
    }
    let Planned { plan, .. } = &planned(project);
    let objects = plan["planned_values"]["root_module"]["resources"].as_array().unwrap().iter();
    let uploaded = objects.filter(|one| one["type"] == "aws_s3_object");
    let keys: BTreeSet<String> = uploaded.map(|one| one["values"]["key"].as_str().unwrap().to_owned()).collect();
    assert!(expected.iter().all(|name| keys.contains(name)), "{keys:?}");
    assert!(!private.into_iter().any(|name| keys.contains(name)), "{keys:?}");
}
