//! Publishes updates to a server that makes none itself, from a thread: requests one behind the other on one connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bench_peers::data;

/// A running feed; dropping it ends it.
pub(crate) struct Feed {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How a server is published to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct To {
    /// Method and path that make the channel, where it has to be made.
    made_by: Option<&'static str>,
    /// Path that takes an update.
    path: &'static str,
    header: &'static str,
}

/// nchan: a channel is there once it is used.
pub(crate) const NCHAN: To = To { made_by: None, path: "/publish", header: "X-EventSource-Event: update" };
/// durable-streams: a stream of JSON.
pub(crate) const DURABLE_STREAMS: To =
    To { made_by: Some("PUT /events"), path: "/events", header: "Content-Type: application/json" };

impl Feed {
    /// Makes the channel, and publishes `rate` updates a second to it, those of each `every` at once.
    pub(crate) fn start(port: u16, to: To, rate: u32, every: Duration) -> std::io::Result<Self> {
        if let Some(made_by) = to.made_by {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            let request = format!("{made_by} HTTP/1.1\r\nHost: a\r\n{}\r\nContent-Length: 0\r\n\r\n", to.header);
            stream.write_all(request.as_bytes())?;
            answered(&mut BufReader::new(stream))?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            // The server may end before its feed does; what did not come is seen at the other end.
            publish(port, to, rate, every, &stopped).ok();
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn publish(port: u16, to: To, rate: u32, every: Duration, stop: &AtomicBool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let (began, mut n, mut tick) = (Instant::now(), 0_u64, 0_u32);
    while !stop.load(Ordering::Relaxed) {
        tick += 1;
        std::thread::sleep((every * tick).saturating_sub(began.elapsed()));
        let due = u64::from(rate) * u64::from(tick) * u64::try_from(every.as_millis()).unwrap_or(u64::MAX) / 1000;
        let mut requests = Vec::new();
        let first = n;
        while n < due {
            n += 1;
            let data = data(n);
            let head = format!("POST {} HTTP/1.1\r\nHost: a\r\n{}\r\nContent-Length: ", to.path, to.header);
            requests.extend(format!("{head}{}\r\n\r\n{data}", data.len()).into_bytes());
        }
        stream.write_all(&requests)?;
        (first..n).try_for_each(|_| answered(&mut answers))?;
    }
    Ok(())
}

fn answered(answers: &mut impl BufRead) -> std::io::Result<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    std::io::copy(&mut answers.take(length), &mut std::io::sink()).map(drop)
}
