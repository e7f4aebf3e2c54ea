//! docs/operations.md, docs/security.md and docs/migrating.md, held to the truth: every alarm, every right, every command, key and
//! link that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Project, commands, fixture_names, infragen, workspace};

fn page(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text between the first two of a mark in a line.
fn between(line: &str, mark: char) -> Option<&str> {
    line.split(mark).nth(1)
}

/// What a name in a template is without what each deployment puts before it.
fn suffix(name: &str) -> &str {
    name.rsplit("}}").next().unwrap().trim_start_matches('-')
}

/// Every alarm and budget that a template can make.
fn alarms() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let folder = workspace().join("templates/terraform");
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "tf") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let mut kind = "";
        for line in text.lines() {
            if line.starts_with("resource \"") {
                kind = between(line, '"').unwrap();
            }
            let is_name = match kind {
                "aws_cloudwatch_metric_alarm" => line.trim_start().starts_with("alarm_name = "),
                "aws_budgets_budget" => line.starts_with("  name = \"{{"),
                _ => false,
            };
            if is_name {
                found.insert(suffix(between(line, '"').unwrap()).to_owned());
            }
        }
    }
    found
}

#[test]
fn every_alarm_has_a_section_that_says_what_to_do() {
    let text = page("docs/operations.md");
    let mut described = BTreeSet::new();
    for section in text.split("\n## `").skip(1) {
        let (name, body) = section.split_once("`\n").unwrap();
        let body = body.split("\n# ").next().unwrap();
        for part in ["**Means.**", "**Look at.**", "**Do.**"] {
            assert_eq!(body.matches(part).count(), 1, "`{name}` has not one {part}");
        }
        described.insert(name.to_owned());
    }
    assert_eq!(described, alarms());
    assert!(described.len() >= 9, "{described:?}");
}

type Actions = BTreeMap<String, BTreeSet<String>>;

/// Whether a text is an action of IAM: a service and what is done.
fn is_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty()
            && service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '*')
    })
}

/// Adds the actions of each statement of a rendered file; of one without a name, under a dash.
fn add_actions(text: &str, found: &mut Actions) {
    let (mut statement, mut is_open) = ("—".to_owned(), false);
    for line in text.lines() {
        let trimmed = line.trim();
        let (key, value) = trimmed.split_once('=').map_or((trimmed, ""), |(key, value)| (key.trim(), value.trim()));
        if !is_open && trimmed.ends_with('{') {
            "—".clone_into(&mut statement);
        }
        if ["Sid", "statement_id"].contains(&key) {
            between(value, '"').unwrap().clone_into(&mut statement);
        }
        if is_open || ["Action", "action"].contains(&key) {
            let actions = trimmed.split('"').skip(1).step_by(2).filter(|text| is_action(text));
            let actions: Vec<String> = actions.map(str::to_owned).collect();
            if !actions.is_empty() {
                found.entry(statement.clone()).or_default().extend(actions);
            }
            is_open = !trimmed.contains(']') && (is_open || value.starts_with('['));
        }
    }
}

#[test]
fn every_right_is_in_the_page_about_security_and_no_other() {
    let mut rendered = Actions::new();
    let names = fixture_names("valid");
    let mut projects: Vec<Project> =
        names.iter().map(String::as_str).chain(["default"]).map(Project::rendered).collect();
    // What no fixture asks for.
    let goodbyes = Project::new("[stream]\ngoodbye = true\n");
    goodbyes.run(&["render"]).done();
    projects.push(goodbyes);
    for project in projects {
        for (path, bytes) in project.files() {
            // What whoever deploys may do is in docs/features.md, which is made from the constructs.
            let is_role_of_ci = path.ends_with("/ci.tf");
            if path.ends_with(".tf") && !path.contains("/tests/") {
                let mut found = Actions::new();
                add_actions(std::str::from_utf8(&bytes).unwrap(), &mut found);
                found.retain(|statement, _| !is_role_of_ci || statement == "—");
                found
                    .into_iter()
                    .for_each(|(statement, actions)| rendered.entry(statement).or_default().extend(actions));
            }
        }
    }
    let text = page("docs/security.md");
    let mut described = Actions::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, statement, actions, why, _] = cells[..] else { continue };
        let actions: Vec<&str> = actions.split('`').skip(1).step_by(2).filter(|text| is_action(text)).collect();
        if !actions.is_empty() {
            assert!(why.len() > 20, "{statement} has no reason");
            let entry = described.entry(statement.trim_matches('`').to_owned()).or_default();
            entry.extend(actions.into_iter().map(str::to_owned));
        }
    }
    assert!(rendered.len() > 10, "{rendered:?}");
    assert_eq!(described, rendered);
}

const PAGES: [&str; 4] = ["docs/operations.md", "docs/security.md", "docs/migrating.md", "SECURITY.md"];

/// What stands between single backticks, and the lines of fenced blocks.
fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            found.extend(part.lines().skip(1).map(|line| line.trim().to_owned()));
        } else {
            found.extend(
                part.split('`').skip(1).step_by(2).map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")),
            );
        }
    }
    found
}

#[test]
fn every_command_that_is_named_is_there() {
    let commands: BTreeSet<String> = commands().into_iter().collect();
    let justfile = page("justfile");
    let recipes: BTreeSet<&str> = justfile
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(':'))
        .filter_map(|line| line.split([' ', ':']).next())
        .collect();
    let mut seen = 0;
    for path in PAGES {
        for code in code(&page(path)) {
            let words: Vec<&str> = code.split(' ').collect();
            match words[..] {
                ["infragen", command, ..] => assert!(commands.contains(command), "{path}: `{code}`"),
                ["./justw", recipe, ..] => assert!(recipes.contains(recipe), "{path}: `{code}`"),
                _ => continue,
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

/// Whether the schema has a key of this path.
fn has_key(schema: &serde_json::Value, key: &str) -> bool {
    let mut words = key.split('.');
    let mut at = &schema["definitions"][words.next().unwrap()];
    for word in words {
        at = &at["properties"][word];
    }
    !at.is_null()
}

#[test]
fn every_key_that_is_named_is_one_of_the_manifest() {
    let schema: serde_json::Value = serde_json::from_str(&infragen(&workspace(), &["schema"]).done().stdout).unwrap();
    let tables: Vec<&String> = schema["definitions"].as_object().unwrap().keys().collect();
    assert!(has_key(&schema, "stream.max_session") && !has_key(&schema, "stream.max_sessions"));
    let mut seen = 0;
    for path in PAGES {
        for code in code(&page(path)) {
            let key = code.split(" = ").next().unwrap();
            let is_path = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.');
            let table = key.split('.').next().unwrap();
            if is_path && key.contains('.') && tables.iter().any(|one| *one == table) && key != "deploy.toml" {
                assert!(has_key(&schema, key), "{path}: `{key}` is no key of the manifest");
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut paths: Vec<String> =
        ["README.md", "SECURITY.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(str::to_owned).into();
    for entry in std::fs::read_dir(workspace().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        paths.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    let mut linked = BTreeSet::new();
    for path in &paths {
        let text = page(path);
        let folder = workspace().join(path).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            let found = folder.join(file).canonicalize();
            linked.insert(found.unwrap_or_else(|error| panic!("{path} links to `{target}`: {error}")));
        }
    }
    // And every page of the documentation is reached from another one.
    for path in paths.iter().filter(|path| path.starts_with("docs/") || *path == "SECURITY.md") {
        assert!(linked.contains(&workspace().join(path).canonicalize().unwrap()), "nothing links to {path}");
    }
}
