//! `/api/v2/configurations`: what the user has saved. Another user's is the same as none.

use axum::Json;
use axum::extract::{FromRequestParts, RawQuery, State};
use axum::response::{IntoResponse, Response};
use contract::{Tag, limits, routes};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::deps::Deps;
use super::draft::Draft;
use super::json::JsonBody;
use super::openapi::{Invalid, Problem, TooOften};
use crate::error::ApiError;
use crate::ids::{ConfigId, UserId};
use crate::origin::Origin;
use crate::random;
use crate::request::ConfigIdPath;
use crate::store::{Change, Configuration, within};

/// A saved configuration.
#[derive(Serialize, ToSchema)]
#[schema(as = Configuration)]
pub(super) struct Saved {
    /// Its id, for its stream and for changing it.
    #[schema(value_type = String)]
    config_id: ConfigId,
    /// What the user calls it.
    name: String,
    /// Tickers that its stream is about.
    tickers: Vec<String>,
}

impl From<Configuration> for Saved {
    fn from(saved: Configuration) -> Self {
        let Configuration { config_id, name, tickers } = saved;
        Self { config_id, name, tickers: tickers.iter().map(Tag::to_string).collect() }
    }
}

/// The configurations of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigurationsAnswer)]
struct AllSaved {
    /// Sorted by name.
    configurations: Vec<Saved>,
}

/// The user of a request; one that changes something is counted too. The extractor runs before the body is looked at.
pub(super) struct Identified {
    id: UserId,
}

impl FromRequestParts<Deps> for Identified {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Self, ApiError> {
        let Ok(origin) = Origin::from_request_parts(parts, deps).await;
        let Ok(RawQuery(query)) = RawQuery::from_request_parts(parts, deps).await;
        let user = deps.auth.user(&parts.headers, query.as_deref()).await?;
        if ![Method::GET, Method::HEAD].contains(&parts.method) {
            deps.writes.change(&user.id, origin.client(deps.settings.client_address, &parts.headers))?;
        }
        Ok(Self { id: user.id })
    }
}

/// An answer that no cache may keep.
fn private(status: StatusCode, body: impl IntoResponse) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn saved(configuration: Configuration) -> Json<Saved> {
    Json(configuration.into())
}

/// All configurations of the user.
#[utoipa::path(
    get,
    path = routes::CONFIGURATIONS,
    operation_id = "list_configurations",
    summary = "The user's configurations, sorted by name",
    responses(
        (status = 200, description = "The configurations", body = AllSaved),
        (status = 401, description = "The request names no user", body = Problem),
        (status = 503, description = "The table cannot be read", body = Problem),
    ),
)]
pub(super) async fn list(State(deps): State<Deps>, user: Identified) -> Result<Response, ApiError> {
    let mut all = all(&deps, &user).await?;
    all.truncate(limits::CONFIGURATIONS_MAX);
    all.sort_by_cached_key(|one| (one.name.to_lowercase(), one.name.clone(), one.config_id.clone()));
    let configurations = all.into_iter().map(Saved::from).collect();
    Ok(private(StatusCode::OK, Json(AllSaved { configurations })))
}

