//! The embedded metric format as CloudWatch specifies it: what is a valid line, and what becomes of it.
//!
//! The rules are those of the specification and of the JSON schema on the same page: a line that breaks one is dropped by
//! CloudWatch without a word to its writer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

const UNITS: &str = "Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|\
     Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second|Gigabytes/Second|Terabytes/Second|\
     Bits/Second|Kilobits/Second|Megabits/Second|Gigabits/Second|Terabits/Second|Count/Second|None";

/// A metric as CloudWatch tells metrics apart: namespace, name, dimensions.
pub(crate) type Identity = (String, String, BTreeMap<String, String>);

/// A metric and its values in one line.
pub(crate) type Measurement = (Identity, Vec<f64>);

/// One line's measurements, or the rule that it breaks; `None` for a line that is not of this format.
pub(crate) fn extract(line: &str) -> Option<Result<Vec<Measurement>, String>> {
    let Ok(Value::Object(root)) = serde_json::from_str(line) else { return None };
    root.contains_key("_aws").then(|| {
        // A CloudWatch event, the 26 bytes included that it adds to each.
        rule(line.len() + 26 <= 1024 * 1024, "a line has at most 1 MB")?;
        rule(line.starts_with('{') && line.ends_with('}'), "nothing stands before or after the object")?;
        metadata(&root)
    })
}

fn rule(holds: bool, text: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text.to_owned()) }
}

fn only(object: &Map<String, Value>, allowed: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(format!("no member `{key}` here")),
        None => Ok(()),
    }
}

fn name<'a>(value: Option<&'a Value>, max: usize, what: &str) -> Result<&'a str, String> {
    let text = value.and_then(Value::as_str).ok_or_else(|| format!("{what} is a string"))?;
    rule(
        (1..=max).contains(&text.chars().count()) && !text.contains('\n'),
        &format!("{what} has 1 to {max} characters"),
    )?;
    Ok(text)
}

fn metadata(root: &Map<String, Value>) -> Result<Vec<Measurement>, String> {
    let aws = root["_aws"].as_object().ok_or("`_aws` is an object")?;
    only(aws, &["Timestamp", "CloudWatchMetrics", "LogGroupName", "LogStreamName"])?;
    let timestamp = aws.get("Timestamp").and_then(Value::as_u64).ok_or("`Timestamp` is a whole number")?;
    // CloudWatch takes two weeks of the past and two hours of the future.
    let now = super::clock::epoch_ms();
    rule(timestamp + 14 * 86_400_000 > now && timestamp < now + 7_200_000, "`Timestamp` is milliseconds, and recent")?;
    let directives = aws.get("CloudWatchMetrics").and_then(Value::as_array).ok_or("`CloudWatchMetrics` is an array")?;
    let mut measured = Vec::new();
    for one in directives {
        directive(one.as_object().ok_or("a directive is an object")?, root, &mut measured)?;
    }
    Ok(measured)
}

fn directive(
    directive: &Map<String, Value>,
    root: &Map<String, Value>,
    measured: &mut Vec<Measurement>,
) -> Result<(), String> {
    only(directive, &["Namespace", "Dimensions", "Metrics"])?;
    let namespace = name(directive.get("Namespace"), 255, "a namespace")?;
    let sets = directive.get("Dimensions").and_then(Value::as_array).ok_or("`Dimensions` is an array")?;
    rule(!sets.is_empty(), "there is one set of dimensions at least")?;
    let metrics = directive.get("Metrics").and_then(Value::as_array).ok_or("`Metrics` is an array")?;
    rule(metrics.len() <= 100, "a directive has at most 100 metrics")?;
    for set in sets {
        let set = set.as_array().ok_or("a set of dimensions is an array")?;
        rule(set.len() <= 30, "a set has at most 30 dimensions")?;
        let mut dimensions = BTreeMap::new();
        for reference in set {
            let key = name(Some(reference), 250, "a dimension")?;
            let value = name(root.get(key), 1024, "a dimension's value")?;
            dimensions.insert(key.to_owned(), value.to_owned());
        }
        for metric in metrics {
            let metric = metric.as_object().ok_or("a metric is an object")?;
            only(metric, &["Name", "Unit", "StorageResolution"])?;
            let key = name(metric.get("Name"), 1024, "a metric's name")?;
            if let Some(unit) = metric.get("Unit") {
                let known = unit.as_str().is_some_and(|unit| UNITS.split('|').any(|known| known == unit));
                rule(known, &format!("{unit} is no unit"))?;
            }
            let resolution = metric.get("StorageResolution").map_or(Some(60), Value::as_u64);
            rule(matches!(resolution, Some(1 | 60)), "a resolution is 1 or 60")?;
            let values = values(root.get(key)).map_err(|error| format!("`{key}`: {error}"))?;
            measured.push(((namespace.to_owned(), key.to_owned(), dimensions.clone()), values));
        }
    }
    Ok(())
}

