//! The kit against a server that keeps every rule, and against one that breaks exactly one: each fault is found, and no other.

#![allow(clippy::disallowed_methods, reason = "tests are shell")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test, and says where")]

mod load;
mod odd;
mod redirects;
mod scripted;
mod server;

use std::sync::Arc;
use std::time::Duration;

use server::{Fault, LIMIT, SESSION, Server};
use sse_check::cases::CASES;
use sse_check::options::{Action, Options};
use sse_check::report::{Outcome, Report};
use sse_check::target::Target;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Runs at once: they mostly wait.
const AT_ONCE: usize = 64;

/// Every fault, the cases that must find it, and the only cases to run where others cannot work beside it.
const FAULTS: &[(Fault, &[&str], &[&str])] = &[
    (Fault::None, &[], &[]),
    (Fault::Status, &["status"], &[]),
    (Fault::WrongType, &["content-type"], &[]),
    (Fault::WrongCharset, &["content-type"], &[]),
    (Fault::NoCacheControl, &["cache-control"], &[]),
    (Fault::Length, &["no-length"], &[]),
    (Fault::HeaderTwice, &["single-headers"], &[]),
    (Fault::HopByHop, &["hop-by-hop"], &[]),
    (Fault::BrokenChunk, &["framing"], &[]),
    (Fault::LateFirstByte, &["first-byte"], &[]),
    (Fault::InvalidUtf8, &["utf-8"], &[]),
    (Fault::ByteOrderMark, &["utf-8"], &[]),
    (Fault::LoneCr, &["line-ends"], &[]),
    (Fault::UnknownField, &["fields"], &[]),
    (Fault::BadRetry, &["retry-digits"], &[]),
    (Fault::NoRetry, &["retry"], &[]),
    (Fault::NoIds, &["ids"], &[]),
    (Fault::NulInId, &["id-bytes"], &[]),
    (Fault::WideId, &["id-bytes"], &[]),
    (Fault::IdWithoutData, &["blocks"], &[]),
    (Fault::CommentHeartbeat, &["heartbeat"], &[]),
    (Fault::Compressed, &["compression"], &[]),
    (Fault::BodyToHead, &["head"], &[]),
    (Fault::OptionsFails, &["options"], &[]),
    (Fault::OptionsHangs, &["options"], &[]),
    (Fault::NoAllow, &["other-methods"], &[]),
    (Fault::BodyReadAsRequest, &["keep-alive"], &[]),
    (Fault::SecondRequestLost, &["pipelining"], &[]),
    (Fault::ChunksForOld, &["http-1.0"], &[]),
    (Fault::NoAbsoluteForm, &["absolute-form"], &[]),
    (Fault::ChunkedFails, &["chunked-request"], &[]),
    (Fault::OneRead, &["byte-by-byte"], &[]),
    (Fault::OddIdRefused, &["hostile-ids"], &[]),
    (Fault::LongIdRefused, &["hostile-ids"], &[]),
    (Fault::UnknownIdSilent, &["hostile-ids"], &["hostile-ids"]),
    (Fault::UnknownIdIgnored, &["unknown-id"], &[]),
    (Fault::ResumeLoses, &["resume"], &[]),
    (Fault::ResumeRepeats, &["resume"], &[]),
    (Fault::ResumeSwaps, &["resume"], &[]),
    (Fault::RefusedWithStatus, &["refusal"], &[]),
    (Fault::RefusedWithoutRetry, &["refusal"], &[]),
    (Fault::RefusedWithClose, &["refusal"], &[]),
    // Nothing works after it.
    (Fault::SlotsStay, &["slots"], &["slots"]),
    (Fault::OneStallsAll, &["slow-reader"], &["slow-reader"]),
    (Fault::DropsWhenFull, &["slow-reader"], &["slow-reader"]),
    (Fault::ClosesSome, &["churn"], &["churn"]),
    (Fault::EndsCut, &["ending"], &[]),
    (Fault::EndsUnfinished, &["ending"], &[]),
    (Fault::EndsWithoutRetry, &["ending-retry"], &[]),
    (Fault::StopsCut, &["shutdown"], &[]),
];

async fn check(fault: Fault, only: &[&str]) -> Report {
    let server = Server::start(fault).await;
    let target = Target::parse(&format!("http://{}/events", server.address)).unwrap();
    let stop = Arc::clone(&server.stop);
    // What does not come is waited for, ten times as long where other things do.
    let waits = matches!(fault, Fault::OptionsHangs | Fault::ResumeLoses | Fault::ResumeRepeats);
    let options = Options {
        timeout: Duration::from_secs(if waits { 2 } else { 4 }),
        listen: Duration::from_millis(900),
        first_byte: Duration::from_millis(500),
        update_event: Some("update".into()),
        id_fields: vec!["/n".into()],
        cuts: 8,
        cut_bytes: 1000,
        connections: u32::try_from(LIMIT).unwrap() + 4,
        stall: Duration::from_millis(600),
        churn: 60,
        churn_concurrency: 2,
        max_session: Some(SESSION),
        shutdown: Some(Action::Call(Arc::new(move || stop.send(true).unwrap_or_default()))),
        only: only.iter().map(|name| (*name).to_owned()).collect(),
        ..Options::new(vec![target])
    };
    sse_check::run(options, |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_found_and_no_other() {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    for (fault, expected, only) in FAULTS {
        let room = Arc::clone(&room);
        runs.spawn(async move {
            let _turn = room.acquire().await.unwrap();
            (fault, expected, only, check(*fault, only).await)
        });
    }
    let mut wrong = Vec::new();
    for (fault, expected, only, mut report) in runs.join_all().await {
        // Fifty at once on a machine that has something else to do: what a few of them were too late for is tried alone.
        if report.failed() != **expected {
            report = check(*fault, only).await;
        }
        if report.failed() != **expected {
            let said: Vec<String> = report
                .cases
                .iter()
                .filter(|case| case.outcome == Outcome::Failed)
                .map(|case| case.text(false))
                .collect();
            wrong.push(format!("{fault:?}: expected {expected:?}, found {:?}\n{}", report.failed(), said.concat()));
        }
        if *fault == Fault::None {
            let skipped = report.cases.iter().filter(|case| case.outcome == Outcome::Skipped);
            assert_eq!(skipped.map(|case| case.text(false)).collect::<String>(), "", "a case could not be tried");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_has_a_fault_that_it_finds() {
    for case in CASES {
        assert!(FAULTS.iter().any(|(_, expected, _)| expected.contains(&case.name)), "{}", case.name);
    }
    for (index, case) in CASES.iter().enumerate() {
        assert!(CASES[..index].iter().all(|other| other.name != case.name), "`{}` is there twice", case.name);
    }
}
