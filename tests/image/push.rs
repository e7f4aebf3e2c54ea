//! Pushing to a real registry: what arrives, what is not sent twice, and what Terraform is told.

use std::process::Command;

use serde_json::json;

use super::proxy::{Kind, Proxy};
use super::registry::{PASSWORD, Registry, USER};
use super::{Folder, manifest, noise, tool};

#[test]
fn somebody_elses_client_gets_exactly_what_was_built() {
    let registry = Registry::start();
    let folder = Folder::built("arm64", 500_000).login(&registry.address.to_string(), USER, PASSWORD);
    let repository = registry.repository("team/live");
    let run = folder.push(&repository).done();
    let pin = |function: &str| format!("{repository}@{}", folder.image(function).0);
    assert_eq!(run.stdout, format!("stream_image  {}\ndashboard_image  {}\n", pin("stream"), pin("dashboard")));
    assert_eq!(folder.told(), json!({ "stream_image": pin("stream"), "dashboard_image": pin("dashboard") }));
    let credentials = format!("{USER}:{PASSWORD}");
    let from = format!("docker://{}", pin("stream"));
    let back = folder.path().join("back");
    let mut copy = Command::new("skopeo");
    copy.args(["copy", "--quiet", "--src-tls-verify=false", "--src-creds", &credentials, &from]);
    tool(copy.arg(format!("oci:{}", back.display())));
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(back.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], folder.image("stream").0.as_str());
    let mut inspect = Command::new("skopeo");
    inspect.args(["inspect", "--config", "--tls-verify=false", "--creds", &credentials, &from]);
    let config: serde_json::Value = serde_json::from_str(&tool(&mut inspect)).unwrap();
    assert_eq!((&config["architecture"], &config["config"]["User"]), (&json!("arm64"), &json!("65532:65532")));
    // By digest alone: there is no tag that could be moved.
    let tags = registry.folder.path().join("store/docker/registry/v2/repositories/team/live/_manifests/tags");
    assert!(!tags.exists());
}

#[test]
fn what_the_registry_has_is_not_sent_again() {
    let registry = Registry::start();
    let proxy = Proxy::start(registry.address, Kind::default(), Vec::new());
    let folder = Folder::built("arm64", 500_000).login(&proxy.address.to_string(), USER, PASSWORD);
    let repository = proxy.repository("live");
    folder.push(&repository).done();
    // Both functions have the same program here: its layer and its configuration go once.
    assert_eq!(proxy.count("PATCH", "/uploads/"), 2);
    proxy.forget();
    let again = folder.push(&repository).done();
    assert!(again.stderr.contains("stream: there already, sha256:"), "{again:?}");
    let bodies: usize =
        proxy.passed().iter().filter(|one| !one.path.contains("/manifests/")).map(|one| one.body_bytes).sum();
    assert_eq!((bodies, proxy.count("POST", ""), proxy.count("PATCH", "")), (0, 0, 0), "{:#?}", proxy.passed());
}

