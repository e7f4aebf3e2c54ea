//! What is made of the manifest's definitions, and what must keep up with them: reference, schema, codes of mistakes.

use std::collections::BTreeSet;
use std::process::Command;

use super::{Project, commands, fixture_names, fixtures, infragen, is_updating, workspace};
use crate::support::json_schema;

#[test]
fn the_reference_is_fresh() {
    let found = infragen(&workspace(), &["explain", "--all"]).stdout;
    let path = workspace().join("docs/manifest.md");
    if is_updating() {
        std::fs::write(&path, &found).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == found, "docs/manifest.md is stale: run `UPDATE=1 ./justw it -p tests render::definitions`");
}

/// Every string in the sources that is the code of a mistake: the first argument of what makes one.
fn codes_of_the_source() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![workspace().join("infragen/src/manifest"), workspace().join("infragen/src/load")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let source = text.split("#[cfg(test)]").next().unwrap();
            for call in ["fail(", ".code(", "Problem::new(", "Diagnostic::new(", "=> "] {
                for (at, _) in source.match_indices(call) {
                    let Some(rest) = source[at + call.len()..].trim_start().strip_prefix('"') else { continue };
                    let code = rest.split('"').next().unwrap();
                    let is_code = code.contains('-') && code.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                    // After `=>` stand a match's words too; a code is followed by the check of a text.
                    if (is_code || code == "malformed") && (call != "=> " || rest[code.len()..].starts_with("\",")) {
                        codes.insert(code.to_owned());
                    }
                }
            }
        }
    }
    codes
}

#[test]
fn every_code_has_a_manifest_that_shows_it() {
    let mut shown = BTreeSet::new();
    for name in fixture_names("invalid") {
        let text = std::fs::read_to_string(fixtures("invalid").join(format!("{name}.stderr"))).unwrap();
        let code = |line: &str| Some(line.strip_prefix("error[")?.split_once("]: ")?.0.to_owned());
        let codes: Vec<String> = text.lines().filter_map(code).collect();
        assert!(!codes.is_empty(), "{name} shows no code");
        shown.extend(codes);
    }
    // Too long to be kept.
    let run = Project::new(&"#".repeat(300_000)).run(&["validate"]);
    assert_eq!(run.stderr, "error[too-long]: the file is longer than 256 KiB: no manifest is\n--> deploy.toml\n");
    shown.insert("too-long".to_owned());
    // Such manifests are valid: see `rendering`.
    shown.insert("empty-environment".to_owned());
    let source = codes_of_the_source();
    assert!(source.len() > 50, "{source:?}");
    let unseen: Vec<&String> = source.difference(&shown).collect();
    assert!(unseen.is_empty(), "no manifest of tests/fixtures/manifests/invalid shows {unseen:?}");
    let unknown: Vec<&String> = shown.difference(&source).collect();
    assert!(unknown.is_empty(), "no source makes {unknown:?}: does the search in this test still find all?");
    assert!(fixture_names("invalid").len() >= 60);
}

/// Asks a validator that is not ours about each manifest.
fn validated(schema: &str, manifests: &[String]) -> Vec<bool> {
    let values =
        manifests.iter().map(|text| serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap());
    json_schema::validated(schema, &values.collect::<Vec<_>>())
}

/// A manifest for each example of each key.
fn examples(schema: &serde_json::Value) -> Vec<String> {
    let mut manifests = Vec::new();
    let mut tables: Vec<(Vec<String>, &serde_json::Value)> = Vec::new();
    for (name, table) in schema["definitions"].as_object().unwrap() {
        tables.push((vec![name.clone()], table));
    }
    while let Some((path, value)) = tables.pop() {
        if let Some(inner) = value.get("properties").and_then(serde_json::Value::as_object) {
            tables.extend(inner.iter().map(|(name, value)| ([&path[..], std::slice::from_ref(name)].concat(), value)));
        }
        for example in value.get("examples").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let nested = path.iter().rev().fold(example.clone(), |value, name| serde_json::json!({ name: value }));
            manifests.push(toml::to_string(&nested).unwrap());
        }
    }
    manifests
}

