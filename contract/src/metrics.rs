//! What the functions measure, and what alarms and dashboards look at: one definition for both, so that a metric that one
//! side renames does not compile on the other.

/// What a number counts in, in CloudWatch's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Milliseconds; seconds in Prometheus, which has base units only.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// CloudWatch's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
        }
    }
}

/// How a number behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is added to.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Many measurements, of which the spread matters.
    Distribution,
}

/// What a metric can be told apart by. A closed set: each value is a metric of its own on the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its name in CloudWatch; Prometheus has it in lower case.
    pub name: &'static str,
    /// Every value; the last one takes what is none of the others.
    pub values: &'static [&'static str],
}

/// Name of the dimension that says why.
pub const REASON: &str = "Reason";
/// Name of the dimension that says which event.
pub const EVENT: &str = "Event";
/// Value of every dimension for what has no value of its own.
pub const OTHER: &str = "other";

const REFUSALS: Dimension = Dimension {
    name: REASON,
    values: &["instance_full", "client_full", "bad_request", "unidentified", "no_configuration", "unavailable", OTHER],
};
const RESETS: Dimension = Dimension { name: REASON, values: &["unknown", "foreign", "expired", "overflow", OTHER] };
const ENDS: Dimension = Dimension {
    name: REASON,
    values: &[
        "session",
        "deadline",
        "shutdown",
        "token_expired",
        "configuration_deleted",
        "overflow",
        "goodbye",
        crate::logs::PANIC,
        crate::logs::CLIENT_LEFT,
        OTHER,
    ],
};
const FAILURES: Dimension = Dimension { name: REASON, values: &["throttled", "unavailable", "refused", OTHER] };
/// The update event goes by this name whatever the manifest calls it: a metric must not change its name with a setting.
pub const UPDATE: &str = "update";
const EVENTS: Dimension = Dimension {
    name: EVENT,
    values: &[
        crate::events::HEARTBEAT,
        crate::events::METRICS,
        UPDATE,
        crate::events::RESET,
        crate::events::DEADLINE,
        crate::events::OVERLOADED,
        crate::events::UNAVAILABLE,
        OTHER,
    ],
};

macro_rules! metrics {
    ($($variant:ident = $name:literal, $prometheus:literal, $unit:ident, $kind:ident, $by:expr, $help:literal;)+) => {
        /// One metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric { $(#[doc = $help] $variant),+ }

        impl Metric {
            /// All of them, in the order in which they are written.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in CloudWatch.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Its name in Prometheus' text.
            #[must_use]
            pub const fn prometheus(self) -> &'static str {
                match self { $(Self::$variant => $prometheus),+ }
            }

            /// What it counts in.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit),+ }
            }

            /// How it behaves.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind),+ }
            }

            /// What it can be told apart by.
            #[must_use]
            pub const fn by(self) -> Option<Dimension> {
                match self { $(Self::$variant => $by),+ }
            }

            /// What it means, one sentence.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),+ }
            }
        }
    };
}

