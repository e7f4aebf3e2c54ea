//! `auth.private`: stream and numbers ask for a token too, what says nothing of the data does not.

use super::issuer::{AUDIENCE, Issuer};
use super::{LIMIT, answer, assert_unidentified, function, sessions};
use crate::support::client::Request;
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

#[tokio::test]
async fn a_private_table_is_for_users_only() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    table.put_all(&[Row::new("a", "positive", &["AAPL"])]).await;
    let name = issuer.name();
    let env =
        [("AUTH_MODE", "jwt"), ("AUTH_PRIVATE", "true"), ("AUTH_ISSUER", name.as_str()), ("AUTH_AUDIENCE", AUDIENCE)];
    let (stream, dashboard) = (function("stream", &table, &env).await, function("dashboard", &table, &env).await);
    let token = issuer.rs256("r", &issuer.claims("ann", 600));
    let old = issuer.rs256("r", &issuer.claims("ann", -600));
    let ask = |to, path: &str| Request::get(to, path).header("Accept", "text/event-stream");
    for (to, path, public) in [
        (stream.address(), "/api/v2/stream", "/api/v2/stream/status"),
        (dashboard.address(), "/api/v2/metrics", "/api/v2/runtime"),
        (dashboard.address(), "/api/v2/items", "/health"),
        (dashboard.address(), "/api/v2/history", "/health"),
    ] {
        assert_unidentified(ask(to, path), path).await;
        assert_unidentified(ask(to, path).header("Authorization", format!("Bearer {old}")), path).await;
        assert_eq!(ask(to, public).send().await.status(), 200, "{public}");
    }
    for request in [
        ask(stream.address(), "/api/v2/stream").header("Authorization", format!("Bearer {token}")),
        ask(stream.address(), "/api/v2/stream").header("Cookie", format!("session=other; session={token}")),
        ask(stream.address(), &format!("/api/v2/stream?tickers=AAPL&token={token}")),
    ] {
        SseClient::connect(request).await.event("metrics", LIMIT).await;
    }
    let metrics = ask(dashboard.address(), "/api/v2/metrics").header("Cookie", format!("session={token}"));
    assert_eq!(answer(metrics.send().await, 200).await["total"], 1);
    let items = ask(dashboard.address(), &format!("/api/v2/items?token={token}"));
    assert!(answer(items.send().await, 200).await["items"][0]["item_id"].is_string());
}

#[tokio::test]
async fn a_session_lets_in_and_the_stream_ends_with_it() {
    let private = [("AUTH_PRIVATE", "true"), ("AUTH_SESSION_LIFETIME", "8s"), ("SSE_POLL_INTERVAL", "200ms")];
    let local = Local::start(&private).await;
    let config = Request::get(local.dashboard, "/config.js").send().await.bytes().await.unwrap();
    assert!(String::from_utf8(config).unwrap().contains("\"AUTH_PRIVATE\":true"));
    let ask = |to, path: &str| Request::get(to, path).header("Accept", "text/event-stream");
    for (to, path) in [
        (local.stream, "/api/v2/stream"),
        (local.stream, "/api/v2/stream?token=AQ"),
        (local.dashboard, "/api/v2/metrics"),
        (local.dashboard, "/api/v2/items?limit=1"),
    ] {
        assert_unidentified(ask(to, path), path).await;
        assert_unidentified(ask(to, path).header("X-User-ID", "ann"), path).await;
    }
    let (token, _) = sessions::anonymous(local.dashboard).await;
    for path in ["/api/v2/metrics", "/api/v2/items"] {
        let request = ask(local.dashboard, path).header("Authorization", format!("Bearer {token}"));
        assert_eq!(request.send().await.status(), 200, "{path}");
    }
    let mut client = SseClient::connect(ask(local.stream, &format!("/api/v2/stream?token={token}"))).await;
    let heard = client.until_end(LIMIT).await;
    let last = heard.last().unwrap().event().unwrap();
    assert_eq!(last.name, "deadline");
    assert!(last.data.contains("\"token_expired\""), "{last:?}");
    assert_unidentified(ask(local.stream, &format!("/api/v2/stream?token={token}")), "expired").await;
}

#[tokio::test]
async fn a_proxy_that_names_the_user_lets_in() {
    let table = Table::create(SENTIMENTS).await;
    table.put_all(&[Row::new("a", "positive", &["AAPL"])]).await;
    let env = [("AUTH_MODE", "trusted-header"), ("AUTH_PRIVATE", "true")];
    let (stream, dashboard) = (function("stream", &table, &env).await, function("dashboard", &table, &env).await);
    let ask = |to, path: &str| Request::get(to, path).header("Accept", "text/event-stream");
    for (to, path) in [
        (stream.address(), "/api/v2/stream"),
        (dashboard.address(), "/api/v2/metrics"),
        (dashboard.address(), "/api/v2/items"),
    ] {
        assert_unidentified(ask(to, path), path).await;
        assert_unidentified(ask(to, path).header("Authorization", "Bearer ann"), path).await;
        assert_unidentified(ask(to, path).header("X-User-ID", ""), path).await;
    }
    let request = ask(stream.address(), "/api/v2/stream").header("X-User-ID", "ann");
    SseClient::connect(request).await.event("metrics", LIMIT).await;
    for path in ["/api/v2/metrics", "/api/v2/items"] {
        let response = ask(dashboard.address(), path).header("X-User-ID", "ann").send().await;
        assert_eq!(response.status(), 200, "{path}");
    }
}
