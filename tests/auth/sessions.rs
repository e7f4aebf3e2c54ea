//! Mode `session`: tokens of the dashboard function, signed with a secret that comes out of KMS.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    CONFIGURATION, Gate, LIMIT, answer, assert_logged, assert_unavailable, assert_unidentified, bearer, function,
    plain, tech,
};
use crate::emulator::Emulator;
use crate::render::moto::Moto;
use crate::support::client::Request;
use crate::support::clock::BUSY;
use crate::support::dynamodb::put_configuration;
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

const ANONYMOUS: &str = contract::routes::AUTH_ANONYMOUS;

/// Calls KMS as the AWS command line would.
pub(crate) async fn kms(to: SocketAddr, operation: &str, input: &Value) -> Value {
    let signature =
        "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0";
    let request = Request::new(to, "POST", "/").header("X-Amz-Target", format!("TrentService.{operation}"));
    let response = request.header("Authorization", signature).json(input).send().await;
    assert_eq!(response.status(), 200, "{operation} {input}");
    let body = response.bytes().await.unwrap();
    if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() }
}

/// Makes a key as the rendered Terraform does, and returns its id.
pub(super) async fn make_key(to: SocketAddr, alias: &str) -> String {
    let spec = json!({ "KeyUsage": "GENERATE_VERIFY_MAC", "KeySpec": "HMAC_256" });
    let key = kms(to, "CreateKey", &spec).await["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    kms(to, "CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": key })).await;
    key
}

/// Both functions with these keys.
async fn functions(table: &Table, kms: &str, keys: &str, more: &[(&str, &str)]) -> (Emulator, Emulator) {
    let own = [("AUTH_MODE", "session"), ("AUTH_SESSION_KEYS", keys), ("AWS_ENDPOINT_URL_KMS", kms)];
    let own: Vec<(&str, &str)> = own.into_iter().chain(more.iter().copied()).collect();
    (function("stream", table, &own).await, function("dashboard", table, &own).await)
}

/// A token and its user, from the dashboard function.
pub(crate) async fn anonymous(dashboard: SocketAddr) -> (String, String) {
    let response = Request::new(dashboard, "POST", ANONYMOUS).send().await;
    assert_eq!(response.head.all("cache-control"), ["no-store"]);
    let cookies: Vec<String> = response.head.all("set-cookie").iter().map(ToString::to_string).collect();
    let issued = answer(response, 201).await;
    let text = |name: &str| issued[name].as_str().unwrap_or_else(|| panic!("`{name}` of {issued}")).to_owned();
    let keys: Vec<&String> = issued.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["expires_at", "token", "user_id"]);
    // The same token, where no script can read it and no other site's page can send it.
    let cookie = format!("session={}; HttpOnly; Secure; SameSite=Strict; Path=/api/; Max-Age=", text("token"));
    assert!(matches!(&cookies[..], [one] if one.starts_with(&cookie)), "{cookies:?}");
    assert!(text("expires_at").ends_with('Z') && text("expires_at").len() == 24, "{issued}");
    (text("token"), text("user_id"))
}

