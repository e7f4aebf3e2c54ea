//! Who is measured, how each is started and how its stream is read. One that is not installed is left out, in words.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sse_check::options::Options;
use sse_check::target::Target;
use tempfile::TempDir;

use crate::cache::Cache;
use crate::feed::{self, Feed};
use crate::process::{Process, free_port};
use crate::scenario::{SHARED, Scenario};

/// Most streams that a server is told it may have: room beside the clients that are measured.
const STREAMS_BESIDE: usize = 16;

/// A server that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The program `local`: the server with a sample feed.
    Ours,
    /// The same behind a cache that hands one stream to all.
    Shared,
    /// Nothing but writes, one by one: what the system takes.
    Bare,
    /// axum's `Sse`.
    Axum,
    /// better-sse on Node.
    BetterSse,
    /// sse-starlette under uvicorn.
    Starlette,
    /// nginx with nchan.
    Nchan,
    /// The server of durable-streams, which keeps nothing on disk.
    DurableStreams,
}

/// One that runs.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) options: Options,
    /// What stands between the clients and the program.
    pub(crate) cache: Option<Cache>,
    _feed: Option<Feed>,
    _folder: Option<TempDir>,
}

impl Peer {
    pub(crate) const ALL: [Self; 8] = [
        Self::Ours,
        Self::Shared,
        Self::Bare,
        Self::Axum,
        Self::BetterSse,
        Self::Starlette,
        Self::Nchan,
        Self::DurableStreams,
    ];

    /// Its name on the command line and in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Shared => "shared",
            Self::Bare => "bare",
            Self::Axum => "axum",
            Self::BetterSse => "better-sse",
            Self::Starlette => "sse-starlette",
            Self::Nchan => "nchan",
            Self::DurableStreams => "durable-streams",
        }
    }

    /// The type of the event that every client gets first; `None` where none comes by itself.
    pub(crate) fn greeting(self) -> Option<&'static str> {
        match self {
            Self::Ours | Self::Shared => Some("metrics"),
            Self::Bare | Self::Axum | Self::BetterSse | Self::Starlette => Some("hello"),
            Self::Nchan => None,
            Self::DurableStreams => Some("control"),
        }
    }

    /// Where its updates have their time.
    pub(crate) fn time_field(self) -> &'static str {
        match self {
            Self::Ours | Self::Shared => "/timestamp",
            _ => "/at",
        }
    }

    /// Whether its stream tells in a scenario which updates came: durable-streams puts what comes together into one event, and how much that
    /// is differs between clients. Bare writes say something only of writes that are small enough never to wait.
    pub(crate) fn takes_part_in(self, scenario: &Scenario) -> bool {
        match self {
            Self::Ours => true,
            Self::Shared => scenario.name == SHARED,
            _ if scenario.name == SHARED => false,
            Self::DurableStreams => scenario.every < Duration::from_secs(1) || scenario.rate == 1,
            Self::Bare => scenario.every < Duration::from_secs(1),
            _ => true,
        }
    }

    /// Starts it with the feed of a scenario.
    pub(crate) fn start(self, scenario: &Scenario, is_heard: bool) -> Result<Started, String> {
        let port = free_port()?;
        let (rate, every) = (scenario.rate.to_string(), scenario.every.as_millis().to_string());
        let arguments = [port.to_string(), rate.clone(), every.clone()];
        let mut folder = None;
        let mut command = match self {
            Self::Ours | Self::Shared => ours(self, scenario, port)?,
            Self::Bare => Command::new(beside("bare")?),
            Self::Axum => Command::new(beside("axum-sse")?),
            Self::BetterSse => with_script("node".into(), "better_sse.mjs"),
            Self::Starlette => with_script(path("TOOLS_PYTHON", ".tools/venv/bin/python"), "queues.py"),
            Self::Nchan => {
                let made = nchan(port)?;
                let mut command = Command::new("nginx");
                command.arg("-c").arg(made.path().join("nchan.conf"));
                folder = Some(made);
                command
            }
            Self::DurableStreams => {
                let made = tempfile::tempdir().map_err(|error| error.to_string())?;
                let mut command =
                    Command::new(path("TOOLS_DURABLE_STREAMS", ".tools/cargo/bin/durable-streams-server"));
                command.args(["--durability", "memory", "--port", &port.to_string(), "--data-dir"]).arg(made.path());
                folder = Some(made);
                command
            }
        };
        match self {
            Self::Ours | Self::Shared | Self::Nchan | Self::DurableStreams => {}
            Self::Bare | Self::Axum => drop(command.args(&arguments)),
            Self::BetterSse => drop(command.args(&arguments).arg(peers().join("node/node_modules"))),
            Self::Starlette => {
                command.args(&arguments).env("PYTHONPATH", peers().join("python")).env("PYTHONDONTWRITEBYTECODE", "1");
            }
        }
        let process = Process::start(&mut command, is_heard)?;
        let mut options = self.options(port)?;
        wait_for(port, &process)?;
        let mut cache = None;
        if self == Self::Shared {
            let before = free_port()?;
            let behind = std::mem::replace(&mut options, self.options(before)?);
            cache = Some(Cache::start(before, port, scenario.segment, behind)?);
            wait_for(before, &process)?;
        }
        let to = match self {
            Self::Nchan => Some(feed::NCHAN),
            Self::DurableStreams => Some(feed::DURABLE_STREAMS),
            _ => None,
        };
        let feed = to.map(|to| Feed::start(port, to, scenario.rate, scenario.every));
        let feed = feed.transpose().map_err(|error| format!("{}: {error}", self.name()))?;
        Ok(Started { process, options, cache, _feed: feed, _folder: folder })
    }

    fn options(self, port: u16) -> Result<Options, String> {
        let (path, event, fields): (&str, &str, &[&str]) = match self {
            Self::Ours | Self::Shared => ("/api/v2/stream", "sentiment_update", &["/item_id", "/ticker"]),
            Self::DurableStreams => ("/events?offset=now&live=sse", "data", &[]),
            _ => ("/events", "update", &["/n"]),
        };
        let target = Target::parse(&format!("http://127.0.0.1:{port}{path}"))?;
        Ok(Options {
            update_event: Some(event.into()),
            id_fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..Options::new(vec![target])
        })
    }
}

