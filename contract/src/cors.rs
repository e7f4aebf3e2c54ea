//! What pages of other origins may do. The generator writes it into the Function URLs, the local servers answer by it.

/// Methods of the stream function.
pub const STREAM_METHODS: [&str; 1] = ["GET"];
/// Methods of the dashboard function.
pub const DASHBOARD_METHODS: [&str; 4] = ["DELETE", "GET", "POST", "PUT"];
/// Request headers that a page may send. Beside those that the functions read: what EventSource polyfills add (`cache-control`,
/// `pragma`, `x-requested-with`), and what tracers do (W3C Trace Context and Baggage, Sentry, AWS X-Ray). One header that is not
/// here fails the whole request in the browser. [`USER_HEADER`](crate::routes::USER_HEADER) must not be: it names a user.
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
/// Response headers that such a page may read.
pub const EXPOSE_HEADERS: [&str; 6] =
    ["authorization", "content-type", "etag", "last-event-id", "location", "retry-after"];
/// Time for which a browser may remember a preflight's answer, seconds.
pub const MAX_AGE_SECS: u32 = 3600;

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
}
