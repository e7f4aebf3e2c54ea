//! Parameters of each route, with the ranges that limits give them.

use contract::{limits, routes};
use serde_json::{Value, json};
use stream_core::history::Step;
use stream_core::page::Place;

use super::patterns;

/// The parameters of a route, which have no type that they could be read from.
pub(super) fn of(path: &str) -> Vec<Value> {
    match path {
        routes::METRICS => vec![tickers(), held()],
        routes::HISTORY => vec![history_from(), history_to(), step(), by_ticker(), tickers(), format(), held()],
        routes::ITEMS => vec![limit(), after(), from(), to(), tickers(), format()],
        routes::CONFIGURATION => vec![json!({
            "name": "config_id", "in": "path", "required": true,
            "description": "The configuration.",
            "schema": { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" },
        })],
        _ => Vec::new(),
    }
}

fn optional(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
}

fn tickers() -> Value {
    json!({
        "name": routes::TICKERS_QUERY, "in": "query", "required": false, "style": "form", "explode": false,
        "description": format!(
            "Only items with one of these tickers, {} at most, separated by commas; all items where none is named. \
             White space around a ticker is not part of it. May be repeated.",
            limits::FILTER_TAGS_MAX
        ),
        "schema": { "type": "array", "items": { "type": "string", "pattern": patterns::tickers() } },
    })
}

fn held() -> Value {
    json!({
        "name": "If-None-Match", "in": "header", "required": false,
        "description": "Entity tags that the client has, or `*`.",
        "schema": { "type": "string" },
    })
}

fn format() -> Value {
    let schema = json!({ "type": "string", "enum": ["json", "csv"], "default": "json" });
    optional(routes::FORMAT_QUERY, "The form of the answer.", &schema)
}

fn limit() -> Value {
    let schema = json!({
        "type": "integer", "minimum": 1, "maximum": limits::PAGE_ITEMS_MAX, "default": limits::PAGE_ITEMS_DEFAULT,
    });
    let description = "Items of a page, at most: one of two megabytes ends there, and the next one goes on.";
    optional(routes::LIMIT_QUERY, description, &schema)
}

fn after() -> Value {
    let schema = json!({ "type": "string", "pattern": Place::PATTERN });
    optional(routes::AFTER_QUERY, "The `next` of the page before.", &schema)
}

fn from() -> Value {
    optional(
        routes::FROM_QUERY,
        "First moment; else everything there is.",
        &json!({ "type": "string", "format": "date-time" }),
    )
}

fn to() -> Value {
    let description = "First moment that is not wanted; else everything there is.";
    optional(routes::TO_QUERY, description, &json!({ "type": "string", "format": "date-time" }))
}

fn history_from() -> Value {
    let description = "First moment; the beginning of the window where it is not given. It may be earlier where sums of old hours are kept, by 31 days \
         before `to` at most; else the answer begins with the window.";
    optional(routes::FROM_QUERY, description, &json!({ "type": "string", "format": "date-time" }))
}

fn history_to() -> Value {
    let description =
        "First moment that is not wanted; else everything there is. Where it is before `from` there are no steps.";
    optional(routes::TO_QUERY, description, &json!({ "type": "string", "format": "date-time" }))
}

fn step() -> Value {
    let description = format!(
        "Length of a step: {}. Else the shortest with at most {} steps. An hour where the answer begins before the window.",
        Step::RULE,
        limits::HISTORY_STEPS_DEFAULT
    );
    optional(routes::STEP_QUERY, &description, &length())
}

fn by_ticker() -> Value {
    let description = format!(
        "Adds the steps of the {} most frequent tickers, in steps of this length or of the next longer one that makes {} at most.",
        limits::HISTORY_TAGS_MAX,
        limits::HISTORY_TAG_STEPS_MAX
    );
    optional(routes::BY_TICKER_QUERY, &description, &length())
}

fn length() -> Value {
    let minutes: Vec<String> = Step::all().map(|step| (step.length().as_secs() / 60).to_string()).collect();
    json!({ "type": "string", "pattern": format!("^(({})m|1h)$", minutes.join("|")) })
}
