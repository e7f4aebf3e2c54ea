//! Sums of hours that outlive the window.

use super::construct::Construct;
use crate::cost::{Charge, Prices};
use crate::plan::Plan;

/// Hours of a month.
const HOURS_MONTHLY: f64 = 365.0 * 24.0 / 12.0;
/// Bytes of the sums of an hour and of their head: some eighty different sets of tags.
const HOUR_BYTES: f64 = 2048.0;
/// How often the sums of an hour are written: when it is over, and when rows have come late. What was written before stays as long.
const WRITINGS: f64 = 2.0;
/// Write units of one writing: the sums, and their head.
const WRITE_UNITS: f64 = 3.0;
/// What AWS calls a GB on bills.
const GIBIBYTE_BYTES: f64 = 1_073_741_824.0;

/// The table of sums, where they are kept; [`super::tables`] makes it with the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct History<'p>(&'p Plan);

impl<'p> History<'p> {
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        plan.history.is_some().then_some(Self(plan))
    }
}

impl Construct for History<'_> {
    fn name(&self) -> &'static str {
        "history"
    }

    fn summary(&self) -> &'static str {
        "Sums of each hour by label and set of tags, for histories that begin before the window, in a table of their own \
         (`history.keep`). The stream function writes and reads that table, the dashboard function reads it."
    }

    fn charges(&self, prices: &Prices) -> Vec<Charge> {
        let prices = &prices.dynamodb;
        let written = HOURS_MONTHLY * WRITINGS * WRITE_UNITS / 1e6;
        let hours = u32::try_from(self.0.history_days * 24).unwrap_or(u32::MAX);
        let stored = f64::from(hours) * WRITINGS * HOUR_BYTES / GIBIBYTE_BYTES;
        let is_recoverable = self.0.history.as_ref().is_some_and(|table| table.point_in_time_recovery);
        let mut charges = vec![
            Charge::monthly(
                "DynamoDB sums of hours written",
                written,
                "million write units",
                prices.million_write_units,
            ),
            Charge::monthly("DynamoDB sums of hours kept", stored, "GB", prices.gb_month),
        ];
        if is_recoverable {
            charges.push(Charge::monthly("DynamoDB backups of sums", stored, "GB", prices.gb_month_recoverable));
        }
        charges
    }
}
