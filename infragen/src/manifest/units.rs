//! Durations and sizes that people write otherwise than the manifest: what was meant.

use std::time::Duration;

use contract::ByteSize;
use contract::units::duration_text;

/// Longest text that is looked at: nobody writes a longer one.
const BYTES_MAX: usize = 32;

/// Returns a duration as the manifest writes it: `5s` for `5 sec`, `90s` for `1m30s`.
pub(super) fn duration(text: &str) -> Option<String> {
    let mut millis = 0.0;
    for (number, unit) in parts(text)? {
        let factor = match unit.as_str() {
            "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" | "millis" => 1.0,
            "s" | "sec" | "secs" | "second" | "seconds" => 1000.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000.0,
            "d" | "day" | "days" => 86_400_000.0,
            _ => return None,
        };
        millis += number * factor;
    }
    Duration::try_from_secs_f64(whole(millis)? / 1000.0).ok().map(duration_text)
}

/// Returns a size as the manifest writes it: `256 MiB` for `256MB`.
pub(super) fn size(text: &str) -> Option<String> {
    let [(number, unit)] = &parts(text)?[..] else { return None };
    let factor = match unit.as_str() {
        "m" | "mb" | "mib" | "megabyte" | "megabytes" => 1.0,
        "g" | "gb" | "gib" | "gigabyte" | "gigabytes" => 1024.0,
        _ => return None,
    };
    let mebibytes = whole(number * factor).filter(|found| *found <= f64::from(u32::MAX / 1024))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, not negative, and in range")]
    Some(ByteSize::from_mebibytes(mebibytes as u32).to_string())
}

fn whole(number: f64) -> Option<f64> {
    ((0.0..1e15).contains(&number) && number.fract() == 0.0).then_some(number)
}

/// Splits `1m30s`, `1.5 GB` into numbers and units in lower case.
fn parts(text: &str) -> Option<Vec<(f64, String)>> {
    let mut rest = text.trim();
    if rest.is_empty() || rest.len() > BYTES_MAX {
        return None;
    }
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        parts.push((number, rest[..end].to_ascii_lowercase()));
        rest = rest[end..].trim_start();
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_mended_where_its_unit_is_known() {
        for (text, expected) in [
            ("5 s", Some("5s")),
            ("2min", Some("2m")),
            ("3 minutes", Some("3m")),
            ("1m30s", Some("90s")),
            ("1.5h", Some("90m")),
            ("1 D", Some("24h")),
            ("5S", Some("5s")),
            ("0.0001s", None),
            ("5", None),
            ("s", None),
            ("-5s", None),
            ("5 x", None),
            ("1..5s", None),
            ("", None),
        ] {
            assert_eq!(duration(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_size_is_mended_where_its_unit_is_known() {
        for (text, expected) in [
            ("256 MB", Some("256 MiB")),
            ("256mb", Some("256 MiB")),
            ("1G", Some("1 GiB")),
            ("0.5 GB", Some("512 MiB")),
            ("1024M", Some("1 GiB")),
            ("1.5 MB", None),
            ("99999999999 GB", None),
            ("256", None),
            ("256 KB", None),
        ] {
            assert_eq!(size(text).as_deref(), expected, "{text}");
        }
    }
}
