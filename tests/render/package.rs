//! `infragen package` from the outside: archives as another reader of the format sees them, whom Terraform is told of, and what is refused.

use std::process::Command;

use serde_json::{Value, json};

use super::Project;
use crate::image::noise;
use crate::support::external::python;

/// What Python's reader finds in an archive: names, permissions, times, and whether all sums are right.
fn seen(project: &Project, archive: &str) -> Value {
    let lines = "import json, sys, zipfile\narchive = zipfile.ZipFile(sys.argv[1])\n\
                 print(json.dumps([[i.filename, i.external_attr >> 16, list(i.date_time), i.file_size] for i in archive.infolist()] + [archive.testzip()]))";
    let mut command = Command::new(python());
    let output = command.args(["-c", lines, archive]).current_dir(project.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn artifacts(project: &Project, root: &str) -> Value {
    let path = project.path().join(root).join("artifacts.auto.tfvars.json");
    std::fs::read(path).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
}

const ROOTS: [&str; 4] =
    ["generated/terraform", "generated/prod/terraform", "generated/intel/terraform", "generated/image/terraform"];

/// A project with environments of either processor and package.
fn project() -> Project {
    let project = Project::new(
        "[env.prod]\n[env.intel.package]\narchitecture = \"x86_64\"\n[env.image.stream]\npackage = \"image\"\n",
    );
    project.write_bytes("arm", &noise("arm64", 5000));
    project.write_bytes("intel", &noise("x86_64", 5000));
    project
}

#[test]
fn a_program_is_packed_and_the_environments_of_its_processor_are_told() {
    let project = project();
    let run = project.run(&["package", "--function", "stream", "--program", "arm"]).done();
    let words = run.stdout.split_whitespace().collect::<Vec<_>>();
    assert_eq!(
        (words[0].ends_with("dist/stream.zip"), &words[2..]),
        (true, &["bytes,", "program", "unpacked", "5000"][..])
    );
    let expected = json!([["bootstrap", 0o100_755, [1980, 1, 1, 0, 0, 0], 5000], null]);
    assert_eq!(seen(&project, "dist/stream.zip"), expected);
    let first = artifacts(&project, ROOTS[0]);
    assert_eq!(first["stream_zip"]["path"], "../../dist/stream.zip");
    assert_eq!(first["stream_zip"]["architecture"], "arm64");
    let prod = artifacts(&project, ROOTS[1]);
    assert_eq!(prod["stream_zip"]["path"], "../../../dist/stream.zip");
    assert_eq!(prod["stream_zip"]["sha256"], first["stream_zip"]["sha256"]);
    assert_eq!([&artifacts(&project, ROOTS[2]), &artifacts(&project, ROOTS[3])], [&Value::Null; 2]);

    // The other processor has a folder of its own, and what was told before stays.
    project.run(&["package", "--function", "stream", "--program", "intel"]).done();
    project.run(&["package", "--function", "dashboard", "--program", "arm"]).done();
    assert_eq!(artifacts(&project, ROOTS[2])["stream_zip"]["path"], "../../../dist/x86_64/stream.zip");
    assert_eq!(artifacts(&project, ROOTS[0])["stream_zip"], first["stream_zip"]);
    assert_eq!(artifacts(&project, ROOTS[3])["dashboard_zip"]["architecture"], "arm64");

    // The same program is the same archive, elsewhere too; then nobody is told.
    let before = std::fs::read(project.path().join("dist/stream.zip")).unwrap();
    project.run(&["package", "--function", "stream", "--program", "arm", "--to-zip", "out/x.zip"]).done();
    assert_eq!(std::fs::read(project.path().join("out/x.zip")).unwrap(), before);
    let told = project.run(&["--env", "prod", "package", "--function", "stream", "--zip", "out/x.zip"]).done();
    assert_eq!(told.stdout, "");
    assert_eq!(artifacts(&project, ROOTS[1])["stream_zip"]["path"], "../../../out/x.zip");
    assert_eq!(artifacts(&project, ROOTS[0])["stream_zip"]["path"], "../../dist/stream.zip");
}

#[test]
fn a_program_that_no_environment_runs_is_packed_and_that_is_said() {
    let project = Project::new("");
    project.write_bytes("intel", &noise("x86_64", 200));
    let run = project.run(&["package", "--function", "stream", "--program", "intel"]).done();
    assert!(run.stderr.contains("Terraform is not told: no environment runs stream as a zip on x86_64"), "{run:?}");
    assert!(project.path().join("dist/x86_64/stream.zip").is_file());
    assert_eq!(artifacts(&project, ROOTS[0]), Value::Null);
}

#[test]
fn what_is_no_program_or_archive_is_refused_and_nothing_is_written() {
    let project = project();
    project.write("text", "#!/bin/sh\n");
    let mut riscv = noise("arm64", 200);
    riscv[18] = 0xf3;
    project.write_bytes("riscv", &riscv);
    project.run(&["package", "--function", "stream", "--program", "intel", "--to-zip", "intel.zip"]).done();
    let of = |arguments: &[&str]| project.run(&[&["package", "--function", "stream"], arguments].concat());
    for (arguments, code, said) in [
        (&["--program", "none"] as &[&str], 1, "`none` cannot be read: No such file"),
        (&["--program", "text"], 1, "the program is no program for Linux (64-bit ELF)"),
        (
            &["--program", "riscv"],
            1,
            "is for processor 243 of the ELF format, and Lambda has arm64 (183) and x86_64 (62)",
        ),
        (&["--zip", "text"], 1, "`text`: it is no zip archive that can be read"),
        (
            &["--zip", "intel.zip", "--env", "prod"],
            1,
            "`intel.zip` is for x86_64, and `package.architecture` is `arm64`",
        ),
        (&["--zip", "intel.zip", "--program", "arm"], 2, "cannot be used with"),
        (&[], 2, "required"),
        (&["--zip", "intel.zip", "--env", "none"], 1, "none"),
    ] {
        let run = of(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(said), "{arguments:?}: {run:?}");
    }
    project.write("generated/terraform/artifacts.auto.tfvars.json", "[]");
    let run = of(&["--program", "arm"]);
    assert!(run.code == 1 && run.stderr.contains("is no object of JSON, as Terraform reads it"), "{run:?}");
    assert!(!project.path().join("dist").exists(), "nothing is packed that nobody can be told of");
    let stdin = project.run(&["--manifest", "-", "package", "--function", "stream", "--program", "arm"]);
    assert!(stdin.code == 2 && stdin.stderr.contains("`package` works in the manifest's folder"), "{stdin:?}");
}
