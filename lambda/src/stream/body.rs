//! The response body of a stream: pulls the session, waits between its steps, and owns what must be freed at the end.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use contract::metrics::Metric;
use contract::{events, logs};
use futures_util::Stream;
use http::{HeaderName, HeaderValue, header};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::Span;

use super::follower::Follower;
use crate::clock::Clock;
use crate::stream::goodbyes::Watch;
use crate::stream::slots::{Permit, Slots};
use crate::stream::subscription::Subscription;
use crate::watch::lines;
use crate::watch::logs::MEASURED;
use crate::watch::meter::Meter;
use crate::watch::panics::{catch, message};
use crate::watch::xray::{StreamTrace, Trace, XRay};
use stream_core::cursor::ResetReason;
use stream_core::event::EndReason;
use stream_core::session::{Session, Step, View};
use stream_core::timestamp::Timestamp;

/// Everything one open stream needs. Dropping it, however that happens, frees the slot and writes the closing log line.
pub struct OpenStream {
    /// The state machine.
    pub session: Session,
    /// The hub's news; the poller runs while this lives.
    pub subscription: Subscription,
    /// The configuration it follows, where it is one's stream.
    pub follower: Option<Follower>,
    /// Looks out for the client's goodbye, where clients say any.
    pub goodbye: Option<Watch>,
    /// The slot this stream takes, until the last bytes are handed out.
    pub permit: Option<Permit>,
    /// For the number of connections in heartbeats.
    pub slots: Slots,
    /// Reads the time.
    pub clock: Clock,
    /// When the instance started.
    pub started: Instant,
    /// What the stream has sent.
    pub sent: Sent,
    /// Bytes after which it ends early: whoever joins it late gets all of them at once.
    pub bytes_max: u64,
    /// Where it counts.
    pub meter: Meter,
    /// The trace that its end is told to, where its request has one.
    pub traced: Option<Box<Traced>>,
    /// Where log lines belong.
    pub span: Span,
}

/// What a stream's trace needs to be told at its end.
#[derive(Debug)]
pub struct Traced {
    /// The trace of the request.
    pub trace: Trace,
    /// Where it goes.
    pub xray: XRay,
    /// Name of the stream.
    pub stream_id: String,
    /// When it began.
    pub began: Timestamp,
}

/// What one stream has sent, for its closing log line.
#[derive(Debug)]
pub struct Sent {
    began: Instant,
    bytes: u64,
    writes: u64,
    resumed: bool,
    reset: Option<ResetReason>,
}

impl Default for Sent {
    fn default() -> Self {
        Self { began: Instant::now(), bytes: 0, writes: 0, resumed: false, reset: None }
    }
}

impl OpenStream {
    /// Turns the stream into a response body.
    pub fn into_body(self) -> Body {
        let span = self.span.clone();
        // One timer for all that is waited for: most of it is over before the time is, and the next wait has the same end.
        let begun = (Box::new(self), Box::pin(sleep_until(Instant::now())));
        let pulled = futures_util::stream::unfold(begun, |(mut open, mut timer)| async move {
            // Infallible: the Lambda runtime would print an error into the client's stream.
            open.next(timer.as_mut()).await.map(|bytes| (Ok::<_, Infallible>(bytes), (open, timer)))
        });
        Body::from_stream(Guarded { stream: Some(Box::pin(pulled)), leaving: None, span })
    }

    async fn next(&mut self, mut timer: Pin<&mut Sleep>) -> Option<Bytes> {
        loop {
            match self.session.take_rest().map_or_else(|| self.step(), Step::Wait) {
                Step::Send(bytes) => {
                    if self.session.ended().is_some() {
                        // Before the client can see the end: it may come back at once, and finds its slot free.
                        self.permit = None;
                    }
                    self.sent.bytes += bytes.len() as u64;
                    self.sent.writes += 1;
                    if self.sent.bytes >= self.bytes_max {
                        self.session.end_early(Instant::now().into_std(), EndReason::Session);
                    }
                    return Some(bytes);
                }
                Step::Close => return None,
                Step::Wait(until) => {
                    let until = Instant::from_std(until);
                    if timer.deadline() != until || timer.is_elapsed() {
                        timer.as_mut().reset(until);
                    }
                    self.news(timer.as_mut()).await;
                }
            }
        }
    }

    /// Waits until the session may have something to say.
    async fn news(&mut self, timer: Pin<&mut Sleep>) {
        tokio::select! {
            () = timer => {}
            () = self.subscription.changed() => {}
            () = asked_for(&mut self.follower, &mut self.goodbye) => {}
        }
    }

