//! An issuer of tokens on loopback: a discovery document, keys, and tokens signed with them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::clock::epoch_ms;
use crate::support::http1::Connection;
use crate::support::process::lock;

/// Made for these tests and used nowhere else.
const RSA_KEY: &[u8] = include_bytes!("../fixtures/auth/issuer_rsa.pk8");
pub(super) const AUDIENCE: &str = "live-dashboard";
/// Path of its keys without their names.
pub(super) const BARE: &str = "/realms/team@example.com/keys";
/// Path of its keys among others, with all that issuers put beside them.
pub(super) const CROWD: &str = "/service/v1/jwk/token@system.example.com";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    /// Closes every connection.
    Down,
    /// Takes the request and says nothing.
    Hangs,
    /// More bytes than anybody should read.
    Floods,
    /// Sends whoever asks to itself, by another name.
    Redirects,
}

struct State {
    mood: Mood,
    requests: Vec<String>,
}

/// A running issuer.
pub(super) struct Issuer {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let rsa = RsaKeyPair::from_pkcs8(RSA_KEY).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State { mood: Mood::Works, requests: Vec::new() }));
        let issuer = Self { address, state, rsa, p256, random };
        tokio::spawn(serve(listener, Arc::clone(&issuer.state), issuer.documents()));
        issuer
    }

    /// Its name, which is its URL.
    pub(super) fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn set(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }

    /// Paths that were asked for, in order.
    pub(super) fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }

    fn documents(&self) -> [(String, Value); 4] {
        let modulus = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.rsa.public()).n;
        let point = self.p256.public_key().as_ref();
        [
            (
                "/.well-known/openid-configuration".to_owned(),
                json!({ "issuer": self.name(), "jwks_uri": format!("{}/keys", self.name()), "more": [1] }),
            ),
            (
                "/keys".to_owned(),
                json!({ "keys": [
                    { "kty": "RSA", "kid": "r", "alg": "RS256", "use": "sig", "n": b64(&modulus), "e": "AQAB" },
                    { "kty": "EC", "kid": "e", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
                ]}),
            ),
            // The same without names, with the sign byte of a big number, and with one that is for something else.
            (
                BARE.to_owned(),
                json!({ "keys": [
                    { "kty": "RSA", "n": b64([&[0], modulus.as_slice()].concat()), "e": "AAEAAQ" },
                    { "kty": "RSA", "kid": "r", "use": "enc", "n": b64(&modulus), "e": "AQAB" },
                    { "kty": "EC", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
                ]}),
            ),
            // As Keycloak, Entra and Supabase list them: what encrypts, curves that nobody here knows, certificates, no `alg`.
            (
                CROWD.to_owned(),
                json!({ "keys": [
                    { "kid": "oaep", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": b64(&modulus), "e": "AQAB", "x5c": ["MII="] },
                    { "kid": "ed", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": b64(&point[1..33]) },
                    { "kid": "p384", "kty": "EC", "crv": "P-384", "alg": "ES384", "x": "AA", "y": "AA" },
                    { "kid": "hs", "kty": "oct", "alg": "HS256", "k": "AA" },
                    {
                        "kty": "RSA", "use": "sig", "kid": "r", "x5t": "r", "n": b64(&modulus), "e": "AQAB", "x5c": ["MII="],
                        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "cloud_instance_name": "microsoftonline.com",
                    },
                    {
                        "kty": "EC", "crv": "P-256", "kid": "e", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
                        "x": b64(&point[1..33]), "y": b64(&point[33..]),
                    },
                ]}),
            ),
        ]
    }

    /// Claims of a user, good for so many seconds.
    pub(super) fn claims(&self, user: &str, secs: i64) -> Value {
        let now = i64::try_from(epoch_ms() / 1000).unwrap();
        json!({ "iss": self.name(), "sub": user, "aud": AUDIENCE, "exp": now + secs, "iat": now })
    }

    pub(super) fn rs256(&self, kid: &str, claims: &Value) -> String {
        self.rs256_with(&json!({ "alg": "RS256", "kid": kid, "typ": "JWT" }), claims)
    }

    /// The same with a header of one's own.
    pub(super) fn rs256_with(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", b64(signature))
    }

    pub(super) fn es256(&self, kid: &str, claims: &Value) -> String {
        let message = message(&json!({ "alg": "ES256", "kid": kid }), claims);
        let signature = self.p256.sign(&self.random, message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature))
    }
}

/// The two parts that are signed.
pub(super) fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", b64(header.to_string()), b64(claims.to_string()))
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>, documents: [(String, Value); 4]) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, documents) = (Arc::clone(&state), documents.clone());
        tokio::spawn(async move {
            let mut connection = Connection::new(stream);
            if lock(&state).mood == Mood::Down {
                return;
            }
            // One request a connection is enough here.
            let Ok(Some(head)) = connection.head().await else { return };
            let path = head.word(1).to_owned();
            lock(&state).requests.push(path.clone());
            let mood = lock(&state).mood;
            let document = documents.iter().find(|(at, _)| path.strip_prefix("/moved").unwrap_or(&path) == at);
            let (status, more, body) = match (mood, document) {
                (Mood::Hangs, _) => return std::future::pending().await,
                (Mood::Floods, _) => ("200 OK", String::new(), " ".repeat(1024 * 1024)),
                (Mood::Redirects, _) if !path.starts_with("/moved") => {
                    ("302 Found", format!("Location: /moved{path}\r\n"), String::new())
                }
                (_, Some((_, document))) => ("200 OK", String::new(), document.to_string()),
                (_, None) => ("404 Not Found", String::new(), String::new()),
            };
            let head =
                format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // Whoever has gone has gone.
            connection.write((head + &body).as_bytes()).await.ok();
        });
    }
}
