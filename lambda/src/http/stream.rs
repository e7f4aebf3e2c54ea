//! The stream function's four routes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contract::metrics::Metric;
use contract::{StreamSettings, WhenFull, events, limits, logs, routes};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::body::{CURSOR_WAIT, OpenStream, Sent, Traced};
use super::configuration::{self, ConfigurationKey, Follower};
use super::error::{ApiError, Refused, method_not_allowed, not_found};
use super::health;
use super::request::{Origin, StreamQuery, accepts_event_stream, config_id, last_event_id};
use crate::auth::Auth;
use crate::clock::Clock;
use crate::goodbyes::Goodbyes;
use crate::hub::Hub;
use crate::meter::Meter;
use crate::random;
use crate::slots::{Full, Permit, Slots};
use crate::store::Store;
use crate::telemetry::MEASURED;
use crate::xray::XRay;
use stream_core::cursor::{Cursor, ResetReason};
use stream_core::event::{self, EndReason};
use stream_core::filter::Filter;
use stream_core::journal::Now;
use stream_core::session::{Session, SessionParams};
use stream_core::snapshot::ReplayLimits;
use stream_core::timestamp::Timestamp;

/// What the stream routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<StreamSettings>,
    /// For configurations.
    pub store: Arc<dyn Store>,
    /// For items.
    pub hub: Hub,
    /// For goodbyes, where pages say any.
    pub goodbyes: Option<Goodbyes>,
    /// Limits of this instance.
    pub slots: Slots,
    /// Who callers are.
    pub auth: Auth,
    /// Reads the time.
    pub clock: Clock,
    /// Where it counts.
    pub meter: Meter,
    /// Where streams are traced; nowhere, unless somebody says so.
    pub xray: XRay,
    /// When the instance started.
    pub started: Instant,
    /// Turns true when the process is told to stop.
    pub shutdown: watch::Receiver<bool>,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(
        settings: StreamSettings,
        store: Arc<dyn Store>,
        auth: Auth,
        clock: Clock,
        shutdown: watch::Receiver<bool>,
        meter: Meter,
    ) -> Self {
        let goodbyes =
            settings.goodbye.enabled.then(|| Goodbyes::new(Arc::clone(&store), settings.poll.poll_interval.get()));
        let (data, poll) = (settings.data.clone(), settings.poll.clone());
        let hub = Hub::new(Arc::clone(&store), data, poll, clock.clone(), meter.clone());
        let slots = Slots::new(settings.max_connections.get(), settings.connections_per_client.get());
        Self {
            settings: Arc::new(settings),
            store,
            hub,
            goodbyes,
            slots,
            auth,
            clock,
            meter,
            xray: XRay::default(),
            started: Instant::now(),
            shutdown,
        }
    }
}

/// Returns the stream function as a router.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route(routes::STREAM, get(stream))
        .route(routes::CONFIGURATION_STREAM, get(configuration_stream))
        .route_layer(from_fn_with_state(deps.clone(), count_refusals))
        .route(routes::STREAM_STATUS, get(status))
        .route(routes::HEALTH, get(health))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(deps)
}

/// Counts the answers that are no stream, each once, with the reason that its maker gave it.
async fn count_refusals(State(deps): State<Deps>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(Refused(reason)) = response.extensions().get() {
        deps.meter.add_by(Metric::StreamsRefused, reason, 1.0);
    }
    response
}