#[test]
fn other_entries_of_terraforms_file_stay_and_a_broken_one_is_not_replaced() {
    let registry = Registry::start();
    let folder = Folder::built("x86_64", 1000).login(&registry.address.to_string(), USER, PASSWORD);
    let file = "generated/terraform/artifacts.auto.tfvars.json";
    folder.write(file, r#"{"stream_zip": {"path": "x"}, "stream_image": "old", "mine": [1]}"#);
    let one = ["image", "push", "--function", "stream", "--repository", &registry.repository("live")];
    folder.run(&one).done();
    let pin = format!("{}@{}", registry.repository("live"), folder.image("stream").0);
    assert_eq!(folder.told(), json!({ "stream_zip": { "path": "x" }, "stream_image": pin, "mine": [1] }));
    folder.write(file, "{ half");
    folder.run(&one).says("artifacts.auto.tfvars.json` is no object of JSON");
    assert_eq!(std::fs::read_to_string(folder.path().join(file)).unwrap(), "{ half");
}

#[test]
fn the_servers_image_goes_where_it_is_told_to_and_no_root_is_told() {
    let registry = Registry::start();
    let folder = Folder::built("arm64", 1000).login(&registry.address.to_string(), USER, PASSWORD);
    folder.build("server");
    let repository = registry.repository("live");
    let push = ["image", "push", "--function", "server", "--repository", &repository];
    let run = folder.run(&push).done();
    assert_eq!(run.stdout, format!("server  {repository}@{}\n", folder.image("server").0));
    assert!(folder.run(&push).done().stderr.contains("server: there already"));
    assert!(!folder.path().join("generated").exists());
}

/// A manifest with two environments beside the base, one of them in another region.
fn regions() -> String {
    format!(
        "{}[dashboard.image]\n[env.far]\nproject.region = \"eu-west-1\"\n[env.near]\nstream.memory = \"256 MiB\"\n",
        manifest("arm64")
    )
}

#[test]
fn each_region_has_its_own_repository_as_terraform_says() {
    let (near, far) = (Registry::start(), Registry::start());
    let folder = Folder::new(&regions());
    std::fs::write(folder.path().join("program"), noise("arm64", 1000)).unwrap();
    for function in ["stream", "dashboard"] {
        folder.build(function);
    }
    // A Terraform that has applied both bootstrap roots.
    folder.write(
        "bin/terraform",
        &format!(
            "#!/bin/sh\ncase \"$*\" in\n*generated/bootstrap\\ output*repository_url) printf %s '{}' ;;\n\
             *generated/far/bootstrap\\ output*) printf %s '{}' ;;\n*) echo \"$*\" >&2; exit 1 ;;\nesac\n",
            near.repository("live"),
            far.repository("live-far")
        ),
    );
    tool(Command::new("chmod").arg("+x").arg(folder.path().join("bin/terraform")));
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    let auth = |registry: &Registry| {
        use base64::Engine as _;
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
        (registry.address.to_string(), json!({ "auth": auth }))
    };
    let auths: serde_json::Map<String, serde_json::Value> = [auth(&near), auth(&far)].into_iter().collect();
    folder.write("home/.docker/config.json", &json!({ "auths": auths }).to_string());
    let folder = folder.env("PATH", &path);
    folder.run(&["image", "push"]).done();
    let told = |root: &str| {
        let path = folder.path().join(root).join("artifacts.auto.tfvars.json");
        let told: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        told["stream_image"].as_str().unwrap().split('@').next().unwrap().to_owned()
    };
    assert_eq!(told("generated/terraform"), near.repository("live"));
    assert_eq!(told("generated/near/terraform"), near.repository("live"));
    assert_eq!(told("generated/far/terraform"), far.repository("live-far"));
}

#[test]
fn what_is_missing_for_a_push_is_said() {
    let folder = Folder::built("arm64", 1000);
    // The real Terraform, asked about a root that was never applied.
    folder
        .run(&["image", "push"])
        .says("the repository of images is not known: `repository_url` of `generated/bootstrap`");
    let none = Folder::built("arm64", 1000).env("PATH", "/nowhere");
    let run = none.run(&["image", "push"]);
    run.says("neither terraform nor tofu is on PATH");
    assert!(run.stderr.contains("make it with `infragen --env dev bootstrap`"), "{run:?}");
    let zips = Folder::new("[stream]\npackage = \"zip\"\n[dashboard]\npackage = \"zip\"\n");
    zips.run(&["image", "push"]).says("no function runs an image that is made here");
    let unbuilt = Folder::new(&manifest("arm64"));
    unbuilt.push("127.0.0.1:1/live").says("holds no image of stream: `oci-layout` cannot be read");
    let other = Folder::built("arm64", 1000);
    other.write("deploy.toml", &manifest("x86_64"));
    other.push("127.0.0.1:1/live").says("is for the processor arm64, and stream of `dev` runs on amd64");
    let changed = Folder::built("arm64", 1000);
    let layer = changed.image("stream").1["layers"][0]["digest"].as_str().unwrap()[7..].to_owned();
    changed.write(&format!("dist/images/stream/blobs/sha256/{layer}"), "other bytes");
    changed.push("127.0.0.1:1/live").says("it was changed after it was written");
    let tagged = folder.push("127.0.0.1:1/live:latest");
    assert_eq!(tagged.code, Some(2), "{tagged:?}");
    let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/live";
    folder.push(ecr).says(&format!("`{ecr}` is in eu-west-1, and `dev` is deployed in us-east-1"));
}

#[test]
fn credentials_of_ecr_are_asked_of_the_aws_command_line() {
    // No request leaves this machine: the command fails, and so does the push.
    let folder = Folder::built("arm64", 1000);
    let script = "#!/bin/sh\n[ \"$1\" = sts ] && echo 123456789012 && exit\necho \"asked: $*\" >&2\nexit 255\n";
    folder.write("bin/aws", script);
    tool(Command::new("chmod").arg("+x").arg(folder.path().join("bin/aws")));
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    let folder = folder.env("PATH", &path);
    let run = folder.push("123456789012.dkr.ecr.us-east-1.amazonaws.com/live");
    run.says("asked: ecr get-login-password --region us-east-1");
    // Where Terraform's state is on another machine, the account says whose the repository is.
    let run = folder.run(&["image", "push"]);
    run.says("asked: ecr get-login-password --region us-east-1");
    let taken = "taking the account's `123456789012.dkr.ecr.us-east-1.amazonaws.com/sse-streaming-dev`";
    assert!(run.stderr.contains(taken), "{run:?}");
    assert_eq!(folder.told(), serde_json::Value::Null);
}

#[test]
fn a_credential_helper_is_asked() {
    let registry = Registry::start();
    let folder = Folder::built("arm64", 1000);
    folder.write("home/.docker/config.json", r#"{"credsStore": "tests"}"#);
    let answer = json!({ "Username": USER, "Secret": PASSWORD });
    let script = format!("#!/bin/sh\n[ \"$1\" = get ] && [ \"$(cat)\" = {} ] && echo '{answer}'\n", registry.address);
    folder.write("bin/docker-credential-tests", &script);
    tool(Command::new("chmod").arg("+x").arg(folder.path().join("bin/docker-credential-tests")));
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    folder.env("PATH", &path).push(&registry.repository("live")).done();
}
