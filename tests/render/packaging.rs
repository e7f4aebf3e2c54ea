//! `./justw render` leaves what `terraform apply` needs: what is missing, or older than its sources, is packaged. The scripts are
//! the project's own, in a folder of their own; only the compiler is a program that counts how often it is called.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use super::{Project, programs, workspace};
use crate::support::script::script;

/// A project with the project's scripts, and the sources of a program.
struct Shop(Project);

impl Shop {
    fn new(manifest: &str) -> Self {
        let project = Project::new(manifest);
        for script in ["lib.sh", "render.sh", "package.sh"] {
            project.write(
                &format!("tools/{script}"),
                &std::fs::read_to_string(workspace().join("tools").join(script)).unwrap(),
            );
        }
        for source in
            ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "tools/requirements-package.txt", "infragen/src/zip.rs"]
        {
            project.write(source, "");
        }
        for source in ["contract", "stream_core", "lambda"] {
            project.write(&format!("{source}/src/lib.rs"), "//! A program.\n");
        }
        programs::compiler(&project.path().join("tools/programs.sh"), "echo \"$*\" >>calls");
        std::fs::create_dir(project.path().join("bin")).unwrap();
        programs::cargo(&project.path().join("bin"));
        let shop = Self(project);
        for program in ["tools/render.sh", "tools/package.sh"] {
            let path = shop.0.path().join(program);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        shop
    }

    /// Runs a script; it must succeed. Returns what the compiler was asked for, a line for each call.
    fn run(&self, script: &str, arguments: &[&str]) -> Vec<String> {
        self.run_and_hear(script, arguments).0
    }

    /// The same, with what it said.
    fn run_and_hear(&self, script: &str, arguments: &[&str]) -> (Vec<String>, String) {
        let path = std::env::join_paths(
            std::iter::once(self.0.path().join("bin")).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let output = Command::new(self.0.path().join("tools").join(script))
            .args(arguments)
            .current_dir(self.0.path())
            .env("PATH", path.unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let calls = self.0.path().join("calls");
        let said = std::fs::read_to_string(&calls).unwrap_or_default();
        std::fs::remove_file(calls).ok();
        (said.lines().map(str::to_owned).collect(), String::from_utf8(output.stderr).unwrap())
    }

    fn artifacts(&self, root: &str) -> Value {
        serde_json::from_str(&self.0.read(&format!("{root}/artifacts.auto.tfvars.json"))).unwrap()
    }
}

#[test]
fn rendering_packages_what_is_missing_or_older_than_its_sources_and_nothing_else() {
    let shop = Shop::new("");
    assert_eq!(shop.run("render.sh", &["--diff"]), [""; 0]);
    assert_eq!(shop.run("render.sh", &[]), ["arm64 gnu stream dashboard"]);
    let first = shop.artifacts("generated/terraform");
    assert_eq!(first["stream_zip"]["path"], "../../dist/stream.zip");
    assert_eq!(first["dashboard_zip"]["architecture"], "arm64");
    for arguments in [&[] as &[&str], &["--check"], &["--env", "dev"], &["--force"]] {
        assert_eq!(shop.run("render.sh", arguments), [""; 0], "{arguments:?}");
    }

    shop.0.write("lambda/src/lib.rs", "//! Another program.\n");
    assert_eq!(shop.run("render.sh", &[]), ["arm64 gnu stream dashboard"]);
    shop.0.write("stream_core/src/new.rs", "");
    assert_eq!(shop.run("package.sh", &[]), ["arm64 gnu stream dashboard"]);
    // What is not a source of a program, such as the page or a document, is no reason.
    shop.0.write("lambda/README.md", "text");
    shop.0.write("frontend/index.html", "text");
    assert_eq!(shop.run("render.sh", &[]), [""; 0]);

    // An archive that somebody changed, or took away, is made anew; the other one stays.
    shop.0.write("dist/stream.zip", "something else");
    assert_eq!(shop.run("render.sh", &[]), ["arm64 gnu stream"]);
    std::fs::remove_file(shop.0.path().join("dist/dashboard.zip")).unwrap();
    assert_eq!(shop.run("render.sh", &[]), ["arm64 gnu dashboard"]);
    assert_eq!(shop.artifacts("generated/terraform"), first);

    // Where the file for Terraform is gone, what is packaged already is named again.
    std::fs::remove_file(shop.0.path().join("generated/terraform/artifacts.auto.tfvars.json")).unwrap();
    assert_eq!(shop.run("render.sh", &[]), [""; 0]);
    assert_eq!(shop.artifacts("generated/terraform"), first);
}

#[test]
fn each_environment_gets_what_it_runs() {
    let shop = Shop::new(
        "[env.prod]\n[env.intel.package]\narchitecture = \"x86_64\"\n[env.image.stream]\npackage = \"image\"\n\
         [env.there.stream]\npackage = \"image\"\n[env.there.stream.image]\n\
         uri = \"123456789012.dkr.ecr.us-east-1.amazonaws.com/sse@sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n",
    );
    let calls = shop.run("render.sh", &[]);
    assert_eq!(calls, ["arm64 gnu stream dashboard", "x86_64 gnu stream dashboard"]);
    let paths = |root: &str| {
        let value = shop.artifacts(root);
        let path = |name: &str| value[name]["path"].as_str().map(str::to_owned);
        (path("stream_zip"), path("dashboard_zip"))
    };
    let both = |folder: &str| (Some(format!("{folder}/stream.zip")), Some(format!("{folder}/dashboard.zip")));
    assert_eq!(paths("generated/terraform"), both("../../dist"));
    assert_eq!(paths("generated/prod/terraform"), both("../../../dist"));
    assert_eq!(paths("generated/intel/terraform"), both("../../../dist/x86_64"));
    for root in ["generated/image/terraform", "generated/there/terraform"] {
        assert_eq!(paths(root), (None, Some("../../../dist/dashboard.zip".to_owned())), "{root}");
    }
    let said = shop.0.run(&["query", "artifacts"]).done().stdout;
    assert!(said.contains("generated/image/terraform stream image arm64\n"), "{said}");
    assert!(!said.contains("generated/there/terraform stream"), "an image that is there is not built: {said}");
}

#[test]
fn images_are_pushed_once_there_is_a_repository() {
    let shop = Shop::new("[stream]\npackage = \"image\"\n[dashboard]\npackage = \"image\"\n");
    let (calls, said) = shop.run_and_hear("render.sh", &[]);
    assert_eq!(calls, [""; 0]);
    assert!(said.contains("run ./justw bootstrap, and then ./justw image"), "{said}");
    assert!(!shop.0.path().join("dist").exists(), "no archive is packaged");
    // What builds and pushes has tests of its own.
    script(&shop.0.path().join("tools/image.sh"), "echo image >>calls");
    shop.0.write("generated/bootstrap/terraform.tfstate", "{}");
    assert_eq!(shop.run("render.sh", &[]), ["image"]);
    assert_eq!(shop.run("render.sh", &["--check"]), [""; 0]);
}
