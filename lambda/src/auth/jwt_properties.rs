//! Random headers, claims, signatures and key sets: a token makes a user exactly where a judge says so that knows who signed it.
//!
//! The judge looks at what a case was made from, never at its bytes, so that it shares nothing with what it judges.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::AudienceClaim;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};
use stream_core::timestamp::Timestamp;

use super::jwk::KeySet;
use super::jwt::{Expected, Unverified};

const RSA_KEYS: [&[u8]; 2] = [
    include_bytes!("../../../tests/fixtures/auth/issuer_rsa.pk8"),
    include_bytes!("../../../tests/fixtures/auth/stranger_rsa.pk8"),
];
const ISSUER: &str = "https://login.example.com/";
const AUDIENCE: &str = "live";
const NOW: i64 = 1_700_000_000;
/// What clocks may differ by, as docs/auth.md says.
const SKEW: i64 = 30;
const CASES: u32 = 3_000;

/// A pair of keys. Each may be in a set, and each may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    Rsa(usize),
    P256(usize),
    P384,
}

const PAIRS: [Pair; 6] = [Pair::Rsa(0), Pair::Rsa(1), Pair::P256(0), Pair::P256(1), Pair::P256(2), Pair::P384];

impl Pair {
    /// The algorithm that is allowed for it here.
    const fn allowed(self) -> Option<&'static str> {
        match self {
            Self::Rsa(_) => Some("RS256"),
            Self::P256(_) => Some("ES256"),
            Self::P384 => None,
        }
    }

    /// What an issuer calls it, where it does nothing strange.
    fn name(self) -> String {
        format!("{self:?}")
    }
}

/// What stands in the third part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signature {
    /// That of this pair, as is allowed for it.
    Good(Pair),
    /// The same of other bytes.
    Moved(Pair),
    /// Of an RSA key, by another padding or hash.
    Pss(usize),
    Sha512(usize),
    /// By a shared secret: the public key's bytes, which everybody knows.
    Hmac(Pair),
    /// None at all, or as many zeros.
    Zeros(usize),
}

/// One key of a set, and what is strange about it.
#[derive(Clone, Debug)]
struct Entry {
    pair: Pair,
    /// Members that are other than usual, or `null` to leave the usual one out.
    members: Vec<(&'static str, Value)>,
    /// Its public key is written as a shared secret.
    is_secret: bool,
    zeros: usize,
}

#[derive(Clone, Debug)]
struct Case {
    signature: Signature,
    /// Values of the header's members as JSON, more than one where it comes twice; nothing is what is usual for the signature.
    alg: Option<Vec<Value>>,
    kid: Option<Vec<Value>>,
    more: Vec<(&'static str, Value)>,
    iss: Value,
    aud: Value,
    exp: i64,
    nbf: Option<i64>,
    keys: Vec<Entry>,
}

struct Bench {
    rsa: Vec<RsaKeyPair>,
    p256: Vec<EcdsaKeyPair>,
    p384: EcdsaKeyPair,
    random: SystemRandom,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Bench {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ec = |algorithm: &'static EcdsaSigningAlgorithm| {
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
        };
        Self {
            rsa: RSA_KEYS.iter().map(|key| RsaKeyPair::from_pkcs8(key).unwrap()).collect(),
            p256: (0..3).map(|_| ec(&ECDSA_P256_SHA256_FIXED_SIGNING)).collect(),
            p384: ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            random,
        }
    }

    /// The public key as it stands in a set: modulus, or point without its first byte.
    fn public(&self, pair: Pair) -> Vec<u8> {
        match pair {
            Pair::Rsa(index) => ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.rsa[index].public()).n,
            Pair::P256(index) => self.p256[index].public_key().as_ref()[1..].to_vec(),
            Pair::P384 => self.p384.public_key().as_ref()[1..].to_vec(),
        }
    }

    fn jwk(&self, entry: &Entry) -> Value {
        let public = self.public(entry.pair);
        let padded = |bytes: &[u8]| b64([&vec![0; entry.zeros][..], bytes].concat());
        let (x, y) = public.split_at(public.len() / 2);
        let mut key = match entry.pair {
            _ if entry.is_secret => json!({ "kty": "oct", "k": b64(&public) }),
            Pair::Rsa(_) => json!({ "kty": "RSA", "n": padded(&public), "e": "AQAB" }),
            Pair::P256(_) => json!({ "kty": "EC", "crv": "P-256", "x": padded(x), "y": padded(y) }),
            Pair::P384 => json!({ "kty": "EC", "crv": "P-384", "x": padded(x), "y": padded(y) }),
        };
        key["kid"] = entry.pair.name().into();
        for (name, value) in &entry.members {
            key[*name] = value.clone();
        }
        key
    }

