//! Tokens that the dashboard function gives to anybody who asks, each for a user id of its own.
//!
//! A token is 55 bytes in Base64: version (1), when it ends in milliseconds (6), user (16), HMAC-SHA-256 (32). It has one
//! form, no fields to confuse and no algorithm to choose. The secret is derived from a key in KMS: one call at a cold start
//! gives the same 32 bytes to every instance, and they stand in no file, no state and no variable.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{KeyId, limits};
use futures_util::future::join_all;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::kms::{Kms, KmsError};
use super::user::{Denied, User};
use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

const VERSION: u8 = 1;
const SIGNED_BYTES: usize = 1 + 6 + 16;
const TOKEN_BYTES: usize = SIGNED_BYTES + 32;
/// What KMS signs to make the secret: no other use of the same key can come by it.
const SECRET_OF: &[u8] = b"sse-streaming: secret of session tokens, version 1";
/// What stands before the signed bytes: no other use of the same secret can make a token.
const DOMAIN: &[u8] = b"session token\0";
/// Beginning of the user ids that this mode makes.
const USER_PREFIX: &str = "anon_";

/// A fresh token.
#[derive(Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = AnonymousAnswer)]
pub struct Issued {
    /// The token. A request that carries it is the user's.
    pub token: String,
    /// The user's id.
    #[schema(value_type = String)]
    pub user_id: UserId,
    /// When the token ends, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// Why a token makes no user. Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Of another length, alphabet or version.
    #[error("it is no session token")]
    Malformed,
    /// Over.
    #[error("it has expired")]
    Expired,
    /// Signed with none of the keys that there are.
    #[error("its signature is no session key's")]
    Signature,
    /// Signed with none of those that are known, and not all are.
    #[error("a session key cannot be reached")]
    Unavailable,
}

/// What a token says, before anybody has looked at its code.
#[derive(Clone, Copy)]
struct Claims {
    expires: Timestamp,
    user: [u8; 16],
}

impl Claims {
    fn signed(&self) -> [u8; SIGNED_BYTES] {
        let mut bytes = [0; SIGNED_BYTES];
        bytes[0] = VERSION;
        bytes[1..7].copy_from_slice(&self.expires.millis().to_be_bytes()[2..]);
        bytes[7..].copy_from_slice(&self.user);
        bytes
    }

    fn user_id(&self) -> UserId {
        let text = format!("{USER_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.user));
        UserId::new(&text).expect("a prefix and 22 characters of Base64 are an id")
    }

    fn token(&self, secret: &hmac::Key) -> String {
        let signed = self.signed();
        let code = hmac::sign(secret, &[DOMAIN, &signed].concat());
        URL_SAFE_NO_PAD.encode([&signed, code.as_ref()].concat())
    }

    /// Reads a token, and returns what it says with its code.
    fn parse(token: &str) -> Option<(Self, [u8; 32])> {
        let mut bytes = [0; TOKEN_BYTES];
        // One length only, so that a long one is not even decoded.
        if token.len() != TOKEN_BYTES.div_ceil(3) * 4 - 2 {
            return None;
        }
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
        let (signed, code) = bytes.split_at(SIGNED_BYTES);
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&signed[1..7]);
        let millis = u64::from_be_bytes(millis);
        let expires = Timestamp::from_millis(millis);
        let is_whole = length == TOKEN_BYTES && signed[0] == VERSION && expires.millis() == millis;
        is_whole.then_some((Self { expires, user: signed[7..].try_into().ok()? }, code.try_into().ok()?))
    }

    fn is_signed_with(&self, code: [u8; 32], secret: &hmac::Key) -> bool {
        hmac::verify(secret, &[DOMAIN, &self.signed()].concat(), &code).is_ok()
    }
}

/// One secret, which may have to be asked for.
struct Secret {
    /// The key that it is derived from; none for one that was made up here.
    key: Option<KeyId>,
    value: OnceLock<hmac::Key>,
    /// When it was last asked for in vain, and whether the key is gone for good. Held while it is asked for.
    failed: Mutex<Option<(Instant, bool)>>,
}

/// Why there is no secret.
enum Missing {
    Unavailable,
    Gone,
}

