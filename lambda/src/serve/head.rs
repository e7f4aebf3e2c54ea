//! Heads of HTTP/1: of a request that asks for a stream in the ordinary way, and of its answer.
//!
//! Only what has one meaning for everybody is read here. A body, other requests behind this one, an upgrade, a coding, an odd byte, another
//! route: hyper gets all of it, untouched, and decides.

use contract::routes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, header};
use httparse::Status;

/// Longest head that is read here, bytes: a token of the longest kind, and room for what a browser says of itself. Longer ones are hyper's.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most headers of such a head.
const HEADERS_MAX: usize = 64;
/// Headers that make a request more than its head, or are about the connection.
const LEFT_ALONE: [HeaderName; 5] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT, header::TRAILER];

/// What came first on a connection.
#[derive(Debug)]
pub enum Head {
    /// Its end has not come yet.
    Partial,
    /// It asks for a stream, and nothing came after it.
    Stream(Box<Request<()>>),
    /// Anything else.
    Other,
}

/// Reads what has come so far.
#[must_use]
pub fn read(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Partial) if bytes.len() < HEAD_BYTES_MAX && may_be_ours(&request) => Head::Partial,
        Ok(Status::Complete(length)) if length == bytes.len() && length <= HEAD_BYTES_MAX && may_be_ours(&request) => {
            plain(&request).map_or(Head::Other, Head::Stream)
        }
        _ => Head::Other,
    }
}

/// Whether as much of it as is known is of a request for a stream.
fn may_be_ours(request: &httparse::Request<'_, '_>) -> bool {
    request.method.is_none_or(|method| method == Method::GET.as_str()) && request.path.is_none_or(is_stream)
}

/// The request, if each of its headers is one that everybody understands alike.
fn plain(request: &httparse::Request<'_, '_>) -> Option<Box<Request<()>>> {
    let mut made = Box::new(Request::new(()));
    *made.version_mut() = match request.version? {
        0 => Version::HTTP_10,
        1 => Version::HTTP_11,
        _ => return None,
    };
    *made.uri_mut() = request.path?.parse::<Uri>().ok()?;
    let headers = made.headers_mut();
    for header in &*request.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        if LEFT_ALONE.contains(&name) {
            return None;
        }
        headers.append(name, HeaderValue::from_bytes(header.value).ok()?);
    }
    let is_known = |value: &HeaderValue| {
        ["keep-alive", "close"].iter().any(|known| value.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
    };
    let hosts = headers.get_all(header::HOST).iter().count();
    let is_plain = headers.get_all(header::CONNECTION).iter().all(is_known)
        && (hosts == 1 || hosts == 0 && made.version() == Version::HTTP_10);
    is_plain.then_some(made)
}

/// Whether a target, which must begin with its path, is a stream's: slashes too many count for nothing, as with all routes. A fragment,
/// which no target has, would be taken off it later.
fn is_stream(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let segments = |text: &'static str| text.split('/').filter(|segment| !segment.is_empty());
    let is = |route: &'static str| {
        let mut found = path.split('/').filter(|segment| !segment.is_empty());
        let are_same =
            segments(route).all(|wanted| found.next().is_some_and(|one| one == wanted || wanted.starts_with('{')));
        are_same && found.next().is_none()
    };
    path.starts_with('/') && !target.contains('#') && (is(routes::STREAM) || is(routes::CONFIGURATION_STREAM))
}

/// How the end of an answer's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// It has so many bytes.
    Length(u64),
    /// In chunks, of which an empty one is the last.
    Chunks,
    /// By the end of the connection.
    Close,
}

impl Framing {
    /// That of a body whose length is known or not, for a client of that version.
    #[must_use]
    pub fn of(version: Version, length: Option<u64>) -> Self {
        match length {
            Some(length) => Self::Length(length),
            None if version == Version::HTTP_11 => Self::Chunks,
            None => Self::Close,
        }
    }
}

/// What a client is and wants, as far as an answer depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// Its version of HTTP.
    pub version: Version,
    /// Whether the connection may have another request after this one.
    pub is_kept: bool,
}

impl Asker {
    /// That of a request that was read here.
    #[must_use]
    pub fn of(request: &Request<()>) -> Self {
        let mut said = request.headers().get_all(header::CONNECTION).iter();
        let closes = said.any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let version = request.version();
        Self { version, is_kept: version == Version::HTTP_11 && !closes }
    }
}

