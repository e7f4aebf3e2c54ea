//! The dashboard function behind a REST API of API Gateway.

use serde_json::{Value, json};

use super::{LIMIT, USER, answer, config};
use crate::emulator::rest_api::STAGE;
use crate::emulator::{Config, Emulator, InvokeMode, Outcome, Way};
use crate::support::client::Request;
use crate::support::table::{Row, SENTIMENTS, Table};

async fn behind(way: Way, table: &Table, more: &[(&str, &str)]) -> Emulator {
    let config = config("dashboard", table, more);
    Emulator::start(Config { way, invoke_mode: InvokeMode::Buffered, max_environments: 1, ..config }).await
}

fn request(emulator: &Emulator, method: &str, target: &str) -> Request {
    Request::new(emulator.address(), method, &format!("/{STAGE}{target}"))
}

#[tokio::test]
async fn rest_answers_as_through_a_function_url() {
    let table = Table::create(SENTIMENTS).await;
    table.put_all(&[Row::new("a", "positive", &["X"]), Row::new("b", "negative", &["Y"])]).await;
    let (url, api) = (behind(Way::FunctionUrl, &table, &[]).await, behind(Way::RestApi, &table, &[]).await);
    for target in
        ["/health", "/api/v2/items?limit=1", "/api/v2/items?format=csv", "/api/v2/items?limit=0", "/api/v2/none"]
    {
        let (one, other) =
            (Request::get(url.address(), target).send().await, request(&api, "GET", target).send().await);
        assert_eq!(
            (one.status(), one.head.all("content-type")),
            (other.status(), other.head.all("content-type")),
            "{target}"
        );
        assert_eq!(one.bytes().await.unwrap(), other.bytes().await.unwrap(), "{target}");
    }
    let draft = json!({ "name": "é", "tickers": ["X", "é"] });
    let made = request(&api, "POST", "/api/v2/configurations").header(USER, "ann").json(&draft).send().await;
    assert_eq!(made.head.all("location").len(), 1);
    let made = answer(made, 201).await;
    let id = made["config_id"].as_str().unwrap().to_owned();
    let target = format!("/api/v2/configurations/{id}");
    let read: Value = answer(request(&api, "GET", &target).header(USER, "ann").send().await, 200).await;
    assert_eq!((&read["name"], &read["tickers"]), (&json!("é"), &draft["tickers"]));
    // Not UTF-8, so base64 in the event: an error of the program and not of the platform.
    let broken = request(&api, "POST", "/api/v2/configurations").header(USER, "ann");
    answer(broken.body(Some("application/json"), b"{\"name\":\"\xff\"}").send().await, 400).await;
    assert_eq!(request(&api, "DELETE", &target).header(USER, "ann").send().await.status(), 204);
    for (index, _) in api.invocations().iter().enumerate() {
        assert_eq!(api.finished(index, LIMIT).await.outcome, Some(Outcome::Done), "{index}");
    }
}

#[tokio::test]
async fn a_session_cookie_comes_in_the_form_that_a_rest_api_takes() {
    let table = Table::create(SENTIMENTS).await;
    let api = behind(Way::RestApi, &table, &[("CORS_ALLOW_ORIGINS", "*")]).await;
    let issued = request(&api, "POST", "/api/v2/auth/anonymous").header("Origin", "https://a.example").send().await;
    assert_eq!(issued.head.all("access-control-allow-origin"), ["*"]);
    let preflight = request(&api, "OPTIONS", "/api/v2/configurations").header("Origin", "https://a.example");
    let preflight = preflight.header("Access-Control-Request-Method", "POST").send().await;
    assert_eq!((preflight.status(), preflight.head.all("access-control-allow-origin")), (204, vec!["*".to_owned()]));
    for index in 0..2 {
        assert_eq!(api.finished(index, LIMIT).await.outcome, Some(Outcome::Done), "{index}");
    }
}
