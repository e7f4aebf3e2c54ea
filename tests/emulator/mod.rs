//! AWS Lambda for tests: the Runtime API for a real binary, with a Function URL in front, on loopback.
//!
//! It is as unkind as the platform: it never tells the function that its viewer left, runs one request per environment,
//! freezes idle environments, sends a real deadline and cuts what passes it. It must not be friendlier than Lambda.

mod environment;
mod event;
mod extensions_api;
mod front;
mod prelude;
pub(crate) mod rest_api;
mod runtime_api;
mod self_test;
mod tiny;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::support::process::{LogLine, lock};
use environment::{Environment, Job};

/// How a Function URL calls its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvokeMode {
    /// `RESPONSE_STREAM`
    Streaming,
    /// `BUFFERED`
    Buffered,
}

/// What a Function URL answers to browsers of other origins; it replaces nothing that the function says.
#[derive(Clone, Debug)]
pub(crate) struct Cors {
    /// Allowed origins, or `*`.
    pub allow_origins: Vec<String>,
    /// Allowed methods.
    pub allow_methods: Vec<String>,
    /// Allowed request headers.
    pub allow_headers: Vec<String>,
}

/// What stands before a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its URL.
    FunctionUrl,
    /// A REST API of API Gateway: a stage before the path, events in format 1.0, no CORS of its own.
    RestApi,
}

/// A function and its Function URL.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The function's binary.
    pub program: PathBuf,
    /// Its arguments; Lambda gives none.
    pub arguments: Vec<String>,
    /// The external extension beside it, where there is one.
    pub extension: Option<PathBuf>,
    /// Variable that names a free port: environments of Lambda have a loopback each, these share one.
    pub own_port: Option<&'static str>,
    /// Variables of the function's configuration.
    pub env: BTreeMap<String, String>,
    /// What stands before it.
    pub way: Way,
    /// Mode of the URL, or transfer mode of the integration.
    pub invoke_mode: InvokeMode,
    /// Timeout of the function.
    pub timeout: Duration,
    /// Reserved concurrency: more environments are refused with 429.
    pub max_environments: usize,
    /// 1 for Lambda; more for Managed Instances, where timeouts are not enforced.
    pub concurrency_per_environment: usize,
    /// CORS of the URL, where it has one.
    pub cors: Option<Cors>,
    /// Whether X-Ray wants to know of its requests.
    pub sampled: bool,
    /// Whether an environment is stopped between invocations, as Lambda does.
    pub freeze: bool,
}

impl Config {
    /// Classic Lambda with a streaming URL and a timeout of 30 s.
    pub(crate) fn new(program: PathBuf, env: BTreeMap<String, String>) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            extension: None,
            own_port: None,
            env,
            way: Way::FunctionUrl,
            invoke_mode: InvokeMode::Streaming,
            timeout: Duration::from_secs(30),
            max_environments: 4,
            concurrency_per_environment: 1,
            cors: None,
            sampled: false,
            freeze: true,
        }
    }
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The function answered in full.
    Done,
    /// The function reported an error, by its route or in trailers: type and body.
    FunctionError(String, String),
    /// The answer is not what a Function URL understands: why.
    BadResponse(String),
    /// The answer broke off while the process lived on.
    Truncated,
    /// The process ended.
    Crashed(String),
    /// The platform cut it at its deadline.
    TimedOut,
    /// There was no environment for it: 429.
    Throttled,
    /// No function is asked for this path: 403.
    NoRoute,
}

/// Everything known of one request to the URL.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// Request id of the invocation.
    pub request_id: String,
    /// Path and query of the request.
    pub target: String,
    /// Which environment served it, counted from 0.
    pub environment: Option<usize>,
    /// Time from start to first `next` of the environment, if this request started it.
    pub init: Option<Duration>,
    /// When the function got the event.
    pub started: Option<Instant>,
    /// Time from event to first byte of the answer's body.
    pub first_byte: Option<Duration>,
    /// Time from event to the end of the answer.
    pub responded: Option<Duration>,
    /// What Lambda bills: from the event until the answer has ended and the runtime asks for the next event.
    pub billed: Option<Duration>,
    /// Bytes of the body, prelude not counted.
    pub body: Vec<u8>,
    /// The prelude or the buffered answer as the function wrote it.
    pub prelude: Option<serde_json::Value>,
    /// The trace header that the function got.
    pub trace: String,
    /// When the viewer left before the end; the function never hears of it.
    pub viewer_left: Option<Instant>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<Outcome>,
}

/// What the function's side tells the viewer's side.
#[derive(Debug)]
pub(crate) enum Part {
    /// Status, headers and cookies.
    Head(u16, Vec<(String, String)>),
    /// Bytes of the body.
    Data(Vec<u8>),
    /// The clean end.
    End,
    /// The end of a broken answer: the connection is reset, or 502 if nothing was sent.
    Abort,
}

pub(crate) struct Shared {
    config: Config,
    environments: Mutex<Vec<Arc<Environment>>>,
    invocations: Mutex<Vec<Invocation>>,
    changed: Notify,
}

