//! Running Terraform on rendered roots: never a network, never an account, one `init` for all.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Condvar, Mutex, PoisonError};

use super::moto::{self, Moto};
use super::remembered::{Said, remembered};
use super::{Project, fixture_names, workspace};
use crate::support::shared::Shared;

/// What one `init` leaves behind; every root with the same providers and the same modules takes it over.
pub(super) struct Init {
    data: PathBuf,
    lock: PathBuf,
    /// Versions of Terraform and of the provider.
    programs: String,
    /// Held for the life of the process: two test runs at once must not write into each other's folder.
    _guard: std::fs::File,
}

impl Init {
    /// Runs it in one root, which says for which modules it is.
    pub(super) fn new(name: &str, project: &Project, root: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let guard = std::fs::File::create(folder.join("guard")).unwrap();
        guard.lock().unwrap();
        let (data, lock) = (folder.join("data"), folder.join(".terraform.lock.hcl"));
        let root = project.path().join(root);
        let output = run(&root, &data, &["init", "-backend=false", "-input=false", "-no-color"]);
        assert!(output.status.success(), "{}", text(&output));
        std::fs::copy(root.join(".terraform.lock.hcl"), &lock).unwrap();
        let programs = text(&run(&root, &data, &["version"]));
        Self { data, lock, programs, _guard: guard }
    }
}

/// Of everything that is rendered.
static INIT: Shared<Init> =
    Shared::new("`terraform init`", || Init::new("terraform", &Project::rendered("default"), "generated/terraform"));

/// Terraforms that run. Each is a provider of half a gigabyte that computes or waits for what it made, so there are two more than
/// processors; other tests mostly wait, and there are more of those at once.
static RUNNING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// One of the runs that there may be at once.
struct Turn;

impl Turn {
    fn wait() -> Self {
        let most = std::thread::available_parallelism().map_or(1, NonZero::get) + 2;
        let running = RUNNING.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = RUNNING.1.wait_while(running, |running| *running >= most);
        *running.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        RUNNING.1.notify_one();
    }
}

/// Terraform for the tests: see there.
pub(super) const TERRAFORM: &str = env!("CARGO_BIN_EXE_terraform-attached");

fn run(root: &Path, data: &Path, arguments: &[&str]) -> Output {
    run_at(root, data, arguments, None)
}

