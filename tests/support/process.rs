//! A child process in a clean environment, its output kept line by line, killed when its owner is dropped.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::reaper;

/// A hang must end at some time; a machine that is only slow takes less.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(300);

/// One line that a process wrote.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    /// When it arrived.
    pub at: Instant,
    /// Whether it was written to stderr.
    pub stderr: bool,
    /// The line without its end.
    pub text: String,
}

/// Lines as they arrive.
type Lines = Mutex<Vec<LogLine>>;

/// Locks even if a test failed while it held the lock: the data is still good for the failure's message.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running or ended child process.
pub(crate) struct Process {
    pid: u32,
    lines: Arc<Lines>,
    is_read: watch::Sender<bool>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts `program` with exactly these variables.
    pub(crate) fn spawn(program: &Path, arguments: &[String], env: &BTreeMap<String, String>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(env).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let pid = child.id().expect("a child that was not waited for has an id");
        reaper::adopt(pid);
        let lines = Arc::new(Lines::default());
        let (is_read, gate) = watch::channel(true);
        let stdout = child.stdout.take().expect("stdout was asked for");
        let stderr = child.stderr.take().expect("stderr was asked for");
        let stdout = read(stdout, false, Arc::clone(&lines), gate.clone());
        let stderr = read(stderr, true, Arc::clone(&lines), gate);
        let (ended, exit) = watch::channel(None);
        tokio::spawn(async move {
            let readers = async { tokio::join!(stdout, stderr) };
            let status = wait(&mut child, pid).await;
            // Everything it said is there before anybody hears that it ended; a grandchild may hold the pipes.
            drop(tokio::time::timeout(Duration::from_secs(1), readers).await);
            // Nobody may be waiting.
            ended.send_replace(Some(status));
        });
        Self { pid, lines, is_read, exit }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.exit.borrow().is_none()
            && let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw)
        {
            // It may end between the look and the signal.
            kill_process(pid, signal).ok();
        }
    }

    /// Reads on, or reads no more of what it writes than a line, and leaves the rest in its pipes.
    pub(crate) fn read_output(&self, is_read: bool) {
        self.is_read.send_replace(is_read);
    }

    /// Waits for the end.
    pub(crate) async fn exited(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await.expect("the waiting task outlives the process");
        status.expect("waited for exactly that")
    }

    /// Waits until it is up; fails the test with what it said where it ends instead.
    pub(crate) async fn is_up(&self, up: impl Future<Output = ()>) {
        tokio::select! {
            () = up => {}
            status = self.exited() => panic!("it ended with {status}:\n{}", self.text()),
            () = tokio::time::sleep(START_LIMIT) => panic!("it is not up:\n{}", self.text()),
        }
    }

    /// Waits for the end, but not longer than this.
    pub(crate) async fn exits_within(&self, limit: Duration) -> ExitStatus {
        let Ok(status) = tokio::time::timeout(limit, self.exited()).await else {
            panic!("the process still runs after {limit:?}; it said:\n{}", self.text());
        };
        status
    }

    /// All lines so far.
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        lock(&self.lines).clone()
    }

    /// The lines after the first so many.
    pub(crate) fn lines_after(&self, count: usize) -> Vec<LogLine> {
        lock(&self.lines).get(count..).unwrap_or_default().to_vec()
    }

    /// All lines so far as one text, for messages.
    pub(crate) fn text(&self) -> String {
        self.lines().iter().map(|line| format!("{}\n", line.text)).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL also ends a stopped process.
        self.signal(Signal::KILL);
    }
}

async fn wait(child: &mut Child, pid: u32) -> ExitStatus {
    let status = child.wait().await.expect("a child can be waited for");
    reaper::release(pid);
    status
}

fn read(
    pipe: impl AsyncRead + Send + Unpin + 'static,
    stderr: bool,
    lines: Arc<Lines>,
    mut gate: watch::Receiver<bool>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        // By bytes: a program that writes something else than UTF-8 must not silence the rest.
        while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
            lock(&lines).push(LogLine { at: Instant::now(), stderr, text });
            bytes.clear();
            // Without an owner the process is killed, and what is left in the pipe is nobody's.
            if gate.wait_for(|is_read| *is_read).await.is_err() {
                break;
            }
        }
    })
}
