//! The headers by which a browser makes nothing of an answer but the data that it is.

use super::client::Response;

/// Of every answer of both functions but event streams.
pub(crate) const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("strict-transport-security", "max-age=31536000"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
];

/// Asserts that an answer has each of them once. `what` it answers is said where it has not.
pub(crate) fn assert_harmless(response: &Response, what: &str) {
    for (name, value) in HEADERS {
        assert_eq!(response.head.all(name), [value], "{what}: {name}");
    }
}

/// Asserts the same of an answer of `/health`, but that pages of other origins may load it.
pub(crate) fn assert_harmless_health(response: &Response) {
    for (name, value) in HEADERS {
        let value = if name == "cross-origin-resource-policy" { "cross-origin" } else { value };
        assert_eq!(response.head.all(name), [value], "health: {name}");
    }
}

/// Asserts that an event stream, or a refusal that an EventSource survives, has none: its head is as short as it can be.
pub(crate) fn assert_bare(response: &Response) {
    for (name, _) in HEADERS {
        assert_eq!(response.head.all(name), [""; 0], "{name}");
    }
}