    fn follow_configuration(&mut self) {
        let Some(follower) = &self.follower else { return };
        match &*follower.latest() {
            Some(filter) => self.session.narrow(filter),
            None => self.session.end_early(Instant::now().into_std(), EndReason::ConfigurationDeleted),
        }
    }

    /// Asks the session what comes next. If it panics, the stream ends in band: its client comes back with its cursor.
    fn step(&mut self) -> Step {
        if self.session.ended().is_some() {
            return Step::Close;
        }
        let look = self.subscription.look();
        if look.is_lost {
            return self.break_off();
        }
        self.follow_configuration();
        let view = View {
            snapshot: look.snapshot.as_ref(),
            is_confirmed: look.is_confirmed,
            shared: &self.subscription,
            connections: self.slots.taken(),
            started: self.started.into_std(),
            shutdown: look.stops,
            goodbye: self.goodbye.as_ref().is_some_and(Watch::is_left),
        };
        let (session, clock) = (&mut self.session, &self.clock);
        // What the panic left half done is not looked at again: the session is over.
        match catch(|| session.step(clock.now(), view)) {
            Ok(step) => {
                let report = self.session.take_report();
                self.sent.resumed |= report.resumed;
                self.sent.reset = report.reset.or(self.sent.reset);
                self.meter.take(&report, if let Step::Send(bytes) = &step { bytes.len() } else { 0 });
                step
            }
            Err(panic) => {
                tracing::error!(panic = message(&panic), "stream ended by a panic");
                self.break_off()
            }
        }
    }

    fn break_off(&mut self) -> Step {
        let step = self.session.break_off(logs::PANIC);
        self.meter.take(&self.session.take_report(), if let Step::Send(bytes) = &step { bytes.len() } else { 0 });
        step
    }
}

