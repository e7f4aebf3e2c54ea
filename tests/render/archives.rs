//! Archives that lie in S3: what is planned of them, what another one changes, and bytes that are not those that were named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::Project;
use super::account::{Account, ROOT};
use super::plans::resources;
use super::terraform::{Root, with_local_state};
use crate::image::noise;

pub(super) const BUCKET: &str = "company-artifacts";

/// An archive with a program of so many bytes.
pub(super) fn archive(bytes: usize) -> Vec<u8> {
    let project = Project::new("");
    project.write_bytes("program", &noise("arm64", 100 + bytes));
    project.run(&["package", "--function", "stream", "--program", "program", "--to-zip", "archive.zip"]).done();
    std::fs::read(project.path().join("archive.zip")).unwrap()
}

/// Puts an archive where a company keeps its artifacts. Returns its hash and the object's version.
pub(super) fn put(account: &Account, key: &str, archive: &[u8]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.zip").display().to_string();
    std::fs::write(&file, archive).unwrap();
    let answer = account.aws(&["s3api", "put-object", "--bucket", BUCKET, "--key", key, "--body", &file]);
    (STANDARD.encode(digest(&SHA256, archive)), answer["VersionId"].as_str().unwrap().to_owned())
}

/// The bucket of a company, with versions.
pub(super) fn make_bucket(account: &Account) {
    account.aws(&["s3api", "create-bucket", "--bucket", BUCKET]);
    let versions = ["--versioning-configuration", "Status=Enabled"];
    account.aws(&[&["s3api", "put-bucket-versioning", "--bucket", BUCKET], &versions[..]].concat());
}

/// The table of a function's archive.
pub(super) fn table(role: &str, key: &str, sha256: &str, version: Option<&str>) -> String {
    let version = version.map(|version| format!("object_version = \"{version}\"\n")).unwrap_or_default();
    format!("[{role}.archive]\nbucket = \"{BUCKET}\"\nkey = \"{key}\"\nsha256 = \"{sha256}\"\n{version}")
}

#[test]
fn both_functions_are_planned_from_their_objects_and_nothing_waits_to_be_packaged() {
    let project = Project::rendered("archives");
    with_local_state(&project, ROOT);
    let plan = Root::new(&project, ROOT).planned(&[]);
    for (role, key, version) in [
        ("stream", "live/stream.zip", json!("3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY")),
        ("dashboard", "live/1.4.0/dashboard.zip", Value::Null),
    ] {
        let function = &resources(&plan, role)["aws_lambda_function.this"];
        assert_eq!((&function["s3_bucket"], &function["s3_key"]), (&json!(BUCKET), &json!(key)), "{role}");
        assert_eq!((&function["s3_object_version"], &function["package_type"]), (&version, &json!("Zip")), "{role}");
        assert_eq!(function["source_code_hash"], super::apply::ZIP_SHA256, "{role}");
        assert_eq!(function["filename"], Value::Null, "{role}");
    }
    assert_eq!(project.run(&["query", "artifacts"]).done().stdout, "");
    let steps = project.run(&["deploy", "--dry-run"]).done().stdout;
    assert!(!steps.contains("package"), "{steps}");
    project.write_bytes("program", &noise("arm64", 200));
    project.run(&["package", "--function", "stream", "--program", "program", "--to-zip", "stream.zip"]).done();
    let refused = project.run(&["package", "--function", "stream", "--zip", "stream.zip"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("stream runs no zip archive of this machine"), "{refused:?}");
}

#[test]
fn whoever_deploys_may_read_the_archives_and_pull_requests_may_not() {
    let more = "[ci]\nprovider = \"github\"\nrepository = \"example/live\"\n[terraform.backend]\nkind = \"s3\"\n\
                bucket = \"state-bucket\"\n";
    let sha256 = super::apply::ZIP_SHA256;
    let text =
        table("stream", "a/stream.zip", sha256, None) + &table("dashboard", "a/dashboard.zip", sha256, None) + more;
    let project = super::rendered(&text);
    let text = super::words(&project.read("generated/bootstrap/ci.tf"));
    let objects = "Resource = [ \"arn:aws:s3:::company-artifacts/a/dashboard.zip\", \"arn:aws:s3:::company-artifacts/a/stream.zip\"";
    assert_eq!(text.matches("Sid = \"ReadArchives\"").count(), 1, "{text}");
    let statement = text.split("ReadArchives").nth(1).unwrap();
    assert!(statement.contains("\"s3:GetObject\", \"s3:GetObjectVersion\""), "{statement}");
    assert!(statement.contains(objects), "{statement}");
}

#[test]
fn another_archive_is_another_version_and_other_bytes_never_go_live() {
    let account = Account::new("");
    std::fs::remove_file(account.project.path().join(ROOT).join("artifacts.auto.tfvars.json")).unwrap();
    make_bucket(&account);
    let write = |stream: &str, version: Option<&str>, dashboard: &str| {
        let text =
            table("stream", "stream.zip", stream, version) + &table("dashboard", "dashboard.zip", dashboard, None);
        account.project.write("deploy.toml", &text);
    };
    let (first, first_version) = put(&account, "stream.zip", &archive(1000));
    let (dashboard, _) = put(&account, "dashboard.zip", &archive(1000));
    write(&first, Some(&first_version), &dashboard);
    let deploy = || account.run(&["deploy", "--yes", "--no-smoke"]);
    deploy().done();
    assert_eq!(account.live(), ["1", "1"]);
    let doctor = account.run(&["doctor"]);
    for seen in ["archive-stream", "archive-dashboard", "`s3://company-artifacts/stream.zip`, in us-east-1"] {
        assert!(doctor.stdout.contains(seen), "{seen}: {doctor:?}");
    }
    let again = deploy().done();
    assert!(again.stderr.contains("nothing to change"), "{again:?}");

    let (second, second_version) = put(&account, "stream.zip", &archive(2000));
    assert_ne!((&first, &first_version), (&second, &second_version));
    write(&second, Some(&second_version), &dashboard);
    let deployed = deploy().done();
    assert!(!deployed.stderr.contains("replaced"), "{deployed:?}");
    assert_eq!(account.live(), ["2", "1"]);
    account.run(&["rollback", "--function", "stream"]).done();
    assert_eq!(account.live()[0], "1");

    // Somebody has put other bytes under the key of the dashboard's than the manifest says.
    put(&account, "dashboard.zip", &archive(3000));
    write(&second, Some(&second_version), &second);
    let refused = deploy();
    let said = refused.stderr.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        said.contains("The archive s3://company-artifacts/dashboard.zip has another SHA-256 than `s3_sha256`"),
        "{said}"
    );
    assert_eq!(account.live()[1], "1");
}
