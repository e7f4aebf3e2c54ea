//! A table that exists before the deployment, in DynamoDB Local. The AWS command line is a small program that speaks to it.

use serde_json::{Value, json};

use super::{Run, Ward, ZIPS, answers, only, say, workspace};
use crate::support::dynamodb;
use crate::support::external::python;
use crate::support::table::Row;

/// A table of parcels: made as a test wants it.
struct Parcels {
    name: String,
    /// Manifest that fits.
    attributes: Vec<(&'static str, &'static str)>,
}

/// Types of the index's keys, where both are strings.
const TEXTS: [&str; 2] = ["S", "S"];

fn key(hash: &str, range: Option<&str>) -> Value {
    let part = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    std::iter::once(part(hash, "HASH")).chain(range.map(|name| part(name, "RANGE"))).collect()
}

impl Parcels {
    /// Makes a table with this range key, and an index with these types of its hash and range keys and this projection.
    async fn create(range: Option<&str>, [stage_type, time_type]: [&str; 2], projection: Value) -> Self {
        let name = format!("parcels-{:x}", fastrand::u64(..));
        let definition = |(name, kind): (&str, &str)| json!({ "AttributeName": name, "AttributeType": kind });
        let mut attributes = vec![("parcel", "N"), ("moved", time_type), ("stage", stage_type)];
        attributes.extend(range.filter(|range| *range != "moved").map(|range| (range, "S")));
        let input = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes.into_iter().map(definition).collect::<Vec<_>>(),
            "KeySchema": key("parcel", range),
            "GlobalSecondaryIndexes": [
                { "IndexName": "by_stage", "KeySchema": key("stage", Some("moved")), "Projection": projection },
            ],
        });
        dynamodb::call("CreateTable", &input).await;
        let attributes = vec![
            ("key", "\"parcel\""),
            ("time", "\"moved\""),
            ("label", "\"stage\""),
            ("tags", "\"depots\""),
            ("score", "\"load\""),
            ("confidence", "false"),
            ("source", "false"),
            ("title", "false"),
            ("status", "\"checked\""),
        ];
        Self { name, attributes }
    }

    /// The usual one.
    async fn whole() -> Self {
        let parcels = Self::create(Some("moved"), TEXTS, json!({ "ProjectionType": "ALL" })).await;
        for (n, stage) in ["packed", "underway", "underway"].into_iter().enumerate() {
            parcels.put(n, &json!({ "stage": { "S": stage } })).await;
        }
        parcels
    }

    /// Writes a row that has nothing wrong but what `more` says.
    async fn put(&self, n: usize, more: &Value) {
        let mut item = json!({
            "parcel": { "N": n.to_string() }, "moved": { "S": Row::new("", "", &[]).time }, "stage": { "S": "packed" },
            "depots": { "SS": ["LEJ", "CDG"] }, "load": { "N": "0.75" }, "checked": { "S": "yes" }, "note": { "S": "-" },
        });
        for (name, value) in more.as_object().unwrap() {
            if value.is_null() { drop(item.as_object_mut().unwrap().remove(name)) } else { item[name] = value.clone() }
        }
        dynamodb::call("PutItem", &json!({ "TableName": self.name, "Item": item })).await;
    }

    /// The manifest that fits, with these lines in the place of its own.
    fn manifest(&self, data: &[(&str, &str)], attributes: &[(&'static str, &'static str)]) -> String {
        let fits = [
            ("index", "\"by_stage\""),
            ("labels", "[\"packed\", \"underway\"]"),
            ("label_type", "\"text\""),
            ("status_ready", "\"yes\""),
            ("update_event", "\"parcel_update\""),
            ("identity", "\"key-and-time\""),
            ("time_format", "\"rfc3339\""),
            ("show", "[]"),
        ];
        let lines = |fits: &[(&str, &str)], others: &[(&str, &str)]| -> String {
            let value = |(key, value): &(&str, &str)| {
                let other = others.iter().find(|(name, _)| name == key);
                format!("{key} = {}\n", other.map_or(*value, |other| other.1))
            };
            fits.iter().map(value).collect()
        };
        let name = data.iter().find(|(key, _)| *key == "name").map_or(self.name.as_str(), |(_, name)| name);
        format!(
            "{ZIPS}[tables.items]\nname = \"{name}\"\ncreate = false\n[data]\n{}[data.attributes]\n{}",
            lines(&fits, data),
            lines(&self.attributes, attributes)
        )
    }

    /// What the doctor says of it, with these lines of the manifest in the place of those that fit.
    fn doctor(&self, data: &[(&str, &str)], attributes: &[(&'static str, &'static str)]) -> Run {
        let ward = Ward::healthy(&self.manifest(data, attributes));
        asking_dynamodb(&ward, &answers());
        run(&ward)
    }
}

