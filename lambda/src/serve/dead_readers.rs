//! Connections that end when their client stops reading, for where the functions are an ordinary server.
//!
//! A stream is pulled: one whose client has stopped reading is never asked for more, and so never comes to its own end. On Lambda
//! the platform reads whatever is written; here such a client would keep a slot taken until TCP gives up.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use contract::limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A connection that ends when its client has not read what was written for [`limits::WRITE_BEHIND_MAX`].
pub(super) struct Connection {
    stream: TcpStream,
    /// Runs while bytes wait for the client: from the first that the system had no room for until all are written. A
    /// trickle does not stop it.
    behind: Option<Pin<Box<Sleep>>>,
    /// Bytes that were read of it and are to be read again.
    again: Vec<u8>,
}

impl Connection {
    /// Takes over a connection whose client is not behind. What was `read` of it already comes first.
    pub(super) fn new(stream: TcpStream, read: Vec<u8>) -> Self {
        Self { stream, behind: None, again: read }
    }

    /// Gives it back. Its client must not be behind.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// For what else there is to know of it; all that is written goes through here.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Whether the client has been behind for too long; otherwise wakes the writer when it has.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let Some(behind) = &mut self.behind else { return Poll::Pending };
        ready!(behind.as_mut().poll(context));
        // What the system still holds for this client goes too; it would try to send that for a quarter of an hour.
        if let Err(error) = self.stream.set_zero_linger() {
            tracing::debug!(%error, "SO_LINGER cannot be set");
        }
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client does not read"))
    }

    fn poll_put(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_late(context) {
            return Poll::Ready(Err(error));
        }
        let written = write(Pin::new(&mut self.stream), context);
        if written.is_pending() && self.behind.is_none() {
            self.behind = Some(Box::pin(sleep(limits::WRITE_BEHIND_MAX)));
            return self.poll_late(context).map(Err);
        }
        written
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_put(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_put(context, |stream, context| stream.poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Comes when everything is written: the client has caught up.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.behind = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.again.is_empty() {
            let count = self.again.len().min(buffer.remaining());
            buffer.put_slice(&self.again[..count]);
            self.again.drain(..count);
            return Poll::Ready(Ok(()));
        }
        // Nothing is kept while nothing is to be read again.
        self.again = Vec::new();
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
