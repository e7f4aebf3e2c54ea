//! CORS where the program answers it: on servers, and behind a REST API. A Function URL answers it itself, and twice is an error.

use std::borrow::Borrow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use contract::{CorsOrigins, CorsSettings, cors};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// What pages of other origins may do.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Arc<CorsOrigins>,
    credentials: bool,
    /// Headers that pages may send, as a preflight's answer lists them.
    headers: HeaderValue,
}

impl Cors {
    /// The rules of a function: none where its Function URL answers.
    #[must_use]
    pub fn of_function(settings: &CorsSettings) -> Option<Self> {
        (!settings.allow_origins.is_none()).then(|| Self::new(settings.allow_origins.clone(), settings))
    }

    /// The rules of a server: pages of every origin, unless the settings name some.
    #[must_use]
    pub fn of_server(settings: &CorsSettings) -> Self {
        let named = &settings.allow_origins;
        Self::new(if named.is_none() { CorsOrigins::any() } else { named.clone() }, settings)
    }

    fn new(origins: CorsOrigins, settings: &CorsSettings) -> Self {
        let headers = list(&settings.allow_headers.with_own());
        Self { origins: Arc::new(origins), credentials: settings.allow_credentials, headers }
    }

    /// Answers for the stream function.
    pub fn stream(self, router: Router) -> Router {
        self.around(router, &cors::STREAM_METHODS)
    }

    /// Answers for the dashboard function.
    pub fn dashboard(self, router: Router) -> Router {
        self.around(router, &cors::DASHBOARD_METHODS)
    }

    fn around(self, router: Router, methods: &'static [&'static str]) -> Router {
        router.layer(from_fn(move |request, next| answer(self.clone(), methods, request, next)))
    }

    /// The origin as the answer names it, where its pages may read one.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.origins.is_any() {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = headers.get(header::ORIGIN)?;
        self.origins.has(origin.as_bytes()).then(|| origin.clone())
    }
}

/// Answers a preflight in the place of the program, and lets every other answer be read.
async fn answer(cors: Cors, methods: &[&str], request: Request, next: Next) -> Response {
    let allowed = cors.allowed(request.headers());
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if !cors.origins.is_any() {
        // What one origin may read another may not: a cache has to ask again.
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    let Some(allowed) = allowed else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    // A browser takes no cookie along to everybody's answer.
    if cors.credentials && !cors.origins.is_any() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, list(methods));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, cors.headers);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors::MAX_AGE_SECS));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, list(&cors::EXPOSE_HEADERS));
    }
    first(
        headers,
        [header::CONTENT_TYPE, header::ACCESS_CONTROL_ALLOW_ORIGIN, header::ACCESS_CONTROL_ALLOW_CREDENTIALS],
    );
    response
}

/// Puts some headers before all others. Browsers take a head that was cut off for a whole one, and an EventSource that misses one of
/// those by which it may read on is closed for good: as little as can be stands before them.
fn first(headers: &mut HeaderMap, names: [HeaderName; 3]) {
    let mut rest = std::mem::take(headers);
    for name in names {
        if let Some(value) = rest.remove(&name) {
            headers.insert(name, value);
        }
    }
    headers.extend(rest);
}

fn list<T: Borrow<str>>(names: &[T]) -> HeaderValue {
    HeaderValue::try_from(names.join(", ")).expect("names of methods and headers are visible ASCII")
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use contract::values::SettingValue as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn asked(origins: &str, credentials: bool, method: &str, origin: &str) -> HeaderMap {
        let settings = CorsSettings {
            allow_origins: CorsOrigins::read(origins).unwrap(),
            allow_credentials: credentials,
            allow_headers: contract::MoreHeaders::default(),
        };
        let router = Cors::of_server(&settings).stream(Router::new().route("/", get(|| async { "ok" })));
        let request = http::Request::builder().method(method).uri("/").header("origin", origin);
        let request = request.header("access-control-request-method", "GET").body(axum::body::Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().headers().clone()
    }

    #[tokio::test]
    async fn only_pages_of_the_named_origins_may_read_an_answer() {
        for (origins, origin, expected) in [
            ("-", "https://a.example", Some("*")),
            ("*", "https://a.example", Some("*")),
            ("https://a.example,https://b.example", "https://b.example", Some("https://b.example")),
            ("https://a.example", "https://a.example.evil", None),
            ("https://a.example", "null", None),
        ] {
            for method in ["GET", "OPTIONS"] {
                let headers = asked(origins, true, method, origin).await;
                let allowed = headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
                assert_eq!(allowed, expected, "{origins} {origin}");
                let is_named = origins.starts_with("https");
                let credentials = headers.contains_key("access-control-allow-credentials");
                assert_eq!(credentials, is_named && expected.is_some(), "{origins} {origin}");
                assert_eq!(headers.contains_key("vary"), is_named);
                let is_preflight = method == "OPTIONS" && expected.is_some();
                assert_eq!(headers.contains_key("access-control-allow-methods"), is_preflight);
            }
        }
        assert!(
            !asked("https://a.example", false, "GET", "https://a.example")
                .await
                .contains_key("access-control-allow-credentials")
        );
    }

    #[tokio::test]
    async fn what_a_browser_reads_on_by_stands_first() {
        let settings = CorsSettings {
            allow_origins: CorsOrigins::read("https://a.example").unwrap(),
            allow_credentials: true,
            allow_headers: contract::MoreHeaders::default(),
        };
        let answer = || async { ([("x-one", "1"), ("content-type", "text/event-stream"), ("x-two", "2")], "") };
        let router = Cors::of_server(&settings).stream(Router::new().route("/", get(answer)));
        let request = http::Request::builder().uri("/").header("origin", "https://a.example");
        let answer = router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        let names: Vec<&str> = answer.headers().keys().map(HeaderName::as_str).collect();
        let first = ["content-type", "access-control-allow-origin", "access-control-allow-credentials"];
        assert_eq!(names[..3], first, "{names:?}");
        assert!(["x-one", "x-two", "vary"].iter().all(|name| names.contains(name)), "{names:?}");
    }

    #[test]
    fn a_function_is_silent_where_no_origins_are_set() {
        let read = |origins| {
            Cors::of_function(&CorsSettings {
                allow_origins: CorsOrigins::read(origins).unwrap(),
                allow_credentials: false,
                allow_headers: contract::MoreHeaders::default(),
            })
        };
        assert!(read("-").is_none() && read("*").is_some());
    }
}
