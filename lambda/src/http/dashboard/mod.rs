//! The dashboard function's routes; buffered REST beside the stream.

mod body;
mod configurations;
pub mod draft;
mod etag;
mod goodbye;
mod item;
mod items;
mod metrics;
mod openapi;
mod runtime;
mod users;
mod writes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use contract::{DashboardSettings, limits};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::writes::Writes;
use super::error::{method_not_allowed, not_found};
use super::{security, within};
use crate::auth::Auth;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::meter::Meter;
use crate::store::Store;

/// What the dashboard routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<DashboardSettings>,
    /// For goodbyes and configurations.
    pub store: Arc<dyn Store>,
    /// For items.
    pub hub: Hub,
    /// Reads the time.
    pub clock: Clock,
    /// Who callers are.
    pub auth: Auth,
    /// How often who may change something.
    writes: Arc<Writes>,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(settings: DashboardSettings, store: Arc<dyn Store>, auth: Auth, clock: Clock, meter: Meter) -> Self {
        let hub = Hub::new(Arc::clone(&store), settings.data.clone(), settings.poll.clone(), clock.clone(), meter);
        Self { settings: Arc::new(settings), store, hub, clock, auth, writes: Arc::default() }
    }
}

/// Returns the dashboard function as a router. A route comes with its description, so that none is without.
pub fn router(deps: Deps) -> Router {
    let saved = OpenApiRouter::new()
        .routes(routes!(configurations::list, configurations::create))
        .routes(routes!(configurations::read, configurations::replace, configurations::delete))
        .layer(DefaultBodyLimit::max(limits::CONFIGURATION_BODY_BYTES_MAX));
    let mut described = OpenApiRouter::new()
        .routes(routes!(metrics::metrics))
        .routes(routes!(items::items))
        .routes(routes!(runtime::runtime))
        .routes(routes!(users::anonymous))
        .routes(routes!(openapi::document))
        .routes(routes!(runtime::health))
        .merge(saved);
    // Where pages say none, there is no such route.
    if deps.settings.goodbye.enabled {
        let limited = DefaultBodyLimit::max(limits::GOODBYE_BODY_BYTES_MAX);
        described = described.merge(OpenApiRouter::new().routes(routes!(goodbye::goodbye)).layer(limited));
    }
    let (router, description) = described.split_for_parts();
    router
        .layer(openapi::layer(&description, &deps.settings))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(security::headers))
        .with_state(deps)
}
