//! The requests, as bytes. `HOST` stands for the address that is asked, `SECRET` for what no log may hold.

use contract::routes;

/// A request that no friendly client sends.
pub(super) struct Hostile {
    /// What it is, for messages.
    pub name: String,
    /// What goes over the wire.
    pub bytes: Vec<u8>,
    /// Whether it is an HTTP/1.1 request at all. Where it is none, the server library may refuse it in its own words, or hang up.
    pub http: bool,
}

/// A token, for whose traces the log is searched.
pub(super) const SECRET: &str = "s3cr3t-7f3a91c0ffee";

/// All requests to a function that serves these paths; the first one is what most are sent to.
pub(super) fn requests(paths: &[&str], host: &str) -> Vec<Hostile> {
    let mut all = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>, http: bool| all.push(Hostile { name, bytes, http });
    let main = paths[0];
    for method in METHODS {
        add(format!("method {method}"), request(method, main, host, &[], b""), true);
    }
    for path in PATHS {
        add(format!("path {path}"), request("GET", path, host, &[], b""), path.starts_with(['/', '*']));
    }
    for path in paths {
        for end in PATH_ENDS {
            add(
                format!("path {path}{end}"),
                request("GET", &format!("{path}{end}"), host, &[], b""),
                !end.contains('<'),
            );
        }
    }
    for id in CONFIG_IDS {
        let path = routes::CONFIGURATION_STREAM.replace("{config_id}", id);
        add(format!("config_id {id}"), request("GET", &path, host, &[("X-User-ID", b"u")], b""), true);
    }
    for query in queries() {
        let shown = query.chars().take(60).collect::<String>();
        add(format!("query {shown}"), request("GET", &format!("{main}?{query}"), host, &[], b""), true);
    }
    for (name, value) in headers() {
        let shown = value[..value.len().min(60)].escape_ascii();
        add(format!("header {name}: {shown}"), request("GET", main, host, &[(name, &value)], b""), true);
    }
    for (name, value) in ILLEGAL_HEADERS {
        let shown = value.escape_ascii();
        add(format!("header {name:?}: {shown}"), request("GET", main, host, &[(name, value)], b""), false);
    }
    for (name, method, headers, body) in bodies() {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        add(format!("body {name}"), request(method, main, host, &headers, &body), false);
    }
    for (name, text) in raw() {
        add(format!("raw {name}"), text.replace("PATH", main).replace("HOST", host).into_bytes(), false);
    }
    add("raw bytes".into(), (0..=255).cycle().take(4096).collect(), false);
    add("a TLS hello".into(), [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 500]].concat(), false);
    add("path of raw UTF-8".into(), request("GET", "/api/v2/ströam/漢字", host, &[], b""), false);
    add(
        "query of raw bytes".into(),
        [b"GET ", main.as_bytes(), b"?a=\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n"].concat(),
        false,
    );
    all
}