#[tokio::test]
async fn a_token_of_the_dashboard_opens_the_stream_of_its_users_configuration_alone() {
    let moto = Moto::start();
    make_key(moto.address(), "alias/a").await;
    let table = Table::create(SENTIMENTS).await;
    let (stream, dashboard) = functions(&table, &moto.url(), "alias/a", &[]).await;
    let ((token, user), (other, stranger)) =
        (anonymous(dashboard.address()).await, anonymous(dashboard.address()).await);
    assert_ne!(user, stranger);
    put_configuration(&table.users, &user, "tech", &["AAPL"]).await;
    let to = stream.address();
    let cookie = |token: &str| format!("theme=dark; session={token}; x=1");
    let query = |token: &str| Request::get(to, &format!("{CONFIGURATION}?token={token}"));
    for (what, request) in [
        ("header", bearer(to, &token)),
        ("cookie", tech(to).header("Cookie", cookie(&token))),
        ("query", query(&token)),
        (
            "header first",
            query("bad").header("Cookie", cookie("bad")).header("Authorization", format!("bearer {token}")),
        ),
        ("cookie second", query("bad").header("Cookie", cookie(&token))),
        ("bad header", query("bad").header("Cookie", cookie(&token)).header("Authorization", "Bearer bad")),
        ("empty header", query(&token).header("Authorization", "Bearer ")),
        (
            "two headers",
            tech(to).header("Authorization", "Bearer bad").header("Authorization", format!("Bearer {token}")),
        ),
        ("another program's cookie", query(&token).header("Cookie", cookie("s%3Aj2k.QmFzZTY0+/="))),
        ("another user's old cookie", bearer(to, &token).header("Cookie", cookie(&"A".repeat(74)))),
        ("two cookies", tech(to).header("Cookie", format!("session={token}; session={token}"))),
        ("the second cookie", tech(to).header("Cookie", format!("session=bad; session=; session=\"{token}\""))),
        ("the second parameter", Request::get(to, &format!("{CONFIGURATION}?token=&token=bad&token={token}"))),
        ("signed by the edge", query(&token).header("Authorization", "AWS4-HMAC-SHA256 Credential=x")),
    ] {
        let mut client = SseClient::open(request).await;
        assert_eq!(client.response().status(), 200, "{what}");
        client.event("heartbeat", LIMIT).await;
    }
    let tampered = format!("{}{}", &token[..40], token[40..].replace(|c: char| c.is_ascii_lowercase(), "Q"));
    assert_unidentified(tech(to), "nothing").await;
    assert_unidentified(tech(to).header("X-User-ID", &user), "a header that nobody vouches for").await;
    assert_unidentified(bearer(to, &tampered), "another token").await;
    for (what, request) in [
        ("bad everywhere", query("bad").header("Cookie", cookie(&tampered)).header("Authorization", "Bearer bad")),
        ("of another name", tech(to).header("Cookie", format!("sessions={token}; Session={token}; xsession={token}"))),
        ("of another scheme", tech(to).header("Authorization", format!("Basic {token}"))),
        ("two in one", bearer(to, &format!("{token} {token}"))),
    ] {
        assert_unidentified(request, what).await;
    }
    assert_logged(&stream, &["token refused", "header", "its signature is no session key's"]).await;
    assert_logged(&stream, &["token refused", "cookie", "it is no session token"]).await;
    assert_eq!(answer(bearer(to, &other).send().await, 404).await, json!({ "detail": "Configuration not found" }));
    let mut public = SseClient::connect(Request::get(to, &format!("{}?token=bad", contract::routes::STREAM))).await;
    public.event("heartbeat", LIMIT).await;
    answer(Request::get(dashboard.address(), ANONYMOUS).send().await, 405).await;
}

#[tokio::test]
async fn keys_are_changed_while_tokens_are_in_use() {
    let moto = Moto::start();
    let old = make_key(moto.address(), "alias/old").await;
    make_key(moto.address(), "alias/new").await;
    let table = Table::create(SENTIMENTS).await;
    let status = async |functions: &(Emulator, Emulator), token: &str| {
        // 404: known, and without a configuration of that name.
        bearer(functions.0.address(), token).send().await.status()
    };
    let before = functions(&table, &moto.url(), "alias/old", &[]).await;
    let (first, _) = anonymous(before.1.address()).await;
    // Step one: the new key verifies, the old one still signs.
    let one = functions(&table, &moto.url(), "alias/old,alias/new", &[]).await;
    let (second, _) = anonymous(one.1.address()).await;
    assert_eq!((status(&one, &first).await, status(&before, &second).await), (404, 404));
    // Step two: the new one signs.
    let two = functions(&table, &moto.url(), "alias/new,alias/old", &[]).await;
    let (third, _) = anonymous(two.1.address()).await;
    assert_eq!((status(&two, &first).await, status(&two, &third).await, status(&one, &third).await), (404, 404, 404));
    assert_unidentified(bearer(before.0.address(), &third), "a key it does not know").await;
    // Step three: the old one is gone, and with it its tokens.
    let three = functions(&table, &moto.url(), "alias/new", &[]).await;
    assert_eq!(status(&three, &third).await, 404);
    for token in [&first, &second] {
        assert_unidentified(bearer(three.0.address(), token), "signed with the old key").await;
    }
    // Listed, and gone from KMS: its tokens are as bad, the others as good.
    kms(moto.address(), "DisableKey", &json!({ "KeyId": old })).await;
    kms(moto.address(), "DeleteAlias", &json!({ "AliasName": "alias/old" })).await;
    let late = functions(&table, &moto.url(), "alias/new,alias/old", &[]).await;
    assert_eq!(status(&late, &third).await, 404);
    assert_unidentified(bearer(late.0.address(), &first), "a key that is gone").await;
}

