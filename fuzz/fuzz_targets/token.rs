//! Tokens, wherever a request carries them: only one that was issued here, to the last bit, makes a user.
#![no_main]

use std::sync::OnceLock;

use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::AuthSettings;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use lambda::auth::{Auth, Issued};
use lambda::clock::Clock;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

#[derive(Arbitrary, Debug)]
enum Input {
    /// Whatever a request can hold.
    Raw { authorization: Vec<Vec<u8>>, cookie: Vec<Vec<u8>>, query: String },
    /// A good token with some bits turned, in one of the three places.
    Turned { bits: Vec<u16>, place: u8 },
    /// A token of an issuer, well enough made to be looked at; its keys cannot be had.
    Issuer { alg: String, kid: String, typ: Option<String>, claims: Claims, signature: Vec<u8> },
}

#[derive(Arbitrary, Debug)]
struct Claims {
    iss: Option<String>,
    sub: String,
    aud: Vec<String>,
    exp: f64,
    nbf: Option<f64>,
    more: String,
}

struct World {
    runtime: Runtime,
    session: Auth,
    jwt: Auth,
    issued: Issued,
}

const ISSUER: &str = "http://127.0.0.1:9/";
const AUDIENCE: &str = "dashboard";

fn auth(mode: &str) -> Auth {
    let settings = AuthSettings::from_env(&|name| {
        let text = match (name, mode) {
            ("AUTH_MODE", _) => mode,
            ("AUTH_ISSUER", "jwt") => ISSUER,
            // Nobody listens on the port of `discard`.
            ("AUTH_JWKS_URL", "jwt") => "http://127.0.0.1:9/keys",
            ("AUTH_AUDIENCE", "jwt") => AUDIENCE,
            _ => return None,
        };
        Some(text.to_owned())
    });
    Auth::local(&settings.expect("these are valid"), Clock::system(), &|_| None).expect("it needs nothing else")
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let session = auth("session");
        let issued = runtime.block_on(session.anonymous()).expect("the key is made up").expect("this mode has tokens");
        World { session, jwt: auth("jwt"), issued, runtime }
    })
}

fn place(token: &[u8], place: u8) -> (HeaderMap, String) {
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &[u8]| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    };
    match place % 3 {
        0 => put(header::AUTHORIZATION, &[b"Bearer ", token].concat()),
        1 => put(header::COOKIE, &[b"a=b; session=", token].concat()),
        _ => return (headers, format!("token={}", String::from_utf8_lossy(token))),
    }
    (headers, String::new())
}

fuzz_target!(|input: Input| {
    let world = world();
    let user = |auth: &Auth, headers: &HeaderMap, query: &str| world.runtime.block_on(auth.user(headers, Some(query)));
    match input {
        Input::Raw { authorization, cookie, query } => {
            let of = |name: HeaderName, values: Vec<Vec<u8>>| {
                values.into_iter().filter_map(move |value| Some((name.clone(), HeaderValue::from_bytes(&value).ok()?)))
            };
            let all = of(header::AUTHORIZATION, authorization).chain(of(header::COOKIE, cookie));
            let mut headers = HeaderMap::new();
            for (name, value) in all {
                headers.append(name, value);
            }
            assert!(user(&world.session, &headers, &query).is_err());
            assert!(user(&world.jwt, &headers, &query).is_err());
        }
        Input::Turned { bits, place: at } => {
            let mut token = world.issued.token.clone().into_bytes();
            for bit in bits {
                let bit = usize::from(bit) % (token.len() * 8);
                token[bit / 8] ^= 1 << (bit % 8);
            }
            let is_whole = token == world.issued.token.as_bytes();
            let (headers, query) = place(&token, at);
            // In a query some bytes mean others, but none of those that a token is made of.
            match user(&world.session, &headers, &query) {
                Ok(user) => assert!(is_whole && user.id == world.issued.user_id, "{headers:?} {query:?}"),
                Err(_) => assert!(!is_whole),
            }
            assert!(user(&world.jwt, &headers, &query).is_err());
        }
        Input::Issuer { alg, kid, typ, claims, signature } => {
            let head = serde_json::json!({ "alg": alg, "kid": kid, "typ": typ });
            let Claims { iss, sub, aud, exp, nbf, more } = claims;
            let body = serde_json::json!({
                "iss": iss.as_deref().unwrap_or(ISSUER), "sub": sub, "aud": aud, "exp": exp, "nbf": nbf, more: 1,
            });
            let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let token =
                [part(head.to_string().as_bytes()), part(body.to_string().as_bytes()), part(&signature)].join(".");
            let (headers, query) = place(token.as_bytes(), 0);
            assert!(user(&world.jwt, &headers, &query).is_err());
            assert!(user(&world.session, &headers, &query).is_err());
        }
    }
});