    fn sign(&self, signature: Signature, message: &[u8]) -> Vec<u8> {
        let rsa = |index: usize, padding: &'static dyn RsaEncoding, message: &[u8]| {
            let mut bytes = vec![0; self.rsa[index].public().modulus_len()];
            self.rsa[index].sign(padding, &self.random, message, &mut bytes).unwrap();
            bytes
        };
        let ec = |key: &EcdsaKeyPair, message: &[u8]| key.sign(&self.random, message).unwrap().as_ref().to_vec();
        match signature {
            Signature::Good(Pair::Rsa(index)) => rsa(index, &RSA_PKCS1_SHA256, message),
            Signature::Good(Pair::P256(index)) => ec(&self.p256[index], message),
            Signature::Good(Pair::P384) => ec(&self.p384, message),
            Signature::Moved(pair) => self.sign(Signature::Good(pair), &[message, b"x"].concat()),
            Signature::Pss(index) => rsa(index, &RSA_PSS_SHA256, message),
            Signature::Sha512(index) => rsa(index, &RSA_PKCS1_SHA512, message),
            Signature::Hmac(pair) => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, &self.public(pair));
                hmac::sign(&secret, message).as_ref().to_vec()
            }
            Signature::Zeros(count) => vec![0; count],
        }
    }

    fn token(&self, case: &Case) -> String {
        let twice = |name: &'static str, values: Vec<Value>| values.into_iter().map(move |value| (name, value));
        let header = twice("alg", case.algs()).chain(twice("kid", case.kids())).chain(case.more.iter().cloned());
        let header: Vec<String> = header.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        let mut claims = json!({ "iss": case.iss, "sub": "ann", "aud": case.aud, "exp": NOW + case.exp });
        if let Some(nbf) = case.nbf {
            claims["nbf"] = (NOW + nbf).into();
        }
        let message = format!("{}.{}", b64(format!("{{{}}}", header.join(","))), b64(claims.to_string()));
        let signature = self.sign(case.signature, message.as_bytes());
        format!("{message}.{}", b64(signature))
    }

    fn makes_a_user(&self, case: &Case) -> bool {
        let set = json!({ "keys": case.keys.iter().map(|entry| self.jwk(entry)).collect::<Vec<_>>() });
        let set = KeySet::parse(set.to_string().as_bytes()).expect("it is a set, whatever its keys");
        let expected = Expected { issuer: ISSUER.into(), audiences: vec![AUDIENCE.into()], claim: AudienceClaim::Aud };
        let now = Timestamp::from_millis(u64::try_from(NOW).unwrap() * 1_000);
        Unverified::parse(&self.token(case), &expected, now).and_then(|token| token.verify(&set)).is_ok()
    }
}

impl Entry {
    fn member(&self, name: &str) -> Option<&Value> {
        self.members.iter().rev().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Its name, where it has one.
    fn kid(&self) -> Option<String> {
        match self.member("kid") {
            None => Some(self.pair.name()),
            Some(value) => value.as_str().map(str::to_owned),
        }
    }

    /// Whether its issuer says that tokens may be signed with it, as they are here.
    fn is_for_tokens(&self) -> bool {
        let is_null_or = |name: &str, accepts: &dyn Fn(&Value) -> bool| {
            self.member(name).is_none_or(|value| value.is_null() || accepts(value))
        };
        !self.is_secret
            && self.pair.allowed().is_some_and(|algorithm| is_null_or("alg", &|value| value == algorithm))
            && is_null_or("use", &|value| value == "sig")
            && is_null_or("kid", &Value::is_string)
            && is_null_or("key_ops", &|value| value.as_array().is_some_and(|all| all.contains(&json!("verify"))))
            && self.member("kty").is_none()
            // Means nothing for an RSA key, and is no reason to understand what is no text.
            && self.member("crv").is_none_or(|curve| matches!(self.pair, Pair::Rsa(_)) && curve.is_string())
    }
}

impl Case {
    fn signer(&self) -> Option<Pair> {
        match self.signature {
            Signature::Good(pair) | Signature::Moved(pair) | Signature::Hmac(pair) => Some(pair),
            Signature::Pss(index) | Signature::Sha512(index) => Some(Pair::Rsa(index)),
            Signature::Zeros(_) => None,
        }
    }

