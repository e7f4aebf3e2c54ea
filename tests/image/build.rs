//! The same program gives the same image: on another day, in another folder, of another time zone. What is no program is refused.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Folder, manifest, noise, run, tool};
use crate::support::faketime::FakeClock;

const YEAR_SECS: i64 = 365 * 24 * 60 * 60;

#[test]
fn the_same_program_gives_the_same_digest_a_year_later_and_elsewhere() {
    for architecture in ["arm64", "x86_64"] {
        let first = Folder::built(architecture, 200_000);
        let clock = FakeClock::right();
        clock.set(YEAR_SECS);
        let mut later = Folder::new(&manifest(architecture)).env("TZ", "Asia/Tokyo").env("LANG", "de_DE.UTF-8");
        later.env.extend(clock.env());
        // The clock is a year ahead, or this test would find nothing out.
        let mut date = Command::new("date");
        let year = tool(date.arg("+%s").env_clear().envs(&later.env));
        let ahead = year.trim().parse::<i64>().unwrap() - time::OffsetDateTime::now_utc().unix_timestamp();
        assert!(ahead > YEAR_SECS / 2, "{ahead}");
        std::fs::write(later.path().join("program"), noise(architecture, 200_000)).unwrap();
        for function in ["stream", "dashboard"] {
            later.build(function);
            assert_eq!(later.image(function).0, first.image(function).0);
        }
        // Both functions' programs are the same here, and so are the images: nothing else is in them.
        assert_eq!(first.image("stream").0, first.image("dashboard").0);
        let different = Folder::built(architecture, 200_001);
        assert_ne!(different.image("stream").0, first.image("stream").0);
        let dated = Folder::built(architecture, 200_000).env("SOURCE_DATE_EPOCH", "1700000000");
        dated.build("stream");
        let (digest, manifest, config) = dated.image("stream");
        assert_ne!(digest, first.image("stream").0);
        assert_eq!(manifest["layers"], first.image("stream").1["layers"], "the time is in the description only");
        assert_eq!(config["created"], "2023-11-14T22:13:20.000Z");
    }
}

#[test]
fn the_image_is_what_lambda_wants_and_says_where_it_comes_from() {
    let folder = Folder::new(&format!("{}[ci]\nrepository = \"example/live\"\n", manifest("arm64")));
    let program = noise("arm64", 50_000);
    std::fs::write(folder.path().join("program"), &program).unwrap();
    let arguments = ["image", "build", "--function", "stream", "--program", "program", "--revision", "abc123"];
    let printed = folder.run(&arguments).done().stdout;
    let (digest, manifest, config) = folder.image("stream");
    assert!(printed.contains(&digest), "{printed}");
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!((&config["os"], &config["architecture"]), (&json!("linux"), &json!("arm64")));
    assert_eq!(config["config"]["Entrypoint"], json!(["/bootstrap"]));
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(
        config["config"]["Labels"],
        json!({
            "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            "org.opencontainers.image.revision": "abc123",
            "org.opencontainers.image.source": "https://github.com/example/live",
            "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
        })
    );
    let root = unpack(folder.path(), "stream");
    assert_eq!(std::fs::read(root.join("bootstrap")).unwrap(), program);
    // Python's own TLS takes every certificate of the file.
    let check = "import ssl, sys; c = ssl.create_default_context(cafile=sys.argv[1]); print(len(c.get_ca_certs()))";
    let certificates = root.join("etc/ssl/certs/ca-certificates.crt");
    let count: usize = tool(Command::new("python3").args(["-c", check]).arg(certificates)).trim().parse().unwrap();
    assert!(count > 100, "{count}");
}

#[test]
fn the_server_has_an_image_that_says_where_it_listens() {
    let folder = Folder::new(&manifest("x86_64"));
    std::fs::write(folder.path().join("program"), noise("x86_64", 50_000)).unwrap();
    folder.run(&["image", "build", "--function", "server", "--program", "program"]).done();
    let (_, _, config) = folder.image("server");
    assert_eq!(config["config"]["Env"], json!(["SERVER_ADDRESS=0.0.0.0"]));
    assert_eq!(config["config"]["ExposedPorts"], json!({ "8080/tcp": {} }));
    assert_eq!(config["config"]["User"], "65532:65532");
    // What it says is what the server reads, and the port its default.
    let read = |name: &str| (name == "SERVER_ADDRESS").then(|| "0.0.0.0".to_owned());
    let settings = contract::ServerSettings::on_this_platform(&read).unwrap();
    assert_eq!((settings.address.0.to_string().as_str(), settings.port.get()), ("0.0.0.0", 8080));
    folder.run(&["image", "build", "--function", "stream", "--program", "program"]).done();
    let (_, _, stream) = folder.image("stream");
    assert!(stream["config"]["Env"].is_null() && stream["config"]["ExposedPorts"].is_null());
    let nowhere = folder.run(&["image", "push", "--function", "server"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.stderr.contains("name one: `--repository HOST/NAME`"), "{nowhere:?}");
}

/// The files of an image of one layer, as another program unpacks them.
pub(super) fn unpack(folder: &Path, function: &str) -> std::path::PathBuf {
    let layout = folder.join("dist/images").join(function);
    let root = folder.join(format!("root-{function}"));
    std::fs::create_dir(&root).unwrap();
    let copied = folder.join(format!("copied-{function}"));
    let from = format!("oci:{}", layout.display());
    tool(Command::new("skopeo").args(["copy", "--quiet", &from, &format!("dir:{}", copied.display())]));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(copied.join("manifest.json")).unwrap()).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    tool(Command::new("tar").arg("-xpzf").arg(copied.join(layer)).arg("-C").arg(&root));
    root
}

