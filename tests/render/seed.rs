//! `infragen seed` and `infragen put`, with the real AWS command line and a DynamoDB in memory: what is written, and what is refused before
//! anything is.

use serde_json::{Value, json};

use super::Run;
use super::account::Account;

const ITEMS: &str = "sse-streaming-dev-items";

/// An account with a table of items as the manifest's Terraform makes it.
fn account(manifest: &str, types: [(&str, &str); 3]) -> Account {
    let account = Account::new(manifest);
    let [key, time, label] = types.map(|(name, _)| name);
    let definitions = types.map(|(name, kind)| format!("AttributeName={name},AttributeType={kind}"));
    let keys = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    let index = json!([{ "IndexName": "by_sentiment", "KeySchema": keys(label, time), "Projection": { "ProjectionType": "ALL" } }]);
    let mut arguments = vec!["dynamodb", "create-table", "--table-name", ITEMS, "--billing-mode", "PAY_PER_REQUEST"];
    let (keys, index) = (keys(key, time).to_string(), index.to_string());
    arguments.extend(["--key-schema", &keys, "--global-secondary-indexes", &index, "--attribute-definitions"]);
    arguments.extend(definitions.iter().map(String::as_str));
    account.aws(&arguments);
    account
}

const PLAIN: [(&str, &str); 3] = [("source_id", "S"), ("timestamp", "S"), ("sentiment", "S")];

fn rows(account: &Account) -> Vec<Value> {
    account.aws(&["dynamodb", "scan", "--table-name", ITEMS])["Items"].as_array().unwrap().clone()
}

fn refused(run: &Run, code: i32, said: &[&str]) {
    assert_eq!(run.code, code, "{run:?}");
    for said in said {
        assert!(run.stderr.contains(said), "{said}: {run:?}");
    }
}

#[test]
fn a_file_becomes_rows_and_the_same_file_becomes_them_again() {
    let account = account("", PLAIN);
    let mut file = String::from("timestamp,item_id,label,score,confidence,tickers,source\r\n");
    for n in 0..60 {
        file.push_str(&format!("2026-01-01T00:{n:02}:00Z,row-{n},neutral,-0.5,0.9,\"AAPL,BRK B\",import\r\n"));
    }
    account.project.write("items.csv", &file);
    let dry = account.run(&["seed", "items.csv", "--dry-run"]).done();
    assert_eq!(
        (dry.stdout.as_str(), rows(&account).len()),
        ("60 rows fit `sse-streaming-dev-items`; none was written\n", 0)
    );
    for _ in 0..2 {
        assert_eq!(account.run(&["seed", "items.csv"]).done().stdout, "60 rows in `sse-streaming-dev-items`\n");
    }
    let rows = rows(&account);
    assert_eq!(rows.len(), 60);
    let one = rows.iter().find(|row| row["source_id"]["S"] == "row-7").unwrap();
    let expected = json!({
        "source_id": { "S": "row-7" }, "timestamp": { "S": "2026-01-01T00:07:00.000Z" }, "sentiment": { "S": "neutral" },
        "score": { "N": "-0.5" }, "confidence": { "N": "0.9" }, "matched_tickers": { "L": [{ "S": "AAPL" }, { "S": "BRK B" }] },
        "source": { "S": "import" }, "status": { "S": "analyzed" },
    });
    assert_eq!(*one, expected);
}

#[test]
fn one_row_of_now_and_rows_at_a_pace_get_the_time_at_which_they_come() {
    let account = account("", PLAIN);
    let put = account.run(&[
        "put",
        "--label",
        "positive",
        "--id",
        "a",
        "--ticker",
        "AAPL",
        "--score",
        "-0.25",
        "--with",
        "desk=north",
    ]);
    assert_eq!(put.done().stdout, "`a` in `sse-streaming-dev-items`\n");
    let first = rows(&account).pop().unwrap();
    assert_eq!(
        (&first["desk"], &first["score"], &first["matched_tickers"]),
        (&json!({"S": "north"}), &json!({"N": "-0.25"}), &json!({"L": [{"S": "AAPL"}]}))
    );
    account.project.write(
        "two.jsonl",
        "{\"item_id\": \"b\", \"label\": \"neutral\"}\n{\"item_id\": \"c\", \"label\": \"neutral\"}\n",
    );
    account.run(&["seed", "two.jsonl", "--rate", "100/s"]).done();
    let time = |id: &str| {
        let rows = rows(&account);
        rows.iter().find(|row| row["source_id"]["S"] == id).unwrap()["timestamp"]["S"].as_str().unwrap().to_owned()
    };
    assert!(time("a") < time("b") && time("b") < time("c"), "{} {} {}", time("a"), time("b"), time("c"));
    refused(
        &account.run(&["put", "--label", "good"]),
        1,
        &["`sentiment` is `good`; it must be one of `positive`, `neutral`, `negative`"],
    );
}

#[test]
fn a_table_of_numbers_gets_numbers() {
    let manifest = "[data]\ntime_format = \"epoch-seconds\"\n[data.attributes]\nkey = \"id\"\ntime = \"at\"\n";
    let account = account(manifest, [("id", "N"), ("at", "N"), ("sentiment", "S")]);
    account.run(&["put", "--label", "positive", "--id", "17", "--time", "2026-01-01T00:00:00Z"]).done();
    let row = rows(&account).pop().unwrap();
    assert_eq!((&row["id"], &row["at"]), (&json!({"N": "17"}), &json!({"N": "1767225600"})));
    // What is given stays what it is: two rows of one second are two.
    account.project.write("two.csv", "id,at,label\n18,1767225600.1,positive\n18,2026-01-01T00:00:00.950Z,neutral\n");
    account.run(&["seed", "two.csv"]).done();
    let mut times: Vec<String> = rows(&account).iter().map(|row| row["at"]["N"].as_str().unwrap().to_owned()).collect();
    times.sort_unstable();
    assert_eq!(times, ["1767225600", "1767225600.1", "1767225600.95"]);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_nothing_is_written() {
    let account = account("", PLAIN);
    account.project.write("bad.csv", "item_id,label,score\na,positive,0.5\n,good,7\na,positive,1\n");
    let said = [
        "bad.csv:3: it has no `source_id`, and no `item_id`",
        "bad.csv:3: `sentiment` is `good`; it must be one of",
        "bad.csv:3: `score` is `7`; it must be a number from -1 to 1",
        "bad.csv:4: it has key and time of line 2",
    ];
    refused(&account.run(&["seed", "bad.csv"]), 1, &said);
    account.project.write("torn.jsonl", "{\"item_id\": \"a\"\n");
    refused(&account.run(&["seed", "torn.jsonl"]), 1, &["torn.jsonl:1: it is no JSON"]);
    account.project.write("empty.csv", "item_id,label\n");
    refused(&account.run(&["seed", "empty.csv"]), 1, &["`empty.csv` has no rows"]);
    refused(&account.run(&["seed", "none.csv"]), 1, &["`none.csv` cannot be read: No such file"]);
    refused(&account.run(&["seed", "rows.xlsx"]), 2, &["ends in .csv, .jsonl or .ndjson"]);
    refused(&account.run(&["seed", "bad.csv", "--rate", "5"]), 2, &["`5/s` or `30/m`"]);
    refused(&account.run(&["--env", "local", "put", "--label", "positive"]), 2, &["`local` is this machine"]);
    assert!(rows(&account).is_empty());
    account.aws(&["dynamodb", "delete-table", "--table-name", ITEMS]);
    refused(&account.run(&["put", "--label", "positive"]), 1, &["`aws` failed", "ResourceNotFoundException"]);
}
