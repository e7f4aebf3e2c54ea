//! Tables that exist become Terraform's, and are let go again: with their rows, and as whoever made them decided.

use serde_json::{Value, json};

use super::account::Account;

const DEPLOY: [&str; 3] = ["deploy", "--yes", "--no-smoke"];
const THEIRS: &str = "Company.Items";
const USERS: &str = "sse-streaming-dev-users";

fn described(account: &Account, table: &str) -> Value {
    account.aws(&["dynamodb", "describe-table", "--table-name", table])["Table"].clone()
}

fn rows(account: &Account, table: &str) -> Value {
    account.aws(&["dynamodb", "scan", "--table-name", table])["Items"].clone()
}

/// A table as somebody else has one: paid by throughput, with a stream, tags, and indexes of their own beside ours.
fn make_theirs(account: &Account, indexes: &[&str]) {
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let throughput = json!({ "ReadCapacityUnits": 7, "WriteCapacityUnits": 3 });
    let index = |name: &&str| {
        let keys = match *name {
            "by_owner" => json!([key("owner", "HASH")]),
            _ => json!([key("sentiment", "HASH"), key("timestamp", "RANGE")]),
        };
        json!({ "IndexName": name, "KeySchema": keys, "Projection": { "ProjectionType": "ALL" }, "ProvisionedThroughput": throughput })
    };
    let mut attributes = vec!["source_id", "timestamp", "owner"];
    attributes.extend(indexes.contains(&"by_sentiment").then_some("sentiment"));
    let attributes = attributes.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let local = json!([{ "IndexName": "by_time", "KeySchema": [key("source_id", "HASH"), key("owner", "RANGE")],
        "Projection": { "ProjectionType": "KEYS_ONLY" } }]);
    let table = json!({
        "TableName": THEIRS,
        "KeySchema": [key("source_id", "HASH"), key("timestamp", "RANGE")],
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": throughput,
        "GlobalSecondaryIndexes": indexes.iter().map(index).collect::<Vec<_>>(),
        "LocalSecondaryIndexes": local,
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
        "Tags": [{ "Key": "team", "Value": "news" }],
    });
    account.aws(&["dynamodb", "create-table", "--cli-input-json", &table.to_string()]);
}

fn put(account: &Account, table: &str, item: &Value) {
    account.aws(&["dynamodb", "put-item", "--table-name", table, "--item", &item.to_string()]);
}

#[test]
fn a_table_is_taken_over_as_it_is_and_let_go_with_its_rows() {
    let taken = format!("[tables.items]\nname = \"{THEIRS}\"\nimport = true\n");
    let account = Account::new(&taken);
    make_theirs(&account, &["by_sentiment", "by_owner"]);
    let row =
        json!({ "source_id": { "S": "one" }, "timestamp": { "S": "2026-01-01T00:00:00Z" }, "owner": { "S": "x" } });
    put(&account, THEIRS, &row);
    let before = described(&account, THEIRS);

    let first = account.run(&DEPLOY).done();
    let line = first.stderr.lines().find(|line| line.contains(THEIRS)).unwrap_or_default();
    assert!(line.trim_start().starts_with(&format!("imported  table {THEIRS}: ")), "{first:?}");
    // What is said of it: what protects rows, and tags beside those that it has.
    let (_, differences) = line.split_once(&format!("{THEIRS}: ")).unwrap();
    for difference in differences.split(", ") {
        let of = difference.split(' ').next().unwrap();
        assert!(
            ["deletion_protection_enabled", "enabled", "environment", "managed-by", "project"].contains(&of),
            "{line}"
        );
    }
    let mut after = described(&account, THEIRS);
    assert_eq!(after["DeletionProtectionEnabled"], json!(true));
    after["DeletionProtectionEnabled"] = before["DeletionProtectionEnabled"].clone();
    assert_eq!(after, before);
    let arn = before["TableArn"].as_str().unwrap();
    let tags = account.aws(&["dynamodb", "list-tags-of-resource", "--resource-arn", arn])["Tags"].clone();
    let tags = tags.as_array().unwrap().iter().map(|tag| tag["Key"].as_str().unwrap()).collect::<Vec<_>>();
    assert!(tags.contains(&"team") && tags.contains(&"managed-by"), "{tags:?}");
    assert_eq!(rows(&account, THEIRS), json!([row]));
    // The block stays in the file, and is nothing any more.
    let again = account.run(&DEPLOY).done();
    assert!(again.stdout.contains(": nothing to change"), "{again:?}");

    // Both tables are let go: theirs, and one that was made here.
    let user = json!({ "PK": { "S": "USER#one" }, "SK": { "S": "CONFIG#one" } });
    put(&account, USERS, &user);
    let foreign = format!("[tables.items]\nname = \"{THEIRS}\"\ncreate = false\n[tables.users]\ncreate = false\n");
    account.project.write("deploy.toml", &foreign);
    let gone = account.run(&DEPLOY).done();
    for table in [THEIRS, USERS] {
        assert!(gone.stderr.contains(&format!("  let go    table {table}\n")), "{gone:?}");
    }
    assert!(gone.stdout.contains("2 let go"), "{gone:?}");
    assert_eq!((rows(&account, THEIRS), rows(&account, USERS)), (json!([row]), json!([user])));
    let nothing = account.run(&DEPLOY).done();
    assert!(nothing.stdout.contains(": nothing to change"), "{nothing:?}");

    // And both are taken back.
    account.project.write("deploy.toml", &format!("{taken}[tables.users]\nimport = true\n"));
    let back = account.run(&DEPLOY).done();
    assert!(back.stdout.contains("2 imported"), "{back:?}");
    assert_eq!((rows(&account, THEIRS), rows(&account, USERS)), (json!([row]), json!([user])));
}

#[test]
fn what_cannot_be_taken_over_is_refused_before_anything_is_changed() {
    let account = Account::new(&format!("[tables.items]\nname = \"{THEIRS}\"\nimport = true\n"));
    let absent = account.run(&DEPLOY);
    assert_eq!(absent.code, 1, "{absent:?}");
    assert!(absent.stderr.contains("Cannot import non-existent remote object"), "{absent:?}");
    make_theirs(&account, &["by_owner"]);
    let before = account.moto.inventory();
    let unread = account.run(&DEPLOY);
    assert_eq!(unread.code, 1, "{unread:?}");
    let said = unread.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    let expected = format!(
        "`{THEIRS}` has no index `by_sentiment` with the hash key `sentiment` and the range key `timestamp`, which the functions read."
    );
    assert!(said.contains(&expected), "{said}");
    assert_eq!(account.moto.inventory(), before);
}
