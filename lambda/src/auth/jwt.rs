//! Tokens of an OpenID Connect issuer (JSON Web Token, RFC 7519, with the care of RFC 8725).
//!
//! A user comes out of [`Unverified::verify`] only. The key decides how a signature is checked: `alg` is compared with
//! it and chooses nothing, so `none`, a shared secret or another curve cannot be asked for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::limits;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};

use super::jwk::{Algorithm, KeySet};
use super::user::User;
use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

/// What a token must say.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Who made it.
    pub(super) issuer: String,
    /// Whom it is for.
    pub(super) audience: String,
}

/// Why a token is refused. Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// No three parts of Base64, of which two are JSON with the fields that there must be, each once.
    #[error("it is malformed")]
    Malformed,
    /// Signed with something that is not RS256 or ES256, or not what its key is for.
    #[error("its algorithm is not its key's")]
    Algorithm,
    /// Of another kind, or with extensions that must be understood.
    #[error("it is of a kind that is not for this")]
    Kind,
    /// Of another issuer.
    #[error("it is of another issuer")]
    Issuer,
    /// Meant for another audience.
    #[error("it is meant for another audience")]
    Audience,
    /// Over.
    #[error("it has expired")]
    Expired,
    /// Not begun.
    #[error("it is not valid yet")]
    TooEarly,
    /// No user, or one whose id cannot be part of a key.
    #[error("its subject is not a user id")]
    Subject,
    /// Signed with a key that the issuer does not have.
    #[error("its key is unknown")]
    UnknownKey,
    /// Not signed with that key.
    #[error("its signature is not its key's")]
    Signature,
}

/// The fields that matter; serde refuses one that comes twice.
#[derive(serde::Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default, deserialize_with = "given")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "given")]
    crit: Option<IgnoredAny>,
}

#[derive(serde::Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: f64,
    #[serde(default, deserialize_with = "given")]
    nbf: Option<f64>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

/// Reads what is there; `null` is not the same as nothing.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Kinds of tokens that name a user; others, such as those for logging out, are signed with the same keys.
const KINDS: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];

/// A token that says the right things, and may be anybody's.
pub(super) struct Unverified<'a> {
    algorithm: Algorithm,
    kid: String,
    message: &'a str,
    signature: Vec<u8>,
    user: User,
}

impl<'a> Unverified<'a> {
    /// Reads a token and checks everything but the signature: what is refused here costs no look at a key.
    pub(super) fn parse(token: &'a str, expected: &Expected, now: Timestamp) -> Result<Self, Failure> {
        let (message, signature) = token.rsplit_once('.').ok_or(Failure::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Failure::Malformed)?;
        let header: Header = json(header)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(Failure::Algorithm)?;
        let kind = header.typ.map(|kind| kind.to_ascii_lowercase());
        if header.crit.is_some() || kind.is_some_and(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(Failure::Kind);
        }
        let user = json::<Claims>(claims)?.user(expected, now)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Failure::Malformed)?;
        Ok(Self { algorithm, kid: header.kid, message, signature, user })
    }

    /// Name of the key that it says it is signed with.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks the signature.
    pub(super) fn verify(self, keys: &KeySet) -> Result<User, Failure> {
        if !keys.has(&self.kid) {
            return Err(Failure::UnknownKey);
        }
        let mut keys = keys.find(&self.kid, self.algorithm).peekable();
        if keys.peek().is_none() {
            return Err(Failure::Algorithm);
        }
        let is_signed = keys.any(|key| key.verifies(self.message.as_bytes(), &self.signature));
        if is_signed { Ok(self.user) } else { Err(Failure::Signature) }
    }
}

impl Claims {
    fn user(self, expected: &Expected, now: Timestamp) -> Result<User, Failure> {
        if self.iss != expected.issuer {
            return Err(Failure::Issuer);
        }
        let is_meant = match &self.aud {
            Audiences::One(audience) => *audience == expected.audience,
            Audiences::Many(audiences) => audiences.contains(&expected.audience),
        };
        if !is_meant {
            return Err(Failure::Audience);
        }
        // Clocks differ: a token is good for a moment before it begins and after it ends.
        let expires = seconds(self.exp)?.plus(limits::ISSUER_CLOCK_SKEW);
        if expires <= now {
            return Err(Failure::Expired);
        }
        if let Some(begins) = self.nbf
            && now.plus(limits::ISSUER_CLOCK_SKEW) < seconds(begins)?
        {
            return Err(Failure::TooEarly);
        }
        let id = UserId::new(&self.sub).ok_or(Failure::Subject)?;
        Ok(User { id, expires: Some(expires) })
    }
}

fn seconds(number: f64) -> Result<Timestamp, Failure> {
    let since = Duration::try_from_secs_f64(number).map_err(|_| Failure::Malformed)?;
    Ok(Timestamp::EPOCH.plus(since))
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, Failure> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Failure::Malformed)?;
    // An object only: serde would read a struct from a list as well.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Failure::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| Failure::Malformed)
}