fn values(target: Option<&Value>) -> Result<Vec<f64>, String> {
    let target = target.ok_or("a metric has its value at the root")?;
    let all = target.as_array().map_or(std::slice::from_ref(target), Vec::as_slice);
    rule((1..=100).contains(&all.len()), "an array has 1 to 100 values")?;
    let numbers: Option<Vec<f64>> = all.iter().map(Value::as_f64).collect();
    let numbers = numbers.ok_or("a value is a number")?;
    rule(numbers.iter().all(|number| number.is_finite() && number.abs() <= 2_f64.powi(360)), "a value is not too big")?;
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::support::clock::epoch_ms;

    fn good() -> Value {
        json!({
            "_aws": {
                "Timestamp": epoch_ms(),
                "CloudWatchMetrics": [{
                    "Namespace": "n", "Dimensions": [[], ["Reason"]],
                    "Metrics": [{ "Name": "A", "Unit": "Count" }, { "Name": "B" }],
                }],
            },
            "Reason": "r", "A": 1, "B": [1, 2.5], "beside": { "x": null },
        })
    }

    #[test]
    fn a_valid_line_is_taken_apart() {
        let measured = extract(&good().to_string()).unwrap().unwrap();
        let reason = BTreeMap::from([("Reason".to_owned(), "r".to_owned())]);
        let of = |name: &str, dimensions: &BTreeMap<_, _>, values: &[f64]| {
            (("n".to_owned(), name.to_owned(), dimensions.clone()), values.to_vec())
        };
        let none = BTreeMap::new();
        let expected = [
            of("A", &none, &[1.0]),
            of("B", &none, &[1.0, 2.5]),
            of("A", &reason, &[1.0]),
            of("B", &reason, &[1.0, 2.5]),
        ];
        assert_eq!(measured, expected);
        assert!(extract("{\"message\":\"_aws\"}").is_none() && extract("_aws").is_none());
    }

    #[test]
    fn every_rule_is_held_against_a_line() {
        let many: Vec<u32> = (0..101).collect();
        let metrics: Vec<Value> = many.iter().map(|_| json!({ "Name": "A" })).collect();
        for (pointer, value) in [
            ("/_aws", json!([])),
            ("/_aws/Timestamp", json!("1")),
            ("/_aws/Timestamp", json!(1_700_000_000)),
            ("/_aws/more", json!(1)),
            ("/_aws/CloudWatchMetrics", json!({})),
            ("/_aws/CloudWatchMetrics/0/Namespace", json!("")),
            ("/_aws/CloudWatchMetrics/0/Dimensions", json!([])),
            ("/_aws/CloudWatchMetrics/0/Dimensions", json!([["A"]])),
            ("/_aws/CloudWatchMetrics/0/Dimensions", json!([["absent"]])),
            ("/_aws/CloudWatchMetrics/0/Metrics", json!(metrics)),
            ("/_aws/CloudWatchMetrics/0/Metrics/0/Unit", json!("Pieces")),
            ("/_aws/CloudWatchMetrics/0/Metrics/0/Name", json!("absent")),
            ("/_aws/CloudWatchMetrics/0/Metrics/0/StorageResolution", json!(5)),
            ("/A", json!("1")),
            ("/A", json!({ "a": 1 })),
            ("/B", json!(many)),
            ("/B", json!([])),
            ("/beside", json!("x".repeat(1024 * 1024))),
        ] {
            let mut line = good();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            line.pointer_mut(parent).unwrap()[key] = value;
            assert!(extract(&line.to_string()).unwrap().is_err(), "{pointer}: {:.300}", line.to_string());
        }
    }
}
