//! The time that an event says of itself.

use serde_json::Value;

/// Epoch numbers from here on are milliseconds, and a thousand times as large ones microseconds: seconds would be of the year 5138.
const MILLIS_FROM: f64 = 1e11;
const MICROS_FROM: f64 = 1e14;

/// Microseconds since 1970 of a value: RFC 3339, or a number of seconds, milliseconds or microseconds.
pub(super) fn micros(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => rfc3339(text.as_bytes()).or_else(|| text.parse().ok().and_then(number)),
        Value::Number(epoch) => epoch.as_f64().and_then(number),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below 2^63")]
fn number(epoch: f64) -> Option<u64> {
    let micros = match epoch {
        0.0..MILLIS_FROM => epoch * 1e6,
        MILLIS_FROM..MICROS_FROM => epoch * 1e3,
        _ => epoch,
    };
    (0.0..9e18).contains(&micros).then_some(micros as u64)
}

fn rfc3339(text: &[u8]) -> Option<u64> {
    let number = |from: usize, to: usize| -> Option<u64> {
        text.get(from..to)?
            .iter()
            .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
    };
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if !separators.iter().all(|(at, byte)| text.get(*at) == Some(byte)) || !b"Tt ".contains(text.get(10)?) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let mut at = 19;
    let mut micros = 0;
    if text.get(at) == Some(&b'.') {
        let digits = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        micros = number(at + 1, at + 1 + digits.min(6))? * 10_u64.pow(6 - u32::try_from(digits.min(6)).ok()?);
        at += 1 + digits;
    }
    let offset = match text.get(at)? {
        b'Z' | b'z' => 0,
        sign @ (b'+' | b'-') => {
            let offset = i64::try_from(number(at + 1, at + 3)? * 3600 + number(at + 4, at + 6)? * 60).ok()?;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = i64::try_from(days(year, month, day)? * 86_400 + seconds).ok()? - offset;
    Some(u64::try_from(seconds).ok()? * 1_000_000 + micros)
}

/// Days from 1970-01-01 to a date; `None` before it or where the month is none.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) {
        return None;
    }
    // Years that begin in March: the leap day is their last one.
    let (year, month) = if month < 3 { (year.checked_sub(1)?, month + 9) } else { (year, month - 3) };
    (365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day).checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_understood_as_servers_write_them() {
        let check = |value: Value, expected: Option<u64>| assert_eq!(micros(&value), expected, "{value}");
        let moment = 1_764_671_400_000_000; // 2025-12-02T10:30:00Z
        check(json!("2025-12-02T10:30:00Z"), Some(moment));
        check(json!("2025-12-02T10:30:00.250Z"), Some(moment + 250_000));
        check(json!("2025-12-02 11:30:00.123456789+01:00"), Some(moment + 123_456));
        check(json!("2025-12-02T08:00:00-02:30"), Some(moment));
        check(json!("1970-01-01T00:00:00Z"), Some(0));
        check(json!("2000-02-29T00:00:00Z"), Some(951_782_400_000_000));
        check(json!(1_764_671_400), Some(moment));
        check(json!(1_764_671_400.25), Some(moment + 250_000));
        check(json!(1_764_671_400_000_u64), Some(moment));
        check(json!("1764671400000"), Some(moment));
        check(json!(moment), Some(moment));
        for wrong in
            [json!("soon"), json!("2025-13-02T10:30:00Z"), json!("2025-12-02T10:30:00"), json!(-1), json!(null)]
        {
            check(wrong, None);
        }
    }
}
