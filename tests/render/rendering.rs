//! What is written, when, and what is left alone.

use std::collections::BTreeMap;

use contract::{DashboardSettings, StreamSettings};

use super::{Project, fixture_names, infragen, workspace};

#[test]
fn the_committed_outputs_are_fresh() {
    let run = infragen(&workspace(), &["render", "--check"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "run `./justw render` and commit: {}", run.stderr);
}

#[test]
fn rendering_twice_gives_the_same_bytes_in_any_folder() {
    for name in fixture_names("valid").iter().map(String::as_str).chain(["default"]) {
        let (one, other) = (Project::rendered(name), Project::rendered(name));
        assert_eq!(one.files(), other.files(), "{name}");
        let again = one.run(&["render"]).done();
        assert_eq!(again.stdout, "");
        assert!(again.stderr.ends_with("files up to date\n"), "{name}: {}", again.stderr);
        assert_eq!(one.files(), other.files(), "{name}");
        one.run(&["render", "--check"]).done();
    }
}

#[test]
fn every_rendered_file_begins_with_the_signature() {
    let project = Project::rendered("default");
    let files: Vec<String> = project.names().into_iter().filter(|name| name != "deploy.toml").collect();
    assert!(files.len() > 15, "{files:?}");
    for file in files {
        let text = project.read(&file);
        let sign = match file.rsplit_once('.') {
            Some((_, "js")) => "// ",
            Some((_, "json")) => "{\n  \"$comment\": \"",
            _ => "# ",
        };
        assert!(text.starts_with(&format!("{sign}Rendered by infragen from deploy.toml. Do not edit: ")), "{file}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{file} ends with one newline");
        assert!(text.lines().all(|line| line == line.trim_end()), "{file} has spaces at the end of a line");
    }
}

#[test]
fn a_hand_edit_is_stale_with_a_diff_and_is_undone() {
    let project = Project::rendered("default");
    let before = project.files();
    let path = "generated/terraform/stream.tf";
    let edited = project.read(path).replace("timeout_secs       = 180", "timeout_secs       = 900");
    project.write(path, &edited);
    let check = project.run(&["render", "--check"]);
    assert_eq!(check.code, 3);
    assert!(check.stdout.starts_with("--- a/generated/terraform/stream.tf\n+++ b/generated/terraform/stream.tf\n@@ "));
    assert!(check.stdout.contains("\n-  timeout_secs       = 900\n+  timeout_secs       = 180\n"), "{}", check.stdout);
    assert_eq!(check.stderr, "error: 1 of the rendered files are stale\n hint: run `infragen render`\n");
    assert_eq!(project.read(path), edited, "--check writes nothing");
    let diff = project.run(&["render", "--diff"]).done();
    assert_eq!((diff.stdout, diff.stderr.as_str()), (check.stdout, ""));
    project.run(&["render"]).done();
    assert_eq!(project.files(), before);
}

#[test]
fn a_missing_file_is_stale() {
    let project = Project::rendered("default");
    std::fs::remove_file(project.path().join("frontend/config.js")).unwrap();
    let check = project.run(&["render", "--check"]);
    assert_eq!(check.code, 3);
    assert!(check.stdout.starts_with("--- /dev/null\n+++ b/frontend/config.js\n@@ "), "{}", check.stdout);
}

#[test]
fn a_signed_file_that_nobody_renders_is_stale_and_removed_but_others_stay() {
    let project = Project::rendered("default");
    let superfluous = "generated/terraform/modules/old/main.tf";
    project.write(superfluous, &project.read("generated/terraform/stream.tf"));
    project.write("generated/terraform/mine.tf", "# written by hand\n");
    project.write("generated/terraform/artifacts.auto.tfvars.json", "{}\n");
    project.write("generated/terraform/.terraform/x.tf", &project.read("generated/terraform/stream.tf"));
    let check = project.run(&["render", "--check"]);
    assert_eq!(check.code, 3);
    let head = format!("--- a/{superfluous}\n+++ /dev/null\n");
    assert!(check.stdout.starts_with(&head), "{}", check.stdout);
    assert!(project.run(&["render"]).done().stderr.contains(&format!("  removed {superfluous}\n")));
    assert!(!project.names().contains(&superfluous.to_owned()));
    assert_eq!(project.read("generated/terraform/mine.tf"), "# written by hand\n");
    project.read("generated/terraform/artifacts.auto.tfvars.json");
    project.read("generated/terraform/.terraform/x.tf");
}

#[test]
fn foreign_files_in_the_way_are_named_and_nothing_is_written() {
    let project = Project::fixture("default");
    project.write("frontend/config.js", "window.CONFIG = {};\n");
    project.write("generated/Dockerfile", "FROM scratch\n");
    let before = project.files();
    for command in [&["render"][..], &["render", "--check"], &["render", "--diff"]] {
        let run = project.run(command);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{command:?}");
        assert_eq!(
            run.stderr,
            "error: `frontend/config.js`, `generated/Dockerfile` are in the way and not written by infragen\n \
             hint: move what you want to keep, remove the file, and render again\n"
        );
        assert_eq!(project.files(), before, "{command:?}");
    }
}

#[test]
fn a_folder_in_the_way_is_foreign_too() {
    let project = Project::fixture("default");
    project.write("generated/Dockerfile/notes", "mine\n");
    let run = project.run(&["render"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: `generated/Dockerfile` is in the way and not written by infragen\n"));
    assert_eq!(project.names(), ["deploy.toml", "generated/Dockerfile/notes"]);
}

#[test]
fn the_local_environment_is_one_sorted_file_that_the_functions_can_read() {
    for name in fixture_names("valid").iter().map(String::as_str).chain(["default"]) {
        for arguments in [["--env", "local", "render"], ["render", "--env", "local"]] {
            let project = Project::fixture(name);
            project.run(&arguments).done();
            assert_eq!(project.names(), ["deploy.toml", "generated/local/functions.env"], "{name}");
            let text = project.read("generated/local/functions.env");
            let lines: Vec<&str> = text.lines().skip(1).collect();
            assert!(lines.is_sorted(), "{name}: {lines:?}");
            let variables: BTreeMap<String, String> = lines
                .iter()
                .map(|line| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap())
                .collect();
            let lookup = |name: &str| variables.get(name).cloned();
            let stream = StreamSettings::from_env(&lookup).unwrap();
            assert_eq!(stream.environment.as_str(), "local", "{name}");
            let dashboard = DashboardSettings::from_env(&lookup).unwrap();
            assert_eq!((stream.poll, stream.data), (dashboard.poll, dashboard.data), "{name}");
        }
    }
    let project = Project::fixture("environments");
    project.run(&["--env", "local", "render"]).done();
    assert!(project.read("generated/local/functions.env").contains("\nSSE_POLL_INTERVAL=1s\n"));
}

#[test]
fn other_environments_have_folders_of_their_own() {
    let project = Project::rendered("environments");
    let base = project.files();
    project.run(&["--env", "prod", "render"]).done();
    let (added, kept): (Vec<_>, Vec<_>) =
        project.files().into_iter().partition(|(name, _)| name.starts_with("generated/prod/"));
    assert_eq!(kept, base, "the base is left alone");
    let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
    for expected in ["config.js", "bootstrap/ecr.tf", "terraform/stream.tf", "terraform/modules/lambda/function.tf"] {
        assert!(names.contains(&format!("generated/prod/{expected}").as_str()), "{names:?}");
    }
    let stream = project.read("generated/prod/terraform/stream.tf");
    assert!(
        stream.contains("\"sse-streaming-prod-stream\"") && stream.contains("memory_mebibytes   = 512"),
        "{stream}"
    );
    let provider = project.read("generated/prod/terraform/providers.tf");
    assert!(
        provider.contains("\"eu-west-1\"")
            && provider.contains("\"dashboards\"")
            && provider.contains("\"production\"")
    );
    assert!(project.read("generated/prod/config.js").contains("\"ENVIRONMENT\": \"prod\""));
    project.run(&["--env", "prod", "render", "--check"]).done();
    project.run(&["render", "--check"]).done();
}

#[test]
fn outputs_go_below_the_manifests_folder_wherever_the_command_runs() {
    let project = Project::fixture("default");
    let manifest = project.path().join("deploy.toml");
    let elsewhere = tempfile::tempdir().unwrap();
    infragen(elsewhere.path(), &["--manifest", manifest.to_str().unwrap(), "render"]).done();
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(project.files(), Project::rendered("default").files());
}

#[test]
fn config_js_is_one_frozen_value_with_the_manifests_words() {
    let text = Project::rendered("orders").read("frontend/config.js");
    let start = text.find("window.CONFIG = Object.freeze(").expect("the page reads it from there");
    let json = &text[start + "window.CONFIG = Object.freeze(".len()..text.trim_end().len() - ");".len()];
    let found: serde_json::Value = serde_json::from_str(json).unwrap();
    let expected = serde_json::json!({
        "API_BASE_URL": "",
        "SSE_BASE_URL": "https://stream.example.com/live",
        "ENVIRONMENT": "prod",
        "LABELS": ["open", "shipped", "cancelled"],
        "LABEL_KEYS": ["open", "shipped", "cancelled"],
        "UPDATE_EVENT": "order_update",
        "HEARTBEAT_INTERVAL_MS": 15000,
        "POLL_INTERVAL_MS": 1000,
        "AUTH_MODE": "off",
        "SIGNED_REQUESTS": false,
    });
    assert_eq!(found, expected);
}

#[test]
fn the_dockerfile_builds_with_the_projects_compiler() {
    let toolchain = std::fs::read_to_string(workspace().join("rust-toolchain.toml")).unwrap();
    let toolchain: toml::Table = toml::from_str(&toolchain).unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let dockerfile = Project::rendered("default").read("generated/Dockerfile");
    assert!(dockerfile.contains(&format!("\nARG RUST_IMAGE=rust:{channel}-alpine\n")), "{dockerfile}");
    assert!(dockerfile.contains("--platform linux/arm64 "), "{dockerfile}");
    assert!(Project::rendered("images").read("generated/Dockerfile").contains("--platform linux/amd64 "));
    let workspace_manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let workspace_manifest: toml::Table = toml::from_str(&workspace_manifest).unwrap();
    let ignore = Project::rendered("default").read("generated/Dockerfile.dockerignore");
    let members = workspace_manifest["workspace"]["members"].as_array().unwrap();
    let members: Vec<&str> = members.iter().map(|member| member.as_str().unwrap()).collect();
    // A member inside another one's folder comes along.
    let inside = |member: &str| members.iter().any(|other| member.starts_with(&format!("{other}/")));
    for member in members.iter().filter(|member| !inside(member)) {
        assert!(dockerfile.contains(&format!("\nCOPY {member} {member}\n")), "{dockerfile}");
        assert!(ignore.contains(&format!("\n!{member}\n")), "{ignore}");
    }
}

#[test]
fn the_bucket_of_the_state_is_made_once_and_keeps_each_environment_apart() {
    let project = Project::new(
        "[terraform.backend]\nkind = \"s3\"\nbucket = \"one-bucket\"\n[env.prod]\n[env.other.terraform.backend]\n\
         bucket = \"another-bucket\"\n",
    );
    for environment in ["dev", "prod", "other"] {
        project.run(&["--env", environment, "render"]).done();
    }
    for (folder, makes, bucket, key) in [
        ("generated", true, "one-bucket", "dev"),
        ("generated/prod", false, "one-bucket", "prod"),
        ("generated/other", true, "another-bucket", "other"),
    ] {
        assert_eq!(project.path().join(folder).join("bootstrap/state.tf").exists(), makes, "{folder}");
        let outputs = project.read(&format!("{folder}/bootstrap/outputs.tf"));
        assert_eq!(outputs.contains("aws_s3_bucket.state"), makes, "{folder}");
        let versions = project.read(&format!("{folder}/terraform/versions.tf"));
        let key = format!("\"sse-streaming/{key}/terraform.tfstate\"");
        assert!(versions.contains(&format!("\"{bucket}\"")) && versions.contains(&key), "{versions}");
    }
}