impl Shared {
    /// Changes the record of an invocation and wakes whoever waits for one.
    fn record(&self, index: usize, change: impl FnOnce(&mut Invocation)) {
        change(&mut lock(&self.invocations)[index]);
        self.changed.notify_waiters();
    }

    /// Opens the record of a request; the index is its name from here on.
    fn open(&self, target: &str) -> (usize, String) {
        let request_id =
            format!("{:08x}-{:04x}-4000-8000-{:012x}", fastrand::u32(..), fastrand::u16(..), fastrand::u32(..));
        let mut all = lock(&self.invocations);
        all.push(Invocation {
            request_id: request_id.clone(),
            target: target.to_owned(),
            environment: None,
            init: None,
            started: None,
            first_byte: None,
            responded: None,
            billed: None,
            body: Vec::new(),
            prelude: None,
            trace: String::new(),
            viewer_left: None,
            outcome: None,
        });
        (all.len() - 1, request_id)
    }

    /// Finds or starts an environment for the event; `None` is Lambda's 429.
    async fn invoke(self: &Arc<Self>, job: Job) -> Option<()> {
        let mut job = job;
        for environment in lock(&self.environments).iter() {
            match environment.offer(job) {
                Ok(()) => return Some(()),
                Err(back) => job = back,
            }
        }
        // Between the look above and the entry below another request may start one; both places are checked under one lock.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let mut all = lock(&self.environments);
        if all.iter().filter(|environment| environment.is_alive()).count() >= self.config.max_environments {
            return None;
        }
        let environment = Environment::start(Arc::clone(self), all.len(), listener);
        environment.offer(job).ok().expect("a fresh environment takes its first event");
        all.push(environment);
        Some(())
    }
}

/// A running function with its URL. Dropping it kills all environments.
pub(crate) struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    front: JoinHandle<()>,
}

impl Emulator {
    /// Opens the URL. The first environment starts with the first request.
    pub(crate) async fn start(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            config,
            environments: Mutex::default(),
            invocations: Mutex::default(),
            changed: Notify::new(),
        });
        let front = tokio::spawn(front::serve(Arc::clone(&shared), listener));
        Self { shared, address, front }
    }

    /// Where the URL listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stands before the function.
    pub(crate) fn way(&self) -> Way {
        self.shared.config.way
    }

    /// Everything requested so far, oldest first.
    pub(crate) fn invocations(&self) -> Vec<Invocation> {
        lock(&self.shared.invocations).clone()
    }

    /// How many environments were ever started.
    pub(crate) fn environments(&self) -> usize {
        lock(&self.shared.environments).len()
    }

    /// All lines that all environments wrote, in order of arrival.
    pub(crate) fn logs(&self) -> Vec<LogLine> {
        let all = lock(&self.shared.environments);
        let mut lines: Vec<LogLine> = all.iter().flat_map(|environment| environment.lines()).collect();
        lines.sort_by_key(|line| line.at);
        lines
    }

    /// Ends an idle environment as Lambda does, and returns how the function ended.
    pub(crate) async fn reclaim(&self, environment: usize) -> std::process::ExitStatus {
        let environment = Arc::clone(&lock(&self.shared.environments)[environment]);
        environment.reclaim().await
    }

    /// Ends every environment at once, whatever it does: its answers break off. The next request starts another one.
    pub(crate) fn kill(&self) {
        for environment in lock(&self.shared.environments).iter() {
            environment.kill();
        }
    }

    /// The environment's port of `own_port`.
    pub(crate) fn own_port(&self, environment: usize) -> u16 {
        lock(&self.shared.environments)[environment].own_port().expect("the configuration asks for one")
    }

    /// Whether the environment is stopped.
    pub(crate) fn is_frozen(&self, environment: usize) -> bool {
        lock(&self.shared.environments)[environment].is_frozen()
    }

    /// Waits until `look` finds something in the records; fails with `what` and the logs at the limit.
    pub(crate) async fn wait<T>(&self, what: &str, limit: Duration, look: impl Fn(&[Invocation]) -> Option<T>) -> T {
        let wait = async {
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = look(&lock(&self.shared.invocations)) {
                    return found;
                }
                changed.await;
            }
        };
        let Ok(found) = tokio::time::timeout(limit, wait).await else {
            let logs: String = self.logs().iter().map(|line| format!("{}\n", line.text)).collect();
            panic!("{what}: not within {limit:?}\n{:?}\n{logs}", self.invocations());
        };
        found
    }

    /// Waits until the `index`th invocation has ended and returns its record.
    pub(crate) async fn finished(&self, index: usize, limit: Duration) -> Invocation {
        self.wait("the invocation ends", limit, |all| all.get(index).filter(|one| one.outcome.is_some()).cloned()).await
    }

    /// Kills all environments and returns all records.
    pub(crate) fn shutdown(self) -> Vec<Invocation> {
        self.invocations()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.front.abort();
        self.kill();
    }
}

/// The two ends on which an answer travels from the function to the viewer.
pub(crate) fn parts() -> (mpsc::UnboundedSender<Part>, mpsc::UnboundedReceiver<Part>) {
    // Unbounded: the platform goes on reading from the function whatever the viewer does.
    mpsc::unbounded_channel()
}
