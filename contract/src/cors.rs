//! What pages of other origins may do. The generator writes it into the Function URLs; servers answer by it, and functions behind a REST API.

use crate::limits;
use crate::names::name;
use crate::origins::is_origin;
use crate::routes::USER_HEADER;
use crate::values::{ABSENT, SettingValue};

/// Methods of the stream function.
pub const STREAM_METHODS: [&str; 1] = ["GET"];
/// Methods of the dashboard function.
pub const DASHBOARD_METHODS: [&str; 4] = ["DELETE", "GET", "POST", "PUT"];
/// Request headers that a page may send. Beside those that the functions read: what EventSource polyfills add (`cache-control`,
/// `pragma`, `x-requested-with`), and what tracers do (W3C Trace Context and Baggage, Sentry, AWS X-Ray). One header that is not
/// here fails the whole request in the browser. [`USER_HEADER`] must not be: it names a user.
pub const ALLOW_HEADERS: [&str; 12] = [
    "authorization",
    "baggage",
    "cache-control",
    "content-type",
    "if-none-match",
    "last-event-id",
    "pragma",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-amzn-trace-id",
    "x-requested-with",
];
const _: () = assert!(ALLOW_HEADERS.len() + limits::MORE_HEADERS_MAX <= limits::CORS_HEADERS_MAX);

/// Response headers that such a page may read. By `date` it knows how far its own clock is from ours.
pub const EXPOSE_HEADERS: [&str; 8] =
    ["authorization", "content-type", "date", "etag", "last-event-id", "link", "location", "retry-after"];
/// Time for which a browser may remember a preflight's answer, seconds.
pub const MAX_AGE_SECS: u32 = 3600;

// `*` is left out, which a Function URL would take for every header: a list of names is what somebody can check.
name!(
    /// Name of a request header that pages may send.
    HeaderName,
    "name of a header",
    "1 to 100 of a-z, A-Z, 0-9 and !#$%&'+-.^_`|~, not X-User-ID, which names a user",
    |t| (1..=limits::HEADER_NAME_BYTES_MAX).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b))
        && !t.eq_ignore_ascii_case(USER_HEADER)
);

/// Headers that pages may send beside [`ALLOW_HEADERS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoreHeaders(Vec<HeaderName>);

impl MoreHeaders {
    /// Takes as many as there may be.
    ///
    /// # Errors
    /// A sentence with the number and the rule.
    pub fn new(names: Vec<HeaderName>) -> Result<Self, String> {
        if names.len() > limits::MORE_HEADERS_MAX {
            return Err(format!("{} headers are too many; it must be {}", names.len(), Self::rule()));
        }
        Ok(Self(names))
    }

    /// The names, as somebody wrote them.
    #[must_use]
    pub fn as_slice(&self) -> &[HeaderName] {
        &self.0
    }

    /// Returns every header that a page may send: sorted, in lower case, each once.
    #[must_use]
    pub fn with_own(&self) -> Vec<String> {
        let more = self.0.iter().map(|name| name.as_str().to_ascii_lowercase());
        let all: std::collections::BTreeSet<String> =
            ALLOW_HEADERS.map(str::to_owned).into_iter().chain(more).collect();
        all.into_iter().collect()
    }
}

impl SettingValue for MoreHeaders {
    fn read(text: &str) -> Result<Self, String> {
        if text == ABSENT {
            return Ok(Self::default());
        }
        let names = text.split(',').map(HeaderName::new).collect::<Result<_, _>>();
        names.map_err(|error| error.to_string()).and_then(Self::new)
    }
    fn write(&self) -> String {
        match self.0.as_slice() {
            [] => ABSENT.to_owned(),
            names => names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(","),
        }
    }
    fn rule() -> String {
        let max = limits::MORE_HEADERS_MAX;
        format!("1 to {max} names separated by commas, each {}; or `-` where there are none", HeaderName::RULE)
    }
}

/// Origins whose pages the program answers by itself: every one, those of a list, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsOrigins(Vec<String>);

/// Every origin.
const ANY_ORIGIN: &str = "*";

impl CorsOrigins {
    /// Takes origins as a browser sends them in `Origin`, or `*` alone.
    ///
    /// # Errors
    /// A sentence with what is wrong and the rule.
    pub fn new(origins: &[String]) -> Result<Self, String> {
        let is_any = origins == [ANY_ORIGIN];
        if let Some(bad) = origins.iter().find(|text| !is_any && !is_origin(text)) {
            return Err(format!("`{}` is no origin; it must be {}", bad.escape_debug(), Self::rule()));
        }
        if origins.len() > limits::CORS_ORIGINS_MAX {
            return Err(format!("{} origins are too many; it must be {}", origins.len(), Self::rule()));
        }
        Ok(Self(origins.to_vec()))
    }

