//! Standard output from a thread of its own: a log that is read slowly, or not at all, delays no stream.
//!
//! Lines wait in a queue that is bounded in bytes, so that all streams of a process may end at once and each leave its lines; what
//! finds it full is dropped and counted, and the log says so as soon as there is room. Before the platform may stop the process,
//! [`written`] waits until what is queued is out.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::time::Duration;

use contract::limits::LOG_QUEUE_BYTES_MAX;
use tokio::sync::oneshot;

/// What a line takes beside its text: the message in the queue and what the allocator rounds up.
const LINE_OVERHEAD_BYTES: usize = 64;
/// Longest wait for the queue at the end of an answer: the invocation is billed for it.
const WAIT_MAX: Duration = Duration::from_millis(250);
/// Longest wait at the end of the process, where nothing else waits for it, and an output that is slow may take everything yet. A
/// platform that has less patience ends the process itself.
const FINISH_MAX: Duration = Duration::from_secs(5);

static QUEUE: OnceLock<Sender<Message>> = OnceLock::new();
/// Bytes of lines that wait, [`LINE_OVERHEAD_BYTES`] each included.
static QUEUED_BYTES: AtomicUsize = AtomicUsize::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum Message {
    Line(Vec<u8>),
    /// All lines before are written.
    Mark(oneshot::Sender<()>),
}

/// Starts the thread. Without it, lines are written where they are made.
pub fn start() {
    let (sender, receiver) = channel();
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
    // A queue that is full is one that is not read: waiting for it would not help.
    if QUEUED_BYTES.load(Ordering::Relaxed) >= LOG_QUEUE_BYTES_MAX / 2 {
        return;
    }
    if let Some(done) = mark() {
        // Out of time or of a thread: it cannot be logged.
        let _late = tokio::time::timeout(WAIT_MAX, done).await;
    }
}

/// The same at the end of the process, where nothing else is left to run, five seconds at most.
pub fn finish() {
    let Some(mut done) = mark() else { return };
    let step = Duration::from_millis(1);
    for _ in 0..FINISH_MAX.as_millis() {
        match done.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => std::thread::sleep(step),
            _ => return,
        }
    }
}

fn mark() -> Option<oneshot::Receiver<()>> {
    let (sender, receiver) = oneshot::channel();
    QUEUE.get()?.send(Message::Mark(sender)).ok()?;
    Some(receiver)
}

fn send(line: Vec<u8>) {
    let rest = match QUEUE.get() {
        Some(queue) => {
            let bytes = line.len() + LINE_OVERHEAD_BYTES;
            if QUEUED_BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes > LOG_QUEUE_BYTES_MAX {
                QUEUED_BYTES.fetch_sub(bytes, Ordering::Relaxed);
                DROPPED.fetch_add(1, Ordering::Relaxed);
                return;
            }
            match queue.send(Message::Line(line)) {
                Err(SendError(Message::Line(line))) => line,
                _ => return,
            }
        }
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
            Message::Line(line) => {
                drop(out.write_all(&line).and_then(|()| out.flush()));
                QUEUED_BYTES.fetch_sub(line.len() + LINE_OVERHEAD_BYTES, Ordering::Relaxed);
            }
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