async fn status(State(deps): State<Deps>) -> impl IntoResponse {
    let (connections, max) = (deps.slots.taken(), deps.slots.max());
    let status = json!({
        "connections": connections,
        "max_connections": max,
        "available": max.saturating_sub(connections),
        "uptime_seconds": deps.started.elapsed().as_secs(),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(status))
}

async fn stream(
    State(deps): State<Deps>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = StreamQuery::parse(query.as_deref())?;
    let permit = match deps.slots.acquire(origin.viewer(deps.settings.client_address, &headers).as_deref()) {
        Ok(permit) => permit,
        Err(full) => return refuse(&deps, &headers, full),
    };
    let wanted = Wanted { filter: query.filter.clone(), configuration: None, until: None };
    open(deps, &origin, &headers, &query, wanted, permit).await
}

async fn configuration_stream(
    State(deps): State<Deps>,
    origin: Origin,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parsed = StreamQuery::parse(query.as_deref())?;
    // What does not decode to UTF-8 is no id either; axum's own answer would not be JSON.
    let id = id.map_or_else(|_| String::new(), |Path(id)| id);
    let id = config_id(&id)?;
    let user = deps.auth.user(&headers, query.as_deref()).await?;
    let permit = match deps.slots.acquire(origin.viewer(deps.settings.client_address, &headers).as_deref()) {
        Ok(permit) => permit,
        Err(full) => return refuse(&deps, &headers, full),
    };
    let key = ConfigurationKey { user_id: user.id, config_id: id.to_owned() };
    let filter = configuration::read(&*deps.store, &key).await?.ok_or(ApiError::NoConfiguration)?;
    let wanted = Wanted { filter, configuration: Some(key), until: user.expires };
    open(deps, &origin, &headers, &parsed, wanted, permit).await
}

/// What a stream is about.
struct Wanted {
    filter: Filter,
    /// The configuration that says so, if one does.
    configuration: Option<ConfigurationKey>,
    /// When the caller is not known to be who they are any more.
    until: Option<Timestamp>,
}

async fn open(
    deps: Deps,
    origin: &Origin,
    headers: &HeaderMap,
    query: &StreamQuery,
    wanted: Wanted,
    permit: Permit,
) -> Result<Response, ApiError> {
    let presented = last_event_id(headers, query).map(|id| Cursor::from_id(id, deps.hub.epoch()));
    let stream_id = random::stream_id()?;
    let (request_id, trace_id) = (&origin.request_id, &origin.trace_id);
    let span = tracing::info_span!(target: MEASURED, "stream", %request_id, trace_id, %stream_id);
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
    let mut subscription = deps.hub.subscribe(span.clone());
    if matches!(presented, Some(Ok(_))) {
        subscription.first_snapshot(CURSOR_WAIT).await;
    }
    let Wanted { filter, configuration, until } = wanted;
    let follower = configuration.map(|key| {
        let every = deps.settings.poll.poll_interval.get();
        span.in_scope(|| Follower::start(Arc::clone(&deps.store), key, filter.clone(), every))
    });
    let traced = deps.xray.trace(origin.trace_id.as_deref()).map(|trace| Traced {
        trace,
        xray: deps.xray.clone(),
        stream_id: stream_id.to_string(),
        began: deps.clock.wall(),
    });
    let mut params = session_params(&deps, origin, stream_id.to_string(), filter, presented);
    params.ends_at = within_proof(params.ends_at, until, deps.clock.now());
    let now = Instant::now().into_std();
    let stream = OpenStream {
        session: Session::new(params, now),
        subscription,
        follower,
        goodbye: deps.goodbyes.map(|goodbyes| goodbyes.watch(stream_id)),
        permit: Some(permit),
        slots: deps.slots,
        clock: deps.clock,
        started: deps.started,
        shutdown: deps.shutdown,
        sent: Sent::default(),
        meter: deps.meter,
        traced,
        span,
    };
    stream.meter.opened();
    Ok(event_stream(stream.into_body()))
}

fn session_params(
    deps: &Deps,
    origin: &Origin,
    stream_id: String,
    filter: Filter,
    presented: Option<Result<Cursor, ResetReason>>,
) -> SessionParams {
    let settings = &deps.settings;
    SessionParams {
        stream_id,
        epoch: deps.hub.epoch(),
        filter,
        presented,
        heartbeat_every: settings.heartbeat_interval.get(),
        retry: settings.retry.get().mul_f64(1.0 + fastrand::f64() / 2.0),
        reconnect: Duration::from_millis(fastrand::u64(limits::RECONNECT_MIN_MS..=limits::RECONNECT_MAX_MS)),
        ends_at: ends_at(settings.max_session.get(), origin.deadline),
        replay: ReplayLimits {
            window: settings.poll.replay_window.get(),
            events: usize::try_from(settings.poll.replay_events.get()).unwrap_or(usize::MAX),
        },
    }
}

/// Says when a session ends: after its length, shortened at random, or in time before the invocation does.
fn ends_at(max_session: Duration, deadline: Option<Instant>) -> (std::time::Instant, EndReason) {
    let now = Instant::now();
    let shortened = max_session.mul_f64(1.0 - fastrand::f64() * f64::from(limits::SESSION_JITTER_PERCENT) / 100.0);
    let session_end = now + shortened;
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

/// Answers a client that finds no free slot.
fn refuse(deps: &Deps, headers: &HeaderMap, full: Full) -> Result<Response, ApiError> {
    let max_connections = deps.slots.max();
    tracing::info!(connections = deps.slots.taken(), limit = full.as_str(), "stream refused");
    if deps.settings.when_full == WhenFull::Reject || !accepts_event_stream(headers) {
        return Err(ApiError::Full { max_connections, full });
    }
    // Any other status would end a browser's EventSource for good; it comes back after `retry`. Spread out, so that those
    // who were refused together do not return together.
    let delay = Duration::from_millis(fastrand::u64(5_000..=10_000));
    let mut out = bytes::BytesMut::new();
    stream_core::encode::retry(&mut out, delay);
    out.extend_from_slice(&event::overloaded(max_connections, u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)));
    deps.meter.add_by(Metric::EventsSent, events::OVERLOADED, 1.0);
    let mut response = event_stream(axum::body::Body::from(out.freeze()));
    response.extensions_mut().insert(Refused(full.as_str()));
    Ok(response)
}

fn event_stream(body: axum::body::Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_before_the_invocation_and_at_most_a_fifth_early() {
        let now = Instant::now();
        let secs = Duration::from_secs;
        for _ in 0..200 {
            let (end, reason) = ends_at(secs(100), None);
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
