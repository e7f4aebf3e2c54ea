//! docs/examples: each is deployed as its page says, to an AWS in memory, with its table and its rows.

use serde_json::{Value, json};

use super::account::{Account, ROOT};
use super::moto::{self, Moto};
use super::{Project, programs, workspace};
use crate::image::noise;
use crate::support::nursery;

fn text(name: &str, file: &str) -> String {
    let path = workspace().join("docs/examples").join(name).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Keys and index of a table, in an order of their own.
fn shape(table: &Value) -> Value {
    let sorted = |value: &Value| {
        let mut list = value.as_array().cloned().unwrap_or_default();
        list.sort_by_key(ToString::to_string);
        list
    };
    let index = &table["GlobalSecondaryIndexes"][0];
    json!({
        "types": sorted(&table["AttributeDefinitions"]), "keys": table["KeySchema"], "index": index["IndexName"], "of": index["KeySchema"],
        "projected": sorted(&index["Projection"]["NonKeyAttributes"]),
    })
}

/// Deploys one, and puts its rows where its functions look.
fn is_deployed(name: &str, table: &str, rows: &str) {
    let account = Account {
        project: Project::new(&text(name, "deploy.toml")),
        moto: Moto::start(),
        programs: tempfile::tempdir().unwrap(),
    };
    programs::terraform(account.programs.path());
    nursery::aws(account.programs.path());
    let described: Value = serde_json::from_str(&text(name, "table.json")).unwrap();
    if account.run(&["query", "tables.items.create"]).done().stdout.trim() == "false" {
        account.aws(&["dynamodb", "create-table", "--cli-input-json", &described.to_string()]);
    }
    account.run(&["render"]).done();
    account.project.write(&format!("{ROOT}/zz_override.tf"), moto::PROVIDER);
    account.project.write_bytes("program", &noise("arm64", 100_000));
    for function in ["stream", "dashboard"] {
        account.run(&["package", "--function", function, "--program", "program"]).done();
    }
    let deployed = account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert!(deployed.stdout.contains(" new, in "), "{deployed:?}");
    let there = account.aws(&["dynamodb", "describe-table", "--table-name", table]);
    assert_eq!(shape(&there["Table"]), shape(&described));
    let file = workspace().join("docs/examples").join(name).join(rows).display().to_string();
    let seeded = account.run(&["seed", &file, "--fresh"]).done();
    let count = |arguments: &[&str]| account.aws(arguments)["Count"].as_u64().unwrap();
    let written = count(&["dynamodb", "scan", "--table-name", table, "--select", "COUNT"]);
    assert_eq!(seeded.stdout, format!("{written} rows in `{table}`\n"));
    assert!(written >= 200, "{written}");
    // Without an account the same items are printed, by what the table is created with.
    let table = workspace().join("docs/examples").join(name).join("table.json").display().to_string();
    let printed = account.run(&["seed", &file, "--table", &table, "--print"]).done();
    assert_eq!(printed.stdout.lines().count() as u64, written);
}

#[test]
fn sentiment_is_deployed() {
    is_deployed("sentiment", "headlines", "rows.csv");
}

#[test]
fn orders_are_deployed() {
    is_deployed("orders", "orders", "rows.jsonl");
}

#[test]
fn builds_are_deployed() {
    is_deployed("builds", "builds", "rows.jsonl");
}

#[test]
fn every_example_is_deployed_and_has_a_page_and_a_picture() {
    let mut there: Vec<String> = std::fs::read_dir(workspace().join("docs/examples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, ["builds", "orders", "sentiment"]);
    for name in there {
        assert!(text(&name, "README.md").contains("(page.png)"));
        assert!(workspace().join("docs/examples").join(&name).join("page.png").exists(), "{name}");
    }
}
