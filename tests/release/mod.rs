//! What a release consists of, made by the project's own script of programs that are not optimised builds but files of text: the bills
//! of materials, the licences and the checksums are those of the real crates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::bins;
use crate::support::external::{python, tool};
use crate::support::script::script;
use crate::support::shared::Shared;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A commit's time, in seconds.
const EPOCH: &str = "1764671400";

/// Made once: cargo is asked for the crates of each program, several times.
static RELEASE: Shared<Release> = Shared::new("a release", Release::new);

/// A release in a folder of its own.
struct Release(TempDir);

impl Release {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs.sh");
        // Headers of both processors: what is packed must be a program.
        for architecture in ["arm64", "x86_64"] {
            std::fs::write(folder.path().join(format!("{architecture}.elf")), crate::image::noise(architecture, 128))
                .unwrap();
        }
        let lines = "file=${0%/*}/$1/$3\nmkdir -p \"${file%/*}\"\n\
                     case $3 in infragen) ;; *) cat \"${0%/*}/$1.elf\" ;; esac >\"$file\"\necho \"$*\" >>\"$file\"\necho \"$file\"";
        script(&programs, lines);
        let output = Command::new(bins::workspace().join("tools/release.sh"))
            .envs([("PROGRAMS", &programs), ("RELEASE_DIR", &folder.path().join("release"))])
            .env("SOURCE_DATE_EPOCH", EPOCH)
            .env("INFRAGEN", bins::path("infragen"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(folder)
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("release")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Program, package, target, and the bill of materials of each that is shipped.
    fn bills(&self) -> Vec<(String, String, String, Value)> {
        let bills = list().into_iter().filter_map(|(file, of)| {
            let [program, package, target] = <[String; 3]>::try_from(of).ok()?;
            Some((program, package, target, serde_json::from_str(&self.read(&file)).unwrap()))
        });
        bills.collect()
    }
}

/// What a release consists of, as the script says it: each file, and of a bill of materials the program, its package and its target.
fn list() -> Vec<(String, Vec<String>)> {
    let output = Command::new(bins::workspace().join("tools/release.sh")).arg("--list").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        (words.next().unwrap(), words.collect())
    };
    text.lines().map(line).collect()
}

/// Names and versions of the crates that cargo builds for a package.
fn crates(package: &str, target: &str, edges: &str) -> BTreeSet<(String, String)> {
    let arguments =
        ["tree", "--locked", "--prefix", "none", "-f", "{p}", "-p", package, "--target", target, "-e", edges];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(bins::workspace()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let word = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    text.lines().filter_map(word).collect()
}

fn changelog() -> String {
    std::fs::read_to_string(bins::workspace().join("CHANGELOG.md")).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

#[test]
fn the_newest_heading_of_the_changelog_is_this_version() {
    let changelog = changelog();
    let heading = changelog.lines().find_map(|line| line.strip_prefix("## ")).expect("there is a heading");
    let (version, when) = heading.split_once(" – ").expect("a heading is a version and when it was released");
    assert_eq!(version, VERSION);
    let is_date = when.len() == 10 && when.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    assert!(when == "unreleased" || is_date, "{heading}");
}

#[test]
fn a_tag_is_that_of_the_version_and_of_a_day() {
    for (tag, expected) in [
        ("v9.9.9", format!("the tag is \"v9.9.9\" and Cargo.toml says version {VERSION}: it must be v{VERSION}")),
        (&format!("v{VERSION}"), format!("CHANGELOG.md says \"{VERSION} – unreleased\": write the day")),
    ] {
        let output = Command::new(bins::workspace().join("tools/release.sh"))
            .arg(tag)
            .env("PROGRAMS", "/bin/false")
            .env("RELEASE_DIR", tempfile::tempdir().unwrap().path().join("release"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // Once the log says the day, the tag is good and what makes the programs is asked.
        let is_released = !changelog().contains(&format!("## {VERSION} – unreleased\n"));
        assert!(!output.status.success() && (said.contains(&expected) || (is_released && tag != "v9.9.9")), "{said}");
    }
}

#[test]
fn a_release_has_programs_zips_and_checksums_and_the_same_bytes_twice() {
    let (other, one) = (&*RELEASE, Release::new());
    let mut expected: Vec<String> = list().into_iter().map(|(file, _)| file).collect();
    expected.sort();
    // Three programs for two processors, a bill of each; the licences and the checksums.
    assert_eq!(expected.len(), 2 * 3 * 2 + 2);
    let page = std::fs::read_to_string(bins::workspace().join("docs/release.md")).unwrap();
    for name in expected.iter().filter(|name| !name.ends_with(".cdx.json") && !name.ends_with("x86_64.zip")) {
        assert!(page.contains(&format!("`{name}`")), "docs/release.md does not name {name}");
    }
    assert_eq!(one.names(), expected);
    for name in &expected {
        let bytes = |release: &Release| std::fs::read(release.folder().join(name)).unwrap();
        assert!(bytes(&one) == bytes(other), "{name} differs");
    }

    let check = || Command::new("sha256sum").args(["-c", "--strict", "SHA256SUMS"]).current_dir(one.folder()).output();
    let output = check().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), expected.len() - 1, "all but itself");
    let program = one.folder().join(format!("infragen-{VERSION}-linux-arm64"));
    assert_eq!(std::fs::read_to_string(&program).unwrap(), "arm64 musl infragen\n");
    std::fs::write(program, "another").unwrap();
    assert!(!check().unwrap().status.success());
}

#[test]
fn every_bill_of_materials_is_valid_and_names_what_cargo_builds() {
    let release = &*RELEASE;
    validated(release);
    let lock = std::fs::read_to_string(bins::workspace().join("Cargo.lock")).unwrap();
    for (program, package, target, bill) in release.bills() {
        let own = &bill["metadata"]["component"];
        assert_eq!((&own["name"], &own["version"]), (&json!(program), &json!(VERSION)));
        assert_eq!(bill["metadata"]["timestamp"], "2025-12-02T10:30:00Z");
        let components = bill["components"].as_array().unwrap();
        let named = |is_wanted: &dyn Fn(&Value) -> bool| -> BTreeSet<(String, String)> {
            let wanted = components.iter().filter(|component| is_wanted(component));
            wanted.map(|component| (text(&component["name"]), text(&component["version"]))).collect()
        };
        let itself = (package.clone(), VERSION.to_owned());
        let without = |mut crates: BTreeSet<(String, String)>| {
            assert!(crates.remove(&itself), "{program}");
            crates
        };
        assert_eq!(named(&|_| true), without(crates(&package, &target, "normal,build")), "{program} for {target}");
        let linked = without(crates(&package, &target, "normal,no-proc-macro"));
        assert_eq!(named(&|component| component["scope"] == "required"), linked, "{program} for {target}");
        for component in components {
            let name = text(&component["name"]);
            assert!(!text(&component["licenses"][0]["expression"]).is_empty(), "{name}");
            // Crates of the workspace are of no registry.
            let hash = component["hashes"][0]["content"].as_str();
            let is_ours =
                bins::workspace().join(&name).is_dir() || bins::workspace().join("tests").join(&name).is_dir();
            assert_eq!(hash.is_some(), !is_ours, "{name}");
            assert!(hash.is_none_or(|hash| lock.contains(&format!("checksum = \"{hash}\""))), "{name}");
        }
        let refs = |list: &Value, key: &str| -> BTreeSet<String> {
            list.as_array().unwrap().iter().map(|one| text(&one[key])).collect()
        };
        let known: BTreeSet<String> = &refs(&bill["components"], "bom-ref") | &BTreeSet::from([text(&own["bom-ref"])]);
        assert_eq!(refs(&bill["dependencies"], "ref"), known);
    }
}

/// Fails where CycloneDX's schema has something to say; and where it has not of a bill that is wrong.
fn validated(release: &Release) {
    let files: Vec<String> = release.names().into_iter().filter(|name| name.ends_with(".cdx.json")).collect();
    assert_eq!(files.len(), 6);
    let validate = |files: &[String]| {
        let schemas = tool("TOOLS_CYCLONEDX", ".tools/cyclonedx").join("cyclonedx/schema/_res");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("release/validate.py");
        let mut command = Command::new(python());
        let output = command.arg(script).arg(schemas).args(files).current_dir(release.folder()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(validate(&files), "");
    let wrong = release.read(&files[0]).replace("\"type\": \"library\"", "\"type\": \"libary\"");
    std::fs::write(release.0.path().join("wrong.json"), wrong).unwrap();
    assert!(validate(&["../wrong.json".to_owned()]).contains("'libary' is not one of"));
}

#[test]
fn the_licences_name_every_crate_of_every_program_and_hold_their_texts() {
    let release = &*RELEASE;
    let licences = release.read(&format!("LICENSES-{VERSION}.txt"));
    let (list, texts) = licences.split_once("\n\n").unwrap();
    let listed: BTreeSet<(String, String)> = list
        .lines()
        .map(|line| {
            let (named, licence) = line.split_once("  ").expect("a licence");
            assert!(!licence.is_empty() && !licence.contains("None"), "{line}");
            let (name, version) = named.split_once(' ').expect("a version");
            (name.to_owned(), version.to_owned())
        })
        .collect();
    let mut expected = BTreeSet::new();
    for (_, package, target, _) in release.bills() {
        expected.extend(crates(&package, &target, "normal,no-proc-macro"));
    }
    assert_eq!(listed, expected);
    for words in ["Permission is hereby granted, free of charge", "TERMS AND CONDITIONS FOR USE, REPRODUCTION", "musl"]
    {
        assert!(texts.contains(words), "{words}");
    }
}

/// Runs the script that measures what is deployed, with programs of so many bytes of noise; returns its code, what it said, and what it noted.
fn measured(bytes: usize) -> (Option<i32>, String, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    for architecture in ["arm64", "x86_64"] {
        let programs = folder.path().join(architecture);
        std::fs::create_dir(&programs).unwrap();
        for function in ["stream", "dashboard"] {
            std::fs::write(programs.join(function), crate::image::noise(architecture, bytes)).unwrap();
        }
    }
    let programs = folder.path().join("programs.sh");
    script(&programs, "for name in \"$3\" \"$4\"; do echo \"${0%/*}/$1/$name\"; done");
    let results = folder.path().join("results/sizes.jsonl");
    let output = Command::new(bins::workspace().join("tools/sizes.sh"))
        .envs([("PROGRAMS", &programs), ("RESULTS", &results), ("INFRAGEN", &bins::path("infragen"))])
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let noted = std::fs::read_to_string(results).unwrap_or_default();
    (output.status.code(), said, noted.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn what_is_deployed_is_measured_printed_and_held_to_its_limits() {
    let (code, said, noted) = measured(3_000_000);
    assert_eq!((code, noted.len()), (Some(0), 8), "{said}");
    for note in &noted {
        // Noise does not compress; an image has certificates beside it.
        let (bytes, most) = (note["bytes"].as_u64().unwrap(), note["bytes_max"].as_u64().unwrap());
        assert!((3_000_000..3_300_000).contains(&bytes) && (most == 4_000_000 || most == 8_000_000), "{note}");
        let line =
            format!("{}, {}: {bytes} bytes, at most {most}", text(&note["artifact"]), text(&note["architecture"]));
        assert!(said.contains(&line), "{line}: {said}");
    }
    let (code, said, noted) = measured(4_100_000);
    assert_eq!((code, noted.len()), (Some(1), 8), "{said}");
    for line in ["stream.zip for arm64 has", "dashboard.zip for x86_64 has", "error: these are over their limits"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("image of stream for"), "{said}");
}

#[test]
fn what_was_measured_last_is_within_its_limits() {
    let path = bins::workspace().join("bench/results/sizes.jsonl");
    let lines = std::fs::read_to_string(path).expect("tools/sizes.sh writes it");
    let limits = std::fs::read_to_string(bins::workspace().join("tools/lib.sh")).unwrap();
    let mut last = std::collections::BTreeMap::new();
    for line in lines.lines() {
        let note: Value = serde_json::from_str(line).unwrap();
        last.insert((text(&note["artifact"]), text(&note["architecture"])), note);
    }
    for (artifact, limit) in [("stream.zip", "zip_bytes_max"), ("dashboard.zip", "zip_bytes_max")] {
        for architecture in ["arm64", "x86_64"] {
            let note = last
                .get(&(artifact.to_owned(), architecture.to_owned()))
                .unwrap_or_else(|| panic!("{artifact} for {architecture}"));
            assert!(limits.contains(&format!("\n{limit}={}\n", note["bytes_max"])), "{note}");
            assert!(note["bytes"].as_u64() <= note["bytes_max"].as_u64(), "{note}");
        }
    }
}