fn ours(peer: Peer, scenario: &Scenario, port: u16) -> Result<Command, String> {
    let mut command = Command::new(beside("local")?);
    let every = scenario.every.max(Duration::from_millis(100));
    command.env_clear().envs([
        ("STORE", "memory".to_owned()),
        ("STREAM_PORT", port.to_string()),
        ("DASHBOARD_PORT", "0".to_owned()),
        ("SAMPLE_RATE", scenario.rate.to_string()),
        ("SSE_POLL_INTERVAL", format!("{}ms", every.as_millis())),
        ("SSE_MAX_CONNECTIONS", (scenario.clients + STREAMS_BESIDE).to_string()),
        // Nobody is to come back while it is measured.
        ("SSE_MAX_SESSION", "880s".to_owned()),
        ("FRONTEND_DIR", root().join("frontend").display().to_string()),
    ]);
    if peer == Peer::Shared {
        let length = format!("{}s", scenario.segment.as_secs());
        command.envs([("SSE_SHARED_SEGMENTS", "true"), ("SSE_SEGMENT_LENGTH", &length)]);
    }
    Ok(command)
}

fn with_script(program: PathBuf, script: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(servers().join(script));
    command
}

/// A folder with the configuration of nginx, which writes beside it.
fn nchan(port: u16) -> Result<TempDir, String> {
    let failed = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(failed)?;
    let text = std::fs::read_to_string(servers().join("nchan.conf")).map_err(failed)?;
    let text = text.replace("PORT", &port.to_string()).replace("FOLDER", &folder.path().display().to_string());
    // Its relative paths begin where Debian keeps the modules.
    let text = text.replace("modules/ngx", "/usr/lib/nginx/modules/ngx");
    std::fs::write(folder.path().join("nchan.conf"), text).map_err(failed)?;
    Ok(folder)
}

fn wait_for(port: u16, process: &Process) -> Result<(), String> {
    loop {
        process.usage()?;
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A program that was built together with this one.
fn beside(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = own.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(format!("no program {name} at {}", path.display())) }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies two folders below the root")
}

fn servers() -> PathBuf {
    root().join("bench/peers/servers")
}

fn peers() -> PathBuf {
    path("TOOLS_PEERS", ".tools/peers")
}

fn path(variable: &str, default: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| root().join(default), PathBuf::from)
}
