//! Requests to the REST routes that carry something: bodies, ids, cursors, tags of answers, users.

use contract::routes;

use super::table::{CONFIG_IDS, Hostile, SECRET, queries, request};

/// Values of `If-None-Match` and of other headers that a route looks at.
const TAGS: &[&[u8]] = &[
    b"*",
    b"**",
    b"W/",
    b"W/\"",
    b"\"",
    b"\"\"",
    b"\"\"\"\"\"\"",
    b",,,,",
    b"W/W/\"a\"",
    b"\"a\" \"b\"",
    b"\xff\xfe",
    b"\"\xff\"",
];

const KINDS: &[&[u8]] = &[
    b"application/json",
    b"application/json;charset=utf-16",
    b"application/json, text/plain",
    b"APPLICATION/JSON ;",
    b"text/plain",
    b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded",
    b"",
    b";",
    b"\xff\xfe",
];

const BODIES: &[&[u8]] = &[
    b"",
    b"{}",
    b"[]",
    b"null",
    b"0",
    b"\"\"",
    b"{",
    b"{\"name\":",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"{\"name\":\"\xc3\x28\",\"tickers\":[]}",
    b"{\"name\":\"\\ud800\",\"tickers\":[\"A\"]}",
    b"{\"name\":\"a\\u0000b\",\"tickers\":[\"A\"]}",
    b"{\"name\":\"\\u202e\",\"tickers\":[\"A\"]}",
    b"{\"name\":\"<script>alert(1)</script>\",\"tickers\":[\"A\"]}",
    b"{\"name\":\"a\",\"name\":\"b\",\"tickers\":[\"A\"],\"tickers\":[\"B\"]}",
    b"{\"name\":{\"S\":\"a\"},\"tickers\":{\"L\":[]}}",
    b"{\"name\":1e999,\"tickers\":[1e999]}",
    b"{\"name\":\"a\",\"tickers\":[[[[[[\"A\"]]]]]]}",
    b"{\"name\":\"a\",\"tickers\":[null,true,{},[],\"\",\"a\",\"A B\",\"AAAAAA\"]}",
    b"{\"name\":\"a\",\"tickers\":[\"A\"],\"PK\":\"USER#other\",\"SK\":\"CONFIG#x\",\"user_id\":\"other\"}",
    b"{\"name\":\"a\",\"tickers\":[\"A\"],\"__proto__\":{\"x\":1},\"constructor\":{}}",
    b"{\"name\":\"'; DROP TABLE users; --\",\"tickers\":[\"A\"]}",
];

/// All of them. Each user is another one, so that not all of it ends at a limit.
pub(super) fn requests(host: &str) -> Vec<Hostile> {
    let mut all = Vec::new();
    let mut add = |name: String, method: &str, target: &str, headers: &[(&str, &[u8])], body: &[u8]| {
        let user = format!("user{}", all.len());
        let length = body.len().to_string();
        let mut headers: Vec<(&str, &[u8])> = headers.to_vec();
        headers.push(("X-User-ID", user.as_bytes()));
        if !body.is_empty() {
            headers.push(("Content-Length", length.as_bytes()));
        }
        let bytes = request(method, target, host, &headers, body);
        all.push(Hostile { name: format!("{method} {name}"), bytes, http: true });
    };
    let one = |id: &str| routes::CONFIGURATION.replace("{config_id}", id);
    let json: (&str, &[u8]) = ("Content-Type", b"application/json");
    for body in BODIES {
        let shown = body.escape_ascii();
        add(format!("body {shown}"), "POST", routes::CONFIGURATIONS, &[json], body);
        add(format!("body {shown}"), "PUT", &one("a"), &[json], body);
    }
    for (name, body) in [("64 KiB of [", vec![b'['; 64 << 10]), ("1 MiB of spaces", vec![b' '; 1 << 20])] {
        add(name.into(), "POST", routes::CONFIGURATIONS, &[json], &body);
    }
    for kind in KINDS {
        let shown = kind.escape_ascii();
        let headers: &[(&str, &[u8])] = &[("Content-Type", kind)];
        add(format!("kind {shown}"), "POST", routes::CONFIGURATIONS, headers, b"{\"name\":\"a\",\"tickers\":[\"A\"]}");
    }
    for id in CONFIG_IDS {
        for method in ["GET", "PUT", "DELETE"] {
            add(format!("id {id}"), method, &one(id), &[], b"");
        }
    }
    for query in queries() {
        let shown: String = query.chars().take(60).collect();
        for route in [routes::ITEMS, routes::HISTORY] {
            add(format!("{route} {shown}"), "GET", &format!("{route}?{query}"), &[], b"");
        }
    }
    for tag in TAGS {
        add(format!("tag {}", tag.escape_ascii()), "GET", routes::METRICS, &[("If-None-Match", tag)], b"");
    }
    let secret = format!("Bearer {SECRET}");
    for (method, target) in
        [("GET", routes::CONFIGURATIONS), ("POST", routes::AUTH_ANONYMOUS), ("GET", routes::RUNTIME)]
    {
        add(
            "a token".into(),
            method,
            &format!("{target}?token={SECRET}"),
            &[("Authorization", secret.as_bytes())],
            b"",
        );
    }
    all
}