    /// Every origin.
    #[must_use]
    pub fn any() -> Self {
        Self(vec![ANY_ORIGIN.to_owned()])
    }

    /// Whether the program stays silent about other origins.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every origin is meant.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == [ANY_ORIGIN]
    }

    /// Whether this one is named.
    #[must_use]
    pub fn has(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|named| named.as_bytes() == origin)
    }
}

impl SettingValue for CorsOrigins {
    fn read(text: &str) -> Result<Self, String> {
        if text == ABSENT {
            return Ok(Self::default());
        }
        Self::new(&text.split(',').map(str::to_owned).collect::<Vec<_>>())
    }
    fn write(&self) -> String {
        if self.0.is_empty() { ABSENT.to_owned() } else { self.0.join(",") }
    }
    fn rule() -> String {
        let max = limits::CORS_ORIGINS_MAX;
        format!("`*`, or 1 to {max} origins as scheme://host[:port], separated by commas; or `-` where there are none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_may_say_who_its_user_is() {
        assert!(!ALLOW_HEADERS.contains(&crate::routes::USER_HEADER));
        assert!(ALLOW_HEADERS.contains(&crate::routes::LAST_EVENT_ID_HEADER));
        for list in [&ALLOW_HEADERS[..], &EXPOSE_HEADERS, &DASHBOARD_METHODS] {
            assert!(list.is_sorted() && list.iter().all(|name| *name != "*"), "{list:?}");
        }
    }

    #[test]
    fn origins_are_a_star_or_a_list_and_read_back() {
        for good in ["-", "*", "https://a.example", "https://a.example,http://localhost:8080"] {
            assert_eq!(CorsOrigins::read(good).unwrap().write(), good);
        }
        for bad in [
            "",
            "*,https://a.example",
            "a.example",
            "https://a.example,",
            "https://a b",
            "https://A.example",
            "https://a.example/",
        ] {
            assert!(CorsOrigins::read(bad).unwrap_err().contains("it must be `*`"), "{bad}");
        }
        let many = |count: usize| vec!["https://a".to_owned(); count];
        assert!(CorsOrigins::new(&many(limits::CORS_ORIGINS_MAX)).is_ok());
        assert!(
            CorsOrigins::new(&many(limits::CORS_ORIGINS_MAX + 1)).unwrap_err().starts_with("101 origins are too many")
        );
        let named = CorsOrigins::read("https://a.example").unwrap();
        assert!(named.has(b"https://a.example") && !named.has(b"https://a.example/") && !named.is_any());
    }

    #[test]
    fn a_header_is_a_token_that_names_no_user() {
        let longest = "x".repeat(limits::HEADER_NAME_BYTES_MAX);
        for good in ["X-Api-Key", "x", "a!#$%&'+-.^_`|~9", &longest] {
            assert!(HeaderName::new(good).is_ok(), "{good}");
        }
        let too_long = format!("{longest}x");
        for bad in ["", "*", "x y", "x:", "x,y", "X-User-ID", "x-user-id", "\u{e4}", "x\n", &too_long] {
            assert!(HeaderName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn more_headers_go_to_the_own_ones_once_and_as_many_as_a_function_url_takes() {
        let read = |text: &str| MoreHeaders::read(text);
        assert_eq!(read("-").unwrap().with_own(), ALLOW_HEADERS);
        let with_own = read("X-Tenant,Authorization,x-tenant").unwrap().with_own();
        assert!(with_own.is_sorted() && with_own.len() == ALLOW_HEADERS.len() + 1, "{with_own:?}");
        assert!(with_own.contains(&"x-tenant".to_owned()));
        assert_eq!(read("X-A,x-b").unwrap().write(), "X-A,x-b");
        let many = |count: usize| (0..count).map(|n| format!("x-{n}")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&many(limits::MORE_HEADERS_MAX)).unwrap().as_slice().len(), limits::MORE_HEADERS_MAX);
        let error = read(&many(limits::MORE_HEADERS_MAX + 1)).unwrap_err();
        assert!(error.starts_with("51 headers are too many; it must be 1 to 50 names"), "{error}");
        assert!(read("x-a,*").unwrap_err().contains("`*`") && read("").is_err());
    }
}
