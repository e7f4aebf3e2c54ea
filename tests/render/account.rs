//! A project, an AWS in memory that it is deployed to by the real Terraform and the real AWS command line, and both functions as
//! a server on this machine behind the addresses that the manifest names.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::apply::{ZIP, ZIP_SHA256};
use super::moto::{self, Moto};
use super::{Project, Run, bins, programs};
use crate::support::local::Local;
use crate::support::nursery;
use crate::support::script::script;

/// The root of the base.
pub(super) const ROOT: &str = "generated/terraform";

/// A project, the account that it goes to, and the programs that are on the PATH.
pub(super) struct Account {
    pub(super) project: Project,
    pub(super) moto: Moto,
    pub(super) programs: TempDir,
}

impl Account {
    /// A project whose functions are packaged.
    pub(super) fn new(manifest: &str) -> Self {
        let account =
            Self { project: Project::new(manifest), moto: Moto::start(), programs: tempfile::tempdir().unwrap() };
        let zip = json!({ "path": "../../dist/function.zip", "sha256": ZIP_SHA256, "architecture": "arm64" });
        account.project.write_bytes("dist/function.zip", ZIP);
        let artifacts = json!({ "stream_zip": zip, "dashboard_zip": zip });
        account.project.write(&format!("{ROOT}/artifacts.auto.tfvars.json"), &artifacts.to_string());
        account.project.write(&format!("{ROOT}/zz_override.tf"), moto::PROVIDER);
        programs::terraform(account.programs.path());
        nursery::aws(account.programs.path());
        account
    }

    pub(super) fn program(&self, name: &str, text: &str) {
        script(&self.programs.path().join(name), text);
    }

    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = std::env::join_paths(
            std::iter::once(self.programs.path().to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.project.path()).env("PATH", path.unwrap());
        command.env("AWS_ENDPOINT_URL", self.moto.url()).env("AWS_DEFAULT_REGION", "us-east-1");
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Runs the generator and types something.
    pub(super) fn typed(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(&bins::path("infragen").display().to_string(), arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may ask for nothing.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        self.typed(arguments, "")
    }

    pub(super) fn aws(&self, arguments: &[&str]) -> Value {
        let output = self.command("aws", arguments).args(["--output", "json"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    pub(super) fn live(&self) -> Vec<String> {
        let version = |role: &str| {
            let name = format!("sse-streaming-dev-{role}");
            self.aws(&["lambda", "get-alias", "--function-name", &name, "--name", "live"])["FunctionVersion"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        ["stream", "dashboard"].map(version).into()
    }
}

/// A manifest whose viewers find both functions at these addresses.
pub(super) fn manifest(local: &Local, memory: &str) -> String {
    format!(
        "[stream]\nmemory = \"{memory}\"\n[page]\nsse_base_url = \"http://{}\"\napi_base_url = \"http://{}\"\n",
        local.stream, local.dashboard
    )
}
