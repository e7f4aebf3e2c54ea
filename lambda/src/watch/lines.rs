//! Standard output from a thread of its own: a log that is read slowly, or not at all, delays no stream.
//!
//! Lines wait in a bounded queue; what finds it full is dropped and counted, and the log says so as soon as there is room. Before
//! the platform may stop the process, [`written`] waits until what is queued is out.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

/// Lines that wait at most.
const QUEUE_LINES: usize = 1024;
/// Longest wait for the queue at the end of an answer: the invocation is billed for it.
const WAIT_MAX: Duration = Duration::from_millis(250);

static QUEUE: OnceLock<SyncSender<Message>> = OnceLock::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum Message {
    Line(Vec<u8>),
    /// All lines before are written.
    Mark(oneshot::Sender<()>),
}

/// Starts the thread. Without it, lines are written where they are made.
pub fn start() {
    let (sender, receiver) = sync_channel(QUEUE_LINES);
    if QUEUE.set(sender).is_ok() {
        let thread = std::thread::Builder::new().name("lines".to_owned());
        // Without the thread its end of the queue is gone, which `send` takes for none.
        let _started = thread.spawn(move || serve(&receiver, &mut io::stdout()));
    }
}

/// Writes a line, without its end, as soon as standard output takes it.
pub fn write(text: String) {
    let mut line = text.into_bytes();
    line.push(b'\n');
    send(line);
}

/// Lines that were dropped so far.
#[must_use]
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Waits until what is queued now is written, a quarter of a second at most.
pub async fn written() {
    if let Some(done) = mark() {
        // Out of time or of a thread: it cannot be logged.
        let _late = tokio::time::timeout(WAIT_MAX, done).await;
    }
}

/// The same at the end of the process, where nothing else is left to run.
pub fn finish() {
    let Some(mut done) = mark() else { return };
    let step = Duration::from_millis(1);
    for _ in 0..WAIT_MAX.as_millis() {
        match done.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => std::thread::sleep(step),
            _ => return,
        }
    }
}

fn mark() -> Option<oneshot::Receiver<()>> {
    let (sender, receiver) = oneshot::channel();
    // A full queue is one that is not read: waiting for it would not help.
    QUEUE.get()?.try_send(Message::Mark(sender)).ok()?;
    Some(receiver)
}

fn send(line: Vec<u8>) {
    let rest = match QUEUE.get() {
        Some(queue) => match queue.try_send(Message::Line(line)) {
            Err(TrySendError::Disconnected(Message::Line(line))) => line,
            Err(_) => {
                DROPPED.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Ok(()) => return,
        },
        None => line,
    };
    // Before the start of logging, and where no thread could be had.
    let _closed = io::stdout().write_all(&rest);
}

fn serve(queue: &Receiver<Message>, out: &mut impl Write) {
    let mut reported = 0;
    for message in queue {
        match message {
            // A closed output takes nothing more; the lines go nowhere, and the streams on.
            Message::Line(line) => drop(out.write_all(&line).and_then(|()| out.flush())),
            Message::Mark(done) => drop(done.send(())),
        }
        let dropped = dropped();
        if dropped > reported {
            let line =
                format!("{{\"level\":\"WARN\",\"message\":\"log lines dropped\",\"lines\":{}}}\n", dropped - reported);
            reported = dropped;
            drop(out.write_all(line.as_bytes()).and_then(|()| out.flush()));
        }
    }
}

/// What `tracing` writes its lines into, each in one piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
