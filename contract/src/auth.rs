//! What the settings of authentication are made of.

use crate::names::name;
use crate::values::{ABSENT, SettingValue, optional_setting};
use crate::{limits, routes};

/// Whether a URL's authority is this machine, for tests and local mode.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    ["127.0.0.1", "[::1]", "localhost"].contains(&host)
}

fn is_secure_url(text: &str) -> bool {
    let visible = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\^`{|}#".contains(&b));
    if !visible || text.len() > limits::AUTH_URL_BYTES_MAX {
        return false;
    }
    // What stands before an `@` there is a user's name and password, and what looks like the host may be part of it.
    let authority = |rest: &str| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        (!authority.is_empty() && !authority.contains('@')).then(|| authority.to_owned())
    };
    match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => authority(rest).is_some(),
        (_, Some(rest)) => authority(rest).is_some_and(|authority| is_loopback(&authority)),
        _ => false,
    }
}

name!(
    /// URL of an issuer of tokens or of its keys. Never plain HTTP over a network: whoever can change the keys on their
    /// way can be anybody.
    AuthUrl,
    "URL",
    "a URL, https:// and a host, at most 512 visible characters of ASCII without quotes and #, no user before the host; http:// only on this machine (127.0.0.1, localhost)",
    is_secure_url
);
name!(
    /// An issuer of tokens, as its tokens name it: mostly a URL, below which it says where its keys are. Some are another text, or a URL of
    /// plain HTTP that nobody asks.
    IssuerName,
    "issuer",
    "1 to 512 visible characters of ASCII without quotes, < > \\ ^ ` { | }, and not `-` alone",
    |t| (1..=limits::AUTH_URL_BYTES_MAX).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&b))
        && t != ABSENT
);
name!(
    /// What a token must be meant for.
    Audience,
    "audience",
    "1 to 256 visible characters of ASCII",
    |t| (1..=limits::AUDIENCE_BYTES_MAX).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic())
);
name!(
    /// Name of the cookie with a token.
    CookieName,
    "name of a cookie",
    "1 to 64 of a-z, A-Z, 0-9, _ and -, beginning with a letter or _",
    |t| t.len() <= 64
        && t.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
);
name!(
    /// An HMAC key of AWS KMS: its alias, id or ARN.
    KeyId,
    "KMS key",
    "1 to 256 of a-z, A-Z, 0-9, :, /, _ and -: an alias such as alias/sessions, a key id or an ARN",
    |t| (1..=256).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b":/_-".contains(&b))
);

optional_setting!(AuthUrl, "where there is none");
optional_setting!(IssuerName, "where there is none");

impl IssuerName {
    /// The URL that it is, where it may be asked for its keys.
    #[must_use]
    pub fn url(&self) -> Option<AuthUrl> {
        AuthUrl::new(self.as_str()).ok()
    }
}

impl CookieName {
    /// Path to which a browser sends the cookie: the API alone, and not every file of the page. One whose name begins with `__Host-`
    /// is taken by browsers only for the whole host.
    #[must_use]
    pub fn path(&self) -> &'static str {
        let is_hosts = self.as_str().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("__Host-"));
        if is_hosts { "/" } else { routes::API_COOKIE_PATH }
    }
}

/// What a token may be meant for: it names one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audiences(Vec<Audience>);

impl Audiences {
    /// Takes as many as there may be.
    ///
    /// # Errors
    /// A sentence with the number and the rule.
    pub fn new(audiences: Vec<Audience>) -> Result<Self, String> {
        match audiences.len() {
            1..=limits::AUDIENCES_MAX => Ok(Self(audiences)),
            count => Err(format!("{count} audiences; it must be {}", Self::list_rule())),
        }
    }

    /// The audiences.
    #[must_use]
    pub fn as_slice(&self) -> &[Audience] {
        &self.0
    }

    fn list_rule() -> String {
        format!("1 to {} audiences separated by spaces, each {}", limits::AUDIENCES_MAX, Audience::RULE)
    }
}

impl SettingValue for Option<Audiences> {
    fn read(text: &str) -> Result<Self, String> {
        if text == ABSENT {
            return Ok(None);
        }
        // No audience has a space in it.
        let audiences = text.split(' ').map(Audience::new).collect::<Result<_, _>>();
        audiences.map_err(|error| error.to_string()).and_then(Audiences::new).map(Some)
    }
    fn write(&self) -> String {
        let join = |all: &Audiences| all.0.iter().map(Audience::as_str).collect::<Vec<_>>().join(" ");
        self.as_ref().map_or_else(|| ABSENT.to_owned(), join)
    }
    fn rule() -> String {
        format!("{}; or `-` where there is none", Audiences::list_rule())
    }
}