metrics! {
    Connections = "Connections", "sse_connections", Count, Gauge, None,
        "Streams open on this instance; in CloudWatch the most since the line before.";
    StreamsOpened = "StreamsOpened", "sse_streams_opened_total", Count, Counter, None,
        "Streams that began.";
    StreamsReturned = "StreamsReturned", "sse_streams_returned_total", Count, Counter, None,
        "Streams whose client presented a cursor, which is to say that it came back.";
    StreamsResumed = "StreamsResumed", "sse_streams_resumed_total", Count, Counter, None,
        "Streams that went on where their client had been.";
    StreamsReset = "StreamsReset", "sse_streams_reset_total", Count, Counter, Some(RESETS),
        "Streams whose client's cursor could not be honoured, by reason.";
    StreamsRefused = "StreamsRefused", "sse_streams_refused_total", Count, Counter, Some(REFUSALS),
        "Requests for a stream that got none, by reason.";
    StreamsEnded = "StreamsEnded", "sse_streams_ended_total", Count, Counter, None,
        "Streams that the function ended; a client that still watches comes back within seconds.";
    SessionSeconds = "SessionSeconds", "sse_session_seconds_total", Seconds, Counter, Some(ENDS),
        "Seconds for which streams that have ended were open, by reason of their end.";
    EventsSent = "EventsSent", "sse_events_sent_total", Count, Counter, Some(EVENTS),
        "Events written, by name.";
    BytesSent = "BytesSent", "sse_sent_bytes_total", Bytes, Counter, None,
        "Bytes of streams handed to the transport, whether anybody read them or not.";
    Lag = "Lag", "sse_lag_seconds", Milliseconds, Distribution, None,
        "Time from a row's timestamp, or from the last read that did not have the row yet where that is later, to the write of a live update.";
    LateUpdates = "LateUpdates", "sse_late_updates_total", Count, Counter, None,
        "Live updates of rows that appeared after a read that should have had them, going by their timestamp.";
    PollDuration = "PollDuration", "sse_poll_duration_seconds", Milliseconds, Distribution, None,
        "Time that a read of the table took, failed ones included.";
    PollsFailed = "PollsFailed", "sse_polls_failed_total", Count, Counter, Some(FAILURES),
        "Reads of the table that failed, by reason.";
    ReadUnits = "ReadUnits", "sse_read_units_total", Count, Counter, None,
        "Read units that reads of the table consumed.";
    RowsLoaded = "RowsLoaded", "sse_rows_loaded_total", Count, Counter, None,
        "Rows read before an instance knew the whole window and had its first numbers.";
    RowsSkipped = "RowsSkipped", "sse_rows_skipped_total", Count, Counter, None,
        "Rows that do not parse, each once for each instance that met it.";
    ValuesSkipped = "ValuesSkipped", "sse_values_skipped_total", Count, Counter, None,
        "Attributes of which something could not be read in rows that parse, each once for each row and instance that met it.";
}

impl Metric {
    /// Where a value stands among those of the metric's dimension; 0 for a metric without one.
    #[must_use]
    pub fn index(self, value: &str) -> usize {
        let Some(dimension) = self.by() else { return 0 };
        let last = dimension.values.len() - 1;
        dimension.values.iter().position(|known| *known == value).unwrap_or(last)
    }

    /// Numbers that the metric consists of, told apart by its dimension.
    #[must_use]
    pub const fn parts(self) -> usize {
        match self.by() {
            Some(dimension) => dimension.values.len(),
            None => 1,
        }
    }
}

/// Time between two lines of metrics of an instance that goes on serving.
pub const FLUSH_INTERVAL: std::time::Duration = std::time::Duration::from_secs(60);
/// Values of one metric in one line, at most (specification of the embedded metric format, "Target members").
pub const VALUES_MAX: usize = 100;
/// Metrics of one line, at most (the same, "MetricDirective object").
pub const METRICS_MAX: usize = 100;

const _: () = assert!(Metric::ALL.len() <= METRICS_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_prometheus_ones_follow_its_rules() {
        for (n, metric) in Metric::ALL.iter().enumerate() {
            for other in &Metric::ALL[n + 1..] {
                assert_ne!(metric.name(), other.name());
                assert_ne!(metric.prometheus(), other.prometheus());
            }
            let name = metric.prometheus();
            assert!(name.starts_with("sse_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind() == Kind::Counter, "{name}");
            if let Some(dimension) = metric.by() {
                assert_eq!(dimension.values.last(), Some(&OTHER), "{name}");
                assert_eq!(metric.kind(), Kind::Counter, "{name}");
            }
        }
    }

    #[test]
    fn what_has_no_value_of_its_own_is_other() {
        assert_eq!(Metric::StreamsReset.index("foreign"), 1);
        assert_eq!(Metric::StreamsReset.index("new word"), 4);
        assert_eq!(Metric::Lag.index("anything"), 0);
    }
}
