//! What is started: ours, the least that there can be, and the design that people take instead.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Start;
use super::api::Api;
use super::usage::{self, Usage};
use crate::process::{Running, alone, free_port, table_env};

/// Ends the head of an answer.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// Time between two tries to reach a server that starts.
const TRY_EVERY: Duration = Duration::from_millis(1);
const METRICS: &[u8] = b"event: metrics";

/// A program that is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// A runtime that answers with a constant and reads nothing.
    Constant,
    /// The stream function.
    Ours,
    /// FastAPI and sse-starlette under uvicorn, as a server.
    Research,
    /// The same behind the AWS Lambda Web Adapter.
    Adapted,
}

/// What came of a stream so far, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arrived {
    pub(super) first_byte: Option<Instant>,
    pub(super) metrics: Option<Instant>,
}

/// Reads a stream behind its head.
pub(super) struct Reader {
    head_end: &'static [u8],
    is_body: bool,
    read: Vec<u8>,
}

impl Reader {
    pub(super) const fn after(head_end: &'static [u8]) -> Self {
        Self { head_end, is_body: false, read: Vec::new() }
    }

    /// Takes what came, and says whether anything is new of what is waited for.
    pub(super) fn take(&mut self, part: &[u8], arrived: &mut Arrived) -> bool {
        let (now, before) = (Instant::now(), (arrived.first_byte, arrived.metrics));
        self.read.extend_from_slice(part);
        let place = |read: &[u8], sought: &[u8]| read.windows(sought.len()).position(|some| some == sought);
        if !self.is_body
            && let Some(end) = place(&self.read, self.head_end)
        {
            self.is_body = true;
            self.read.drain(..end + self.head_end.len());
        }
        if self.is_body && !self.read.is_empty() {
            arrived.first_byte.get_or_insert(now);
            if arrived.metrics.is_none() && place(&self.read, METRICS).is_some() {
                arrived.metrics = Some(now);
            }
        }
        before != (arrived.first_byte, arrived.metrics)
    }
}

impl Program {
    const ALL: [Self; 4] = [Self::Constant, Self::Ours, Self::Research, Self::Adapted];

    /// Its name on the command line and in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Ours => "ours",
            Self::Research => "research",
            Self::Adapted => "research-adapter",
        }
    }

    /// Those of these names, or all. Ratios are to the first.
    pub(super) fn named(names: &[String]) -> Result<Vec<Self>, String> {
        let of = |name: &String| {
            let found = Self::ALL.into_iter().find(|program| program.name() == name);
            found.ok_or_else(|| format!("there is no program `{name}`; there are {:?}", Self::ALL.map(Self::name)))
        };
        if names.is_empty() { Ok(Self::ALL.to_vec()) } else { names.iter().map(of).collect() }
    }

    /// Starts it on the table at that address and waits for its first numbers.
    pub(super) async fn start(self, folder: &Path, table: SocketAddr, target: &'static str) -> Result<Start, String> {
        let mut api = Api::start(target).await?;
        let port = free_port()?;
        let mut running = Running::default();
        let mut command = match self {
            Self::Constant | Self::Ours => alone(&self.ours_in(folder)),
            Self::Adapted => alone(&path("TOOLS_WEB_ADAPTER", ".tools/cargo/bin/lambda-adapter")),
            Self::Research => research(port),
        };
        command.env("AWS_LWA_PORT", port.to_string());
        let began = Instant::now();
        running.spawn(function_env(table_env(&mut command, table), &api))?;
        if self == Self::Adapted {
            // Lambda starts the function when its extension has come so far: this is a little quicker.
            running.spawn(table_env(&mut research(port), table))?;
        }
        let (first_byte, metrics) = match self {
            Self::Research => read(port, target).await?,
            Self::Constant | Self::Ours | Self::Adapted => api.numbers().await?,
        };
        let Usage { processor, resident } = running.ids().map(usage::of).sum::<Result<Usage, String>>()?;
        let since = |at: Instant| at.duration_since(began);
        Ok(Start { first_byte: since(first_byte), first_metrics: since(metrics), processor, resident })
    }

    /// Counts the instructions of one that is built here, from its start to its first numbers and its end.
    pub(super) async fn count(self, folder: &Path, table: SocketAddr, target: &'static str) -> Result<u64, String> {
        let mut api = Api::start(target).await?;
        let mut command = alone(Path::new("valgrind"));
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(self.ours_in(folder));
        function_env(table_env(&mut command, table), &api).stdin(Stdio::null()).stdout(Stdio::null());
        let failed = |error: std::io::Error| format!("valgrind: {error}");
        let child = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
        let (id, mut running) = (child.id(), Running::of(child));
        api.numbers().await?;
        Command::new("kill").arg(id.to_string()).status().map_err(failed)?;
        let said = running.take().wait_with_output().map_err(failed)?;
        let text = String::from_utf8_lossy(&said.stderr);
        let count = text.split_once("Collected :").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
        count.ok_or_else(|| format!("valgrind counted nothing: {text}"))
    }

    /// The file of one that is built here.
    fn ours_in(self, folder: &Path) -> PathBuf {
        folder.join(if self == Self::Constant { "constant" } else { "stream" })
    }
}

/// Reads a server's stream as soon as it listens.
async fn read(port: u16, target: &str) -> Result<(Instant, Instant), String> {
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(TRY_EVERY).await,
        }
    };
    let failed = |error: std::io::Error| error.to_string();
    let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let (mut reader, mut arrived, mut part) = (Reader::after(HEAD_END), Arrived::default(), [0; 4096]);
    loop {
        let length = stream.read(&mut part).await.map_err(failed)?;
        if length == 0 {
            return Err("the stream has ended without numbers".into());
        }
        reader.take(&part[..length], &mut arrived);
        if let Some(both) = arrived.first_byte.zip(arrived.metrics) {
            return Ok(both);
        }
    }
}

/// What Lambda tells a program, and the web adapter beside it.
fn function_env<'a>(command: &'a mut Command, api: &Api) -> &'a mut Command {
    command.env("AWS_LAMBDA_RUNTIME_API", api.address.to_string()).envs([
        ("AWS_LAMBDA_FUNCTION_NAME", "cold"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LWA_INVOKE_MODE", "response_stream"),
        ("AWS_LWA_READINESS_CHECK_PATH", "/health"),
    ])
}

/// The design under uvicorn.
fn research(port: u16) -> Command {
    let mut command = Command::new(path("TOOLS_PYTHON", ".tools/venv/bin/python"));
    let servers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("servers");
    let packages = path("TOOLS_RESEARCH", ".tools/research");
    command.env_clear().env("PYTHONPATH", [packages.as_os_str(), servers.as_os_str()].join(OsStr::new(":")));
    command.args(["-m", "uvicorn", "research:app", "--host", "127.0.0.1", "--log-level", "error"]);
    command.args(["--port", &port.to_string()]);
    command
}

#[expect(clippy::disallowed_methods, reason = "the recipes say where tools are")]
fn path(variable: &str, otherwise: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| PathBuf::from(otherwise), PathBuf::from)
}