/// Keys of AWS KMS: the first signs, all verify.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionKeys(Vec<KeyId>);

impl SessionKeys {
    /// Takes as many as there may be.
    ///
    /// # Errors
    /// A sentence with the number and the rule.
    pub fn new(keys: Vec<KeyId>) -> Result<Self, String> {
        if keys.len() > limits::SESSION_KEYS_MAX {
            return Err(format!("{} keys are too many; it must be {}", keys.len(), Self::rule()));
        }
        Ok(Self(keys))
    }

    /// The keys, the one that signs first.
    #[must_use]
    pub fn as_slice(&self) -> &[KeyId] {
        &self.0
    }
}

impl SettingValue for SessionKeys {
    fn read(text: &str) -> Result<Self, String> {
        if text == ABSENT {
            return Ok(Self::default());
        }
        let keys = text.split(',').map(KeyId::new).collect::<Result<_, _>>();
        keys.map_err(|error| error.to_string()).and_then(Self::new)
    }
    fn write(&self) -> String {
        match self.0.as_slice() {
            [] => ABSENT.to_owned(),
            keys => keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join(","),
        }
    }
    fn rule() -> String {
        format!(
            "1 to {} keys separated by commas, each {}; or `-` where there are none",
            limits::SESSION_KEYS_MAX,
            KeyId::RULE
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in [
            "https://login.example.com/tenant/v2.0",
            "https://example.com/keys?p=policy",
            "http://127.0.0.1:4000",
            "http://localhost/x",
            "http://[::1]:80/",
            "https://login.example.com/realms/a@b/keys",
            "https://example.com?user=a@b",
            "http://127.0.0.1:4000/@a/keys",
        ] {
            assert!(AuthUrl::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///x",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://localhost:80:x@example.com",
            "http://localhost.example.com/",
            "ftp://example.com",
            "https://a b",
            "https://example.com/#x",
            "https://user@example.com",
            "https://login.example.com:x@evil.example.com/keys",
            "https://a@b@example.com/",
            "https://@/keys",
            "https://login.example.com\\@evil.example.com",
            "https://example.com/\u{e9}",
        ] {
            assert!(AuthUrl::new(bad).is_err(), "{bad}");
        }
        assert!(AuthUrl::new(&format!("https://{}", "a".repeat(504))).is_ok());
        assert!(AuthUrl::new(&format!("https://{}", "a".repeat(505))).is_err());
    }

    #[test]
    fn an_issuer_is_any_text_and_its_keys_are_asked_for_where_it_is_a_url() {
        for (name, is_url) in [
            ("https://login.example.com/", true),
            ("http://127.0.0.1:4000", true),
            ("http://login.example.com", false),
            ("stytch.com/project-live-1a2b", false),
            ("P2abc", false),
            ("accounts.google.com", false),
            ("urn:example:issuer#1", false),
        ] {
            assert_eq!(IssuerName::new(name).unwrap().url().is_some(), is_url, "{name}");
        }
        assert!(IssuerName::new(&"a".repeat(512)).is_ok());
        for bad in ["", "-", "two words", "a\nb", "\"", "\u{e9}", &"a".repeat(513)] {
            assert!(IssuerName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn audiences_are_one_or_several() {
        let read = |text: &str| <Option<Audiences> as SettingValue>::read(text);
        for text in ["live", "live https://live.example.com", "-", "a,b"] {
            assert_eq!(read(text).unwrap().write(), text);
        }
        for bad in ["", " ", "a  b", "a ", "a b c d e f g h i", "\u{e9}"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_cookie_goes_to_the_api_alone_unless_its_name_asks_for_more() {
        for (name, path) in [("session", "/api/"), ("__Secure-id", "/api/"), ("__Host-id", "/"), ("__host-id", "/")] {
            assert_eq!(CookieName::new(name).unwrap().path(), path, "{name}");
        }
        for bad in ["", "a b", "a=b", "a;b", "1a", "-", &"a".repeat(65)] {
            assert!(CookieName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn keys_are_named_as_kms_does() {
        for good in ["alias/sse-dev-session-1", "arn:aws:kms:us-east-1:123456789012:key/0-1", "0000-aaaa"] {
            assert!(KeyId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a,b", "a b", "\"", &"k".repeat(257)] {
            assert!(KeyId::new(bad).is_err(), "{bad}");
        }
    }
}
