//! `GET /api/v2/openapi.json`: the routes as programs read them.
//!
//! Paths, statuses and shapes come from the handlers and their types. What follows from limits and settings (patterns,
//! ranges, the labels that are keys of the numbers) is put in here, so that no number stands twice.

mod parameters;
mod patterns;

use std::sync::{Arc, LazyLock};

use axum::Extension;
use axum::response::IntoResponse;
use contract::{AuthMode, AuthSettings, DashboardSettings, DataSettings, Label, limits, routes};
use http::header;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use stream_core::page::Place;

/// The description as it is answered, made when it is asked for first: most instances never are.
#[derive(Clone)]
pub(super) struct Document(Arc<LazyLock<String, Box<dyn FnOnce() -> String + Send>>>);

/// What is wrong with a request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `ApiError` answers")]
pub(super) struct Problem {
    /// One sentence for people.
    detail: String,
}

/// What is wrong with the fields of a body; where the path is malformed, there are no `errors`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `ApiError` answers")]
pub(super) struct Invalid {
    /// All of it in one sentence.
    detail: String,
    /// Every mistake.
    #[schema(nullable = false)]
    errors: Option<Vec<FieldProblem>>,
}

/// What is wrong with one field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `ApiError` answers")]
struct FieldProblem {
    /// The field, such as `tickers[1]`; empty for the body as a whole.
    field: String,
    /// The value found and the rule.
    detail: String,
}

/// When to come back.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `ApiError` answers")]
pub(super) struct TooOften {
    /// One sentence for people.
    detail: String,
    /// Seconds, the same as `Retry-After`.
    #[schema(minimum = 1)]
    retry_after: u64,
}

/// Numbers of the last 24 hours. Each label of the table is a key beside these.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `stream_core::event::Metrics` writes by hand")]
pub(super) struct MetricsAnswer {
    /// Items.
    total: u32,
    /// Items by ticker; one with two tickers counts for both.
    by_tag: std::collections::BTreeMap<String, u32>,
    /// How many tickers there are beside those of `by_tag`; absent where it has all.
    #[schema(nullable = false)]
    tags_left_out: Option<u32>,
    /// Items of the last hour.
    rate_last_hour: u32,
    /// Items of the last 24 hours.
    rate_last_24h: u32,
    /// When the table was read, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The newest items.
    recent_items: Vec<super::item::ItemAnswer<'static>>,
}

/// Answers with this description.
#[utoipa::path(
    get,
    path = routes::OPENAPI,
    operation_id = "openapi",
    summary = "This description",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(super) async fn document(Extension(Document(text)): Extension<Document>) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, String::clone(&text))
}

/// Completes the description once, and hands it to [`document`].
pub(super) fn layer(described: OpenApi, settings: Arc<DashboardSettings>) -> Extension<Document> {
    let make = move || {
        let mut document = serde_json::to_value(described).expect("a description always serialises");
        complete(&mut document, &settings);
        document.to_string()
    };
    Extension(Document(Arc::new(LazyLock::new(Box::new(make)))))
}

fn complete(document: &mut Value, settings: &DashboardSettings) {
    document["info"] = json!({
        "title": "Dashboard function",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Numbers, items and saved configurations beside the event streams.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    // The routes are below wherever the description was found.
    document["servers"] = json!([{ "url": "/" }]);
    document["components"]["securitySchemes"] = security_schemes(&settings.auth);
    schemas(&mut document["components"]["schemas"], &settings.data);
    let secured = security(&settings.auth);
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, operations) in paths.iter_mut() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let is_data = [routes::METRICS, routes::ITEMS, routes::HISTORY].contains(&path.as_str());
            if path.starts_with(routes::CONFIGURATIONS) || is_data && settings.auth.private {
                operation["security"] = secured.clone();
            }
            let parameters = parameters::of(path);
            if !parameters.is_empty() {
                operation["parameters"] = parameters.into();
            }
            answers(&mut operation["responses"], path, method);
        }
    }
}

fn security_schemes(auth: &AuthSettings) -> Value {
    let key = |place: &str, name: &str, description: &str| json!({ "type": "apiKey", "in": place, "name": name, "description": description });
    match auth.mode {
        AuthMode::Off => json!({}),
        AuthMode::TrustedHeader => json!({
            "proxy": key("header", routes::USER_HEADER, "Set by a proxy that requests cannot go around."),
        }),
        AuthMode::Session | AuthMode::Jwt => json!({
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token. Behind CloudFront it does not arrive.",
            },
            "cookie": key("cookie", auth.cookie.as_str(), "The same token; tried where the header has no good one."),
            "query": key("query", routes::TOKEN_QUERY, "The same token; tried where the cookie is none either."),
        }),
    }
}

