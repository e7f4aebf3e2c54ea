//! Both functions as an ordinary server: what the programs `server` and `local` are made of.
//!
//! Nothing ends its invocations, so that it must know by itself what a platform knows elsewhere: when it may be asked, how many streams it can
//! hold, and how to leave without taking its clients along.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contract::{CorsSettings, DashboardSettings, DataSettings, Lookup, StreamSettings, limits};
use futures_util::future::join_all;
use http::{Request, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tracing::{Instrument as _, Span};

use crate::auth::Auth;
use crate::client_key::ClientKey;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::fatal::Fatal;
use crate::origin::{Origin, request_span};
use crate::path;
use crate::serve::cors::Cors;
use crate::serve::dead_readers::Connection;
use crate::serve::direct::{self, Chunks, First};
use crate::serve::head::Asker;
use crate::serve::slow_bodies::InTime;
use crate::serve::{connections, descriptors, security, start};
use crate::store::Stores;
use crate::store::dynamodb::DynamoDb;
use crate::stream::hub::Hub;
use crate::stream::sharing::Sources;
use crate::stream::subscription::Subscription;
use crate::watch::meter::{self, Meter};
use crate::{dashboard, stream};

/// Whether the process lives, for who would start another one.
const LIVENESS_PATH: &str = "/livez";
/// Whether it may be asked, for who shares requests out. Outside of the API, as the other two: no route of a table is ever called so.
const READINESS_PATH: &str = "/readyz";
/// Where Prometheus looks unless it is told otherwise.
const PROMETHEUS_PATH: &str = "/metrics";

/// Sets the client of the tables up with what this machine has: credentials in the environment, or those of a profile, a container or an instance.
///
/// # Errors
/// [`Fatal`] where region or credentials are missing.
pub async fn table(data: DataSettings, clock: &Clock, lookup: &Lookup<'_>) -> Result<DynamoDb, Fatal> {
    match DynamoDb::from_env(data.clone(), clock, lookup) {
        Ok(store) => Ok(store),
        Err(_) => DynamoDb::from_profile(data, clock, lookup).await.map_err(Fatal::new),
    }
}

/// What both functions are told.
pub struct Settings {
    /// Settings of the stream function.
    pub stream: StreamSettings,
    /// Settings of the dashboard function.
    pub dashboard: DashboardSettings,
    /// What preflights are answered.
    pub cors: CorsSettings,
    /// How long the server answers on once it is told to stop.
    pub drain: Duration,
}

/// Both functions in one process, with one window, one set of users and one set of numbers.
pub struct Instance {
    /// Routes of streams, with what pages of other origins may do.
    pub stream: Router,
    /// Routes of REST, likewise; what it does not know is not found.
    pub dashboard: Router,
    /// Routes for who runs the server.
    pub operation: Router,
    /// What serving takes beside them.
    pub serving: Serving,
}

/// What an instance needs while it is served.
pub struct Serving {
    /// Keeps the day read from the start on, and not once somebody asks.
    window: Subscription,
    /// Dates its answers.
    clock: Clock,
    /// Streams that it may have.
    streams: u32,
    drain: Duration,
}

impl Instance {
    /// Puts the functions together and begins to read the table. `name` is what its measurements are of.
    pub fn start(
        settings: Settings,
        name: &'static str,
        stores: &Stores,
        auth: Auth,
        clock: Clock,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        let Settings { stream, dashboard, cors, drain } = settings;
        let streams = stream.max_connections.get();
        let meter = Meter::new(&stream.watch, name, clock.clone());
        let (data, poll) = (stream.data.clone(), stream.poll.clone());
        let hub = Hub::new(Sources::of(stores, &data, true), data, poll, clock.clone(), meter.clone(), None);
        let window = hub.subscribe(Span::none(), &shutdown);
        let operation = operation(hub.clone(), shutdown.clone(), meter.clone());
        let deps = (hub.clone(), auth.clone(), clock.clone());
        let mut stream_deps = stream::Deps::new(stream, stores, deps.0, deps.1, deps.2, shutdown, meter);
        stream_deps.drain = drain;
        let dashboard_deps = dashboard::Deps::new(dashboard, stores, hub, auth, clock.clone());
        let cors = Cors::of_server(&cors);
        Self {
            stream: cors.clone().stream(stream::own_routes(stream_deps)),
            dashboard: cors.dashboard(dashboard::router(dashboard_deps)),
            operation,
            serving: Serving { window, clock, streams, drain },
        }
    }
}

/// What whoever runs the server asks it. Here and not in the functions: on Lambda one instance of many would answer, and be billed for it.
fn operation(hub: Hub, stopping: watch::Receiver<bool>, meter: Meter) -> Router {
    let word = |status, word| (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": word })));
    let ready = move || async move {
        // Told to stop it answers on, and wants nobody new.
        match (*stopping.borrow(), hub.is_whole()) {
            (true, _) => word(StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            (false, false) => word(StatusCode::SERVICE_UNAVAILABLE, "loading"),
            (false, true) => word(StatusCode::OK, "ready"),
        }
    };
    let numbers = move || async move {
        let headers = [(header::CONTENT_TYPE, meter::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
        (headers, meter.exposition())
    };
    Router::new()
        .route(LIVENESS_PATH, get(move || async move { word(StatusCode::OK, "alive").into_response() }))
        .route(READINESS_PATH, get(ready))
        .route(PROMETHEUS_PATH, get(numbers))
        .layer(from_fn(security::headers))
}

/// One address and what is answered there.
pub type Door = (TcpListener, Router);

/// A server that listens and does not serve yet.
pub struct Server {
    doors: Vec<Door>,
    serving: Serving,
    /// Places for connections, of all doors together.
    places: Arc<Semaphore>,
}

impl Server {
    /// Takes an address.
    ///
    /// # Errors
    /// [`Fatal`] when it cannot be had, with the variable to change: `variables` are those of address and port.
    pub fn listen(address: SocketAddr, [its_address, port]: [&str; 2]) -> Result<TcpListener, Fatal> {
        connections::listen(address).map_err(|error| {
            let next = match error.kind() {
                // Of another family, or of another machine; one of a link lacks the link.
                io::ErrorKind::AddrNotAvailable | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => {
                    format!("set {its_address} to an address of this machine")
                }
                io::ErrorKind::PermissionDenied => {
                    format!("set {port} to 1024 or more, or give the program CAP_NET_BIND_SERVICE")
                }
                _ => format!("set {port} to a free port"),
            };
            Fatal::new(format!("cannot listen on {address}: {error}; {next}"))
        })
    }

    /// Puts its routes behind its doors, which share as many connections as there are descriptors.
    ///
    /// # Errors
    /// [`Fatal`] when the process may not open as many files as it may have streams.
    pub fn new(doors: Vec<Door>, serving: Serving) -> Result<Self, Fatal> {
        let fitting = descriptors::raise(serving.streams)?.unwrap_or(usize::MAX);
        Ok(Self { doors, serving, places: connections::places(fitting) })
    }

    /// Serves until told to stop, and then until the time for that is over. From that moment on every stream ends, and tells its client when to
    /// come back; who comes meanwhile is answered, because not everybody has heard of it yet.
    pub async fn serve(self, stop: &watch::Receiver<bool>) {
        let Serving { window, clock, drain, .. } = self.serving;
        let (close, closed) = watch::channel(false);
        let ending = async {
            start::stopped(&mut stop.clone()).await;
            tokio::time::sleep(drain).await;
            close.send_replace(true);
            tokio::time::sleep(limits::SHUTDOWN_GRACE).await;
        };
        let served = self.doors.into_iter().map(|(listener, router)| {
            let app = Arc::new(App { router, clock: clock.clone(), stop: stop.clone(), chunks: Arc::default() });
            let connection = move |stream, address| connection(stream, address, Arc::clone(&app));
            connections::serve(listener, Arc::clone(&self.places), closed.clone(), connection)
        });
        tokio::select! {
            _ = join_all(served) => {}
            () = ending => {}
        }
        // Until here the day is read on.
        drop(window);
    }
}

/// What answers requests, the same for all connections of a door.
struct App {
    router: Router,
    clock: Clock,
    stop: watch::Receiver<bool>,
    chunks: Arc<Chunks>,
}

/// Serves a connection. What takes room and ends before a stream goes on is boxed, so that it does not stay with the stream.
fn connection(stream: TcpStream, address: SocketAddr, app: Arc<App>) -> impl Future<Output = ()> {
    let source = ClientKey::of(address.ip());
    let mut begun = Box::pin(begin((stream, Vec::new()), limits::FIRST_BYTE_TIMEOUT, source, Arc::clone(&app)));
    async move {
        while let Some(answer) = begun.await {
            let kept = match answer.await {
                Ok(Some(kept)) => kept,
                Ok(None) => return,
                Err(error) => return tracing::debug!(%error, "a stream broke"),
            };
            // Told to stop, a connection ends with what was under way.
            if *app.stop.borrow() {
                return;
            }
            begun = Box::pin(begin(kept, limits::REQUEST_HEAD_TIMEOUT, source, Arc::clone(&app)));
        }
    }
}

/// The answer to a request for a stream, where that comes next, and anything comes within the time for it; a connection with any other
/// request is served by hyper to its end.
async fn begin(
    (stream, read): direct::Kept,
    silence_max: Duration,
    source: ClientKey,
    app: Arc<App>,
) -> Option<direct::Answer> {
    let mut stop = app.stop.clone();
    match direct::first(&stream, read, silence_max, &mut stop).await {
        First::Stream(request) => {
            let (asker, mut read) = (Asker::of(&request), Vec::new());
            let answered = answer(app.router.clone(), source, (*request).map(|()| Body::empty()));
            let answer = tokio::select! {
                answer = answered => answer.unwrap_or_else(|never| match never {}),
                () = direct::left(&stream, &mut read) => return None,
            };
            let date = SystemTime::UNIX_EPOCH + Duration::from_millis(app.clock.wall().millis());
            let date = httpdate::fmt_http_date(date);
            return Some(direct::Answer::new((stream, read), asker, answer, &date, &app.chunks));
        }
        First::Other(read) => by_hyper(Connection::new(stream, read), source, app.router.clone(), stop).await,
        First::Nothing => {}
    }
    None
}

async fn by_hyper(connection: Connection, source: ClientKey, router: Router, stop: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(limits::CONNECTION_BUFFER_BYTES_MAX);
    builder.timer(TokioTimer::new()).header_read_timeout(limits::REQUEST_HEAD_TIMEOUT);
    let answer =
        |request: Request<Incoming>| answer(router.clone(), source, request.map(|body| Body::new(InTime::new(body))));
    if let Err(error) = connections::answer(&builder, connection, stop, answer).await {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn answer(router: Router, source: ClientKey, request: Request<Body>) -> Result<Response, Infallible> {
    let request_id = format!("{:016x}", fastrand::u64(..));
    let origin = Origin { request_id, source: Some(source), ..Origin::default() };
    let span = request_span(&origin);
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
        // RFC 9112, section 3.2.
        return Ok(
            ApiError::BadParameter(format!("a request has one header `Host`; this one has {hosts}")).into_response()
        );
    }
    let mut request = path::understood(request);
    request.extensions_mut().insert(origin);
    router.oneshot(request).instrument(span).await
}
