//! Bodies of requests that break off when they take too long, for where the functions are an ordinary server: a platform hands over whole
//! requests.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::limits;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The body of a request, all of which comes within [`limits::REQUEST_BODY_TIMEOUT`].
pub(super) struct InTime<B> {
    body: B,
    /// Runs from the first time on that somebody waits for it: most requests have no body.
    late: Option<Pin<Box<Sleep>>>,
}

impl<B> InTime<B> {
    pub(super) const fn new(body: B) -> Self {
        Self { body, late: None }
    }
}

impl<B: Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin> Body for InTime<B> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(limits::REQUEST_BODY_TIMEOUT)));
        late.as_mut().poll(context).map(|()| {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the body takes too long");
            Some(Err(axum::Error::new(error)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::body::to_bytes;
    use tokio::time::Instant;

    use super::*;

    /// A body of so many bytes, of which one comes each so often.
    struct Drops(u32, Duration, Pin<Box<Sleep>>);

    impl Body for Drops {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.0 == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.2.as_mut().poll(context));
            let next = Instant::now() + self.1;
            self.2.as_mut().reset(next);
            self.0 -= 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_a_time_for_all_of_it_however_steadily_it_comes() {
        let read = async |bytes, every| {
            let body = InTime::new(Drops(bytes, every, Box::pin(sleep(every))));
            to_bytes(axum::body::Body::new(body), usize::MAX).await.map(|bytes| bytes.len())
        };
        let began = Instant::now();
        assert_eq!(read(9, Duration::from_secs(2)).await.unwrap(), 9);
        assert_eq!(read(0, Duration::ZERO).await.unwrap(), 0);
        assert_eq!(began.elapsed(), Duration::from_secs(18));
        let late = read(1_000_000, Duration::from_secs(1)).await.unwrap_err();
        assert!(late.to_string().contains("too long"), "{late}");
        assert_eq!(began.elapsed(), Duration::from_secs(18) + limits::REQUEST_BODY_TIMEOUT);
    }
}
