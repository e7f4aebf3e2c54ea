//! Tokens of an issuer, one fault each, against keys of both kinds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::AudienceClaim;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

use super::jwk::KeySet;
use super::jwt::{Expected, Failure, Unverified};
use super::user::User;
use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

/// Made for these tests and used nowhere else.
const RSA_KEY: &[u8] = include_bytes!("../../../tests/fixtures/auth/issuer_rsa.pk8");
const NOW: u64 = 1_700_000_000;

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Bench {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    random: SystemRandom,
}

impl Bench {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ec = |algorithm| {
            let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap()
        };
        Self {
            rsa: RsaKeyPair::from_pkcs8(RSA_KEY).unwrap(),
            p256: ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            p384: ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            random,
        }
    }

    fn keys(&self) -> KeySet {
        let point = self.p256.public_key().as_ref();
        let big = self.p384.public_key().as_ref();
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "r", "n": b64(self.modulus()), "e": "AQAB" },
            { "kty": "EC", "kid": "e", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
            { "kty": "EC", "kid": "p384", "crv": "P-384", "x": b64(&big[1..49]), "y": b64(&big[49..]) },
        ]});
        KeySet::parse(set.to_string().as_bytes()).unwrap()
    }

    fn modulus(&self) -> Vec<u8> {
        ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.rsa.public()).n
    }

    fn rsa(&self, padding: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(padding, &self.random, message.as_bytes(), &mut signature).unwrap();
        signature
    }

    /// A token with this header and these claims, signed as RS256 by the key `r`.
    fn raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        let signature = self.rsa(&RSA_PKCS1_SHA256, &message);
        format!("{message}.{}", b64(signature))
    }

    fn with_claims(&self, claims: &Value) -> String {
        self.raw(r#"{"alg":"RS256","kid":"r"}"#, &claims.to_string())
    }

    fn with_header(&self, header: &str) -> String {
        self.raw(header, &claims().to_string())
    }

    fn signed(&self, header: &str, sign: impl Fn(&str) -> Vec<u8>) -> String {
        let message = format!("{}.{}", b64(header), b64(claims().to_string()));
        format!("{message}.{}", b64(sign(&message)))
    }
}

fn claims() -> Value {
    json!({ "iss": "https://login.example.com/", "sub": "user-1", "aud": "live", "exp": NOW + 600 })
}

/// The claims with one of them changed, or without it where that is null.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let map = claims.as_object_mut().unwrap();
    if value.is_null() {
        map.remove(name)
    } else {
        map.insert(name.to_owned(), value)
    };
    claims
}

fn verify(token: &str, keys: &KeySet) -> Result<User, Failure> {
    verify_as(AudienceClaim::Aud, &["live"], token, keys)
}

fn verify_as(claim: AudienceClaim, audiences: &[&str], token: &str, keys: &KeySet) -> Result<User, Failure> {
    let audiences = audiences.iter().map(|audience| (*audience).to_owned()).collect();
    let expected = Expected { issuer: "https://login.example.com/".into(), audiences, claim };
    Unverified::parse(token, &expected, Timestamp::from_millis(NOW * 1000))?.verify(keys)
}

