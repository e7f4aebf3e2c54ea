//! `POST /api/v2/auth/anonymous`: a token for a new user.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::routes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::deps::Deps;
use super::openapi::{Problem, TooOften};
use crate::auth::Issued;
use crate::error::ApiError;
use crate::origin::Origin;

/// Header in which a browser says how far the page that asks is from here.
const FETCH_SITE: &str = "sec-fetch-site";

/// A token for a fresh user id, in the body and as a cookie. Where users come from elsewhere there is no such route.
#[utoipa::path(
    post,
    path = routes::AUTH_ANONYMOUS,
    operation_id = "anonymous",
    summary = "Makes a token for a fresh user",
    responses(
        (status = 201, description = "The token, and the same as a cookie", body = Issued),
        (status = 404, description = "Users of this deployment come from elsewhere", body = Problem),
        (status = 429, description = "Too many tokens for one address", body = TooOften),
        (status = 503, description = "The signing key cannot be had", body = Problem),
    ),
)]
pub(super) async fn anonymous(
    State(deps): State<Deps>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !deps.auth.makes_users() {
        return Err(ApiError::NotFound);
    }
    deps.writes.token(origin.client(deps.settings.client_address, &headers))?;
    let issued = deps.auth.anonymous().await?.ok_or(ApiError::NotFound)?;
    let (name, lifetime) = (&deps.settings.auth.cookie, deps.settings.auth.session_lifetime.get().as_secs());
    let cookie =
        format!("{name}={}; HttpOnly; Secure; SameSite=Strict; Path={}; Max-Age={lifetime}", issued.token, name.path());
    let mut response = (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(issued)).into_response();
    // A form on a foreign page must not take a user's cookie away by getting another one in its place.
    if headers.get(FETCH_SITE).is_none_or(|site| site != "cross-site") {
        let cookie = HeaderValue::try_from(cookie).expect("names of cookies and tokens are visible ASCII");
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
