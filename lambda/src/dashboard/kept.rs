//! Sums of old hours, read for a history.

use contract::{limits, logs};
use stream_core::filter::Filter;
use stream_core::past::Past;
use stream_core::shelf::{Head, Scope};
use tokio::time::timeout;

use crate::store::{Hours, StoreError};

/// Reads what is kept of the hours of a past, newest first, and as much as may be read for one answer. Returns whether everything that is
/// there was read: what could not be is left out, and what there is of it is said in the log.
pub(super) async fn fill(past: &mut Past, hours: &dyn Hours, scope: Scope, labels: usize, filter: &Filter) -> bool {
    let read = timeout(limits::STORE_TIMEOUT, read(past, hours, scope, labels, filter)).await;
    let read =
        read.unwrap_or_else(|_| Err(StoreError::Unavailable(format!("not read after {:?}", limits::STORE_TIMEOUT))));
    read.unwrap_or_else(|error| {
        let kind = error.kind();
        tracing::warn!(message = logs::ROLLUPS_FAIL, kind, %error);
        false
    })
}

async fn read(
    past: &mut Past,
    hours: &dyn Hours,
    scope: Scope,
    labels: usize,
    filter: &Filter,
) -> Result<bool, StoreError> {
    let range = past.hours();
    if range.is_empty() {
        return Ok(true);
    }
    let mut heads = hours.heads(scope, range.start, range.end - 1).await?.heads;
    heads.retain(|head| head.version.is_some());
    heads.reverse();
    let (mut left, mut is_whole, mut heads) = (limits::HISTORY_BYTES_MAX, true, &heads[..]);
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
