//! What a feature is billed for: so much a month, or so much for each thing of a kind that happens.

use super::prices::Figure;

/// What a quantity is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Once a month, however many watch.
    Month,
    /// For each session: a request to the stream function.
    Session,
    /// For each hour for which a session is open.
    OpenHour,
    /// For each request to what stands before the functions: sessions, goodbyes and files of the page.
    Request,
    /// For each start of an environment.
    Start,
    /// For each request that X-Ray records where it may.
    Trace,
}

/// One line of the bill, before it is known how often things happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Charge {
    /// What is billed.
    pub item: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it is counted by.
    pub per: Per,
    /// Units for each of these.
    pub quantity: f64,
    /// Dollars for one unit.
    pub unit_price: f64,
    /// Units that are free each month.
    pub free: f64,
}

impl Charge {
    /// So many units a month, at this price.
    #[must_use]
    pub const fn monthly(item: &'static str, quantity: f64, unit: &'static str, price: Figure) -> Self {
        Self { item, unit, per: Per::Month, quantity, unit_price: price.get(), free: 0.0 }
    }

    /// So many millionths of a unit for each of something.
    #[must_use]
    pub const fn millionths(item: &'static str, per: Per, quantity: f64, unit: &'static str, price: Figure) -> Self {
        Self { item, unit, per, quantity: quantity / 1e6, unit_price: price.get(), free: 0.0 }
    }

    /// The same, of which so many units are free each month.
    #[must_use]
    pub const fn with_free(self, free: f64) -> Self {
        Self { free, ..self }
    }
}
