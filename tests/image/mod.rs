//! Container images from the outside: built twice, pushed to a real registry through a network that lies, fetched by somebody
//! else's client, and run.

mod build;
mod faults;
mod oci;
mod proxy;
mod push;
pub(crate) mod registry;
mod runs;
mod tls;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::bins;

/// Both functions run an image, on this processor.
fn manifest(architecture: &str) -> String {
    format!(
        "[package]\narchitecture = \"{architecture}\"\n[stream]\npackage = \"image\"\n[dashboard]\npackage = \"image\"\n"
    )
}

/// A file that is a static program for a processor by its headers, and otherwise noise that does not compress: what the tests
/// send around need not run.
pub(crate) fn noise(architecture: &str, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut program: Vec<u8> = (0..bytes.max(128)).map(|_| random.u8(..)).collect();
    program[..64].fill(0);
    program[..6].copy_from_slice(b"\x7fELF\x02\x01");
    program[18] = if architecture == "arm64" { 0xb7 } else { 0x3e };
    program
}

/// How a run of the generator ended.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// It failed for a person to act, and said this and what is next.
    #[track_caller]
    fn says(&self, why: &str) {
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert_eq!(self.stderr.matches("error: ").count(), 1, "one error: {self:#?}");
        assert!(self.stderr.contains(why), "`{why}`: {self:#?}");
        assert!(self.stderr.contains("\n hint: "), "a next step: {self:#?}");
    }
}

/// A folder with a manifest, and a home of its own in which nobody is logged in.
struct Folder {
    folder: TempDir,
    env: BTreeMap<String, String>,
}

impl Folder {
    fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("deploy.toml"), manifest).unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let env = BTreeMap::from([
            ("HOME".to_owned(), home.display().to_string()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
        ]);
        Self { folder, env }
    }

    /// With images of noise of both functions.
    fn built(architecture: &str, bytes: usize) -> Self {
        let folder = Self::new(&manifest(architecture));
        std::fs::write(folder.path().join("program"), noise(architecture, bytes)).unwrap();
        for function in ["stream", "dashboard"] {
            folder.build(function);
        }
        folder
    }

    fn build(&self, function: &str) -> String {
        self.run(&["image", "build", "--function", function, "--program", "program"]).done().stdout
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves credentials where `docker login` does.
    fn login(self, registry: &str, user: &str, password: &str) -> Self {
        use base64::Engine as _;
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let config = serde_json::json!({ "auths": { registry: { "auth": auth } } });
        self.write("home/.docker/config.json", &config.to_string());
        self
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(bins::path("infragen"));
        command.args(arguments).current_dir(self.path()).env_clear().envs(&self.env).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        run(self.command(arguments))
    }

    /// Pushes both images.
    fn push(&self, repository: &str) -> Run {
        self.run(&["image", "push", "--repository", repository])
    }

    /// What Terraform's root of the base is told; `null` where there is no such file.
    fn told(&self) -> Value {
        let path = self.path().join("generated/terraform/artifacts.auto.tfvars.json");
        std::fs::read(path).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
    }

    /// Every file below the folder that looks as if somebody had been interrupted while writing it.
    fn halves(&self) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|end| end == "tmp") {
                    found.push(path.clone());
                }
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }

    /// The image of a function: digest of its manifest, the manifest and the configuration.
    fn image(&self, function: &str) -> (String, Value, Value) {
        let folder = self.path().join("dist/images").join(function);
        let json = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
        let blob = |digest: &Value| json(&folder.join("blobs/sha256").join(&digest.as_str().unwrap()[7..]));
        let digest = json(&folder.join("index.json"))["manifests"][0]["digest"].clone();
        let manifest = blob(&digest);
        let config = blob(&manifest["config"]["digest"]);
        (digest.as_str().unwrap().to_owned(), manifest, config)
    }
}

fn run(mut command: Command) -> Run {
    let output = command.output().expect("the generator was built");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a program of others; its failure fails the test.
#[track_caller]
fn tool(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `./justw test` installs what the tests need"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
