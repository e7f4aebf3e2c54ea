//! Two estimates side by side: what each line costs here and there.

use super::model::Line;
use super::{Estimate, Prices, report};

/// An estimate with what stands above its column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// What the manifest is called.
    pub name: &'a str,
    /// Region of the manifest.
    pub region: &'a str,
    /// What it costs.
    pub estimate: &'a Estimate,
}

/// Writes two estimates for people: dollars a month of each line, and what the second costs more.
#[must_use]
pub fn human(one: Column<'_>, other: Column<'_>, prices: &Prices) -> String {
    let of = |lines: &[Line], item: &str| {
        lines.iter().filter(|line| line.item == item).map(|line| line.dollars).fold(0.0, |sum, dollars| sum + dollars)
    };
    let mut items: Vec<&str> = Vec::new();
    for line in one.estimate.lines.iter().chain(&other.estimate.lines) {
        if !items.contains(&line.item) {
            items.push(line.item);
        }
    }
    let mut rows =
        vec![["dollars a month".to_owned(), one.name.to_owned(), other.name.to_owned(), "difference".to_owned()]];
    let row = |item: &str, here: f64, there: f64| {
        [item.to_owned(), report::cents(here), report::cents(there), signed(here, there)]
    };
    rows.extend(
        items.into_iter().map(|item| row(item, of(&one.estimate.lines, item), of(&other.estimate.lines, item))),
    );
    rows.push(row("Total", one.estimate.total, other.estimate.total));
    rows.push(row("One more viewer", one.estimate.one_more.per_month, other.estimate.one_more.per_month));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |[item, here, there, more]: &[String; 4]| {
        let [first, second, third, fourth] = widths;
        format!("{item:<first$}  {here:>second$}  {there:>third$}  {more:>fourth$}\n")
    };
    let mut out: String = rows.iter().map(line).collect();
    let elsewhere: Vec<String> = [one, other]
        .iter()
        .filter(|column| column.region != prices.region.as_str())
        .map(|column| format!("; `{}` is of {}, where prices differ, mostly upwards", column.name, column.region))
        .collect();
    out.push_str(&format!("\nPrices of {}, {}{}.\n", prices.region.as_str(), prices.date.as_str(), elsewhere.concat()));
    out
}

/// The difference of two amounts as they are printed.
fn signed(here: f64, there: f64) -> String {
    let cents = |amount: f64| (amount * 100.0).round() / 100.0;
    let difference = cents(there) - cents(here);
    if difference.abs() < 0.005 {
        return "0.00".to_owned();
    }
    let sign = if difference < 0.0 { '-' } else { '+' };
    format!("{sign}{}", report::cents(difference.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_a_sign_and_nothing_has_none() {
        let found = [(0.0, 0.0), (0.001, 0.004), (18.154, 18.156), (1.0, 2.5), (1235.0, 0.5)]
            .map(|(here, there)| signed(here, there));
        assert_eq!(found, ["0.00", "0.00", "+0.01", "+1.50", "-1,234.50"]);
    }
}
