//! From a request that may have a stream to the stream: its name, its session, its end, and the first line of its log.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use contract::metrics::Metric;
use contract::{limits, logs};
use http::HeaderMap;
use tokio::time::Instant;

use super::body::{CURSOR_WAIT, OpenStream, Sent, Traced, event_stream};
use super::deps::Deps;
use super::follower::{ConfigurationKey, Follower};
use super::segment::{self, Segment};
use super::slots::Permit;
use crate::error::ApiError;
use crate::origin::Origin;
use crate::random;
use crate::request::{StreamQuery, last_event_id};
use crate::watch::logs::MEASURED;
use stream_core::cursor::{Cursor, ResetReason};
use stream_core::event::EndReason;
use stream_core::filter::Filter;
use stream_core::moment::Now;
use stream_core::resume::ReplayLimits;
use stream_core::session::{Session, SessionParams};
use stream_core::timestamp::Timestamp;

/// What a stream is about.
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// The configuration that says so, if one does.
    pub(super) configuration: Option<ConfigurationKey>,
    /// When the proof of the user ends.
    pub(super) until: Option<Timestamp>,
    /// Whether a cache may hand it to others.
    pub(super) is_shared: bool,
}

pub(super) async fn open(
    deps: &Deps,
    origin: &Origin,
    headers: &HeaderMap,
    query: &StreamQuery,
    wanted: Wanted,
    permit: Permit,
) -> Result<Response, ApiError> {
    let presented = last_event_id(headers, query).map(|id| Cursor::from_id(id, deps.hub.epoch()));
    let stream_id = random::stream_id()?;
    let (request_id, trace_id) = (&origin.request_id, &origin.trace_id);
    // It says all of its request: without that one for a parent, which ends with the answer's head and would be kept for as long.
    let span = tracing::info_span!(target: MEASURED, parent: None, "stream", %request_id, trace_id, %stream_id);
    let resumes = presented.map(|cursor| cursor.map_or_else(ResetReason::as_str, |_| "resume"));
    span.in_scope(|| {
        tracing::info!(
            target: MEASURED,
            message = logs::STREAM_OPENED,
            { logs::RETURNED } = presented.is_some(),
            cursor = resumes,
            connections = deps.slots.taken(),
        );
    });
    if presented.is_some() {
        deps.meter.add(Metric::StreamsReturned, 1.0);
    }
    let subscription = deps.hub.subscribe(span.clone(), &deps.shutdown);
    let Wanted { filter, configuration, until, is_shared } = wanted;
    let follower = configuration.map(|key| {
        let every = deps.settings.poll.poll_interval.get();
        span.in_scope(|| Follower::start(Arc::clone(&deps.configurations), key, filter.clone(), every))
    });
    let traced = deps.xray.trace(origin.trace_id.as_deref()).map(|trace| {
        let (xray, stream_id, began) = (deps.xray.clone(), stream_id.to_string(), deps.clock.wall());
        Box::new(Traced { trace, xray, stream_id, began })
    });
    let segment = is_shared.then(|| Segment::begin(&deps.settings.segments, deps.clock.wall()));
    let mut params = session_params(deps, origin, stream_id.to_string(), filter, presented, segment);
    params.ends_at = within_proof(params.ends_at, until, deps.clock.now());
    let now = Instant::now().into_std();
    let lasts = params.ends_at.0.saturating_duration_since(now);
    // Before anything is waited for: a client may leave in the meantime, and its stream has a closing line all the same.
    let mut stream = OpenStream {
        session: Session::new(params, now),
        subscription,
        follower,
        goodbye: deps.goodbyes.as_ref().map(|goodbyes| goodbyes.watch(stream_id)),
        permit: Some(permit),
        slots: deps.slots.clone(),
        clock: deps.clock.clone(),
        started: deps.started,
        sent: Sent::default(),
        bytes_max: if is_shared { limits::SEGMENT_BYTES_MAX } else { u64::MAX },
        meter: deps.meter.clone(),
        traced,
        span,
    };
    stream.meter.opened();
    if matches!(presented, Some(Ok(_))) {
        stream.subscription.first_snapshot(CURSOR_WAIT).await;
    }
    let response = event_stream(stream.into_body());
    Ok(if is_shared { segment::keep(response, lasts) } else { response })
}

