//! Checks any server-sent-events endpoint from the outside: URLs in, a report out.
//!
//! It speaks HTTP/1.1 itself and decodes the stream itself, so that nothing between the server and the rule hides what the
//! server did. It must not know anything about the program behind the URL, and must not need its help, except where an
//! option says how updates are told apart, caused or ended.

#![allow(clippy::disallowed_methods, reason = "a tool that measures: it reads the clock and files of /proc")]

pub mod cases;
pub mod decode;
pub mod load;
pub mod options;
pub mod report;
pub mod stream;
pub mod target;
pub mod wire;

use std::time::Instant;

use cases::{CASES, Case, Check, Context, Verdict};
use options::Options;
use report::{CaseReport, Report};
use stream::Failure;
use tokio::sync::OnceCell;

/// Runs the chosen cases in order and hands each result over when it is there.
///
/// # Errors
/// [`Failure`] where the first URL does not answer at all: then there is nothing to check.
pub async fn run(options: Options, mut done: impl FnMut(&CaseReport)) -> Result<Report, Failure> {
    let began = Instant::now();
    let mut first = options.request(0).send().await?;
    // The first stream is what most cases look at.
    match first.head.is_stream() {
        true if options.wants_sample() => first.listen(options.listen).await,
        true => drop(first.first_event(options.listen.min(options.timeout)).await),
        false => {}
    }
    let urls = options.targets.iter().map(target::Target::url).collect();
    let context = Context { options, sample: first.into(), ended: OnceCell::new() };
    let mut cases = Vec::new();
    for case in CASES.iter().filter(|case| context.options.wants(case.name)) {
        let began = Instant::now();
        let verdict = check(case, &context).await;
        let report = CaseReport::new(case, verdict, began.elapsed());
        done(&report);
        cases.push(report);
    }
    Ok(Report { urls, cases, milliseconds: report::milliseconds(began.elapsed()) })
}

async fn check(case: &Case, context: &Context) -> Verdict {
    if case.needs_stream && !context.sample.head.is_stream() {
        return Verdict::Skipped("the answer is no event stream".into());
    }
    match case.check {
        Check::Sample(check) => check(context),
        Check::Active(check) => check(context).await,
    }
}
