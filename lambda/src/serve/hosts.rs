//! By which names a server on this machine may be called.
//!
//! A page of another site whose name is made to lead here (DNS rebinding) is of the same origin as this server, for a browser:
//! only the `Host` that it sends says that it means another one.

use std::net::IpAddr;

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{StatusCode, header};
use serde_json::json;

/// What a request by another name is told.
const DETAIL: &str = "This server answers to localhost and to the address that it listens on.";

/// Lets requests through that name this machine, or `bound`, the address that the server listens on.
pub(super) async fn ours_only(bound: IpAddr, request: Request, next: Next) -> Response {
    // One that names no host at all is no browser's.
    let mut named = request.headers().get_all(header::HOST).iter();
    if named.all(|host| host.to_str().is_ok_and(|host| is_ours(host, bound))) {
        return next.run(request).await;
    }
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::MISDIRECTED_REQUEST, headers, Json(json!({ "detail": DETAIL }))).into_response()
}

/// Whatever the port: it may have been forwarded.
fn is_ours(host: &str, bound: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_matches(['[', ']']);
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback() || address == bound,
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_ours() {
        let bound = "192.0.2.44".parse().unwrap();
        for ours in ["localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8081", "192.0.2.44:80"]
        {
            assert!(is_ours(ours, bound), "{ours}");
        }
        for other in [
            "rebound.example",
            "rebound.example:8080",
            "localhost.rebound.example",
            "notlocalhost",
            "127.0.0.1.rebound.example:8080",
            "192.0.2.45",
            "[2001:db8::1]:8080",
            "",
            "[::1",
            "a b",
        ] {
            assert!(!is_ours(other, bound), "{other}");
        }
    }
}
