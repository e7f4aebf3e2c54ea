//! Where a request may carry a token. Each token found is tried in turn: what a proxy, another program of the same site or an
//! earlier visit left in one place hides no good token in another.

use contract::{CookieName, limits, routes};
use http::{HeaderMap, header};

/// A token of a request, good or bad.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Presented {
    /// Where it was: `header`, `cookie` or `query`.
    pub(super) source: &'static str,
    /// The token.
    pub(super) token: String,
}

/// Returns the tokens of a request in the order in which they count: `Authorization: Bearer`, the cookie of this name, the query
/// parameter `token`. What cannot be a token is left out.
pub(super) fn tokens(headers: &HeaderMap, cookie_name: &CookieName, query: Option<&str>) -> Vec<Presented> {
    let of = |source, found: Vec<String>| {
        let tokens = found.into_iter().filter(|token| may_be_token(token)).take(limits::TOKENS_PER_SOURCE_MAX);
        tokens.map(move |token| Presented { source, token })
    };
    let header = of("header", bearer(headers));
    header.chain(of("cookie", cookie(headers, cookie_name))).chain(of("query", parameter(query))).collect()
}

fn may_be_token(text: &str) -> bool {
    (1..=limits::TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Other schemes are not meant for us: CloudFront signs what it sends in the same header. Lambda joins headers of one name by
/// commas, which no token has.
fn bearer(headers: &HeaderMap) -> Vec<String> {
    let token = |value: &[u8]| {
        let (scheme, rest) = value.trim_ascii_start().split_at_checked(6)?;
        let is_scheme = scheme.eq_ignore_ascii_case(b"bearer") && rest.first() == Some(&b' ');
        is_scheme.then(|| String::from_utf8_lossy(rest.trim_ascii()).into_owned())
    };
    let values = headers.get_all(header::AUTHORIZATION).iter();
    values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).filter_map(token).collect()
}

fn cookie(headers: &HeaderMap, name: &CookieName) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let token = |pair: &[u8]| {
        let rest = pair.trim_ascii_start().strip_prefix(name.as_str().as_bytes())?.strip_prefix(b"=")?;
        let value = rest.trim_ascii();
        // A value may stand in quotes, which are no part of it (RFC 6265, 4.1.1).
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        Some(String::from_utf8_lossy(value).into_owned())
    };
    values.filter_map(token).collect()
}

fn parameter(query: Option<&str>) -> Vec<String> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.filter(|(name, _)| name == routes::TOKEN_QUERY).map(|(_, value)| value.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn named(text: &str) -> CookieName {
        CookieName::new(text).unwrap()
    }

    /// The tokens found, each as the first letter of its source and itself.
    fn check(headers: &[(&'static str, &'static str)], query: &str, expected: &[&str]) {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let headers = HeaderMap::from_iter(headers);
        let found = tokens(&headers, &named("session"), Some(query));
        let found: Vec<String> = found.iter().map(|one| format!("{} {}", &one.source[..1], one.token)).collect();
        assert_eq!(found, expected, "{headers:?} {query}");
    }

    #[test]
    fn the_header_comes_before_the_cookie_and_the_cookie_before_the_query() {
        let (bearer, cookie) = (("authorization", "Bearer a"), ("cookie", "x=1; session=b; y=2"));
        check(&[bearer, cookie], "token=c", &["h a", "c b", "q c"]);
        check(&[cookie], "token=c", &["c b", "q c"]);
        check(&[], "tickers=X&token=c%2Dd", &["q c-d"]);
        check(&[("authorization", "bearer  a ")], "", &["h a"]);
        check(
            &[("authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=bearer, Signature=0"), cookie],
            "",
            &["c b"],
        );
        check(&[("authorization", "Basic YTpi")], "token=c", &["q c"]);
        check(&[("authorization", "Bearers a")], "token=c", &["q c"]);
        check(&[("cookie", "xsession=1; session2=2; Session=3")], "token=c", &["q c"]);
        check(&[("cookie", "a=1"), ("cookie", "session=b=")], "", &["c b="]);
        check(&[], "", &[]);
        assert_eq!(tokens(&HeaderMap::new(), &named("session"), None), []);
        let other = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static("session=a; __Host-id=b"))]);
        let found = tokens(&other, &named("__Host-id"), None);
        assert_eq!(found, [Presented { source: "cookie", token: "b".into() }]);
    }

    #[test]
    fn a_source_may_hold_several_and_each_is_tried() {
        check(&[("authorization", "Bearer a"), ("authorization", "Bearer b")], "", &["h a", "h b"]);
        check(&[("authorization", "Basic YTpi,Bearer a, bearer b")], "", &["h a", "h b"]);
        check(&[("cookie", "session=a; session=\"b\"; session=a")], "", &["c a", "c b", "c a"]);
        check(&[("cookie", "session=a"), ("cookie", "session=b")], "token=c", &["c a", "c b", "q c"]);
        check(&[], "token=a&token=&token=+b%20", &["q a", "q b"]);
        let many = "session=x;".repeat(limits::TOKENS_PER_SOURCE_MAX + 1);
        let headers = HeaderMap::from_iter([(header::COOKIE, many.parse().unwrap())]);
        let found = tokens(&headers, &named("session"), Some("token=good"));
        assert_eq!(found.len(), limits::TOKENS_PER_SOURCE_MAX + 1, "so many, and the query's all the same");
        assert_eq!(found.last().unwrap().token, "good");
    }

    #[test]
    fn what_cannot_be_a_token_hides_none() {
        check(&[("authorization", "Bearer"), ("cookie", "session=")], "token=c", &["q c"]);
        check(&[("authorization", "Bearer  ")], "token=c", &["q c"]);
        check(&[("authorization", "Bearer a b")], "token=c", &["q c"]);
        check(&[("cookie", "session=a b; session; session=\"; =x")], "token=c", &["c \"", "q c"]);
        check(&[], "token=&token", &[]);
        check(&[], "token=%00", &[]);
        check(&[], "token=%FF", &[]);
        let long = "a".repeat(limits::TOKEN_BYTES_MAX);
        check(&[], &format!("token={long}"), &[format!("q {long}").as_str()]);
        check(&[], &format!("token={long}a"), &[]);
    }
}