/// Puts an AWS command line into the ward that asks DynamoDB Local, and gives these answers for other services.
fn asking_dynamodb(ward: &Ward, answers: &[(&str, String)]) {
    ward.aws(answers);
    let folder = ward.programs.path();
    std::fs::rename(folder.join("aws"), folder.join("aws-answers")).unwrap();
    let python = python();
    let script = workspace().join("tests/render/doctor/aws_dynamodb.py");
    let (python, script, others) = (python.display(), script.display(), folder.join("aws-answers"));
    let others = others.display();
    ward.program(
        "aws",
        &format!("case \"$1\" in dynamodb) exec {python} {script} \"$@\" ;; *) exec {others} \"$@\" ;; esac"),
    );
}

fn run(ward: &Ward) -> Run {
    run_with(ward, &[])
}

fn run_with(ward: &Ward, more: &[&str]) -> Run {
    let url = format!("http://{}", dynamodb::address());
    let variables = [("AWS_PROFILE", "work"), ("AWS_ENDPOINT_URL_DYNAMODB", &url)];
    ward.doctor_with(&variables, &[&["--format", "json", "--time-limit", "30s"], more].concat())
}

fn expect(run: &Run, name: &str, found: &str, next: &str) {
    let (status, got_found, got_next) = only(run, name);
    assert!(status == "missing" && got_found.contains(found), "{status} {got_found}");
    assert!(got_next.contains(next), "{got_next}");
}

#[tokio::test]
async fn a_table_of_one_environment_is_looked_at_for_that_environment() {
    let parcels = Parcels::whole().await;
    let manifest = parcels.manifest(&[("labels", "[\"packed\", \"lost\"]")], &[]);
    let ward = Ward::healthy(&manifest.replace("[tables.items]", "[env.prod.tables.items]"));
    asking_dynamodb(&ward, &answers());
    let base = run(&ward);
    assert!(!base.stdout.contains(&parcels.name), "the base makes one: {base:?}");
    let prod = run_with(&ward, &["--env", "prod"]);
    // Of that environment nothing else is there.
    let said: Value = serde_json::from_str(&prod.stdout).unwrap();
    let checks = said["checks"].as_array().unwrap();
    let check = |name: &str| {
        let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {prod:?}"));
        (check["status"].as_str().unwrap(), check["found"].as_str().unwrap())
    };
    let (status, found) = check("table");
    assert!(status == "ok" && found.starts_with(&format!("`{}`: hash key `parcel` (N)", parcels.name)), "{found}");
    let (status, found) = check("table-labels");
    assert!(status != "ok" && found.contains("underway"), "{status} {found}");
}

/// A users table of somebody else's: made with these keys, and left as it is or taken over.
#[tokio::test]
async fn a_users_table_that_exists_is_looked_at_too() {
    let cases = [
        (Some(["PK", "SK"]), "ok", "hash key `PK` (S), range key `SK` (S)", ""),
        (
            Some(["id", "SK"]),
            "missing",
            "hash key `id` (S), range key `SK` (S); configurations need `PK` (S)",
            "[tables.users]",
        ),
        (None, "missing", "there is no table", "set `name` in [tables.users]"),
    ];
    for (keys, status, found, next) in cases {
        let name = format!("people-{:x}", fastrand::u64(..));
        if let Some(keys) = keys {
            let definitions: Vec<Value> =
                keys.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" })).collect();
            let table = json!({
                "TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": definitions,
                "KeySchema": key(keys[0], Some(keys[1])),
            });
            dynamodb::call("CreateTable", &table).await;
        }
        for way in ["create = false", "import = true"] {
            let ward = Ward::healthy(&format!("{ZIPS}[tables.users]\nname = \"{name}\"\n{way}\n"));
            asking_dynamodb(&ward, &answers());
            let (got_status, got_found, got_next) = only(&run(&ward), "users-table");
            assert_eq!(got_status, status, "{way}: {got_found}");
            assert!(got_found.contains(found) && got_found.contains(&name), "{way}: {got_found}");
            assert!(got_next.contains(next), "{way}: {got_next}");
        }
    }
}