/// Every text that is a key's value has a pattern, or a list of words.
#[test]
fn the_schema_says_of_every_text_what_it_is() {
    fn check(path: &str, value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(object) => {
                let is_bare = object.get("type").is_some_and(|kind| kind == "string")
                    && !["pattern", "enum", "maxLength"].iter().any(|word| object.contains_key(*word));
                // Variables of one's own may have any text.
                assert!(!is_bare || path.ends_with("/environment/additionalProperties"), "{path} has no pattern");
                object.iter().for_each(|(key, value)| check(&format!("{path}/{key}"), value));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| check(path, value)),
            _ => {}
        }
    }
    check("", &serde_json::from_str(&Project::new("").run(&["schema"]).done().stdout).unwrap());
}

#[test]
fn the_schema_takes_every_valid_manifest_and_refuses_most_others() {
    let schema = Project::new("").run(&["schema"]).done().stdout;
    let committed = std::fs::read_to_string(workspace().join("generated/deploy.schema.json")).unwrap();
    // The committed one says which file it is.
    let plain = committed
        .split_once(" [generated/deploy.schema.json ")
        .and_then(|(head, rest)| Some(head.to_owned() + rest.split_once(']')?.1));
    assert!(plain.as_ref() == Some(&schema), "generated/deploy.schema.json is stale: run `./justw render`");
    let read =
        |kind: &str, name: &String| std::fs::read_to_string(fixtures(kind).join(format!("{name}.toml"))).unwrap();

    let mut valid: Vec<String> = fixture_names("valid").iter().map(|name| read("valid", name)).collect();
    valid.push(std::fs::read_to_string(workspace().join("deploy.toml")).unwrap());
    valid.push(String::new());
    assert_eq!(validated(&schema, &valid), vec![true; valid.len()], "{:?}", fixture_names("valid"));

    // Every example that the schema names is one that it takes.
    let examples = examples(&serde_json::from_str(&schema).unwrap());
    assert!(examples.len() > 200, "{}", examples.len());
    let taken = validated(&schema, &examples);
    let wrong: Vec<&String> = examples.iter().zip(taken).filter(|(_, taken)| !taken).map(|(text, _)| text).collect();
    assert!(wrong.is_empty(), "{wrong:?}");

    // Rules between keys are not for a schema; what one key breaks by itself mostly is.
    let is_toml = |name: &String| toml::from_str::<toml::Table>(&read("invalid", name)).is_ok();
    let names: Vec<String> = fixture_names("invalid").into_iter().filter(is_toml).collect();
    let texts: Vec<String> = names.iter().map(|name| read("invalid", name)).collect();
    let results = validated(&schema, &texts);
    let refused: Vec<&String> =
        names.iter().zip(&results).filter(|(_, valid)| !**valid).map(|(name, _)| name).collect();
    for name in ["unknown_key", "unknown_section", "wrong_types", "words", "numbers", "duration_without_unit", "labels"]
    {
        assert!(refused.iter().any(|refused| *refused == name), "{name} gets through: {refused:?}");
    }
    assert!(refused.len() * 3 >= names.len(), "{} of {}: {refused:?}", refused.len(), names.len());
}

#[test]
fn completions_and_manual_page_name_every_command() {
    let project = Project::new("");
    let commands = commands();
    assert!(commands.len() >= 9, "{commands:?}");
    let man = project.run(&["man"]).done().stdout;
    for command in &commands {
        assert!(man.contains(&format!("infragen\\-{command}(1)")), "the manual page does not know {command}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let completions = project.run(&["completions", shell]).done().stdout;
        for word in commands.iter().map(String::as_str).chain(["stream.poll_interval", "local"]) {
            assert!(completions.contains(word), "{shell} does not know {word}");
        }
    }
    project.run(&["man", "--folder", "."]).done();
    for command in commands.iter().filter(|command| **command != "help") {
        let page = project.read(&format!("infragen-{command}.1"));
        assert!(page.contains("\n.SH EXAMPLES\n") && page.contains("\n.SH OPTIONS\n"), "{page}");
        assert_eq!(page, project.run(&["man", command]).done().stdout);
        let help = project.run(&["help", command]).done().stdout;
        assert!(help.contains("\nExamples:\n  "), "{help}");
    }
    assert_eq!(project.run(&["man", "nothing"]).code, 2);
    assert_eq!(project.run(&["man", "--folder", "nowhere"]).code, 1);
    let check =
        Command::new("bash").args(["-n", "-c", &project.run(&["completions", "bash"]).done().stdout]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
