//! Sums of old hours, read for a history.

use contract::{limits, logs};
use stream_core::filter::Filter;
use stream_core::past::Past;
use stream_core::shelf::{Head, Scope};
use tokio::time::timeout;

use crate::store::{Hours, StoreError};

/// Looks at what is there of the hours of a past, newest first, without its bytes: two looks that are equal are of equal sums. `None` where
/// that cannot be said now.
pub(super) async fn look(past: &Past, hours: &dyn Hours, scope: Scope) -> Option<Vec<Head>> {
    let range = past.hours();
    if range.is_empty() {
        return Some(Vec::new());
    }
    let mut heads = in_time(hours.heads(scope, range.start, range.end - 1)).await?.heads;
    heads.retain(|head| head.version.is_some());
    heads.reverse();
    Some(heads)
}

/// Reads these hours, as much as may be read for one answer. Returns whether everything was read: what could not be is left out, and what
/// there is of it is said in the log.
pub(super) async fn fill(
    past: &mut Past,
    hours: &dyn Hours,
    scope: Scope,
    heads: &[Head],
    labels: usize,
    filter: &Filter,
) -> bool {
    in_time(read(past, hours, scope, heads, labels, filter)).await.unwrap_or(false)
}

/// What came in time and without an error, which the log has.
async fn in_time<T>(read: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    let read = timeout(limits::STORE_TIMEOUT, read).await;
    let read =
        read.unwrap_or_else(|_| Err(StoreError::Unavailable(format!("not read after {:?}", limits::STORE_TIMEOUT))));
    read.inspect_err(|error| {
        let kind = error.kind();
        tracing::warn!(message = logs::ROLLUPS_FAIL, kind, %error);
    })
    .ok()
}

async fn read(
    past: &mut Past,
    hours: &dyn Hours,
    scope: Scope,
    mut heads: &[Head],
    labels: usize,
    filter: &Filter,
) -> Result<bool, StoreError> {
    let (mut left, mut is_whole) = (limits::HISTORY_BYTES_MAX, true);
    while !heads.is_empty() {
        let (some, rest) = heads.split_at(at_once(heads, left.min(limits::HOURS_READ_BYTES_MAX)));
        if some.is_empty() {
            let newest = rest[0].start();
            tracing::warn!(message = logs::ROLLUPS_FAIL, kind = "too large", until = %newest, max = limits::HISTORY_BYTES_MAX);
            return Ok(false);
        }
        let bytes = hours.bytes(scope, some).await?.hours;
        for (head, bytes) in some.iter().zip(bytes) {
            left = left.saturating_sub(head.bytes as usize);
            let taken = head.check(&bytes).and_then(|()| past.take(head.hour, &bytes, labels, filter));
            if let Err(error) = taken {
                tracing::warn!(message = logs::ROLLUP_REFUSED, hour = %head.start(), %error);
                is_whole = false;
            }
        }
        heads = rest;
    }
    Ok(is_whole)
}

/// How many of the first heads have no more bytes than that.
fn at_once(heads: &[Head], bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fits = |head: &&Head| {
        bytes += head.bytes as usize;
        bytes <= bytes_max
    };
    heads.iter().take_while(fits).count()
}
