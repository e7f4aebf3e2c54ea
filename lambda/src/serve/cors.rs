//! CORS for local mode only: on AWS the Function URL answers it, and twice is an error.

use std::borrow::Borrow;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::{MoreHeaders, cors};
use http::{HeaderValue, Method, StatusCode, header};

/// Returns the headers that pages may send, as a preflight's answer lists them.
pub(super) fn allowed(more: &MoreHeaders) -> HeaderValue {
    list(&more.with_own())
}

/// Lets pages of any origin do with the stream function what its Function URL lets them.
pub(super) async fn of_stream(allowed: HeaderValue, request: Request, next: Next) -> Response {
    any_origin(&cors::STREAM_METHODS, allowed, request, next).await
}

/// The same for the dashboard function.
pub(super) async fn of_dashboard(allowed: HeaderValue, request: Request, next: Next) -> Response {
    any_origin(&cors::DASHBOARD_METHODS, allowed, request, next).await
}

/// Answers a preflight in place of the function. No page of another origin may send a cookie along.
async fn any_origin(methods: &[&str], allowed: HeaderValue, request: Request, next: Next) -> Response {
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, list(methods));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors::MAX_AGE_SECS));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, list(&cors::EXPOSE_HEADERS));
    }
    response
}

fn list<T: Borrow<str>>(names: &[T]) -> HeaderValue {
    HeaderValue::try_from(names.join(", ")).expect("names of methods and headers are visible ASCII")
}