pub(super) fn request(method: &str, target: &str, host: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

const METHODS: &[&str] = &[
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "OPTIONS",
    "HEAD",
    "PROPFIND",
    "PURGE",
    "BREW",
    "LINK",
    "M-SEARCH",
    "get",
    "Get",
    "GETGET",
    "G",
    "QUERY",
    "SUBSCRIBE",
    "X_Y",
    "!#$%&'*+-.^_`|~",
];

const PATHS: &[&str] = &[
    "/",
    "/.",
    "/..",
    "/...",
    "//",
    "///",
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%2e%2e%5c%2e%2e%5cwindows",
    "/.%2e/.%2e/.env",
    "/%252e%252e/%252e%252e/etc/passwd",
    "/%c0%ae%c0%ae/",
    "/.git/config",
    "/.env",
    "/%00",
    "/%",
    "/%zz",
    "/%u0041",
    "/%ff%fe",
    "/~root",
    "/index.php",
    "/wp-login.php",
    "/cgi-bin/../../../bin/sh",
    "/api",
    "/api/",
    "/api/v2",
    "/api/v2/",
    "/api/v1/stream",
    "/api/v2/streams",
    "/api/v2/Stream",
    "/API/V2/STREAM",
    "/api/v2//stream",
    "//api/v2/stream",
    "/api/v2/./stream",
    "/api/v2/x/../stream",
    "/api/v2/%73tream%",
    "/api%2fv2%2fstream",
    "/api/v2/stream%2f",
    "/api/v2/stream%00",
    "/api/v2/stream%0d%0aX-Injected:%201",
    "/api/v2/stream/../../../etc/passwd",
    "/api/v2/stream;jsessionid=1",
    "/api/v2/configurations",
    "/api/v2/configurations//stream",
    "/2018-06-01/runtime/invocation/next",
    "/2015-03-31/functions/x/invocations",
    "*",
    "?",
    "/?",
    "/health/",
    "/health%20",
    "/metrics/..",
    "/api/v2/stream/statuses",
    "/favicon.ico",
    "/robots.txt",
];

const PATH_ENDS: &[&str] = &[
    "/",
    "//",
    "/..",
    "/%2e%2e",
    "%20",
    "%00",
    "\\",
    "/*",
    ";a=b",
    ".json",
    "'",
    "<script>",
    "/${jndi:ldap:x}",
    "%0a",
];

pub(super) const CONFIG_IDS: &[&str] = &[
    ".",
    "..",
    "%2e%2e",
    "%2F",
    "a%2Fb",
    "%5C",
    "a%20b",
    "%00",
    "a%00",
    "%0d%0a",
    "%ff",
    "%c3%28",
    "%F0%9F%92%A9",
    "%",
    "%2",
    "USER%23u",
    "CONFIG%23x",
    "'%20OR%201=1",
    "%7B%22S%22:%22x%22%7D",
    "${x}",
    "a:b",
    "a@b",
    "a,b",
    "a;b",
    "a=b",
    "a+b",
    "a*b",
    "null",
    "-",
    "_",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

pub(super) fn queries() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        "&",
        "&&&&",
        "=",
        "==",
        "%",
        "%zz",
        "%00",
        "a=%ff",
        "tickers",
        "tickers=",
        "tickers=,",
        "tickers=,,,",
        "tickers=AAPL&tickers=MSFT",
        "tickers=AAPL&tickers=",
        "tickers=%00",
        "tickers=%0d%0a",
        "tickers=%ff",
        "tickers=a%20b",
        "tickers=..%2f..",
        "tickers=%F0%9F%92%A9",
        "tickers='%20OR%201=1--",
        "tickers[]=A",
        "tickers[$ne]=A",
        "TICKERS=a",
        "tickers=AAPL;tickers=MSFT",
        "last_event_id=",
        "last_event_id=x&last_event_id=y",
        "last_event_id=%00",
        "last_event_id=%0d%0adata:%20x",
        "last_event_id=%ff%fe",
        "last_event_id=evt_",
        "last_event_id=evt_AAAA",
        "last_event_id=-1",
        "last_event_id=../../x",
        "last_event_id=99999999999999999999",
        "token=",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=x&limit=y",
        "after=%00",
        "?",
        "#",
        "a?b?c",
        "constructor=1&__proto__=2",
    ]
    .map(str::to_owned)
    .into();
    all.push(format!("token={SECRET}"));
    all.push(format!("token={SECRET}&token={SECRET}"));
    all.push(format!("tickers={}", "A,".repeat(51)));
    all.push(format!("tickers={}", "A".repeat(65)));
    all.push(format!("last_event_id={}", "A".repeat(8000)));
    all.push("a=b&".repeat(3000));
    all
}

