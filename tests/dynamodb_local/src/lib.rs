//! Starts DynamoDB Local and says when it answers. Who ends it, and when, is for whoever starts it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Time between two looks whether it answers.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time that a connection and its answer may take. Not the limit of the start: a busy machine takes its time.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// How it is to run.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Folder that holds `DynamoDBLocal.jar`.
    pub program: &'a Path,
    /// Where it listens.
    pub address: SocketAddr,
    /// Folder of the tables, which outlive it there; `None` keeps them in memory.
    pub tables: Option<&'a Path>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What it is for, and so what Java is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A small heap and the client compiler: it starts in half the time and leaves the processors to the tests.
    Tests,
    /// A large table, and both compilers.
    Measurement,
}

impl Purpose {
    const fn java(self) -> &'static [&'static str] {
        match self {
            Self::Tests => &["-Xmx256m", "-XX:TieredStopAtLevel=1"],
            Self::Measurement => &["-Xmx2g"],
        }
    }
}

/// A server that has been started and need not answer yet.
#[derive(Debug)]
pub struct Starting {
    java: Child,
    address: SocketAddr,
    said: File,
    /// It lays a library there when it is first asked, and forgets it. Nothing needs that any more once it is loaded.
    library: TempDir,
}

impl Settings<'_> {
    /// Starts the server.
    ///
    /// # Errors
    /// Where there is no Java, or no file for what it says.
    pub fn start(&self) -> Result<Starting, String> {
        let files = || -> io::Result<(File, File, File, TempDir)> {
            let said = tempfile::tempfile()?;
            Ok((said.try_clone()?, said.try_clone()?, said, tempfile::tempdir()?))
        };
        let (out, err, said, library) = files().map_err(|error| format!("no file for DynamoDB Local: {error}"))?;
        let mut java = Command::new("java");
        java.arg(format!("-Djava.io.tmpdir={}", library.path().display()));
        java.args(self.purpose.java()).args(["-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]);
        match self.tables {
            Some(folder) => java.arg("-dbPath").arg(folder),
            None => java.arg("-inMemory"),
        };
        java.args(["-sharedDb", "-port", &self.address.port().to_string()]);
        java.current_dir(self.program).env("DDB_LOCAL_TELEMETRY", "0");
        java.stdin(Stdio::null()).stdout(out).stderr(err);
        let java = java.spawn().map_err(|error| format!("DynamoDB Local needs Java 17 as `java` on PATH: {error}"))?;
        Ok(Starting { java, address: self.address, said, library })
    }
}

impl Starting {
    /// Id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.java.id()
    }

    /// Waits until the server answers, so long at most. One that has not by then is ended.
    ///
    /// # Errors
    /// What it said where it ended, perhaps because somebody else took the port; that it does not answer.
    #[expect(clippy::disallowed_methods, reason = "it waits for a process of another program")]
    pub fn answers_within(mut self, limit: Duration) -> Result<Child, String> {
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = self.java.try_wait() {
                let mut text = String::new();
                self.said.rewind().and_then(|()| self.said.read_to_string(&mut text)).ok();
                return Err(format!("DynamoDB Local ended with {status}; it said: {text}"));
            }
            if answers(self.address) {
                self.library.close().ok();
                return Ok(self.java);
            }
            if began.elapsed() > limit {
                self.java.kill().ok();
                self.java.wait().ok();
                return Err(format!("DynamoDB Local does not answer after {limit:?}"));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// What asks for the names of its tables: it reads region and key of a signature, and verifies nothing.
const ASKED: &[u8] = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\
    Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n\
    X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=start/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{}";

/// Whether DynamoDB answers there, and not just anybody, and knows its tables.
fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.write_all(ASKED)?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer)?;
        Ok::<_, io::Error>(answer)
    };
    ask().is_ok_and(|answer| String::from_utf8_lossy(&answer).contains("\"TableNames\""))
}
