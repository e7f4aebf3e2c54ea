//! One server in one scenario: started, filled with clients, listened to, ended.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sse_check::load::{Load, Owed, Run};

use crate::cache::Cache;
use crate::peer::{Peer, Started};
use crate::scenario::Scenario;

/// Longest wait until every client has its stream.
const OPEN_MAX: Duration = Duration::from_secs(90);
/// What that takes after the last connect, with a margin.
const OPEN_USUAL: Duration = Duration::from_secs(5);
/// Time in which what connecting left behind is done.
const SETTLE: Duration = Duration::from_secs(1);
/// Longest wait for what is under way at the end.
const LATE_MAX: Duration = Duration::from_secs(10);

/// Until everybody is back after the end of a segment.
const RETURN_MAX: Duration = Duration::from_secs(5);

/// What was measured once.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Figures {
    /// From the first connect until every client had its greeting, milliseconds; zero where there is none.
    pub(crate) all_greeted_ms: f64,
    /// Resident memory for each connection beyond that of the server without any, bytes.
    pub(crate) connection_bytes: f64,
    /// Resident memory before the first connection, bytes.
    pub(crate) resident_bytes: f64,
    /// Processor time for each update that came to a client, microseconds.
    pub(crate) update_us: f64,
    /// Share of one processor meanwhile, percent.
    pub(crate) processor_percent: f64,
    /// Updates that came to clients, a second.
    pub(crate) updates_per_second: f64,
    /// Bytes of an update's share of the bodies.
    pub(crate) update_bytes: f64,
    /// From the first client that had an update to the last one but one in a hundred, milliseconds.
    pub(crate) spread_p99_ms: f64,
    /// From the time of an item to the last client but one in a hundred, milliseconds.
    pub(crate) delivery_p99_ms: f64,
    /// How much longer that is than the same to a client of the program itself meanwhile, milliseconds; zero where there is nothing between.
    pub(crate) detour_p99_ms: f64,
    /// Requests for a stream that came to the program.
    pub(crate) requests: f64,
    /// Updates that did not come, of a million.
    pub(crate) lost_ppm: f64,
    /// Updates that came again, of a million.
    pub(crate) doubled_ppm: f64,
}

/// Measures once.
#[expect(clippy::cast_precision_loss, reason = "figures of a few digits")]
pub(crate) fn visit(peer: Peer, scenario: &Scenario, is_heard: bool) -> Result<Figures, String> {
    let started = peer.start(scenario, is_heard)?;
    let process = &started.process;
    std::thread::sleep(SETTLE);
    let alone = process.usage()?;
    let clients = scenario.clients;
    let load = Load { clients, ramp: scenario.ramp, time_field: peer.time_field().into(), allows_refusals: false };
    // What is measured lies within a segment, and what happens at its end is counted.
    let segment_end =
        started.cache.as_ref().map(|cache| cache.segment_of(scenario.ramp + OPEN_USUAL + scenario.listen));
    let mut run = Run::new(&started.options, &load)?;
    let greeted = run.until(scenario.ramp + OPEN_MAX, |progress| {
        progress.open == clients && peer.greeting().is_none_or(|name| progress.clients_with(name) == clients as u64)
    })?;
    if !greeted {
        return Err(format!("{} of {clients} clients have a stream after {OPEN_MAX:?}", run.progress().open));
    }
    run.until(SETTLE, |_| false)?;
    let full = process.usage()?;
    run.forget_delivery();
    let (delivered, bytes) = (run.progress().delivered(), run.progress().bytes());
    let direct_p99_us = listen(&mut run, &started, &load, scenario.listen)?;
    let after = process.usage()?;
    let (updates, bytes) = (run.progress().delivered() - delivered, run.progress().bytes() - bytes);
    let times = run.report(&Owed::default());
    if let Some(end) = segment_end {
        run.until(end.saturating_duration_since(Instant::now()) + RETURN_MAX, |_| false)?;
    }
    let owed = run.settle(LATE_MAX)?;
    let report = run.report(&owed);
    if let Some((why, count)) = report.failures.iter().next() {
        return Err(format!("{count} times: {why}"));
    }
    let greeting = peer.greeting().and_then(|name| report.first_event.get(name));
    let (processor, listened) = ((after.processor - full.processor).as_secs_f64(), scenario.listen.as_secs_f64());
    let each = |sum: f64, many: u64| sum / many.max(1) as f64;
    Ok(Figures {
        all_greeted_ms: greeting.map_or(0.0, |times| times.max_us as f64 / 1e3),
        connection_bytes: each(full.resident.saturating_sub(alone.resident) as f64, clients as u64),
        resident_bytes: alone.resident as f64,
        update_us: each(processor * 1e6, updates),
        processor_percent: processor / listened * 100.0,
        updates_per_second: updates as f64 / listened,
        update_bytes: each(bytes as f64, updates),
        spread_p99_ms: times.spread.p99_us as f64 / 1e3,
        delivery_p99_ms: times.delivery.p99_us as f64 / 1e3,
        detour_p99_ms: direct_p99_us.map_or(0.0, |direct| (times.delivery.p99_us as f64 - direct as f64) / 1e3),
        requests: started.cache.as_ref().map_or(Ok(report.connects), Cache::requests)? as f64,
        lost_ppm: each(report.lost as f64 * 1e6, report.owed),
        doubled_ppm: each(report.doubled as f64 * 1e6, report.delivered),
    })
}

/// Listens for so long. Where something stands between, one client listens at the program itself meanwhile: its 99th of 100 times of delivery,
/// microseconds.
fn listen(run: &mut Run, started: &Started, load: &Load, time: Duration) -> Result<Option<u64>, String> {
    let Some(cache) = &started.cache else { return run.until(time, |_| false).map(|_| None) };
    let direct = || -> Result<u64, String> {
        let mut run = Run::new(&cache.behind, &Load { clients: 1, ramp: Duration::ZERO, ..load.clone() })?;
        run.until(time, |_| false)?;
        Ok(run.report(&Owed::default()).delivery.p99_us)
    };
    std::thread::scope(|scope| {
        let direct = scope.spawn(direct);
        run.until(time, |_| false)?;
        direct.join().map_err(|_| "the client beside panicked".to_owned())?.map(Some)
    })
}
