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
