//! Mode `jwt`: tokens of an OpenID Connect issuer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::issuer::{AUDIENCE, BARE, Issuer, Mood, message};
use super::{
    CONFIGURATION, LIMIT, answer, assert_logged, assert_unavailable, assert_unidentified, bearer, function, plain, tech,
};
use crate::emulator::Emulator;
use crate::support::client::Request;
use crate::support::clock::BUSY;
use crate::support::dynamodb::put_configuration;
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};

async fn stream(table: &Table, issuer: &Issuer, more: &[(&str, &str)]) -> Emulator {
    let name = issuer.name();
    let own = [("AUTH_MODE", "jwt"), ("AUTH_ISSUER", name.as_str()), ("AUTH_AUDIENCE", AUDIENCE)];
    let own: Vec<(&str, &str)> = own.into_iter().chain(more.iter().copied()).collect();
    function("stream", table, &own).await
}

#[tokio::test]
async fn tokens_of_both_kinds_open_their_users_stream_from_all_three_places() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    put_configuration(&table.users, "auth0|ann", "tech", &["AAPL"]).await;
    let keys = format!("{}/keys", issuer.name());
    for more in [&[][..], &[("AUTH_JWKS_URL", keys.as_str())]] {
        let function = stream(&table, &issuer, more).await;
        let to = function.address();
        let claims = issuer.claims("auth0|ann", 600);
        let (rsa, ec) = (issuer.rs256("r", &claims), issuer.es256("e", &claims));
        for request in [
            bearer(to, &rsa),
            tech(to).header("Cookie", format!("session={ec}")),
            Request::get(to, &format!("{CONFIGURATION}?token={rsa}")),
        ] {
            SseClient::connect(request).await.event("heartbeat", LIMIT).await;
        }
        let stranger = issuer.rs256("r", &issuer.claims("bob", 600));
        assert_eq!(answer(bearer(to, &stranger).send().await, 404).await["detail"], "Configuration not found");
    }
    let asked = issuer.requests();
    assert_eq!(asked, ["/.well-known/openid-configuration", "/keys", "/keys"], "once for each function");
}

#[tokio::test]
async fn bad_tokens_are_refused_in_the_same_words() {
    let (issuer, other, table) = (Issuer::start().await, Issuer::start().await, Table::create(SENTIMENTS).await);
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let function = stream(&table, &issuer, &[]).await;
    let with = |name: &str, value: Value| {
        let mut claims = issuer.claims("ann", 600);
        claims[name] = value;
        issuer.rs256("r", &claims)
    };
    let claims = issuer.claims("ann", 600);
    let good = issuer.rs256("r", &claims);
    let none = format!("{}.", message(&json!({ "alg": "none", "kid": "r" }), &claims));
    for (what, token) in [
        ("expired", issuer.rs256("r", &issuer.claims("ann", -31))),
        ("another audience", with("aud", json!("other"))),
        ("no audience", with("aud", json!([]))),
        ("another issuer", with("iss", json!("https://evil.example.com"))),
        ("another issuer's key of the same name", other.es256("e", &claims)),
        ("not yet", with("nbf", json!(9_999_999_999_u64))),
        ("no user", with("sub", json!(""))),
        ("unknown key", issuer.rs256("x", &claims)),
        ("key of the other kind", issuer.rs256("e", &claims)),
        ("no signature", none),
        ("cut", good[..good.len() - 1].to_owned()),
        ("long", with("more", json!("x".repeat(8192)))),
        ("garbage", "garbage".to_owned()),
    ] {
        assert_unidentified(bearer(function.address(), &token), what).await;
    }
    SseClient::connect(bearer(function.address(), &good)).await.event("heartbeat", LIMIT).await;
    SseClient::connect(bearer(function.address(), &with("aud", json!(["x", AUDIENCE])))).await;
}

#[tokio::test]
async fn keys_without_names_at_a_path_with_an_at_sign_serve_tokens_without_a_key_id() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let keys = format!("{}{BARE}", issuer.name());
    let function = stream(&table, &issuer, &[("AUTH_JWKS_URL", keys.as_str())]).await;
    let claims = issuer.claims("ann", 600);
    let nameless = issuer.rs256_with(&json!({ "alg": "RS256" }), &claims);
    SseClient::connect(bearer(function.address(), &nameless)).await.event("heartbeat", LIMIT).await;
    assert_unidentified(bearer(function.address(), &issuer.rs256("r", &claims)), "a key for something else").await;
    assert_unidentified(bearer(function.address(), &issuer.rs256("x", &claims)), "a key of another name").await;
    let other = Issuer::start().await.es256("e", &claims);
    assert_unidentified(bearer(function.address(), &other), "another issuer's key").await;
    assert_eq!(issuer.requests()[0], BARE);
}

