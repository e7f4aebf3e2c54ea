//! Where Terraform keeps what it made: a file until there is a bucket, and in the bucket from then on, for everybody.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Run;
use super::account::{Account, ROOT};
use super::moto;
use super::terraform::TERRAFORM;

const BOOTSTRAP: &str = "generated/bootstrap";
const APPLY: [&str; 2] = ["bootstrap", "--yes"];
/// What the backend has to be told of an S3 that is no part of AWS, where it is asked at all.
const OF_MOTO: &str = "-backend-config=use_path_style=true -backend-config=skip_credentials_validation=true \
                       -backend-config=skip_requesting_account_id=true";

fn s3(bucket: &str) -> String {
    format!("[terraform.backend]\nkind = \"s3\"\nbucket = \"{bucket}\"\n")
}

/// An account whose Terraform finds its S3; `first` is done before each command.
fn account(manifest: &str, first: &str) -> Account {
    let account = Account::new(manifest);
    account.project.write(&format!("{BOOTSTRAP}/zz_override.tf"), moto::PROVIDER);
    terraform(&account, first);
    account.project.run(&["render"]).done();
    account
}

fn terraform(account: &Account, first: &str) {
    std::fs::remove_file(account.programs.path().join("terraform")).unwrap();
    // It looks for the one behind it on the PATH, and this one is the first there.
    let folder = "folder=${1#-chdir=}\ncase \"$1\" in -chdir=*) shift ;; *) folder=. ;; esac";
    let of_s3 = "grep -qs 'backend \"s3\"' \"$folder/versions.tf\" && ! [ -e \"$folder/zz_infragen_override.tf\" ]";
    account.program(
        "terraform",
        &format!(
            "{folder}\n{first}\nif [ \"$1\" = init ] && {of_s3}; then set -- \"$@\" {OF_MOTO}; fi\n\
             PATH=${{PATH#*:}} exec '{TERRAFORM}' -chdir=\"$folder\" \"$@\""
        ),
    );
}

/// What else lies in a root beside what is rendered.
fn states(account: &Account, root: &str) -> Vec<String> {
    let entries = std::fs::read_dir(account.project.path().join(root)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_state = |name: &String| name.contains("tfstate") || name.contains("infragen_override");
    let mut names: Vec<String> = names.filter(is_state).collect();
    names.sort();
    names
}

/// The bucket that a run has made.
fn bucket(run: &Run) -> String {
    run.stdout.lines().find_map(|line| line.strip_prefix("state_bucket    ")).unwrap().to_owned()
}

/// Keys in the bucket of the state.
fn keys(account: &Account, bucket: &str) -> Value {
    let listed = account.aws(&["s3api", "list-objects-v2", "--bucket", bucket]);
    listed["Contents"].as_array().into_iter().flatten().map(|object| object["Key"].clone()).collect()
}

/// The project in a second clone: what is in its repository, and nothing that Terraform left.
fn cloned(account: &Account) -> PathBuf {
    let (from, to) = (account.project.path().join(BOOTSTRAP), account.project.path().join("clone/generated/bootstrap"));
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|extension| extension == "tf") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    let clone = account.project.path().join("clone");
    std::fs::copy(account.project.path().join("deploy.toml"), clone.join("deploy.toml")).unwrap();
    clone
}

fn in_clone(account: &Account, arguments: &[&str]) -> Run {
    let manifest = cloned(account).join("deploy.toml").display().to_string();
    account.run(&[&["--manifest", manifest.as_str()], arguments].concat())
}

#[test]
fn the_state_of_the_bootstrap_root_goes_into_the_bucket_that_it_makes() {
    let account = account("", "");
    let made = account.run(&APPLY).done();
    assert_eq!(states(&account, BOOTSTRAP), ["terraform.tfstate"], "{made:?}");
    let bucket = bucket(&made);

    // What deploy.toml asks for then: its name, and one command.
    account.project.write("deploy.toml", &s3(&bucket));
    account.project.run(&["render"]).done();
    let moved = account.run(&APPLY).done();
    let line = format!(
        "the state of `{BOOTSTRAP}` is in `{bucket}` now; `{BOOTSTRAP}/terraform.tfstate.moved` is what was here"
    );
    assert!(moved.stderr.contains(&line) && moved.stderr.contains("nothing to change"), "{moved:?}");
    assert_eq!(states(&account, BOOTSTRAP), ["terraform.tfstate.moved"]);
    assert_eq!(keys(&account, &bucket), json!(["sse-streaming/dev/bootstrap.tfstate"]));

    // A second clone goes on with it, and finds everything made.
    let inventory = account.moto.inventory();
    let second = in_clone(&account, &APPLY).done();
    assert!(second.stderr.contains("nothing to change"), "{second:?}");
    assert_eq!(second.stdout, made.stdout);
    assert_eq!(account.moto.inventory(), inventory);
}