#[tokio::test]
async fn labels_beyond_the_first_rows_of_the_index_are_seen() {
    let parcels = Parcels::whole().await;
    // An index is read label by label: its first hundred rows are all of one.
    for n in 0..60 {
        for (at, stage) in ["packed", "underway", "lost"].into_iter().enumerate() {
            parcels.put(100 + 3 * n + at, &json!({ "stage": { "S": stage } })).await;
        }
    }
    for labels in ["[\"packed\", \"underway\"]", "[\"lost\", \"packed\"]", "[\"underway\", \"lost\"]"] {
        let run = parcels.doctor(&[("labels", labels)], &[]);
        let unnamed = ["packed", "underway", "lost"].into_iter().find(|label| !labels.contains(label)).unwrap();
        expect(&run, "table-labels", &format!("does not name: `{unnamed}`"), "set `labels = ");
    }
}

#[tokio::test]
async fn a_table_that_fits_is_said_to() {
    let parcels = Parcels::whole().await;
    let run = parcels.doctor(&[], &[]);
    let checks: Value = serde_json::from_str(&run.stdout).unwrap();
    let said: Vec<String> = checks["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["name"].as_str().unwrap().starts_with("table"))
        .map(|check| {
            format!(
                "{} {} {}",
                check["name"].as_str().unwrap(),
                check["status"].as_str().unwrap(),
                check["found"].as_str().unwrap()
            )
        })
        .collect();
    let keys = format!("table ok `{}`: hash key `parcel` (N), range key `moved` (S)", parcels.name);
    assert_eq!(said.len(), 8, "{said:?}");
    let expected = [
        keys.as_str(),
        "table-index ok `by_stage`: hash key `stage` (S), range key `moved` (S)",
        "table-projection ok ALL",
        "table-rows ok 3 were looked at",
        "table-labels ok `underway` (2), `packed` (1)",
        "table-status ok `yes` (3)",
    ];
    assert_eq!(said[..6], expected);
    assert!(said[6].starts_with("table-times ok rfc3339, as `20"), "{said:?}");
    assert_eq!(said[7], "table-tags ok `depots` of type `SS` (3)");
    assert_eq!(run.code, 0);
}

#[tokio::test]
async fn each_line_that_does_not_fit_is_named_with_the_one_that_does() {
    let parcels = Parcels::whole().await;
    let check = |data: &[(&str, &str)], attributes: &[(&'static str, &'static str)], name, found: &str, next: &str| {
        expect(&parcels.doctor(data, attributes), name, found, next);
    };
    check(
        &[("name", "parcel")],
        &[],
        "table",
        "there is no table `parcel` in us-east-1",
        "set `name` in [tables.items]",
    );
    check(
        &[],
        &[("key", "\"id\"")],
        "table",
        "is `parcel`; `data.attributes.key` is `id`",
        "set `key = \"parcel\"` in [data.attributes]",
    );
    check(
        &[("index", "\"by_state\"")],
        &[],
        "table-index",
        "there is no index `by_state`; there are: `by_stage`",
        "set `index = \"by_stage\"` in [data]",
    );
    check(
        &[("identity", "\"key\"")],
        &[("time", "\"at\"")],
        "table-index",
        "range key `moved` (S); `data.attributes.time` is `at`",
        "set `time = \"moved\"` in [data.attributes]",
    );
    check(
        &[],
        &[("label", "\"state\"")],
        "table-index",
        "hash key `stage` (S), range key `moved` (S); `data.attributes.label` is `state`",
        "set `label = \"stage\"` in [data.attributes]",
    );
    check(
        &[("labels", "[\"underway\", \"lost\"]")],
        &[],
        "table-labels",
        "`stage` has values that `data.labels` does not name: `packed` (1)",
        "set `labels = [\"underway\", \"packed\"]` in [data]",
    );
    check(
        &[("status_ready", "\"ok\"")],
        &[],
        "table-status",
        "no row is ready: `checked` is `yes` (3); `data.status_ready` is `ok`",
        "set `status_ready = \"yes\"` in [data], or `status = false`",
    );
    check(
        &[],
        &[("tags", "\"towns\"")],
        "table-tags",
        "no row has `towns`; rows have `checked` (3), `depots` (3)",
        "set `tags` in [data.attributes]",
    );
    check(
        &[],
        &[("confidence", "\"note\"")],
        "table-numbers",
        "`note` is `-` (3); it must be a number from 0 to 1",
        "set `confidence = false`",
    );
}

#[tokio::test]
async fn keys_and_projection_of_other_tables_are_told_apart() {
    let all = || json!({ "ProjectionType": "ALL" });
    let overwritten = Parcels::create(None, TEXTS, all()).await;
    overwritten.put(0, &json!({})).await;
    expect(
        &overwritten.doctor(&[], &[]),
        "table",
        "a row that changes is overwritten",
        "set `identity = \"key\"` in [data]",
    );
    assert_eq!(only(&overwritten.doctor(&[("identity", "\"key\"")], &[]), "table").0, "ok");
    let ranged = Parcels::create(Some("leg"), TEXTS, all()).await;
    ranged.put(0, &json!({ "leg": { "S": "1" } })).await;
    expect(
        &ranged.doctor(&[], &[]),
        "table",
        "range key `leg` (S); an item is known by",
        "set `identity = \"key\"` in [data]",
    );
    let numbered = Parcels::create(None, ["S", "N"], all()).await;
    numbered.put(0, &json!({ "moved": { "N": "1764671400" } })).await;
    expect(
        &numbered.doctor(&[("identity", "\"key\"")], &[]),
        "table-index",
        "range key `moved` (N); the range key must be of type S",
        "set `time_format` in [data] to `epoch-seconds` or `epoch-millis`",
    );
    let numbers = |format: &'static str| {
        let run = numbered.doctor(&[("identity", "\"key\""), ("time_format", format)], &[]);
        ["table-index", "table-times"].map(|name| only(&run, name))
    };
    assert!(numbers("\"epoch-seconds\"").iter().all(|check| check.0 == "ok"), "{:?}", numbers("\"epoch-seconds\""));
    let polar = Parcels::create(Some("moved"), ["N", "S"], all()).await;
    polar.put(0, &json!({ "stage": { "N": "-1" } })).await;
    expect(
        &polar.doctor(&[], &[]),
        "table-index",
        "hash key `stage` (N), range key `moved` (S); the hash key must be of type S",
        "set `label_type = \"number\"` in [data]",
    );
    let run = polar.doctor(&[("label_type", "\"number\""), ("labels", "[\"1\", \"0\"]")], &[]);
    expect(
        &run,
        "table-labels",
        "`stage` has values that `data.labels` does not name: `-1` (1)",
        "set `labels = [\"-1\"]` in [data]",
    );
    let run = polar.doctor(&[("label_type", "\"number\""), ("labels", "[\"1\", \"-1\"]")], &[]);
    assert!(["table-index", "table-labels"].iter().all(|name| only(&run, name).0 == "ok"), "{run:?}");
    let some = json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["depots", "checked"] });
    let narrow = Parcels::create(Some("moved"), TEXTS, some).await;
    narrow.put(0, &json!({})).await;
    expect(
        &narrow.doctor(&[], &[]),
        "table-projection",
        "INCLUDE of depots, checked; the index lacks `load`",
        "or set `score = false` in [data.attributes]",
    );
    assert_eq!(only(&narrow.doctor(&[], &[("score", "false")]), "table-projection").0, "ok");
    expect(
        &narrow.doctor(&[("show", "[\"driver.name\", \"depots\"]")], &[("score", "false"), ("title", "\"cargo\"")]),
        "table-projection",
        "the index lacks `cargo`, `driver`, which the functions read from it",
        "or set `title = false` in [data.attributes] and take what is lacking out of `show` in [data]",
    );
}