impl Secret {
    async fn get(&self, kms: Option<&Kms>, now: Timestamp) -> Result<&hmac::Key, Missing> {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let mut failed = self.failed.lock().await;
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let missing = |is_gone| if is_gone { Missing::Gone } else { Missing::Unavailable };
        if let Some((at, is_gone)) = *failed
            && at.elapsed() < limits::AUTH_RETRY_PAUSE
        {
            return Err(missing(is_gone));
        }
        let (Some(kms), Some(key)) = (kms, &self.key) else { return Err(Missing::Gone) };
        match kms.generate_mac(key, SECRET_OF, now).await {
            Ok(bytes) => Ok(self.value.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
            Err(error) => {
                tracing::warn!(key = %key, %error, "no secret for session tokens");
                let is_gone = matches!(error, KmsError::Refused(_));
                *failed = Some((Instant::now(), is_gone));
                Err(missing(is_gone))
            }
        }
    }
}

/// Makes and verifies tokens.
pub(super) struct Sessions {
    kms: Option<Kms>,
    /// The first signs, all verify.
    secrets: Vec<Secret>,
    lifetime: Duration,
    random: SystemRandom,
}

impl Sessions {
    /// Derives its secrets from keys of KMS, each when it is first needed.
    pub(super) fn with_kms(kms: Kms, keys: &[KeyId], lifetime: Duration) -> Self {
        let secret = |key: &KeyId| Secret { key: Some(key.clone()), value: OnceLock::new(), failed: Mutex::default() };
        Self { kms: Some(kms), secrets: keys.iter().map(secret).collect(), lifetime, random: SystemRandom::new() }
    }

    /// Makes its secret up.
    pub(super) fn with_random_key(lifetime: Duration) -> Result<Self, &'static str> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| "the system gives no random bytes")?;
        let secret = Secret { key: None, value: OnceLock::from(key), failed: Mutex::default() };
        Ok(Self { kms: None, secrets: vec![secret], lifetime, random })
    }

    /// Asks for all secrets at once.
    pub(super) async fn warm_up(&self, now: Timestamp) {
        join_all(self.secrets.iter().map(|secret| secret.get(self.kms.as_ref(), now))).await;
    }

    /// Makes a token for a fresh user id.
    pub(super) async fn issue(&self, now: Timestamp) -> Result<Issued, Denied> {
        let secret = self.secrets.first().ok_or(Denied::Unavailable)?;
        let secret = secret.get(self.kms.as_ref(), now).await.map_err(|_| Denied::Unavailable)?;
        let mut user = [0; 16];
        self.random.fill(&mut user).map_err(|_| Denied::Unavailable)?;
        let claims = Claims { expires: now.plus(self.lifetime), user };
        Ok(Issued { token: claims.token(secret), user_id: claims.user_id(), expires_at: claims.expires })
    }

    /// Says whose a token is.
    pub(super) async fn verify(&self, token: &str, now: Timestamp) -> Result<User, Failure> {
        // Before any key is asked for: garbage must not cost a request.
        let (claims, code) = Claims::parse(token).ok_or(Failure::Malformed)?;
        if claims.expires <= now {
            return Err(Failure::Expired);
        }
        let mut failure = Failure::Signature;
        for secret in &self.secrets {
            match secret.get(self.kms.as_ref(), now).await {
                Ok(secret) if claims.is_signed_with(code, secret) => {
                    return Ok(User { id: claims.user_id(), expires: Some(claims.expires) });
                }
                // It may be this one that the token was signed with.
                Err(Missing::Unavailable) => failure = Failure::Unavailable,
                Ok(_) | Err(Missing::Gone) => {}
            }
        }
        Err(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn sessions() -> Sessions {
        Sessions::with_random_key(Duration::from_secs(60)).unwrap()
    }

    #[tokio::test]
    async fn a_token_is_good_until_it_ends_and_for_its_own_key_only() {
        let (sessions, others) = (sessions(), sessions());
        let issued = sessions.issue(NOW).await.unwrap();
        assert_eq!(issued.token.len(), 74);
        assert_eq!(issued.expires_at, NOW.plus(Duration::from_secs(60)));
        let user = sessions.verify(&issued.token, NOW).await.unwrap();
        assert_eq!(user, User { id: issued.user_id.clone(), expires: Some(issued.expires_at) });
        let last = Timestamp::from_millis(issued.expires_at.millis() - 1);
        assert!(sessions.verify(&issued.token, last).await.is_ok());
        assert_eq!(sessions.verify(&issued.token, issued.expires_at).await, Err(Failure::Expired));
        assert_eq!(others.verify(&issued.token, NOW).await, Err(Failure::Signature));
        assert_ne!(sessions.issue(NOW).await.unwrap().user_id, issued.user_id);
        assert!(issued.user_id.as_str().starts_with("anon_"));
    }

    #[tokio::test]
    async fn every_changed_bit_and_every_other_length_is_refused() {
        let sessions = sessions();
        let token = sessions.issue(NOW).await.unwrap().token;
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert!(sessions.verify(&changed, NOW).await.is_err(), "bit {bit}");
        }
        for other in ["", "a", &token[1..], &format!("{token}A"), &format!("{token}=="), &"A".repeat(8192)] {
            assert_eq!(sessions.verify(other, NOW).await, Err(Failure::Malformed), "{other}");
        }
        // The last character has bits to spare: another one must not make a second form of the same token.
        let (body, last) = token.split_at(73);
        for other in ('A'..='Z').map(String::from).filter(|other| other != last) {
            assert!(sessions.verify(&format!("{body}{other}"), NOW).await.is_err(), "{other}");
        }
    }
}
