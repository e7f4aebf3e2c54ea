//! What each event says, as JSON on one line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use contract::{DataSettings, Label, Tag, events};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::about::AboutFields;
use crate::cursor::{MetricsMark, ResetReason};
use crate::encode::{event_body, write_event_body};
use crate::item::Item;
use crate::numbers::Numbers;
use crate::timestamp::Timestamp;

/// Why a stream ends as planned; the words of the `deadline` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The session has lasted as long as sessions may.
    Session,
    /// The invocation's deadline is near.
    Deadline,
    /// The process was told to stop.
    Shutdown,
    /// What the caller identified themselves with holds no longer.
    TokenExpired,
    /// The configuration that the stream follows is gone.
    ConfigurationDeleted,
}

impl EndReason {
    /// The word for the `deadline` event.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Deadline => "deadline",
            Self::Shutdown => "shutdown",
            Self::TokenExpired => "token_expired",
            Self::ConfigurationDeleted => "configuration_deleted",
        }
    }
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, finite numbers and string-keyed maps always serialise")
}

#[derive(serde::Serialize)]
struct Heartbeat<'a> {
    timestamp: Timestamp,
    connections: u32,
    uptime_seconds: u64,
    stream_id: &'a str,
}

/// Body of `heartbeat`.
#[must_use]
pub fn heartbeat(timestamp: Timestamp, connections: u32, uptime: Duration, stream_id: &str) -> Bytes {
    let data = Heartbeat { timestamp, connections, uptime_seconds: uptime.as_secs(), stream_id };
    event_body(events::HEARTBEAT, &to_json(&data))
}

/// Body of `reset`.
#[must_use]
pub fn reset(reason: ResetReason) -> Bytes {
    event_body(events::RESET, &to_json(&BTreeMap::from([("reason", reason.as_str())])))
}

#[derive(serde::Serialize)]
struct Deadline {
    reason: &'static str,
    reconnect_ms: u64,
}

/// Body of `deadline`. `reconnect_ms` is milliseconds, the same as the `retry:` before it.
#[must_use]
pub fn deadline(reason: EndReason, reconnect_ms: u64) -> Bytes {
    event_body(events::DEADLINE, &to_json(&Deadline { reason: reason.as_str(), reconnect_ms }))
}

#[derive(serde::Serialize)]
struct Overloaded {
    detail: &'static str,
    max_connections: u32,
    retry_after_ms: u64,
}

/// Body of `overloaded`.
#[must_use]
pub fn overloaded(max_connections: u32, retry_after_ms: u64) -> Bytes {
    let data = Overloaded { detail: LIMIT_REACHED, max_connections, retry_after_ms };
    event_body(events::OVERLOADED, &to_json(&data))
}

/// What a refused client reads.
pub const LIMIT_REACHED: &str = "Connection limit reached. Try again later.";

/// What an update says of its item, beside its ticker.
#[derive(Debug, serde::Serialize)]
struct Analysis<'a> {
    /// Left out where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// One of the table's labels.
    label: &'a str,
    /// Left out where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    /// Left out where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    /// RFC 3339, UTC, milliseconds.
    timestamp: Timestamp,
    /// What the item is about.
    #[serde(flatten)]
    about: AboutFields<'a>,
}

impl<'a> Analysis<'a> {
    fn of(data: &'a DataSettings, item: &'a Item) -> Self {
        Self {
            score: item.score,
            label: data.labels.as_slice().get(usize::from(item.label)).map_or("", Label::as_str),
            confidence: item.confidence,
            source: item.source.as_deref(),
            timestamp: item.at,
            about: AboutFields::new(data, item.about.as_deref()),
        }
    }
}

/// Data of the update event.
#[derive(serde::Serialize)]
struct Update<'a> {
    item_id: &'a str,
    /// `null` where the row has none.
    ticker: Option<&'a str>,
    #[serde(flatten)]
    analysis: Analysis<'a>,
}

/// Writes the update event for one ticker of an item, or for an item without any.
pub fn write_update(out: &mut BytesMut, data: &DataSettings, item: &Item, tag_index: usize) {
    let update = Update {
        item_id: &item.key.id,
        ticker: item.tags.get(tag_index).map(Tag::as_str),
        analysis: Analysis::of(data, item),
    };
    write_event_body(out, data.update_event.as_str(), &to_json(&update));
}

/// Data of `metrics`; label numbers are keys beside the fixed ones.
pub struct Metrics<'a, R = ()> {
    /// The labels, in order.
    pub labels: &'a [Label],
    /// The numbers.
    pub numbers: &'a Numbers,
    /// When they held; `None` leaves it out, which is how two sets of numbers are compared.
    pub timestamp: Option<Timestamp>,
    /// Newest items, for the REST answer only.
    pub recent: Option<R>,
}

impl<R: Serialize> Serialize for Metrics<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("total", &self.numbers.total)?;
        for (label, count) in self.labels.iter().zip(&self.numbers.by_label) {
            map.serialize_entry(label.key(), count)?;
        }
        map.serialize_entry("by_tag", &ByTag(&self.numbers.by_tag))?;
        if self.numbers.tags_left_out > 0 {
            map.serialize_entry("tags_left_out", &self.numbers.tags_left_out)?;
        }
        map.serialize_entry("rate_last_hour", &self.numbers.last_hour)?;
        map.serialize_entry("rate_last_24h", &self.numbers.total)?;
        if let Some(timestamp) = self.timestamp {
            map.serialize_entry("timestamp", &timestamp)?;
        }
        if let Some(recent) = &self.recent {
            map.serialize_entry("recent_items", recent)?;
        }
        map.end()
    }
}

