//! The response body of a stream: pulls the session, waits between its steps, and owns what must be freed at the end.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use contract::logs;
use futures_util::Stream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::Span;

use super::configuration::Follower;
use crate::clock::Clock;
use crate::core::event::EndReason;
use crate::core::session::{Session, Step, View};
use crate::core::snapshot::Snapshot;
use crate::hub::Subscription;
use crate::slots::{Permit, Slots};
use crate::telemetry::MEASURED;

/// Everything one open stream needs. Dropping it, however that happens, frees the slot and writes the closing log line.
pub struct OpenStream {
    /// The state machine.
    pub session: Session,
    /// The hub's news; the poller runs while this lives.
    pub subscription: Subscription,
    /// The configuration it follows, where it is one's stream.
    pub follower: Option<Follower>,
    /// The slot this stream takes.
    pub permit: Permit,
    /// For the number of connections in heartbeats.
    pub slots: Slots,
    /// Reads the time.
    pub clock: Clock,
    /// When the instance started.
    pub started: Instant,
    /// Turns true when the process is told to stop.
    pub shutdown: watch::Receiver<bool>,
    /// What the stream has sent.
    pub sent: Sent,
    /// Where log lines belong.
    pub span: Span,
}

/// What one stream has sent, for its closing log line.
#[derive(Debug)]
pub struct Sent {
    began: Instant,
    bytes: u64,
    writes: u64,
}

impl Default for Sent {
    fn default() -> Self {
        Self { began: Instant::now(), bytes: 0, writes: 0 }
    }
}

impl OpenStream {
    /// Turns the stream into a response body.
    pub fn into_body(self) -> Body {
        let span = self.span.clone();
        let pulled = futures_util::stream::unfold(Box::new(self), |mut open| async move {
            // Infallible: the Lambda runtime would print an error into the client's stream.
            open.next().await.map(|bytes| (Ok::<_, Infallible>(bytes), open))
        });
        Body::from_stream(Guarded { stream: Some(Box::pin(pulled)), span })
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.follow_configuration();
            let snapshot = self.subscription.snapshot();
            match self.step(snapshot.as_ref()) {
                Step::Send(bytes) => {
                    self.sent.bytes += bytes.len() as u64;
                    self.sent.writes += 1;
                    return Some(bytes);
                }
                Step::Close => return None,
                Step::Wait(until) => tokio::select! {
                    () = sleep_until(Instant::from_std(until)) => {}
                    () = self.subscription.changed() => {}
                    () = changed(&mut self.follower) => {}
                    // An error means that nobody is left to stop us: then only the clock ends the session.
                    Ok(_) = self.shutdown.wait_for(|stop| *stop) => {}
                },
            }
        }
    }

    fn follow_configuration(&mut self) {
        let Some(follower) = &self.follower else { return };
        match &*follower.latest() {
            Some(filter) => self.session.narrow(filter),
            None => self.session.end_early(Instant::now().into_std(), EndReason::ConfigurationDeleted),
        }
    }

    fn step(&mut self, snapshot: Option<&Arc<Snapshot>>) -> Step {
        let view = View {
            snapshot,
            connections: self.slots.taken(),
            uptime: self.started.elapsed(),
            shutdown: *self.shutdown.borrow(),
        };
        self.session.step(self.clock.now(), view)
    }
}

/// Waits for another configuration, where there is one to follow.
async fn changed(follower: &mut Option<Follower>) {
    match follower {
        Some(follower) => follower.changed().await,
        None => std::future::pending().await,
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        tracing::info!(
            target: MEASURED,
            message = logs::STREAM_CLOSED,
            { logs::REASON } = self.session.ended().unwrap_or(logs::CLIENT_LEFT),
            { logs::SECONDS } = self.sent.began.elapsed().as_secs_f64(),
            { logs::EVENTS } = self.session.events_sent(),
            { logs::UPDATES } = self.session.updates_sent(),
            { logs::BYTES } = self.sent.bytes,
            { logs::POLLS } = self.subscription.polls(),
            writes = self.sent.writes,
        );
    }
}

/// Polls a stream inside its span, and ends it when it panics instead of taking the process along.
struct Guarded<S> {
    stream: Option<Pin<Box<S>>>,
    span: Span,
}

impl<S: Stream> Stream for Guarded<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
        let _entered = this.span.enter();
        // The stream is dropped after a panic, so nobody sees what the panic left half done.
        match std::panic::catch_unwind(AssertUnwindSafe(|| stream.as_mut().poll_next(context))) {
            Ok(Poll::Ready(None)) => {
                // The slot is free as soon as the last byte is out, not when the connection gets around to it.
                this.stream = None;
                Poll::Ready(None)
            }
            Ok(polled) => polled,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                tracing::error!(panic = text, "stream ended by a panic");
                this.stream = None;
                Poll::Ready(None)
            }
        }
    }
}

/// How long a stream whose client presented a cursor waits for the table before its first byte: whether the cursor can be
/// honoured should be known by then, but a table that is down must not keep the heartbeat back.
pub const CURSOR_WAIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_ends_the_stream_and_nothing_else() {
        let stream = futures_util::stream::iter(0..3).map(|n| if n == 1 { panic!("boom {n}") } else { n });
        let mut guarded = Guarded { stream: Some(Box::pin(stream)), span: Span::none() };
        assert_eq!(guarded.next().await, Some(0));
        assert_eq!(guarded.next().await, None);
        assert_eq!(guarded.next().await, None);
    }
}
