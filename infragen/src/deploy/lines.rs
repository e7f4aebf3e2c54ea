//! Lines of the functions' logs, as a person reads them.

use serde_json::{Map, Value};
use stream_core::timestamp::Timestamp;

use super::Deployed;
use crate::diagnostic::Colour;

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was written, milliseconds since 1970.
    pub at_ms: u64,
    /// What tells it from others, for whoever asks again.
    pub id: String,
    /// The function's role.
    pub role: &'static str,
    /// As it was written, without its end.
    pub text: String,
}

/// Reads `filter-log-events` of one function. Where others write to its log group, too, its streams have its name.
///
/// # Errors
/// A sentence where the answer is none.
pub fn read(function: &Deployed, answer: &str) -> Result<Vec<Line>, String> {
    // An empty log has no answer at all.
    if answer.trim().is_empty() {
        return Ok(Vec::new());
    }
    let answer: Value = serde_json::from_str(answer)
        .map_err(|error| format!("`aws logs filter-log-events` answered no JSON: {error}"))?;
    let line = |event: &Value| {
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        // `2026/11/28/NAME[VERSION]` and an id.
        let is_its_own =
            || text("logStreamName")?.split('/').nth(3)?.strip_prefix(&function.name)?.starts_with('[').then_some(());
        if function.shares_log {
            is_its_own()?;
        }
        Some(Line {
            at_ms: event.get("timestamp")?.as_u64()?,
            id: text("eventId").unwrap_or_default().to_owned(),
            role: function.role,
            text: text("message")?.trim_end().to_owned(),
        })
    };
    Ok(answer.get("events").and_then(Value::as_array).into_iter().flatten().filter_map(line).collect())
}

/// Writes a line for people: time, function, level, message, and what else it says. Nothing for lines that only count: numbers
/// for CloudWatch, and where the platform begins and ends.
#[must_use]
pub fn human(line: &Line, colour: Colour) -> Option<String> {
    let time = Timestamp::from_millis(line.at_ms);
    let head = format!("{time}  {:<9}", line.role);
    let Ok(Value::Object(mut said)) = serde_json::from_str::<Value>(&line.text) else {
        let is_noise = ["START ", "END ", "INIT_START ", "EXTENSION "].iter().any(|word| line.text.starts_with(word));
        return (!is_noise).then(|| format!("{head}  {:<5}  {}\n", "", flat(&line.text)));
    };
    if said.contains_key("_aws") {
        return None;
    }
    if let Some(event) = said.get("type").and_then(Value::as_str).and_then(|kind| kind.strip_prefix("platform.")) {
        let shown = platform(event, said.get("record").and_then(Value::as_object))?;
        return Some(format!("{head}  {:<5}  {}\n", "", flat(&shown)));
    }
    let mut take = |key: &str| said.remove(key).map(|value| plain(&value));
    let (level, message) = (take("level").unwrap_or_default(), take("message").unwrap_or_default());
    // It stands in front already, as the platform saw it.
    take("timestamp");
    let code = match level.as_str() {
        "ERROR" => "1;31",
        "WARN" => "1;33",
        _ => "2",
    };
    let level = colour.paint(code, &format!("{level:<5}"));
    Some(format!("{head}  {level}  {}{}\n", flat(&message), rest(&said)))
}

/// What Lambda says of an invocation in JSON, as it says it in text; nothing where it begins and ends well.
fn platform(event: &str, record: Option<&Map<String, Value>>) -> Option<String> {
    const QUIET: [&str; 7] =
        ["start", "runtimeDone", "initStart", "initRuntimeDone", "initReport", "extension", "telemetrySubscription"];
    let empty = Map::new();
    let record = record.unwrap_or(&empty);
    let is_well = record.get("status").is_none_or(|status| status == "success");
    if QUIET.contains(&event) && is_well {
        return None;
    }
    let metrics = record.get("metrics").and_then(Value::as_object).map(rest).unwrap_or_default();
    Some(format!("{}{}{metrics}", event.to_uppercase(), rest(record)))
}

