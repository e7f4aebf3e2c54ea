//! The server with the page and rows of some source, on two local ports: what `./justw dev` starts.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use contract::frames::FRAMES_VARIABLE;
use contract::page::{
    Goodbye, LOOKS_VARIABLE, PageConfig, PageLooks, escape_json_for_script, page_history_ms, page_labels, page_poll_ms,
    page_segment_ms, page_shown, page_window_ms, policy as page_policy,
};
use contract::settings::both;
use contract::values::{ABSENT, SettingValue};
use contract::{CorsSettings, DashboardSettings, FrameAncestors, Lookup, PublicUrl, StreamSettings, routes};
use http::{HeaderValue, header};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::error::not_found;
use crate::fatal::Fatal;
use crate::health::health;
use crate::serve::cors::Cors;
use crate::serve::server::{Instance, Server, Settings};
use crate::serve::source::{self, Source};
use crate::serve::{hosts, security};

/// Where the page's files are.
const FRONTEND_VARIABLE: &str = "FRONTEND_DIR";

/// Settings of local mode beside those of the functions.
#[derive(Debug)]
pub struct LocalSettings {
    /// Port of page and REST; 0 takes a free one.
    pub dashboard_port: u16,
    /// Port of the stream; 0 takes a free one.
    pub stream_port: u16,
    /// Items a minute that come by themselves, where they do.
    pub sample_rate: u32,
    /// Where rows come from.
    pub source: Source,
    /// Folder of the page.
    pub frontend: PathBuf,
    /// What the page has of its owner.
    pub looks: PageLooks,
    /// Whose pages may show it in a frame.
    pub frames: FrameAncestors,
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
        let source = Source::from_env(lookup)?;
        // What is switched off in a manifest's own table is in one that is made up.
        let given = |name: &str| lookup(name).filter(|value| value != ABSENT || source.default(name).is_none());
        let with_defaults = |name: &str| {
            given(name).or_else(|| match name {
                "ENVIRONMENT" => Some("local".to_owned()),
                "AUTH_MODE" => Some("session".to_owned()),
                _ => source.default(name).map(str::to_owned),
            })
        };
        let functions = both(StreamSettings::from_env(&with_defaults), DashboardSettings::from_env(&with_defaults));
        let ((stream, dashboard), cors) = both(functions, CorsSettings::from_env(lookup))?;
        Ok(Self {
            dashboard_port: port(lookup, "DASHBOARD_PORT", 8080)?,
            stream_port: port(lookup, "STREAM_PORT", 8081)?,
            sample_rate: source::rate(lookup)?,
            frontend: lookup(FRONTEND_VARIABLE).unwrap_or_else(|| "frontend".to_owned()).into(),
            looks: looks(lookup(LOOKS_VARIABLE).as_deref())?,
            frames: frames(lookup(FRAMES_VARIABLE).as_deref())?,
            cors,
            stream,
            dashboard,
            source,
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
            window_ms: page_window_ms(self.stream.data.window),
            history_ms: page_history_ms(self.stream.data.history_keep),
            segment_ms: page_segment_ms(&self.stream.segments),
            auth_mode: self.dashboard.auth.mode,
            auth_private: self.dashboard.auth.private,
            has_tags: self.stream.data.tags_attribute.is_some(),
            show: page_shown(&self.stream.data.show),
            signed_requests: false,
            goodbye: self.dashboard.goodbye.enabled.then_some(Goodbye::Beacon),
            looks: self.looks.clone(),
        }
    }
}

fn looks(json: Option<&str>) -> Result<PageLooks, Fatal> {
    let Some(json) = json else { return Ok(PageLooks::default()) };
    serde_json::from_str(json)
        .map_err(|error| Fatal::new(format!("{LOOKS_VARIABLE}: is not what a page has of its own, as JSON: {error}")))
}

fn frames(origins: Option<&str>) -> Result<FrameAncestors, Fatal> {
    let Some(origins) = origins else { return Ok(FrameAncestors::default()) };
    FrameAncestors::read(origins).map_err(|error| Fatal::new(format!("{FRAMES_VARIABLE}: {error}")))
}

fn port(lookup: &Lookup<'_>, name: &'static str, default: u16) -> Result<u16, Fatal> {
    let Some(text) = lookup(name) else { return Ok(default) };
    text.parse().map_err(|_| Fatal::new(format!("{name}: `{text}` is not a port, a whole number from 0 to 65535")))
}

/// A server with its two doors that does not serve yet.
pub struct Local {
    server: Server,
    urls: (String, String),
    shutdown: watch::Receiver<bool>,
}

