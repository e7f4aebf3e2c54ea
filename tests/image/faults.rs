//! Pushing over a network and to a registry that fail: it goes on, or says why not, and nothing is told to Terraform before all
//! of it is there.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::proxy::{Fault, Kind, Proxy};
use super::registry::{PASSWORD, Registry, USER};
use super::{Folder, tool};

/// Bytes of the program in these tests: more than what sockets hold.
const BYTES: usize = 4_000_000;
/// A hang must end at some time.
const LIMIT: Duration = Duration::from_secs(120);

fn is_whole(registry: &Registry, name: &str, folder: &Folder) {
    let from = format!("docker://{}@{}", registry.repository(name), folder.image("stream").0);
    let to = format!("dir:{}", folder.path().join("back").display());
    let mut copy = std::process::Command::new("skopeo");
    copy.args(["copy", "--quiet", "--src-tls-verify=false", "--src-creds", &format!("{USER}:{PASSWORD}"), &from, &to]);
    // It compares every blob with its digest.
    tool(&mut copy);
}

#[test]
fn an_upload_that_breaks_goes_on_where_it_was() {
    let registry = Registry::start();
    let plan = vec![("PATCH", "/uploads/", vec![Fault::CutAfter(3_000_000), Fault::CutAfter(500_000)])];
    let proxy = Proxy::start(registry.address, Kind::default(), plan);
    let folder = Folder::built("arm64", BYTES).login(&proxy.address.to_string(), USER, PASSWORD);
    let run = folder.push(&proxy.repository("live")).done();
    assert_eq!(proxy.left(), 0);
    let pieces: Vec<(usize, Option<String>)> = proxy
        .passed()
        .into_iter()
        .filter(|one| one.method == "PATCH" && one.body_bytes > 10_000)
        .map(|one| (one.body_bytes, one.headers.get("content-range").cloned()))
        .collect();
    let total = pieces[0].0;
    let range = |from: usize| Some(format!("{from}-{}", total - 1));
    // The whole, what was left of it, and what was left of that: in all no byte more than needed.
    assert_eq!(pieces, [(total, None), (total - 3_000_000, range(3_000_000)), (total - 3_500_000, range(3_500_000))]);
    assert_eq!(run.stderr.matches("trying again in").count(), 2, "{run:#?}");
    is_whole(&registry, "live", &folder);
}

#[test]
fn an_upload_that_the_registry_forgot_begins_anew() {
    let registry = Registry::start();
    let kind = Kind { is_forgetful: true, ..Kind::default() };
    let proxy = Proxy::start(registry.address, kind, vec![("PATCH", "/uploads/", vec![Fault::CutAfter(1_000_000)])]);
    let folder = Folder::built("arm64", BYTES).login(&proxy.address.to_string(), USER, PASSWORD);
    folder.push(&proxy.repository("live")).done();
    assert_eq!(proxy.left(), 0);
    is_whole(&registry, "live", &folder);
}

#[test]
fn an_answer_that_is_lost_and_a_busy_registry_are_waited_for() {
    let registry = Registry::start();
    let plan = vec![
        ("HEAD", "/blobs/", vec![Fault::Status(429, Some(1)), Fault::Status(503, None)]),
        ("POST", "/uploads/", vec![Fault::Status(500, None)]),
        ("PUT", "/uploads/", vec![Fault::CutAnswer]),
        ("PUT", "/manifests/", vec![Fault::CutAnswer, Fault::Status(502, None)]),
        ("GET", "/manifests/", vec![Fault::Status(504, None)]),
    ];
    let proxy = Proxy::start(registry.address, Kind::default(), plan);
    let folder = Folder::built("arm64", BYTES).login(&proxy.address.to_string(), USER, PASSWORD);
    let run = folder.push(&proxy.repository("live")).done();
    assert_eq!(proxy.left(), 0);
    assert!(run.stderr.contains("status 429; trying again in 1.0 s"), "{run:#?}");
    // The layer whose end was not answered is there, and is not sent again.
    let layers = proxy.passed().iter().filter(|one| one.method == "PATCH" && one.body_bytes > 10_000).count();
    assert_eq!(layers, 1);
    is_whole(&registry, "live", &folder);
}

#[test]
fn a_registry_that_wants_tokens_gets_one_from_whom_it_names() {
    let registry = Registry::start();
    let kind = Kind { wants_token: true, ..Kind::default() };
    let proxy = Proxy::start(registry.address, kind, Vec::new());
    let folder = Folder::built("arm64", 1000).login(&proxy.address.to_string(), USER, PASSWORD);
    folder.push(&proxy.repository("live")).done();
    // One registry of one push, one token for each of the two functions' images.
    assert_eq!(proxy.count("GET", "/token?"), 2);
    is_whole(&registry, "live", &folder);
    let stranger = Folder::built("arm64", 1000).login(&proxy.address.to_string(), USER, "wrong");
    stranger.push(&proxy.repository("live")).says("refuses the credentials of `ann`");
    let nobody = Folder::built("arm64", 1000);
    nobody.push(&proxy.repository("live")).says("asks for a login, and no credentials for it were found");
}