/// What a line says beside its message; the span's ids last.
fn rest(said: &Map<String, Value>) -> String {
    let pairs = |map: &Map<String, Value>| {
        map.iter()
            .filter(|(key, value)| *key != "name" && !value.is_object())
            .map(|(key, value)| format!("  {key}={}", flat(&plain(value))))
            .collect::<String>()
    };
    let span = said.get("span").and_then(Value::as_object).map(pairs).unwrap_or_default();
    pairs(said) + &span
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// On one line, and without what a terminal would obey: rows are other people's text.
fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let line = Line { at_ms: 1_790_000_000_123, id: String::new(), role: "stream", text: text.to_owned() };
        human(&line, Colour(false))
    }

    #[test]
    fn what_lambda_says_in_json_is_read_as_its_text_is() {
        let line = |event: &str, record: &str| {
            shown(&format!(r#"{{"time":"x","type":"platform.{event}","record":{record}}}"#))
        };
        let metrics = r#""metrics":{"billedDurationMs":120013,"maxMemoryUsedMB":31}"#;
        for event in ["start", "initStart", "runtimeDone"] {
            assert_eq!(line(event, r#"{"requestId":"r","status":"success"}"#), None, "{event}");
        }
        let report = line("report", &format!(r#"{{"requestId":"r","status":"success",{metrics}}}"#)).unwrap();
        assert!(
            report.ends_with("REPORT  requestId=r  status=success  billedDurationMs=120013  maxMemoryUsedMB=31\n"),
            "{report}"
        );
        let done = line("runtimeDone", r#"{"requestId":"r","status":"timeout"}"#).unwrap();
        assert!(done.ends_with("RUNTIMEDONE  requestId=r  status=timeout\n"), "{done}");
    }

    #[test]
    fn lines_are_read_by_people() {
        let line = r#"{"timestamp":"x","level":"WARN","message":"row skipped","reason":"no time","span":{"request_id":"r","name":"request"}}"#;
        assert_eq!(
            shown(line).unwrap(),
            "2026-09-21T14:13:20.123Z  stream     WARN   row skipped  reason=no time  request_id=r\n"
        );
        let report = "REPORT RequestId: r\tDuration: 3 ms";
        assert_eq!(
            shown(report).unwrap(),
            "2026-09-21T14:13:20.123Z  stream            REPORT RequestId: r Duration: 3 ms\n"
        );
        let hostile = r#"{"level":"INFO","message":"a\u001b[31m\nb"}"#;
        assert!(shown(hostile).unwrap().ends_with("INFO   a [31m b\n"));
        for noise in ["START RequestId: r", r#"{"_aws":{},"Connections":1}"#] {
            assert_eq!(shown(noise), None);
        }
    }

    #[test]
    fn an_answer_of_the_log_is_read() {
        let answer = r#"{"events":[{"timestamp":5,"message":"a\n","eventId":"1"},{"message":"no time"}]}"#;
        let mut stream = Deployed { role: "stream", name: "s".into(), log_group: "all".into(), shares_log: false };
        let lines = read(&stream, answer).unwrap();
        assert_eq!(lines, [Line { at_ms: 5, id: "1".into(), role: "stream", text: "a".into() }]);
        assert_eq!(read(&stream, " ").unwrap(), []);
        assert!(read(&stream, "no").unwrap_err().contains("no JSON"));
        // Of a group that others write to, only what is the function's own.
        let line = |stream: &str| format!(r#"{{"timestamp":5,"message":"{stream}","logStreamName":"{stream}"}}"#);
        let all = ["2026/11/28/s[3]1a", "2026/11/28/s-other[3]1a", "2026/11/28/[3]1a", "s[3]1a"].map(line).join(",");
        stream.shares_log = true;
        let own = read(&stream, &format!(r#"{{"events":[{all}]}}"#)).unwrap();
        assert_eq!(own.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["2026/11/28/s[3]1a"]);
        assert_eq!(read(&stream, answer).unwrap(), []);
    }
}
