//! The dashboard function from the outside: the shipped binary behind a `BUFFERED` URL, on a real table.

mod about;
mod configurations;
mod described;
mod history;
mod items;
mod limits;
mod local;
mod metrics;
mod races;
mod rest_api;
mod routes;
mod spreadsheet;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::{Config, Emulator, InvokeMode};
use crate::support::client::{Request, Response};
use crate::support::table::Table;
use crate::support::{bins, dynamodb};

/// Nothing here takes that long; a hang fails one test and not the run.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two reads in these tests.
const POLL: Duration = Duration::from_millis(100);
/// The header that names a user in these tests; who may send it is the generator's business.
const USER: &str = "X-User-ID";

fn config(program: &str, table: &Table, more: &[(&str, &str)]) -> Config {
    let own = [("SSE_POLL_INTERVAL", "100ms"), ("AUTH_MODE", "trusted-header")];
    let own = own.into_iter().chain(more.iter().copied());
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let env = table.env().into_iter().chain(dynamodb::env(dynamodb::address())).chain(own).collect();
    Config::new(bins::path(program), env)
}

/// The function as classic Lambda runs it: one environment, frozen between two requests.
async fn function(table: &Table, more: &[(&str, &str)]) -> Emulator {
    let config = config("dashboard", table, more);
    Emulator::start(Config { invoke_mode: InvokeMode::Buffered, max_environments: 1, ..config }).await
}

/// The same, with its tables at this address.
async fn function_at(table: &Table, endpoint: SocketAddr) -> Emulator {
    let mut config = config("dashboard", table, &[]);
    config.env.extend(dynamodb::env(endpoint));
    Emulator::start(Config { invoke_mode: InvokeMode::Buffered, max_environments: 1, ..config }).await
}

/// The function as managed instances run it: many requests at once.
async fn concurrent(table: &Table) -> Emulator {
    let config = config("dashboard", table, &[]);
    let config = Config { concurrency_per_environment: 64, max_environments: 1, freeze: false, ..config };
    Emulator::start(Config { invoke_mode: InvokeMode::Buffered, ..config }).await
}

/// Asserts the status and that the answer is JSON, and returns it.
async fn answer(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status, "{:?}", response.head);
    assert_eq!(response.head.all("content-type"), ["application/json"]);
    response.into_json().await
}

/// What the path answers.
async fn get(emulator: &Emulator, target: &str) -> Value {
    answer(Request::get(emulator.address(), target).send().await, 200).await
}

/// Asserts that these keys have these values, whatever else there is.
fn assert_has(data: &Value, expected: &Value) {
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&data[key], value, "`{key}` of {data}");
    }
}

/// A configuration's body.
fn body(name: &str, tickers: &[&str]) -> Value {
    json!({ "name": name, "tickers": tickers })
}
