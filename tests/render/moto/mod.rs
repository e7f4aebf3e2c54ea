//! An AWS in memory that Terraform can apply to: one server for each test, on loopback, gone when the test is.

use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::external::tool;

/// Lines of its log that a failed test shows.
const LOG_LINES_MAX: usize = 60;

/// Terraform that has a root's provider ask such a server, which its `AWS_ENDPOINT_URL` names; a file `*_override.tf` is merged over what is
/// rendered. The provider's own block `endpoints` would cost three seconds of a processor each time that it is configured.
pub(super) const PROVIDER: &str = "provider \"aws\" {\n  skip_credentials_validation = true\n  skip_metadata_api_check = true\n  \
                                   s3_use_path_style = true\n  max_retries = 5\n}\n";

/// A running server.
pub(crate) struct Moto {
    server: Child,
    port: u16,
    log: std::fs::File,
}

impl Moto {
    /// Starts a server with nothing in it.
    pub(crate) fn start() -> Self {
        let log = tempfile::tempfile().unwrap();
        // It ends with its stdin, which closes with this process at the latest.
        let mut server = python("server.py").stdin(Stdio::piped()).stderr(log.try_clone().unwrap()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("asked for")).read_line(&mut line).unwrap();
        let moto = |port| Self { server, port, log };
        match line.trim().parse() {
            Ok(port) => moto(port),
            Err(_) => {
                drop(moto(0));
                panic!("moto did not start, it says why above; `./justw it` installs it");
            }
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Its URL, as a program's `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Everything that exists, by kind; an empty object when nothing does.
    pub(super) fn inventory(&self) -> Value {
        let output = python("inventory.py").arg(self.port.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[expect(clippy::print_stderr, reason = "shown with the failure that it may explain")]
impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself, which is what a failed test then shows.
        self.server.kill().ok();
        self.server.wait().ok();
        if std::thread::panicking() || self.port == 0 {
            let mut text = String::new();
            self.log.rewind().ok();
            self.log.read_to_string(&mut text).ok();
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("moto said:\n{}", lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n"));
        }
    }
}

fn python(script: &str) -> Command {
    let mut command = Command::new(tool("TOOLS_PYTHON", ".tools/venv/bin/python"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("render/moto").join(script));
    command.env("PYTHONPATH", tool("TOOLS_MOTO", ".tools/moto")).stdout(Stdio::piped());
    command
}
