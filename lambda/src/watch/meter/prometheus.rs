//! The totals in Prometheus' text format, version 0.0.4.

use std::fmt::{self, Write as _};

use contract::metrics::{Kind, Metric, Unit};

use super::distribution::Distribution;
use super::measurements::Measurements;

/// Media type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric, those that are zero too: a counter that appears with its first event hides that event.
pub(super) fn exposition(connections: u32, total: &Measurements, dropped: u64) -> String {
    let mut out = String::new();
    // Writing into a string never fails.
    let _always_ok = write(&mut out, connections, total, dropped);
    out
}

fn write(out: &mut String, connections: u32, total: &Measurements, dropped: u64) -> fmt::Result {
    for metric in Metric::ALL {
        let name = metric.prometheus();
        let kind = match metric.kind() {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Distribution => "histogram",
        };
        head(out, name, kind, metric.help())?;
        let counters = &total.counters[*metric as usize];
        match (metric.kind(), metric.by()) {
            (Kind::Gauge, _) => writeln!(out, "{name} {connections}")?,
            (Kind::Distribution, _) => {
                if let Some(distribution) = &total.distributions[*metric as usize] {
                    histogram(out, name, distribution)?;
                }
            }
            (Kind::Counter, None) => writeln!(out, "{name} {}", counters[0])?,
            (Kind::Counter, Some(dimension)) => {
                let label = dimension.name.to_ascii_lowercase();
                for (value, count) in dimension.values.iter().zip(counters) {
                    writeln!(out, "{name}{{{label}=\"{}\"}} {count}", Escaped(value))?;
                }
            }
        }
    }
    head(out, DROPPED, "counter", "Log lines that were dropped because nobody read standard output.")?;
    writeln!(out, "{DROPPED} {dropped}")
}

const DROPPED: &str = "sse_log_lines_dropped_total";

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", help.replace('\\', r"\\").replace('\n', r"\n"))
}

fn histogram(out: &mut String, name: &str, distribution: &Distribution) -> fmt::Result {
    debug_assert!(Metric::ALL.iter().all(|m| m.kind() != Kind::Distribution || m.unit() == Unit::Milliseconds));
    for (bound, below) in distribution.cumulative() {
        writeln!(out, "{name}_bucket{{le=\"{}\"}} {below}", bound / 1000.0)?;
    }
    let count = distribution.count();
    writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
    writeln!(out, "{name}_sum {}\n{name}_count {count}", distribution.sum() / 1000.0)
}

/// A label's value between its quotes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str(r"\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str(r"\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_with_their_kind_and_labels() {
        let mut total = Measurements::new();
        total.add(Metric::StreamsReset, 1, 2.0);
        total.add(Metric::ReadUnits, 0, 1.5);
        total.observe(Metric::Lag, 1500.0, 1);
        let text = exposition(4, &total, 1);
        for line in [
            "# TYPE sse_connections gauge",
            "sse_connections 4",
            "# TYPE sse_streams_reset_total counter",
            "sse_streams_reset_total{reason=\"unknown\"} 0",
            "sse_streams_reset_total{reason=\"foreign\"} 2",
            "sse_read_units_total 1.5",
            "# TYPE sse_lag_seconds histogram",
            "sse_lag_seconds_bucket{le=\"1\"} 0",
            "sse_lag_seconds_bucket{le=\"1.5\"} 1",
            "sse_lag_seconds_bucket{le=\"+Inf\"} 1",
            "sse_lag_seconds_sum 1.5",
            "sse_lag_seconds_count 1",
            "sse_log_lines_dropped_total 1",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
        assert_eq!(Escaped("a\"b\\c\nd").to_string(), "a\\\"b\\\\c\\nd");
    }
}
