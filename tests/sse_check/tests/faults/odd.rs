//! Answers that are allowed and rare, to a single client and to many.

use std::time::Duration;

use sse_check::load::{Load, LoadReport, Run};
use sse_check::options::Options;
use sse_check::report::Report;
use sse_check::target::Target;

use crate::scripted::{STREAM, at, serve};

/// What is told of a server whose updates are `up` events with a number.
fn options(target: Target) -> Options {
    Options {
        timeout: Duration::from_secs(4),
        listen: Duration::from_millis(300),
        update_event: Some("up".into()),
        id_fields: vec!["/n".into()],
        ..Options::new(vec![target])
    }
}

/// So many clients for so long.
async fn load(options: Options, clients: usize, time: Duration) -> LoadReport {
    let load = Load { clients, ramp: Duration::ZERO, time_field: "/at".into() };
    let run = tokio::task::spawn_blocking(move || {
        let mut run = Run::new(&options, &load).unwrap();
        run.until(time, |_| false).unwrap();
        let owed = run.settle(options.timeout).unwrap();
        run.report(&owed)
    });
    run.await.unwrap()
}

/// Only these cases.
async fn cases(options: Options, only: &[&str]) -> Report {
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    sse_check::run(Options { only, ..options }, |_| {}).await.unwrap()
}

/// Updates from 1 on, one every 20 ms.
async fn count(asked: &mut crate::scripted::Asked) {
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
    let report = load(options(at(address, "/events")), 3, Duration::from_millis(500)).await;
    assert!(report.is_clean() && report.delivered > 3, "{}", report.text());
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
    let report = load(options(at(address, "/events")), 4, Duration::from_millis(600)).await;
    assert_eq!((report.updates, report.delivered, report.doubled), (3, 16, 4), "{}", report.text());
    assert_eq!((report.delivery.count, report.spread.count), (12, 9), "{}", report.text());
    let longest = Duration::from_micros(report.spread.max_us);
    assert!(longest < Duration::from_millis(250), "{}", report.text());
    let report = load(options(at(address, "/events")), 1, Duration::from_millis(50)).await;
    assert_eq!((report.updates, report.delivery.count, report.spread.count), (2, 2, 0), "{}", report.text());
    assert!(report.text().contains("delivery") && !report.text().contains("spread"), "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_in_the_report_does_not_touch_its_figures() {
    let address = serve(|mut asked| async move {
        asked.say(&format!("{STREAM}event: weather_forecast_of_tomorrow\nid: 1\ndata: 1\n\n")).await;
        asked.stay().await;
    })
    .await;
    let report = load(options(at(address, "/events")), 2, Duration::from_millis(50)).await;
    let text = report.text();
    assert!(text.contains("  first `weather_forecast_of_tomorrow`, 2 clients p50 "), "{text}");
    assert!(text.contains("  first byte                      p50 "), "{text}");
}