fn run_at(root: &Path, data: &Path, arguments: &[&str], aws: Option<&str>) -> Output {
    let _turn = Turn::wait();
    Command::new(TERRAFORM)
        .args(arguments)
        .current_dir(root)
        .env("TF_DATA_DIR", data)
        .env("TF_IN_AUTOMATION", "1")
        .env("CHECKPOINT_DISABLE", "1")
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .envs(aws.map(|url| ("AWS_ENDPOINT_URL", url)))
        .output()
        .unwrap_or_else(|_| panic!("terraform is not on PATH: run `./justw it`, which sets it up"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The file of a plan: what it says is in no other, and it is another one each time.
const PLAN: &str = "plan.bin";

/// Whether the provider that is here can run what is rendered from a fixture: some want a newer one.
pub(super) fn runnable(fixture: &str) -> bool {
    let constraint = Project::fixture(fixture).run(&["query", "terraform.aws_provider"]).done().stdout;
    constraint.starts_with(">= 5.")
}

/// One rendered root in a folder of its own.
pub(super) struct Root<'p> {
    project: &'p Project,
    path: PathBuf,
    init: &'static Init,
    /// Where AWS is, for what asks it anything.
    aws: Option<String>,
}

/// The state's bucket is in no account in memory: the same root with its state beside it, and the text that says where it was.
pub(super) fn with_local_state(project: &Project, root: &str) -> String {
    let path = format!("{root}/versions.tf");
    let text = project.read(&path);
    let (before, rest) = text.split_once("\n\n  # The lock is a file").expect("the state is in a bucket");
    project.write(&path, &format!("{before}\n}}\n"));
    rest.to_owned()
}

impl<'p> Root<'p> {
    pub(super) fn new(project: &'p Project, path: &str) -> Self {
        Self::of(project, path, &INIT)
    }

    /// A root with modules of its own.
    pub(super) fn of(project: &'p Project, path: &str, init: &'static Init) -> Self {
        let path = project.path().join(path);
        std::fs::copy(&init.lock, path.join(".terraform.lock.hcl")).unwrap();
        Self { project, path, init, aws: None }
    }

    /// Runs Terraform; returns whether it succeeded, and everything it said.
    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        let output = run_at(&self.path, &self.init.data, arguments, self.aws.as_deref());
        (output.status.success(), text(&output))
    }

    /// Runs a command that changes or reads infrastructure; returns everything it said, and fails the
    /// test with that unless it is done.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        let (command, more) = arguments.split_first().expect("a command");
        let (is_done, said) = self.run(&[&[command, "-no-color", "-input=false", "-lock=false"], more].concat());
        assert!(is_done, "terraform {} in {}:\n{said}", arguments.join(" "), self.path.display());
        said
    }

    /// Has its provider ask an AWS in memory.
    pub(super) fn in_memory(mut self, moto: &Moto) -> Self {
        self.aws = Some(moto.url());
        self.with_override(moto::PROVIDER)
    }

    /// Merges text over the rendered files, as Terraform does with files of such a name.
    pub(super) fn with_override(self, text: &str) -> Self {
        std::fs::write(self.path.join("zz_override.tf"), text).unwrap();
        self
    }

    pub(super) fn validate(&self) {
        let (is_valid, said) = self.run(&["validate", "-no-color"]);
        assert!(is_valid, "{}: {said}", self.path.display());
        assert!(!said.contains("Warning"), "{}: {said}", self.path.display());
    }

    /// The same, where what it says follows from the files alone: what was said of them before is not asked for again.
    pub(super) fn run_pure(&self, arguments: &[&str]) -> Said {
        self.remember(arguments, || self.run(arguments))
    }

    fn remember(&self, arguments: &[&str], ask: impl FnOnce() -> Said) -> Said {
        let mut files = self.project.files();
        files.retain(|(name, _)| !name.ends_with(PLAN));
        let place = self.path.strip_prefix(self.project.path()).unwrap().to_str().unwrap();
        remembered(&self.init.programs, &files, &[&[place], arguments].concat(), ask)
    }

    /// Plans without asking AWS anything.
    pub(super) fn plan(&self, more: &[&str]) -> Said {
        self.remember(&[&["plan"], more].concat(), || self.plan_now(more))
    }

    fn plan_now(&self, more: &[&str]) -> Said {
        let skip = "provider \"aws\" {\n  skip_credentials_validation = true\n  skip_requesting_account_id = true\n  \
                    skip_metadata_api_check = true\n}\n";
        std::fs::write(self.path.join("zz_override.tf"), skip).unwrap();
        let always = ["plan", "-no-color", "-input=false", "-refresh=false", "-lock=false", "-out", PLAN];
        self.run(&[&always[..], more].concat())
    }

    /// Plans and returns what is planned, as Terraform prints it for programs.
    pub(super) fn planned(&self, more: &[&str]) -> serde_json::Value {
        let shown = self.remember(&[&["planned"], more].concat(), || {
            let (is_planned, said) = self.plan_now(more);
            assert!(is_planned, "{}: {said}", self.path.display());
            assert!(!said.contains("Warning"), "{}: {said}", self.path.display());
            let output = run(&self.path, &self.init.data, &["show", "-json", PLAN]);
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        });
        serde_json::from_str(&shown.1).unwrap()
    }

    /// Writes the references of artifacts where `./justw package` does.
    pub(super) fn with_artifacts(self, artifacts: &serde_json::Value) -> Self {
        std::fs::write(self.path.join("artifacts.auto.tfvars.json"), artifacts.to_string()).unwrap();
        self
    }
}

/// The other roots have tests of their own, which begin with the same checks: see `terraform_tests`.
#[test]
fn every_bootstrap_root_is_valid() {
    let project = Project::rendered("images");
    Root::new(&project, "generated/bootstrap").validate();
    let project = Project::rendered("environments");
    Root::new(&project, "generated/prod/bootstrap").validate();
}

#[test]
fn every_rendering_is_formatted() {
    let nowhere = tempfile::tempdir().unwrap();
    let format = |folder: &Path| {
        let output = run(folder, nowhere.path(), &["fmt", "-check", "-recursive", "-diff", "-no-color", "generated"]);
        assert!(output.status.success() && output.stdout.is_empty(), "{}", text(&output));
    };
    format(&workspace());
    for name in fixture_names("valid") {
        let project = Project::rendered(&name);
        format(project.path());
    }
}
