//! Tokens as the usual issuers make them, each with the settings that docs/auth.md names for it: theirs in, others out, and the
//! log says why.

use serde_json::{Value, json};

use super::issuer::{CROWD, Issuer};
use super::{LIMIT, assert_logged, assert_unidentified, bearer, function};
use crate::support::clock::epoch_ms;
use crate::support::dynamodb::put_configuration;
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};

/// What tokens of an issuer say, and what the manifest has to.
struct Maker {
    issuer: &'static str,
    audience: &'static str,
    claim: &'static str,
    user: &'static str,
    header: Value,
    claims: Value,
    /// What makes a token of the same issuer one for something else, and what the log says of it.
    wrong: [(Value, &'static str); 2],
}

const OTHER_AUDIENCE: &str = "it is meant for another audience";
const OTHER_ISSUER: &str = "it is of another issuer";

fn rs256() -> Value {
    json!({ "alg": "RS256", "kid": "r", "typ": "JWT" })
}

impl Maker {
    /// The claims, with those of `more` in their place; NULL takes one away.
    fn with(&self, more: &Value) -> Value {
        let now = epoch_ms() / 1000;
        let mut claims = json!({ "iss": self.issuer, "sub": self.user, "iat": now, "exp": now + 600 });
        for more in [&self.claims, more] {
            for (name, value) in more.as_object().unwrap() {
                claims[name] = value.clone();
            }
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    async fn check(self) {
        let (keys, table) = (Issuer::start().await, Table::create(SENTIMENTS).await);
        put_configuration(&table.users, self.user, "tech", &["AAPL"]).await;
        let url = format!("{}{CROWD}", keys.name());
        let settings = [
            ("AUTH_MODE", "jwt"),
            ("AUTH_ISSUER", self.issuer),
            ("AUTH_AUDIENCE", self.audience),
            ("AUTH_AUDIENCE_CLAIM", self.claim),
            ("AUTH_JWKS_URL", &url),
        ];
        let function = function("stream", &table, &settings).await;
        let sign = |claims: &Value| {
            let is_ec = self.header["alg"] == "ES256";
            if is_ec { keys.es256("e", claims) } else { keys.rs256_with(&self.header, claims) }
        };
        let good = sign(&self.with(&json!({})));
        SseClient::connect(bearer(function.address(), &good)).await.event("heartbeat", LIMIT).await;
        for (more, reason) in &self.wrong {
            assert_unidentified(bearer(function.address(), &sign(&self.with(more))), reason).await;
            assert_logged(&function, &["token refused", reason]).await;
        }
        // Whoever may write what such a token says cannot sign it.
        let claims = self.with(&json!({}));
        let (_, signature) = good.rsplit_once('.').unwrap();
        let moved = sign(&self.with(&json!({ "sub": "somebody else" })));
        let moved = format!("{}.{signature}", moved.rsplit_once('.').unwrap().0);
        for forged in [Issuer::start().await.es256("e", &claims), moved] {
            assert_unidentified(bearer(function.address(), &forged), "a stranger's signature").await;
        }
        let none = super::issuer::message(&json!({ "alg": "none", "typ": "JWT" }), &claims);
        assert_unidentified(bearer(function.address(), &format!("{none}.")), "no signature").await;
    }
}

macro_rules! issuers {
    ($($name:ident: $maker:expr;)+) => { $(
        #[tokio::test]
        async fn $name() {
            $maker.check().await;
        }
    )+ };
}

issuers! {
    auth0: Maker {
        issuer: "https://acme.eu.auth0.com/", audience: "https://live.example.com", claim: "aud", user: "auth0|64f0c0ffee",
        header: rs256(),
        claims: json!({
            "aud": ["https://live.example.com", "https://acme.eu.auth0.com/userinfo"], "azp": "Zk3", "scope": "openid profile",
        }),
        // Without the slash at its end it is another name.
        wrong: [
            (json!({ "iss": "https://acme.eu.auth0.com" }), OTHER_ISSUER),
            (json!({ "aud": "https://acme.eu.auth0.com/userinfo" }), OTHER_AUDIENCE),
        ],
    };
    apple: Maker {
        issuer: "https://appleid.apple.com", audience: "com.example.live", claim: "aud", user: "001999.8f.1234",
        header: json!({ "kid": "r", "alg": "RS256" }),
        claims: json!({ "aud": "com.example.live", "email_verified": "true", "auth_time": 1, "nonce_supported": true }),
        wrong: [
            (json!({ "aud": "com.example.other" }), OTHER_AUDIENCE),
            (json!({ "exp": (epoch_ms() / 1000 + 600).to_string() }), "its `exp` is not a number of seconds since 1970"),
        ],
    };
    clerk: Maker {
        issuer: "https://live-fox-12.clerk.accounts.dev", audience: "https://live.example.com", claim: "azp",
        user: "user_2abc", header: json!({ "alg": "RS256", "cat": "cl_B7d4PD111AAA", "kid": "r", "typ": "JWT" }),
        claims: json!({ "azp": "https://live.example.com", "nbf": 1, "sid": "sess_1", "fva": [0, -1], "v": 2 }),
        wrong: [
            (json!({ "azp": "https://evil.example" }), OTHER_AUDIENCE),
            (json!({ "azp": null }), "it has no `azp`"),
        ],
    };
    cognito_access: Maker {
        issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf", audience: "5nk3example", claim: "client_id",
        user: "7f3c-uuid", header: json!({ "kid": "r", "alg": "RS256" }),
        claims: json!({
            "client_id": "5nk3example", "token_use": "access", "scope": "aws.cognito.signin.user.admin", "username": "ann",
            "cognito:groups": ["staff"],
        }),
        wrong: [
            (json!({ "client_id": "other" }), OTHER_AUDIENCE),
            (json!({ "client_id": null, "aud": "5nk3example", "token_use": "id" }), "it has no `client_id`"),
        ],
    };
    cognito_id: Maker {
        issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf", audience: "5nk3example", claim: "aud",
        user: "7f3c-uuid", header: json!({ "kid": "r", "alg": "RS256" }),
        claims: json!({ "aud": "5nk3example", "token_use": "id", "cognito:username": "ann", "identities": [{ "userId": "1" }] }),
        wrong: [
            (json!({ "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other" }), OTHER_ISSUER),
            (json!({ "aud": null, "client_id": "5nk3example" }), "it has no `aud`"),
        ],
    };
    descope: Maker {
        issuer: "P2abcDEF", audience: "P2abcDEF", claim: "aud", user: "U2xyz",
        header: json!({ "alg": "RS256", "kid": "r", "typ": "JWT" }),
        // `aud` is there where a template of the project adds it.
        claims: json!({ "aud": ["P2abcDEF"], "amr": ["email"], "drn": "DS", "rexp": "2030-01-01T00:00:00Z" }),
        wrong: [
            (json!({ "iss": "https://api.descope.com/P2abcDEF" }), OTHER_ISSUER),
            (json!({ "aud": null }), "it has no `aud`"),
        ],
    };
    entra_v1: Maker {
        issuer: "https://sts.windows.net/9f1c/", audience: "api://live", claim: "aud", user: "AAAAAPkw",
        header: json!({ "typ": "JWT", "alg": "RS256", "x5t": "r", "kid": "r" }),
        claims: json!({ "aud": "api://live", "appid": "31aa", "tid": "9f1c", "ver": "1.0", "nbf": 1 }),
        wrong: [
            (json!({ "iss": "https://login.microsoftonline.com/9f1c/v2.0", "ver": "2.0" }), OTHER_ISSUER),
            (json!({ "aud": "00000003-0000-0000-c000-000000000000" }), OTHER_AUDIENCE),
        ],
    };
    entra_v2: Maker {
        issuer: "https://login.microsoftonline.com/9f1c/v2.0", audience: "31aa-4b5c", claim: "aud", user: "AAAAAPkw",
        header: json!({ "typ": "JWT", "alg": "RS256", "kid": "r" }),
        claims: json!({ "aud": "31aa-4b5c", "azp": "31aa-4b5c", "tid": "9f1c", "oid": "u", "ver": "2.0", "nbf": 1 }),
        wrong: [
            (json!({ "iss": "https://login.microsoftonline.com/other/v2.0", "tid": "other" }), OTHER_ISSUER),
            (json!({ "nbf": epoch_ms() / 1000 + 3600 }), "it is not valid yet"),
        ],
    };
    firebase: Maker {
        issuer: "https://securetoken.google.com/live-1234", audience: "live-1234", claim: "aud", user: "kX0user",
        header: rs256(),
        claims: json!({
            "aud": "live-1234", "auth_time": 1, "user_id": "kX0user",
            "firebase": { "identities": { "email": ["a@example.com"] }, "sign_in_provider": "password" },
        }),
        wrong: [
            (json!({ "iss": "https://securetoken.google.com/other", "aud": "other" }), OTHER_ISSUER),
            (json!({ "aud": "other" }), OTHER_AUDIENCE),
        ],
    };
    google: Maker {
        issuer: "https://accounts.google.com", audience: "123-abc.apps.googleusercontent.com", claim: "aud",
        user: "110169484474386276334", header: rs256(),
        claims: json!({
            "aud": "123-abc.apps.googleusercontent.com", "azp": "123-abc.apps.googleusercontent.com", "hd": "example.com",
        }),
        wrong: [
            (json!({ "iss": "accounts.google.com" }), OTHER_ISSUER),
            (json!({ "aud": "456-def.apps.googleusercontent.com" }), OTHER_AUDIENCE),
        ],
    };
    google_without_https: Maker {
        issuer: "accounts.google.com", audience: "123-abc.apps.googleusercontent.com", claim: "aud",
        user: "110169484474386276334", header: rs256(),
        claims: json!({ "aud": "123-abc.apps.googleusercontent.com", "at_hash": "x" }),
        wrong: [
            (json!({ "iss": "https://accounts.google.com" }), OTHER_ISSUER),
            (json!({ "iat": null, "exp": "soon" }), "its `exp` is not a number of seconds since 1970"),
        ],
    };
    keycloak: Maker {
        issuer: "https://sso.example.com/realms/team", audience: "dashboard", claim: "azp", user: "0d7f-uuid",
        header: json!({ "alg": "RS256", "typ": "JWT", "kid": "r" }),
        claims: json!({
            "aud": "account", "azp": "dashboard", "typ": "Bearer", "acr": "1", "realm_access": { "roles": ["user"] },
        }),
        wrong: [
            (json!({ "azp": "other", "aud": "dashboard" }), OTHER_AUDIENCE),
            (json!({ "iss": "https://sso.example.com/realms/other" }), OTHER_ISSUER),
        ],
    };
    okta: Maker {
        issuer: "https://dev-1.okta.com/oauth2/default", audience: "api://default", claim: "aud", user: "ann@example.com",
        header: json!({ "kid": "r", "alg": "RS256" }),
        claims: json!({ "aud": "api://default", "cid": "0oa1", "uid": "00u1", "scp": ["openid"], "ver": 1 }),
        wrong: [
            (json!({ "iss": "https://dev-1.okta.com" }), OTHER_ISSUER),
            (json!({ "sub": null }), "it has no `sub`"),
        ],
    };
    stytch: Maker {
        issuer: "stytch.com/project-live-1a2b", audience: "project-live-1a2b", claim: "aud", user: "user-live-fde03dd1",
        header: json!({ "alg": "RS256", "kid": "r", "typ": "JWT" }),
        claims: json!({
            "aud": ["project-live-1a2b"], "nbf": 1, "https://stytch.com/session": { "id": "session-live-1", "roles": [] },
        }),
        wrong: [
            (json!({ "iss": "stytch.com/project-test-1a2b", "aud": ["project-test-1a2b"] }), OTHER_ISSUER),
            (json!({ "nbf": epoch_ms() as f64 / 1000.0 + 3600.5 }), "it is not valid yet"),
        ],
    };
    supabase: Maker {
        issuer: "https://abcdefgh.supabase.co/auth/v1", audience: "authenticated", claim: "aud", user: "8c1e-uuid",
        header: json!({ "alg": "ES256", "kid": "e", "typ": "JWT" }),
        claims: json!({ "aud": "authenticated", "role": "authenticated", "aal": "aal1", "session_id": "s", "is_anonymous": false }),
        wrong: [
            (json!({ "aud": "anon", "role": "anon" }), OTHER_AUDIENCE),
            (json!({ "iss": "https://other.supabase.co/auth/v1" }), OTHER_ISSUER),
        ],
    };
}
