//! Public keys of an issuer (JSON Web Key set, RFC 7517): RSA for RS256 and P-256 for ES256, and nothing else.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::limits;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// What a token may be signed with. There is no word for `none` or for a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// Reads the name that JSON Web Algorithms gives it.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// Bytes of the modulus of an RSA key that is taken: 2048 to 8192 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// One public key. Its type is its algorithm: a token cannot choose another one for it.
#[derive(Debug)]
pub(super) enum PublicKey {
    /// Modulus and exponent, of 2048 bits or more.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// Uncompressed point.
    P256([u8; 65]),
}

impl PublicKey {
    /// The one algorithm that it is for.
    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    /// Whether `ring` would verify nothing with it, whatever the signature.
    pub(super) fn is_of_wrong_size(&self) -> bool {
        matches!(self, Self::Rsa(key) if !RSA_BYTES.contains(&key.n.len()))
    }

    /// Whether the signature is this key's, of this message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
        }
        .is_ok()
    }
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Which key a token asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Its name; where a token has none, the only key that fits is meant.
    pub(super) kid: Option<&'a str>,
    /// What it must be for.
    pub(super) algorithm: Algorithm,
}

/// The keys of an issuer.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    /// Keys with their names, where they have one.
    keys: Vec<(Option<String>, PublicKey)>,
    /// Names of those that are of no use here.
    passed_over: HashSet<String>,
}

impl KeySet {
    /// Reads a set; keys that are of no use here are passed over, as the standard asks. `None` where it is no set.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let raw: RawSet = serde_json::from_slice(text).ok()?;
        let mut set = Self::default();
        for raw in raw.keys.into_iter().filter_map(|key| serde_json::from_value::<RawKey>(key).ok()) {
            let name = raw.kid.clone();
            match (raw.into_key(), name) {
                (Some(key), name) if set.keys.len() < limits::ISSUER_KEYS_MAX => set.keys.push((name, key)),
                (None, Some(name)) if set.passed_over.len() < limits::ISSUER_KEYS_MAX => {
                    set.passed_over.insert(name);
                }
                _ => {}
            }
        }
        Some(set)
    }

    /// Whether there is what is asked for, be it for another algorithm: a key of this name, or the only one that fits.
    pub(super) fn has(&self, wanted: Wanted<'_>) -> bool {
        match wanted.kid {
            Some(kid) => self.keys.iter().any(|(name, _)| name.as_deref() == Some(kid)),
            None => self.find(wanted).count() == 1,
        }
    }

    /// Whether the issuer has a key of this name that is none for signatures, or for an algorithm that is not known here.
    pub(super) fn has_passed_over(&self, kid: &str) -> bool {
        self.passed_over.contains(kid)
    }

    /// The keys of this name for this algorithm; without a name, all of them that are for it.
    pub(super) fn find(&self, wanted: Wanted<'_>) -> impl Iterator<Item = &PublicKey> {
        let fits = move |name: Option<&str>, key: &PublicKey| {
            key.algorithm() == wanted.algorithm && wanted.kid.is_none_or(|kid| name == Some(kid))
        };
        self.keys.iter().filter(move |(name, key)| fits(name.as_deref(), key)).map(|(_, key)| key)
    }
}

impl RawKey {
    fn into_key(self) -> Option<PublicKey> {
        let is_for_signatures = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|one| one == "verify"));
        let key = match self.kty.as_str() {
            "RSA" => PublicKey::Rsa(RsaPublicKeyComponents { n: number(&self.n)?, e: number(&self.e)? }),
            "EC" if self.crv.as_deref() == Some("P-256") => {
                let mut point = [0; 65];
                point[0] = 4;
                for (end, coordinate) in [(33, number(&self.x)?), (65, number(&self.y)?)] {
                    // One that has lost its leading zeros is put where it belongs; a longer one is on no P-256.
                    let start = (coordinate.len() <= 32).then(|| end - coordinate.len())?;
                    point[start..end].copy_from_slice(&coordinate);
                }
                PublicKey::P256(point)
            }
            _ => return None,
        };
        let algorithm = self.alg.as_deref().is_none_or(|name| Algorithm::parse(name) == Some(key.algorithm()));
        (is_for_signatures && algorithm).then_some(key)
    }
}

