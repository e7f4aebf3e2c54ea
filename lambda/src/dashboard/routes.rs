//! The routes of the dashboard function, each with its description.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use contract::limits;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deps::Deps;
use super::{anonymous, configurations, goodbye, history, items, metrics, openapi, runtime};
use crate::error::{method_not_allowed, not_found};
use crate::serve::security;

/// Returns the dashboard function as a router. A route comes with its description, so that none is without.
pub fn router(deps: Deps) -> Router {
    let saved = OpenApiRouter::new()
        .routes(routes!(configurations::list, configurations::create))
        .routes(routes!(configurations::read, configurations::replace, configurations::delete))
        .layer(DefaultBodyLimit::max(limits::CONFIGURATION_BODY_BYTES_MAX));
    let mut described = OpenApiRouter::new()
        .routes(routes!(metrics::metrics))
        .routes(routes!(items::items))
        .routes(routes!(history::history))
        .routes(routes!(runtime::runtime))
        .routes(routes!(anonymous::anonymous))
        .routes(routes!(openapi::document))
        .routes(routes!(runtime::health))
        .merge(saved);
    // Where clients say none, there is no such route.
    if deps.settings.goodbye.enabled {
        let limited = DefaultBodyLimit::max(limits::GOODBYE_BODY_BYTES_MAX);
        described = described.merge(OpenApiRouter::new().routes(routes!(goodbye::goodbye)).layer(limited));
    }
    let (router, description) = described.split_for_parts();
    router
        .layer(openapi::layer(description, Arc::clone(&deps.settings)))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(security::headers))
        .with_state(deps)
}
