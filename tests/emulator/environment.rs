//! One execution environment: a process of the function and its extension, their events, their freezing and their end.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::sync::{Notify, SetOnce, mpsc};

use super::{Config, Outcome, Part, Shared, runtime_api};
use crate::support::clock::epoch_ms;
use crate::support::local::free_port;
use crate::support::process::{LogLine, Process, lock};

/// Lambda gives init ten seconds.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// What a function with an extension has between SIGTERM and SIGKILL.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(300);

/// One event on its way to an environment.
pub(crate) struct Job {
    /// Index of its record.
    pub index: usize,
    /// Request id of the invocation.
    pub request_id: String,
    /// The event as JSON.
    pub event: Vec<u8>,
    /// Where the answer goes.
    pub parts: mpsc::UnboundedSender<Part>,
}

/// An event that the function works on.
pub(crate) struct Running {
    pub index: usize,
    pub parts: mpsc::UnboundedSender<Part>,
    pub started: Instant,
    outcome: Option<Outcome>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    running: HashMap<String, Running>,
    init: Option<Duration>,
    /// Whether the function, and its extension, have asked for their next event.
    function_asked: bool,
    extension_asked: bool,
    frozen: bool,
    ended: bool,
    timed_out: bool,
}

/// The processes of an environment and what they work on.
pub(crate) struct Environment {
    shared: Arc<Shared>,
    number: usize,
    spawned: Instant,
    variables: BTreeMap<String, String>,
    /// Set from the start on, or once the extension has registered: Lambda starts the function after it.
    function: SetOnce<Process>,
    extension: Option<Process>,
    state: Mutex<State>,
    more: Notify,
}

/// What the function gets with an event.
pub(crate) struct HandedOut {
    pub request_id: String,
    pub event: Vec<u8>,
    pub deadline_ms: u64,
    pub trace: String,
}

impl Environment {
    /// Starts the process with a Runtime API of its own, which is how a call is known to come from it.
    pub(super) fn start(shared: Arc<Shared>, number: usize, listener: TcpListener) -> Arc<Self> {
        let api = listener.local_addr().expect("a bound socket has an address").to_string();
        let variables = variables(&shared.config, &api, number);
        let extension = shared.config.extension.as_ref().map(|program| Process::spawn(program, &[], &variables));
        let environment = Arc::new(Self {
            number,
            spawned: Instant::now(),
            variables,
            function: SetOnce::new(),
            extension,
            state: Mutex::default(),
            more: Notify::new(),
            shared,
        });
        if environment.extension.is_none() {
            environment.start_function();
        }
        let api = tokio::spawn(runtime_api::serve(Arc::clone(&environment), listener));
        let watched = Arc::clone(&environment);
        tokio::spawn(async move {
            let status = match tokio::time::timeout(INIT_LIMIT, watched.first_exit()).await {
                Ok(status) => status,
                Err(_) => {
                    if lock(&watched.state).init.is_none() {
                        watched.kill();
                    }
                    watched.first_exit().await
                }
            };
            // Neither goes on without the other.
            watched.kill();
            for process in watched.processes() {
                process.exited().await;
            }
            api.abort();
            watched.end(&status.to_string());
        });
        environment
    }

    /// Starts the function, unless it runs.
    pub(super) fn start_function(&self) {
        if !self.function.initialized() {
            let config = &self.shared.config;
            let process = Process::spawn(&config.program, &config.arguments, &self.variables);
            assert!(self.function.set(process).is_ok(), "an extension registers once");
        }
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.function.get().into_iter().chain(&self.extension)
    }

    /// Waits until the first of its processes ends.
    pub(super) async fn first_exit(&self) -> ExitStatus {
        let function = async { self.function.wait().await.exited().await };
        match &self.extension {
            None => function.await,
            Some(extension) => tokio::select! {
                status = function => status,
                status = extension.exited() => status,
            },
        }
    }

    /// File name of the extension, by which it must register.
    pub(super) fn extension_name(&self) -> Option<&str> {
        self.shared.config.extension.as_deref().and_then(Path::file_name).and_then(|name| name.to_str())
    }