fn session_params(
    deps: &Deps,
    origin: &Origin,
    stream_id: String,
    filter: Filter,
    presented: Option<Result<Cursor, ResetReason>>,
    segment: Option<Segment>,
) -> SessionParams {
    let settings = &deps.settings;
    let lasts = segment.map_or_else(|| shortened(settings.max_session.get()), |segment| segment.left);
    SessionParams {
        stream_id,
        epoch: deps.hub.epoch(),
        filter,
        presented,
        heartbeat_every: settings.heartbeat_interval.get(),
        retry: settings.retry.get().mul_f64(1.0 + fastrand::f64() / 2.0),
        reconnect: segment.map_or_else(|| reconnect_within(Duration::ZERO), |segment| segment.reconnect),
        reconnect_at_shutdown: reconnect_within(deps.drain),
        ends_at: ends_at(lasts, origin.deadline),
        replay: ReplayLimits {
            window: settings.poll.replay_window.get(),
            events: usize::try_from(settings.poll.replay_events.get()).unwrap_or(usize::MAX),
        },
        early_mark: segment.map(|segment| segment.early_mark),
    }
}

/// Draws when a client shall come back after a planned end: soon, or at any time within a longer one.
pub(super) fn reconnect_within(time: Duration) -> Duration {
    let most = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(limits::RECONNECT_MAX_MS);
    Duration::from_millis(fastrand::u64(limits::RECONNECT_MIN_MS..=most))
}

/// Shortens a session at random, so that those who came together do not come back together.
fn shortened(max_session: Duration) -> Duration {
    max_session.mul_f64(1.0 - fastrand::f64() * f64::from(limits::SESSION_JITTER_PERCENT) / 100.0)
}

/// Says when a session ends: after its length, or in time before the invocation does.
fn ends_at(lasts: Duration, deadline: Option<Instant>) -> (std::time::Instant, EndReason) {
    let now = Instant::now();
    let session_end = now + lasts;
    // A deadline in the past means that the platform did not say: some emulators send 1970.
    let Some(deadline) = deadline.filter(|deadline| *deadline > now) else {
        return (session_end.into_std(), EndReason::Session);
    };
    let margin = limits::DRAIN_MARGIN.min((deadline - now) / 2);
    let drain = deadline - margin;
    if drain < session_end {
        (drain.into_std(), EndReason::Deadline)
    } else {
        (session_end.into_std(), EndReason::Session)
    }
}

/// Shortens a session to the time for which its user is known to be who they are.
fn within_proof(
    ends_at: (std::time::Instant, EndReason),
    until: Option<Timestamp>,
    now: Now,
) -> (std::time::Instant, EndReason) {
    let left = until.map(|until| Duration::from_millis(until.millis().saturating_sub(now.wall.millis())));
    // A proof for longer than the clock can count is as good as none.
    let until = left.and_then(|left| now.instant.checked_add(left));
    until.filter(|until| *until < ends_at.0).map_or(ends_at, |until| (until, EndReason::TokenExpired))
}

#[cfg(test)]
mod tests {
    use contract::StreamSettings;
    use futures_util::StreamExt;

    use super::*;
    use crate::auth::Auth;
    use crate::clock::Clock;
    use crate::store::memory::Memory;
    use crate::store::{Items, Page, StoreFuture, Stores};
    use crate::stream::hub::Hub;
    use crate::stream::sharing::Sources;
    use crate::watch::meter::{Meter, STREAM};
    use stream_core::reading::PageRequest;

    /// A table that never answers.
    struct Silent;

