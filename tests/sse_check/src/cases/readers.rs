//! Readers that read slowly, or not at all.

use std::time::{Duration, Instant};

use super::observer::Observer;
use super::{Context, Verdict};
use crate::stream::{End, Stream};
use crate::wire::Shape;

/// Receive buffer of a slow reader, bytes: the smallest that systems give.
const RECEIVE_BUFFER_BYTES: u32 = 4096;
/// Readers that stall at once.
const STALLED: usize = 4;
/// Growth of memory that may have any reason, bytes.
const GROWTH_BYTES_FREE: u64 = 8 << 20;
/// Bytes read one by one.
const SINGLE_BYTES: u64 = 400;

/// Anomalies that the first stream did not have.
fn news(context: &Context, stream: &Stream) -> Vec<String> {
    let known = &context.sample.decoder.anomalies;
    let new = stream.decoder.anomalies.iter().filter(|(kind, _)| !known.contains_key(kind));
    let mut found: Vec<String> = new.map(|(kind, samples)| format!("{kind:?}: {}", samples.join(", "))).collect();
    if let Some(End::Broken(why)) = &stream.end {
        found.push(why.clone());
    }
    found
}

pub(super) async fn byte_by_byte(context: &Context) -> Verdict {
    let options = &context.options;
    let mut request = options.request(0);
    request.shape = Shape { receive_buffer: Some(RECEIVE_BUFFER_BYTES), read_bytes: 1, ..request.shape };
    let mut connection = match request.connect().await {
        Ok(connection) => connection,
        Err(failure) => return Verdict::found(failure.to_string()),
    };
    for byte in request.bytes() {
        if let Err(error) = connection.write(&[byte]).await {
            return Verdict::found(format!("while the request was written: {error}"));
        }
        tokio::task::yield_now().await;
    }
    let mut stream = match request.answer(connection, Instant::now()).await {
        Ok(stream) => stream,
        Err(failure) => return Verdict::found(failure.to_string()),
    };
    if !stream.head.is_stream() {
        return Verdict::found(format!("status {}", stream.head.status));
    }
    stream.until(options.listen.min(options.timeout), |stream| stream.bytes >= SINGLE_BYTES).await;
    Verdict::of(news(context, &stream))
}

pub(super) async fn slow_reader(context: &Context) -> Verdict {
    let options = &context.options;
    let observer = match Observer::start(context).await {
        Ok(observer) => observer,
        Err(verdict) => return verdict,
    };
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        let mut request = options.request(0);
        request.shape = Shape { receive_buffer: Some(RECEIVE_BUFFER_BYTES), ..request.shape };
        match request.send().await {
            Ok(stream) if stream.head.is_stream() => stalled.push(stream),
            Ok(stream) => {
                return Verdict::skipped(format!("no room for {STALLED} readers: status {}", stream.head.status));
            }
            Err(failure) => return Verdict::found(failure.to_string()),
        }
    }
    let (memory, before) = (options.pid.and_then(resident), observer.seen());
    let began = Instant::now();
    // What is in flight when the readers stall still arrives; the second half shows who is held up.
    let mut half = None;
    while began.elapsed() < options.stall {
        if began.elapsed() > options.stall / 2 {
            half.get_or_insert_with(|| observer.seen().bytes);
        }
        if let Some(action) = &options.trigger
            && let Err(why) = action.run().await
        {
            return Verdict::skipped(why);
        }
        tokio::time::sleep((options.stall / 20).min(Duration::from_millis(100))).await;
    }
    let (after, grown) = (observer.seen(), options.pid.and_then(resident));
    let flowed = after.bytes - before.bytes;
    let halves = options.stall.div_duration_f64(options.listen.max(Duration::from_millis(1)) * 2);
    let expected = context.sample.decoder.events().count() as f64 * halves;
    let mut found = Vec::new();
    if let Some(failure) = &after.failure {
        found.push(format!("while readers stalled, another stream broke off: {failure}"));
    } else if expected > 3.0 && half == Some(after.bytes) {
        found.push(format!("while {STALLED} readers stalled, another one got nothing in {:?}", options.stall / 2));
    }
    if let (Some(memory), Some(grown)) = (memory, grown) {
        let growth = grown.saturating_sub(memory);
        if growth > GROWTH_BYTES_FREE && growth > flowed * STALLED as u64 / 2 {
            found.push(format!("{STALLED} readers that did not read {flowed} bytes cost {growth} bytes of memory"));
        }
    }
    let mut lag = 0;
    for mut stream in stalled {
        stream.until(options.stall.min(options.timeout), |stream| stream.bytes >= flowed).await;
        lag += u64::from(stream.end.is_some());
        found.extend(news(context, &stream));
    }
    match Verdict::of(found) {
        Verdict::Passed(_) => {
            Verdict::passed(format!("{flowed} bytes flowed by; {lag} of {STALLED} streams were ended"))
        }
        verdict => verdict,
    }
}

/// Resident memory of a process, bytes; `None` where the system does not say.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
