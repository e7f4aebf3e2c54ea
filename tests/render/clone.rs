//! The plain way, letter by letter: a clone of this repository, `just render`, `terraform init`, `terraform apply`. AWS is in memory,
//! and the compiler a program that is quick; everything else is what the clone has.

use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::moto::{self, Moto};
use super::{bins, programs, workspace};

/// What a clone of the next commit has.
fn cloned() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lines = "git ls-files -co --exclude-standard -z | xargs -0 sh -c 'for file; do [ ! -f \"$file\" ] || printf \"%s\\0\" \"$file\"; done' sh | \
                 xargs -0 cp --parents -P -t \"$0\"";
    let status = Command::new("sh").args(["-c", lines]).arg(folder.path()).current_dir(workspace()).status().unwrap();
    assert!(status.success());
    // Set up before, as a second clone on a machine would be.
    std::os::unix::fs::symlink(workspace().join(".tools"), folder.path().join(".tools")).unwrap();
    folder
}

#[test]
fn a_clean_clone_is_rendered_and_applied_by_what_the_readme_says() {
    let (clone, moto) = (cloned(), Moto::start());
    let path = |name: &str| clone.path().join(name);
    assert!(!path("dist").exists() && !path("generated/terraform/artifacts.auto.tfvars.json").exists());
    std::fs::write(path("generated/terraform/zz_override.tf"), moto::PROVIDER).unwrap();
    programs::compiler(&path("tools/programs.sh"), "");
    let on_path = tempfile::tempdir().unwrap();
    programs::terraform(on_path.path());
    programs::cargo(on_path.path());
    let shell = |line: &str| {
        let own = format!("{}:{}", on_path.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-ec", line]).current_dir(clone.path()).env("PATH", own).stdin(Stdio::null());
        command.env("AWS_ENDPOINT_URL", moto.url());
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{line}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    // On a machine that reaches Terraform's registry this line is not needed.
    let configured = "line=$(tools/terraform-config.sh --unless-configured); [ -z \"$line\" ] || export \"${line?}\"";
    let said = shell(&format!(
        "{configured}; ./justw render && terraform -chdir=generated/terraform init && echo yes | terraform -chdir=generated/terraform apply"
    ));
    assert!(said.contains("Apply complete! Resources: 31 added, 0 changed, 0 destroyed."), "{said}");
    assert!(path("dist/stream.zip").is_file() && path("dist/dashboard.zip").is_file());
    let functions = json!(["sse-streaming-dev-dashboard", "sse-streaming-dev-stream"]);
    assert_eq!(moto.inventory()["lambda.Functions"], functions);
    // Nothing is left to do, and nothing that is committed has changed.
    shell(&format!("{configured}; ./justw render && terraform -chdir=generated/terraform plan -detailed-exitcode"));
    shell(&format!("'{}' render --check", bins::path("infragen").display()));
    for name in ["deploy.toml", "generated/terraform/stream.tf", "frontend/config.js"] {
        assert_eq!(std::fs::read(path(name)).unwrap(), std::fs::read(workspace().join(name)).unwrap(), "{name}");
    }
}