/// Any one of the schemes.
fn security(auth: &AuthSettings) -> Value {
    let schemes = security_schemes(auth);
    schemes.as_object().into_iter().flatten().map(|(name, _)| json!({ (name): [] })).collect()
}

/// Completes the shapes by what follows from limits and settings.
fn schemas(schemas: &mut Value, data: &DataSettings) {
    let labels = data.labels.as_slice();
    let names: Vec<&str> = labels.iter().map(Label::as_str).collect();
    schemas["Item"]["properties"]["label"]["enum"] = json!(names);
    about(&mut schemas["Item"]["properties"], data);
    let metrics = &mut schemas["MetricsAnswer"];
    let keys = || labels.iter().map(Label::key);
    for (label, key) in names.iter().zip(keys()) {
        metrics["properties"][key] = json!({
            "type": "integer", "format": "int32", "minimum": 0, "description": format!("Items of the label `{label}`."),
        });
    }
    let required = metrics["required"].as_array().cloned().unwrap_or_default();
    metrics["required"] = required.into_iter().chain(keys().map(|key| json!(key))).collect();
    metrics["properties"]["recent_items"]["maxItems"] = json!(limits::RECENT_ITEMS);
    schemas["ItemsAnswer"]["properties"]["items"]["maxItems"] = json!(limits::PAGE_ITEMS_MAX);
    schemas["ItemsAnswer"]["properties"]["next"]["pattern"] = json!(Place::PATTERN);
    schemas["ConfigurationsAnswer"]["properties"]["configurations"]["maxItems"] = json!(limits::CONFIGURATIONS_MAX);
    // Only where the route is.
    if let Some(goodbye) = schemas.get_mut("GoodbyeInput") {
        goodbye["properties"]["stream_id"]["pattern"] = json!("^[0-9a-f]{32}$");
    }
    let input = &mut schemas["ConfigurationInput"]["properties"];
    input["name"]["minLength"] = json!(1);
    input["name"]["maxLength"] = json!(limits::CONFIGURATION_NAME_SENT_CHARS_MAX);
    input["name"]["pattern"] = json!(patterns::name());
    input["tickers"]["minItems"] = json!(1);
    input["tickers"]["maxItems"] = json!(limits::CONFIGURATION_TICKERS_MAX);
    input["tickers"]["uniqueItems"] = json!(true);
    input["tickers"]["items"]["pattern"] = json!(patterns::one_ticker());
}

/// The fields of what is shown of an item.
fn about(properties: &mut Value, data: &DataSettings) {
    if data.title_attribute.is_some() {
        let meaning = "What it is about. Left out where the row has none.";
        properties["title"] = json!({ "type": "string", "maxLength": limits::TITLE_CHARS_MAX, "description": meaning });
    }
    if data.url_attribute.is_some() {
        let meaning = "Link to what it is about. Left out where the row has none by `https:`.";
        properties["url"] = json!({ "type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]://", "description": meaning });
    }
    for name in data.show.names() {
        let meaning = "As the row has it: a text, a number or a truth value. Left out where it has none.";
        properties[name] = json!({
            "type": ["string", "number", "boolean"], "maxLength": limits::SHOWN_CHARS_MAX, "description": meaning,
        });
    }
}

/// Headers of answers that a client acts on.
fn answers(answers: &mut Value, path: &str, method: &str) {
    let header = |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    let text = || json!({ "type": "string" });
    for (status, answer) in answers.as_object_mut().into_iter().flatten() {
        let mut headers = Map::new();
        if ["429", "503"].contains(&status.as_str()) {
            let seconds = json!({ "type": "integer", "minimum": 1 });
            headers.insert("Retry-After".into(), header("Seconds after which to try again.", seconds));
        }
        if [routes::METRICS, routes::HISTORY].contains(&path) && ["200", "304"].contains(&status.as_str()) {
            headers
                .insert("ETag".into(), header("Weak: of what the answer says, without the time of reading.", text()));
            headers.insert("Cache-Control".into(), header("`no-cache`: ask each time.", text()));
        }
        match (path, method, status.as_str()) {
            (routes::CONFIGURATIONS, "post", "201") => {
                headers.insert("Location".into(), header("Path of the configuration.", text()));
            }
            (routes::AUTH_ANONYMOUS, "post", "201") => {
                let meaning = "The token as a cookie; not for a page of another site.";
                headers.insert("Set-Cookie".into(), header(meaning, text()));
            }
            _ => {}
        }
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
    }
}
