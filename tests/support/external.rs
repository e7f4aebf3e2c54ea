//! Other people's decoders in other languages, fed with our bytes in random pieces.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::bins::workspace;
use super::sse::random_pieces;

/// An event as every decoder reports it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Decoded {
    /// The type, `message` by default.
    pub event: String,
    /// The data.
    pub data: String,
}

/// Decodes each stream with Python's `httpx-sse`.
pub(crate) fn httpx_sse(streams: &[Vec<u8>]) -> Vec<Vec<Decoded>> {
    run(Command::new(python()).arg(script("httpx_sse_events.py")), streams)
}

/// Decodes each stream with Node's `eventsource-parser`.
pub(crate) fn eventsource_parser(streams: &[Vec<u8>]) -> Vec<Vec<Decoded>> {
    let modules = tool("TOOLS_NODE_MODULES", ".tools/node/node_modules");
    // Node resolves packages from the folder above `node_modules`.
    run(Command::new("node").arg(script("eventsource_parser_events.cjs")).arg(modules), streams)
}

/// Reads text for Prometheus with the parser of its Python client: help, type and samples of each family.
pub(crate) fn prometheus(text: &str) -> serde_json::Value {
    let out = piped(Command::new(python()).arg(script("prometheus_families.py")), text.as_bytes());
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("support/decoders").join(name)
}

/// The Python of the tests, which has what they run in it.
pub(crate) fn python() -> PathBuf {
    tool("TOOLS_PYTHON", ".tools/venv/bin/python")
}

/// Something that `./justw test` installs and names in a variable.
pub(crate) fn tool(variable: &str, otherwise: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| workspace().join(otherwise), PathBuf::from);
    assert!(path.exists(), "{} is not there; `./justw test` installs it", path.display());
    path
}

fn run(command: &mut Command, streams: &[Vec<u8>]) -> Vec<Vec<Decoded>> {
    let pieces = |bytes: &Vec<u8>| random_pieces(bytes).iter().map(|piece| STANDARD.encode(piece)).collect::<Vec<_>>();
    let input = serde_json::to_vec(&streams.iter().map(pieces).collect::<Vec<_>>()).expect("strings are JSON");
    let out = piped(command, &input);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// Runs a program on some input; its failure fails the test.
fn piped(command: &mut Command, input: &[u8]) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().expect("stdin was asked for").write_all(input).expect("the program reads all of its input");
    let (mut out, mut error) = (String::new(), String::new());
    std::io::Read::read_to_string(&mut child.stdout.take().expect("asked for"), &mut out).expect("UTF-8");
    std::io::Read::read_to_string(&mut child.stderr.take().expect("asked for"), &mut error).expect("UTF-8");
    assert!(child.wait().expect("it was started").success(), "{error}");
    out
}

#[cfg(test)]
mod tests {
    use super::super::decoder::{decode, events};
    use super::super::sse::agree;
    use super::*;

    #[tokio::test]
    async fn four_decoders_agree_on_ordinary_and_on_hostile_streams() {
        let streams: Vec<Vec<u8>> = [
            "retry: 3000\n\nevent: heartbeat\nid: evt_1\ndata: {\"a\":1}\n\n",
            "event: a\r\ndata: x\r\ndata: y\r\n\r\nevent: b\ndata: \u{2028}\u{85} z\n\n",
            ": comment\n\nid: 7\nevent: ü\ndata: 漢字 😀\n\ndata:no space\n\n",
            "event: metrics\nid: evt_2\ndata: {\"source\":\"line\\nfeed\\u000b\"}\n\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .into();
        let (python, node) = (httpx_sse(&streams), eventsource_parser(&streams));
        for (index, stream) in streams.iter().enumerate() {
            agree(stream).await;
            let ours = events(&decode(stream)).into_iter().map(|one| Decoded { event: one.name, data: one.data });
            let ours: Vec<Decoded> = ours.collect();
            assert_eq!(node[index], ours);
            assert_eq!(python[index], ours);
        }
    }
}
