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
use stream::{Failure, Stream};
use target::REDIRECTS_MAX;
use tokio::sync::OnceCell;

/// Runs the chosen cases in order and hands each result over when it is there. Redirects are followed once, before: the cases ask where they
/// led, because most of them look at single answers.
///
/// # Errors
/// [`Failure`] where the first URL does not answer at all: then there is nothing to check.
pub async fn run(mut options: Options, mut done: impl FnMut(&CaseReport)) -> Result<Report, Failure> {
    let began = Instant::now();
    let asked = options.targets.clone();
    let mut first = follow(&mut options, 0).await?;
    for (n, target) in asked.iter().enumerate().skip(1) {
        // What is wrong with one of the others is what cases find.
        if follow(&mut options, n).await.is_err() {
            options.targets[n].clone_from(target);
        }
    }
    let led = asked.iter().zip(&options.targets).filter(|(asked, target)| asked != target);
    let redirects = led.map(|(asked, target)| (asked.url(), target.url())).collect();
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
    Ok(Report { urls, redirects, cases, milliseconds: report::milliseconds(began.elapsed()) })
}

/// Asks a URL, and puts the one in its place that redirects lead to.
async fn follow(options: &mut Options, n: usize) -> Result<Stream, Failure> {
    for _ in 0..=REDIRECTS_MAX {
        let stream = options.request(n).send().await?;
        let Some(location) = stream.head.redirect() else { return Ok(stream) };
        options.targets[n] = options.targets[n].redirected(&location).map_err(Failure::Redirect)?;
    }
    Err(Failure::Redirect(format!("it comes after {REDIRECTS_MAX} others")))
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
