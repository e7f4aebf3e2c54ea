//! Streams written straight to their sockets, for where the functions are an ordinary server.
//!
//! hyper keeps two buffers of 8 KB for each connection, whatever it is told, and copies small writes. A stream that nothing happens on needs
//! neither: here a connection holds its body and what of one write the system has not taken yet.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use contract::limits;
use http::Request;
use http_body::Body as _;
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::dead_readers::Connection;
use super::head::{self, Asker, Framing, Head};
use super::start;

/// Bytes of a head that are made room for at first: browsers send less than a kilobyte.
const HEAD_BYTES: usize = 1024;
/// Data up to so many bytes is made one piece with what makes it a chunk: the system takes that in less time than three.
const CHUNK_BYTES_MAX: usize = 16 * 1024;
/// The empty chunk.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// What follows the data of every other one.
const AFTER_CHUNK: &[u8] = b"\r\n";

/// What comes next on a connection.
pub(super) enum First {
    /// A request for a stream, and nothing else.
    Stream(Box<Request<()>>),
    /// These bytes, which are not for us to understand.
    Other(Vec<u8>),
    /// Nothing: its client has left, or takes too long, or the server stops.
    Nothing,
}

/// Reads until it is known what comes next on a connection; what was `read` already comes first, and else something within `silence_max`.
pub(super) async fn first(
    stream: &TcpStream,
    mut read: Vec<u8>,
    silence_max: Duration,
    stop: &mut watch::Receiver<bool>,
) -> First {
    if *stop.borrow() {
        // Who comes now gets one answer, and whoever gives it knows that.
        return First::Other(read);
    }
    let heard = timeout(limits::REQUEST_HEAD_TIMEOUT, head(stream, &mut read, silence_max));
    tokio::select! {
        first = heard => return first.unwrap_or(First::Nothing),
        () = start::stopped(stop) => {}
    }
    if read.is_empty() { First::Nothing } else { First::Other(read) }
}

async fn head(stream: &TcpStream, read: &mut Vec<u8>, silence_max: Duration) -> First {
    loop {
        match head::read(read) {
            Head::Partial => {}
            Head::Stream(request) => return First::Stream(request),
            Head::Other => return First::Other(std::mem::take(read)),
        }
        read.reserve(HEAD_BYTES);
        let wait = if read.is_empty() { silence_max } else { limits::REQUEST_HEAD_TIMEOUT };
        let Ok(readable) = timeout(wait, stream.readable()).await else { return First::Nothing };
        match readable.and_then(|()| stream.try_read_buf(read)) {
            Ok(0) => return if read.is_empty() { First::Nothing } else { First::Other(std::mem::take(read)) },
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return First::Nothing,
        }
    }
}

/// Waits until the client has left. What it says meanwhile is kept for later.
pub(super) async fn left(stream: &TcpStream, read: &mut Vec<u8>) {
    poll_fn(|context| poll_left(stream, read, context)).await;
}

/// Nobody sends much while a stream is open: who does is not heard any more, until it is over.
fn poll_left(stream: &TcpStream, read: &mut Vec<u8>, context: &mut Context<'_>) -> Poll<()> {
    let mut bytes = [0; 256];
    while read.len() < limits::CONNECTION_BUFFER_BYTES_MAX {
        if ready!(stream.poll_read_ready(context)).is_err() {
            return Poll::Ready(());
        }
        match stream.try_read(&mut bytes) {
            Ok(0) => return Poll::Ready(()),
            Ok(count) => read.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Poll::Ready(()),
        }
    }
    Poll::Pending
}

/// Data as a chunk, made once for all who are given the same bytes one after the other.
#[derive(Default)]
pub(super) struct Chunks(Mutex<Chunk>);

#[derive(Default)]
struct Chunk {
    /// Held as long as it is compared with, so that no other bytes can be where it is.
    data: Bytes,
    whole: Bytes,
}

impl Chunks {
    fn of(&self, data: Bytes) -> Bytes {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if (last.data.as_ptr(), last.data.len()) != (data.as_ptr(), data.len()) {
            let size = chunk_size(&data);
            let whole = [size.as_slice(), &data, AFTER_CHUNK].concat().into();
            *last = Chunk { data, whole };
        }
        last.whole.clone()
    }
}

fn chunk_size(data: &[u8]) -> Vec<u8> {
    format!("{:x}\r\n", data.len()).into_bytes()
}

/// A connection that may have another request, of which this much was read.
pub(super) type Kept = (TcpStream, Vec<u8>);

/// Writes an answer to its end, or until its client leaves.
pub(super) struct Answer {
    /// Taken away at the end.
    connection: Option<Connection>,
    /// What came after the request.
    read: Vec<u8>,
    body: Body,
    is_kept: bool,
    /// Where its data is in chunks.
    chunks: Option<Arc<Chunks>>,
    is_last: bool,
    write: Write,
}

