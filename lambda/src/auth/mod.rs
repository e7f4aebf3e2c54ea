//! The user of a request: a token, or a header that a trusted proxy set, becomes a user id. Tokens never reach a log.

mod fetch;
mod issuer;
#[cfg(test)]
mod issuer_tests;
mod jwk;
mod jwt;
#[cfg(test)]
mod jwt_properties;
#[cfg(test)]
mod jwt_tests;
mod kms;
mod presented;
mod session;
mod user;

use std::sync::Arc;

use contract::{AuthMode, AuthSettings, CookieName, Lookup, routes};
use http::HeaderMap;

use crate::clock::Clock;
use crate::fatal::Fatal;
use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

use self::issuer::{Issuer, KeysSource};
use self::jwt::{Expected, Unverified};
use self::kms::Kms;
use self::presented::Presented;
use self::session::Sessions;

pub use self::session::Issued;
pub use self::user::{Denied, User};

/// How users prove who they are.
#[derive(Clone)]
pub struct Auth {
    mode: Arc<Mode>,
    is_private: bool,
    cookie: CookieName,
    clock: Clock,
}

enum Mode {
    Off,
    TrustedHeader,
    Session(Sessions),
    Jwt(Expected, Arc<Issuer>),
}

/// Why one token makes no user. Nothing of the token is in it.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("AUTH_MODE is `off`: there are no users")]
    NoTokens,
    #[error(transparent)]
    Session(#[from] session::Failure),
    #[error(transparent)]
    Jwt(#[from] jwt::Failure),
    #[error("the issuer's keys cannot be had now")]
    NoKeys,
}

impl Refusal {
    /// Whether it is not the token that something is wrong with.
    const fn may_be_good_later(&self) -> bool {
        matches!(self, Self::NoKeys | Self::Session(session::Failure::Unavailable))
    }
}

impl Auth {
    /// Sets up what the mode needs, without a request.
    ///
    /// # Errors
    /// [`Fatal`] with every variable that the mode needs and that is not there.
    pub fn new(settings: &AuthSettings, clock: Clock, lookup: &Lookup<'_>) -> Result<Self, Fatal> {
        settings.check()?;
        let mode = match settings.mode {
            AuthMode::Off => Mode::Off,
            AuthMode::TrustedHeader => Mode::TrustedHeader,
            AuthMode::Session => {
                let kms = Kms::from_env(lookup).map_err(Fatal::new)?;
                let lifetime = settings.session_lifetime.get();
                Mode::Session(Sessions::with_kms(kms, settings.session_keys.as_slice(), lifetime))
            }
            AuthMode::Jwt => {
                let proof = "`check` has found it";
                let (issuer, audience) =
                    (settings.issuer.clone().expect(proof), settings.audience.as_ref().expect(proof));
                let expected = Expected {
                    issuer: issuer.to_string(),
                    audiences: audience.as_slice().iter().map(ToString::to_string).collect(),
                    claim: settings.audience_claim,
                };
                let keys_source = match settings.jwks_url.clone() {
                    Some(url) => KeysSource::At(url),
                    None => KeysSource::Discovery(issuer.url().expect(proof)),
                };
                Mode::Jwt(expected, Arc::new(Issuer::new(issuer, keys_source)))
            }
        };
        Ok(Self { mode: Arc::new(mode), is_private: settings.private, cookie: settings.cookie.clone(), clock })
    }

    /// As [`Auth::new`], but a session key that is not named is made up, and lives as long as this value and its clones.
    ///
    /// # Errors
    /// [`Fatal`]
    pub fn local(settings: &AuthSettings, clock: Clock, lookup: &Lookup<'_>) -> Result<Self, Fatal> {
        if settings.mode == AuthMode::Session && settings.session_keys.as_slice().is_empty() {
            let sessions = Sessions::with_random_key(settings.session_lifetime.get()).map_err(Fatal::new)?;
            let mode = Arc::new(Mode::Session(sessions));
            return Ok(Self { mode, is_private: settings.private, cookie: settings.cookie.clone(), clock });
        }
        Self::new(settings, clock, lookup)
    }

    /// Gets the keys before the first request, at full CPU. A failure is logged, and no reason to stop: most streams need
    /// none of it, and the first request that does tries again.
    pub async fn warm_up(&self) {
        match &*self.mode {
            Mode::Off | Mode::TrustedHeader => {}
            Mode::Session(sessions) => sessions.warm_up(self.clock.wall()).await,
            Mode::Jwt(_, issuer) => issuer.warm_up().await,
        }
    }

    /// Returns the user of a request: that of the first of its tokens that is good.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn user(&self, headers: &HeaderMap, query: Option<&str>) -> Result<User, Denied> {
        if matches!(*self.mode, Mode::TrustedHeader) {
            return trusted_header(headers);
        }
        let tokens = presented::tokens(headers, &self.cookie, query);
        if tokens.is_empty() {
            tracing::debug!("no token in header, cookie and query");
        }
        let mut denied = Denied::Unidentified;
        for Presented { source, token } in tokens {
            let failure = match self.verify(&token).await {
                Ok(user) => return Ok(user),
                Err(failure) => failure,
            };
            // The reason and nothing of the token, and only at the level `debug`: bad tokens cost their sender nothing.
            tracing::debug!(source, %failure, "token refused");
            if failure.may_be_good_later() {
                denied = Denied::Unavailable;
            }
        }
        Err(denied)
    }

    /// Lets a request in that is about no configuration: any one, or a user's where `auth.private` is set. Returns when
    /// that user's proof ends.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn admit(&self, headers: &HeaderMap, query: Option<&str>) -> Result<Option<Timestamp>, Denied> {
        if self.is_private { Ok(self.user(headers, query).await?.expires) } else { Ok(None) }
    }

    async fn verify(&self, token: &str) -> Result<User, Refusal> {
        let now = self.clock.wall();
        match &*self.mode {
            Mode::Off | Mode::TrustedHeader => Err(Refusal::NoTokens),
            Mode::Session(sessions) => Ok(sessions.verify(token, now).await?),
            Mode::Jwt(expected, issuer) => {
                let unverified = Unverified::parse(token, expected, now)?;
                let keys = issuer.keys_with(unverified.wanted()).await.map_err(|_| Refusal::NoKeys)?;
                Ok(unverified.verify(&keys)?)
            }
        }
    }

    /// Whether this mode makes tokens for users who were not there before.
    #[must_use]
    pub fn makes_users(&self) -> bool {
        matches!(*self.mode, Mode::Session(_))
    }

    /// Makes a token for a user who was not there before; `None` where this mode has no such tokens.
    ///
    /// # Errors
    /// [`Denied::Unavailable`]
    pub async fn anonymous(&self) -> Result<Option<Issued>, Denied> {
        match &*self.mode {
            Mode::Session(sessions) => sessions.issue(self.clock.wall()).await.map(Some),
            _ => Ok(None),
        }
    }
}

/// Header that only a proxy can set, because the function cannot be reached around it.
fn trusted_header(headers: &HeaderMap) -> Result<User, Denied> {
    let mut values = headers.get_all(routes::USER_HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Denied::Unidentified) };
    let id = value.to_str().map_err(|_| Denied::Unidentified)?.trim();
    UserId::new(id).map(|id| User { id, expires: None }).ok_or(Denied::Unidentified)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_trusted_header_names_one_user_or_nobody() {
        let of = |values: &[&'static str]| {
            let values = values.iter().map(|value| ("x-user-id".parse().unwrap(), HeaderValue::from_static(value)));
            trusted_header(&HeaderMap::from_iter(values)).map(|user: User| user.id)
        };
        assert_eq!(of(&["u1"]).unwrap().as_str(), "u1");
        for bad in [&[][..], &[""], &[" "], &["u1", "u2"]] {
            assert_eq!(of(bad), Err(Denied::Unidentified), "{bad:?}");
        }
    }
}