const HEADERS: &[(&str, &str)] = &[
    ("Accept", ""),
    ("Accept", "text/event-stream;q=0"),
    ("Accept", "*/*;q=,,,;"),
    ("Accept", "image/webp"),
    ("Accept", "/"),
    ("Accept", "text/event-stream, text/event-stream"),
    ("Accept-Charset", "utf-7"),
    ("Last-Event-ID", ""),
    ("Last-Event-ID", "0"),
    ("Last-Event-ID", "evt_"),
    ("Last-Event-ID", "evt_!!!!"),
    ("Last-Event-ID", "../.."),
    ("Last-Event-ID", "' OR 1=1"),
    ("Last-Event-ID", "a\tb"),
    ("Last-Event-ID", "漢字"),
    ("Authorization", ""),
    ("Authorization", "Bearer"),
    ("Authorization", "Bearer "),
    ("Authorization", "Basic dTpw"),
    ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
    ("Authorization", "Bearer ...."),
    ("Cookie", ""),
    ("Cookie", ";;;="),
    ("Cookie", "session"),
    ("Cookie", "session=; session="),
    ("Cookie", "session=\"a;b\""),
    ("X-User-ID", ""),
    ("X-User-ID", "../../x"),
    ("X-User-ID", "USER#x"),
    ("X-User-ID", "漢字"),
    ("X-Forwarded-For", "1.2.3.4, ::1, x"),
    ("X-Forwarded-For", "'"),
    ("X-Forwarded-Host", "evil.example"),
    ("Forwarded", "for=\"_x\""),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Original-URL", "/admin"),
    ("Range", "bytes=0-0,1-1,2-2"),
    ("If-None-Match", "*"),
    ("If-Modified-Since", "never"),
    ("Expect", "100-continue"),
    ("Expect", "x"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade, close"),
    ("Connection", "Last-Event-ID"),
    ("Upgrade", "h2c"),
    ("TE", "trailers, deflate"),
    ("Max-Forwards", "0"),
    ("Origin", "null"),
    ("Access-Control-Request-Method", "DELETE"),
    ("Content-Type", "text/event-stream"),
    ("Content-Encoding", "br"),
    ("Host", "evil.example"),
    ("X-Amzn-Trace-Id", "Root=x;;;="),
    ("Lambda-Runtime-Aws-Request-Id", "x"),
    ("Proxy", "http://evil.example"),
    ("User-Agent", "${jndi:ldap://x}"),
    ("Referer", "javascript:1"),
    ("Sec-Fetch-Mode", "x"),
];

fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<(&str, Vec<u8>)> =
        HEADERS.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect();
    all.push(("Authorization", format!("Bearer {SECRET}").into_bytes()));
    all.push(("Authorization", format!("bearer  {SECRET} {SECRET}").into_bytes()));
    all.push(("Cookie", format!("session={SECRET}; session={SECRET}").into_bytes()));
    all.push(("Last-Event-ID", b"\xff\xfe\x80evt".to_vec()));
    all.push(("X-User-ID", b"\xff\xfe\x80".to_vec()));
    all.push(("Cookie", b"session=\xff\xfe".to_vec()));
    all.push(("Last-Event-ID", vec![b'A'; 8 * 1024]));
    all.push(("X-User-ID", vec![b'u'; 8 * 1024]));
    all.push(("Accept", "text/event-stream,".repeat(400).into_bytes()));
    all
}

const ILLEGAL_HEADERS: &[(&str, &[u8])] = &[
    ("Last-Event-ID", b"a\0b"),
    ("Last-Event-ID", b"a\x01b"),
    ("Last-Event-ID", b"a\rb"),
    ("X-User-ID", b"a\nb: c"),
    ("Accept", b"\x7f"),
    ("a b", b"c"),
    ("", b"empty name"),
    ("a\tb", b"c"),
    ("\u{e4}", b"c"),
    (" folded", b"c"),
    ("Content-Length", b"-1"),
    ("Content-Length", b"x"),
    ("Content-Length", b"99999999999999999999999"),
    ("Content-Length", b"1, 2"),
    ("Content-Length", b"+5"),
    ("Transfer-Encoding", b"gzip"),
    ("Transfer-Encoding", b"chunked, chunked"),
    ("Transfer-Encoding", b"identity, x"),
    ("Host", b""),
    ("Host", b"a b"),
    ("Host", b"[::1"),
];

type Body = (&'static str, &'static str, Vec<(&'static str, &'static str)>, Vec<u8>);

fn bodies() -> Vec<Body> {
    let chunked = || vec![("Transfer-Encoding", "chunked")];
    let both = || vec![("Content-Length", "5"), ("Transfer-Encoding", "chunked")];
    vec![
        ("of 1 MiB on GET", "GET", vec![("Content-Length", "1048576")], vec![b'x'; 1 << 20]),
        ("of 1 MiB on POST", "POST", vec![("Content-Length", "1048576")], vec![b'x'; 1 << 20]),
        ("of 16 MiB on POST", "POST", vec![("Content-Length", "16777216")], vec![b'x'; 16 << 20]),
        ("shorter than said", "GET", vec![("Content-Length", "500")], b"short".to_vec()),
        ("longer than said", "GET", vec![("Content-Length", "1")], b"xGET /x HTTP/1.1\r\n\r\n".to_vec()),
        ("of two lengths", "POST", vec![("Content-Length", "1"), ("Content-Length", "6")], b"abcdef".to_vec()),
        ("with length and chunks", "POST", both(), b"0\r\n\r\nGET /admin HTTP/1.1\r\nX: ".to_vec()),
        ("with length and chunks on GET", "GET", both(), b"0\r\n\r\nSMUGGLED".to_vec()),
        ("of no chunk size", "POST", chunked(), b"zz\r\nabc\r\n".to_vec()),
        ("of a huge chunk size", "POST", chunked(), b"ffffffffffffffffff\r\nabc".to_vec()),
        ("of a negative chunk size", "GET", chunked(), b"-1\r\nabc\r\n0\r\n\r\n".to_vec()),
        ("of a chunk longer than said", "POST", chunked(), b"1\r\nabc\r\n0\r\n\r\n".to_vec()),
        ("of chunks with bare LF", "POST", chunked(), b"3\nabc\n0\n\n".to_vec()),
        (
            "of a long chunk extension",
            "POST",
            chunked(),
            [b"3;".as_slice(), &[b'x'; 20_000], b"\r\nabc\r\n0\r\n\r\n"].concat(),
        ),
        ("with trailers", "POST", chunked(), b"0\r\nHost: evil\r\nContent-Length: 5\r\n\r\n".to_vec()),
        (
            "of JSON that nests",
            "POST",
            vec![("Content-Length", "20000"), ("Content-Type", "application/json")],
            vec![b'['; 20_000],
        ),
        ("chunked in another case", "POST", vec![("Transfer-Encoding", "CHUNKED\t")], b"0\r\n\r\n".to_vec()),
        ("with a hidden coding", "POST", vec![("Transfer-Encoding", "xchunked")], b"0\r\n\r\n".to_vec()),
    ]
}

