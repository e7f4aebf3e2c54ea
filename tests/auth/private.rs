//! `auth.private`: stream and numbers ask for a token too, what says nothing of the data does not.

use super::issuer::{AUDIENCE, Issuer};
use super::{LIMIT, answer, assert_unidentified, function};
use crate::support::client::Request;
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
