//! Nothing of a token, and no query, in anything that a program writes, at its loudest.

use serde_json::json;

use super::issuer::{AUDIENCE, Issuer};
use super::sessions::{anonymous, make_key};
use super::{CONFIGURATION, LIMIT, bearer, function, tech};
use crate::emulator::Emulator;
use crate::render::moto::Moto;
use crate::support::client::Request;
use crate::support::dynamodb::put_configuration;
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};

/// Asks in every way, good and hostile, and returns what must not be found anywhere.
async fn ask(function: &Emulator, good: &str) -> Vec<String> {
    let to = function.address();
    let canary = |n: usize| format!("canary{n}-{}", "s3cr3t".repeat(4));
    for request in [
        bearer(to, good),
        tech(to).header("Cookie", format!("session={good}")),
        Request::get(to, &format!("{CONFIGURATION}?token={good}")),
    ] {
        SseClient::connect(request).await.event("heartbeat", LIMIT).await;
    }
    let [header, cookie, query, twice, path, bad] = [0, 1, 2, 3, 4, 5].map(canary);
    let dotted = format!("{}.{}.{}", canary(6), canary(7), canary(8));
    for request in [
        bearer(to, &header),
        bearer(to, &dotted),
        bearer(to, &good[..good.len() - 2]),
        tech(to).header("Cookie", format!("session={cookie}")),
        Request::get(to, &format!("{CONFIGURATION}?token={query}")),
        Request::get(to, &format!("{CONFIGURATION}?token={twice}&token={twice}")),
        Request::get(to, &format!("/api/v2/configurations/{}/stream?token={path}", "%00".repeat(9))),
        Request::get(to, &format!("{}?tickers=%00&tickers=%00&token={bad}", contract::routes::STREAM)),
        Request::get(to, &format!("/nowhere?token={bad}")),
        Request::new(to, "DELETE", &format!("{CONFIGURATION}?token={bad}")),
    ] {
        let status = request.send().await.status();
        assert!((400..500).contains(&status), "{status}");
    }
    vec!["s3cr3t".to_owned(), good.to_owned(), good[..20].to_owned(), good[good.len() - 20..].to_owned()]
}

fn assert_silent(function: &Emulator, secrets: &[String]) {
    let logs = function.logs();
    assert!(logs.len() >= 3, "it says nothing at all: {logs:#?}");
    for line in &logs {
        for secret in secrets {
            assert!(!line.text.contains(secret.as_str()), "{secret} in {}", line.text);
        }
        assert!(!line.text.contains("token=") && !line.text.contains("Bearer"), "{}", line.text);
    }
}

#[tokio::test]
async fn session_tokens_and_queries_are_in_no_log() {
    let moto = Moto::start();
    make_key(moto.address(), "alias/a").await;
    let table = Table::create(SENTIMENTS).await;
    let url = moto.url();
    let more = [("AUTH_MODE", "session"), ("AUTH_SESSION_KEYS", "alias/a"), ("AWS_ENDPOINT_URL_KMS", url.as_str())];
    let (stream, dashboard) = (function("stream", &table, &more).await, function("dashboard", &table, &more).await);
    let (token, user) = anonymous(dashboard.address()).await;
    put_configuration(&table.users, &user, "tech", &["AAPL"]).await;
    let secrets = ask(&stream, &token).await;
    assert_silent(&stream, &secrets);
    let all: String = dashboard.logs().iter().map(|line| line.text.clone() + "\n").collect();
    assert!(secrets.iter().all(|secret| !all.contains(secret.as_str())), "{all}");
}

#[tokio::test]
async fn an_issuers_tokens_and_queries_are_in_no_log() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    let name = issuer.name();
    let more = [("AUTH_MODE", "jwt"), ("AUTH_ISSUER", name.as_str()), ("AUTH_AUDIENCE", AUDIENCE)];
    let stream = function("stream", &table, &more).await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let mut claims = issuer.claims("ann", 600);
    claims["email"] = json!("s3cr3t@example.com");
    let secrets = ask(&stream, &issuer.es256("e", &claims)).await;
    assert_silent(&stream, &secrets);
    let refused = stream.logs().iter().filter(|line| line.text.contains("token refused")).count();
    assert!(refused >= 2, "whoever asks for it hears why tokens are refused");
}
