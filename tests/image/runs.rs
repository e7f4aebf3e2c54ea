//! The image runs: its files alone, as the root of a process, under the emulator of Lambda.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::build::unpack;
use super::{Folder, manifest, tool};
use crate::emulator::{Config, Emulator, Outcome};
use crate::support::bins::{cargo, workspace};
use crate::support::client::Request;
use crate::support::dynamodb;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

const LIMIT: Duration = Duration::from_secs(60);

/// Without debug information, which takes longer to link than everything else, and which knows this machine's paths.
const STRIPPED: [(&str, &str); 2] = [("CARGO_PROFILE_DEV_DEBUG", "false"), ("CARGO_PROFILE_DEV_STRIP", "true")];

/// The program `stream`, static, as `./justw image` builds it but for the time that optimising takes.
fn program(architecture: &str) -> PathBuf {
    let mut build = Command::new(workspace().join("tools/programs.sh"));
    // The variables that cargo gives to tests would make it compile everything anew.
    let clean: Vec<_> = cargo().get_envs().map(|(name, _)| name.to_owned()).collect();
    for name in clean {
        build.env_remove(name);
    }
    let printed = tool(build.args([architecture, "musl", "stream"]).env("PROFILE", "dev").envs(STRIPPED));
    PathBuf::from(printed.trim())
}

/// Starts a process in a folder that is its whole disk, as nobody.
fn enter(root: &std::path::Path, more: &[&str]) -> (PathBuf, Vec<String>) {
    let is_root = rustix::process::getuid().is_root();
    let root = root.display().to_string();
    let words: Vec<&str> = match is_root {
        true => vec!["chroot", "--userspec=65532:65532", &root],
        // Whoever may not do that may be root in a world of its own.
        false => vec!["unshare", "--map-root-user", "chroot", &root],
    };
    let arguments = words[1..].iter().chain(more).map(|word| (*word).to_owned()).collect();
    let found = tool(Command::new("sh").args(["-c", &format!("PATH=$PATH:/usr/sbin:/sbin command -v {}", words[0])]));
    (PathBuf::from(found.trim()), arguments)
}

async fn serves(architecture: &str, emulator_of_processor: Option<&str>) {
    let folder = Folder::new(&manifest(architecture));
    let program = program(architecture);
    let arguments = ["image", "build", "--function", "stream", "--program", program.to_str().unwrap()];
    folder.run(&arguments).done();
    let root = unpack(folder.path(), "stream");
    // Temporary folders are their owner's alone.
    tool(Command::new("chmod").args(["0755"]).arg(folder.path()));
    let mut command = Vec::new();
    if let Some(qemu) = emulator_of_processor {
        std::fs::copy(qemu, root.join("qemu")).unwrap();
        command.push("/qemu");
    }
    command.push("/bootstrap");
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["X"])).await;
    let own = [("SSE_POLL_INTERVAL".to_owned(), "500ms".to_owned())];
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain(own).collect();
    let (program, arguments) = enter(&root, &command);
    let mut config = Config::new(program, env);
    config.arguments = arguments;
    let emulator = Emulator::start(config).await;
    let mut client = SseClient::connect(Request::get(emulator.address(), contract::routes::STREAM)).await;
    client.arrival("heartbeat", LIMIT).await;
    let (metrics, _) = client.arrival("metrics", LIMIT).await;
    assert!(metrics.data.contains("\"total\":1"), "{metrics:?}");
    table.put(&Row::new("b", "negative", &["Y"])).await;
    let (update, _) = client.arrival("sentiment_update", LIMIT).await;
    assert!(update.data.contains("\"b\""), "{update:?}");
    drop(client);
    assert!(!matches!(emulator.invocations()[0].outcome, Some(Outcome::Crashed(_))), "{:?}", emulator.invocations());
}

/// This machine's processor always; the other one where `./justw image-check` asks for it, because compiling for a second
/// processor takes minutes, which CI does not have.
#[tokio::test]
async fn the_files_of_the_image_alone_serve_a_stream() {
    let (own, other, qemu) = match cfg!(target_arch = "x86_64") {
        true => ("x86_64", "arm64", "qemu-aarch64-static"),
        false => ("arm64", "x86_64", "qemu-x86_64-static"),
    };
    serves(own, None).await;
    if std::env::var_os("IMAGE_CHECK").is_some() {
        let found = tool(Command::new("sh").args(["-c", &format!("command -v {qemu}")]));
        serves(other, Some(found.trim())).await;
    }
}
