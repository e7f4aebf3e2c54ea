//! What is written, when, and what is left alone.

use std::collections::BTreeMap;

use contract::{DashboardSettings, StreamSettings};

use super::{Project, fixture_names, infragen, rendered, workspace};

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
        assert!(text.lines().take(2).any(|line| line.contains(&format!("`. [{file} "))), "{file} names itself");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{file} ends with one newline");
        assert!(text.lines().all(|line| line == line.trim_end()), "{file} has spaces at the end of a line");
    }
}

#[test]
fn a_hand_edit_is_stale_with_a_diff_and_undone_on_demand_only() {
    let project = Project::rendered("default");
    let before = project.files();
    let path = "generated/terraform/stream.tf";
    let edited = project.read(path).replace("timeout_secs       = 180", "timeout_secs       = 900");
    project.write(path, &edited);
    let check = project.run(&["render", "--check"]);
    assert_eq!(check.code, 3);
    assert!(check.stdout.starts_with("--- a/generated/terraform/stream.tf\n+++ b/generated/terraform/stream.tf\n@@ "));
    assert!(check.stdout.contains("\n-  timeout_secs       = 900\n+  timeout_secs       = 180\n"), "{}", check.stdout);
    assert_eq!(
        check.stderr,
        format!(
            "error: 1 rendered file is stale; `{path}` was edited\n hint: put what is yours into a file of its own beside it, such \
             as `extra.tf` or `NAME_override.tf`, and render with `--force`: `infragen render --force`\n"
        )
    );
    assert_eq!(project.read(path), edited, "--check writes nothing");
    let diff = project.run(&["render", "--diff"]).done();
    assert_eq!((&diff.stdout, diff.stderr.as_str()), (&check.stdout, ""));
    // Nothing else is written either.
    project.write("deploy.toml", &(project.read("deploy.toml") + "[env.prod]\n"));
    let refused = project.run(&["render"]);
    assert_eq!((refused.code, &refused.stdout), (1, &check.stdout), "{refused:?}");
    let said =
        format!("error: `{path}` was edited since infragen wrote it\n hint: put what is yours into a file of its own");
    assert!(refused.stderr.starts_with(&said), "{refused:?}");
    assert!(!project.path().join("generated/prod").exists());
    project.write("deploy.toml", std::str::from_utf8(&before[0].1).unwrap());
    project.run(&["render", "--force"]).done();
    assert_eq!(project.files(), before);
    let both = project.run(&["render", "--force", "--check"]);
    assert_eq!(both.code, 2, "{both:?}");
}