#[test]
fn a_token_of_either_kind_names_its_user_until_it_ends() {
    let bench = Bench::new();
    let keys = bench.keys();
    let ec = bench.signed(r#"{"alg":"ES256","kid":"e","typ":"JWT"}"#, |message| {
        bench.p256.sign(&bench.random, message.as_bytes()).unwrap().as_ref().to_vec()
    });
    // Half a minute more: clocks differ.
    let user = User { id: UserId::new("user-1").unwrap(), expires: Some(Timestamp::from_millis((NOW + 630) * 1000)) };
    for token in [
        bench.with_claims(&claims()),
        ec,
        bench.with_header(r#"{"alg":"RS256","kid":"r","typ":"at+JWT","x":{"alg":"none"}}"#),
        bench.with_claims(&claims_with("aud", json!(["other", "live"]))),
        bench.with_claims(&claims_with("nbf", json!(NOW + 30))),
        bench.with_claims(&claims_with("nbf", json!(NOW as f64 + 29.5))),
        bench.with_claims(&claims_with("admin", json!({ "exp": 1 }))),
        // When it was made decides nothing, and is looked at by nobody.
        bench.with_claims(&claims_with("iat", json!("yesterday"))),
        bench.with_claims(&claims_with("iat", json!(NOW + 900))),
        bench.raw(
            r#"{"alg":"RS256","kid":"r"}"#,
            &claims().to_string().replacen('{', r#"{"nbf":null,"iat":null,"azp":null,"#, 1),
        ),
    ] {
        assert_eq!(verify(&token, &keys).as_ref(), Ok(&user), "{token}");
    }
    let last = verify(&bench.with_claims(&claims_with("exp", json!(NOW as f64 - 29.5))), &keys).unwrap();
    assert_eq!(last.expires, Some(Timestamp::from_millis(NOW * 1000 + 500)));
}

#[test]
fn claims_are_refused_one_by_one() {
    let bench = Bench::new();
    let keys = bench.keys();
    let check = |name: &str, value: Value, expected: Failure| {
        let token = bench.with_claims(&claims_with(name, value.clone()));
        assert_eq!(verify(&token, &keys), Err(expected), "{name} {value}");
    };
    check("exp", json!(NOW - 30), Failure::Expired);
    check("exp", json!(0), Failure::Expired);
    const NO_TIME: &str = "a number of seconds since 1970";
    for bad in [json!("1"), json!((NOW + 600).to_string()), json!(-1), json!(1e300), json!([]), json!(true)] {
        check("exp", bad.clone(), Failure::Claim("exp", NO_TIME));
        check("nbf", bad, Failure::Claim("nbf", NO_TIME));
    }
    for missing in ["exp", "iss", "aud", "sub"] {
        check(missing, Value::Null, Failure::Missing(missing));
        // Said to be nothing, it is nothing.
        let mut null = claims();
        null[missing] = Value::Null;
        assert_eq!(verify(&bench.with_claims(&null), &keys), Err(Failure::Missing(missing)), "{missing}: null");
    }
    check("nbf", json!(NOW + 31), Failure::TooEarly);
    check("nbf", json!(NOW as f64 + 30.5), Failure::TooEarly);
    check("nbf", json!("soon"), Failure::Claim("nbf", NO_TIME));
    check("iss", json!("https://login.example.com"), Failure::Issuer);
    check("iss", json!("https://evil.example.com/"), Failure::Issuer);
    check("iss", json!(["https://login.example.com/"]), Failure::Claim("iss", "a text"));
    check("aud", json!("Live"), Failure::Audience);
    check("aud", json!(["other"]), Failure::Audience);
    check("aud", json!([]), Failure::Audience);
    check("aud", json!([["live"]]), Failure::Claim("aud", "a text or a list of texts"));
    check("aud", json!({ "live": true }), Failure::Claim("aud", "a text or a list of texts"));
    check("sub", json!(7), Failure::Claim("sub", "a text"));
    check("sub", json!(""), Failure::Subject);
    check("sub", json!("a\u{0}b"), Failure::Subject);
    check("sub", json!("x".repeat(257)), Failure::Subject);
    let header = r#"{"alg":"RS256","kid":"r"}"#;
    let text = claims().to_string();
    for twice in [
        "\"aud\":\"live\"",
        "\"iss\":\"https://login.example.com/\"",
        "\"exp\":1",
        "\"sub\":\"root\"",
        "\"sub\":null",
        "\"nbf\":null,\"nbf\":1",
    ] {
        let token = bench.raw(header, &format!("{},{twice}}}", &text[..text.len() - 1]));
        assert_eq!(verify(&token, &keys), Err(Failure::Malformed), "{twice}");
    }
    for bad in
        ["", "[]", "null", "{", &format!("{text}x"), r#"["https://login.example.com/","user-1","live",9999999999]"#]
    {
        assert_eq!(verify(&bench.raw(header, bad), &keys), Err(Failure::Malformed), "{bad}");
    }
}

#[test]
fn one_of_the_audiences_stands_in_the_claim_that_is_asked_for() {
    let bench = Bench::new();
    let keys = bench.keys();
    let check = |claim, audiences: &[&str], claims: &Value| {
        verify_as(claim, audiences, &bench.with_claims(claims), &keys).map(|_| ())
    };
    let two = ["other", "live"];
    assert_eq!(check(AudienceClaim::Aud, &two, &claims()), Ok(()));
    assert_eq!(check(AudienceClaim::Aud, &two, &claims_with("aud", json!(["x", "other"]))), Ok(()));
    assert_eq!(check(AudienceClaim::Aud, &["other", "x"], &claims()), Err(Failure::Audience));
    // An access token of Amazon Cognito; `aud` is neither asked for nor looked at.
    let mut access = claims_with("client_id", json!("live"));
    access.as_object_mut().unwrap().remove("aud");
    assert_eq!(check(AudienceClaim::ClientId, &two, &access), Ok(()));
    assert_eq!(check(AudienceClaim::Azp, &two, &access), Err(Failure::Missing("azp")));
    assert_eq!(check(AudienceClaim::Aud, &two, &access), Err(Failure::Missing("aud")));
    assert_eq!(check(AudienceClaim::ClientId, &two, &claims()), Err(Failure::Missing("client_id")));
    assert_eq!(check(AudienceClaim::Azp, &two, &claims_with("azp", json!("app"))), Err(Failure::Audience));
    assert_eq!(
        check(AudienceClaim::Azp, &two, &claims_with("azp", json!(7))),
        Err(Failure::Claim("azp", "a text or a list of texts"))
    );
    assert_eq!(check(AudienceClaim::Aud, &two, &claims_with("azp", json!(7))), Ok(()), "it is not asked for");
}

#[test]
fn the_key_decides_how_it_is_signed_and_nothing_else_does() {
    let bench = Bench::new();
    let keys = bench.keys();
    let check = |token: &str, expected: Failure| assert_eq!(verify(token, &keys), Err(expected), "{token}");
    let rsa = |header: &str| bench.with_header(header);
    // No signature, whatever it is called.
    for none in ["none", "None", "NONE", "nOnE", ""] {
        check(&bench.signed(&format!(r#"{{"alg":"{none}","kid":"r"}}"#), |_| Vec::new()), Failure::Unsupported);
    }
    // The public key as a shared secret.
    let hs = |header: &str| {
        bench.signed(header, |message| {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, &bench.modulus());
            hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
        })
    };
    check(&hs(r#"{"alg":"HS256","kid":"r"}"#), Failure::Unsupported);
    check(&hs(r#"{"alg":"HS256"}"#), Failure::Unsupported);
    check(&hs(r#"{"alg":"RS256"}"#), Failure::Signature);
    check(&hs(r#"{"alg":"RS256","kid":"r"}"#), Failure::Signature);
    // Another algorithm for a key than its own.
    check(&rsa(r#"{"alg":"ES256","kid":"r"}"#), Failure::Algorithm);
    check(&rsa(r#"{"alg":"RS256","kid":"e"}"#), Failure::Algorithm);
    for other in ["RS384", "RS512", "PS256", "ES384", "ES256K", "EdDSA", "rs256"] {
        check(&rsa(&format!(r#"{{"alg":"{other}","kid":"r"}}"#)), Failure::Unsupported);
    }
    check(&bench.signed(r#"{"alg":"RS256","kid":"r"}"#, |m| bench.rsa(&RSA_PKCS1_SHA512, m)), Failure::Signature);
    check(&bench.signed(r#"{"alg":"RS256","kid":"r"}"#, |m| bench.rsa(&RSA_PSS_SHA256, m)), Failure::Signature);
    // Another curve.
    let p384 = |header: &str| {
        bench.signed(header, |m| bench.p384.sign(&bench.random, m.as_bytes()).unwrap().as_ref().to_vec())
    };
    check(&p384(r#"{"alg":"ES256","kid":"e"}"#), Failure::Signature);
    check(&p384(r#"{"alg":"ES256","kid":"p384"}"#), Failure::UnusableKey);
    check(&p384(r#"{"alg":"ES256"}"#), Failure::Signature);
    // A signature of zeros, which some libraries took for anybody's.
    check(&bench.signed(r#"{"alg":"ES256","kid":"e"}"#, |_| vec![0; 64]), Failure::Signature);
    check(&bench.signed(r#"{"alg":"RS256","kid":"r"}"#, |_| vec![0; 256]), Failure::Signature);
    check(&bench.signed(r#"{"alg":"RS256","kid":"r"}"#, |_| Vec::new()), Failure::Signature);
    // The key of another issuer.
    check(&rsa(r#"{"alg":"RS256","kid":"other"}"#), Failure::UnknownKey);
    check(&rsa(r#"{"alg":"RS256","kid":""}"#), Failure::UnknownKey);
}

/// A key of a stranger, with what its tokens are signed by.
fn stranger() -> (EcdsaKeyPair, Value) {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = key.public_key().as_ref();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) });
    (key, jwk)
}

#[test]
fn a_key_that_comes_along_with_a_token_is_not_even_looked_at() {
    let bench = Bench::new();
    let keys = bench.keys();
    let (key, jwk) = stranger();
    let signed = |header: &Value| {
        let sign = |message: &str| key.sign(&bench.random, message.as_bytes()).unwrap().as_ref().to_vec();
        bench.signed(&header.to_string(), sign)
    };
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://evil.example.com/keys")),
        ("x5c", json!(["MIIB"])),
        ("x5u", json!("https://evil.example.com/certificate")),
        ("x5t", json!("AAAA")),
    ] {
        for (kid, expected) in [
            (json!("x"), Failure::UnknownKey),
            (json!("r"), Failure::Algorithm),
            (json!("e"), Failure::Signature),
            (Value::Null, Failure::Signature),
        ] {
            let mut header = json!({ "alg": "ES256", name: value });
            if !kid.is_null() {
                header["kid"] = kid;
            }
            assert_eq!(verify(&signed(&header), &keys), Err(expected), "{header}");
        }
    }
    // Nor does a good signature make it of another issuer's.
    let mut foreign = claims_with("iss", json!("https://evil.example.com/"));
    foreign["jwk"] = jwk;
    assert_eq!(verify(&bench.with_claims(&foreign), &keys), Err(Failure::Issuer));
}

#[test]
fn a_token_may_leave_its_keys_name_out_where_one_key_fits() {
    let bench = Bench::new();
    let es256 = bench.signed(r#"{"alg":"ES256"}"#, |message| {
        bench.p256.sign(&bench.random, message.as_bytes()).unwrap().as_ref().to_vec()
    });
    let rs256 = bench.with_header(r#"{"alg":"RS256"}"#);
    for token in [&es256, &rs256] {
        assert!(verify(token, &bench.keys()).is_ok(), "{token}");
    }
    let (_, other) = stranger();
    let rsa = |modulus: &[u8]| json!({ "kty": "RSA", "n": b64(modulus), "e": "AAEAAQ" });
    let check = |keys: &[Value], token: &str| {
        let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        verify(token, &set).map(|user| user.id.as_str().to_owned())
    };
    // Neither has a name, and the modulus has the byte of its sign before it.
    let padded = rsa(&[&[0][..], &bench.modulus()].concat());
    assert_eq!(check(&[other.clone(), padded.clone()], &rs256), Ok("user-1".to_owned()));
    assert_eq!(check(&[padded.clone(), rsa(&[7; 256])], &rs256), Err(Failure::Unnamed(2)));
    assert_eq!(check(std::slice::from_ref(&other), &rs256), Err(Failure::Unnamed(0)));
    assert_eq!(check(&[other], &es256), Err(Failure::Signature));
    // A key without a name is not the one that a token names.
    assert_eq!(check(&[padded], &bench.with_claims(&claims())), Err(Failure::UnknownKey));
    assert_eq!(check(&[rsa(&[7; 255])], &rs256), Err(Failure::KeySize));
}

#[test]
fn a_refusal_names_its_cause_and_nothing_of_the_token() {
    let bench = Bench::new();
    let set = json!({ "keys": [
        { "kty": "RSA", "kid": "enc", "use": "enc", "n": b64(bench.modulus()), "e": "AQAB" },
        { "kty": "RSA", "kid": "r", "n": b64(bench.modulus()), "e": "AQAB" },
    ]});
    let keys = KeySet::parse(set.to_string().as_bytes()).unwrap();
    let said = |token: String| verify(&token, &keys).unwrap_err().to_string();
    assert_eq!(
        said(bench.with_header(r#"{"alg":"RS256","kid":"enc"}"#)),
        "its key is not for signatures by RS256 or ES256"
    );
    assert_eq!(said(bench.with_header(r#"{"alg":"PS256","kid":"r"}"#)), "its algorithm is neither RS256 nor ES256");
    assert_eq!(said(bench.with_header(r#"{"alg":"ES256","kid":"r"}"#)), "its algorithm is not its key's");
    let nameless = "it names no key, and the issuer has 0 for its algorithm";
    assert_eq!(said(bench.with_header(r#"{"alg":"ES256"}"#)), nameless);
    // An access token of Amazon Cognito.
    assert_eq!(said(bench.with_claims(&claims_with("aud", Value::Null))), "it has no `aud`");
}

#[test]
fn headers_are_refused_one_by_one() {
    let bench = Bench::new();
    let keys = bench.keys();
    for (header, expected) in [
        (r#"{"alg":"RS256","kid":null}"#, Failure::Malformed),
        (r#"{"kid":"r"}"#, Failure::Malformed),
        (r#"{"alg":["RS256"],"kid":"r"}"#, Failure::Malformed),
        (r#"{"alg":"RS256","kid":1}"#, Failure::Malformed),
        (r#"{"alg":"RS256","alg":"RS256","kid":"r"}"#, Failure::Malformed),
        (r#"{"alg":"RS256","kid":"r","kid":"r"}"#, Failure::Malformed),
        (r#"{"alg":"RS256","kid":"r","crit":["exp"]}"#, Failure::Kind),
        (r#"{"alg":"RS256","kid":"r","crit":null}"#, Failure::Kind),
        (r#"{"alg":"RS256","kid":"r","typ":"logout+jwt"}"#, Failure::Kind),
        (r#"["RS256","r"]"#, Failure::Malformed),
    ] {
        assert_eq!(verify(&bench.with_header(header), &keys), Err(expected), "{header}");
    }
}

#[test]
fn every_changed_byte_and_every_other_shape_is_refused() {
    let bench = Bench::new();
    let keys = bench.keys();
    let token = bench.with_claims(&claims());
    for (index, old) in token.char_indices().step_by(3) {
        let new = if old == 'A' { 'B' } else { 'A' };
        let changed: String = token.char_indices().map(|(at, c)| if at == index { new } else { c }).collect();
        assert!(verify(&changed, &keys).is_err(), "byte {index}");
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { unreachable!("a token has three parts") };
    for shape in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        header.into(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{token}.{signature}"),
        format!("{token}="),
        format!("{header}=.{claims}.{signature}"),
        format!(" {token}"),
    ] {
        assert!(verify(&shape, &keys).is_err(), "{shape}");
    }
}
