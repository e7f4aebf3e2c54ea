//! Many clients at once against the same faults: what is lost and what is doubled is found, and nothing else.

use std::time::Duration;

use sse_check::load::{Load, LoadReport, Run};
use sse_check::options::Options;
use sse_check::target::Target;

use crate::server::{Fault, LIMIT, Server};

/// A machine may be slow; whoever waits that long waits for what does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Sessions of the server last a second, and clients come back after three: each comes back once.
const RETURNS: u64 = 6;

async fn check(fault: Fault, clients: usize, returns: u64, failures: u64) -> LoadReport {
    let server = Server::start(fault).await;
    let target = Target::parse(&format!("http://{}/events", server.address)).unwrap();
    let options = Options {
        timeout: PATIENCE,
        update_event: Some("update".into()),
        id_fields: vec!["/n".into()],
        ..Options::new(vec![target])
    };
    let load = Load { clients, ramp: Duration::from_millis(100), time_field: "/at".into(), allows_refusals: false };
    let run = tokio::task::spawn_blocking(move || {
        let mut run = Run::new(&options, &load).unwrap();
        let mut delivered = None;
        // All came back, and there was something to hear after that.
        let enough = run.until(PATIENCE, |progress| {
            let heard = progress.delivered();
            progress.returned() >= returns
                && progress.failed() >= failures
                && *delivered.get_or_insert(heard) + 10 < heard
        });
        let owed = run.settle(Duration::from_secs(2)).unwrap();
        let report = run.report(&owed);
        assert!(enough.unwrap(), "{}", report.text());
        report
    });
    run.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_client_has_once_is_clean_across_returns() {
    let report = check(Fault::None, 6, RETURNS, 0).await;
    assert!(report.is_clean(), "{}", report.text());
    assert!(report.ended >= RETURNS && report.owed > 0, "{}", report.text());
    assert_eq!((report.lost, report.doubled, report.time_field), (0, 0, None));
    assert_eq!(report.first_event["update"].count, 6);
    assert_eq!(report.spread.count, report.delivered - report.updates);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_returning_client_is_not_given_is_lost() {
    let report = check(Fault::ResumeLoses, 6, RETURNS, 0).await;
    // One at each return, by each client.
    assert!(report.lost >= RETURNS && report.doubled == 0, "{}", report.text());
    assert!(
        matches!(&*report.findings, [lost] if lost.contains(" updates lost, by 6 of 6 clients")),
        "{}",
        report.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_returning_client_is_given_again_is_doubled() {
    let report = check(Fault::ResumeRepeats, 6, RETURNS, 0).await;
    assert!(report.doubled >= RETURNS && report.lost == 0, "{}", report.text());
    assert!(matches!(&*report.findings, [twice] if twice.contains(" came twice to a client")), "{}", report.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_and_a_client_that_is_refused_are_found() {
    let report = check(Fault::EndsCut, 6, RETURNS, 0).await;
    assert!(report.findings.iter().any(|found| found.contains("a stream broke off")), "{}", report.text());
    let report = check(Fault::RefusedWithStatus, LIMIT + 3, 0, 3).await;
    let refused = "3 times: refused: status 503, Content-Type ``";
    assert!(report.findings.iter().any(|found| found == refused), "{}", report.text());
    assert!(report.findings.iter().any(|found| found.starts_with("3 of 11 clients never")), "{}", report.text());
}