/// Waits for another configuration and for a goodbye, as far as there are any; boxed, because most streams have neither.
async fn asked_for(follower: &mut Option<Follower>, goodbye: &mut Option<Watch>) {
    let changed = async {
        match follower {
            Some(follower) => Box::pin(follower.changed()).await,
            None => std::future::pending().await,
        }
    };
    let said = async {
        match goodbye {
            Some(watch) => Box::pin(watch.left()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = changed => {}
        () = said => {}
    }
}

impl OpenStream {
    fn trace_end(&self, end_reason: &str) {
        let Some(traced) = &self.traced else { return };
        let stream = StreamTrace {
            stream_id: &traced.stream_id,
            end_reason,
            resumed: self.sent.resumed,
            reset: self.sent.reset.map(ResetReason::as_str),
            events: self.session.events_sent(),
            bytes: self.sent.bytes,
            began: traced.began,
            ended: self.clock.wall(),
        };
        traced.xray.send(&traced.trace, stream);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        let reason = self.session.ended().unwrap_or(logs::CLIENT_LEFT);
        let seconds = self.sent.began.elapsed().as_secs_f64();
        tracing::info!(
            target: MEASURED,
            message = logs::STREAM_CLOSED,
            { logs::REASON } = reason,
            { logs::SECONDS } = seconds,
            { logs::EVENTS } = self.session.events_sent(),
            { logs::UPDATES } = self.session.updates_sent(),
            { logs::BYTES } = self.sent.bytes,
            { logs::POLLS } = self.subscription.polls(),
            writes = self.sent.writes,
        );
        self.trace_end(reason);
        self.meter.add_by(Metric::SessionSeconds, reason, seconds);
        if reason != logs::CLIENT_LEFT {
            self.meter.add(Metric::StreamsEnded, 1.0);
        }
        self.meter.closed();
        // On Lambda this may be the last that the process does for hours.
        self.meter.flush_if_idle();
    }
}

/// Answers with an event stream.
pub(super) fn event_stream(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(events::CONTENT_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}

type Leaving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls a stream inside its span, and ends it when it panics instead of taking the process along.
struct Guarded<S> {
    stream: Option<Pin<Box<S>>>,
    /// At the end: until the log is written. The platform may stop the process as soon as the body has ended.
    leaving: Option<Leaving>,
    span: Span,
}

/// Waits at the end of a stream, once.
fn leave<T>(leaving: &mut Option<Leaving>, context: &mut Context<'_>) -> Poll<Option<T>> {
    let written = leaving.get_or_insert_with(|| Box::pin(lines::written()));
    std::task::ready!(written.as_mut().poll(context));
    // Polled again, which streams must bear, it says so at once.
    *leaving = Some(Box::pin(std::future::ready(())));
    Poll::Ready(None)
}

impl<S: Stream> Stream for Guarded<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        let _entered = this.span.enter();
        let Some(stream) = &mut this.stream else { return leave(&mut this.leaving, context) };
        // The stream is dropped after a panic, so what the panic left half done is not looked at.
        match catch(|| stream.as_mut().poll_next(context)) {
            Ok(Poll::Ready(None)) => {
                // The slot is free as soon as the last byte is out, not when the connection gets around to it.
                this.stream = None;
                leave(&mut this.leaving, context)
            }
            Ok(polled) => polled,
            Err(panic) => {
                tracing::error!(panic = message(&panic), "stream ended by a panic");
                this.stream = None;
                leave(&mut this.leaving, context)
            }
        }
    }
}

/// How long a stream whose client presented a cursor waits for the table before its first byte: whether the cursor can be
/// honoured should be known by then, but a table that is down must not keep the heartbeat back.
pub const CURSOR_WAIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::BodyDataStream;
    use contract::PollSettings;
    use futures_util::StreamExt;

    use super::*;
    use crate::store::memory::Memory;
    use crate::stream::hub::Hub;
    use crate::stream::hub::tests::{data, meter};
    use crate::stream::sharing::Sources;
    use stream_core::event::EndReason;
    use stream_core::filter::Filter;
    use stream_core::resume::ReplayLimits;
    use stream_core::session::SessionParams;
    use stream_core::timestamp::Timestamp;

    fn open(clock: Clock, slots: &Slots) -> OpenStream {
        let (poll, meter) = (PollSettings::from_env(&|_| None).unwrap(), meter());
        let sources = Sources::table(Arc::new(Memory::empty(Clock::system())));
        let hub = Hub::new(sources, data(), poll, Clock::system(), meter.clone(), None);
        let now = Instant::now();
        let params = SessionParams {
            stream_id: String::new(),
            epoch: hub.epoch(),
            filter: Filter::all(),
            presented: None,
            heartbeat_every: Duration::from_secs(15),
            retry: Duration::from_secs(3),
            reconnect: Duration::from_millis(700),
            reconnect_at_shutdown: Duration::from_millis(700),
            ends_at: ((now + Duration::from_secs(60)).into_std(), EndReason::Session),
            replay: ReplayLimits { window: Duration::from_secs(900), events: 500 },
            early_mark: None,
        };
        OpenStream {
            session: Session::new(params, now.into_std()),
            subscription: hub.subscribe(Span::none(), &tokio::sync::watch::channel(false).1),
            follower: None,
            goodbye: None,
            permit: Some(slots.acquire(None).unwrap()),
            slots: slots.clone(),
            clock,
            started: now,
            sent: Sent::default(),
            bytes_max: u64::MAX,
            meter,
            traced: None,
            span: Span::none(),
        }
    }

    async fn next(body: &mut BodyDataStream) -> Option<String> {
        Some(String::from_utf8(body.next().await?.unwrap().to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_in_a_session_ends_its_stream_in_band() {
        let reads = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let clock = Clock::new(move || {
            let read = reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if read < 1 { Timestamp::from_millis(1) } else { panic!("no clock") }
        });
        let slots = Slots::new(1, 1);
        let mut body = open(clock, &slots).into_body().into_data_stream();
        assert!(next(&mut body).await.unwrap().contains("event: heartbeat"));
        assert_eq!(next(&mut body).await.as_deref(), Some("retry: 700\n\n"));
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_slot_is_free_before_the_last_bytes_are_out() {
        let slots = Slots::new(1, 1);
        let mut body = open(Clock::system(), &slots).into_body().into_data_stream();
        loop {
            let bytes = next(&mut body).await.expect("the end is announced");
            let is_last = bytes.contains("event: deadline");
            assert_eq!(slots.taken(), u32::from(!is_last), "{bytes}");
            if is_last {
                return;
            }
        }
    }

    #[tokio::test]
    async fn a_panic_ends_the_stream_and_nothing_else() {
        let stream = futures_util::stream::iter(0..3).map(|n| if n == 1 { panic!("boom {n}") } else { n });
        let mut guarded = Guarded { stream: Some(Box::pin(stream)), leaving: None, span: Span::none() };
        assert_eq!(guarded.next().await, Some(0));
        assert_eq!(guarded.next().await, None);
        assert_eq!(guarded.next().await, None);
    }
}
