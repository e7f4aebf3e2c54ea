//! Rules between the keys of `[auth]`, and between them and the way in.

use contract::{AuthMode, AuthUrl, IssuerName};

use super::Checks;
use crate::manifest::sections::AuthSection;
use crate::manifest::types::FrontKind;

/// What to write for an issuer that says nowhere where its keys are.
fn keys_hint(issuer: &IssuerName) -> String {
    let name = issuer.as_str();
    let host = name.strip_prefix("http://").unwrap_or(name);
    let keys = "add `jwks_url = \"https://…\"`, where it publishes its keys";
    match AuthUrl::new(&format!("https://{host}")) {
        // A word without a dot is the name of no host that others reach.
        Ok(url) if host.split('/').next().is_some_and(|host| host.contains('.')) => {
            format!("{keys}, or, if its tokens say so in `iss`, write `issuer = \"{url}\"`")
        }
        _ => keys.to_owned(),
    }
}

/// What proves who a viewer is, where CloudFront hands on what it is told.
const VIEWER_FUNCTION: &str =
    "set `front.viewer_function_arn` to a CloudFront function that proves the viewer and sets X-User-ID";

/// What to write where `[auth]` says whose tokens count and its mode is another one.
fn issuer_hint(auth: &AuthSection) -> String {
    let lacking = [("issuer", auth.issuer.is_some()), ("audience", auth.audience.is_some())];
    let lacking: Vec<String> =
        lacking.iter().filter(|(_, is_set)| !is_set).map(|(key, _)| format!("`auth.{key}`")).collect();
    let more = if lacking.is_empty() { String::new() } else { format!(" and set {}", lacking.join(" and ")) };
    format!("write `mode = \"jwt\"` under `[auth]`{more}, or remove it")
}

impl Checks<'_> {
    pub(super) fn auth(&self) {
        self.trusted_header();
        self.issuer();
    }

    fn issuer(&self) {
        let auth = &self.manifest.auth;
        if auth.private && auth.mode == AuthMode::Off {
            self.fail(
                "private-without-users",
                &["auth.private", "auth.mode"],
                "`auth.private` is `true`: `auth.mode` is `off`, so that there are no users and nobody could be let in"
                    .to_owned(),
                "set `auth.mode` to `session`, `jwt` or `trusted-header`, or remove `auth.private`",
            );
        }
        if auth.mode == AuthMode::Jwt {
            if auth.issuer.is_none() {
                self.fail(
                    "issuer-missing",
                    &["auth.mode", "auth.issuer"],
                    "`auth.mode` is `jwt`: it needs `auth.issuer`, whose keys sign the tokens".to_owned(),
                    "set `auth.issuer` to the `issuer` of its discovery document, to the letter",
                );
            }
            if let Some(issuer) = &auth.issuer
                && auth.jwks_url.is_none()
                && issuer.url().is_none()
            {
                self.fail(
                    "issuer-without-keys",
                    &["auth.issuer", "auth.jwks_url"],
                    format!(
                        "`auth.issuer` is `{issuer}`: only an issuer that is an https:// URL says where its keys are, and \
                         `auth.jwks_url` is not set"
                    ),
                    &keys_hint(issuer),
                );
            }
            if auth.audience.is_none() {
                self.fail(
                    "audience-missing",
                    &["auth.mode", "auth.audience"],
                    "`auth.mode` is `jwt`: without `auth.audience` a token that the issuer made for any other service \
                     would do"
                        .to_owned(),
                    "set `auth.audience` to what the tokens for this service have in `aud`",
                );
            }
            return;
        }
        for (key, is_set) in [
            ("auth.issuer", auth.issuer.is_some()),
            ("auth.audience", auth.audience.is_some()),
            ("auth.jwks_url", auth.jwks_url.is_some()),
        ] {
            if is_set {
                self.fail(
                    "issuer-unused",
                    &[key, "auth.mode"],
                    format!("`{key}` is set: `auth.mode` is `{}`, which has no issuer", auth.mode.as_str()),
                    &issuer_hint(auth),
                );
            }
        }
    }

    fn trusted_header(&self) {
        if self.manifest.auth.mode != AuthMode::TrustedHeader {
            return;
        }
        let front = &self.manifest.front;
        if front.kind != FrontKind::CloudFront {
            self.fail(
                "trusted-header-public",
                &["auth.mode", "front.kind"],
                format!(
                    "`auth.mode` is `trusted-header`: with `front.kind` `{}` anybody can reach the function \
                     and set that header",
                    front.kind.as_str()
                ),
                &format!(
                    "write `kind = \"cloudfront\"` under `[front]`{}; or write `mode = \"off\"` under `[auth]`",
                    if front.viewer_function_arn.is_some() { String::new() } else { format!(" and {VIEWER_FUNCTION}") }
                ),
            );
        } else if front.viewer_function_arn.is_none() {
            self.fail(
                "trusted-header-without-function",
                &["auth.mode", "front.viewer_function_arn"],
                "`auth.mode` is `trusted-header`: without `front.viewer_function_arn` CloudFront hands on whatever \
                 X-User-ID a viewer sends"
                    .to_owned(),
                VIEWER_FUNCTION,
            );
        }
    }
}