#[test]
fn the_adapter_is_there_where_the_manifest_asks_for_it() {
    let adapted = "[package]\narchitecture = \"x86_64\"\n[stream]\npackage = \"image\"\nadapter = \"web-adapter\"\n";
    let folder = Folder::new(adapted);
    std::fs::write(folder.path().join("program"), noise("x86_64", 1000)).unwrap();
    std::fs::write(folder.path().join("adapter"), noise("x86_64", 2000)).unwrap();
    let build = |more: &[&str]| {
        folder.run(&[&["image", "build", "--function", "stream", "--program", "program"], more].concat())
    };
    build(&[]).says("`stream.adapter` is `web-adapter`, and no `--adapter` is given");
    build(&["--adapter", "adapter"]).done();
    let root = unpack(folder.path(), "stream");
    assert_eq!(std::fs::read(root.join("opt/extensions/lambda-adapter")).unwrap().len(), 2000);
    let plain = Folder::built("x86_64", 1000);
    let arguments = ["image", "build", "--function", "stream", "--program", "program", "--adapter", "program"];
    plain.run(&arguments).says("`--adapter` is given, and stream runs without one");
}

#[test]
fn what_is_no_program_for_the_image_is_refused() {
    let folder = Folder::built("arm64", 1000);
    let before = folder.image("stream").0;
    let build = |program: &str| folder.run(&["image", "build", "--function", "stream", "--program", program]);
    build("nowhere").says("`nowhere` cannot be read");
    build("deploy.toml").says("the program is no program for Linux");
    std::fs::write(folder.path().join("other"), noise("x86_64", 1000)).unwrap();
    build("other").says("the program is for x86_64, and the manifest says `package.architecture = \"arm64\"`");
    // This very test is dynamic, as programs are that nobody has linked otherwise.
    let own = Folder::new(&manifest(if cfg!(target_arch = "x86_64") { "x86_64" } else { "arm64" }));
    let test = std::env::current_exe().unwrap();
    own.run(&["image", "build", "--function", "stream", "--program", test.to_str().unwrap()])
        .says("the program is not static");
    let bad = Folder::built("arm64", 1000).env("SOURCE_DATE_EPOCH", "yesterday");
    let arguments = ["image", "build", "--function", "stream", "--program", "program"];
    bad.run(&arguments).says("SOURCE_DATE_EPOCH is `yesterday`");
    assert_eq!(folder.image("stream").0, before);
}

#[test]
fn a_folder_of_others_and_a_full_disk_leave_everything_as_it_was() {
    let folder = Folder::built("arm64", 300_000);
    let before = folder.image("stream").0;
    folder.write("mine/precious.txt", "text");
    let to = |dir: &str| {
        ["image", "build", "--function", "stream", "--program", "program", "--to-layout", dir].map(str::to_owned)
    };
    let arguments = to("mine");
    folder.run(&arguments.each_ref().map(String::as_str)).says("`mine` is there, and is no image layout");
    assert_eq!(std::fs::read_to_string(folder.path().join("mine/precious.txt")).unwrap(), "text");
    // No file may have more than 100 kB, as on a disk that is full then; the image that is there stays whole.
    std::fs::write(folder.path().join("program"), noise("arm64", 400_000)).unwrap();
    let mut command = folder.command(&["image", "build", "--function", "stream", "--program", "program"]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args());
    limited.current_dir(folder.path()).env_clear().envs(&folder.env);
    run(limited).says("`./dist/images/stream` cannot be written: File too large");
    assert_eq!(folder.image("stream").0, before);
    assert_eq!(folder.halves(), Vec::<std::path::PathBuf>::new());
    // Where nobody can be told the digest, that is an error, too.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    command.stdout(full).arg0("infragen");
    assert_eq!(command.status().unwrap().code(), Some(1));
}
