//! The stream function from the outside: the shipped binaries, a real table, an emulated Lambda, raw clients.

mod about;
mod bad_settings;
mod bursts;
mod configurations;
mod cost;
mod credentials;
mod delivery;
mod doors;
mod endings;
mod faults;
mod fleet;
mod goodbye;
mod guarantee;
mod hours;
mod limits;
mod loads;
mod measured;
mod orders;
mod outages;
mod producers;
mod prometheus;
mod readers;
mod rest_api;
mod resume;
mod rollups;
mod routes;
mod rows;
mod sessions;
mod shared;
mod silence;
mod start;
mod traces;
mod versions;
mod web_adapter;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::{Config, Emulator};
use crate::support::client::Request;
use crate::support::sse::SseClient;
use crate::support::table::Table;
use crate::support::{bins, dynamodb};

/// Nothing here takes that long; a hang fails one test and not the run.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two reads in these tests.
const POLL: Duration = Duration::from_millis(500);
const STREAM: &str = contract::routes::STREAM;

/// A configuration of the binary `stream` on this table, read through `endpoint`.
fn config(table: &Table, endpoint: SocketAddr, more: &[(&str, &str)]) -> Config {
    let own = [("SSE_POLL_INTERVAL", "500ms")].into_iter().chain(more.iter().copied());
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let env = table.env().into_iter().chain(dynamodb::env(endpoint)).chain(own).collect();
    Config::new(bins::path("stream"), env)
}

/// The binary `stream` as a Lambda function on this table.
async fn function(table: &Table, more: &[(&str, &str)]) -> Emulator {
    Emulator::start(config(table, dynamodb::address(), more)).await
}

/// The global stream of an emulated function.
async fn connect(emulator: &Emulator, last_id: &str) -> SseClient {
    let request = Request::get(emulator.address(), STREAM);
    SseClient::connect(if last_id.is_empty() { request } else { request.header("Last-Event-ID", last_id) }).await
}

/// Names of what came, in order.
fn names(arrived: &[crate::support::sse::Arrived]) -> Vec<String> {
    arrived.iter().filter_map(|one| one.event().map(|event| event.name.clone())).collect()
}

/// `item_id` and `ticker` of the updates that came, in order; `null` where there is none.
fn updates(arrived: &[crate::support::sse::Arrived]) -> Vec<(String, String)> {
    let events = arrived.iter().filter_map(|one| one.event()).filter(|event| event.name.ends_with("_update"));
    events
        .map(|event| {
            let data: Value = serde_json::from_str(&event.data).expect("data is JSON");
            let ticker = if data["ticker"].is_null() { "null" } else { data["ticker"].as_str().expect("a string") };
            (data["item_id"].as_str().expect("a string").to_owned(), ticker.to_owned())
        })
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, ticker)| ((*id).to_owned(), (*ticker).to_owned())).collect()
}

/// Asserts that these keys have these values, whatever else there is.
fn assert_has(data: &Value, expected: &Value) {
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&data[key], value, "`{key}` of {data}");
    }
}

fn keys(data: &Value) -> Vec<&str> {
    data.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn counts(total: u64, positive: u64, neutral: u64, negative: u64) -> Value {
    json!({ "total": total, "positive": positive, "neutral": neutral, "negative": negative })
}