    /// The extension asks for its next event, of which there is none before the end.
    pub(super) fn extension_asks(&self) {
        let mut state = lock(&self.state);
        state.extension_asked = true;
        self.look_whether_init_is_over(&mut state);
        drop(state);
        self.more.notify_waiters();
    }

    fn look_whether_init_is_over(&self, state: &mut State) {
        if state.function_asked && (self.extension.is_none() || state.extension_asked) {
            let waited = self.spawned.elapsed();
            state.init.get_or_insert(waited);
        }
    }

    /// The port that is its own.
    pub(super) fn own_port(&self) -> Option<u16> {
        self.variables.get(self.shared.config.own_port?)?.parse().ok()
    }

    /// Process id of the function, once it runs.
    pub(super) fn function_pid(&self) -> u32 {
        self.function.get().expect("the function runs").pid()
    }

    /// All lines of its processes.
    pub(super) fn lines(&self) -> Vec<LogLine> {
        self.processes().flat_map(Process::lines).collect()
    }

    /// Ends an idle environment as Lambda does: with SIGTERM first where there is an extension, else at once.
    pub(super) async fn reclaim(&self) -> ExitStatus {
        let function = self.function.wait().await;
        if self.extension.is_some() {
            self.signal(Signal::CONT);
            function.signal(Signal::TERM);
            drop(tokio::time::timeout(SHUTDOWN_LIMIT, function.exited()).await);
        }
        self.kill();
        function.exited().await
    }

    fn signal(&self, signal: Signal) {
        self.processes().for_each(|process| process.signal(signal));
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn is_alive(&self) -> bool {
        !lock(&self.state).ended
    }

    pub(super) fn is_frozen(&self) -> bool {
        lock(&self.state).frozen
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Takes the event if there is room for it, else gives it back.
    pub(super) fn offer(&self, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        // An answer that has ended leaves only the runtime's next call to wait for.
        let busy = state.running.values().filter(|one| one.outcome.is_none()).count() + state.waiting.len();
        if state.ended || state.timed_out || busy >= self.shared.config.concurrency_per_environment {
            return Err(job);
        }
        state.waiting.push_back(job);
        if std::mem::take(&mut state.frozen) {
            self.signal(Signal::CONT);
        }
        drop(state);
        self.more.notify_waiters();
        Ok(())
    }

    /// Waits for an event for the function. May be cancelled without loss.
    pub(super) async fn next(self: &Arc<Self>) -> HandedOut {
        self.settle();
        loop {
            let more = self.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if let Some(out) = self.hand_out() {
                return out;
            }
            more.await;
        }
    }

    /// The runtime asks for the next event: init is over, and on Lambda every answered invocation too.
    fn settle(&self) {
        let mut state = lock(&self.state);
        state.function_asked = true;
        self.look_whether_init_is_over(&mut state);
        if self.shared.config.concurrency_per_environment == 1 {
            let (over, still) =
                std::mem::take(&mut state.running).into_iter().partition(|(_, one)| one.outcome.is_some());
            state.running = still;
            let over: HashMap<String, Running> = over;
            drop(state);
            over.into_values().for_each(|one| self.close(one, None));
        }
    }

    fn hand_out(self: &Arc<Self>) -> Option<HandedOut> {
        let mut state = lock(&self.state);
        // An extension that has not asked yet keeps the environment in init.
        state.init?;
        let Some(job) = state.waiting.pop_front() else {
            if self.shared.config.freeze && state.running.is_empty() && !state.ended {
                state.frozen = true;
                self.signal(Signal::STOP);
            }
            return None;
        };
        let started = Instant::now();
        let timeout = self.shared.config.timeout;
        let init = state
            .init
            .filter(|_| lock(&self.shared.invocations).iter().all(|one| one.environment != Some(self.number)));
        let running = Running { index: job.index, parts: job.parts, started, outcome: None };
        state.running.insert(job.request_id.clone(), running);
        drop(state);
        let trace = format!(
            "Root=1-{:08x}-{:024x};Parent={:016x};Sampled={}",
            fastrand::u32(..),
            fastrand::u64(..),
            fastrand::u64(..),
            u8::from(self.shared.config.sampled)
        );
        self.shared.record(job.index, |record| {
            record.trace.clone_from(&trace);
            (record.environment, record.started, record.init) = (Some(self.number), Some(started), init);
        });
        let deadline_ms = epoch_ms() + u64::try_from(timeout.as_millis()).expect("timeouts are minutes");
        if self.shared.config.concurrency_per_environment == 1 {
            self.watch_deadline(job.request_id.clone(), timeout);
        }
        Some(HandedOut { request_id: job.request_id, event: job.event, deadline_ms, trace })
    }

    fn watch_deadline(self: &Arc<Self>, request_id: String, timeout: Duration) {
        let environment = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            let mut state = lock(&environment.state);
            if state.running.contains_key(&request_id) {
                state.timed_out = true;
                drop(state);
                environment.kill();
            }
        });
    }

