//! What an origin is, as browsers write it in `Origin`: one rule for who may read answers and who may show the page.

use crate::limits;

/// Returns host and port of an origin with the scheme `http` or `https`; none where the text is no origin of a site.
#[must_use]
pub fn host(text: &str) -> Option<&str> {
    let (scheme, host) = parts(text)?;
    matches!(scheme, "http" | "https").then_some(host)
}

/// Whether the text is an origin of any scheme: apps and extensions have their own, such as `capacitor://localhost`.
#[must_use]
pub fn is_origin(text: &str) -> bool {
    parts(text).is_some()
}

/// Scheme (RFC 3986, section 3.1, in lower case) and authority.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (scheme, host) = text.split_once("://")?;
    let begins = scheme.starts_with(|first: char| first.is_ascii_lowercase());
    let is_scheme =
        begins && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
    (is_scheme && text.len() <= limits::URL_BYTES_MAX && is_authority(host)).then_some((scheme, host))
}

/// Whether the text is a host with or without a port, as browsers write it: lower case, no user, and an IPv6 address in brackets.
#[must_use]
pub fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_is_good = port.is_none_or(|port| {
        port.parse::<u16>().is_ok_and(|number| number > 0) && port.bytes().all(|b| b.is_ascii_digit())
    });
    let label = |label: &str| {
        (1..=limits::HOST_LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_is_good = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.len() <= limits::HOST_BYTES_MAX && host.split('.').all(label),
    };
    port_is_good && host_is_good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port_as_browsers_write_it() {
        for (good, expected) in [
            ("https://a.example", "a.example"),
            ("http://localhost:8080", "localhost:8080"),
            ("https://127.0.0.1", "127.0.0.1"),
            ("https://[::1]:8443", "[::1]:8443"),
            ("https://[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(host(good), Some(expected), "{good}");
        }
        let longest = format!("https://{}", ["a"; 127].join("."));
        assert!(host(&longest).is_some() && is_origin(&longest));
        assert!(host(&format!("https://{}.example", "a".repeat(63))).is_some());
        for bad in [
            "",
            "*",
            "a.example",
            "https://",
            "https://a.example/",
            "https://A.example",
            "https://a..example",
            "https://-a.example",
            "https://*.example",
            &format!("https://{}.example", "a".repeat(64)),
            "https://user@a.example",
            "https://a.example:0",
            "https://a.example:65536",
            "https://a.example:+1",
            "https://a.example:",
            "https://[::1",
            "https://::1",
            "https://[:::]",
            "https://a.example; script-src *",
            "://a.example",
            "1a://a.example",
            "Capacitor://localhost",
            "capacitor:localhost",
            "data:,a",
            "null",
            &format!("{longest}.a"),
        ] {
            assert_eq!(host(bad), None, "{bad}");
            assert!(!is_origin(bad), "{bad}");
        }
        for of_an_app in ["capacitor://localhost", "chrome-extension://abcdefghijklmnop", "app+v2.x://a.example:1"] {
            assert_eq!(host(of_an_app), None, "{of_an_app} is no site");
            assert!(is_origin(of_an_app), "{of_an_app}");
        }
    }
}
