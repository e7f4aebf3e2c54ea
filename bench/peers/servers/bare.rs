//! The least that a server can do: one thread that writes the same bytes to one socket after the other. `bare PORT RATE EVERY_MS`.
//!
//! No server of others: what it takes for an update is what the system takes for a write, below which nobody comes on this machine.

#![allow(clippy::disallowed_methods, reason = "a program of somebody else's kind: it reads the clock")]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bench_peers::data;

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\nevent: hello\ndata: {}\n\n";

/// An update as long as the others' are.
fn update(n: u64) -> String {
    format!("id: {n}\nevent: update\ndata: {}\n\n", data(n))
}

/// Answers whoever asks, whatever that is.
fn greet(listener: &TcpListener, greeted: &Sender<TcpStream>) {
    for stream in listener.incoming().flatten() {
        let mut stream = stream;
        let is_greeted =
            stream.set_nodelay(true).and_then(|()| stream.read(&mut [0; 4096])).and_then(|_| stream.write_all(HEAD));
        // A full buffer must not hold the others up.
        if is_greeted.and_then(|()| stream.set_nonblocking(true)).is_err() || greeted.send(stream).is_err() {
            return;
        }
    }
}

fn feed(greeted: &Receiver<TcpStream>, rate: u64, every: Duration) {
    let (mut clients, mut n, mut owed, mut next) = (Vec::<TcpStream>::new(), 0, 0.0, Instant::now());
    loop {
        next += every;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        clients.extend(greeted.try_iter());
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let due = rate as f64 * every.as_secs_f64();
        owed += due;
        let mut bytes = Vec::new();
        while owed >= 1.0 {
            owed -= 1.0;
            n += 1;
            bytes.extend_from_slice(update(n).as_bytes());
        }
        // One whose buffer is full has left, or loses something: here nobody is waited for.
        clients.retain_mut(|client| match client.write(&bytes) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        });
    }
}

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let mut number = || numbers.next().ok_or_else(|| std::io::Error::other("usage: bare PORT RATE EVERY_MS"));
    let (port, rate, every) = (number()?, number()?, Duration::from_millis(number()?));
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let (greeted, waiting) = channel();
    std::thread::spawn(move || greet(&listener, &greeted));
    feed(&waiting, rate, every);
    Ok(())
}