impl Local {
    /// Takes the ports and puts the server behind them, with its rows and the page.
    ///
    /// # Errors
    /// [`Fatal`] when a port is taken, or the rows cannot be read for lack of settings ([`Source::stores`]).
    pub async fn bind(
        mut settings: LocalSettings,
        lookup: &Lookup<'_>,
        shutdown: watch::Receiver<bool>,
    ) -> Result<Self, Fatal> {
        let clock = Clock::system();
        let data = &settings.stream.data;
        let stores = settings.source.stores(data, settings.sample_rate, &clock, lookup).await?;
        let dashboard_listener = listen("DASHBOARD_PORT", settings.dashboard_port)?;
        let stream_listener = listen("STREAM_PORT", settings.stream_port)?;
        let urls = (url(&dashboard_listener)?, url(&stream_listener)?);
        let page = page(&settings, &urls.1)?;
        if settings.dashboard.sse_url.is_none() {
            settings.dashboard.sse_url = Some(PublicUrl::new(&urls.1).map_err(Fatal::new)?);
        }
        // One for both ports: a token of the one is good for the other, even under a key that was made up.
        let auth = Auth::local(&settings.stream.auth, clock.clone(), lookup)?;
        auth.warm_up().await;
        // Nobody shares requests out here, and a person waits for the prompt.
        let drain = Duration::ZERO;
        let LocalSettings { stream, dashboard, cors, source, .. } = settings;
        let of_both = Settings { stream, dashboard, cors, drain };
        let instance = Instance::start(of_both, "local", &stores, auth, clock, shutdown.clone());
        let Instance { stream, dashboard, operation, serving } = instance;
        let bound = dashboard_listener.local_addr().map_err(Fatal::new)?.ip();
        let ours_only = from_fn(move |request, next| hosts::ours_only(bound, request, next));
        let stream = stream.route(routes::HEALTH, get(health)).fallback(not_found);
        let stream = stream.layer(from_fn(security::headers)).merge(operation.clone());
        let dashboard = source
            .guarded(dashboard)
            .reset_fallback()
            .merge(operation)
            .fallback_service(page)
            .layer(from_fn(never_cached));
        let (dashboard, stream) = (dashboard.layer(ours_only.clone()), stream.layer(ours_only));
        let doors = vec![(dashboard_listener, dashboard), (stream_listener, stream)];
        Ok(Self { server: Server::new(doors, serving)?, urls, shutdown })
    }

    /// URLs of page and stream.
    #[must_use]
    pub fn urls(&self) -> (&str, &str) {
        (&self.urls.0, &self.urls.1)
    }

    /// Serves until told to stop; open streams get a moment to say so.
    pub async fn serve(self) {
        self.server.serve(&self.shutdown).await;
    }
}

/// The page, which may do what its policy says.
fn page(settings: &LocalSettings, stream_url: &str) -> Result<Router, Fatal> {
    if !settings.frontend.join("index.html").is_file() {
        let folder = settings.frontend.display();
        return Err(Fatal::new(format!(
            "{FRONTEND_VARIABLE}: `{folder}` has no index.html; name the folder of the page, `frontend` of the project"
        )));
    }
    let page = settings.page_config(stream_url);
    let frames = &settings.frames;
    let policy = HeaderValue::try_from(page_policy(&[stream_url], frames)).map_err(Fatal::new)?;
    let is_framed = !frames.as_slice().is_empty();
    let files = tower_http::services::ServeDir::new(&settings.frontend);
    // Of the API alone: no page of another origin reads this one.
    let api = Router::new().route(&format!("{}{{*rest}}", routes::API), any(not_found));
    Ok(Router::new()
        .route("/config.js", get(move || config_js(page.clone())))
        .merge(Cors::of_server(&settings.cors).dashboard(api))
        .fallback_service(files)
        .layer(from_fn(security::headers))
        .layer(from_fn(move |request, next| with_policy(policy.clone(), is_framed, request, next))))
}

fn listen(name: &str, port: u16) -> Result<TcpListener, Fatal> {
    // Loopback only: local mode may believe a header that names the user.
    Server::listen((Ipv4Addr::LOCALHOST, port).into(), [name, name])
}

fn url(listener: &TcpListener) -> Result<String, Fatal> {
    listener.local_addr().map(|address| format!("http://{address}")).map_err(Fatal::new)
}

/// What the page may do, in place of what data may: nothing.
async fn with_policy(policy: HeaderValue, is_framed: bool, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if is_framed {
        // It knows no origins, and would contradict the policy in browsers that know it alone.
        response.headers_mut().remove(header::X_FRAME_OPTIONS);
    }
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
