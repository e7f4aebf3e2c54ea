//! Answers that are allowed and rare, to a single client and to many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sse_check::load::{Load, LoadReport, Progress, Run};
use sse_check::options::Options;
use sse_check::report::{Outcome, Report};
use sse_check::target::Target;

use crate::load::PATIENCE;
use crate::scripted::{STREAM, at, serve};

/// What is told of a server whose updates are `up` events with a number.
pub(crate) fn options(target: Target) -> Options {
    Options {
        timeout: Duration::from_secs(4),
        listen: Duration::from_millis(300),
        update_event: Some("up".into()),
        id_fields: vec!["/n".into()],
        ..Options::new(vec![target])
    }
}

/// So many clients, until it is enough; then what is under way.
pub(crate) async fn load(
    options: Options,
    clients: usize,
    enough: impl Fn(&Progress<'_>) -> bool + Send + 'static,
) -> LoadReport {
    load_with(options, clients, false, enough).await
}

/// The same, where they may be refused or not.
async fn load_with(
    options: Options,
    clients: usize,
    allows_refusals: bool,
    enough: impl Fn(&Progress<'_>) -> bool + Send + 'static,
) -> LoadReport {
    let load = Load { clients, ramp: Duration::ZERO, time_field: "/at".into(), allows_refusals };
    let run = tokio::task::spawn_blocking(move || {
        let mut run = Run::new(&options, &load).unwrap();
        let enough = run.until(PATIENCE, enough).unwrap();
        let owed = run.settle(options.timeout).unwrap();
        let report = run.report(&owed);
        assert!(enough, "{}", report.text());
        report
    });
    run.await.unwrap()
}

/// Only these cases.
pub(crate) async fn cases(options: Options, only: &[&str]) -> Report {
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    sse_check::run(Options { only, ..options }, |_| {}).await.unwrap()
}

/// Updates from 1 on, one every 20 ms.
pub(crate) async fn count(asked: &mut crate::scripted::Asked) {
    for n in 1..200 {
        asked.say(&format!("id: {n}\nevent: up\ndata: {{\"n\":{n}}}\n\n")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interim_answer_is_not_taken_for_the_final_one() {
    let address = serve(|mut asked| async move {
        asked.say("HTTP/1.1 100 Continue\r\n\r\n").await;
        asked.say("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n").await;
        asked.say(STREAM).await;
        count(&mut asked).await;
    })
    .await;
    let report = load(options(at(address, "/events")), 3, |progress| progress.delivered() > 9).await;
    assert!(report.is_clean(), "{}", report.text());
    let report = cases(options(at(address, "/events")), &["status", "content-type", "fields"]).await;
    assert_eq!(report.failed(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_those_of_what_came_first_and_spread_leaves_out_who_had_it_first() {
    let address = serve(|mut asked| async move {
        asked.say(STREAM).await;
        // The first one comes again much later, as after a return.
        for (n, wait) in [(1, 0), (2, 0), (3, 300), (1, 0)] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            asked.say(&format!("event: up\ndata: {{\"n\":{n},\"at\":\"2020-02-02T02:02:02Z\"}}\n\n")).await;
        }
        asked.stay().await;
    })
    .await;
    let report = load(options(at(address, "/events")), 4, |progress| progress.delivered() == 16).await;
    assert_eq!((report.updates, report.delivered, report.doubled), (3, 16, 4), "{}", report.text());
    assert_eq!((report.delivery.count, report.spread.count), (12, 9), "{}", report.text());
    let report = load(options(at(address, "/events")), 1, |progress| progress.delivered() == 4).await;
    assert_eq!((report.updates, report.delivery.count, report.spread.count), (3, 3, 0), "{}", report.text());
    assert!(report.text().contains("delivery") && !report.text().contains("spread"), "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_in_the_report_does_not_touch_its_figures() {
    let address = serve(|mut asked| async move {
        asked.say(&format!("{STREAM}event: weather_forecast_of_tomorrow\nid: 1\ndata: 1\n\n")).await;
        asked.stay().await;
    })
    .await;
    let report = load(options(at(address, "/events")), 2, |progress| progress.open == 2).await;
    let text = report.text();
    assert!(text.contains("  first `weather_forecast_of_tomorrow`, 2 clients p50 "), "{text}");
    assert!(text.contains("  first byte                      p50 "), "{text}");
    assert!(!text.contains("no update has a time"), "where there is no update: {text}");
}

/// What is found where a stream says this and nothing else, to two clients that look for such updates.
async fn found(said: &'static str, event: Option<&str>, fields: &[&str]) -> Vec<String> {
    let address = serve(move |mut asked| async move {
        asked.say(&format!("{STREAM}{said}")).await;
        asked.stay().await;
    })
    .await;
    let id_fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let options = Options { update_event: event.map(str::to_owned), id_fields, ..options(at(address, "/events")) };
    let bytes = 2 * said.len() as u64;
    load(options, 2, move |progress| progress.bytes() == bytes).await.findings
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_that_recognise_nothing_do_not_pass() {
    let orders = "event: order\nid: 7\ndata: {\"order\":7}\n\nevent: beat\ndata: {}\n\n";
    let check = async |said, event, fields, expected: &[&str]| {
        assert_eq!(found(said, event, fields).await, expected, "{event:?} {fields:?}");
    };
    check(orders, Some("order"), &["/order"], &[]).await;
    check(orders, None, &[], &[]).await;
    let came = "what came: 2 `order`, 2 `beat`";
    let none = format!("no update came: looked for `trade` events that have `/order` in their data; {came}");
    check(orders, Some("trade"), &["/order"], &[&none]).await;
    let none = format!("no update came: looked for `trade` events; {came}");
    check(orders, Some("trade"), &[], &[&none]).await;
    let none = "no update came: looked for `order` events that have `/order` and `/shop` in their data; ";
    check(orders, Some("order"), &["/order", "/shop"], &[&format!("{none}{came}, such as `{{\\\"order\\\":7}}`")])
        .await;
    let none = format!("no update came: looked for events with an id that have `/shop` in their data; {came}");
    check(orders, None, &["/shop"], &[&none]).await;
    let none = "no update came: looked for events with an id; what came: 2 `message`";
    check("data: 1\n\n", None, &[], &[none]).await;
    // Where some can be told apart, the others are said.
    let some = "event: order\ndata: {\"order\":8}\n\nevent: order\ndata: no JSON\n\n";
    let rest =
        "2 events cannot be told apart, such as `no JSON`: looked for `order` events that have `/order` in their data";
    check(some, Some("order"), &["/order"], &[rest]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_that_are_told_what_updates_are_and_see_none_do_not_pass() {
    let with_ids = serve(|mut asked| async move {
        asked.say(STREAM).await;
        count(&mut asked).await;
    })
    .await;
    let without = serve(|mut asked| async move {
        asked.say(STREAM).await;
        for n in 1..200 {
            asked.say(&format!("event: up\ndata: {{\"n\":{n}}}\n\n")).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let both = ["unknown-id", "resume"];
    for (address, event, fields, expected) in [
        (with_ids, Some("trade"), vec![], &both[..]),
        (with_ids, Some("up"), vec!["/m"], &both),
        (with_ids, None, vec!["/m"], &both),
        (without, Some("trade"), vec!["/n"], &both),
        // Without ids there is nothing to come back with, which is the case `ids`.
        (without, Some("up"), vec!["/n"], &[]),
        (without, None, vec![], &[]),
    ] {
        let rules = Options {
            timeout: Duration::from_secs(1),
            update_event: event.map(str::to_owned),
            id_fields: fields.iter().map(|field: &&str| (*field).to_owned()).collect(),
            cuts: 2,
            ..options(at(address, "/events"))
        };
        let report = cases(rules, &both).await;
        let text: String = report.cases.iter().map(|case| case.text(false)).collect();
        assert_eq!(report.failed(), expected, "{event:?} {fields:?}: {text}");
        assert_eq!(text.matches("no update came: looked for ").count(), expected.len(), "{text}");
        assert!(expected.is_empty() || text.contains(" `up`; --trigger causes updates"), "{text}");
    }
}

/// What the case of odd ids finds where two clients have room and one that left has it for so long, and where the id `NaN` is refused
/// always, or not.
async fn odd_ids_where_room_is_scarce(kept: Duration, refusal: &'static str, not_a_number: bool) -> Vec<String> {
    let open = Arc::new(AtomicUsize::new(0));
    let address = serve(move |mut asked| {
        let open = Arc::clone(&open);
        async move {
            let is_odd = not_a_number && asked.header("last-event-id") == Some("NaN");
            if is_odd || open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| (n < 2).then_some(n + 1)).is_err() {
                return asked.say(refusal).await;
            }
            asked.say(&format!("{STREAM}id: 1\nevent: up\ndata: {{\"n\":1}}\n\n")).await;
            asked.stay().await;
            tokio::time::sleep(kept).await;
            open.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let report = cases(options(at(address, "/events")), &["hostile-ids"]).await;
    report.cases.iter().filter(|case| case.outcome == Outcome::Failed).map(|case| case.text(false)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_refused_for_lack_of_room_is_not_at_fault() {
    let full = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    for refusal in ["", full] {
        let found = odd_ids_where_room_is_scarce(Duration::from_millis(40), refusal, false).await;
        assert_eq!(found, Vec::<String>::new());
        let found = odd_ids_where_room_is_scarce(Duration::ZERO, refusal, true).await.concat();
        assert!(found.contains("`NaN`: ") && found.matches("`: ").count() == 1, "{found}");
    }
    // Room that nobody gets again is no fault of an id either, but it came with one.
    let found = odd_ids_where_room_is_scarce(Duration::from_secs(60), full, false).await.concat();
    assert!(found.contains("status 503, and after it clients without an id are refused too"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_ids_are_of_several_events_nothing_is_called_lost_or_doubled() {
    let address = serve(|mut asked| async move {
        asked.say(STREAM).await;
        for n in 1..200 {
            let price = format!("id: {n}\nevent: price\ndata: {{\"n\":{n}}}\n\n");
            asked.say(&format!("{price}id: {n}\nevent: volume\ndata: {{\"sum\":{n}}}\n\n")).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let untold = || Options { update_event: None, id_fields: vec![], cuts: 3, ..options(at(address, "/events")) };
    let report = load(untold(), 3, |progress| progress.delivered() > 40).await;
    assert!(matches!(&*report.findings, [one] if one.contains("--update-event")), "{}", report.text());
    assert!(report.text().contains("  updates: cannot be told apart\n"), "{}", report.text());
    assert_eq!((report.owed, report.lost, report.doubled), (0, 0, 0));
    let report = cases(untold(), &["resume"]).await;
    let text: String = report.cases.iter().map(|case| case.text(false)).collect();
    assert!(text.starts_with("skip     resume: events of different types or data have one id, such as `"), "{text}");
    assert!(text.contains("--update-event"), "{text}");
}

/// What many clients find where the first of them stays for ever, and the others are sent away after one update, for so long, and then are given
/// what they missed, or not.
async fn sent_away(retry_ms: u64, is_given: bool) -> LoadReport {
    let streams = AtomicUsize::new(0);
    let address = serve(move |mut asked| {
        let is_first = streams.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            let update = |n: u64| format!("id: {n}\nevent: up\ndata: {{\"n\":{n}}}\n\n");
            asked.say(&format!("{STREAM}retry: {retry_ms}\n\n")).await;
            match asked.header("last-event-id") {
                None if is_first => {
                    for n in 1..=8 {
                        asked.say(&update(n)).await;
                        tokio::time::sleep(Duration::from_millis(40)).await;
                    }
                    asked.stay().await;
                }
                None => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    asked.say(&update(1)).await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Some(_) => {
                    let missed: String = (2..=8).filter(|_| is_given).map(update).collect();
                    asked.say(&format!("event: hello\ndata: x\n\n{missed}")).await;
                    asked.stay().await;
                }
            }
        }
    })
    .await;
    let options = Options { timeout: Duration::from_secs(1), ..options(at(address, "/events")) };
    // Eight to the one that stays, one to each of the others.
    load(options, 3, |progress| progress.delivered() == 10).await
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_away_as_they_were_told_to_be_are_waited_for() {
    let report = sent_away(2500, true).await;
    assert!(report.is_clean() && report.reconnects == 2, "{}", report.text());
    assert!(report.text().contains("  no delivery: no update has a time at `/at`\n"), "{}", report.text());
    assert_eq!((report.delivered, report.owed, report.pending), (24, 24, 0), "{}", report.text());
    // A client that is given nothing at its return has lost it.
    let report = sent_away(2500, false).await;
    assert_eq!((report.owed, report.lost, report.pending), (24, 14, 0), "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_away_for_longer_than_is_waited_have_lost_nothing_and_that_is_said() {
    let report = sent_away(3_600_000, true).await;
    assert!(report.is_clean() && report.milliseconds < 60_000, "{}", report.text());
    assert_eq!((report.owed, report.pending, report.pending_clients), (10, 14, 2), "{}", report.text());
    assert!(report.text().contains("  not yet due: 14 updates, to 2 clients that"), "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_refused_are_counted_and_found_unless_that_is_allowed() {
    let server = async || {
        let streams = AtomicUsize::new(0);
        serve(move |mut asked| {
            let is_full = streams.fetch_add(1, Ordering::SeqCst) >= 2;
            async move {
                asked.say(STREAM).await;
                if is_full {
                    asked.say("retry: 100\nevent: full\ndata: {}\n\n").await;
                } else {
                    count(&mut asked).await;
                }
            }
        })
        .await
    };
    // Each of the three came back twice.
    let enough = |progress: &Progress<'_>| progress.returned() >= 6 && progress.delivered() > 20;
    let report = load(options(at(server().await, "/events")), 5, enough).await;
    let refused = "a stream that ended at once; 3 of 5 clients had nothing else; --allow-refusals takes them";
    assert!(matches!(&*report.findings, [one] if one.ends_with(refused)), "{}", report.text());
    assert!(report.refusals["full"] >= 6 && report.never_served == 3, "{}", report.text());
    assert!(report.text().contains(" `full`; 3 clients had nothing else\n"), "{}", report.text());
    let report = load_with(options(at(server().await, "/events")), 5, true, enough).await;
    assert!(report.is_clean() && report.never_served == 3, "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_stream_that_tells_an_update_or_a_position_is_no_refusal() {
    for said in ["event: up\ndata: {\"n\":5}\n\n", "id: 5\nevent: beat\ndata: {}\n\n"] {
        let address = serve(move |mut asked| async move {
            asked.say(&format!("{STREAM}retry: 100\n{said}")).await;
        })
        .await;
        let report = load(options(at(address, "/events")), 2, |progress| progress.returned() > 2).await;
        assert!(report.refusals.is_empty() && report.ended > 1, "{said}: {}", report.text());
    }
}
