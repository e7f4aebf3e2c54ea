//! Lines of the embedded metric format: CloudWatch makes metrics of what they say, whatever else they carry.

use contract::MetricsMode;
use contract::metrics::{Kind, Metric, Unit};
use serde_json::{Map, Value, json};

use super::measurements::Measurements;

/// Name of the dashboard function, which has no streams to speak of.
pub const DASHBOARD: &str = "dashboard";
/// Name of the stream function.
pub const STREAM: &str = "stream";

/// What every line says beside its measurements.
pub(super) struct Line<'a> {
    /// Namespace of the metrics.
    pub namespace: &'a str,
    /// Which function writes it: no dimension, which would be billed, but there for queries on the log.
    pub function: &'a str,
    /// Milliseconds since 1970.
    pub millis: u64,
    /// Log lines that were dropped so far.
    pub dropped: u64,
}

/// Counters that alarms are made of.
const ALARMED: [Metric; 3] = [Metric::StreamsReturned, Metric::StreamsEnded, Metric::RowsSkipped];

/// A dimension's name and value.
type By = (&'static str, &'static str);

impl Line<'_> {
    /// One line with every total that something was added to, and where the details are wanted, one for each reason and
    /// event. Nothing at all where nothing was measured.
    pub(super) fn all(&self, mode: MetricsMode, measured: &Measurements) -> Vec<String> {
        if mode == MetricsMode::Off {
            return Vec::new();
        }
        let mut totals: Vec<_> =
            Metric::ALL.iter().filter_map(|metric| Some((*metric, total(*metric, measured)?))).collect();
        if totals.is_empty() {
            return Vec::new();
        }
        // What an alarm looks at is zero and not missing while the function runs.
        for metric in ALARMED.into_iter().filter(|_| self.function != DASHBOARD) {
            if !totals.iter().any(|(known, _)| *known == metric) {
                totals.push((metric, 0.into()));
            }
        }
        let mut root = Map::new();
        // What the totals are made of costs nothing as long as no directive points at it.
        root.extend(Metric::ALL.iter().filter_map(|metric| Some((breakdown_name(*metric), parts(*metric, measured)?))));
        if self.dropped > 0 {
            root.insert("log_lines_dropped".into(), self.dropped.into());
        }
        let mut lines: Vec<String> = self.line(None, totals, root).into_iter().collect();
        if mode == MetricsMode::Detailed {
            lines.extend(
                details(measured).into_iter().filter_map(|(by, values)| self.line(Some(by), values, Map::new())),
            );
        }
        lines
    }

    fn line(&self, by: Option<By>, values: Vec<(Metric, Value)>, mut root: Map<String, Value>) -> Option<String> {
        if values.is_empty() {
            return None;
        }
        let definitions: Vec<Value> =
            values.iter().map(|(metric, _)| json!({ "Name": metric.name(), "Unit": metric.unit().as_str() })).collect();
        let dimensions: Vec<&str> = by.iter().map(|(name, _)| *name).collect();
        root.insert(
            "_aws".into(),
            json!({
                "Timestamp": self.millis,
                "CloudWatchMetrics": [
                    { "Namespace": self.namespace, "Dimensions": [dimensions], "Metrics": definitions },
                ],
            }),
        );
        root.insert("function".into(), self.function.into());
        root.extend(by.map(|(name, value)| (name.to_owned(), value.into())));
        root.extend(values.into_iter().map(|(metric, value)| (metric.name().to_owned(), value)));
        Some(Value::Object(root).to_string())
    }
}

/// Name of the member that tells a total's parts.
fn breakdown_name(metric: Metric) -> String {
    format!("{}By", metric.name())
}

fn total(metric: Metric, measured: &Measurements) -> Option<Value> {
    match metric.kind() {
        Kind::Gauge => measured.peak.map(Value::from),
        Kind::Counter => Some(measured.sum(metric)).filter(|sum| *sum > 0.0).map(|sum| number(metric, sum)),
        Kind::Distribution => {
            let values = measured.distributions[metric as usize].as_ref()?.values();
            (!values.is_empty()).then(|| values.into())
        }
    }
}

fn parts(metric: Metric, measured: &Measurements) -> Option<Value> {
    let dimension = metric.by()?;
    let filled = dimension.values.iter().zip(&measured.counters[metric as usize]).filter(|(_, value)| **value > 0.0);
    let parts: Map<_, _> = filled.map(|(name, value)| ((*name).to_owned(), number(metric, *value))).collect();
    (!parts.is_empty()).then_some(Value::Object(parts))
}

