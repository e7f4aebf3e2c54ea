//! Every way in which an EventSource may ask: understood and answered with a stream, or refused with a status that the contract
//! names and a `detail` that says what to change. Anything but 200 is final for a browser, so that the second list is short.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;

use super::{LIMIT, STREAM, config, names};
use crate::emulator::{Config, Emulator};
use crate::support::client::Request;
use crate::support::dynamodb::{self, put_configuration};
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Fewest requests of the table.
const REQUESTS_MIN: usize = 200;
/// Items in the table; those with `AAPL`; those with `AAPL`, `MSFT` or `BRK B`.
const ALL: u64 = 4;
const ONE: u64 = 1;
const SOME: u64 = 3;

/// What a request comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    /// A stream that counts so many items.
    Opens(u64),
    /// A stream that goes on from the cursor.
    Resumes,
    /// A stream that says that it does not know the cursor.
    Resets,
    /// This status, with a `detail` that has these words.
    Refuses(u16, &'static str),
}
use Door::{Opens, Refuses, Resets, Resumes};

/// Name and value.
type Header<'v> = (&'static str, &'v str);

struct Knock {
    target: String,
    headers: Vec<(&'static str, String)>,
    door: Door,
}

/// A table with four items, its user's configuration of one of their tickers, and variables that let everybody in.
async fn scene() -> (Table, [(&'static str, &'static str); 3]) {
    let table = Table::create(SENTIMENTS).await;
    table
        .put_all(&[
            Row::new("a", "positive", &["AAPL"]),
            Row::new("b", "negative", &["MSFT"]),
            Row::new("c", "neutral", &["BRK B"]),
            Row::new("d", "neutral", &["GOOG"]),
        ])
        .await;
    put_configuration(&table.users, "ann", "tech", &["AAPL"]).await;
    let env =
        [("SSE_MAX_CONNECTIONS", "1600"), ("SSE_CONNECTIONS_PER_CLIENT", "1600"), ("AUTH_MODE", "trusted-header")];
    (table, env)
}

const PATHS: &[&str] = &[
    STREAM,
    "/api/v2/stream/",
    "/api/v2/stream//",
    "//api/v2/stream",
    "/api//v2/stream",
    "/api/v2//stream",
    "///api///v2///stream///",
    "/api/v2/stream/?",
];

/// Queries after a `?`, and how many items they leave.
const QUERIES: &[(&str, u64)] = &[
    ("", ALL),
    ("&", ALL),
    ("=", ALL),
    ("?", ALL),
    ("tickers", ALL),
    ("tickers=", ALL),
    ("tickers=,", ALL),
    ("tickers=,,,", ALL),
    ("tickers=%20", ALL),
    ("tickers=+,+", ALL),
    ("tickers=%2C", ALL),
    ("tickers=&tickers=", ALL),
    ("tickers=%0A", ALL),
    ("_=1795737600000", ALL),
    ("utm_source=mail&fbclid=x", ALL),
    ("token=", ALL),
    ("token=nonsense", ALL),
    ("TICKERS=AAPL", ALL),
    ("symbols=AAPL", ALL),
    ("a=%FF&%zz=%", ALL),
    ("tickers=AAPL", ONE),
    ("tickers=AAPL,", ONE),
    ("tickers=,AAPL", ONE),
    ("tickers=AAPL,AAPL", ONE),
    ("tickers=AAPL&tickers=AAPL", ONE),
    ("tickers=AAPL&tickers=", ONE),
    ("tickers=&tickers=AAPL", ONE),
    ("tickers=+AAPL+", ONE),
    ("tickers=%20AAPL%20", ONE),
    ("tickers=AAPL%0D%0A", ONE),
    ("tickers=%09AAPL", ONE),
    ("tickers=%41%41PL", ONE),
    ("%74ickers=AAPL", ONE),
    ("tickers=AAPL,msft", ONE),
    ("tickers=AAPL,NONE,,", ONE),
    ("tickers=AAPL&", ONE),
    ("&&tickers=AAPL&utm_source=x&", ONE),
    ("token=a.b.c", ALL),
    ("token=&token=", ALL),
    ("token=%00", ALL),
    ("access_token=x", ALL),
    ("jwt=x.y.z", ALL),
    ("authorization=Bearer%20x", ALL),
    ("user_id=ann", ALL),
    ("X-User-ID=ann", ALL),
    ("session=x", ALL),
    ("limit=20", ALL),
    ("after=x", ALL),
    ("format=csv", ALL),
    ("stream=true", ALL),
    ("t=0.123456789", ALL),
    ("nocache=1&nocache=2", ALL),
    ("withCredentials=true", ALL),
    ("heartbeat=0", ALL),
    ("retry=1", ALL),
    ("callback=jQuery1", ALL),
    ("__proto__=x", ALL),
    ("tickers[]=AAPL", ALL),
    ("tickers%5B%5D=AAPL", ALL),
    ("ticker=AAPL", ALL),
    (";tickers=AAPL", ALL),
    ("amp;tickers=AAPL", ALL),
    ("last_event_id", ALL),
    ("lastEventId=", ALL),
    ("Last-Event-ID=x", ALL),
    ("evs_preload=x&evs_last_event_id=x", ALL),
    ("r=7", ALL),
    ("tickers=AAPL&token=nonsense", ONE),
    ("tickers=AAPL&lastEventId=", ONE),
    ("tickers=%2CAAPL%2C", ONE),
    ("tickers=AAPL&tickers[]=MSFT", ONE),
    ("tickers=AAPL&Tickers=MSFT", ONE),
    ("tickers=AAPL&_=1", ONE),
    ("tickers=AAPL,MSFT,BRK%20B", SOME),
    ("tickers=AAPL%2CMSFT%2CBRK+B", SOME),
    ("tickers=AAPL%2cMSFT%2cBRK%20B%2c", SOME),
    ("tickers=AAPL,%20MSFT,%20BRK%20B", SOME),
    ("tickers=AAPL&tickers=MSFT&tickers=BRK+B", SOME),
    ("tickers=AAPL,MSFT&x=1&tickers=,BRK%20B", SOME),
    ("tickers=BRK+B&tickers=MSFT,,AAPL&tickers=AAPL", SOME),
];

/// What browsers, polyfills, tracers and proxies send along.
const HEADERS: &[(&str, &str)] = &[
    ("Accept", "text/event-stream, */*;q=0.1"),
    ("Accept", "application/json"),
    ("Accept", ""),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "de;q=0.5, *"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("Connection", "keep-alive"),
    ("X-Requested-With", "XMLHttpRequest"),
    ("Origin", "https://page.example.com"),
    ("Origin", "null"),
    ("Referer", "https://page.example.com/live"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("traceparent", "nonsense"),
    ("tracestate", "vendor=x"),
    ("baggage", "user=1,release=2"),
    ("sentry-trace", "771a43a4192642f0b136d5159a501700-7a8f6d1d6a1e4b0e-1"),
    ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
    ("Cookie", "theme=dark; session=of-another-program"),
    ("Cookie", ""),
    ("Authorization", "Basic dTpw"),
    ("Authorization", "Bearer nonsense"),
    ("If-None-Match", "\"x\""),
    ("If-Modified-Since", "Sat, 28 Nov 2026 00:00:00 GMT"),
    ("Range", "bytes=0-"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Dest", "empty"),
    ("DNT", "1"),
    ("Content-Type", "application/json"),
    ("Content-Length", "0"),
    ("Accept", "*/*"),
    ("Accept", "text/html,application/xhtml+xml"),
    ("Accept", "TEXT/EVENT-STREAM"),
    ("Accept", "text/event-stream;charset=utf-8"),
    ("Accept-Encoding", "identity"),
    ("Accept-Encoding", ""),
    ("Authorization", ""),
    ("Authorization", "Bearer"),
    ("Authorization", "bearer a.b.c"),
    ("Authorization", "Bearer undefined"),
    ("Authorization", "Bearer null"),
    ("Authorization", "Digest x"),
    ("Cookie", "session="),
    ("Cookie", "session"),
    ("Cookie", "=;;"),
    ("Cookie", "session=\"a.b.c\""),
    ("Cookie", "session=a; session=b; SESSION=c"),
    ("Cookie", "session=%00"),
    ("User-Agent", ""),
    ("User-Agent", "curl/8"),
    ("X-User-ID", "ann"),
    ("X-User-ID", ""),
    ("X-Forwarded-For", "unknown, 10.0.0.1"),
    ("X-Forwarded-For", ""),
    ("X-Forwarded-Proto", "http"),
    ("Forwarded", "for=_hidden"),
    ("Origin", ""),
    ("Origin", "https://preview-1.vercel.app"),
    ("Access-Control-Request-Method", "GET"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Priority", "u=1, i"),
    ("Sec-GPC", "1"),
    ("If-None-Match", "*"),
    ("Range", "bytes=5-1"),
    ("Upgrade-Insecure-Requests", "1"),
    ("X-Real-IP", "nonsense"),
    ("Via", "1.1 proxy"),
    ("Content-Type", "text/plain;charset=UTF-8"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-CSRF-Token", "x"),
];

/// All of them, with this cursor of an instance.
fn knocks(id: &str) -> Vec<Knock> {
    let mut all = Vec::new();
    let mut add = |target: String, headers: &[Header<'_>], door: Door| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.push(Knock { target, headers, door });
    };
    for path in PATHS {
        add((*path).to_owned(), &[], Opens(ALL));
        let join = if path.contains('?') { "" } else { "?" };
        add(format!("{path}{join}tickers=AAPL"), &[], Opens(ONE));
        add(format!("{path}{join}lastEventId={id}"), &[], Resumes);
    }
    for (query, count) in QUERIES {
        add(format!("{STREAM}?{query}"), &[], Opens(*count));
        // A browser that comes back asks the same address again.
        add(format!("{STREAM}?{query}"), &[("Last-Event-ID", id)], Resumes);
    }
    for (name, value) in HEADERS {
        add(STREAM.to_owned(), &[(*name, *value)], Opens(ALL));
        add(format!("{STREAM}/?tickers=AAPL,"), &[(*name, *value), ("Cache-Control", "no-cache")], Opens(ONE));
    }
    let header = "Last-Event-ID";
    let cursors: &[(String, &[Header<'_>], Door)] = &[
        (format!("last_event_id={id}"), &[], Resumes),
        (format!("lastEventId={id}"), &[], Resumes),
        (format!("last_event_id=x&lastEventId={id}"), &[], Resumes),
        (format!("lastEventId=x&last_event_id={id}"), &[], Resumes),
        (format!("last_event_id={id}&lastEventId="), &[], Resumes),
        (format!("last_event_id={id}&last_event_id={id}"), &[], Resumes),
        (format!("last_event_id=+{id}%20"), &[], Resumes),
        (format!("last_event_id={id}&tickers=AAPL&tickers="), &[], Resumes),
        (format!("last_event_id={id}"), &[(header, "")], Resumes),
        (format!("lastEventId={id}"), &[(header, " ")], Resumes),
        ("last_event_id=x".to_owned(), &[(header, id)], Resumes),
        ("lastEventId=x&last_event_id=".to_owned(), &[(header, id)], Resumes),
        (String::new(), &[(header, id)], Resumes),
        (format!("last_event_id={id}&lastEventId=x"), &[], Resets),
        (format!("last_event_id={id}"), &[(header, "x")], Resets),
        ("lastEventId=%FF%00".to_owned(), &[], Resets),
        ("last_event_id=-1".to_owned(), &[], Resets),
        (String::new(), &[(header, "0")], Resets),
        (String::new(), &[(header, "\u{6f22}")], Resets),
        ("last_event_id=&lastEventId=".to_owned(), &[(header, "")], Opens(ALL)),
    ];
    for (query, headers, door) in cursors {
        add(format!("{STREAM}?{query}"), headers, *door);
    }
    configurations(&mut add);
    refused(&mut add);
    all
}

fn configurations(add: &mut impl FnMut(String, &[Header<'_>], Door)) {
    let ann = ("X-User-ID", "ann");
    for path in [
        "/api/v2/configurations/tech/stream",
        "/api/v2/configurations/tech/stream/",
        "//api/v2//configurations//tech//stream//",
        "/api/v2/configurations/t%65ch/stream?tickers=GOOG",
        "/api/v2/configurations/tech/stream?",
    ] {
        add(path.to_owned(), &[ann], Opens(ONE));
    }
    let unknown = "Missing user identification";
    add("/api/v2/configurations/tech/stream/".to_owned(), &[], Refuses(401, unknown));
    add("/api/v2/configurations/tech/stream".to_owned(), &[("X-User-ID", "")], Refuses(401, unknown));
    for id in ["TECH", "none"] {
        add(format!("/api/v2/configurations/{id}/stream"), &[ann], Refuses(404, "Configuration not found"));
    }
    for id in ["a%20b", "%ff", "a%2Fb"] {
        add(format!("/api/v2/configurations/{id}/stream/"), &[ann], Refuses(400, "`config_id` must be"));
    }
}

fn refused(add: &mut impl FnMut(String, &[Header<'_>], Door)) {
    for path in ["/", "/api/v2/", "/api/v2/streams", "/api/v2/configurations//stream", "/api/v2/stream%2F"] {
        add(path.to_owned(), &[], Refuses(404, "Not found"));
    }
    let many = (0..51).map(|n| format!("T{n}")).collect::<Vec<_>>();
    let rule = "is not a valid ticker; it must be";
    for bad in ["A%00", "AAPL,A%0AB", "%FF", &"A".repeat(65)] {
        add(format!("{STREAM}?tickers={bad}"), &[], Refuses(400, rule));
    }
    for join in [",", "&tickers="] {
        let limit = "`tickers` lists 51; at most 50 are allowed";
        add(format!("{STREAM}?tickers={}", many.join(join)), &[], Refuses(400, limit));
    }
    add(format!("{STREAM}?tickers={},", many[..50].join(",")), &[], Opens(0));
}

/// Returns what is wrong with the answer.
async fn complaint(to: SocketAddr, knock: &Knock) -> Option<String> {
    let named = knock
        .headers
        .iter()
        .fold(Request::get(to, &knock.target), |request, (name, value)| request.header(name, value));
    let mut client = SseClient::open(named).await;
    let status = client.response().status();
    if let Refuses(expected, words) = knock.door {
        let body: Value = client.into_response().into_json().await;
        let is_said = body["detail"].as_str().is_some_and(|detail| detail.contains(words));
        return (status != expected || !is_said).then(|| format!("{status} {body}"));
    }
    if status != 200 {
        return Some(format!("{status} {}", client.into_response().into_json().await));
    }
    client.event("heartbeat", LIMIT).await;
    let found = if names(client.seen()).iter().any(|name| name == "reset") {
        Resets
    } else if knock.door == Resumes {
        Resumes
    } else {
        Opens(client.data("metrics", LIMIT).await["total"].as_u64().expect("a number"))
    };
    (found != knock.door).then(|| format!("{found:?}"))
}

/// Asks in every way and asserts that each comes to what it should.
async fn assert_doors(to: SocketAddr) {
    let mut client = SseClient::connect(Request::get(to, STREAM)).await;
    client.event("metrics", LIMIT).await;
    let all = knocks(&client.last_id());
    let different: BTreeSet<_> = all.iter().map(|knock| (&knock.target, &knock.headers)).collect();
    assert!(different.len() >= REQUESTS_MIN, "{} requests", different.len());
    let mut complaints = String::new();
    for knock in &all {
        if let Some(complaint) = complaint(to, knock).await {
            complaints += &format!("{} {:?}: {:?} became {complaint}\n", knock.target, knock.headers, knock.door);
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[tokio::test]
async fn however_an_event_source_asks_the_function_it_is_understood_or_told_what_to_change() {
    let (table, env) = scene().await;
    let own = config(&table, dynamodb::address(), &env);
    // Many at once in one environment: a stream goes on after its viewer has left.
    let emulator =
        Emulator::start(Config { max_environments: 1, concurrency_per_environment: 1600, freeze: false, ..own }).await;
    assert_doors(emulator.address()).await;
}

#[tokio::test]
async fn however_an_event_source_asks_the_local_server_it_is_understood_or_told_what_to_change() {
    let (table, env) = scene().await;
    let more = table.env().into_iter().chain(dynamodb::env(dynamodb::address()));
    let more: Vec<(String, String)> = more.collect();
    let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> =
        [("STORE", "dynamodb"), ("SSE_POLL_INTERVAL", "500ms")].into_iter().chain(env).chain(more).collect();
    let local = Local::start(&all).await;
    assert_doors(local.stream).await;
}
