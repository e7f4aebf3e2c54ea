//! Many clients that come, read one event and go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{Context, Verdict};
use crate::options::Options;

/// Open files that may have any other reason.
const FILES_FREE: usize = 8;

/// What one worker saw.
#[derive(Default)]
struct Tally {
    times: Vec<Duration>,
    failures: BTreeMap<String, u32>,
}

pub(super) async fn churn(context: &Context) -> Verdict {
    let options = &context.options;
    if context.sample.decoder.events().next().is_none() {
        return Verdict::skipped("the stream says nothing by itself");
    }
    let files = options.pid.and_then(open_files);
    let began = Instant::now();
    let left = Arc::new(AtomicU32::new(options.churn));
    let workers = (0..options.churn_concurrency).map(|_| tokio::spawn(work(options.clone(), Arc::clone(&left))));
    let mut all = Tally::default();
    for worker in workers.collect::<Vec<_>>() {
        let tally = worker.await.expect("a worker does not panic");
        all.times.extend(tally.times);
        for (why, count) in tally.failures {
            *all.failures.entry(why).or_default() += count;
        }
    }
    let took = began.elapsed();
    let mut found: Vec<String> =
        all.failures.iter().map(|(why, count)| format!("{count} of {}: {why}", options.churn)).collect();
    if let Err(why) = visit(options).await {
        found.push(format!("afterwards an ordinary client: {why}"));
    }
    if let (Some(pid), Some(before)) = (options.pid, files) {
        let settled = Instant::now();
        while open_files(pid).is_some_and(|now| now > before + FILES_FREE) {
            if settled.elapsed() > options.timeout {
                found.push(format!(
                    "the server had {before} files open before, and {} after",
                    open_files(pid).unwrap_or_default()
                ));
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    if !found.is_empty() {
        return Verdict::Found(found);
    }
    all.times.sort_unstable();
    let at = |percent: usize| all.times[(all.times.len() * percent / 100).min(all.times.len() - 1)];
    let per_second = f64::from(options.churn) / took.as_secs_f64();
    Verdict::passed(format!(
        "{} connects in {took:.1?} ({per_second:.0}/s, {} at once); first event p50 {:.1?}, p99 {:.1?}, worst {:.1?}",
        options.churn,
        options.churn_concurrency,
        at(50),
        at(99),
        at(100),
    ))
}

async fn work(options: Options, left: Arc<AtomicU32>) -> Tally {
    let mut tally = Tally::default();
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        match visit(&options).await {
            Ok(time) => tally.times.push(time),
            Err(why) => *tally.failures.entry(why).or_default() += 1,
        }
    }
    tally
}

/// Comes, reads one event and goes; says how long that took.
async fn visit(options: &Options) -> Result<Duration, String> {
    let mut stream = options.request(0).send().await.map_err(|failure| failure.to_string())?;
    if !stream.head.is_stream() {
        return Err(format!("status {}", stream.head.status));
    }
    if stream.first_event(options.timeout).await.is_none() {
        return Err(format!("no event within {:?}", options.timeout));
    }
    let took = stream.sent.elapsed();
    stream.listen(Duration::ZERO).await;
    if stream.end.is_some() {
        return Err("refused: the stream ended after its first event; try a lower --churn-concurrency".into());
    }
    // Half of them say goodbye properly.
    if fastrand::bool() {
        stream.abort();
    }
    Ok(took)
}

/// Files that a process has open; `None` where the system does not say.
fn open_files(pid: u32) -> Option<usize> {
    std::fs::read_dir(format!("/proc/{pid}/fd")).ok().map(Iterator::count)
}
