//! An AWS in memory that Terraform can apply to: one server for each test, on loopback, gone when the test is.

use std::io::{BufRead, BufReader, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::support::nursery::Nursery;

/// Lines of its log that a failed test shows.
const LOG_LINES_MAX: usize = 60;

/// Terraform that has a root's provider ask such a server, which its `AWS_ENDPOINT_URL` names; a file `*_override.tf` is merged over what is
/// rendered. The provider's own block `endpoints` would cost three seconds of a processor each time that it is configured.
pub(super) const PROVIDER: &str = "provider \"aws\" {\n  skip_credentials_validation = true\n  skip_metadata_api_check = true\n  \
                                   s3_use_path_style = true\n  max_retries = 5\n}\n";

/// A running server.
pub(crate) struct Moto {
    /// It ends when this does: with this process at the latest.
    connection: UnixStream,
    port: u16,
    log: NamedTempFile,
}

/// What starts servers.
static SERVERS: Nursery = Nursery::new(&["render/moto/servers.py"], ("TOOLS_MOTO", ".tools/moto"));

impl Moto {
    /// Starts a server with nothing in it.
    pub(crate) fn start() -> Self {
        let log = NamedTempFile::new().unwrap();
        let connection = SERVERS.ask(&format!("serve {}", log.path().display()));
        let mut line = String::new();
        BufReader::new(&connection).read_line(&mut line).unwrap();
        let moto = Self { connection, port: line.trim().parse().unwrap_or(0), log };
        assert_ne!(moto.port, 0, "moto did not start, its log says why");
        moto
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
        let mut text = String::new();
        SERVERS.ask(&format!("inventory {}", self.port)).read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no inventory, standard error says why: {text:?}"))
    }
}

#[expect(clippy::print_stderr, reason = "shown with the failure that it may explain")]
impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself, which is what a failed test then shows.
        self.connection.shutdown(Shutdown::Write).ok();
        self.connection.read_to_end(&mut Vec::new()).ok();
        if std::thread::panicking() || self.port == 0 {
            let text = std::fs::read_to_string(self.log.path()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("moto said:\n{}", lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n"));
        }
    }
}
