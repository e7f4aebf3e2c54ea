//! Items and history as CSV, opened by LibreOffice: each value in the column of its name, and no text runs as a formula.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::{function, get};
use crate::support::client::Request;
use crate::support::clock::ago;
use crate::support::table::{SENTIMENTS, Schema, Table};
use contract::routes;

const TITLED: Schema = Schema { shown: &["headline", "author"], ..SENTIMENTS };
const ENV: [(&str, &str); 2] = [("DATA_TITLE_ATTRIBUTE", "headline"), ("DATA_SHOW", "author")];
const HARMLESS: [&str; 6] = ["=1+1", "+1+1", "-1+1", "@SUM(1,1)", "=HYPERLINK(\"https://example.com\")", "a, \"b\"; c"];

/// A table of cells as LibreOffice understands it: a JSON list of rows of texts, by its own flat format, in which a formula is an attribute.
fn opened(csv: &[u8]) -> (Vec<Vec<String>>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("table.csv"), csv).unwrap();
    let mut office = Command::new("soffice");
    office.args(["--headless", "--norestore", "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true"]);
    office.arg(format!("-env:UserInstallation=file://{}/profile", folder.path().display()));
    office.args(["--convert-to", "fods", "table.csv"]).current_dir(folder.path()).env("HOME", folder.path());
    let output = office.output().expect("soffice, of Debian's package libreoffice-calc-nogui, is there");
    assert!(output.status.success(), "{output:?}");
    let xml = std::fs::read_to_string(folder.path().join("table.fods")).unwrap_or_else(|_| panic!("{output:?}"));
    let rows = xml.split("<table:table-row").skip(1).map(cells).filter(|row| !row.is_empty()).collect();
    (rows, xml)
}

/// Texts of the cells of a row, without the empty ones at its end.
fn cells(row: &str) -> Vec<String> {
    let mut found = Vec::new();
    for cell in row.split("</table:table-row>").next().unwrap().split("<table:table-cell").skip(1) {
        let (head, body) = cell.split_once('>').unwrap();
        let repeated = head.split("number-columns-repeated=\"").nth(1).and_then(|rest| rest.split('"').next());
        let texts = body.split("<text:p>").skip(1).map(|text| text.split("</text:p>").next().unwrap());
        let text = texts.collect::<Vec<_>>().join("\n");
        let plain = text.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest)).collect::<String>();
        let plain = ["&quot;", "&apos;", "&lt;", "&gt;", "&amp;"]
            .iter()
            .zip(["\"", "'", "<", ">", "&"])
            .fold(plain, |text, (from, to)| text.replace(from, to));
        let count = repeated.map_or(1, |count| count.parse::<usize>().unwrap().min(64));
        found.extend(std::iter::repeat_n(plain, count));
    }
    while found.last().is_some_and(String::is_empty) {
        found.pop();
    }
    found
}

#[tokio::test]
async fn exports_open_in_a_spreadsheet_with_their_columns_right_and_no_formula() {
    let table = Table::create(TITLED).await;
    for (number, text) in HARMLESS.iter().enumerate() {
        let row = json!({
            "source_id": { "S": format!("row-{number}") }, "timestamp": { "S": ago(Duration::from_secs(60)) }, "sentiment": { "S": "neutral" },
            "status": { "S": "analyzed" }, "score": { "N": "-0.5" }, "headline": { "S": text }, "author": { "S": text },
            "matched_tickers": { "L": [{ "S": "AAPL" }] },
        });
        table.put_raw(&row).await;
    }
    let emulator = function(&table, &ENV).await;
    let items = get(&emulator, routes::ITEMS).await;
    assert_eq!(items["items"].as_array().map(Vec::len), Some(HARMLESS.len()));
    for (route, rows_wanted) in [(routes::ITEMS, Some(HARMLESS.len())), (routes::HISTORY, None)] {
        let csv = Request::get(emulator.address(), &format!("{route}?format=csv")).send().await.bytes().await.unwrap();
        let (rows, xml) = opened(&csv);
        assert!(!xml.contains("table:formula"), "{xml}");
        let (head, rows) = rows.split_first().unwrap();
        assert!(rows_wanted.is_none_or(|wanted| rows.len() == wanted) && !rows.is_empty(), "{rows:?}");
        assert!(rows.iter().all(|row| row.len() <= head.len()), "{head:?} {rows:?}");
        if route == routes::ITEMS {
            are_items(head, rows, &items["items"]);
        } else {
            assert_eq!(head.first().map(String::as_str), Some("timestamp"), "{head:?}");
        }
    }
}

/// Each value stands in the column of its name; a text that looks like a formula has an apostrophe before it.
fn are_items(head: &[String], rows: &[Vec<String>], items: &Value) {
    let column = |name: &str| head.iter().position(|cell| cell == name).unwrap_or_else(|| panic!("{name}: {head:?}"));
    for item in items.as_array().unwrap() {
        let row = rows.iter().find(|row| row[column("item_id")] == item["item_id"].as_str().unwrap()).unwrap();
        assert_eq!((&*row[column("label")], &*row[column("tickers")]), ("neutral", "AAPL"), "{row:?}");
        assert_eq!(row[column("score")].replace(',', "."), "-0.5", "{row:?}");
        for name in ["title", "author"] {
            let text = if name == "title" { &item["title"] } else { &item["author"] };
            assert_eq!(row[column(name)].trim_start_matches('\''), text.as_str().unwrap(), "{row:?}");
        }
    }
}