    /// Looks up an event that the function was given and has not answered.
    pub(super) fn running(&self, request_id: &str) -> Option<(usize, mpsc::UnboundedSender<Part>, Instant)> {
        let state = lock(&self.state);
        let one = state.running.get(request_id).filter(|one| one.outcome.is_none())?;
        Some((one.index, one.parts.clone(), one.started))
    }

    /// The answer has ended. On Lambda the invocation lasts until the runtime asks for the next event.
    pub(super) fn answered(&self, request_id: &str, outcome: Outcome) {
        let mut state = lock(&self.state);
        let Some(one) = state.running.get_mut(request_id) else { return };
        let responded = one.started.elapsed();
        one.outcome = Some(outcome);
        let index = one.index;
        let over =
            if self.shared.config.concurrency_per_environment > 1 { state.running.remove(request_id) } else { None };
        drop(state);
        self.shared.record(index, |record| record.responded = Some(responded));
        if let Some(one) = over {
            self.close(one, None);
        }
    }

    /// The process is gone: everything it had is over.
    fn end(&self, status: &str) {
        let mut state = lock(&self.state);
        state.ended = true;
        let timed_out = state.timed_out;
        let running: Vec<Running> = state.running.drain().map(|(_, one)| one).collect();
        let waiting: Vec<Job> = state.waiting.drain(..).collect();
        drop(state);
        for one in running {
            drop(one.parts.send(Part::Abort));
            // An invocation whose runtime never came back counts as timed out, whatever it answered.
            let outcome = if timed_out { Outcome::TimedOut } else { Outcome::Crashed(status.to_owned()) };
            self.close(Running { outcome: if timed_out { None } else { one.outcome.clone() }, ..one }, Some(outcome));
        }
        for job in waiting {
            drop(job.parts.send(Part::Abort));
            self.shared.record(job.index, |record| {
                record.environment = Some(self.number);
                record.outcome = Some(Outcome::Crashed(status.to_owned()));
            });
        }
    }

    fn close(&self, one: Running, otherwise: Option<Outcome>) {
        let billed = one.started.elapsed();
        self.shared.record(one.index, |record| {
            record.billed = Some(billed);
            // A process that dies after its answer leaves the answer as it was.
            record.outcome = one.outcome.or(otherwise);
        });
    }
}

/// What Lambda sets, and the function's own configuration over it.
fn variables(config: &Config, api: &str, number: usize) -> BTreeMap<String, String> {
    let fixed = [
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_LAMBDA_FUNCTION_NAME", "emulated"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/emulated"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAEMULATED"),
        ("AWS_SECRET_ACCESS_KEY", "emulated"),
        ("AWS_SESSION_TOKEN", "emulated"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("_HANDLER", "bootstrap"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
    ];
    let mut env: BTreeMap<String, String> = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    env.insert("AWS_LAMBDA_LOG_STREAM_NAME".into(), format!("2026/01/01/[$LATEST]{number:032x}"));
    if config.concurrency_per_environment > 1 {
        env.insert("AWS_LAMBDA_MAX_CONCURRENCY".into(), config.concurrency_per_environment.to_string());
        env.insert("AWS_LAMBDA_INITIALIZATION_TYPE".into(), "lambda-managed-instances".into());
    }
    env.extend(config.env.clone());
    if let Some(name) = config.own_port {
        env.insert(name.to_owned(), free_port().port().to_string());
    }
    env
}
