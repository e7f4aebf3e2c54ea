//! Connections that end when their client stops reading, for where the functions are an ordinary server.
//!
//! A stream is pulled: one whose client has stopped reading is never asked for more, and so never comes to its own end. On Lambda
//! the platform reads whatever is written; here such a client would keep a slot taken until TCP gives up.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use contract::limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Longest time that the last byte that was read prolongs.
const PROLONGED_MAX: Duration = Duration::from_secs(3 * limits::WRITE_BEHIND_MAX.as_secs());

/// A connection that ends when its client has not read what was written for [`limits::WRITE_BEHIND_MAX`], and for as long as
/// [`limits::READ_RATE_MIN`] takes to what it has read since.
pub(super) struct Connection {
    stream: TcpStream,
    /// Runs while bytes wait for the client: from the first that the system had no room for until all are written. What is read
    /// meanwhile prolongs it, a trickle by next to nothing.
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
        match (&written, &mut self.behind) {
            (Poll::Pending, None) => {
                self.behind = Some(Box::pin(sleep(limits::WRITE_BEHIND_MAX)));
                return self.poll_late(context).map(Err);
            }
            (Poll::Ready(Ok(count)), Some(behind)) => {
                let bytes = u32::try_from(*count).unwrap_or(u32::MAX);
                let later = behind.deadline() + Duration::from_secs(1) * bytes / limits::READ_RATE_MIN;
                // What the systems of both ends took in between is not read yet.
                behind.as_mut().reset(later.min(Instant::now() + PROLONGED_MAX));
            }
            _ => {}
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::advance;

    use super::*;

    /// Lets a connection write: so many bytes are taken, or none for want of room.
    async fn put(connection: &mut Connection, taken: Option<usize>) -> Poll<io::Result<usize>> {
        std::future::poll_fn(|context| {
            let answer = |_: Pin<&mut TcpStream>, _: &mut Context<'_>| {
                taken.map_or(Poll::Pending, |count| Poll::Ready(Ok(count)))
            };
            Poll::Ready(connection.poll_put(context, answer))
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_on_is_waited_for_as_long_as_a_slow_line_takes_and_a_trickle_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = async || {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            Connection::new(stream, Vec::new())
        };
        let nearly = limits::WRITE_BEHIND_MAX - Duration::from_secs(1);
        let second = limits::READ_RATE_MIN as usize;
        // All at once is what the systems take, most of which nobody has read.
        for (read, more_secs) in [(0, 0), (second / 100, 0), (20 * second, 20), (4_000 * second, 29)] {
            let mut connection = connection().await;
            assert!(put(&mut connection, None).await.is_pending());
            advance(nearly).await;
            assert!(matches!(put(&mut connection, Some(read)).await, Poll::Ready(Ok(_))));
            advance(Duration::from_secs(more_secs)).await;
            assert!(put(&mut connection, None).await.is_pending(), "{read}");
            advance(Duration::from_secs(2)).await;
            assert!(matches!(put(&mut connection, None).await, Poll::Ready(Err(_))), "{read}");
        }
    }
}