#[test]
fn what_a_checkout_or_a_merge_did_is_no_edit() {
    let project = Project::rendered("default");
    let (path, before) = ("generated/terraform/stream.tf", project.files());
    let text = project.read(path);
    project.write(path, &text.replace('\n', "\r\n"));
    project.run(&["render", "--check"]).done();
    project.write(path, &format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> topic\n"));
    assert_eq!(project.run(&["render", "--check"]).code, 3);
    project.run(&["render"]).done();
    assert_eq!(project.files(), before);
}

#[test]
fn a_copy_is_somebodys_own() {
    let project = Project::rendered("default");
    let (copy, text) = ("generated/terraform/my_tables.tf", project.read("generated/terraform/tables.tf"));
    project.write(copy, &text);
    project.write("generated/terraform/modules/lambda/iam_override.tf", "# mine\n");
    project.write("generated/terraform/notes.md", "mine\n");
    let check = project.run(&["render", "--check"]).done();
    let yours = |path: &str| format!("`{path}` is yours: Terraform reads it with what is rendered\n");
    let listed = yours("generated/terraform/modules/lambda/iam_override.tf") + &yours(copy);
    assert!(check.stderr.starts_with(&listed), "{check:?}");
    project.run(&["render", "--force"]).done();
    assert_eq!(project.read(copy), text);
    // Where a file of ours belongs it is in the way, like anything else that is not ours.
    project.write("generated/terraform/tables.tf", &project.read("generated/terraform/stream.tf"));
    let run = project.run(&["render", "--force"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.starts_with("error: `generated/terraform/tables.tf` is in the way"), "{run:?}");
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
fn a_file_that_is_no_longer_rendered_is_stale_and_removed_but_others_stay() {
    let project = Project::rendered("default");
    let superfluous = "generated/terraform/alarms.tf";
    let text = project.read(superfluous);
    project.write("deploy.toml", &Project::fixture("unwatched").read("deploy.toml"));
    project.write("generated/terraform/mine.tf", "# written by hand\n");
    project.write("generated/terraform/artifacts.auto.tfvars.json", "{}\n");
    project.write("generated/terraform/.terraform/x.tf", &text);
    let check = project.run(&["render", "--check"]);
    assert_eq!(check.code, 3);
    let head = format!("--- a/{superfluous}\n+++ /dev/null\n");
    assert!(check.stdout.contains(&head), "{}", check.stdout);
    // Somebody may have put something into it.
    project.write(superfluous, &format!("{text}# mine\n"));
    let refused = project.run(&["render"]);
    assert!(refused.code == 1 && refused.stdout.starts_with(&head), "{refused:?}");
    assert!(project.names().contains(&superfluous.to_owned()));
    project.write(superfluous, &text);
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
fn every_environment_is_rendered_into_a_folder_of_its_own() {
    let project = Project::rendered("environments");
    let names = project.names();
    for folder in ["generated", "generated/prod", "generated/test"] {
        for expected in ["bootstrap/state.tf", "terraform/stream.tf", "terraform/modules/lambda/function.tf"] {
            assert!(names.contains(&format!("{folder}/{expected}")), "{names:?}");
        }
    }
    // What runs on this machine is asked for by name.
    assert!(!project.path().join("generated/local").exists());
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
    assert!(project.run(&["render", "--check"]).done().stderr.ends_with(" files up to date\n"));
    let roots = project.run(&["query", "roots"]).done().stdout;
    assert_eq!(roots, "generated/terraform\ngenerated/prod/terraform\ngenerated/test/terraform\n");
    let valid = project.run(&["validate"]).done();
    assert_eq!((valid.stdout.as_str(), valid.stderr.as_str()), ("", "`deploy.toml` is valid\n"));
}

#[test]
fn a_change_of_one_environment_is_seen_mended_and_nobody_elses() {
    let project = Project::rendered("environments");
    let before = project.files();
    project.write("deploy.toml", &project.read("deploy.toml").replace("512 MiB", "1 GiB"));
    let stale = |arguments: &[&str], hint: &str| {
        let run = project.run(arguments);
        let said = format!("error: 2 rendered files are stale\n hint: run `{hint}`\n");
        assert_eq!((run.code, run.stderr), (3, said), "{arguments:?}");
        // The function, and what a month costs.
        for file in ["stream", "outputs"] {
            assert!(run.stdout.contains(&format!("+++ b/generated/prod/terraform/{file}.tf\n")), "{}", run.stdout);
        }
    };
    stale(&["render", "--check"], "infragen render");
    stale(&["--env", "prod", "render", "--check"], "infragen --env prod render");
    for environment in ["dev", "test"] {
        project.run(&["--env", environment, "render", "--check"]).done();
        project.run(&["--env", environment, "render"]).done();
    }
    stale(&["render", "--check"], "infragen render");
    project.run(&["--env", "prod", "render"]).done();
    project.run(&["render", "--check"]).done();
    project.run(&["render"]).done();
    let changed: Vec<String> = project
        .files()
        .into_iter()
        .filter(|file| !before.contains(file))
        .map(|(name, _)| name)
        .filter(|name| name != "deploy.toml")
        .collect();
    assert_eq!(changed, ["generated/prod/terraform/outputs.tf", "generated/prod/terraform/stream.tf"]);
}

#[test]
fn what_is_no_file_is_in_the_way_and_not_waited_for() {
    let project = Project::rendered("default");
    let path = "generated/terraform/stream.tf";
    std::fs::remove_file(project.path().join(path)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(project.path().join(path)).status().unwrap();
    assert!(made.success());
    for mode in ["--check", "--force"] {
        let mut command = std::process::Command::new("timeout");
        command
            .arg("30")
            .arg(crate::support::bins::path("infragen"))
            .args(["render", mode])
            .current_dir(project.path());
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.starts_with(&format!("error: `{path}` is in the way and not written by infragen\n")),
            "{stderr}"
        );
    }
}

#[test]
fn a_template_that_cannot_be_read_is_named_by_its_path() {
    let project = Project::new("");
    for (text, said) in [
        ("{% for %}\n", "error: a template cannot be read: "),
        (
            "{{ nobody }}\n",
            "error: template for `generated/terraform/tables.tf` cannot be rendered: Variable `nobody` is not defined.",
        ),
    ] {
        project.write("templates/terraform/tables.tf", text);
        let run = project.run(&["render"]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.starts_with(said) && run.stderr.matches("error").count() == 1, "{}", run.stderr);
        assert!(run.stderr.contains("\n --> templates/terraform/tables.tf:1:"), "{}", run.stderr);
    }
}

#[test]
fn a_folder_of_no_environment_is_reported_and_left_alone() {
    let project = Project::rendered("environments");
    project.write("generated/notes/mine.tf", "# mine\n");
    project.run(&["--env", "local", "render"]).done();
    let old = project.files();
    let manifest = project.read("deploy.toml");
    project.write("deploy.toml", manifest.split("[env.test").next().unwrap());
    let said = "warning: `generated/test` is of no environment of the manifest\n \
                hint: if nothing of it was ever applied, remove the folder; else write `[env.test]` again, and run `infragen --env test \
                destroy`, which keeps its tables and their rows; after another name for it, everything would be made a second \
                time\n";
    for arguments in [&["render", "--check"][..], &["render"], &["render", "--diff"]] {
        assert!(project.run(arguments).done().stderr.contains(said), "{arguments:?}");
    }
    assert!(!project.run(&["render", "--quiet"]).done().stderr.contains("generated/test"));
    let names = project.names();
    assert!(old.iter().all(|(name, _)| names.contains(name)), "{names:?}");
}

/// A state of something that is deployed.
const DEPLOYED: &str = "{\"version\": 4, \"resources\": [{}]}";

#[test]
fn a_folder_that_was_rendered_before_is_reported_and_its_state_is_not_made_a_second_time() {
    const MOVED: &str = "[output]\nfolder = \"infra\"\nrunner = false\n";
    let project = super::rendered("[output]\nrunner = false\n");
    project.write("deploy.toml", MOVED);
    let said = |hint: &str| {
        format!(
            "warning: `generated` was rendered, and `output.folder` is `infra` now\n hint: {hint}, then remove `generated`\n"
        )
    };
    let unread = said("nothing reads it any more: move what is yours in it");
    for arguments in
        [&["render", "--check"][..], &["render", "--diff"], &["--env", "dev", "render"], &["render", "--force"]]
    {
        let run = project.run(arguments);
        assert!(run.stderr.contains(&unread), "{arguments:?}: {}", run.stderr);
    }
    project.write("generated/terraform/terraform.tfstate", DEPLOYED);
    project.write("generated/bootstrap/terraform.tfstate", DEPLOYED);
    // All of it can be moved as long as nothing is there.
    std::fs::remove_dir_all(project.path().join("infra")).unwrap();
    let whole = "move it with `mv generated infra`, then run `infragen render`\n";
    let (check, deploy) = (project.run(&["render", "--check"]), project.run(&["deploy", "--yes"]));
    assert!(check.stderr.contains(&format!("everything is made a second time: {whole}")), "{}", check.stderr);
    assert!(deploy.code == 1 && deploy.stderr.ends_with(&format!("\n hint: {whole}")), "{}", deploy.stderr);
    let way = |root: &str| format!("move it with `mv generated/{root}/terraform.tfstate* infra/{root}/`");
    let both = format!(
        "a state of Terraform is in it, without which everything is made a second time: {}, and {}; move what else is yours",
        way("terraform"),
        way("bootstrap")
    );
    let run = project.run(&["render"]).done();
    assert!(run.stderr.contains(&said(&both)), "{}", run.stderr);
    for (command, root) in [("deploy", "terraform"), ("bootstrap", "bootstrap")] {
        let run = project.run(&[command, "--yes"]);
        let expected = format!(
            "error: the state of `infra/{root}` is in `generated/{root}`, where `output.folder` was before: everything would be \
             made a second time\n hint: {}\n",
            way(root)
        );
        assert_eq!((run.code, run.stderr.as_str()), (1, expected.as_str()), "{command}");
    }
    // As the hints say.
    for root in ["terraform", "bootstrap"] {
        let [old, new] = ["generated", "infra"].map(|folder| project.path().join(folder).join(root));
        std::fs::rename(old.join("terraform.tfstate"), new.join("terraform.tfstate")).unwrap();
    }
    std::fs::remove_dir_all(project.path().join("generated")).unwrap();
    assert!(!project.run(&["render", "--check"]).done().stderr.contains("generated"));
}

#[test]
fn a_folder_that_was_moved_is_rendered_where_it_is_now() {
    let project = super::rendered("[output]\nrunner = false\n");
    project.write("generated/terraform/terraform.tfstate", DEPLOYED);
    project.write("deploy.toml", "[output]\nfolder = \"infra\"\nrunner = false\n");
    let [old, new] = ["generated", "infra"].map(|folder| project.path().join(folder));
    std::fs::rename(&old, &new).unwrap();
    let edited = project.read("infra/terraform/stream.tf") + "# mine\n";
    project.write("infra/terraform/stream.tf", &edited);
    let run = project.run(&["render"]);
    assert_eq!((run.code, project.read("infra/terraform/stream.tf")), (1, edited), "{run:?}");
    std::fs::remove_file(new.join("terraform/stream.tf")).unwrap();
    assert!(!project.run(&["render"]).done().stderr.contains("warning"));
    project.run(&["render", "--check"]).done();
    assert_eq!(project.read("infra/terraform/terraform.tfstate"), DEPLOYED);
}

#[test]
fn an_empty_environment_before_a_table_of_the_base_is_probably_a_mistake() {
    let validate = |text: &str| Project::new(text).run(&["validate"]).done().stderr;
    let said = validate("[env.prod]\n\n# of prod, it looks like\n[stream]\nmemory = \"256 MiB\"\n");
    assert_eq!(
        said,
        "warning[empty-environment]: `[env.prod]` is empty, and `[stream]` below it is of the base\n \
         --> deploy.toml:1:6\n  |\n1 | [env.prod]\n  |      ^^^^\n  |\n  \
         = hint: write `[env.prod.stream]` for values of `prod`; `[env.prod]` alone is the base once more\n\
         `deploy.toml` is valid\n"
    );
    for meant in [
        "[env.prod]\n",
        "[stream]\n[env.prod]\n[env.test]\n",
        "[env.prod]\n[env.prod.stream]\nmemory = \"256 MiB\"\n[stream]\n",
        "[env.prod]\nstream.memory = \"256 MiB\"\n[stream]\n",
    ] {
        assert_eq!(validate(meant), "`deploy.toml` is valid\n", "{meant}");
    }
    let json = Project::new("[env.prod]\n[stream.vpc]\n").run(&["validate", "--format", "json"]).done().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["valid"], &json["errors"]), (&serde_json::json!(true), &serde_json::json!([])));
    assert_eq!(json["warnings"][0]["code"], "empty-environment");
    assert!(json["warnings"][0]["hint"].as_str().unwrap().contains("`[env.prod.stream.vpc]`"), "{json}");
}

#[test]
fn images_are_kept_in_one_repository_of_a_region() {
    let project = Project::new(
        "[stream]\npackage = \"image\"\n[env.prod]\n[env.eu.project]\nregion = \"eu-west-1\"\n[env.eu2.project]\n\
         region = \"eu-west-1\"\n[env.own.package]\nrepository = \"team/live\"\n[env.zip.stream]\npackage = \"zip\"\n\
         [env.away.project]\nregion = \"us-west-2\"\n[env.away.stream]\npackage = \"zip\"\n",
    );
    project.run(&["render"]).done();
    for (folder, repository) in [
        ("generated", Some("sse-streaming-dev")),
        ("generated/prod", None),
        ("generated/eu", Some("sse-streaming-dev")),
        ("generated/eu2", None),
        ("generated/own", Some("team/live")),
        ("generated/zip", None),
        ("generated/away", None),
    ] {
        let path = format!("{folder}/bootstrap/ecr.tf");
        let is_made = project.path().join(&path).exists();
        assert_eq!(is_made, repository.is_some(), "{folder}");
        assert!(repository.is_none_or(|name| project.read(&path).contains(&format!("\"{name}\""))), "{folder}");
        let outputs = project.read(&format!("{folder}/bootstrap/outputs.tf"));
        assert_eq!(outputs.contains("aws_ecr_repository.functions"), is_made, "{folder}");
    }
}

#[test]
fn another_account_has_a_repository_tokens_and_names_of_its_own() {
    let table = "[tables.items]\nname = \"news\"\n";
    let manifest = format!(
        "[stream]\npackage = \"image\"\n{table}[aws]\naccount_ids = [\"111111111111\"]\n[ci]\nprovider = \"github\"\n\
         repository = \"example/live\"\n[terraform.backend]\nkind = \"s3\"\nbucket = \"state-of-example\"\n\
         [env.prod.aws]\naccount_ids = [\"222222222222\"]\n[env.demo.aws]\naccount_ids = [\"333333333333\", \"222222222222\"]\n\
         [env.demo.tables.items]\nname = \"demo\"\n[env.test.tables.items]\nname = \"test\"\n"
    );
    let project = Project::new(&manifest);
    project.run(&["render"]).done();
    for (folder, is_first) in
        [("generated", true), ("generated/prod", true), ("generated/demo", false), ("generated/test", false)]
    {
        let bootstrap = format!("{folder}/bootstrap");
        assert_eq!(project.path().join(format!("{bootstrap}/ecr.tf")).exists(), is_first, "{folder}");
        let roles = project.read(&format!("{bootstrap}/ci.tf"));
        let makes = roles.contains("resource \"aws_iam_openid_connect_provider\"");
        assert_eq!(makes, is_first, "{folder}: {roles}");
    }
    let elsewhere = project.read("generated/demo/terraform/variables.tf");
    let sentence = "Push it with `./justw image` to the repository that the bootstrap root of `prod` makes.";
    assert!(elsewhere.contains(sentence), "{elsewhere}");

    // One account of two is enough for both to want one name.
    let same = manifest.replace("[env.demo.tables.items]\nname = \"demo\"\n", "");
    let said = Project::new(&same).run(&["validate"]).stderr;
    let expected =
        "`tables.items.name` makes the table `news` in the environments `prod` and `demo`: each needs its own";
    assert!(said.contains(expected) && said.matches("error[").count() == 1, "{said}");
}

#[test]
fn environments_are_deployed_in_the_order_in_which_they_are_written() {
    for order in [["staging", "prod", "again"], ["again", "prod", "staging"], ["prod", "again", "staging"]] {
        let environments: String =
            order.iter().map(|name| format!("[env.{name}.stream]\nmemory = \"256 MiB\"\n")).collect();
        let project = rendered(&format!(
            "[stream]\npackage = \"image\"\n[ci]\nprovider = \"github\"\nrepository = \"example/live\"\n\
             [terraform.backend]\nkind = \"s3\"\nbucket = \"state-of-example\"\n{environments}"
        ));
        let workflow = project.read("generated/workflow.yml");
        let place = |name: &str| workflow.find(&format!("environment: {name}")).unwrap_or_else(|| panic!("{workflow}"));
        assert!(place("dev") < place(order[0]), "{workflow}");
        assert!(order.is_sorted_by_key(|name| place(name)), "{order:?}: {workflow}");
    }
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
        "WINDOW_MS": 86_400_000,
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
    project.run(&["render"]).done();
    for (folder, makes, bucket, key) in [
        ("generated", true, "one-bucket", "dev"),
        ("generated/prod", false, "one-bucket", "prod"),
        ("generated/other", true, "another-bucket", "other"),
    ] {
        assert_eq!(project.path().join(folder).join("bootstrap/state.tf").exists(), makes, "{folder}");
        // With nothing to make there is no root.
        assert_eq!(project.path().join(folder).join("bootstrap").exists(), makes, "{folder}");
        let versions = project.read(&format!("{folder}/terraform/versions.tf"));
        let key = format!("\"sse-streaming/{key}/terraform.tfstate\"");
        assert!(versions.contains(&format!("\"{bucket}\"")) && versions.contains(&key), "{versions}");
    }
}