/// Reads a number, big-endian, without the zeros before it: some issuers write the sign byte of their own big numbers along
/// (Java's `BigInteger`), and `ring` takes no such modulus. Others pad the Base64.
fn number(text: &Option<String>) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text.as_ref()?.trim_end_matches('=')).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_for_anything_else_are_passed_over() {
        let (n, x) = (URL_SAFE_NO_PAD.encode([1; 256]), URL_SAFE_NO_PAD.encode([2; 32]));
        let long = URL_SAFE_NO_PAD.encode([2; 33]);
        let short = URL_SAFE_NO_PAD.encode([2; 31]);
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "rsa", "n": n, "e": "AQAB", "alg": "RS256", "use": "sig", "x5c": ["…"] },
            { "kty": "EC", "kid": "ec", "crv": "P-256", "x": x, "y": x },
            { "kty": "RSA", "kid": "bare", "n": n, "e": "AQAB", "key_ops": ["verify"] },
            { "kty": "RSA", "kid": "enc", "n": n, "e": "AQAB", "use": "enc" },
            { "kty": "RSA", "kid": "ops", "n": n, "e": "AQAB", "key_ops": ["encrypt"] },
            { "kty": "RSA", "kid": "rs512", "n": n, "e": "AQAB", "alg": "RS512" },
            { "kty": "RSA", "kid": "hs256", "n": n, "e": "AQAB", "alg": "HS256" },
            { "kty": "RSA", "n": n, "e": "AQAB" },
            { "kty": "oct", "kid": "oct", "k": n },
            { "kty": "EC", "kid": "p384", "crv": "P-384", "x": x, "y": x },
            { "kty": "EC", "kid": "long", "crv": "P-256", "x": long, "y": short },
            { "kty": "EC", "kid": "alg", "crv": "P-256", "x": x, "y": x, "alg": "RS256" },
            { "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": x },
            "not a key", 1, null, {},
        ]});
        let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
        let names: Vec<Option<&str>> = set.keys.iter().map(|(name, _)| name.as_deref()).collect();
        assert_eq!(names, [Some("rsa"), Some("ec"), Some("bare"), None]);
        let count = |kid, algorithm| set.find(Wanted { kid, algorithm }).count();
        assert_eq!(count(Some("rsa"), Algorithm::Rs256), 1);
        assert_eq!(count(Some("rsa"), Algorithm::Es256), 0);
        assert_eq!(count(Some("ec"), Algorithm::Rs256), 0);
        assert_eq!(count(Some(""), Algorithm::Rs256), 0);
        assert_eq!((count(None, Algorithm::Rs256), count(None, Algorithm::Es256)), (3, 1));
        for name in ["enc", "ops", "rs512", "hs256", "oct", "p384", "long", "alg", "ed"] {
            assert!(set.has_passed_over(name), "{name}");
            assert!(!set.has(Wanted { kid: Some(name), algorithm: Algorithm::Rs256 }), "{name}");
        }
        assert!(!set.has_passed_over("rsa") && !set.has_passed_over("other"));
        for bad in ["", "[]", "{}", "{\"keys\":{}}", "\u{0}"] {
            assert!(KeySet::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_set_has_so_many_keys_and_no_more() {
        let key = |kid: u32| json!({ "kty": "RSA", "kid": kid.to_string(), "n": "AQAB", "e": "AQAB" });
        let set = json!({ "keys": (0..1000).map(key).collect::<Vec<_>>() });
        let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
        assert_eq!(set.keys.len(), limits::ISSUER_KEYS_MAX);
        assert!(set.passed_over.is_empty(), "they are good, only too many");
    }

    #[test]
    fn a_token_without_a_name_means_the_only_key_that_fits() {
        let n = URL_SAFE_NO_PAD.encode([1; 256]);
        let rsa =
            |kid: Option<&str>, purpose: &str| json!({ "kty": "RSA", "kid": kid, "use": purpose, "n": n, "e": "AQAB" });
        let has = |keys: &[serde_json::Value], algorithm| {
            let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
            set.has(Wanted { kid: None, algorithm })
        };
        for kid in [None, Some("a")] {
            assert!(has(&[rsa(kid, "sig"), rsa(Some("b"), "enc")], Algorithm::Rs256), "{kid:?}");
        }
        assert!(!has(&[rsa(None, "sig"), rsa(Some("b"), "sig")], Algorithm::Rs256), "either could be meant");
        assert!(!has(&[rsa(None, "sig")], Algorithm::Es256));
        assert!(!has(&[], Algorithm::Rs256));
    }

    #[test]
    fn numbers_are_the_same_with_and_without_zeros_before_them() {
        let key = |kty: &str, pairs: &[(&str, &[u8])]| {
            let mut key = json!({ "kty": kty, "crv": "P-256" });
            for (name, bytes) in pairs {
                key[*name] = base64::engine::general_purpose::URL_SAFE.encode(bytes).into();
            }
            serde_json::from_value::<RawKey>(key).unwrap().into_key()
        };
        let rsa = |n: &[u8], e: &[u8]| match key("RSA", &[("n", n), ("e", e)]) {
            Some(PublicKey::Rsa(key)) => Some((key.n, key.e)),
            _ => None,
        };
        let modulus = [7; 256];
        let expected = Some((modulus.to_vec(), vec![1, 0, 1]));
        assert_eq!(rsa(&modulus, &[1, 0, 1]), expected);
        assert_eq!(rsa(&[&[0][..], &modulus].concat(), &[0, 1, 0, 1]), expected);
        assert_eq!(rsa(&[&[0; 9][..], &modulus].concat(), &[0, 0, 0, 1, 0, 1]), expected);
        assert_eq!(rsa(&[0; 256], &[1, 0, 1]), None);
        assert_eq!(rsa(&[], &[1, 0, 1]), None);
        let ec = |x: &[u8], y: &[u8]| match key("EC", &[("x", x), ("y", y)]) {
            Some(PublicKey::P256(point)) => Some(point),
            _ => None,
        };
        let short = [3; 31];
        let point = ec(&[&[0][..], &short].concat(), &[5; 32]).unwrap();
        assert_eq!((point[0], point[1], point[2], point[33]), (4, 0, 3, 5));
        assert_eq!(ec(&short, &[&[0][..], &[5; 32]].concat()), Some(point));
        assert_eq!(ec(&[3; 33], &[5; 32]), None);
        assert_eq!(ec(&[3; 32], &[5; 300]), None);
        assert_eq!(ec(&[0; 32], &[5; 32]), None);
    }

    #[test]
    fn keys_of_a_size_that_is_not_taken_say_so() {
        let rsa = |bytes: usize| PublicKey::Rsa(RsaPublicKeyComponents { n: vec![255; bytes], e: vec![3] });
        assert!(rsa(255).is_of_wrong_size() && rsa(1025).is_of_wrong_size());
        assert!(!rsa(256).is_of_wrong_size() && !rsa(1024).is_of_wrong_size());
    }
}