impl Answer {
    /// Begins with the head. `date` is the value of the header of that name; `chunks` are shared with other answers.
    pub(super) fn new((stream, read): Kept, asker: Asker, answer: Response, date: &str, chunks: &Arc<Chunks>) -> Self {
        let (parts, body) = answer.into_parts();
        let framing = Framing::of(asker.version, body.size_hint().exact());
        let head = head::answer(asker, parts.status, &parts.headers, framing, date);
        Self {
            connection: Some(Connection::new(stream, Vec::new())),
            read,
            body,
            is_kept: asker.is_kept && framing != Framing::Close,
            chunks: (framing == Framing::Chunks).then(|| Arc::clone(chunks)),
            is_last: false,
            write: Write { before: head, ..Write::default() },
        }
    }
}

impl Future for Answer {
    /// The connection, where it goes on.
    type Output = io::Result<Option<Kept>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(connection) = &mut this.connection else { return Poll::Ready(Ok(None)) };
        if poll_left(connection.stream(), &mut this.read, context).is_ready() {
            return Poll::Ready(Ok(None));
        }
        loop {
            // The head goes out together with the first part, where that is there at once.
            if this.write.has_data() || this.is_last {
                ready!(this.write.poll(connection, context))?;
            }
            if this.is_last {
                break;
            }
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(frame)) => this.write.take(frame, this.chunks.as_deref())?,
                Poll::Ready(None) => {
                    this.is_last = true;
                    this.write.data = Bytes::from_static(if this.chunks.is_some() { LAST_CHUNK } else { b"" });
                }
                Poll::Pending => {
                    ready!(this.write.poll(connection, context))?;
                    return Poll::Pending;
                }
            }
        }
        if !this.is_kept {
            return Pin::new(connection).poll_shutdown(context).map_ok(|()| None);
        }
        let kept = this.connection.take().map(Connection::into_stream);
        Poll::Ready(Ok(kept.map(|stream| (stream, std::mem::take(&mut this.read)))))
    }
}

/// What is to be written yet.
#[derive(Default)]
struct Write {
    /// The head of the answer, the size of a chunk.
    before: Vec<u8>,
    data: Bytes,
    after: &'static [u8],
    written: usize,
}

impl Write {
    fn has_data(&self) -> bool {
        !self.data.is_empty()
    }

    /// Takes the next part of the body.
    fn take(&mut self, frame: Result<http_body::Frame<Bytes>, axum::Error>, chunks: Option<&Chunks>) -> io::Result<()> {
        // A body that breaks has no end that could be taken for a whole answer. Trailers there are none.
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { return Ok(()) };
        self.data = match chunks {
            Some(chunks) if (1..=CHUNK_BYTES_MAX).contains(&data.len()) => chunks.of(data),
            Some(_) if !data.is_empty() => {
                self.before.extend(chunk_size(&data));
                self.after = AFTER_CHUNK;
                data
            }
            _ => data,
        };
        Ok(())
    }

    /// Writes all of it, without copying any.
    fn poll(&mut self, connection: &mut Connection, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let length = self.before.len() + self.data.len() + self.after.len();
        while self.written < length {
            let connection = Pin::new(&mut *connection);
            let written = if self.before.is_empty() && self.after.is_empty() {
                connection.poll_write(context, &self.data[self.written..])
            } else {
                let mut slices = [IoSlice::new(&self.before), IoSlice::new(&self.data), IoSlice::new(self.after)];
                let mut left = &mut slices[..];
                IoSlice::advance_slices(&mut left, self.written);
                connection.poll_write_vectored(context, left)
            };
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        if length > 0 {
            ready!(Pin::new(connection).poll_flush(context))?;
            // Nothing is kept while nothing is to be said.
            *self = Self::default();
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_made_once_for_the_same_bytes_and_anew_for_others() {
        let chunks = Chunks::default();
        let data = Bytes::from(b"data: 1\n\n".to_vec());
        let first = chunks.of(data.clone());
        assert_eq!(&*first, b"9\r\ndata: 1\n\n\r\n");
        assert_eq!(chunks.of(data.clone()).as_ptr(), first.as_ptr());
        // As long, and a part of the same: neither is the same.
        assert_eq!(&*chunks.of(Bytes::from(b"data: 2\n\n".to_vec())), b"9\r\ndata: 2\n\n\r\n");
        assert_eq!(&*chunks.of(data.slice(..8)), b"8\r\ndata: 1\n\r\n");
        assert_eq!(chunks.of(data), first);
    }
}
