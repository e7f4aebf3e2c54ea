//! Manifests that are wrong, with the exact words that say so; and commands that read manifests only.

use super::{Project, fixture_names, fixtures, infragen, is_updating, workspace};

#[test]
fn every_invalid_manifest_gets_exactly_its_message() {
    let names = fixture_names("invalid");
    assert!(names.len() >= 20, "{names:?}");
    let folder = fixtures("invalid");
    let mut wrong = Vec::new();
    for name in names {
        let run = infragen(&folder, &["--manifest", &format!("{name}.toml"), "validate"]);
        if is_updating() {
            std::fs::write(folder.join(format!("{name}.stderr")), &run.stderr).unwrap();
        }
        let expected = std::fs::read_to_string(folder.join(format!("{name}.stderr"))).unwrap_or_default();
        if (run.code, run.stdout.as_str(), &run.stderr) != (1, "", &expected) {
            wrong.push(format!("{name}: exit {}\n--- expected\n{expected}--- found\n{}", run.code, run.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_invalid_manifest_writes_nothing_whatever_the_command() {
    for name in fixture_names("invalid") {
        let project = Project::new(&std::fs::read_to_string(fixtures("invalid").join(format!("{name}.toml"))).unwrap());
        for command in [&["render"][..], &["render", "--check"], &["--env", "local", "render"], &["show"]] {
            let run = project.run(command);
            assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{name} {command:?}");
        }
        assert_eq!(project.names(), ["deploy.toml"], "{name}");
    }
}

#[test]
fn every_valid_manifest_is_valid_and_says_so_on_stderr_only() {
    for name in fixture_names("valid") {
        let project = Project::fixture(&name);
        let run = project.run(&["validate"]).done();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "`deploy.toml` is valid\n"), "{name}");
        assert_eq!(project.run(&["--quiet", "validate"]).done().stderr, "", "{name}");
    }
}

#[test]
fn errors_for_programs_are_json_on_stdout_with_line_and_column() {
    let project = Project::new("[stream]\nmemory = \"1 MiB\"\npoll_intervall = \"5s\"\n");
    let run = project.run(&["validate", "--format", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = serde_json::json!({
        "valid": false,
        "errors": [
            {
                "code": "out-of-range", "key": "stream.memory", "hint": null, "environment": null, "layer": "base",
                "file": "deploy.toml", "line": 2, "column": 10, "endLine": 2, "endColumn": 17,
                "firstLine": null, "firstColumn": null,
                "message": "`stream.memory` is `1 MiB`: it must be from 128 MiB to 10 GiB (10240 MiB)",
            },
            {
                "code": "unknown-key", "key": "stream.poll_intervall", "environment": null, "layer": "base",
                "file": "deploy.toml", "line": 3, "column": 1, "endLine": 3, "endColumn": 15,
                "firstLine": null, "firstColumn": null,
                "message": "`stream.poll_intervall` is not a key of `[stream]`", "hint": "did you mean `poll_interval`",
            },
        ],
        "warnings": [],
    });
    assert_eq!(found, expected);
    let valid = Project::new("").run(&["validate", "--format", "json"]).done();
    assert_eq!(valid.stdout, "{\n  \"errors\": [],\n  \"valid\": true,\n  \"warnings\": []\n}\n");
}

#[test]
fn the_default_manifest_says_nothing_but_the_defaults_and_every_key_of_them() {
    let shown = |project: Project| toml::from_str::<toml::Table>(&project.run(&["show"]).done().stdout).unwrap();
    let defaults = shown(Project::new(""));
    assert_eq!(shown(Project::fixture("default")), defaults);
    let text = std::fs::read_to_string(workspace().join("deploy.toml")).unwrap();
    // A key that may be left out stands there as a comment, so that a reader finds it.
    for optional in ["bucket", "reserved_concurrency", "name"] {
        assert!(text.contains(&format!("\n# {optional} = ")), "{optional}");
    }
    let written: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(written, defaults);
    for (line, next) in text.lines().zip(text.lines().skip(1)) {
        let is_key = |line: &str| line.contains(" = ") && !line.starts_with('#');
        assert!(line.starts_with("# ") || !is_key(next), "`{next}` has no comment above it");
    }
}

#[test]
fn what_show_prints_is_a_manifest_that_renders_the_same() {
    for name in fixture_names("valid") {
        // Of the base: others would have to be laid over it.
        let project = Project::fixture(&name);
        let base = project.run(&["query", "project.environment"]).done().stdout;
        project.run(&["--env", base.trim(), "render"]).done();
        let shown = Project::new(&project.run(&["show"]).done().stdout);
        shown.run(&["--env", base.trim(), "render"]).done();
        // One workflow is for all environments.
        let others = if project.read("deploy.toml").contains("[env.") { "generated/workflow.yml" } else { "" };
        let outputs = |project: &Project| {
            let is_compared = |path: &str| path != "deploy.toml" && path != others;
            project.files().into_iter().filter(|(path, _)| is_compared(path)).collect::<Vec<_>>()
        };
        assert!(outputs(&shown) == outputs(&project), "{name}");
    }
}

#[test]
fn show_says_where_each_value_comes_from_in_the_style_asked_for() {
    let project = Project::new("[stream]\nmemory = \"256 MiB\"\n[env.prod.stream]\nretry = \"2s\"\n");
    let arguments = ["--env", "prod", "--set", "stream.max_session=90s", "show"];
    let shown = project.run(&arguments).done().stdout;
    for (line, origin) in [
        ("memory = \"256 MiB\"", "deploy.toml:2"),
        ("retry = \"2s\"", "[env.prod] deploy.toml:4"),
        ("max_session = \"90s\"", "--set"),
        ("poll_interval = \"5s\"", "default"),
        ("environment = \"prod\"", "[env.prod] deploy.toml:3"),
    ] {
        let found = shown.lines().find(|found| found.starts_with(line)).unwrap_or_else(|| panic!("{line}: {shown}"));
        assert_eq!(found.split_once(" # ").unwrap().1, origin, "{found}");
    }
    let listed = project.run(&[&arguments[..], &["--format", "json"]].concat()).done().stdout;
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    let entry = |key: &str| listed.iter().find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("{key}"));
    assert_eq!(
        entry("stream.retry"),
        &serde_json::json!({
            "key": "stream.retry", "value": "2s",
            "origin": { "kind": "environment", "environment": "prod", "file": "deploy.toml", "line": 4 },
        })
    );
    assert_eq!(entry("stream.max_session")["origin"], serde_json::json!({ "kind": "set" }));
    assert_eq!(entry("stream.timeout")["origin"], serde_json::json!({ "kind": "default" }));
}

#[test]
fn an_override_reaches_every_command_and_is_checked_like_the_rest() {
    let project = Project::new("[env.prod]\n");
    let set = |values: &[&str], command: &[&str]| {
        let flags = values.iter().flat_map(|value| ["--set", value]).collect::<Vec<_>>();
        project.run(&[&flags[..], command].concat())
    };
    let origins = "front.allow_origins=[\"https://a.example\"]";
    assert_eq!(set(&["stream.retry=2s", "stream.retry=4s"], &["query", "stream.retry"]).done().stdout, "4s\n");
    assert_eq!(set(&["stream.retry=2s"], &["query", "stream.retry", "--env", "prod"]).done().stdout, "2s\n");
    set(&[origins, "stream.poll_interval=10s", "page.sse_base_url=https://live.example"], &["render"]).done();
    assert!(project.read("generated/terraform/stream.tf").contains("\"10s\""));
    assert!(project.read("frontend/config.js").contains("https://live.example"));
    let unknown = set(&["stream.pol_interval=10s"], &["validate"]);
    assert_eq!(unknown.code, 1);
    let expected = "error[unknown-key]: `stream.pol_interval` is not a key of `[stream]`\n --> command line:1:14\n  |\n\
                    1 | --set stream.pol_interval=10s\n  |              ^^^^^^^^^^^^\n  |\n  \
                    = hint: did you mean `poll_interval`\n";
    assert_eq!(unknown.stderr, expected);
    assert_eq!(set(&["stream.retry=5"], &["render"]).code, 1);
    assert_eq!(set(&["env.prod.stream.retry=5s"], &["render"]).code, 1);
    assert_eq!(set(&["project.environment=b"], &["--env", "prod", "render"]).code, 1);
    for usage in ["stream.retry", "=1", "a b=1"] {
        assert_eq!(set(&[usage], &["validate"]).code, 2, "{usage}");
    }
}

#[test]
fn query_prints_one_value_for_scripts() {
    let project = Project::fixture("images");
    for (key, expected) in [
        ("architecture", "x86_64\n"),
        ("package.stream", "image\n"),
        ("package.dashboard", "image\n"),
        ("project.region", "us-east-1\n"),
        ("stream.max_connections", "100\n"),
        ("tables.items.deletion_protection", "false\n"),
    ] {
        assert_eq!(project.run(&["query", key]).done().stdout, expected, "{key}");
    }
    assert_eq!(Project::new("").run(&["query", "package.stream"]).done().stdout, "zip\n");
    assert_eq!(Project::new("").run(&["query", "architecture"]).done().stdout, "arm64\n");
    let unknown = project.run(&["query", "stream.nothing"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    let unset = project.run(&["query", "front.domain"]);
    assert_eq!((unset.code, unset.stdout.as_str()), (1, ""));
    assert_eq!(unset.stderr, "error: `front.domain` is not set and has no default\n");
}

#[test]
fn the_nearest_manifest_above_is_used_and_named() {
    let project = Project::new("[project]\nname = \"orders\"\n");
    let below = project.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let run = infragen(&below, &["query", "project.name"]).done();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("orders\n", "using `../../deploy.toml`\n"));
    infragen(&below, &["--quiet", "render"]).done();
    assert!(project.names().contains(&"generated/terraform/stream.tf".to_owned()), "outputs go beside the manifest");
    for subject in
        ["../../generated/terraform/stream.tf:7", "generated/terraform/stream.tf:7", "terraform/stream.tf:7:3"]
    {
        let run = infragen(&below, &["--quiet", "explain", subject]).done();
        assert!(run.stdout.contains("(generated/terraform/stream.tf:7)"), "{subject}: {}", run.stdout);
    }
    let absolute = format!("{}:7", project.path().join("generated/terraform/stream.tf").display());
    assert!(infragen(&below, &["explain", &absolute]).done().stdout.contains("(generated/terraform/stream.tf:7)"));
    // What is there to be written is written here.
    infragen(&below, &["init"]).done();
    assert_eq!(infragen(&below, &["query", "project.name"]).done().stderr, "");
}

#[test]
fn a_manifest_may_come_from_standard_input_where_no_folder_is_needed() {
    let run = |arguments: &[&str], text: &str| {
        let project = Project::empty();
        project.write("m", text);
        let run = std::process::Command::new(crate::support::bins::path("infragen"))
            .args(["--manifest", "-"])
            .args(arguments)
            .stdin(std::fs::File::open(project.path().join("m")).unwrap())
            .current_dir(project.path())
            .output()
            .unwrap();
        (run.status.code(), String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap())
    };
    let manifest = "[stream]\nmemory = \"256 MiB\"\n";
    assert_eq!(run(&["query", "stream.memory"], manifest), (Some(0), "256 MiB\n".into(), String::new()));
    assert_eq!(run(&["validate"], manifest), (Some(0), String::new(), "`standard input` is valid\n".into()));
    assert!(run(&["show"], manifest).1.contains("memory = \"256 MiB\""));
    let (code, _, stderr) = run(&["validate"], "x = 1");
    assert!(code == Some(1) && stderr.contains(" --> standard input:1:1\n"), "{stderr}");
    for command in ["render", "init", "doctor"] {
        let (code, stdout, stderr) = run(&[command], manifest);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{command}");
        assert!(stderr.ends_with("and standard input has none\n hint: name a file\n"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_named_by_every_command() {
    let project = Project::empty();
    std::os::unix::fs::symlink("gone.toml", project.path().join("deploy.toml")).unwrap();
    for command in ["validate", "init"] {
        let run = project.run(&[command]);
        let expected =
            "error: `deploy.toml` is a link to `gone.toml`, which is not there\n hint: mend the link, or remove it\n";
        assert_eq!((run.code, run.stderr.as_str()), (1, expected), "{command}");
    }
}

#[test]
fn an_environment_takes_a_value_of_the_base_away_with_false() {
    let base = "[front]\nkind = \"cloudfront\"\ndomain = \"live.example.com\"\nhosted_zone_id = \"Z0123456789\"\n";
    let project = Project::new(&format!("{base}[env.test.front]\ndomain = false\nhosted_zone_id = false\n"));
    assert_eq!(project.run(&["query", "front.domain"]).done().stdout, "live.example.com\n");
    assert_eq!(project.run(&["--env", "test", "query", "front.domain"]).code, 1);
    project.run(&["--env", "test", "render"]).done();
    assert!(!project.read("generated/test/terraform/page.tf").contains("live.example.com"));
}

#[test]
fn init_writes_the_default_manifest_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(infragen(folder.path(), &["init"]).code, 0);
    let written = std::fs::read_to_string(folder.path().join("deploy.toml")).unwrap();
    let own = std::fs::read_to_string(workspace().join("deploy.toml")).unwrap();
    // It is a repository without our recipes.
    assert_eq!(written, own.replace("runner = \"./justw\"", "runner = false"));
    std::fs::write(folder.path().join("justw"), "").unwrap();
    infragen(folder.path(), &["--manifest", "with.toml", "init"]).done();
    assert_eq!(std::fs::read_to_string(folder.path().join("with.toml")).unwrap(), own);
    let again = infragen(folder.path(), &["init"]);
    assert_eq!((again.code, again.stdout.as_str()), (1, ""));
    assert_eq!(again.stderr, "error: `deploy.toml` exists already\n hint: name another file with `--manifest`\n");
}

#[test]
fn init_makes_its_folder_takes_no_flags_of_a_manifest_and_leaves_no_half_of_one() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, value) in [("--set", "stream.memory=1 GiB"), ("--env", "prod")] {
        let run = infragen(folder.path(), &["init", flag, value]);
        let said = format!("error: `{flag}` means nothing to `init`\n hint: edit the manifest that it writes\n");
        assert_eq!((run.code, run.stderr.as_str()), (2, said.as_str()));
    }
    let nothing = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().count() == 0;
    assert!(nothing(folder.path()));
    // A disk that takes no more than a part of it.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" init"]).arg(crate::support::bins::path("infragen"));
    let output = shell.current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: `deploy.toml` cannot be written: "), "{stderr}");
    assert!(nothing(folder.path()));
    infragen(folder.path(), &["--manifest", "orders/live/deploy.toml", "init"]).done();
    infragen(folder.path(), &["--manifest", "orders/live/deploy.toml", "validate"]).done();
}

/// A table that exists, from what AWS says of it to a root that is planned, in a folder with nothing of ours but the generator.
#[test]
fn a_table_that_exists_is_described_and_rendered() {
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str, kind: &str| serde_json::json!({ "AttributeName": name, "KeyType": kind });
    let definition = |name: &str, kind: &str| serde_json::json!({ "AttributeName": name, "AttributeType": kind });
    let index = |name: &str, hash: &str, range: &str, projection: serde_json::Value| {
        serde_json::json!({
            "IndexName": name, "KeySchema": [key(hash, "HASH"), key(range, "RANGE")], "Projection": projection,
        })
    };
    let all = serde_json::json!({ "ProjectionType": "ALL" });
    let some = serde_json::json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["region", "price", "channel"] });
    let table = serde_json::json!({ "Table": {
        "TableName": "shop-orders",
        "TableArn": "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-orders",
        "AttributeDefinitions": [
            definition("order_id", "S"), definition("customer", "S"), definition("state", "S"),
            definition("updated", "N"), definition("photo", "B"),
        ],
        "KeySchema": [key("order_id", "HASH")],
        "GlobalSecondaryIndexes": [
            index("by_photo", "photo", "updated", all.clone()), index("by_customer", "customer", "order_id", all),
            index("by_state", "state", "updated", some),
        ],
    }});
    std::fs::write(folder.path().join("table.json"), table.to_string()).unwrap();
    let run = infragen(folder.path(), &["init", "--minimal", "--table", "table.json"]).done();
    for said in [
        "  found    index `by_state`: label `state`, time `updated`\n",
        "  found    tags: `region`\n",
        "  look at  how `updated` is written was seen in no row: seconds since 1970 are assumed, see `time_format` in [data]\n",
        "  look at  values of `state` were seen in no row: name those that count in `labels` of [data]\n",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let written = std::fs::read_to_string(folder.path().join("deploy.toml")).unwrap();
    let expected = "[project]\nname = \"sse-streaming\"\nenvironment = \"dev\"\nregion = \"eu-central-1\"\n\n\
                    [tables.items]\nname = \"shop-orders\"\ncreate = false\n\n\
                    [data]\nindex = \"by_state\"\ntime_format = \"epoch-seconds\"\nidentity = \"key\"\n\n\
                    [data.attributes]\nkey = \"order_id\"\ntime = \"updated\"\nlabel = \"state\"\ntags = \"region\"\n\
                    score = false\nconfidence = false\nsource = \"channel\"\nstatus = false\n\n[output]\nrunner = false\n";
    assert!(written.ends_with(expected), "{written}");
    infragen(folder.path(), &["validate"]).done();
    infragen(folder.path(), &["render"]).done();
    // The commented one says the same.
    infragen(folder.path(), &["--manifest", "all.toml", "init", "--table", "table.json", "--provider", "6"]).done();
    for key in ["project.region", "tables.items.name", "data.index", "data.identity", "data.attributes.source"] {
        let value = |manifest| infragen(folder.path(), &["--manifest", manifest, "query", key]).done().stdout;
        assert_eq!(value("deploy.toml"), value("all.toml"), "{key}");
    }
}

#[test]
fn a_wrong_command_line_is_usage_and_a_missing_manifest_needs_a_person() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["rendr"], &["render", "--check", "--diff"], &["--env", "Not A Name", "render"]] {
        let run = infragen(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    let run = infragen(folder.path(), &["render"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: `deploy.toml` cannot be read: "), "{}", run.stderr);
    assert!(run.stderr.ends_with("\n hint: write one with `infragen init`\n"), "{}", run.stderr);
}

#[test]
fn a_manifest_that_cannot_be_read_is_json_for_programs_too() {
    let project = Project::empty();
    let check = |arguments: &[&str], code: &str, message: &str, hint: &str| {
        let run = project.run(&[arguments, &["validate", "--format", "json"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
        let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let error = &found["errors"][0];
        assert_eq!((&found["valid"], &error["code"]), (&false.into(), &code.into()), "{found}");
        assert!(error["message"].as_str().unwrap().starts_with(message), "{found}");
        assert_eq!((&error["hint"], &error["line"]), (&hint.into(), &serde_json::Value::Null), "{found}");
        assert_eq!(found["errors"].as_array().unwrap().len(), 1, "{found}");
    };
    check(&[], "unreadable", "`deploy.toml` cannot be read: ", "write one with `infragen init`");
    project.write_bytes("deploy.toml", b"[project]\nname = \"\xff\"\n");
    check(&[], "unreadable", "`deploy.toml` is not UTF-8: line 2 has the byte 0xff", "save it as UTF-8");
    project.write("deploy.toml", "");
    check(&["--env", "prod"], "unknown-environment", "`--env` is `prod`: ", "use one of `dev`, `local`");
}

#[test]
fn an_unknown_environment_is_named_with_the_known_ones() {
    let run = Project::fixture("environments").run(&["--env", "staging", "render"]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stderr,
        "error: `--env` is `staging`: `deploy.toml` has no `[env.staging]`\n hint: use one of `dev`, `local`, `prod`, `test`\n"
    );
}

#[test]
fn colours_are_there_when_asked_for_and_never_in_a_pipe() {
    let project = Project::new("x = 1");
    assert!(!project.run(&["validate"]).stderr.contains('\u{1b}'));
    assert!(
        project.run(&["--color", "always", "validate"]).stderr.starts_with("\u{1b}[1m\u{1b}[91merror[unknown-key]")
    );
}