#[tokio::test]
async fn a_token_that_is_not_ours_hides_no_good_one_and_the_log_says_what_is_wrong_with_it() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let function = stream(&table, &issuer, &[]).await;
    let to = function.address();
    let mut claims = issuer.claims("ann", 600);
    let good = issuer.rs256("r", &claims);
    let expired = issuer.rs256("r", &issuer.claims("ann", -31));
    claims.as_object_mut().unwrap().remove("aud");
    let aimless = issuer.rs256("r", &claims);
    let query = |token: &str| Request::get(to, &format!("{CONFIGURATION}?token={token}"));
    for (what, request) in [
        ("another program's cookie", query(&good).header("Cookie", "session=s%3A.x; theme=dark")),
        ("an old cookie beside the header", bearer(to, &good).header("Cookie", format!("session={expired}"))),
        ("the cookie of another path", tech(to).header("Cookie", format!("session={expired}; session={good}"))),
        (
            "a header of a proxy",
            tech(to).header("Authorization", "Bearer x.y.z").header("Cookie", format!("session={good}")),
        ),
        ("an access token", query(&good).header("Cookie", format!("session={aimless}"))),
    ] {
        let mut client = SseClient::open(request).await;
        assert_eq!(client.response().status(), 200, "{what}");
        client.event("heartbeat", LIMIT).await;
    }
    assert_unidentified(query(&expired).header("Cookie", format!("session={aimless}")), "bad everywhere").await;
    for (source, reason) in [("cookie", "it has no `aud`"), ("query", "it has expired"), ("header", "it is malformed")]
    {
        assert_logged(&function, &["token refused", source, reason]).await;
    }
}

#[tokio::test]
async fn the_cookie_the_claim_and_several_audiences_are_what_the_settings_say() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let audiences = format!("mobile {AUDIENCE}");
    let name = issuer.name();
    let env = [
        ("AUTH_MODE", "jwt"),
        ("AUTH_ISSUER", name.as_str()),
        ("AUTH_AUDIENCE", audiences.as_str()),
        ("AUTH_AUDIENCE_CLAIM", "client_id"),
        ("AUTH_COOKIE", "__Host-id"),
    ];
    let function = function("stream", &table, &env).await;
    let token = |client: &str| {
        let mut claims = issuer.claims("ann", 600);
        claims["aud"] = json!("not looked at");
        claims["client_id"] = json!(client);
        issuer.rs256("r", &claims)
    };
    let with = |cookie: &str, token: &str| tech(function.address()).header("Cookie", format!("{cookie}={token}"));
    for client in ["mobile", AUDIENCE] {
        SseClient::connect(with("session=x; __Host-id", &token(client))).await.event("heartbeat", LIMIT).await;
    }
    assert_unidentified(with("session", &token(AUDIENCE)), "a cookie of another name").await;
    assert_unidentified(with("__Host-id", &token("other")), "another client").await;
    let without = issuer.rs256("r", &issuer.claims("ann", 600));
    assert_unidentified(with("__Host-id", &without), "no client, whatever its audience").await;
}

#[tokio::test]
async fn unknown_keys_do_not_become_requests_and_an_issuer_that_is_down_is_not_missed() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    let function = stream(&table, &issuer, &[]).await;
    let good = issuer.rs256("r", &issuer.claims("ann", 600));
    assert_eq!(bearer(function.address(), &good).send().await.status(), 404);
    let before = issuer.requests().len();
    for n in 0..40 {
        let token = issuer.rs256(&format!("k{n}"), &issuer.claims("ann", 600));
        assert_unidentified(bearer(function.address(), &token), "unknown key").await;
    }
    assert!(issuer.requests().len() <= before + 1, "{:?}", issuer.requests());
    for mood in [Mood::Down, Mood::Hangs] {
        issuer.set(mood);
        let asked = Instant::now();
        for _ in 0..5 {
            assert_eq!(bearer(function.address(), &good).send().await.status(), 404, "{mood:?}");
        }
        // One wait for an issuer that hangs takes seconds.
        assert!(asked.elapsed() < BUSY, "{mood:?}: {:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_function_that_starts_without_its_issuer_serves_the_public_and_asks_again() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    let good = issuer.rs256("r", &issuer.claims("ann", 600));
    for mood in [Mood::Down, Mood::Floods, Mood::Redirects, Mood::Hangs] {
        issuer.set(mood);
        let function = stream(&table, &issuer, &[]).await;
        let mut public = SseClient::connect(Request::get(function.address(), contract::routes::STREAM)).await;
        public.event("heartbeat", LIMIT).await;
        let refused = answer(plain(function.address(), &good).send().await, 503).await;
        assert_eq!(refused, json!({ "detail": "Users cannot be identified right now. Try again later." }), "{mood:?}");
        assert_unavailable(bearer(function.address(), &good)).await;
        assert_unidentified(bearer(function.address(), "garbage"), "garbage").await;
        let init = function.invocations()[0].init.expect("its first request");
        // Lambda gives a start ten seconds, and the issuer at most half of them.
        assert!(init < Duration::from_secs(5) + BUSY, "{mood:?}: {init:?}");
        issuer.set(Mood::Works);
        let recovered = async {
            while bearer(function.address(), &good).send().await.status() != 404 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(LIMIT, recovered).await.unwrap_or_else(|_| panic!("{mood:?}: nobody asked again"));
    }
    assert!(issuer.requests().iter().all(|path| !path.starts_with("/moved")), "{:?}", issuer.requests());
}

#[tokio::test]
async fn a_stream_ends_in_band_with_its_token() {
    let (issuer, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let function = stream(&table, &issuer, &[]).await;
    answer(Request::get(function.address(), "/health").send().await, 200).await;
    // Clocks may differ by half a minute, so this one is good for another eight seconds.
    let token = issuer.es256("e", &issuer.claims("ann", -22));
    let mut client = SseClient::connect(bearer(function.address(), &token)).await;
    let ending = client.until_end(LIMIT).await;
    let last = ending.last().unwrap().event().unwrap();
    assert_eq!(last.name, "deadline");
    assert_eq!(serde_json::from_str::<Value>(&last.data).unwrap()["reason"], "token_expired");
    assert_unidentified(bearer(function.address(), &token), "expired").await;
}
