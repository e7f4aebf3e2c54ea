//! Both functions and the page as ordinary HTTP servers: what `./justw dev` starts.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use contract::page::{Goodbye, PageConfig, escape_json_for_script, page_labels, page_poll_ms, policy as page_policy};
use contract::{CorsSettings, DashboardSettings, Lookup, PublicUrl, StreamSettings, limits, routes};
use http::{HeaderValue, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;
use tracing::Instrument as _;

use crate::auth::Auth;
use crate::client_key::ClientKey;
use crate::clock::Clock;
use crate::error::not_found;
use crate::fatal::Fatal;
use crate::origin::{Origin, request_span};
use crate::path;
use crate::serve::dead_readers::Connection;
use crate::serve::{connections, cors, hosts, security, start};
use crate::store::Stores;
use crate::store::dynamodb::DynamoDb;
use crate::store::memory::Memory;
use crate::stream::hub::Hub;
use crate::watch::meter::{self, Meter};
use crate::{dashboard, stream};

/// Where Prometheus looks unless it is told otherwise.
const PROMETHEUS_PATH: &str = "/metrics";
/// Items a second that a sample feed makes at most: each poll makes those of its late window anew.
const SAMPLE_RATE_MAX: u32 = 200;

/// Settings of local mode beside those of the functions.
#[derive(Debug)]
pub struct LocalSettings {
    /// Port of page and REST; 0 takes a free one.
    pub dashboard_port: u16,
    /// Port of the stream; 0 takes a free one.
    pub stream_port: u16,
    /// Items a second that the sample feed makes up.
    pub sample_rate: u32,
    /// Whether the tables are DynamoDB's.
    pub dynamodb: bool,
    /// Folder of the page.
    pub frontend: PathBuf,
    /// What preflights are answered.
    pub cors: CorsSettings,
    /// Settings of the stream function.
    pub stream: StreamSettings,
    /// Settings of the dashboard function.
    pub dashboard: DashboardSettings,
}

impl LocalSettings {
    /// Reads the settings. Without tables in the environment, memory needs none; users are those of tokens under a key that is
    /// made up.
    ///
    /// # Errors
    /// [`Fatal`] with every variable that is bad.
    pub fn from_env(lookup: &Lookup<'_>) -> Result<Self, Fatal> {
        let dynamodb = match lookup("STORE").as_deref() {
            None | Some("memory") => false,
            Some("dynamodb") => true,
            Some(other) => return Err(Fatal::new(format!("STORE: `{other}` is not one of `memory`, `dynamodb`"))),
        };
        let with_defaults = |name: &str| {
            lookup(name).or_else(|| match name {
                "SENTIMENTS_TABLE" | "USERS_TABLE" if !dynamodb => Some("local".to_owned()),
                "ENVIRONMENT" => Some("local".to_owned()),
                "AUTH_MODE" => Some("session".to_owned()),
                _ => None,
            })
        };
        Ok(Self {
            dashboard_port: port(lookup, "DASHBOARD_PORT", 8080)?,
            stream_port: port(lookup, "STREAM_PORT", 8081)?,
            sample_rate: sample_rate(lookup("SAMPLE_RATE").as_deref())?,
            dynamodb,
            frontend: lookup("FRONTEND_DIR").unwrap_or_else(|| "frontend".to_owned()).into(),
            cors: CorsSettings::from_env(lookup)?,
            stream: StreamSettings::from_env(&with_defaults)?,
            dashboard: DashboardSettings::from_env(&with_defaults)?,
        })
    }

    fn page_config(&self, stream_url: &str) -> PageConfig {
        let (labels, label_keys) = page_labels(&self.stream.data.labels);
        PageConfig {
            api_base_url: String::new(),
            sse_base_url: stream_url.to_owned(),
            environment: self.stream.environment.to_string(),
            labels,
            label_keys,
            update_event: self.stream.data.update_event.to_string(),
            heartbeat_interval_ms: u64::try_from(self.stream.heartbeat_interval.get().as_millis()).unwrap_or(u64::MAX),
            poll_interval_ms: page_poll_ms(self.dashboard.poll.poll_interval),
            auth_mode: self.dashboard.auth.mode,
            auth_private: self.dashboard.auth.private,
            has_tags: self.stream.data.tags_attribute.is_some(),
            signed_requests: false,
            goodbye: self.dashboard.goodbye.enabled.then_some(Goodbye::Beacon),
        }
    }
}

fn sample_rate(text: Option<&str>) -> Result<u32, Fatal> {
    let Some(text) = text else { return Ok(1) };
    let rate = text.parse().ok().filter(|rate| *rate <= SAMPLE_RATE_MAX);
    rate.ok_or_else(|| {
        let rule = format!("is not a number of items a second, a whole number from 0 to {SAMPLE_RATE_MAX}");
        Fatal::new(format!("SAMPLE_RATE: `{}` {rule}", text.escape_debug()))
    })
}

fn port(lookup: &Lookup<'_>, name: &'static str, default: u16) -> Result<u16, Fatal> {
    let Some(text) = lookup(name) else { return Ok(default) };
    text.parse().map_err(|_| Fatal::new(format!("{name}: `{text}` is not a port, a whole number from 0 to 65535")))
}

/// Two servers that listen and do not serve yet.
pub struct Local {
    dashboard: (TcpListener, Router),
    stream: (TcpListener, Router),
    shutdown: watch::Receiver<bool>,
}

impl Local {
    /// Takes the ports and puts both functions together.
    ///
    /// # Errors
    /// [`Fatal`] when a port is taken or AWS cannot be reached for lack of settings.
    pub async fn bind(
        mut settings: LocalSettings,
        lookup: &Lookup<'_>,
        shutdown: watch::Receiver<bool>,
    ) -> Result<Self, Fatal> {
        let clock = Clock::system();
        let data = &settings.stream.data;
        let stores = if settings.dynamodb {
            let from_env = DynamoDb::from_env(data.clone(), &clock, lookup);
            Stores::of(match from_env {
                Ok(store) => store,
                Err(_) => DynamoDb::from_profile(data.clone(), &clock, lookup).await.map_err(Fatal::new)?,
            })
        } else {
            Stores::of(Memory::with_feed(clock.clone(), data, 1, settings.sample_rate))
        };
        let dashboard_listener = listen("DASHBOARD_PORT", settings.dashboard_port).await?;
        let stream_listener = listen("STREAM_PORT", settings.stream_port).await?;
        let stream_url = url(&stream_listener)?;
        let page = settings.page_config(&stream_url);
        let policy = HeaderValue::try_from(page_policy(&[&stream_url])).map_err(Fatal::new)?;
        if settings.dashboard.sse_url.is_none() {
            settings.dashboard.sse_url = Some(PublicUrl::new(&stream_url).map_err(Fatal::new)?);
        }
        // One for both servers: a token of the one is good for the other, even under a key that was made up.
        let auth = Auth::local(&settings.stream.auth, clock.clone(), lookup)?;
        auth.warm_up().await;
        // One process, one set of numbers, whichever port asks.
        let meter = Meter::new(&settings.stream.watch, "local", clock.clone());
        // And one hub: the day is read and held once.
        let (data, poll) = (settings.stream.data.clone(), settings.stream.poll.clone());
        let hub = Hub::new(Arc::clone(&stores.items), data, poll, clock.clone(), meter.clone(), None);
        let deps = (hub.clone(), auth.clone(), clock.clone(), shutdown.clone(), meter.clone());
        let stream_deps = stream::Deps::new(settings.stream, &stores, deps.0, deps.1, deps.2, deps.3, deps.4);
        let allowed = cors::allowed(&settings.cors.allow_headers);
        let of_stream = {
            let allowed = allowed.clone();
            from_fn(move |request, next| cors::of_stream(allowed.clone(), request, next))
        };
        let of_dashboard = from_fn(move |request, next| cors::of_dashboard(allowed.clone(), request, next));
        let stream = stream::router(stream_deps).merge(prometheus(meter.clone())).layer(of_stream);
        let dashboard_deps = dashboard::Deps::new(settings.dashboard, &stores, hub, auth, clock);
        let files = tower_http::services::ServeDir::new(&settings.frontend);
        let files = Router::new()
            .route("/config.js", get(move || config_js(page.clone())))
            .route(&format!("{}{{*rest}}", routes::API), any(not_found).layer(of_dashboard.clone()))
            .fallback_service(files)
            .layer(from_fn(security::headers))
            .layer(from_fn(move |request, next| with_policy(policy.clone(), request, next)));
        let dashboard = dashboard::router(dashboard_deps)
            .reset_fallback()
            // Of the API alone: no page of another origin reads this one.
            .layer(of_dashboard)
            .merge(prometheus(meter))
            .fallback_service(files)
            .layer(from_fn(never_cached));
        let bound = dashboard_listener.local_addr().map_err(Fatal::new)?.ip();
        let ours_only = from_fn(move |request, next| hosts::ours_only(bound, request, next));
        let (dashboard, stream) = (dashboard.layer(ours_only.clone()), stream.layer(ours_only));
        Ok(Self { dashboard: (dashboard_listener, dashboard), stream: (stream_listener, stream), shutdown })
    }

    /// URLs of page and stream.
    ///
    /// # Errors
    /// [`Fatal`] when the system does not know our ports.
    pub fn urls(&self) -> Result<(String, String), Fatal> {
        Ok((url(&self.dashboard.0)?, url(&self.stream.0)?))
    }

    /// Serves until told to stop; open streams get a moment to say so.
    pub async fn serve(self) {
        let mut stop = self.shutdown.clone();
        let too_late = async {
            start::stopped(&mut stop).await;
            tokio::time::sleep(limits::SHUTDOWN_GRACE).await;
        };
        let (dashboard, stream) = (serve(self.dashboard, &self.shutdown), serve(self.stream, &self.shutdown));
        tokio::select! {
            _ = async { tokio::join!(dashboard, stream) } => {}
            () = too_late => {}
        }
    }
}

async fn listen(name: &str, port: u16) -> Result<TcpListener, Fatal> {
    // Loopback only: local mode may believe a header that names the user.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| Fatal::new(format!("cannot listen on 127.0.0.1:{port}: {error}; set {name} to a free port")))
}

fn url(listener: &TcpListener) -> Result<String, Fatal> {
    listener.local_addr().map(|address| format!("http://{address}")).map_err(Fatal::new)
}

/// As many connections as the system gives: each stream of them has a slot, or is refused.
async fn serve((listener, router): (TcpListener, Router), stop: &watch::Receiver<bool>) {
    let connection = |stream, address| connection(stream, address, router.clone(), stop.clone());
    connections::serve(listener, usize::MAX, stop.clone(), connection).await;
}

async fn connection(stream: TcpStream, address: SocketAddr, router: Router, stop: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(limits::CONNECTION_BUFFER_BYTES_MAX);
    let source = ClientKey::of(address.ip());
    let answer = |request| answer(router.clone(), source, request);
    if let Err(error) = connections::answer(&builder, Connection::new(stream), stop, answer).await {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn answer(router: Router, source: ClientKey, request: http::Request<Incoming>) -> Result<Response, Infallible> {
    let request_id = format!("{:016x}", fastrand::u64(..));
    let origin = Origin { request_id, source: Some(source), ..Origin::default() };
    let span = request_span(&origin);
    let mut request = path::understood(request.map(Body::new));
    request.extensions_mut().insert(origin);
    router.oneshot(request).instrument(span).await
}

/// What Prometheus reads. Here and not in the routers: on Lambda a scrape would reach one instance of many, and bill it.
fn prometheus(meter: Meter) -> Router {
    let text = move || async move {
        let headers = [(header::CONTENT_TYPE, meter::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
        (headers, meter.exposition())
    };
    Router::new().route(PROMETHEUS_PATH, get(text))
}

/// What the page may do, in place of what data may: nothing.
async fn with_policy(policy: HeaderValue, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn never_cached(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

async fn config_js(page: PageConfig) -> impl IntoResponse {
    let json = serde_json::to_string(&page).expect("a struct of strings and numbers always serialises");
    let script = format!("window.CONFIG = Object.freeze({});\n", escape_json_for_script(&json));
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], script)
}
