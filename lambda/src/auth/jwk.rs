//! Public keys of an issuer (JSON Web Key set, RFC 7517): RSA for RS256 and P-256 for ES256, and nothing else.

use std::collections::HashMap;

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
    kid: String,
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

/// The keys of an issuer, by name.
#[derive(Debug, Default)]
pub(super) struct KeySet(HashMap<String, Vec<PublicKey>>);

impl KeySet {
    /// Reads a set; keys that are of no use here are passed over, as the standard asks. `None` where it is no set.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let raw: RawSet = serde_json::from_slice(text).ok()?;
        let mut keys: HashMap<String, Vec<PublicKey>> = HashMap::new();
        let raw = raw.keys.into_iter().filter_map(|key| serde_json::from_value::<RawKey>(key).ok());
        for (name, key) in raw.filter_map(RawKey::into_key).take(limits::ISSUER_KEYS_MAX) {
            keys.entry(name).or_default().push(key);
        }
        Some(Self(keys))
    }

    /// Whether some key has this name.
    pub(super) fn has(&self, kid: &str) -> bool {
        self.0.contains_key(kid)
    }

    /// The keys of this name for this algorithm.
    pub(super) fn find(&self, kid: &str, algorithm: Algorithm) -> impl Iterator<Item = &PublicKey> {
        self.0.get(kid).into_iter().flatten().filter(move |key| key.algorithm() == algorithm)
    }
}

impl RawKey {
    fn into_key(self) -> Option<(String, PublicKey)> {
        let is_for_signatures = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|one| one == "verify"));
        let key = match self.kty.as_str() {
            "RSA" => PublicKey::Rsa(RsaPublicKeyComponents { n: bytes(&self.n)?, e: bytes(&self.e)? }),
            "EC" if self.crv.as_deref() == Some("P-256") => {
                let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
                let point: [u8; 65] = [&[4], x.as_slice(), &y].concat().try_into().ok()?;
                PublicKey::P256((x.len() == 32).then_some(point)?)
            }
            _ => return None,
        };
        let algorithm = self.alg.as_deref().is_none_or(|name| Algorithm::parse(name) == Some(key.algorithm()));
        (is_for_signatures && algorithm).then_some((self.kid, key))
    }
}

fn bytes(text: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.as_ref()?).ok()
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
        let mut names: Vec<&str> = set.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["bare", "ec", "rsa"]);
        assert_eq!(set.find("rsa", Algorithm::Rs256).count(), 1);
        assert_eq!(set.find("rsa", Algorithm::Es256).count(), 0);
        assert_eq!(set.find("ec", Algorithm::Rs256).count(), 0);
        for bad in ["", "[]", "{}", "{\"keys\":{}}", "\u{0}"] {
            assert!(KeySet::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_set_has_so_many_keys_and_no_more() {
        let key = |kid: u32| json!({ "kty": "RSA", "kid": kid.to_string(), "n": "AQAB", "e": "AQAB" });
        let set = json!({ "keys": (0..1000).map(key).collect::<Vec<_>>() });
        assert_eq!(KeySet::parse(set.to_string().as_bytes()).unwrap().0.len(), limits::ISSUER_KEYS_MAX);
    }
}
