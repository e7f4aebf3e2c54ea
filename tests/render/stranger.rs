//! A repository of somebody else: from the description of a table to a deployed stack, with nothing of ours but the generator and
//! two programs.

use serde_json::json;

use super::account::{Account, ROOT};
use super::moto::{self, Moto};
use super::{Project, programs};
use crate::image::noise;

#[test]
fn a_table_of_somebody_becomes_a_deployed_stack_with_the_generator_alone() {
    let account = Account { project: Project::empty(), moto: Moto::start(), programs: tempfile::tempdir().unwrap() };
    programs::terraform(account.programs.path());
    programs::aws(account.programs.path());
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let definition = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let table = json!({
        "TableName": "tickets",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [definition("ticket"), definition("changed_at"), definition("queue")],
        "KeySchema": [key("ticket", "HASH")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "queue-changed_at",
            "KeySchema": [key("queue", "HASH"), key("changed_at", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    account.aws(&["dynamodb", "create-table", "--cli-input-json", &table.to_string()]);
    let item = json!({
        "ticket": { "S": "T-1" }, "changed_at": { "S": "2026-11-28T10:00:00Z" }, "queue": { "S": "In Review" }, "tags": { "SS": ["billing"] },
    });
    account.aws(&["dynamodb", "put-item", "--table-name", "tickets", "--item", &item.to_string()]);
    let rows = account.aws(&["dynamodb", "scan", "--table-name", "tickets", "--max-items", "500"]);
    let described = account.aws(&["dynamodb", "describe-table", "--table-name", "tickets"]);
    account.project.write("rows.json", &rows.to_string());
    let init =
        account.typed(&["init", "--minimal", "--table", "-", "--rows", "rows.json"], &described.to_string()).done();
    assert!(init.stderr.contains("  found    labels: `In Review`\n"), "{init:?}");

    // What is said is what can be done here.
    account.run(&["render"]).done();
    account.project.write(&format!("{ROOT}/zz_override.tf"), moto::PROVIDER);
    let missing = account.run(&["deploy", "--yes", "--no-smoke"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    // Terraform breaks its lines.
    let flat = missing.stderr.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("run `infragen package --function FUNCTION --zip FILE`"), "{missing:?}");
    let doctor = account.run(&["doctor"]);
    assert!(doctor.stdout.contains("terraform -chdir=generated/terraform apply"), "{doctor:?}");
    account.project.write_bytes("program", &noise("arm64", 100_000));
    for function in ["stream", "dashboard"] {
        account.run(&["package", "--function", function, "--program", "program"]).done();
    }
    let deployed = account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert!(deployed.stdout.contains(" new, in "), "{deployed:?}");
    assert_eq!(account.live(), ["1", "1"]);
    let said = [&init, &missing, &doctor, &deployed].map(|run| format!("{}{}", run.stdout, run.stderr)).concat();
    assert!(!said.contains("justw"), "{said}");
    let rendered = account.project.files();
    // The schema names the default.
    let is_ours =
        |name: &str| name.starts_with("generated/") && !name.contains("/.") && !name.ends_with("deploy.schema.json");
    let rendered = rendered.iter().filter(|(name, _)| is_ours(name));
    for (name, text) in rendered {
        assert!(!String::from_utf8_lossy(text.as_ref()).contains("justw"), "{name} names a recipe that is not here");
    }
    // The table is somebody's own.
    let destroyed = account.run(&["destroy", "--yes"]).done();
    assert!(destroyed.stderr.contains("is gone"), "{destroyed:?}");
    assert!(account.moto.inventory()["dynamodb.TableNames"].to_string().contains("tickets"));
}