#[test]
fn a_bucket_that_is_named_before_it_exists_is_made_and_takes_the_state() {
    let account = account(&s3("one-bucket"), "");
    // Without the bucket nothing else can be planned, and Terraform's own words would not say who makes it.
    let early = account.run(&["deploy", "--yes", "--no-smoke"]);
    assert_eq!(early.code, 1, "{early:?}");
    let lines = format!(
        "error: the bucket `one-bucket`, which is to have the state of `{ROOT}`, is not there\n hint: `infragen bootstrap` makes it\n"
    );
    assert!(early.stderr.ends_with(&lines), "{early:?}");

    // Broken off between the bucket and the move, the same command goes on.
    terraform(&account, "if [ \"$1 $2\" = 'state push' ]; then exit 9; fi");
    let broken = account.run(&APPLY);
    assert_eq!(broken.code, 1, "{broken:?}");
    assert!(broken.stderr.contains("the state that is here was not moved"), "{broken:?}");
    assert_eq!(states(&account, BOOTSTRAP), ["terraform.tfstate"]);
    terraform(&account, "");
    let inventory = account.moto.inventory();
    let made = account.run(&APPLY).done();
    assert!(made.stderr.contains("nothing to change"), "{made:?}");
    assert_eq!(made.stdout, "state_bucket    one-bucket\n");
    assert_eq!(states(&account, BOOTSTRAP), ["terraform.tfstate.moved"]);
    assert_eq!(account.moto.inventory(), inventory);
    let again = account.run(&APPLY).done();
    assert_eq!(
        (&again.stdout, states(&account, BOOTSTRAP)),
        (&made.stdout, vec!["terraform.tfstate.moved".to_owned()])
    );

    // The bucket of a state stays as long as the state is in it.
    let gone = account.typed(&["destroy", "--bootstrap"], "sse-streaming-dev\n").done();
    assert!(gone.stderr.contains("the bucket of the state"), "{gone:?}");
    assert_eq!(keys(&account, "one-bucket"), json!(["sse-streaming/dev/bootstrap.tfstate"]));
}

#[test]
fn a_state_never_takes_the_place_of_another_one() {
    let account = account(&s3("one-bucket"), "");
    account.run(&APPLY).done();
    let other = json!({ "version": 4, "terraform_version": "1.11.0", "serial": 99, "outputs": {}, "resources": [],
        "lineage": "00000000-0000-0000-0000-000000000000" });
    let path = format!("{BOOTSTRAP}/terraform.tfstate");
    account.project.write(&path, &other.to_string());
    let refused = account.run(&APPLY);
    assert_eq!(refused.code, 1, "{refused:?}");
    let hint = format!(" hint: if the state in `one-bucket` is the right one, rename `{path}`\n");
    assert!(refused.stderr.contains("lineage") && refused.stderr.ends_with(&hint), "{refused:?}");
    assert_eq!(account.project.read(&path), other.to_string());
    std::fs::remove_file(account.project.path().join(&path)).unwrap();
    assert!(account.run(&APPLY).done().stderr.contains("nothing to change"));
}

#[test]
fn a_deployed_stack_moves_its_state_with_the_next_deployment() {
    let account = account("", "");
    let bucket = bucket(&account.run(&APPLY).done());
    account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert_eq!(states(&account, ROOT), ["terraform.tfstate"]);
    account.project.write("deploy.toml", &s3(&bucket));
    let inventory = account.moto.inventory();
    let moved = account.run(&["deploy", "--yes", "--no-smoke"]).done();
    assert!(moved.stdout.contains(": nothing to change"), "{moved:?}");
    assert_eq!(states(&account, ROOT), ["terraform.tfstate.moved"]);
    assert_eq!(keys(&account, &bucket), json!(["sse-streaming/dev/terraform.tfstate"]));
    assert_eq!(account.moto.inventory(), inventory);
}
