//! Figures of one run and how they are printed. Nothing is measured here.

use serde::{Deserialize, Serialize};

use crate::gauge::Cost;

/// What was measured with a window of one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Rows of the window when it was loaded.
    pub(crate) rows: u64,
    /// In the order in which they are printed.
    pub(crate) figures: Vec<Figure>,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Its name for programs.
    pub(crate) key: String,
    /// What it is.
    pub(crate) what: String,
    /// How much.
    pub(crate) value: Value,
}

/// How much.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Value {
    /// Memory.
    Bytes(u64),
    /// A number.
    Count(u64),
    /// Processor time alone, microseconds.
    Micros(f64),
    /// Time and allocations of something that is done once.
    Once(Cost),
    /// The same of something that is done often: processor time instead of wall time, which others disturb.
    Often(Cost),
}

impl Report {
    /// Adds a figure.
    pub(crate) fn add(&mut self, key: &str, what: &str, value: Value) {
        self.figures.push(Figure { key: key.into(), what: what.into(), value });
    }

    /// A figure by its name.
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        self.figures.iter().find(|figure| figure.key == key).map(|figure| figure.value)
    }
}

/// A Markdown table, one column for each size.
pub(crate) fn table(reports: &[Report]) -> String {
    let mut lines = vec![
        row(["rows".to_owned()].into_iter().chain(reports.iter().map(|report| grouped(report.rows)))),
        row(["---".to_owned()].into_iter().chain(reports.iter().map(|_| "---:".to_owned()))),
    ];
    for figure in reports.first().iter().flat_map(|report| &report.figures) {
        let cells = reports.iter().map(|report| report.get(&figure.key).map_or_else(String::new, said));
        lines.push(row([figure.what.clone()].into_iter().chain(cells)));
    }
    lines.join("\n")
}

fn row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn said(value: Value) -> String {
    let cost = |micros: f64, cost: Cost| {
        format!("{}, {} allocations, {}", time(micros), grouped(cost.allocations), memory(cost.bytes))
    };
    match value {
        Value::Bytes(bytes) => memory(bytes),
        Value::Count(count) => grouped(count),
        Value::Micros(micros) => time(micros),
        Value::Once(once) => {
            format!("{} ({} of processor), {}", time(once.wall_us), time(once.cpu_us), memory(once.bytes))
        }
        Value::Often(often) => cost(often.cpu_us, often),
    }
}

fn time(micros: f64) -> String {
    match micros {
        0.0..1000.0 => format!("{micros:.0} µs"),
        1000.0..100_000.0 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn memory(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// `1,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_line_and_a_size_a_column() {
        let report = |rows, bytes| {
            let mut report = Report { rows, figures: Vec::new() };
            report.add("live", "memory", Value::Bytes(bytes));
            report.add("poll", "a poll", Value::Often(Cost { cpu_us: 1234.0, allocations: 1200, ..Cost::default() }));
            report
        };
        let expected = "| rows | 10,000 | 1,000,000 |\n| --- | ---: | ---: |\n| memory | 999 B | 1.5 MB |\n\
                        | a poll | 1.23 ms, 1,200 allocations, 0 B | 1.23 ms, 1,200 allocations, 0 B |";
        assert_eq!(table(&[report(10_000, 999), report(1_000_000, 1_500_000)]), expected);
    }
}
