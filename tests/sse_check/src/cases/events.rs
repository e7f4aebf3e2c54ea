//! What the first stream said while it was listened to.

use std::time::Duration;

use super::{Context, Verdict};
use crate::decode::{Anomaly, Item, shown};
use crate::stream::End;

/// Longest id that comes back through everybody's header limits, bytes.
const ID_BYTES_MAX: usize = 1024;

fn anomalies(context: &Context, kinds: &[Anomaly]) -> Verdict {
    let found = kinds.iter().filter_map(|kind| context.sample.decoder.anomalies.get(kind));
    Verdict::of(found.flatten().cloned().collect())
}

pub(super) fn first_byte(context: &Context) -> Verdict {
    let limit = context.options.first_byte;
    match context.sample.first_byte {
        Some(at) if at <= limit => Verdict::passed(format!("after {at:.1?}")),
        Some(at) => Verdict::found(format!("it came after {at:.1?}; the limit is {limit:?}")),
        None => Verdict::found(format!("none came in {:?}", context.options.listen)),
    }
}

pub(super) fn utf_8(context: &Context) -> Verdict {
    anomalies(context, &[Anomaly::InvalidUtf8, Anomaly::ByteOrderMark, Anomaly::LongLine])
}

pub(super) fn line_ends(context: &Context) -> Verdict {
    anomalies(context, &[Anomaly::MixedLineEnds])
}

pub(super) fn fields(context: &Context) -> Verdict {
    anomalies(context, &[Anomaly::UnknownField])
}

pub(super) fn retry_digits(context: &Context) -> Verdict {
    anomalies(context, &[Anomaly::BadRetry])
}

pub(super) fn blocks(context: &Context) -> Verdict {
    anomalies(context, &[Anomaly::NoData])
}

pub(super) fn retry(context: &Context) -> Verdict {
    let mut delays = context.sample.decoder.items.iter().filter_map(|timed| match timed.item {
        Item::Retry(delay) => Some(delay),
        _ => None,
    });
    match delays.next() {
        Some(delay) => Verdict::passed(format!("{delay} ms")),
        // A value that is no number is another case's business.
        None if context.sample.decoder.anomalies.contains_key(&Anomaly::BadRetry) => Verdict::Passed(None),
        None => Verdict::found(format!("no `retry` in {:?}", context.options.listen)),
    }
}

pub(super) fn ids(context: &Context) -> Verdict {
    let (options, sample) = (&context.options, &context.sample);
    let mut events: Vec<_> = sample.decoder.events().map(|(_, event)| event).collect();
    if sample.end == Some(End::Clean) {
        // A farewell has no id: the client comes back with the one before.
        events.pop();
    }
    let counts = |name: &str| options.update_event.as_deref().is_none_or(|wanted| wanted == name);
    // An id that was there and ignored is another case's business.
    if sample.decoder.anomalies.contains_key(&Anomaly::NulInId) {
        return Verdict::skipped("there are ids with NUL, which clients ignore");
    }
    let mut without: Vec<&str> =
        events.iter().filter(|e| e.own_id.is_none() && counts(&e.name)).map(|e| &*e.name).collect();
    let total = without.len();
    without.sort_unstable();
    without.dedup();
    if events.is_empty() {
        return Verdict::skipped(format!("no event came in {:?}", options.listen));
    }
    Verdict::of(
        without.iter().map(|name| format!("type `{name}` has none ({total} of {} events)", events.len())).collect(),
    )
}

pub(super) fn id_bytes(context: &Context) -> Verdict {
    let ids = context.sample.decoder.events().filter_map(|(_, event)| event.own_id.as_deref());
    let long = ids.filter(|id| id.len() > ID_BYTES_MAX).map(|id| format!("{} bytes: {}", id.len(), shown(id))).take(3);
    let long: Vec<String> = long.collect();
    match anomalies(context, &[Anomaly::NulInId, Anomaly::UnsafeId]) {
        Verdict::Found(found) => Verdict::Found([found, long].concat()),
        _ => Verdict::of(long),
    }
}

pub(super) fn heartbeat(context: &Context) -> Verdict {
    let (options, decoder) = (&context.options, &context.sample.decoder);
    let events: Vec<(Duration, &str)> = decoder.events().map(|(at, event)| (at, &*event.name)).collect();
    let is_heartbeat = |name: &str| match &options.heartbeat_event {
        Some(wanted) => wanted == name,
        None => ["heartbeat", "ping", "keepalive", "keep-alive", "keep_alive"].contains(&name),
    };
    let first = events.first().map_or(Duration::ZERO, |(at, _)| *at);
    let comments = decoder.items.iter().filter(|timed| timed.item == Item::Comment && timed.at > first).count();
    let beats = events.iter().filter(|(_, name)| is_heartbeat(name)).count();
    // The one that greets a client is no sign of life later on.
    if beats > 1 || beats == 1 && comments == 0 {
        return Verdict::Passed(None);
    }
    if let Some(wanted) = &options.heartbeat_event {
        return Verdict::found(format!("{beats} `{wanted}` events and {comments} comments in {:?}", options.listen));
    }
    if comments > 0 {
        return Verdict::found(format!("{comments} comments, which pages do not see, and no event that serves as one"));
    }
    if events.is_empty() {
        return Verdict::found(format!("nothing at all in {:?}", options.listen));
    }
    Verdict::passed("no comments; no event with a name known for this: see --heartbeat-event")
}
