//! Keys of an issuer: fetched, kept, fetched again. However many tokens name keys that are not known, and however long
//! the issuer is down, it is asked once in a while and not once for each token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use contract::{AuthUrl, IssuerName, NameError, limits};
use serde::Deserialize;
use tokio::time::Instant;

use super::fetch::{Fetch, FetchError};
use super::jwk::{KeySet, Wanted};
use super::user::Denied;

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
enum IssuerError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("it answers with status {0}")]
    Status(u16),
    #[error("its answer is not {0}")]
    Malformed(&'static str),
    /// A URL says the same with and without a slash at its end; an issuer's name does not.
    #[error("its discovery document is that of `{0}`; the issuer must be named like that, to the letter")]
    Foreign(String),
    #[error("the `jwks_uri` of its discovery document: {0}")]
    KeysUrl(NameError),
    #[error("the `jwks_uri` of its discovery document is plain HTTP, and the issuer's URL is not")]
    Insecure,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// What is known of the keys.
#[derive(Clone, Default)]
struct Known {
    keys: Option<(Arc<KeySet>, Instant)>,
    /// When the last fetch ended, and whether it brought keys.
    tried: Option<(Instant, bool)>,
}

/// What to do for one token.
#[derive(Debug)]
enum Next {
    /// These keys will do.
    Use(Arc<KeySet>),
    /// These will do, but are due to be fetched again.
    UseAndFetch(Arc<KeySet>),
    /// Nothing will do before they are fetched.
    Fetch,
    /// Nothing will do, and the issuer was asked just now.
    Unavailable,
}

impl Known {
    fn next(&self, wanted: Wanted<'_>, now: Instant) -> Next {
        let pause = |worked| if worked { limits::ISSUER_FETCH_PAUSE } else { limits::AUTH_RETRY_PAUSE };
        let may_fetch = self.tried.is_none_or(|(at, worked)| pause(worked) <= now.duration_since(at));
        let failed = self.tried.is_some_and(|(_, worked)| !worked);
        let kept = self.keys.as_ref().filter(|(_, at)| now.duration_since(*at) < limits::ISSUER_KEYS_KEPT);
        match kept {
            Some((keys, at)) if keys.has(wanted) => {
                let is_due = limits::ISSUER_KEYS_FRESH <= now.duration_since(*at);
                if is_due && may_fetch { Next::UseAndFetch(Arc::clone(keys)) } else { Next::Use(Arc::clone(keys)) }
            }
            _ if may_fetch => Next::Fetch,
            // The issuer has no such key: it said so a moment ago.
            Some((keys, _)) if !failed => Next::Use(Arc::clone(keys)),
            _ => Next::Unavailable,
        }
    }
}

/// Who says where the keys are.
#[derive(Clone, Debug)]
pub(super) enum KeysSource {
    /// A person: they are there.
    At(AuthUrl),
    /// The discovery document below this URL, which is the issuer's name.
    Discovery(AuthUrl),
}

/// An issuer of tokens.
pub(super) struct Issuer {
    fetch: Fetch,
    issuer: IssuerName,
    keys_source: KeysSource,
    known: Mutex<Known>,
    /// Where its discovery document says that they are. Held while they are fetched.
    discovered: tokio::sync::Mutex<Option<AuthUrl>>,
}

impl Issuer {
    /// Opens no connection yet.
    pub(super) fn new(issuer: IssuerName, keys_source: KeysSource) -> Self {
        Self {
            fetch: Fetch::new(),
            issuer,
            keys_source,
            known: Mutex::default(),
            discovered: tokio::sync::Mutex::default(),
        }
    }

    /// Fetches the keys for the first time.
    pub(super) async fn warm_up(&self) {
        self.fetch_unless_done(Instant::now()).await;
    }

    /// Returns the keys to verify a token with that asks for this one of them.
    pub(super) async fn keys_with(self: &Arc<Self>, wanted: Wanted<'_>) -> Result<Arc<KeySet>, Denied> {
        let now = Instant::now();
        let next = self.known().next(wanted, now);
        match next {
            Next::Use(keys) => Ok(keys),
            Next::UseAndFetch(keys) => {
                // In the background: while its keys are good, no request waits for an issuer.
                if self.discovered.try_lock().is_ok() {
                    let issuer = Arc::clone(self);
                    tokio::spawn(async move { issuer.fetch_unless_done(now).await });
                }
                Ok(keys)
            }
            Next::Unavailable => Err(Denied::Unavailable),
            Next::Fetch => {
                self.fetch_unless_done(now).await;
                match self.known().next(wanted, Instant::now()) {
                    Next::Use(keys) | Next::UseAndFetch(keys) => Ok(keys),
                    Next::Fetch | Next::Unavailable => Err(Denied::Unavailable),
                }
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the keys, unless another request has done so since this moment: all who wait share one fetch.
    async fn fetch_unless_done(&self, since: Instant) {
        let mut discovered = self.discovered.lock().await;
        if self.known().tried.is_some_and(|(at, _)| since <= at) {
            return;
        }
        let fetched = self.keys(&mut discovered).await;
        let now = Instant::now();
        let mut known = self.known();
        known.tried = Some((now, fetched.is_ok()));
        match fetched {
            Ok(keys) => known.keys = Some((Arc::new(keys), now)),
            Err(error) => tracing::warn!(issuer = %self.issuer, %error, "the issuer's keys cannot be fetched"),
        }
    }

    async fn keys(&self, discovered: &mut Option<AuthUrl>) -> Result<KeySet, IssuerError> {
        let url = match (&self.keys_source, &*discovered) {
            (KeysSource::At(url), _) | (KeysSource::Discovery(_), Some(url)) => url.clone(),
            (KeysSource::Discovery(issuer), None) => self.discover(issuer.as_str()).await?,
        };
        // Asked for again where it does not work: the keys may have moved.
        *discovered = None;
        let keys = KeySet::parse(&self.get(url.as_str()).await?).ok_or(IssuerError::Malformed("a set of keys"))?;
        *discovered = Some(url);
        Ok(keys)
    }

    /// Asks where the keys are (OpenID Connect Discovery).
    async fn discover(&self, issuer: &str) -> Result<AuthUrl, IssuerError> {
        let answer = self.get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).await?;
        let found: Discovery =
            serde_json::from_slice(&answer).map_err(|_| IssuerError::Malformed("a discovery document"))?;
        if found.issuer != issuer {
            return Err(IssuerError::Foreign(found.issuer.escape_debug().take(200).collect()));
        }
        // Plain HTTP on this machine only for an issuer that is there as well.
        let url = AuthUrl::new(&found.jwks_uri).map_err(IssuerError::KeysUrl)?;
        let is_as_secure = url.as_str().starts_with("https://") || issuer.starts_with("http://");
        is_as_secure.then_some(url).ok_or(IssuerError::Insecure)
    }

    async fn get(&self, url: &str) -> Result<Bytes, IssuerError> {
        let request = http::Request::get(url).header(http::header::ACCEPT, "application/json").body(String::new());
        match self.fetch.send(request.map_err(|_| IssuerError::Malformed("a URL"))?).await? {
            (200, body) => Ok(body),
            (status, _) => Err(IssuerError::Status(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::jwk::Algorithm;
    use super::*;

    fn set(kid: &str) -> Arc<KeySet> {
        let set = serde_json::json!({ "keys": [{ "kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB" }] });
        Arc::new(KeySet::parse(set.to_string().as_bytes()).unwrap())
    }

    /// What is to be done so many seconds after the keys came and after the last try.
    fn next(kid: &str, keys_age: Option<u64>, tried: Option<(u64, bool)>) -> &'static str {
        let now = Instant::now() + Duration::from_secs(1_000_000);
        let ago = |secs: u64| now - Duration::from_secs(secs);
        let known = Known {
            keys: keys_age.map(|secs| (set("a"), ago(secs))),
            tried: tried.map(|(secs, worked)| (ago(secs), worked)),
        };
        match known.next(Wanted { kid: Some(kid), algorithm: Algorithm::Rs256 }, now) {
            Next::Use(_) => "use",
            Next::UseAndFetch(_) => "use and fetch",
            Next::Fetch => "fetch",
            Next::Unavailable => "unavailable",
        }
    }

    #[test]
    fn keys_are_fetched_when_due_and_not_more_often() {
        assert_eq!(next("a", None, None), "fetch");
        assert_eq!(next("a", Some(0), Some((0, true))), "use");
        assert_eq!(next("a", Some(599), Some((599, true))), "use");
        assert_eq!(next("a", Some(600), Some((600, true))), "use and fetch");
        assert_eq!(next("b", Some(29), Some((29, true))), "use");
        assert_eq!(next("b", Some(30), Some((30, true))), "fetch");
    }

    #[test]
    fn an_issuer_that_is_down_takes_nobody_along_for_a_day() {
        assert_eq!(next("a", None, Some((1, false))), "unavailable");
        assert_eq!(next("a", None, Some((2, false))), "fetch");
        assert_eq!(next("a", Some(700), Some((1, false))), "use");
        assert_eq!(next("a", Some(700), Some((2, false))), "use and fetch");
        assert_eq!(next("a", Some(86_399), Some((1, false))), "use");
        assert_eq!(next("a", Some(86_400), Some((1, false))), "unavailable");
        assert_eq!(next("a", Some(86_400), Some((2, false))), "fetch");
        // Whether the issuer has that key is not known.
        assert_eq!(next("b", Some(700), Some((1, false))), "unavailable");
    }
}
