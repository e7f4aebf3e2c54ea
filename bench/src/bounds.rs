//! What the figures may be. Counts and sizes only: times depend on who else uses the machine.

use crate::gauge::Cost;
use crate::report::{Report, Value};

/// Bytes of each row that a window may hold beyond [`LIVE_FIXED`]: what is kept of a row however old, and its set of tickers.
const LIVE_PER_ROW: u64 = 40;
/// Bytes of a window beside that: newest rows kept whole, 1440 minutes, updates.
const LIVE_FIXED: u64 = 10_000_000;
/// Bytes beside the window while it is read, first or again: some pages, and rows that wait for those of another label.
const READING_MAX: u64 = 16_000_000;
/// Bytes that filters may leave behind, however many there were.
const FILTERS_LEFT: u64 = 4096;
/// What must allocate the same, in number and in bytes, whatever the window holds.
const STEADY: [&str; 4] = ["rows60", "resume_same", "resume_moved", "resume_100"];
/// What must allocate the same number of times. In bytes it may be more: the oldest minute, of which rows age out, and the
/// numbers of the sets of tickers hold more where more rows come.
const STEADY_NUMBER: [&str; 2] = ["rows1", "filter_follow"];
/// What such a figure may be with the largest window, in percent of the smallest: nodes of trees are fuller or not.
const STEADY_PERCENT: u64 = 115;
/// What it may be beside that: small figures depend on which rows happen to come.
const STEADY_ALLOCATIONS: u64 = 20;
const STEADY_BYTES: u64 = 4096;
/// Windows of fewer rows are mostly empty minutes; they are no measure of a full one.
const STEADY_ROWS_MIN: u64 = 10_000;

/// The bounds that are broken, in words.
pub(crate) fn broken(reports: &[Report]) -> Vec<String> {
    let mut broken: Vec<String> = reports.iter().flat_map(sizes).collect();
    let mut full = reports.iter().filter(|report| report.rows >= STEADY_ROWS_MIN);
    if let (Some(small), Some(large)) = (full.next(), full.next_back()) {
        let number = STEADY.iter().chain(&STEADY_NUMBER).map(|key| (key, "allocations"));
        let bytes = STEADY.iter().map(|key| (key, "bytes"));
        broken.extend(number.chain(bytes).filter_map(|(key, figure)| grown(key, figure, small, large)));
    }
    broken
}

fn sizes(report: &Report) -> Vec<String> {
    let live_max = LIVE_FIXED + LIVE_PER_ROW * report.rows;
    let bounds = [
        ("live", live_max),
        ("live_max", live_max + READING_MAX),
        ("reread_max", READING_MAX),
        ("filters_left", FILTERS_LEFT),
    ];
    let over = bounds.iter().filter_map(|(key, bound)| match report.get(key) {
        Some(Value::Bytes(bytes)) if bytes <= *bound => None,
        Some(Value::Bytes(bytes)) => Some(format!("{}: `{key}` is {bytes} bytes, at most {bound}", report.rows)),
        _ => Some(format!("{}: `{key}` was not measured", report.rows)),
    });
    over.collect()
}

fn grown(key: &str, figure: &str, small: &Report, large: &Report) -> Option<String> {
    let (Some(before), Some(after)) = (cost(key, small), cost(key, large)) else {
        return Some(format!("`{key}` was not measured"));
    };
    let (before, after, more) = match figure {
        "bytes" => (before.bytes, after.bytes, STEADY_BYTES),
        _ => (before.allocations, after.allocations, STEADY_ALLOCATIONS),
    };
    let most = before * STEADY_PERCENT / 100 + more;
    (after > most).then(|| {
        format!(
            "{figure} of `{key}`: {before} with {} rows and {after} with {}, at most {most} may be",
            small.rows, large.rows
        )
    })
}

fn cost(key: &str, report: &Report) -> Option<Cost> {
    match report.get(key) {
        Some(Value::Often(cost) | Value::Once(cost)) => Some(cost),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report in which every figure is at its bound, but for `changed`.
    fn report(rows: u64, changed: (&str, u64)) -> Report {
        let mut report = Report { rows, figures: Vec::new() };
        let of = |key: &str, usual: u64| if key == changed.0 { changed.1 } else { usual };
        let live_max = LIVE_FIXED + LIVE_PER_ROW * rows;
        let sizes = [
            ("live", live_max),
            ("live_max", live_max + READING_MAX),
            ("reread_max", READING_MAX),
            ("filters_left", FILTERS_LEFT),
        ];
        sizes.iter().for_each(|(key, bytes)| report.add(key, key, Value::Bytes(of(key, *bytes))));
        for key in STEADY.iter().chain(&STEADY_NUMBER) {
            report.add(key, key, Value::Often(Cost { allocations: of(key, 100), bytes: 100, ..Cost::default() }));
        }
        report
    }

    #[test]
    fn what_is_at_its_bound_is_not_beyond_it() {
        let check = |changed, expected: &[&str]| {
            let reports = [report(10_000, ("", 0)), report(100_000, changed)];
            assert_eq!(broken(&reports), expected);
        };
        check(("", 0), &[]);
        check(("rows60", 135), &[]);
        let more = "allocations of `rows60`: 100 with 10000 rows and 136 with 100000, at most 135 may be";
        check(("rows60", 136), &[more]);
        check(("live", 14_000_001), &["100000: `live` is 14000001 bytes, at most 14000000"]);
        check(("filters_left", 4097), &["100000: `filters_left` is 4097 bytes, at most 4096"]);
    }
}