    fn algs(&self) -> Vec<Value> {
        let usual = || vec![self.signer().and_then(Pair::allowed).unwrap_or("none").into()];
        self.alg.clone().unwrap_or_else(usual)
    }

    fn kids(&self) -> Vec<Value> {
        let usual = || self.signer().map(|pair| pair.name().into()).into_iter().collect();
        self.kid.clone().unwrap_or_else(usual)
    }

    /// Whether this token proves a user, by what RFC 7515, RFC 7517 and docs/auth.md say.
    fn should_make_a_user(&self) -> bool {
        let Signature::Good(signer) = self.signature else { return false };
        let Some(algorithm) = signer.allowed() else { return false };
        let kids = self.kids();
        let kid = match &kids[..] {
            [] => None,
            [Value::String(kid)] => Some(kid),
            _ => return false,
        };
        let typs: Vec<&Value> = self.more.iter().filter(|(name, _)| *name == "typ").map(|(_, value)| value).collect();
        let is_access = match typs[..] {
            [] => true,
            [typ] => typ == "JWT" || typ == "at+jwt",
            _ => false,
        };
        let candidates = self.keys.iter().filter(|entry| entry.is_for_tokens());
        let is_known = match kid {
            Some(kid) => candidates.clone().any(|entry| entry.kid().as_ref() == Some(kid) && entry.pair == signer),
            None => {
                let fitting: Vec<Pair> = candidates.map(|entry| entry.pair).collect();
                let fitting: Vec<Pair> = fitting.into_iter().filter(|p| p.allowed() == Some(algorithm)).collect();
                fitting == [signer]
            }
        };
        let aud_is_ours = self.aud == AUDIENCE || self.aud == json!(["other", AUDIENCE]);
        self.algs() == [json!(algorithm)]
            && is_access
            && self.more.iter().all(|(name, _)| *name != "crit")
            && is_known
            && self.iss == ISSUER
            && aud_is_ours
            && -SKEW < self.exp
            && self.nbf.is_none_or(|nbf| nbf <= SKEW)
    }
}

/// One of these, as often as its number says.
fn often<T: Clone + std::fmt::Debug + 'static>(usual: T, weight: u32, others: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![weight => Just(usual), 1 => select(others)]
}

fn signatures() -> impl Strategy<Value = Signature> {
    let pair = || select(PAIRS.to_vec());
    prop_oneof![
        12 => pair().prop_map(Signature::Good),
        1 => pair().prop_map(Signature::Moved),
        1 => (0..2_usize).prop_map(Signature::Pss),
        1 => (0..2_usize).prop_map(Signature::Sha512),
        2 => pair().prop_map(Signature::Hmac),
        1 => select(vec![0, 32, 64, 256]).prop_map(Signature::Zeros),
    ]
}

fn algs() -> impl Strategy<Value = Option<Vec<Value>>> {
    let names = [
        "RS256", "ES256", "HS256", "PS256", "RS384", "RS512", "ES384", "EdDSA", "none", "None", "rs256", "Es256",
        "RS256 ", "",
    ];
    let one = select(names.to_vec()).prop_map(|name| vec![json!(name)]);
    let strange = select(vec![
        vec![],
        vec![json!("RS256"), json!("RS256")],
        vec![json!("none"), json!("ES256")],
        vec![json!("RS256"), json!("HS256")],
        vec![json!(256)],
        vec![Value::Null],
        vec![json!(["RS256"])],
    ]);
    prop_oneof![12 => Just(None), 4 => one.prop_map(Some), 1 => strange.prop_map(Some)]
}

fn kids() -> impl Strategy<Value = Option<Vec<Value>>> {
    let named = select(PAIRS.to_vec()).prop_map(|pair| vec![json!(pair.name())]);
    let strange = select(vec![
        vec![json!("")],
        vec![json!("elsewhere")],
        vec![json!("../../dev/null")],
        vec![json!("a"), json!("a")],
        vec![json!(1)],
        vec![Value::Null],
        vec![json!({ "kty": "oct" })],
    ]);
    prop_oneof![8 => Just(None), 6 => Just(Some(vec![])), 3 => named.prop_map(Some), 1 => strange.prop_map(Some)]
}

