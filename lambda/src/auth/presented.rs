//! Where a request may carry a token. The first source that has one decides: one bad token is not made good by another.

use contract::{limits, routes};
use http::{HeaderMap, header};

/// Returns the token of a request, from `Authorization: Bearer`, else the cookie `session`, else the query parameter
/// `token`. A source that has two has none, and neither have those after it.
pub(super) fn token(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let sources = [bearer(headers), cookie(headers), parameter(query)];
    let presented = sources.into_iter().find(|tokens| !tokens.is_empty())?;
    let [token] = <[String; 1]>::try_from(presented).ok()?;
    let is_text = token.bytes().all(|byte| byte.is_ascii_graphic());
    ((1..=limits::TOKEN_BYTES_MAX).contains(&token.len()) && is_text).then_some(token)
}

/// Other schemes are not meant for us: CloudFront signs what it sends in the same header.
fn bearer(headers: &HeaderMap) -> Vec<String> {
    let token = |value: &http::HeaderValue| {
        let (scheme, rest) = value.as_bytes().split_at_checked(6)?;
        let is_scheme = scheme.eq_ignore_ascii_case(b"bearer") && rest.first().is_none_or(|byte| *byte == b' ');
        is_scheme.then(|| String::from_utf8_lossy(rest.trim_ascii()).into_owned())
    };
    headers.get_all(header::AUTHORIZATION).iter().filter_map(token).collect()
}

fn cookie(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let token = |pair: &[u8]| {
        let rest = pair.trim_ascii_start().strip_prefix(routes::SESSION_COOKIE.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(rest.trim_ascii()).into_owned())
    };
    values.filter_map(token).collect()
}

fn parameter(query: Option<&str>) -> Vec<String> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.filter(|(name, _)| name == routes::TOKEN_QUERY).map(|(_, value)| value.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)], query: &str) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        token(&HeaderMap::from_iter(headers), Some(query))
    }

    #[test]
    fn the_header_comes_before_the_cookie_and_the_cookie_before_the_query() {
        let (bearer, cookie) = (("authorization", "Bearer a"), ("cookie", "x=1; session=b; y=2"));
        let check = |headers: &[(&'static str, &'static str)], query: &str, expected: &str| {
            assert_eq!(of(headers, query).as_deref(), Some(expected), "{headers:?} {query}");
        };
        check(&[bearer, cookie], "token=c", "a");
        check(&[cookie], "token=c", "b");
        check(&[], "tickers=X&token=c%2Dd", "c-d");
        check(&[("authorization", "bearer  a ")], "", "a");
        check(&[("authorization", "AWS4-HMAC-SHA256 Credential=x"), cookie], "", "b");
        check(&[("authorization", "Basic YTpi")], "token=c", "c");
        check(&[("authorization", "Bearers a")], "token=c", "c");
        check(&[("cookie", "xsession=1; session2=2")], "token=c", "c");
        check(&[("cookie", "a=1"), ("cookie", "session=b=")], "", "b=");
        assert_eq!(of(&[], ""), None);
        assert_eq!(token(&HeaderMap::new(), None), None);
    }

    #[test]
    fn a_bad_token_is_not_made_good_by_another() {
        let check = |headers: &[(&'static str, &'static str)], query: &str| {
            assert_eq!(of(headers, query), None, "{headers:?} {query}");
        };
        check(&[("authorization", "Bearer"), ("cookie", "session=b")], "token=c");
        check(&[("authorization", "Bearer  ")], "token=c");
        check(&[("authorization", "Bearer a b")], "token=c");
        check(&[("authorization", "Bearer a"), ("authorization", "Bearer a")], "token=c");
        check(&[("cookie", "session=")], "token=c");
        check(&[("cookie", "session=a; session=a")], "token=c");
        check(&[("cookie", "session=a"), ("cookie", "session=b")], "token=c");
        check(&[], "token=");
        check(&[], "token=a&token=a");
        check(&[], "token=%00");
        check(&[], "token=%FF");
        assert_eq!(of(&[], &format!("token={}", "a".repeat(8192))).map(|token| token.len()), Some(8192));
        check(&[], &format!("token={}", "a".repeat(8193)));
    }
}