/// Metrics by the value of their dimension, each value once.
fn details(measured: &Measurements) -> Vec<(By, Vec<(Metric, Value)>)> {
    let mut details: Vec<(By, Vec<(Metric, Value)>)> = Vec::new();
    for metric in Metric::ALL {
        let Some(dimension) = metric.by() else { continue };
        for (name, value) in dimension.values.iter().zip(&measured.counters[*metric as usize]) {
            if *value <= 0.0 {
                continue;
            }
            let (by, entry) = ((dimension.name, *name), (*metric, number(*metric, *value)));
            match details.iter_mut().find(|(known, _)| *known == by) {
                Some((_, entries)) => entries.push(entry),
                None => details.push((by, vec![entry])),
            }
        }
    }
    details
}

/// A count as a whole number, everything else to a thousandth.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters only grow, and from zero")]
fn number(metric: Metric, value: f64) -> Value {
    if matches!(metric.unit(), Unit::Count | Unit::Bytes) && value.fract() == 0.0 {
        (value as u64).into()
    } else {
        ((value * 1000.0).round() / 1000.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(dropped: u64) -> Line<'static> {
        Line { namespace: "sse-dev", function: "stream", millis: 1_700_000_000_123, dropped }
    }

    fn check(lines: &[String], expected: &[Value]) {
        let found: Vec<Value> = lines.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        assert_eq!(found, expected);
    }

    fn head(dimensions: &Value, metrics: &Value) -> Value {
        json!({
            "Timestamp": 1_700_000_000_123_u64,
            "CloudWatchMetrics": [{ "Namespace": "sse-dev", "Dimensions": [dimensions], "Metrics": metrics }],
        })
    }

    #[test]
    fn what_was_not_measured_is_not_said() {
        let measured = Measurements::new();
        for mode in [MetricsMode::Off, MetricsMode::Totals, MetricsMode::Detailed] {
            check(&line(0).all(mode, &measured), &[]);
        }
    }

    #[test]
    fn totals_are_one_line_and_details_one_more_for_each_value() {
        let mut measured = Measurements::new();
        measured.peak = Some(3);
        measured.add(Metric::StreamsReset, Metric::StreamsReset.index("foreign"), 2.0);
        measured.add(Metric::SessionSeconds, Metric::SessionSeconds.index("session"), 1.5);
        measured.add(Metric::SessionSeconds, Metric::SessionSeconds.index("overflow"), 0.25);
        measured.add(Metric::StreamsReset, Metric::StreamsReset.index("overflow"), 1.0);
        measured.observe(Metric::Lag, 4.0, 1);
        let totals = json!({
            "_aws": head(&json!([]), &json!([
                { "Name": "Connections", "Unit": "Count" },
                { "Name": "StreamsReset", "Unit": "Count" },
                { "Name": "SessionSeconds", "Unit": "Seconds" },
                { "Name": "Lag", "Unit": "Milliseconds" },
                { "Name": "StreamsReturned", "Unit": "Count" },
                { "Name": "StreamsEnded", "Unit": "Count" },
                { "Name": "RowsSkipped", "Unit": "Count" },
            ])),
            "function": "stream",
            "log_lines_dropped": 7,
            "Connections": 3,
            "StreamsReset": 3,
            "StreamsResetBy": { "foreign": 2, "overflow": 1 },
            "SessionSeconds": 1.75,
            "SessionSecondsBy": { "session": 1.5, "overflow": 0.25 },
            "Lag": [4.0],
            "StreamsReturned": 0,
            "StreamsEnded": 0,
            "RowsSkipped": 0,
        });
        check(&line(7).all(MetricsMode::Totals, &measured), std::slice::from_ref(&totals));
        check(&line(7).all(MetricsMode::Off, &measured), &[]);
        let of = |reason: &str, metrics: &[(&str, &str)], values: Value| {
            let definitions: Vec<Value> =
                metrics.iter().map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
            let mut line = values;
            line["_aws"] = head(&json!(["Reason"]), &json!(definitions));
            line["function"] = "stream".into();
            line["Reason"] = reason.into();
            line
        };
        let reset = ("StreamsReset", "Count");
        let seconds = ("SessionSeconds", "Seconds");
        check(
            &line(7).all(MetricsMode::Detailed, &measured),
            &[
                totals,
                of("foreign", &[reset], json!({ "StreamsReset": 2 })),
                of("overflow", &[reset, seconds], json!({ "StreamsReset": 1, "SessionSeconds": 0.25 })),
                of("session", &[seconds], json!({ "SessionSeconds": 1.5 })),
            ],
        );
    }
}