#[tokio::test]
async fn what_is_wrong_with_rows_is_said_by_kind() {
    let all = || json!({ "ProjectionType": "ALL" });
    let with = async |more: Value| {
        let parcels = Parcels::create(Some("moved"), TEXTS, all()).await;
        parcels.put(0, &json!({})).await;
        for n in 1..3 {
            parcels.put(n, &more).await;
        }
        parcels.doctor(&[], &[])
    };
    let found = with(json!({ "moved": { "S": "2026-11-27T22:40:05" } })).await;
    expect(
        &found,
        "table-times",
        "`moved` of 2 rows is no time: `2026-11-27T22:40:05`, which says no zone",
        "set `time_zone` in [data]",
    );
    let found = with(json!({ "moved": { "S": "1764671400" } })).await;
    expect(
        &found,
        "table-times",
        "which is digits and no RFC 3339 time; `data.time_format = \"epoch-seconds-text\"` reads them",
        "set `time_format` in [data] so",
    );
    let found = with(json!({ "moved": { "S": "yesterday" } })).await;
    expect(&found, "table-times", "`yesterday`, which is no RFC 3339 time", "set `time` in [data.attributes]");
    let found = with(json!({ "load": { "N": "75" } })).await;
    expect(&found, "table-numbers", "`load` is `75` (2); it must be a number from -1 to 1", "set `score = false`");
    let found = with(json!({ "load": { "BOOL": true } })).await;
    expect(&found, "table-numbers", "`load` is `of type BOOL` (2)", "scale it");
    let found = with(json!({ "depots": { "M": { "LEJ": { "BOOL": true } } } })).await;
    expect(&found, "table-tags", "`depots` is of type `M` (2)", "such rows are left out");
    // Not in the index, though in the table.
    let parcels = Parcels::create(Some("moved"), TEXTS, all()).await;
    parcels.put(0, &json!({ "stage": null })).await;
    let found = parcels.doctor(&[], &[]);
    expect(
        &found,
        "table-rows",
        "of 1 rows 1 have no `stage` of type S and 0 no `moved` of type S",
        "set `label` and `time`",
    );
    let empty = Parcels::create(Some("moved"), TEXTS, all()).await;
    assert_eq!(only(&empty.doctor(&[], &[]), "table-rows").0, "unknown");
}