#[test]
fn a_wrong_password_no_login_and_missing_rights_are_told_apart() {
    let registry = Registry::start();
    let address = registry.address.to_string();
    let push = |folder: Folder| {
        let run = folder.push(&registry.repository("live"));
        assert_eq!(folder.told(), Value::Null);
        run
    };
    push(Folder::built("arm64", 1000).login(&address, USER, "wrong")).says("refuses the credentials of `ann`");
    let run = push(Folder::built("arm64", 1000));
    run.says("asks for a login, and no credentials for it were found");
    assert!(run.stderr.contains(&format!("docker login {address}")), "{run:?}");
    let plan = vec![("POST", "/uploads/", vec![Fault::Status(403, None)])];
    let proxy = Proxy::start(registry.address, Kind::default(), plan);
    let folder = Folder::built("arm64", 1000).login(&proxy.address.to_string(), USER, PASSWORD);
    folder.push(&proxy.repository("live")).says("may not be pushed to");
    let plan = vec![("POST", "/uploads/", vec![Fault::Status(404, None)])];
    let proxy = Proxy::start(registry.address, Kind::default(), plan);
    let folder = Folder::built("arm64", 1000).login(&proxy.address.to_string(), USER, PASSWORD);
    folder.push(&proxy.repository("live")).says("has no repository `live`");
    for secret in ["secret", "wrong"] {
        assert!(!run.stderr.contains(secret), "{run:?}");
    }
}

#[test]
fn bytes_that_change_on_the_way_are_noticed() {
    let registry = Registry::start();
    let plan = vec![("PATCH", "/uploads/", vec![Fault::Flip])];
    let proxy = Proxy::start(registry.address, Kind::default(), plan);
    let folder = Folder::built("arm64", 1000).login(&proxy.address.to_string(), USER, PASSWORD);
    folder.push(&proxy.repository("live")).says("got other bytes than were sent for a layer: DIGEST_INVALID");
    assert_eq!(folder.told(), Value::Null);
}

#[test]
fn nobody_there_is_said_after_some_tries() {
    let folder = Folder::built("arm64", 1000);
    let run = folder.push(&format!("{}/live", crate::support::local::free_port()));
    run.says("failed 6 times in a row at asking for a layer: Connection refused");
    assert_eq!(folder.told(), Value::Null);
    let run = folder.push("no-such-host.invalid/live");
    // Without a name server it is another sentence, after some tries.
    run.says("failed to lookup address information");
    assert!(run.stderr.contains("`no-such-host.invalid`"), "{run:?}");
}

#[test]
fn a_registry_that_stays_busy_or_broken_is_given_up() {
    let registry = Registry::start();
    for (fault, tries, why) in [
        (Fault::Status(429, Some(0)), 6, "failed 6 times in a row at asking for a layer: status 429"),
        (Fault::Status(500, Some(0)), 6, "failed 6 times in a row at asking for a layer: status 500"),
        // Nobody waits for an hour before a terminal.
        (Fault::Status(429, Some(3600)), 1, "at asking for a layer: status 429"),
    ] {
        let proxy = Proxy::start(registry.address, Kind::default(), vec![("HEAD", "/blobs/", vec![fault; tries])]);
        let folder = Folder::built("arm64", 1000).login(&proxy.address.to_string(), USER, PASSWORD);
        folder.push(&proxy.repository("live")).says(why);
        assert_eq!((folder.told(), folder.halves(), proxy.left()), (Value::Null, Vec::new(), 0));
    }
}

#[test]
fn a_full_disk_after_the_push_leaves_terraforms_file_as_it_was() {
    let registry = Registry::start();
    let folder = Folder::built("arm64", 1000).login(&registry.address.to_string(), USER, PASSWORD);
    let file = "generated/terraform/artifacts.auto.tfvars.json";
    folder.write(file, r#"{"mine": 1}"#);
    let command = folder.command(&["image", "push", "--repository", &registry.repository("live")]);
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args());
    limited.current_dir(folder.path()).env_clear().envs(&folder.env);
    super::run(limited).says("artifacts.auto.tfvars.json` cannot be written: File too large");
    assert_eq!(folder.told(), serde_json::json!({ "mine": 1 }));
    assert_eq!(folder.halves(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_interruption_says_so_and_leaves_nothing_half_done() {
    let registry = Registry::start();
    let plan = vec![("PATCH", "/uploads/", vec![Fault::Stall])];
    let proxy = Proxy::start(registry.address, Kind::default(), plan);
    let folder = Folder::built("arm64", BYTES).login(&proxy.address.to_string(), USER, PASSWORD);
    let repository = proxy.repository("live");
    let mut command = folder.command(&["image", "push", "--repository", &repository]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    crate::support::reaper::adopt(child.id());
    let began = Instant::now();
    while proxy.count("PATCH", "") == 0 {
        assert!(began.elapsed() < LIMIT, "it does not send");
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = child.id();
    kill_process(Pid::from_raw(id.try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    crate::support::reaper::release(id);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("error: interrupted before the end"), "{stderr}");
    assert!(stderr.contains("hint: run the same command again"), "{stderr}");
    assert_eq!((folder.told(), folder.halves()), (Value::Null, Vec::new()));
    // Somebody runs it again, as it says.
    folder.push(&repository).done();
    is_whole(&registry, "live", &folder);
}
