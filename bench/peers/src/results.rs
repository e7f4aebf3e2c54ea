//! Figures of all rounds: medians, spread, ratios, and how they are written down. Nothing is measured here.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::scenario::SHARED;
use crate::visit::Figures;

/// What one server did in one scenario, round by round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) scenario: String,
    pub(crate) peer: String,
    pub(crate) clients: usize,
    pub(crate) rate: u32,
    pub(crate) rounds: Vec<Figures>,
    /// Why a round has no figures.
    pub(crate) failures: Vec<String>,
}

/// A figure that tables show.
pub(crate) struct Line {
    pub(crate) key: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) of: fn(&Figures) -> f64,
    /// The scenarios that are about it.
    pub(crate) scenarios: &'static [&'static str],
}

const FLOWING: &[&str] = &["bulk", "single"];

/// All of them.
pub(crate) const LINES: [Line; 11] = [
    Line {
        key: "update_us",
        what: "processor time of an update to a client",
        unit: "µs",
        of: |f| f.update_us,
        scenarios: FLOWING,
    },
    Line {
        key: "processor",
        what: "share of one processor",
        unit: "%",
        of: |f| f.processor_percent,
        scenarios: &["bulk", "single", SHARED],
    },
    Line {
        key: "updates",
        what: "updates to clients a second",
        unit: "",
        of: |f| f.updates_per_second,
        scenarios: FLOWING,
    },
    Line { key: "bytes", what: "bytes of an update", unit: "B", of: |f| f.update_bytes, scenarios: FLOWING },
    Line {
        key: "spread",
        what: "from the first client to the 99th of 100",
        unit: "ms",
        of: |f| f.spread_p99_ms,
        scenarios: FLOWING,
    },
    Line {
        key: "greeted",
        what: "all connect at once, until all have their first event",
        unit: "ms",
        of: |f| f.all_greeted_ms,
        scenarios: FLOWING,
    },
    Line {
        key: "connection",
        what: "memory of a connection",
        unit: "B",
        of: |f| f.connection_bytes,
        scenarios: &["bulk", "idle"],
    },
    Line {
        key: "resident",
        what: "memory without connections",
        unit: "B",
        of: |f| f.resident_bytes,
        scenarios: &["idle"],
    },
    Line {
        key: "requests",
        what: "requests that came to the program",
        unit: "",
        of: |f| f.requests,
        scenarios: &[SHARED],
    },
    Line {
        key: "delivery",
        what: "from the item to the 99th client of 100",
        unit: "ms",
        of: |f| f.delivery_p99_ms,
        scenarios: &[SHARED],
    },
    Line {
        key: "detour",
        what: "of that, longer than to one who asks the program itself",
        unit: "ms",
        of: |f| f.detour_p99_ms,
        scenarios: &[SHARED],
    },
];

/// Median, least and most.
pub(crate) fn middle(rounds: &[Figures], of: fn(&Figures) -> f64) -> Option<(f64, f64, f64)> {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    Some((values.get(values.len() / 2).copied()?, *values.first()?, *values.last()?))
}

/// What was recorded last of each scenario, a line for each server that took part: of two runs nobody makes a ratio.
pub(crate) fn newest(lines: &str) -> Result<Vec<Measured>, String> {
    #[derive(Deserialize)]
    struct Recorded {
        /// Seconds since 1970, the same for all of a run.
        at: u64,
        measured: Measured,
    }
    let mut kept: Vec<(u64, Vec<Measured>)> = Vec::new();
    for (number, line) in (1..).zip(lines.lines()) {
        let Recorded { at, measured } =
            serde_json::from_str(line).map_err(|error| format!("line {number} of the results: {error}"))?;
        match kept.iter_mut().find(|(_, those)| those.iter().any(|one| one.scenario == measured.scenario)) {
            Some((of, those)) if *of == at => those.push(measured),
            Some((of, _)) if at < *of => {}
            Some(older) => *older = (at, vec![measured]),
            None => kept.push((at, vec![measured])),
        }
    }
    Ok(kept.into_iter().flat_map(|(_, those)| those).collect())
}

