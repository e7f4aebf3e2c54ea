//! The list of all cases, in the order in which they run: what ends the server comes last.

use super::Severity::{Error, Warning};
use super::{Case, Check, churn, endings, events, headers, limits, readers, requests, resume};

const HTML: &str = "HTML standard 9.2";
const HTML_STREAM: &str = "HTML standard 9.2.5 and 9.2.6";
const HTML_ID: &str = "HTML standard 9.2.4, Last-Event-ID";

/// All cases.
pub const CASES: &[Case] = &[
    Case {
        needs_stream: false,
        ..head(
            "status",
            "the answer is 200",
            "HTML standard 9.2.2: any other status fails the connection for good",
            headers::status,
        )
    },
    Case {
        needs_stream: false,
        ..head(
            "content-type",
            "Content-Type is text/event-stream, with no parameter or charset=utf-8",
            HTML,
            headers::content_type,
        )
    },
    warning(head(
        "cache-control",
        "Cache-Control has no-store or no-cache",
        "RFC 9111 5.2.2; HTML standard 9.2.7",
        headers::cache_control,
    )),
    head(
        "no-length",
        "there is no Content-Length: a stream that has one ends there",
        "RFC 9112 6.2",
        headers::no_length,
    ),
    head(
        "single-headers",
        "no header comes twice",
        "RFC 9110 5.3; gateways make arrays or drop one",
        headers::single_headers,
    ),
    warning(head(
        "hop-by-hop",
        "no Connection, Keep-Alive, Upgrade or Proxy-Connection: a program behind an HTTP/2 front must not set them",
        "RFC 9113 8.2.2",
        headers::hop_by_hop,
    )),
    sample(
        "framing",
        "the body is framed as RFC 9112 says, and nothing else stands between the chunks",
        "RFC 9112 6 and 7.1",
        headers::framing,
    ),
    warning(sample(
        "first-byte",
        "the first byte of the body comes at once",
        "Firefox fires `open` on the first byte of the body only",
        events::first_byte,
    )),
    sample("utf-8", "the stream is UTF-8 without a byte order mark", HTML_STREAM, events::utf_8),
    sample("line-ends", "lines end in one way: a lone CR in data is an injected line", HTML_STREAM, events::line_ends),
    sample("fields", "fields are data, event, id and retry", HTML_STREAM, events::fields),
    sample("retry-digits", "the value of retry is ASCII digits", HTML_STREAM, events::retry_digits),
    warning(sample(
        "retry",
        "a reconnect delay is announced",
        "browsers' own: Chromium 3 s, Firefox 5 s, no jitter",
        events::retry,
    )),
    sample("ids", "every event that must not be lost has an id", HTML_ID, events::ids),
    sample(
        "id-bytes",
        "ids are visible ASCII, at most 1024 bytes: they come back in a header",
        HTML_ID,
        events::id_bytes,
    ),
    sample(
        "blocks",
        "a block with an id or a type has data: others never fire, and Firefox drops their ids",
        HTML_STREAM,
        events::blocks,
    ),
    warning(sample(
        "heartbeat",
        "signs of life are events: pages do not see comments, and cannot tell a dead stream from a quiet one",
        "HTML standard 9.2.7 recommends comments for proxies; pages need more",
        events::heartbeat,
    )),
    warning(active(
        "compression",
        "the stream is not compressed, whatever the client accepts: compressors hold events back",
        "RFC 9110 8.4; CDNs buffer encoded bodies",
        |c| Box::pin(requests::compression(c)),
    )),
    active("head", "HEAD is answered at once and without a body, or with 405", "RFC 9110 9.3.2", |c| {
        Box::pin(requests::head(c))
    }),
    active("options", "OPTIONS is answered at once, and not with 5xx", "RFC 9110 9.3.7", |c| {
        Box::pin(requests::options(c))
    }),
    active(
        "other-methods",
        "POST, PUT, DELETE and unknown methods are answered, not with 5xx but 501; 405 names Allow",
        "RFC 9110 15.5.6",
        |c| Box::pin(requests::other_methods(c)),
    ),
    active("keep-alive", "after an error the connection serves another request, or is closed", "RFC 9112 9.3", |c| {
        Box::pin(requests::keep_alive(c))
    }),
    active(
        "pipelining",
        "two requests in one write get two answers in order, or one and a close",
        "RFC 9112 9.3.2",
        |c| Box::pin(requests::pipelining(c)),
    ),
    active("http-1.0", "a client of HTTP/1.0 gets the stream without chunks", "RFC 9112 6.1", |c| {
        Box::pin(requests::http_1_0(c))
    }),
    warning(active("absolute-form", "a target in absolute form is understood", "RFC 9112 3.2.2", |c| {
        Box::pin(requests::absolute_form(c))
    })),
    active(
        "chunked-request",
        "a request with a chunked body and an unknown chunk extension is answered, not with 5xx",
        "RFC 9112 7.1.1",
        |c| Box::pin(requests::chunked_request(c)),
    ),
    active(
        "byte-by-byte",
        "a request that comes byte by byte is understood, and a reader that reads so gets a valid stream",
        "RFC 9112 2.2",
        |c| Box::pin(readers::byte_by_byte(c)),
    ),
    active("hostile-ids", "no Last-Event-ID causes an error status or silence", HTML_ID, |c| {
        Box::pin(resume::hostile_ids(c))
    }),
    warning(active(
        "unknown-id",
        "a client whose position is unknown is told so, or gets what it missed",
        "otherwise events are lost and nobody knows",
        |c| Box::pin(resume::unknown_id(c)),
    )),
    active(
        "resume",
        "a client that is cut anywhere and comes back with its last id gets every update once, in order",
        HTML_ID,
        |c| Box::pin(resume::resume(c)),
    ),
    active(
        "refusal",
        "a client that is refused for lack of room survives: 200, retry, end",
        "HTML standard 9.2.2: any other status is final, 503 with Retry-After too",
        |c| Box::pin(limits::refusal(c)),
    ),
    active(
        "slots",
        "closed streams make room again, and a refused client's connection is sound",
        "RFC 9112 9.3",
        |c| Box::pin(limits::slots(c)),
    ),
    Case {
        listens: true,
        ..active(
            "slow-reader",
            "a reader that stalls gets a valid stream or an end, holds up nobody, and costs bounded memory",
            "RFC 9293 3.8.6: the window closes",
            |c| Box::pin(readers::slow_reader(c)),
        )
    },
    active("churn", "clients that come, read one event and go leave nothing behind", "what a page reload does", |c| {
        Box::pin(churn::churn(c))
    }),
    active(
        "ending",
        "a planned end comes after a blank line and ends the body as its framing says",
        "HTML standard 9.2.6: an unfinished block is dropped",
        |c| Box::pin(endings::ending(c)),
    ),
    warning(active("ending-retry", "before a planned end the stream announces when to come back", HTML, |c| {
        Box::pin(endings::ending_retry(c))
    })),
    active(
        "shutdown",
        "a server that is told to stop ends its streams as planned",
        "RFC 9112 8: a cut body is an incomplete message",
        |c| Box::pin(endings::shutdown(c)),
    ),
];

const fn case(name: &'static str, rule: &'static str, source: &'static str, check: Check) -> Case {
    Case { name, rule, source, severity: Error, needs_stream: true, listens: false, check }
}

/// A case that looks at the head of the first answer.
const fn head(
    name: &'static str,
    rule: &'static str,
    source: &'static str,
    check: fn(&super::Context) -> super::Verdict,
) -> Case {
    case(name, rule, source, Check::Sample(check))
}

/// A case that looks at what the first stream said.
const fn sample(
    name: &'static str,
    rule: &'static str,
    source: &'static str,
    check: fn(&super::Context) -> super::Verdict,
) -> Case {
    Case { listens: true, ..case(name, rule, source, Check::Sample(check)) }
}

const fn active(
    name: &'static str,
    rule: &'static str,
    source: &'static str,
    check: for<'a> fn(&'a super::Context) -> super::Boxed<'a>,
) -> Case {
    case(name, rule, source, Check::Active(check))
}

const fn warning(case: Case) -> Case {
    Case { severity: Warning, ..case }
}
