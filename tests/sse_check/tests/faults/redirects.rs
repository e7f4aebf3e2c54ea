//! Redirects: followed as browsers do, by many clients and by cases.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use sse_check::options::Options;
use sse_check::stream::Failure;

use crate::odd::{cases, count, load, options};
use crate::scripted::{STREAM, at, serve};

/// What was asked: paths, and the header that says who asks.
type Log = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A server whose `/events` is elsewhere, with that status: its `/to/stream` ends soon after an update, and again after the next one.
async fn elsewhere(status: u16, location: String, log: Log) -> SocketAddr {
    serve(move |mut asked| {
        let said = asked.header("authorization").map(str::to_owned);
        log.lock().unwrap().push((asked.path().to_owned(), said));
        let location = location.clone();
        async move {
            if asked.path() != "/to/stream" {
                let head = format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
                return asked.say(&head).await;
            }
            let n = asked.header("last-event-id").map_or(1, |id| id.parse::<u64>().unwrap() + 1);
            asked.say(&format!("{STREAM}retry: 60\nid: {n}\nevent: up\ndata: {{\"n\":{n}}}\n\n")).await;
            if n > 2 {
                asked.stay().await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_follow_redirects_and_come_back_to_where_they_were_led() {
    for status in [301, 302, 303, 307, 308] {
        let log = Log::default();
        let address = elsewhere(status, "../x/../to/stream#part".into(), Arc::clone(&log)).await;
        let report = load(options(at(address, "/a/events")), 3, |progress| progress.delivered() == 9).await;
        assert!(report.is_clean(), "{status}: {}", report.text());
        let counts = (report.redirects, report.connects, report.reconnects, report.updates, report.delivered);
        assert_eq!(counts, (3, 12, 6, 3, 9), "{status}: {}", report.text());
        assert!(report.text().contains("  redirects: 3 followed\n"), "{}", report.text());
        let log = log.lock().unwrap();
        assert_eq!(log.iter().filter(|(path, _)| path == "/a/events").count(), 3, "{status}: {log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_that_never_ends_or_leads_nowhere_is_found() {
    let log = Log::default();
    let address = elsewhere(302, "/round".into(), Arc::clone(&log)).await;
    let report = load(options(at(address, "/round")), 2, |progress| progress.failed() == 2).await;
    let why = "2 times: refused: a redirect that is not followed: it comes after 20 others";
    assert!(report.findings.iter().any(|found| found == why), "{}", report.text());
    assert_eq!(log.lock().unwrap().len(), 42);
    let failure = sse_check::run(options(at(address, "/round")), |_| {}).await.err();
    assert_eq!(failure, Some(Failure::Redirect("it comes after 20 others".into())));
    let address = elsewhere(302, "gopher://a".into(), log).await;
    let report = load(options(at(address, "/events")), 1, |progress| progress.failed() == 1).await;
    let why = "1 times: refused: a redirect that is not followed: `gopher://a` is not a URL to check: ";
    assert!(report.findings.iter().any(|found| found.starts_with(why)), "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_go_along_within_an_origin_and_not_beyond() {
    let (log, other_log) = (Log::default(), Log::default());
    let same = elsewhere(307, "/to/stream".into(), Arc::clone(&log)).await;
    let other = elsewhere(307, "/unused".into(), Arc::clone(&other_log)).await;
    let away = elsewhere(307, format!("http://{other}/to/stream"), Log::default()).await;
    for address in [same, away] {
        let rules = || Options {
            headers: vec![("Authorization".into(), "Bearer 1".into()), ("X-Kept".into(), "1".into())],
            ..options(at(address, "/events"))
        };
        load(rules(), 1, |progress| progress.delivered() > 0).await;
        cases(rules(), &["status"]).await;
    }
    let said = |log: &Log| -> Vec<bool> {
        let log = log.lock().unwrap();
        log.iter().filter(|(path, _)| path == "/to/stream").map(|(_, said)| said.is_some()).collect()
    };
    let (same, other) = (said(&log), said(&other_log));
    assert!(same.len() >= 2 && same.iter().all(|said| *said), "{same:?}");
    assert!(other.len() >= 2 && other.iter().all(|said| !*said), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_ask_where_redirects_lead_and_the_report_says_so() {
    let address = serve(|mut asked| async move {
        match asked.path() {
            "/old" => asked.say("HTTP/1.1 301 Moved\r\nLocation: /older\r\nContent-Length: 0\r\n\r\n").await,
            "/older" => asked.say("HTTP/1.1 302 Found\r\nLocation: new?x=1\r\nContent-Length: 0\r\n\r\n").await,
            "/new?x=1" => {
                asked.say(STREAM).await;
                count(&mut asked).await;
            }
            _ => asked.say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await,
        }
    })
    .await;
    let several = Options { targets: vec![at(address, "/old"), at(address, "/older")], ..options(at(address, "/")) };
    let report = cases(several, &["status", "content-type", "byte-by-byte"]).await;
    assert_eq!(report.failed(), Vec::<&str>::new(), "{:?}", report.cases);
    let (old, older, new) = (at(address, "/old").url(), at(address, "/older").url(), at(address, "/new?x=1").url());
    assert_eq!(report.urls, [new.clone(), new.clone()]);
    assert!(report.summary().starts_with(&format!("{old} redirects to {new}\n{older} redirects to {new}\n")));
}