fn raw() -> Vec<(&'static str, String)> {
    let plain = [
        ("HTTP/0.9", "GET PATH\r\n"),
        ("HTTP/0.9 with a version", "GET PATH HTTP/0.9\r\n\r\n"),
        ("HTTP/1.2", "GET PATH HTTP/1.2\r\nHost: HOST\r\n\r\n"),
        ("HTTP/2.0 as text", "GET PATH HTTP/2.0\r\nHost: HOST\r\n\r\n"),
        ("HTTP/9.9", "GET PATH HTTP/9.9\r\nHost: HOST\r\n\r\n"),
        ("a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("lower-case http", "GET PATH http/1.1\r\nHost: HOST\r\n\r\n"),
        ("no Host", "GET PATH HTTP/1.1\r\n\r\n"),
        ("two Hosts", "GET PATH HTTP/1.1\r\nHost: HOST\r\nHost: evil\r\n\r\n"),
        ("bare LF", "GET PATH HTTP/1.1\nHost: HOST\n\n"),
        ("bare CR", "GET PATH HTTP/1.1\rHost: HOST\r\r"),
        ("blank lines first", "\r\n\r\n\r\nGET PATH HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("two spaces", "GET  PATH  HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("a tab", "GET\tPATH\tHTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("no target", "GET  HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("a relative target", "GET api/v2/stream HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("an absolute target", "GET http://evil.example/api HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("another scheme", "GET file:///etc/passwd HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("a fragment", "GET PATH#x HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("a NUL in the target", "GET PATH\0 HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("a folded header", "GET PATH HTTP/1.1\r\nHost: HOST\r\nA: b\r\n c\r\n\r\n"),
        ("a header without a colon", "GET PATH HTTP/1.1\r\nHost: HOST\r\nnothing\r\n\r\n"),
        ("nothing but an end", "\r\n\r\n"),
        ("nothing that ends", "GET PATH HTTP/1.1\r\nHost: HOST\r\nA: "),
        ("two at once", "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\nGET PATH HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ("a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("SMTP", "EHLO example.com\r\nMAIL FROM:<a@b>\r\n\r\n"),
    ];
    let mut all: Vec<_> = plain.map(|(name, text)| (name, text.to_owned())).into();
    let long = "A".repeat(64 * 1024);
    all.push(("a header of 64 KiB", format!("GET PATH HTTP/1.1\r\nHost: HOST\r\nX-Long: {long}\r\n\r\n")));
    all.push(("an id of 64 KiB", format!("GET PATH HTTP/1.1\r\nHost: HOST\r\nLast-Event-ID: {long}\r\n\r\n")));
    all.push(("a name of 64 KiB", format!("GET PATH HTTP/1.1\r\nHost: HOST\r\n{long}: x\r\n\r\n")));
    all.push(("a path of 64 KiB", format!("GET /{long} HTTP/1.1\r\nHost: HOST\r\n\r\n")));
    all.push(("a query of 64 KiB", format!("GET PATH?tickers={long} HTTP/1.1\r\nHost: HOST\r\n\r\n")));
    all.push(("a method of 64 KiB", format!("{long} PATH HTTP/1.1\r\nHost: HOST\r\n\r\n")));
    all.push(("1000 headers", format!("GET PATH HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "A: b\r\n".repeat(1000))));
    all.push(("1000 ids", format!("GET PATH HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "Last-Event-ID: b\r\n".repeat(90))));
    all
}