/// Serde shares no `Arc` unless told to, for all crates at once.
struct ByTag<'a>(&'a BTreeMap<Arc<Tag>, u32>);

impl Serialize for ByTag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(tag, rows)| (&**tag, rows)))
    }
}

/// The `metrics` event, encoded once for all who get the same numbers.
#[derive(Clone, Debug)]
pub struct MetricsFrame {
    /// Event name and data.
    pub body: Bytes,
    /// What ids carry of it.
    pub mark: MetricsMark,
    /// Hash of the numbers, for comparing within one instance.
    pub hash: [u8; 32],
}

impl MetricsFrame {
    /// Encodes the numbers.
    #[must_use]
    pub fn new(labels: &[Label], numbers: &Numbers, timestamp: Timestamp) -> Self {
        use sha2::Digest;
        let metrics: Metrics<'_> = Metrics { labels, numbers, timestamp: None, recent: None };
        let mut json = to_json(&metrics);
        let hash: [u8; 32] = sha2::Sha256::digest(&json).into();
        // The time is its last entry: the numbers, which take most of it, are written once.
        json.truncate(json.len() - 1);
        json.push_str(&format!(",\"timestamp\":{}}}", to_json(&timestamp)));
        // Zeros say that no metrics were sent yet.
        let mark = match [hash[0], hash[1], hash[2]] {
            [0, 0, 0] => [0, 0, 1],
            mark => mark,
        };
        Self { body: event_body(events::METRICS, &json), mark, hash }
    }
}

#[cfg(test)]
mod tests {
    use contract::TableName;

    use super::*;
    use crate::about::About;
    use crate::item::tests::item;

    fn check(body: &Bytes, expected: &str) {
        assert_eq!(std::str::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn events_read_as_the_contract_says() {
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        check(
            &heartbeat(Timestamp::from_millis(1), 15, Duration::from_secs(3600), "s1"),
            "event: heartbeat\ndata: {\"timestamp\":\"1970-01-01T00:00:00.001Z\",\"connections\":15,\"uptime_seconds\":3600,\"stream_id\":\"s1\"}\n\n",
        );
        let mut update = BytesMut::new();
        write_update(&mut update, &data, &item("a\n\"", 1, 0, 0.85, &["AAPL"]), 0);
        check(
            &update.freeze(),
            "event: sentiment_update\ndata: {\"item_id\":\"a\\n\\\"\",\"ticker\":\"AAPL\",\"score\":0.85,\"label\":\"positive\",\"confidence\":0.9,\"source\":\"news\",\"timestamp\":\"1970-01-01T00:00:00.001Z\"}\n\n",
        );
        let mut titled = BytesMut::new();
        let data = DataSettings {
            title_attribute: contract::AttributePath::new("headline").ok(),
            show: contract::ShownAttributes::new(vec![contract::AttributePath::new("price").unwrap()]).unwrap(),
            ..data
        };
        let price = crate::about::Decimal::new("12345678901234567890.10").map(crate::about::Shown::Number);
        let about = About { title: Some("Up\n</script>".into()), url: None, shown: [price].into() };
        write_update(&mut titled, &data, &Item { about: Some(Box::new(about)), ..item("a", 1, 0, 0.85, &[]) }, 0);
        check(
            &titled.freeze(),
            "event: sentiment_update\ndata: {\"item_id\":\"a\",\"ticker\":null,\"score\":0.85,\"label\":\"positive\",\"confidence\":0.9,\"source\":\"news\",\"timestamp\":\"1970-01-01T00:00:00.001Z\",\"title\":\"Up\\n</script>\",\"price\":12345678901234567890.10}\n\n",
        );
        check(&reset(ResetReason::Foreign), "event: reset\ndata: {\"reason\":\"foreign\"}\n\n");
        check(
            &deadline(EndReason::Session, 700),
            "event: deadline\ndata: {\"reason\":\"session\",\"reconnect_ms\":700}\n\n",
        );
    }

    #[test]
    fn equal_numbers_have_equal_marks_whatever_the_time() {
        let labels = contract::Labels::default();
        let frame = |total, at| {
            let numbers = Numbers { total, by_label: vec![total, 0, 0], ..Numbers::default() };
            MetricsFrame::new(labels.as_slice(), &numbers, Timestamp::from_millis(at))
        };
        assert_eq!(frame(1, 5).mark, frame(1, 6).mark);
        assert_ne!(frame(1, 5).hash, frame(2, 5).hash);
        check(
            &frame(1, 5).body,
            "event: metrics\ndata: {\"total\":1,\"positive\":1,\"neutral\":0,\"negative\":0,\"by_tag\":{},\"rate_last_hour\":0,\"rate_last_24h\":1,\"timestamp\":\"1970-01-01T00:00:00.005Z\"}\n\n",
        );
    }
}