/// Saves a new configuration.
#[utoipa::path(
    post,
    path = routes::CONFIGURATIONS,
    operation_id = "create_configuration",
    summary = "Saves a new configuration",
    request_body = Draft,
    responses(
        (status = 201, description = "The new configuration", body = Saved),
        (status = 400, description = "The body is malformed", body = Invalid),
        (status = 401, description = "The request names no user", body = Problem),
        (status = 409, description = "The user has as many as there may be", body = Problem),
        (status = 413, description = "The body is too large", body = Problem),
        (status = 415, description = "The body is not JSON", body = Problem),
        (status = 429, description = "Too many changes", body = TooOften),
        (status = 503, description = "The table cannot be written", body = Problem),
    ),
)]
pub(super) async fn create(
    State(deps): State<Deps>,
    user: Identified,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let Draft { name, tickers } = Draft::parse(&body).map_err(ApiError::Invalid)?;
    if all(&deps, &user).await?.len() >= limits::CONFIGURATIONS_MAX {
        return Err(ApiError::TooManyConfigurations);
    }
    let made = Configuration { config_id: random::config_id()?, name, tickers };
    let location = routes::CONFIGURATION.replace("{config_id}", made.config_id.as_str());
    let change = Change::Create(made.clone());
    if !change_it(&deps, &user, &change).await? {
        // 128 random bits were there already: this does not happen.
        return Err(ApiError::TooManyConfigurations);
    }
    // Made at the same moment as others, it may be one too many. Each request that sees that takes its own away.
    if all(&deps, &user).await?.len() > limits::CONFIGURATIONS_MAX {
        change_it(&deps, &user, &Change::Delete(made.config_id)).await?;
        return Err(ApiError::TooManyConfigurations);
    }
    let mut response = private(StatusCode::CREATED, saved(made));
    let location = HeaderValue::try_from(location).expect("an id is hexadecimal digits");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// One configuration.
#[utoipa::path(
    get,
    path = routes::CONFIGURATION,
    operation_id = "read_configuration",
    summary = "One configuration",
    responses(
        (status = 200, description = "The configuration", body = Saved),
        (status = 400, description = "The id is malformed", body = Problem),
        (status = 401, description = "The request names no user", body = Problem),
        (status = 404, description = "The user has none of this id", body = Problem),
        (status = 503, description = "The table cannot be read", body = Problem),
    ),
)]
pub(super) async fn read(
    State(deps): State<Deps>,
    user: Identified,
    ConfigIdPath(id): ConfigIdPath,
) -> Result<Response, ApiError> {
    let found = within(deps.configurations.one(&user.id, &id), "for a configuration").await?;
    Ok(private(StatusCode::OK, saved(found.ok_or(ApiError::NoConfiguration)?)))
}

/// Changes a configuration that is there. It makes none: an id is the server's to choose.
#[utoipa::path(
    put,
    path = routes::CONFIGURATION,
    operation_id = "replace_configuration",
    summary = "Changes name and tickers of a configuration; streams of it follow within one poll",
    request_body = Draft,
    responses(
        (status = 200, description = "The configuration as it is now", body = Saved),
        (status = 400, description = "The id or the body is malformed", body = Invalid),
        (status = 401, description = "The request names no user", body = Problem),
        (status = 404, description = "The user has none of this id", body = Problem),
        (status = 413, description = "The body is too large", body = Problem),
        (status = 415, description = "The body is not JSON", body = Problem),
        (status = 429, description = "Too many changes", body = TooOften),
        (status = 503, description = "The table cannot be written", body = Problem),
    ),
)]
pub(super) async fn replace(
    State(deps): State<Deps>,
    user: Identified,
    ConfigIdPath(config_id): ConfigIdPath,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let Draft { name, tickers } = Draft::parse(&body).map_err(ApiError::Invalid)?;
    let wanted = Configuration { config_id, name, tickers };
    if !change_it(&deps, &user, &Change::Replace(wanted.clone())).await? {
        return Err(ApiError::NoConfiguration);
    }
    Ok(private(StatusCode::OK, saved(wanted)))
}

/// Deletes a configuration.
#[utoipa::path(
    delete,
    path = routes::CONFIGURATION,
    operation_id = "delete_configuration",
    summary = "Deletes a configuration; streams of it end within one poll",
    responses(
        (status = 204, description = "The configuration is deleted"),
        (status = 400, description = "The id is malformed", body = Problem),
        (status = 401, description = "The request names no user", body = Problem),
        (status = 404, description = "The user has none of this id", body = Problem),
        (status = 429, description = "Too many changes", body = TooOften),
        (status = 503, description = "The table cannot be written", body = Problem),
    ),
)]
pub(super) async fn delete(
    State(deps): State<Deps>,
    user: Identified,
    ConfigIdPath(id): ConfigIdPath,
) -> Result<Response, ApiError> {
    if !change_it(&deps, &user, &Change::Delete(id)).await? {
        return Err(ApiError::NoConfiguration);
    }
    Ok(private(StatusCode::NO_CONTENT, ()))
}

async fn all(deps: &Deps, user: &Identified) -> Result<Vec<Configuration>, ApiError> {
    Ok(within(deps.configurations.all(&user.id), "for configurations").await?)
}

async fn change_it(deps: &Deps, user: &Identified, change: &Change) -> Result<bool, ApiError> {
    let now = deps.clock.wall();
    Ok(within(deps.configurations.change(&user.id, change, now), "to a change").await?)
}
