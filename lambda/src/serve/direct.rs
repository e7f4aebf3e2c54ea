//! Streams written straight to their sockets, for where the functions are an ordinary server.
//!
//! hyper keeps two buffers of 8 KB for each connection, whatever it is told, and copies small writes. A stream that nothing happens on needs
//! neither: here a connection holds its body and what of one write the system has not taken yet.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use contract::limits;
use http::{Request, Version};
use http_body::Body as _;
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::dead_readers::Connection;
use super::head::{self, Framing, Head};
use super::start;

/// Bytes of a head that are made room for at first: browsers send less than a kilobyte.
const HEAD_BYTES: usize = 1024;
/// The empty chunk.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What a connection begins with.
pub(super) enum First {
    /// A request for a stream, and nothing else.
    Stream(Box<Request<()>>),
    /// These bytes, which are not for us to understand.
    Other(Vec<u8>),
    /// Nothing: its client has left, or takes too long, or the server stops.
    Nothing,
}

/// Reads until it is known what a connection begins with.
pub(super) async fn first(stream: &TcpStream, stop: &mut watch::Receiver<bool>) -> First {
    let mut read = Vec::new();
    if *stop.borrow() {
        // Who comes now gets one answer, and whoever gives it knows that.
        return First::Other(read);
    }
    tokio::select! {
        first = timeout(limits::REQUEST_HEAD_TIMEOUT, head(stream, &mut read)) => return first.unwrap_or(First::Nothing),
        () = start::stopped(stop) => {}
    }
    if read.is_empty() { First::Nothing } else { First::Other(read) }
}

async fn head(stream: &TcpStream, read: &mut Vec<u8>) -> First {
    loop {
        if stream.readable().await.is_err() {
            return First::Nothing;
        }
        read.reserve(HEAD_BYTES);
        match stream.try_read_buf(read) {
            Ok(0) => return if read.is_empty() { First::Nothing } else { First::Other(std::mem::take(read)) },
            Ok(_) => match head::read(read) {
                Head::Partial => {}
                Head::Stream(request) => return First::Stream(request),
                Head::Other => return First::Other(std::mem::take(read)),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return First::Nothing,
        }
    }
}

/// Waits until the client has left.
pub(super) async fn left(stream: &TcpStream) {
    poll_fn(|context| poll_left(stream, context)).await;
}

/// What a client says while it is answered is let go of: the answer says that nothing more is answered on its connection.
fn poll_left(stream: &TcpStream, context: &mut Context<'_>) -> Poll<()> {
    let mut ignored = [0; 256];
    loop {
        if ready!(stream.poll_read_ready(context)).is_err() {
            return Poll::Ready(());
        }
        match stream.try_read(&mut ignored) {
            Ok(0) => return Poll::Ready(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Poll::Ready(()),
        }
    }
}

/// Writes an answer to its end, or until its client leaves. The connection ends with it.
pub(super) struct Answer {
    connection: Connection,
    body: Body,
    is_chunked: bool,
    is_last: bool,
    write: Write,
}

impl Answer {
    /// Begins with the head. `date` is the value of the header of that name.
    pub(super) fn new(stream: TcpStream, version: Version, answer: Response, date: &str) -> Self {
        let (parts, body) = answer.into_parts();
        let framing = Framing::of(version, body.size_hint().exact());
        let head = head::answer(version, parts.status, &parts.headers, framing, date);
        Self {
            connection: Connection::new(stream, Vec::new()),
            body,
            is_chunked: framing == Framing::Chunks,
            is_last: false,
            write: Write { before: head, ..Write::default() },
        }
    }

    /// Takes the next part of the body, or its end.
    fn take(&mut self, frame: Option<Result<http_body::Frame<Bytes>, axum::Error>>) -> io::Result<()> {
        match frame {
            Some(Ok(frame)) => {
                // Trailers there are none.
                if let Ok(data) = frame.into_data()
                    && !data.is_empty()
                {
                    self.write.put(data, self.is_chunked);
                }
                Ok(())
            }
            // Without an end that could be taken for a whole answer.
            Some(Err(error)) => Err(io::Error::other(error)),
            None => {
                self.is_last = true;
                if self.is_chunked {
                    self.write.data = Bytes::from_static(LAST_CHUNK);
                }
                Ok(())
            }
        }
    }
}

impl Future for Answer {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if poll_left(this.connection.stream(), context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        loop {
            // The head goes out together with the first part, where that is there at once.
            if this.write.has_data() || this.is_last {
                ready!(this.write.poll(&mut this.connection, context))?;
            }
            if this.is_last {
                return Pin::new(&mut this.connection).poll_shutdown(context);
            }
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(frame) => this.take(frame)?,
                Poll::Pending => {
                    ready!(this.write.poll(&mut this.connection, context))?;
                    return Poll::Pending;
                }
            }
        }
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

    fn put(&mut self, data: Bytes, is_chunked: bool) {
        if is_chunked {
            let size = format!("{:x}\r\n", data.len());
            self.before.extend_from_slice(size.as_bytes());
            self.after = b"\r\n";
        }
        self.data = data;
    }

    /// Writes all of it, without copying any.
    fn poll(&mut self, connection: &mut Connection, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let length = self.before.len() + self.data.len() + self.after.len();
        while self.written < length {
            let mut slices = [IoSlice::new(&self.before), IoSlice::new(&self.data), IoSlice::new(self.after)];
            let mut left = &mut slices[..];
            IoSlice::advance_slices(&mut left, self.written);
            match ready!(Pin::new(&mut *connection).poll_write_vectored(context, left))? {
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