#[tokio::test]
async fn a_kms_that_is_down_keeps_no_public_stream_back_and_is_asked_again() {
    let moto = Moto::start();
    make_key(moto.address(), "alias/a").await;
    let gate = Gate::before(moto.address()).await;
    let table = Table::create(SENTIMENTS).await;
    let (_, healthy) = functions(&table, &moto.url(), "alias/a", &[]).await;
    let (token, _) = anonymous(healthy.address()).await;
    gate.open(false);
    let (stream, dashboard) = functions(&table, &gate.url(), "alias/a", &[]).await;
    let mut public = SseClient::connect(Request::get(stream.address(), contract::routes::STREAM)).await;
    public.event("heartbeat", LIMIT).await;
    let unavailable = json!({ "detail": "Users cannot be identified right now. Try again later." });
    assert_unavailable(bearer(stream.address(), &token)).await;
    let refused = plain(stream.address(), &token).send().await;
    assert_eq!(refused.head.all("retry-after"), ["30"]);
    assert_eq!(answer(refused, 503).await, unavailable);
    assert_eq!(answer(Request::new(dashboard.address(), "POST", ANONYMOUS).send().await, 503).await, unavailable);
    assert_unidentified(bearer(stream.address(), "garbage"), "garbage needs no key").await;
    // However many ask: one request to KMS in two seconds from each function.
    let visits = gate.visits();
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(plain(stream.address(), &token).send().await.status(), 503);
    }
    let allowed = 1 + began.elapsed().as_secs() / 2;
    let visits = (gate.visits() - visits) as u64;
    // Its client may try a connection that was closed at once a second time.
    assert!(visits <= 2 * allowed, "{visits} requests in {:?}", began.elapsed());
    gate.open(true);
    let recovered = async {
        while bearer(stream.address(), &token).send().await.status() != 404 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        while Request::new(dashboard.address(), "POST", ANONYMOUS).send().await.status() != 201 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(LIMIT, recovered).await.expect("KMS is asked again");
    // From here on nobody asks KMS any more.
    let visits = gate.visits();
    for _ in 0..5 {
        assert_eq!(bearer(stream.address(), &token).send().await.status(), 404);
    }
    assert_eq!(gate.visits(), visits);
}

#[tokio::test]
async fn other_modes_know_neither_kms_nor_tokens() {
    let gate = Gate::before("127.0.0.1:9".parse().unwrap()).await;
    let table = Table::create(SENTIMENTS).await;
    for mode in ["off", "trusted-header"] {
        let more = [("AUTH_MODE", mode), ("AUTH_SESSION_KEYS", "alias/a"), ("AWS_ENDPOINT_URL_KMS", &gate.url())];
        let (stream, dashboard) = (function("stream", &table, &more).await, function("dashboard", &table, &more).await);
        let post = Request::new(dashboard.address(), "POST", ANONYMOUS).send().await;
        assert_eq!(answer(post, 404).await, json!({ "detail": "Not found" }), "{mode}");
        assert_unidentified(bearer(stream.address(), "x"), mode).await;
    }
    assert_eq!(gate.visits(), 0);
}

#[tokio::test]
async fn a_token_that_ends_ends_its_stream_in_band() {
    let moto = Moto::start();
    make_key(moto.address(), "alias/a").await;
    let table = Table::create(SENTIMENTS).await;
    let more = [("AUTH_SESSION_LIFETIME", "8s")];
    let (stream, dashboard) = functions(&table, &moto.url(), "alias/a", &more).await;
    // The first request starts the function, which takes its time.
    answer(Request::get(stream.address(), "/health").send().await, 200).await;
    answer(Request::get(dashboard.address(), "/health").send().await, 200).await;
    let began = Instant::now();
    let (token, user) = anonymous(dashboard.address()).await;
    put_configuration(&table.users, &user, "tech", &["AAPL"]).await;
    let mut client = SseClient::connect(bearer(stream.address(), &token)).await;
    client.event("metrics", LIMIT).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    client.event("sentiment_update", LIMIT).await;
    let ending = client.until_end(LIMIT).await;
    let took = began.elapsed();
    assert!((Duration::from_millis(7900)..Duration::from_secs(8) + BUSY).contains(&took), "{took:?}");
    let last = ending.last().unwrap().event().unwrap();
    assert_eq!((last.name.as_str(), last.has_id), ("deadline", false));
    let data: Value = serde_json::from_str(&last.data).unwrap();
    assert_eq!(data["reason"], "token_expired");
    assert!(
        matches!(ending[ending.len() - 2].item, crate::support::decoder::Item::Retry(millis) if data["reconnect_ms"] == millis)
    );
    let status = Request::get(stream.address(), contract::routes::STREAM_STATUS).send().await.into_json().await;
    assert_eq!(status["connections"], 0, "the slot is still taken");
    assert_unidentified(bearer(stream.address(), &token).header("Last-Event-ID", client.last_id()), "expired").await;
    let closed = stream.logs().iter().any(|line| line.text.contains("token_expired"));
    assert!(closed, "the closing line says why");
}

#[tokio::test]
async fn both_local_servers_share_a_key_that_nobody_has_to_make() {
    // Without a word about users, as `./justw dev` starts it.
    let local = Local::start(&[]).await;
    let (token, user) = anonymous(local.dashboard).await;
    assert!(user.starts_with("anon_"));
    // Known, and without a configuration.
    assert_eq!(answer(bearer(local.stream, &token).send().await, 404).await["detail"], "Configuration not found");
    assert_unidentified(tech(local.stream).header("X-User-ID", "demo"), "a header").await;
    let again = Local::start(&[("AUTH_MODE", "session")]).await;
    assert_unidentified(bearer(again.stream, &token), "another process").await;
}
