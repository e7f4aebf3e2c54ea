//! Tokens of an OpenID Connect issuer (JSON Web Token, RFC 7519, with the care of RFC 8725).
//!
//! A user comes out of [`Unverified::verify`] only. The key decides how a signature is checked: `alg` is compared with
//! it and chooses nothing, so `none`, a shared secret or another curve cannot be asked for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{AudienceClaim, limits};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::Value;

use super::jwk::{Algorithm, KeySet, PublicKey, Wanted};
use super::user::User;
use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

/// What a token must say.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Who made it.
    pub(super) issuer: String,
    /// Whom it is for: one of these.
    pub(super) audiences: Vec<String>,
    /// Where it says so.
    pub(super) claim: AudienceClaim,
}

/// Why a token is refused. Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// No three parts of Base64, of which the first is a header and the second an object, each field once.
    #[error("it is malformed")]
    Malformed,
    /// A claim is of another kind than it must be, said second.
    #[error("its `{0}` is not {1}")]
    Claim(&'static str, &'static str),
    /// A claim is not there.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// Signed with something that is not RS256 or ES256.
    #[error("its algorithm is neither RS256 nor ES256")]
    Unsupported,
    /// Signed in another way than its key is for.
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
    /// Signed with a key that the issuer has for something else.
    #[error("its key is not for signatures by RS256 or ES256")]
    UnusableKey,
    /// Signed with a key that is not named, and is not the only one.
    #[error("it names no key, and the issuer has {0} for its algorithm")]
    Unnamed(usize),
    /// Signed with a key that is too short to be believed, or longer than any is.
    #[error("its key is not of 2048 to 8192 bits")]
    KeySize,
    /// Not signed with that key.
    #[error("its signature is not its key's")]
    Signature,
}

/// The fields that matter; serde refuses one that comes twice.
#[derive(serde::Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "given")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "given")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "given")]
    crit: Option<IgnoredAny>,
}

/// Of whatever kind: what is wrong with a claim is said when its turn comes. `null` says nothing, as if the claim were not there: libraries that
/// write a field they have no value for write it so, and what must be there is missing then.
#[derive(serde::Deserialize)]
struct Claims {
    iss: Option<Value>,
    sub: Option<Value>,
    aud: Option<Value>,
    client_id: Option<Value>,
    azp: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
}

/// Reads what is there; in a header `null` is not the same as nothing.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Kinds of tokens that name a user; others, such as those for logging out, are signed with the same keys.
const KINDS: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];

/// A token that says the right things, and may be anybody's.
pub(super) struct Unverified<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
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
        let algorithm = Algorithm::parse(&header.alg).ok_or(Failure::Unsupported)?;
        let kind = header.typ.map(|kind| kind.to_ascii_lowercase());
        if header.crit.is_some() || kind.is_some_and(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(Failure::Kind);
        }
        let user = json::<Claims>(claims)?.user(expected, now)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Failure::Malformed)?;
        Ok(Self { algorithm, kid: header.kid, message, signature, user })
    }

    /// The key that it says it is signed with.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { kid: self.kid.as_deref(), algorithm: self.algorithm }
    }

    /// Checks the signature.
    pub(super) fn verify(self, keys: &KeySet) -> Result<User, Failure> {
        let fitting = fitting(self.wanted(), keys)?;
        if fitting.iter().any(|key| key.verifies(self.message.as_bytes(), &self.signature)) {
            return Ok(self.user);
        }
        let is_of_wrong_size = fitting.iter().all(|key| key.is_of_wrong_size());
        Err(if is_of_wrong_size { Failure::KeySize } else { Failure::Signature })
    }
}

/// The keys that may have signed a token: those of the name that it gives, which are more than one only where the issuer gave a
/// name twice, or the only one for its algorithm.
fn fitting<'a>(wanted: Wanted<'_>, keys: &'a KeySet) -> Result<Vec<&'a PublicKey>, Failure> {
    let found: Vec<&PublicKey> = keys.find(wanted).collect();
    match (wanted.kid, found.len()) {
        (None, 1) => Ok(found),
        (None, count) => Err(Failure::Unnamed(count)),
        (Some(_), 1..) => Ok(found),
        (Some(_), 0) if keys.has(wanted) => Err(Failure::Algorithm),
        (Some(kid), 0) if keys.has_passed_over(kid) => Err(Failure::UnusableKey),
        (Some(_), 0) => Err(Failure::UnknownKey),
    }
}

impl Claims {
    fn user(self, expected: &Expected, now: Timestamp) -> Result<User, Failure> {
        if text("iss", self.iss.ok_or(Failure::Missing("iss"))?)? != expected.issuer {
            return Err(Failure::Issuer);
        }
        let claim = expected.claim.as_str();
        let named = match expected.claim {
            AudienceClaim::Aud => self.aud,
            AudienceClaim::ClientId => self.client_id,
            AudienceClaim::Azp => self.azp,
        };
        let named = texts(claim, named.ok_or(Failure::Missing(claim))?)?;
        if !named.iter().any(|audience| expected.audiences.contains(audience)) {
            return Err(Failure::Audience);
        }
        // Clocks differ: a token is good for a moment before it begins and after it ends.
        let expires = seconds("exp", &self.exp.ok_or(Failure::Missing("exp"))?)?.plus(limits::ISSUER_CLOCK_SKEW);
        if expires <= now {
            return Err(Failure::Expired);
        }
        if let Some(begins) = self.nbf
            && now.plus(limits::ISSUER_CLOCK_SKEW) < seconds("nbf", &begins)?
        {
            return Err(Failure::TooEarly);
        }
        let subject = text("sub", self.sub.ok_or(Failure::Missing("sub"))?)?;
        let id = UserId::new(&subject).ok_or(Failure::Subject)?;
        Ok(User { id, expires: Some(expires) })
    }
}

fn text(claim: &'static str, value: Value) -> Result<String, Failure> {
    if let Value::String(text) = value { Ok(text) } else { Err(Failure::Claim(claim, "a text")) }
}

/// Reads one text, or a list of them.
fn texts(claim: &'static str, value: Value) -> Result<Vec<String>, Failure> {
    let all = if let Value::Array(values) = value { values } else { vec![value] };
    let all = all.into_iter().map(|value| text(claim, value)).collect::<Result<_, _>>();
    all.map_err(|_| Failure::Claim(claim, "a text or a list of texts"))
}

/// Reads a time: a number, with or without a fraction, as RFC 7519 wants it. A number in quotes is none: what reads a token elsewhere differs
/// there, and one that is good here and not there is worse than one that its issuer mends.
fn seconds(claim: &'static str, value: &Value) -> Result<Timestamp, Failure> {
    let since = value.as_f64().and_then(|number| Duration::try_from_secs_f64(number).ok());
    let since = since.ok_or(Failure::Claim(claim, "a number of seconds since 1970"))?;
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
