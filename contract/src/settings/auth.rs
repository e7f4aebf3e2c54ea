//! Who users are.

use super::setting::{SettingError, known, settings};
use crate::auth::{Audiences, AuthUrl, CookieName, IssuerName, SessionKeys};
use crate::routes;
use crate::units::SessionLifetime;
use crate::words::{AudienceClaim, AuthMode};

settings! {
    /// Who callers are. Both functions read them.
    pub struct AuthSettings {
        /// How callers prove who they are.
        "AUTH_MODE" => mode: AuthMode = AuthMode::Off;
        /// Whether stream, metrics, items and history ask for a user too, not only configurations.
        "AUTH_PRIVATE" => private: bool = false;
        /// Cookie that a token may come in.
        "AUTH_COOKIE" => cookie: CookieName = known!(CookieName, routes::SESSION_COOKIE);
        /// KMS keys that session tokens are signed with: the first signs, all verify.
        "AUTH_SESSION_KEYS" => session_keys: SessionKeys = SessionKeys::default();
        /// Life of a session token.
        "AUTH_SESSION_LIFETIME" => session_lifetime: SessionLifetime = SessionLifetime::DEFAULT;
        /// Issuer of tokens, exactly as its tokens name it.
        "AUTH_ISSUER" => issuer: Option<IssuerName> = None;
        /// What its tokens must be meant for: one of these.
        "AUTH_AUDIENCE" => audience: Option<Audiences> = None;
        /// Claim of its tokens that says so.
        "AUTH_AUDIENCE_CLAIM" => audience_claim: AudienceClaim = AudienceClaim::Aud;
        /// Where its keys are; without it, its discovery document says so, which is below an issuer that is a URL.
        "AUTH_JWKS_URL" => jwks_url: Option<AuthUrl> = None;
    }
}

impl AuthSettings {
    /// Says what the mode needs beside itself.
    ///
    /// # Errors
    /// Every variable that must be set and is not.
    pub fn check(&self) -> Result<(), Vec<SettingError>> {
        let need = |is_there: bool, name, rule: &str| {
            let reason = format!("it must be {rule}, because AUTH_MODE is `{}`", self.mode.as_str());
            (!is_there).then_some(SettingError { name, value: None, reason })
        };
        let missing: Vec<SettingError> = match self.mode {
            AuthMode::Off if self.private => {
                let reason = "it must be `false`, because AUTH_MODE is `off`: nobody could be let in".to_owned();
                vec![SettingError { name: "AUTH_PRIVATE", value: Some("true".to_owned()), reason }]
            }
            AuthMode::Off | AuthMode::TrustedHeader => Vec::new(),
            AuthMode::Session => {
                let some = !self.session_keys.as_slice().is_empty();
                need(some, "AUTH_SESSION_KEYS", "the KMS keys that tokens are signed with").into_iter().collect()
            }
            AuthMode::Jwt => [
                need(self.issuer.is_some(), "AUTH_ISSUER", "the issuer of the tokens"),
                need(self.audience.is_some(), "AUTH_AUDIENCE", "what the tokens are meant for"),
                self.keys_nowhere(),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }

    /// An issuer that is no URL says nowhere where its keys are.
    fn keys_nowhere(&self) -> Option<SettingError> {
        let issuer = self.issuer.as_ref().filter(|issuer| self.jwks_url.is_none() && issuer.url().is_none())?;
        let reason =
            format!("it must be where the issuer's keys are, because AUTH_ISSUER is `{issuer}`, no https:// URL");
        Some(SettingError { name: "AUTH_JWKS_URL", value: None, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_names_what_it_lacks() {
        let check = |mode: &'static str, more: &'static [(&'static str, &'static str)]| {
            let lookup = |name: &str| match name {
                "AUTH_MODE" => Some(mode.to_owned()),
                other => more.iter().find(|(key, _)| *key == other).map(|(_, value)| (*value).to_owned()),
            };
            let errors = AuthSettings::from_env(&lookup).unwrap().check().err().unwrap_or_default();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(check("off", &[]), [""; 0]);
        let nobody = &check("off", &[("AUTH_PRIVATE", "true")])[0];
        assert!(nobody.starts_with("AUTH_PRIVATE"), "{nobody}");
        assert_eq!(check("trusted-header", &[("AUTH_PRIVATE", "true")]), [""; 0]);
        assert_eq!(
            check("session", &[]),
            [
                "AUTH_SESSION_KEYS is not set; it must be the KMS keys that tokens are signed with, because AUTH_MODE is `session`"
            ]
        );
        assert_eq!(check("session", &[("AUTH_SESSION_KEYS", "alias/a")]), [""; 0]);
        assert_eq!(check("jwt", &[]).len(), 2);
        assert_eq!(check("jwt", &[("AUTH_ISSUER", "https://a.example"), ("AUTH_AUDIENCE", "x")]), [""; 0]);
        const BARE: [(&str, &str); 2] = [("AUTH_ISSUER", "stytch.com/project-1"), ("AUTH_AUDIENCE", "x")];
        assert_eq!(
            check("jwt", &BARE),
            ["AUTH_JWKS_URL is not set; it must be where the issuer's keys are, because AUTH_ISSUER is \
              `stytch.com/project-1`, no https:// URL"]
        );
        const WITH_KEYS: [(&str, &str); 3] =
            [BARE[0], BARE[1], ("AUTH_JWKS_URL", "https://test.stytch.com/v1/sessions/jwks/project-1")];
        assert_eq!(check("jwt", &WITH_KEYS), [""; 0]);
        assert_eq!(check("session", &[("AUTH_ISSUER", "x"), ("AUTH_SESSION_KEYS", "alias/a")]), [""; 0]);
        let keys = |text: &'static str| move |name: &str| (name == "AUTH_SESSION_KEYS").then(|| text.to_owned());
        let five = AuthSettings::from_env(&keys("a,b,c,d,e")).unwrap_err();
        assert!(five[0].to_string().starts_with("AUTH_SESSION_KEYS: 5 keys are too many; it must be 1 to 4 keys"));
        assert!(AuthSettings::from_env(&keys("a,,b")).is_err());
    }
}