/// What a header may hold beside: keys and where to get them, as whoever signs likes.
fn more(bench: &Bench) -> impl Strategy<Value = Vec<(&'static str, Value)>> + use<> {
    let embedded: Vec<Value> = PAIRS.iter().map(|pair| bench.jwk(&plain(*pair))).collect();
    let one = prop_oneof![
        3 => select(embedded).prop_map(|key| ("jwk", key)),
        1 => Just(("jwk", json!({ "kty": "oct", "k": "AAAA" }))),
        1 => Just(("jku", json!("https://evil.example.com/keys"))),
        1 => Just(("x5u", json!("https://evil.example.com/certificate"))),
        1 => Just(("x5c", json!(["MIIB"]))),
        1 => Just(("x5t", json!("AAAA"))),
        1 => Just(("zip", json!("DEF"))),
        1 => select(vec![json!(["exp"]), json!(["b64"]), json!([]), Value::Null]).prop_map(|names| ("crit", names)),
        1 => Just(("b64", json!(false))),
        4 => select(vec!["JWT", "at+jwt", "logout+jwt", "JOSE"]).prop_map(|typ| ("typ", json!(typ))),
    ];
    vec(one, 0..3)
}

fn plain(pair: Pair) -> Entry {
    Entry { pair, members: vec![], is_secret: false, zeros: 0 }
}

fn entries() -> impl Strategy<Value = Entry> {
    let name = |pair: Pair| json!(pair.name());
    let member = prop_oneof![
        3 => select(vec![Value::Null, json!("sig"), json!("enc"), json!("SIG"), json!(1)]).prop_map(|value| ("use", value)),
        2 => select(vec![json!(["verify"]), json!(["sign", "verify"]), json!(["encrypt"]), json!([]), json!("verify")])
            .prop_map(|value| ("key_ops", value)),
        3 => select(vec![json!("RS256"), json!("ES256"), json!("HS256"), json!("RS512"), json!("PS256"), json!("rs256"), json!(1)])
            .prop_map(|value| ("alg", value)),
        3 => select(PAIRS.to_vec()).prop_map(move |other| ("kid", name(other))),
        2 => select(vec![Value::Null, json!(""), json!(7)]).prop_map(|value| ("kid", value)),
        1 => select(vec![json!("rsa"), json!("oct"), json!("OKP"), json!(null)]).prop_map(|value| ("kty", value)),
        1 => select(vec![json!("secp256k1"), json!("p-256"), json!(5)]).prop_map(|value| ("crv", value)),
    ];
    let parts = (select(PAIRS.to_vec()), vec(member, 0..3), often(false, 8, vec![true]), often(0, 3, vec![1, 2, 9]));
    parts.prop_map(|(pair, members, is_secret, zeros)| Entry { pair, members, is_secret, zeros })
}

fn cases(bench: &Bench) -> impl Strategy<Value = Case> + use<> {
    let others = vec![json!("https://login.example.com"), json!("https://evil.example.com/"), json!([ISSUER])];
    let iss = often(json!(ISSUER), 20, others);
    let others = vec![json!(["other", AUDIENCE]), json!("other"), json!([]), json!("Live"), json!(null)];
    let aud = often(json!(AUDIENCE), 20, others);
    let exp = prop_oneof![20 => 1..1_000_i64, 1 => -40..-20_i64, 1 => -1_000..-30_i64];
    let nbf = option::weighted(0.2, prop_oneof![-1_000..0_i64, 20..40_i64]);
    let header = (signatures(), algs(), kids(), more(bench));
    let keys = (vec(entries(), 0..5), option::weighted(0.7, often(0, 3, vec![1, 2, 9])));
    (header, iss, aud, exp, nbf, keys).prop_map(|((signature, alg, kid, more), iss, aud, exp, nbf, (keys, own))| {
        let mut case = Case { signature, alg, kid, more, iss, aud, exp, nbf, keys };
        // Mostly the issuer knows whoever signs; else there would be little to tell apart.
        let own = case.signer().zip(own).map(|(signer, zeros)| Entry { zeros, ..plain(signer) });
        case.keys.extend(own);
        case
    })
}

#[test]
fn a_token_makes_a_user_exactly_where_an_allowed_key_of_the_issuer_has_signed_it() {
    let bench = Bench::new();
    let good = Cell::new(0_u32);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&cases(&bench), |case| {
        let should = case.should_make_a_user();
        good.set(good.get() + u32::from(should));
        prop_assert_eq!(bench.makes_a_user(&case), should, "{}", bench.token(&case));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // Were all refused, anything that refuses would do.
    assert!(CASES / 30 < good.get(), "{} of {CASES} are good", good.get());
}
