//! `infragen deploy` with images: the repository is made, images go into a real registry that wants a password, two environments
//! run them, and in the end nothing is left.

use base64::Engine as _;
use serde_json::{Value, json};

use super::account::{Account, manifest};
use super::moto;
use crate::image::noise;
use crate::image::registry::{PASSWORD, Registry, USER};
use crate::support::local::Local;
use crate::support::script::script;

/// What the project's own recipe does, with a program that is there already and a registry that is at hand.
fn recipe(account: &Account, registry: &Registry) {
    let infragen = super::bins::path("infragen").display().to_string();
    let text = format!(
        "set -e\n[ \"$1\" = image ]\nexport DOCKER_CONFIG=\"$PWD/docker\"\nfor function in stream dashboard; do\n  \
         '{infragen}' image build --function \"$function\" --program program\ndone\n'{infragen}' image push --repository '{}'",
        registry.repository("live")
    );
    script(&account.project.path().join("justw"), &text);
    account.project.write_bytes("program", &noise("x86_64", 200_000));
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let config = json!({ "auths": { registry.address.to_string(): { "auth": auth } } });
    account.project.write("docker/config.json", &config.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_deployed_to_two_environments_and_nothing_is_left() {
    let local = Local::start(&[]).await;
    let registry = Registry::start();
    let text = manifest(&local, "128 MiB").replacen("[stream]\n", "[stream]\npackage = \"image\"\n", 1);
    let account = Account::new(&format!(
        "{text}[dashboard]\npackage = \"image\"\n[package]\narchitecture = \"x86_64\"\n[env.prod]\n"
    ));
    for root in ["bootstrap", "prod/terraform"] {
        let path = format!("generated/{root}/zz_override.tf");
        account.project.write(&path, moto::PROVIDER);
    }
    recipe(&account, &registry);

    let first = account.run(&["deploy", "--yes"]).done();
    for seen in ["bootstrap: infragen bootstrap", "generated/bootstrap: 7 new", "push: ./justw image"] {
        assert!(first.stderr.contains(seen), "{seen}: {first:?}");
    }
    let images = || -> Value {
        serde_json::from_str(&account.project.read("generated/terraform/artifacts.auto.tfvars.json")).unwrap()
    };
    let pinned = images()["stream_image"].clone();
    let code = |function: &str| {
        account.aws(&["lambda", "get-function", "--function-name", function])["Code"]["ImageUri"].clone()
    };
    assert_eq!(code("sse-streaming-dev-stream"), pinned);
    assert!(pinned.as_str().unwrap().starts_with(&format!("{}@sha256:", registry.repository("live"))), "{pinned}");
    let status = account.run(&["status"]).done();
    assert!(status.stdout.contains("image, x86_64, 128 MiB"), "{status:?}");

    // The same again is nothing, and the other environment runs the very same images.
    let again = account.run(&["deploy", "--yes"]).done();
    assert!(again.stderr.contains("repository `sse-streaming-dev`: it is there"), "{again:?}");
    assert!(again.stderr.contains("stream: there already, sha256:"), "{again:?}");
    assert!(again.stdout.starts_with("sse-streaming-dev in us-east-1: nothing to change"), "{again:?}");
    let other = account.run(&["deploy", "--yes", "--env", "prod"]).done();
    assert!(other.stdout.starts_with("sse-streaming-prod in us-east-1: 31 new"), "{other:?}");
    assert_eq!((code("sse-streaming-prod-stream"), images()["stream_image"].clone()), (pinned.clone(), pinned));
    account.run(&["status", "--env", "prod"]).done();

    for environment in ["dev", "prod"] {
        let tables = ["items", "users"].map(|table| format!("sse-streaming-{environment}-{table}"));
        let of = ["destroy", "--yes", "--env", environment];
        let named = tables.iter().flat_map(|table| ["--table", table, "--table", table]);
        account.run(&of.into_iter().chain(named).collect::<Vec<_>>()).done();
    }
    let none = account.run(&["destroy", "--bootstrap", "--yes", "--env", "prod"]).done();
    assert_eq!(none.stderr, "nothing to destroy of generated/prod/bootstrap\n");
    let left = account.moto.inventory();
    assert_eq!((left["ecr.repositories"].clone(), left.as_object().unwrap().len()), (json!(["sse-streaming-dev"]), 2));
    let wrong = account.typed(&["destroy", "--bootstrap"], "yes\n");
    assert!(wrong.stderr.contains("nothing was destroyed"), "{wrong:?}");
    let gone = account.typed(&["destroy", "--bootstrap"], "sse-streaming-dev\n").done();
    assert!(gone.stderr.ends_with("generated/bootstrap is gone\n"), "{gone:?}");
    assert_eq!(account.moto.inventory(), json!({}));
    account.run(&["destroy", "--bootstrap"]).done();
}
