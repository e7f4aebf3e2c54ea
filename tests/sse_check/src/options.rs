//! What to check, and what a case may know about the endpoint.

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use crate::cases::CASES;
use crate::decode::Event;
use crate::stream::Request;
use crate::target::Target;

/// Everything that steers a run. Start from [`Options::new`].
#[derive(Clone, Debug)]
pub struct Options {
    /// URLs of one stream: several are several instances behind one name.
    pub targets: Vec<Target>,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// Longest wait for an answer and for a first event.
    pub timeout: Duration,
    /// How long the first stream is listened to.
    pub listen: Duration,
    /// Longest time from request to first byte of the body.
    pub first_byte: Duration,
    /// Type of the events that must arrive exactly once; all events with an id where it is not given.
    pub update_event: Option<String>,
    /// JSON pointers into an update's data that make its identity; its id where there are none.
    pub id_fields: Vec<String>,
    /// Type of the event that says that a position was not taken.
    pub reset_event: Option<String>,
    /// Type of the event that shows that the stream is alive.
    pub heartbeat_event: Option<String>,
    /// Causes one more update.
    pub trigger: Option<Action>,
    /// How often a stream is cut in `resume`.
    pub cuts: u32,
    /// A cut comes after at most so many bytes.
    pub cut_bytes: u64,
    /// Streams that are opened to find the limit.
    pub connections: u32,
    /// How long a slow reader does not read.
    pub stall: Duration,
    /// Connects of `churn`.
    pub churn: u32,
    /// How many of them at once.
    pub churn_concurrency: u32,
    /// Longest time after which the server ends a stream by itself, if it does.
    pub max_session: Option<Duration>,
    /// Ends the server.
    pub shutdown: Option<Action>,
    /// Process of the server, for its memory and open files.
    pub pid: Option<u32>,
    /// Names of the cases to run, all where empty.
    pub only: Vec<String>,
    /// Names of the cases to leave out.
    pub skip: Vec<String>,
}

impl Options {
    /// The defaults for these URLs.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self {
            targets,
            headers: Vec::new(),
            timeout: Duration::from_secs(5),
            listen: Duration::from_secs(20),
            first_byte: Duration::from_secs(1),
            update_event: None,
            id_fields: Vec::new(),
            reset_event: None,
            heartbeat_event: None,
            trigger: None,
            cuts: 20,
            cut_bytes: 4096,
            connections: 50,
            stall: Duration::from_secs(5),
            churn: 10_000,
            churn_concurrency: 32,
            max_session: None,
            shutdown: None,
            pid: None,
            only: Vec::new(),
            skip: Vec::new(),
        }
    }

    /// Whether a case is to run.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        let names = |names: &[String]| names.iter().any(|one| one == name);
        (self.only.is_empty() || names(&self.only)) && !names(&self.skip)
    }

    /// Whether any case looks at the first stream.
    #[must_use]
    pub fn wants_sample(&self) -> bool {
        CASES.iter().any(|case| self.wants(case.name) && case.listens)
    }

    /// A request as EventSource makes it, to one of the URLs.
    #[must_use]
    pub fn request(&self, n: usize) -> Request {
        Request::new(&self.targets[n % self.targets.len()], &self.headers, self.timeout)
    }

    /// Whether it is said what updates are; otherwise they are the events with an id.
    #[must_use]
    pub fn names_updates(&self) -> bool {
        self.update_event.is_some() || !self.id_fields.is_empty()
    }

    /// Identity of an update; `None` for an event that is none.
    #[must_use]
    pub fn identity(&self, event: &Event) -> Option<String> {
        match &self.update_event {
            Some(name) if event.name != *name => return None,
            None if event.own_id.is_none() => return None,
            _ => {}
        }
        if self.id_fields.is_empty() {
            return event.own_id.as_ref().map(|id| id.escape_ascii().to_string());
        }
        let data: serde_json::Value = serde_json::from_str(&event.data).ok()?;
        let parts: Option<Vec<String>> =
            self.id_fields.iter().map(|field| data.pointer(field).map(ToString::to_string)).collect();
        parts.map(|parts| parts.join(" "))
    }
}

/// What updates are, for messages that say that none came.
pub(crate) fn updates_in_words(event: Option<&str>, id_fields: &[String]) -> String {
    let event = event.map_or("events with an id".to_owned(), |name| format!("`{name}` events"));
    let fields: Vec<String> = id_fields.iter().map(|field| format!("`{field}`")).collect();
    if fields.is_empty() { event } else { format!("{event} that have {} in their data", fields.join(" and ")) }
}

/// Something that happens to the server.
#[derive(Clone)]
pub enum Action {
    /// A command for `sh -c`.
    Command(String),
    /// SIGTERM to a process.
    Terminate(u32),
    /// A function, for users of the library.
    Call(Arc<dyn Fn() + Send + Sync>),
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "Command({command:?})"),
            Self::Terminate(pid) => write!(f, "Terminate({pid})"),
            Self::Call(_) => f.write_str("Call"),
        }
    }
}

impl Action {
    /// Does it.
    ///
    /// # Errors
    /// A sentence: what was to be done and what came of it.
    pub async fn run(&self) -> Result<(), String> {
        match self {
            Self::Call(call) => call(),
            Self::Terminate(pid) => {
                let id = i32::try_from(*pid).ok().and_then(Pid::from_raw).ok_or(format!("`{pid}` is no process id"))?;
                kill_process(id, Signal::TERM).map_err(|error| format!("process {pid}: {error}"))?;
            }
            Self::Command(command) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
                let status = shell.status().await.map_err(|error| format!("`{command}`: {error}"))?;
                if !status.success() {
                    return Err(format!("`{command}` ended with {status}"));
                }
            }
        }
        Ok(())
    }
}