#[tokio::test]
async fn what_cannot_be_asked_is_unknown_and_a_dynamodb_of_ones_own_needs_no_account() {
    let manifest = format!("{ZIPS}[tables.items]\nname = \"parcels\"\ncreate = false\n");
    let ward = Ward::healthy(&manifest);
    let describe = "dynamodb describe-table --table-name parcels";
    let denied = "echo 'An error occurred (AccessDeniedException)' >&2; exit 254".to_owned();
    ward.aws(&[answers(), vec![(describe, denied.clone())]].concat());
    let (status, found, next) = only(&super::json_run(&ward), "table");
    assert_eq!((status.as_str(), next.as_str()), ("unknown", "allow `dynamodb:DescribeTable`"), "{found}");
    let key = |hash: &str, range: &str| key(hash, Some(range));
    let definition = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let definitions = ["source_id", "timestamp", "sentiment"].map(definition);
    let table = json!({ "Table": {
        "AttributeDefinitions": definitions,
        "KeySchema": key("source_id", "timestamp"),
        "GlobalSecondaryIndexes": [{
            "IndexName": "by_sentiment", "IndexStatus": "ACTIVE", "KeySchema": key("sentiment", "timestamp"),
            "Projection": { "ProjectionType": "ALL" },
        }],
    }});
    let scan = "dynamodb scan --table-name parcels --index-name by_sentiment --limit 100 --no-paginate";
    ward.aws(&[answers(), vec![(describe, say(&table)), (scan, denied)]].concat());
    let (status, found, next) = only(&super::json_run(&ward), "table-rows");
    assert_eq!((status.as_str(), next.as_str()), ("unknown", "allow `dynamodb:Scan`"), "{found}");
    // Nobody is known to AWS, and the table is asked all the same.
    let parcels = Parcels::whole().await;
    let ward = Ward::healthy(&format!("{ZIPS}[tables.items]\nname = \"{}\"\ncreate = false\n", parcels.name));
    asking_dynamodb(&ward, &[(super::STS, "echo 'An error occurred (InvalidClientTokenId)' >&2; exit 254".to_owned())]);
    let run = run(&ward);
    assert!(run.stdout.contains("is `parcel`; `data.attributes.key` is `source_id`"), "{run:?}");
    assert_eq!(run.code, 1);
}