    impl Items for Silent {
        fn page<'a>(&'a self, _: &'a PageRequest) -> StoreFuture<'a, Page> {
            Box::pin(std::future::pending())
        }
        fn warm_up(&self) -> StoreFuture<'_, ()> {
            Box::pin(std::future::pending())
        }
    }

    fn deps(items: Arc<dyn Items>) -> Deps {
        let lookup = |name: &str| match name {
            "SENTIMENTS_TABLE" | "USERS_TABLE" | "ENVIRONMENT" => Some("test".to_owned()),
            _ => None,
        };
        let settings = StreamSettings::from_env(&lookup).unwrap();
        let clock = Clock::system();
        let meter = Meter::new(&settings.watch, STREAM, clock.clone());
        let hub = Hub::new(
            Sources::table(items),
            settings.data.clone(),
            settings.poll.clone(),
            clock.clone(),
            meter.clone(),
            None,
        );
        let auth = Auth::new(&settings.auth, clock.clone(), &lookup).unwrap();
        let stores = Stores::of(Memory::empty(clock.clone()));
        Deps::new(settings, &stores, hub, auth, clock, tokio::sync::watch::channel(false).1, meter)
    }

    async fn opened(deps: &Deps, headers: &HeaderMap) -> Response {
        let permit = deps.slots.acquire(None).unwrap();
        let wanted = Wanted { filter: Filter::all(), configuration: None, until: None, is_shared: false };
        open(deps, &Origin::default(), headers, &StreamQuery::default(), wanted, permit).await.unwrap()
    }

    /// An id that any instance with these settings can go on from.
    async fn some_id() -> String {
        let deps = deps(Arc::new(Memory::empty(Clock::system())));
        let mut body = opened(&deps, &HeaderMap::new()).await.into_body().into_data_stream();
        loop {
            let bytes = body.next().await.unwrap().unwrap();
            let text = std::str::from_utf8(&bytes).unwrap();
            if text.contains("event: metrics") {
                return text.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_leaves_before_the_first_byte_has_been_counted_and_is_gone() {
        let headers = HeaderMap::from_iter([("last-event-id".parse().unwrap(), some_id().await.parse().unwrap())]);
        let deps = deps(Arc::new(Silent));
        let opening = opened(&deps, &headers);
        assert!(tokio::time::timeout(CURSOR_WAIT / 2, opening).await.is_err(), "it waits for the table");
        let measured = deps.meter.exposition();
        for line in ["sse_streams_opened_total 1", "sse_streams_returned_total 1", "sse_connections 0"] {
            assert!(measured.lines().any(|found| found == line), "{line} is not in {measured}");
        }
        let left = "sse_session_seconds_total{reason=\"client_left\"} 0.5";
        assert!(measured.lines().any(|found| found.starts_with(left)), "{measured}");
        assert_eq!(deps.slots.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_before_the_invocation_and_at_most_a_fifth_early() {
        let now = Instant::now();
        let secs = Duration::from_secs;
        for _ in 0..200 {
            let (end, reason) = ends_at(shortened(secs(100)), None);
            let lasts = Instant::from_std(end) - now;
            assert!(secs(80) <= lasts && lasts <= secs(100), "{lasts:?}");
            assert_eq!(reason, EndReason::Session);
            assert_eq!(ends_at(secs(100), Some(now + secs(20))), ((now + secs(10)).into_std(), EndReason::Deadline));
            assert_eq!(ends_at(secs(100), Some(now + secs(4))), ((now + secs(2)).into_std(), EndReason::Deadline));
            assert_eq!(ends_at(secs(100), Some(now)).1, EndReason::Session);
            assert_eq!(ends_at(secs(100), Some(now + secs(111))).1, EndReason::Session);
        }
    }

    #[test]
    fn a_session_does_not_outlive_the_proof_of_who_it_is_for() {
        let (instant, wall) = (Instant::now().into_std(), Timestamp::from_millis(1_000_000));
        let now = Now { instant, wall };
        let end = (instant + Duration::from_secs(100), EndReason::Session);
        let proof = |secs: u64| Some(wall.plus(Duration::from_secs(secs)));
        let ends = |secs| within_proof(end, secs, now);
        assert_eq!(ends(None), end);
        assert_eq!(ends(proof(100)), end);
        assert_eq!(ends(proof(99)), (instant + Duration::from_secs(99), EndReason::TokenExpired));
        assert_eq!(ends(proof(0)), (instant, EndReason::TokenExpired));
        assert_eq!(ends(Some(Timestamp::EPOCH)), (instant, EndReason::TokenExpired));
        assert_eq!(ends(Some(Timestamp::MAX)), end);
    }
}