/// Writes the head of an answer. `date` is the value of the header of that name.
///
/// What the answer is comes first: a browser whose connection is cut in the middle of a head comes back by itself only where it has read as
/// far as that it is a stream.
#[must_use]
pub fn answer(asker: Asker, status: StatusCode, headers: &HeaderMap, framing: Framing, date: &str) -> Vec<u8> {
    let version = asker.version;
    let mut bytes =
        format!("{version:?} {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default()).into_bytes();
    let ours = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::DATE];
    for (name, value) in headers.iter().filter(|(name, _)| !ours.contains(name)) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    let framing = match framing {
        Framing::Length(length) => format!("content-length: {length}\r\n"),
        Framing::Chunks => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::Close => String::new(),
    };
    let connection = if asker.is_kept || version == Version::HTTP_10 { "" } else { "connection: close\r\n" };
    bytes.extend_from_slice(format!("{framing}{connection}date: {date}\r\n\r\n").as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: &str = "GET /api/v2/stream HTTP/1.1\r\nHost: a\r\n\r\n";

    fn said(bytes: &[u8]) -> String {
        match read(bytes) {
            Head::Partial => "partial".into(),
            Head::Other => "other".into(),
            Head::Stream(request) => format!("{:?} {} {}", request.version(), request.uri(), request.headers().len()),
        }
    }

    fn check(head: &str, expected: &str) {
        assert_eq!(said(head.as_bytes()), expected, "{head:?}");
    }

    #[test]
    fn an_ordinary_request_for_a_stream_is_read() {
        check(PLAIN, "HTTP/1.1 /api/v2/stream 1");
        check(
            "GET //api/v2/stream/?tickers=A//B HTTP/1.1\r\nhost:a\r\n\r\n",
            "HTTP/1.1 //api/v2/stream/?tickers=A//B 1",
        );
        check(
            "GET /api/v2/configurations/a%2Fb/stream HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\nCookie: a\r\nCookie: b\r\n\r\n",
            "HTTP/1.1 /api/v2/configurations/a%2Fb/stream 4",
        );
        check("GET /api/v2/stream HTTP/1.0\r\n\r\n", "HTTP/1.0 /api/v2/stream 0");
        check("GET /api/v2/stream HTTP/1.0\r\nConnection: close\r\nHost: a\r\n\r\n", "HTTP/1.0 /api/v2/stream 2");
    }

    #[test]
    fn what_could_mean_something_else_is_left_alone() {
        for target in [
            "/",
            "/api/v2/streams",
            "/api/v2/stream/status",
            "/api/v2/configurations/a/b/stream",
            "/api/v2/stream%2f",
            "*",
            "/api/v2/configurations//stream",
            "http://a/api/v2/stream",
            "a:80",
            "api/v2/stream",
            "/api/v2/../stream",
            "/api/v2/configurations/#a/stream",
            "/api/v2/stream#/stream",
            "/api/v2/stream?tickers=A#B",
        ] {
            check(&PLAIN.replace("/api/v2/stream", target), "other");
        }
        for (from, to) in [
            ("GET", "HEAD"),
            ("GET", "POST"),
            ("GET", "get"),
            ("HTTP/1.1", "HTTP/2.0"),
            ("HTTP/1.1", "HTTP/1.2"),
            ("Host: a\r\n", ""),
            ("Host: a\r\n", "Host: a\r\nHost: a\r\n"),
            ("Host: a", "Host: a\r\n b"),
            ("Host: a", "Host : a"),
            ("Host: a", "Host: a\r\nContent-Length: 0"),
            ("Host: a", "Host: a\r\nTransfer-Encoding: chunked"),
            ("Host: a", "Host: a\r\nTransfer-Encoding : chunked"),
            ("Host: a", "Host: a\r\nExpect: 100-continue"),
            ("Host: a", "Host: a\r\nUpgrade: h2c"),
            ("Host: a", "Host: a\r\nConnection: upgrade"),
            ("Host: a", "Host: a\r\nConnection: keep-alive, x"),
            ("Host: a", "Host: a\r\nA: \0"),
            ("\r\n\r\n", "\r\n\r\nGET "),
            ("\r\n\r\n", "\r\n\r\n\r\n"),
        ] {
            check(&PLAIN.replacen(from, to, 1), "other");
        }
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "other");
        let many = "A: b\r\n".repeat(HEADERS_MAX);
        check(&PLAIN.replace("Host", &format!("{many}Host")), "other");
    }

    #[test]
    fn a_head_may_come_in_parts_until_it_is_too_long() {
        for end in 0..PLAIN.len() {
            check(&PLAIN[..end], "partial");
        }
        // As soon as it is known to be another one's.
        check("GET /api/v2/items HTTP/1.1\r\nHo", "other");
        check("POST /a", "other");
        let long = |bytes: usize| format!("GET /api/v2/stream HTTP/1.1\r\nA: {}", "a".repeat(bytes));
        check(&long(HEAD_BYTES_MAX - 100), "partial");
        check(&long(HEAD_BYTES_MAX), "other");
        check(&(long(HEAD_BYTES_MAX) + "\r\nHost: a\r\n\r\n"), "other");
    }

    #[test]
    fn an_answer_says_how_it_ends() {
        let mut headers = HeaderMap::new();
        headers.append(header::VARY, HeaderValue::from_static("a"));
        headers.append(header::VARY, HeaderValue::from_static("b"));
        headers.append(header::CONTENT_LENGTH, HeaderValue::from_static("7"));
        let check = |request: &str, length, expected: &str| {
            let Head::Stream(request) = read(request.as_bytes()) else { panic!("{request:?}") };
            let asker = Asker::of(&request);
            let head = answer(asker, StatusCode::OK, &headers, Framing::of(asker.version, length), "now");
            let [first, last] = expected.split_once('|').map(|(first, last)| [first, last]).unwrap();
            let expected = format!("{first} 200 OK|vary: a|vary: b|{last}date: now||").replace('|', "\r\n");
            assert_eq!(String::from_utf8(head).unwrap(), expected);
        };
        check(PLAIN, None, "HTTP/1.1|transfer-encoding: chunked|");
        check(PLAIN, Some(2), "HTTP/1.1|content-length: 2|");
        check(
            &PLAIN.replace("Host", "Connection: Close\r\nHost"),
            Some(2),
            "HTTP/1.1|content-length: 2|connection: close|",
        );
        check(&PLAIN.replace("1.1", "1.0"), None, "HTTP/1.0|");
    }

    proptest! {
        #[test]
        fn what_is_read_has_no_body_and_nothing_behind_it(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..PLAIN.len()) {
            let mut head = PLAIN.as_bytes().to_vec();
            head.splice(at..at, bytes);
            if let Head::Stream(request) = read(&head) {
                prop_assert!(head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n"));
                prop_assert!(!request.headers().contains_key(header::TRANSFER_ENCODING));
            }
        }
    }
}