/// Markdown: for each scenario a table with a column for each server.
pub(crate) fn tables(all: &[Measured]) -> String {
    let mut out = String::new();
    let mut scenarios: Vec<&str> = all.iter().map(|measured| measured.scenario.as_str()).collect();
    scenarios.dedup();
    for scenario in scenarios {
        let those: Vec<&Measured> = all.iter().filter(|measured| measured.scenario == scenario).collect();
        let Some(first) = those.first() else { continue };
        let names: Vec<&str> = those.iter().map(|measured| measured.peer.as_str()).collect();
        writeln!(out, "**{scenario}**: {} clients, {} updates a second\n", first.clients, first.rate)
            .expect("it grows");
        writeln!(out, "| | {} |\n| --- |{}", names.join(" | "), " ---: |".repeat(names.len())).expect("it grows");
        for line in LINES.iter().filter(|line| line.scenarios.contains(&scenario)) {
            let ours = those.iter().find(|measured| measured.peer == "ours").and_then(|m| middle(&m.rounds, line.of));
            let cells: Vec<String> = those.iter().map(|measured| cell(measured, line, ours)).collect();
            writeln!(out, "| {} | {} |", line.what, cells.join(" | ")).expect("it grows");
        }
        for (what, of) in [("lost", (|f| f.lost_ppm) as fn(&Figures) -> f64), ("doubled", |f| f.doubled_ppm)] {
            let most = |measured: &&Measured| {
                middle(&measured.rounds, of).map_or("–".into(), |(_, _, most)| format!("{most:.0}"))
            };
            let cells: Vec<String> = those.iter().map(most).collect();
            writeln!(out, "| {what} of a million updates, worst round | {} |", cells.join(" | ")).expect("it grows");
        }
        for measured in those.iter().filter(|measured| !measured.failures.is_empty()) {
            writeln!(out, "\n{}: {}", measured.peer, measured.failures.join("; ")).expect("it grows");
        }
        out.push('\n');
    }
    out
}

fn cell(measured: &Measured, line: &Line, ours: Option<(f64, f64, f64)>) -> String {
    let Some((median, least, most)) = middle(&measured.rounds, line.of).filter(|(median, ..)| *median > 0.0) else {
        return "–".into();
    };
    let ratio = match ours {
        Some((ours, ..)) if measured.peer != "ours" && ours > 0.0 => format!(", {:.2} ×", median / ours),
        _ => String::new(),
    };
    let unit = if line.unit.is_empty() { String::new() } else { format!(" {}", line.unit) };
    format!("{}{unit} ({}–{}){ratio}", said(median), said(least), said(most))
}

/// Three digits, with commas.
#[expect(clippy::cast_possible_truncation, reason = "rounded, and far below 2^63")]
fn said(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    let digits = (value.round() as i64).to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|three| std::str::from_utf8(three).expect("digits are ASCII")).collect();
    groups.join(",")
}

/// The text with what stands between the marks replaced.
pub(crate) fn within(text: &str, block: &str) -> Option<String> {
    let (begin, end) = ("<!-- peers: begin -->\n", "<!-- peers: end -->");
    let from = text.find(begin)? + begin.len();
    let to = from + text[from..].find(end)?;
    Some(format!("{}\n{}\n\n{}", &text[..from], block.trim(), &text[to..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_last_of_each_scenario_stands_and_runs_are_not_mixed() {
        let line = |at: u64, scenario: &str, peer: &str| {
            let measured = Measured {
                scenario: scenario.into(),
                peer: peer.into(),
                clients: 1,
                rate: 1,
                rounds: Vec::new(),
                failures: Vec::new(),
            };
            serde_json::json!({ "at": at, "processors": 2, "measured": measured }).to_string()
        };
        let lines = [
            line(1, "bulk", "ours"),
            line(1, "bulk", "axum"),
            line(1, "idle", "ours"),
            line(2, "bulk", "ours"),
            line(2, "bulk", "nchan"),
        ];
        let found = newest(&lines.join("\n")).unwrap();
        let named: Vec<String> = found.iter().map(|one| format!("{} {}", one.scenario, one.peer)).collect();
        assert_eq!(named, ["bulk ours", "bulk nchan", "idle ours"]);
        assert!(newest("{").unwrap_err().starts_with("line 1 of the results: "));
    }

    #[test]
    fn a_cell_is_median_spread_and_ratio_and_a_block_is_replaced() {
        let figures = |update_us| Figures { update_us, ..Figures::default() };
        let measured = |peer: &str, times: &[f64]| Measured {
            scenario: "bulk".into(),
            peer: peer.into(),
            clients: 1000,
            rate: 5,
            rounds: times.iter().map(|us| figures(*us)).collect(),
            failures: Vec::new(),
        };
        let text = tables(&[measured("ours", &[3.0, 1.0, 2.0]), measured("axum", &[4000.0]), measured("gone", &[])]);
        let expected =
            "| processor time of an update to a client | 2.00 µs (1.00–3.00) | 4,000 µs (4,000–4,000), 2000.00 × | – |";
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with("**bulk**: 1000 clients, 5 updates a second\n\n| | ours | axum | gone |\n"), "{text}");
        let page = "a\n<!-- peers: begin -->\nold\n<!-- peers: end -->\nb\n";
        let expected = "a\n<!-- peers: begin -->\n\nnew\n\n<!-- peers: end -->\nb\n";
        assert_eq!(within(page, "new\n").as_deref(), Some(expected));
        assert_eq!(within("a", "new"), None);
    }
}
