//! What all routes have in common: JSON whatever happens, methods, and headers that keep browsers from doing more.

use serde_json::json;

use super::{LIMIT, USER, answer, function, get};
use crate::emulator::Outcome;
use crate::support::client::{Request, Response};
use crate::support::harmless::{assert_harmless, assert_harmless_health};
use crate::support::table::{SENTIMENTS, Table};
use contract::routes;

fn assert_is_data(response: &Response, what: &str) {
    assert_harmless_at(what, response);
    // That is the Function URL's to say, and twice is an error.
    assert!(response.head.all("access-control-allow-origin").is_empty(), "{what}");
}

fn assert_harmless_at(path: &str, response: &Response) {
    if path == routes::HEALTH {
        assert_harmless_health(response);
    } else {
        assert_harmless(response, path);
    }
}

#[tokio::test]
async fn every_answer_is_json_with_the_headers_of_data() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let one = routes::CONFIGURATION.replace("{config_id}", "a");
    for (method, target, status) in [
        ("GET", routes::HEALTH, 200),
        ("GET", routes::METRICS, 200),
        ("GET", routes::ITEMS, 200),
        ("GET", routes::HISTORY, 200),
        ("GET", routes::RUNTIME, 200),
        ("GET", routes::OPENAPI, 200),
        ("GET", routes::CONFIGURATIONS, 200),
        ("GET", &one, 404),
        ("DELETE", &one, 404),
        ("GET", &routes::CONFIGURATION.replace("{config_id}", "a%20b"), 400),
        ("GET", &routes::CONFIGURATION.replace("{config_id}", "%ff"), 400),
        ("POST", routes::CONFIGURATIONS, 415),
        // Users of this mode come from elsewhere.
        ("POST", routes::AUTH_ANONYMOUS, 404),
        ("POST", routes::STREAM_GOODBYE, 404),
        ("GET", routes::STREAM, 404),
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
    ] {
        let response = Request::new(emulator.address(), method, target).header(USER, "ann").send().await;
        assert_is_data(&response, target);
        let found = answer(response, status).await;
        assert!(status == 200 || found["detail"].is_string(), "{method} {target}: {found}");
    }
    for index in 0..emulator.invocations().len() {
        assert_eq!(emulator.finished(index, LIMIT).await.outcome, Some(Outcome::Done));
    }
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[("SSE_GOODBYE", "true")]).await;
    for (path, allowed) in [
        (routes::METRICS, "GET,HEAD"),
        (routes::ITEMS, "GET,HEAD"),
        (routes::HISTORY, "GET,HEAD"),
        (routes::RUNTIME, "GET,HEAD"),
        (routes::OPENAPI, "GET,HEAD"),
        (routes::HEALTH, "GET,HEAD"),
        (routes::AUTH_ANONYMOUS, "POST"),
        (routes::STREAM_GOODBYE, "POST"),
        (routes::CONFIGURATIONS, "GET,HEAD,POST"),
        ("/api/v2/configurations/a", "DELETE,GET,HEAD,PUT"),
    ] {
        for method in ["PATCH", "OPTIONS", "TRACE", "DELETE"] {
            if allowed.contains(method) {
                continue;
            }
            let response = Request::new(emulator.address(), method, path).header(USER, "ann").send().await;
            let said = response.head.all("allow").join(",");
            let mut found: Vec<&str> = said.split(',').map(str::trim).collect();
            found.sort_unstable();
            assert_eq!(found.join(","), allowed, "{method} {path}");
            assert_harmless(&response, path);
            assert_eq!(answer(response, 405).await, json!({ "detail": "Method not allowed" }));
        }
        if allowed.contains("HEAD") {
            let response = Request::new(emulator.address(), "HEAD", path).header(USER, "ann").send().await;
            assert!([200, 404].contains(&response.status()), "HEAD {path}");
            assert_harmless_at(path, &response);
        }
    }
}

#[tokio::test]
async fn pages_are_told_where_the_stream_is() {
    let table = Table::create(SENTIMENTS).await;
    for (url, expected) in [("-", ""), ("", ""), ("https://live.example.com", "https://live.example.com")] {
        let emulator = function(&table, &[("SSE_URL", url), ("ENVIRONMENT", "prod")]).await;
        let found = get(&emulator, routes::RUNTIME).await;
        assert_eq!(found, json!({ "sse_url": expected, "environment": "prod" }));
        emulator.finished(0, LIMIT).await;
    }
}

#[tokio::test]
async fn liveness_is_one_word() {
    let table = Table::create(SENTIMENTS).await;
    assert_eq!(get(&function(&table, &[]).await, routes::HEALTH).await, json!({ "status": "healthy" }));
}
