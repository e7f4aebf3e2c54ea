//! The path of a request as the routes have it.
//!
//! A base URL that ends in a slash and a path that begins with one make two; others add one at the end. An EventSource gives up
//! for good at a 404, so a path means the route that it means without those. Paths of the page's files are left alone.

use std::str::FromStr;

use contract::routes;
use http::uri::PathAndQuery;
use http::{Request, Uri};

/// Returns the request with its path in the form that the routes have.
#[must_use]
pub fn understood<B>(mut request: Request<B>) -> Request<B> {
    let uri = request.uri();
    if let Some(uri) = plain(uri.path()).and_then(|path| with_path(uri, path)) {
        *request.uri_mut() = uri;
    }
    request
}

/// The path with one slash before each segment and none at its end; nothing where that is the path, or is not the API's.
fn plain(path: &str) -> Option<String> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let plain: String = segments.flat_map(|segment| ["/", segment]).collect();
    let is_ours = plain.starts_with(routes::API) || plain == routes::HEALTH;
    (is_ours && plain != path).then_some(plain)
}

fn with_path(uri: &Uri, path: String) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_str(&target).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, expected: &str) {
        let request = understood(Request::get(target).body(()).unwrap());
        assert_eq!(request.uri().to_string(), expected, "{target}");
    }

    #[test]
    fn slashes_too_many_are_taken_out_of_the_apis_paths_and_of_nothing_else() {
        check("/api/v2/stream", "/api/v2/stream");
        check("/api/v2/stream/", "/api/v2/stream");
        check("//api/v2//stream///?tickers=A//B/&x=//", "/api/v2/stream?tickers=A//B/&x=//");
        check("/api/v2/stream/?", "/api/v2/stream?");
        check("https://example.com//api/v2/stream/?a=b", "https://example.com/api/v2/stream?a=b");
        check("/api/v2/configurations/a%2F%2Fb/stream/", "/api/v2/configurations/a%2F%2Fb/stream");
        check("/api/v2/configurations//stream", "/api/v2/configurations/stream");
        check("/health/", "/health");
        for other in ["/", "//", "/js//main.js", "/js/", "/api/v2/", "/api//", "/healthy/", "/api/v1//stream"] {
            check(other, other);
        }
    }

    #[test]
    fn what_means_another_route_or_nothing_is_left_alone() {
        for other in ["/api/v2/../stream", "/api/v2/%2Fstream", "/api/v2/stream%2f", "/api/v2/stream/.", "*"] {
            check(other, other);
        }
    }
}
