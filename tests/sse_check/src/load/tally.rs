//! What all clients of a run have had together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::blocks::Block;
use super::percentiles::Histogram;
use super::updates::{Arrival, Known, Rules, Updates};

/// Types of events that are counted by name; those beyond are counted together.
const NAMES_MAX: usize = 63;
/// What they are called then.
const OTHERS: &str = "(others)";

/// Events of one type.
#[derive(Debug)]
pub(super) struct Name {
    /// The type.
    pub(super) text: String,
    /// How many came, to all clients together.
    pub(super) count: u64,
    /// From a client's first connect to its first one, of every client that had one.
    pub(super) firsts: Histogram,
}

/// Counts and times.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) names: Vec<Name>,
    pub(super) updates: Updates,
    /// Updates that came, to all clients together.
    pub(super) delivered: u64,
    /// Those that had come before to the same client.
    pub(super) doubled: u64,
    /// The first of them, by its index.
    pub(super) doubled_first: Option<u32>,
    /// Connects that were begun, and of those the ones after a stream had ended.
    pub(super) connects: u64,
    pub(super) reconnects: u64,
    /// Redirects that were followed, each with a connect of its own.
    pub(super) redirects: u64,
    /// From a connect to the first byte of the body, over redirects.
    pub(super) first_byte: Histogram,
    /// From the time that an update says to when a client had it first.
    pub(super) delivery: Histogram,
    /// From the first client that had an update to each of the others.
    pub(super) spread: Histogram,
    /// Bytes of the bodies.
    pub(super) bytes: u64,
    /// Streams that came to their end as their framing says.
    pub(super) ended: u64,
    /// Of these, those that were refusals, by the type of their last event.
    pub(super) refusals: BTreeMap<String, u64>,
    /// Streams and connects that failed, by why.
    pub(super) failures: BTreeMap<String, u64>,
    /// When the run began, microseconds since 1970.
    began_us: u128,
}

impl Tally {
    pub(super) fn new(rules: Rules, since_1970: Duration) -> Self {
        Self { updates: Updates::new(rules), began_us: since_1970.as_micros(), ..Self::default() }
    }

    /// Index of an event's type.
    pub(super) fn name(&mut self, name: &[u8]) -> usize {
        if let Some(known) = self.names.iter().position(|known| known.text.as_bytes() == name) {
            return known;
        }
        let text =
            if self.names.len() < NAMES_MAX { String::from_utf8_lossy(name).into_owned() } else { OTHERS.into() };
        if let Some(known) = self.names.iter().position(|known| known.text == text) {
            return known;
        }
        self.names.push(Name { text, count: 0, firsts: Histogram::default() });
        self.names.len() - 1
    }

    /// Counts an event; says which update it is, where it is one.
    pub(super) fn event(&mut self, name: usize, block: &Block<'_>, now: Duration) -> Option<Arrival> {
        self.names[name].count += 1;
        self.updates.arrival(block, now)
    }

    /// Counts an update, which its client had before or not.
    pub(super) fn update(&mut self, arrival: Arrival, is_new: bool, now: Duration) {
        self.delivered += 1;
        if !is_new {
            // What is sent again at a return is as late as the client was away: that says nothing of how long updates take.
            self.doubled += 1;
            self.doubled_first.get_or_insert(arrival.index);
            return;
        }
        let Known { said, seen, .. } = self.updates.known()[arrival.index as usize];
        if !arrival.is_first {
            self.spread.add(now.saturating_sub(seen));
        }
        if let Some(said) = said {
            let at = self.began_us + now.as_micros();
            self.delivery.add_us(u64::try_from(at.saturating_sub(u128::from(said))).unwrap_or(u64::MAX));
        }
    }

    /// Notes a stream that was a refusal, and the type of its last event.
    pub(super) fn refused(&mut self, said: Option<usize>) {
        let name = said.map_or("(no event)", |name| &self.names[name].text);
        *self.refusals.entry(name.to_owned()).or_default() += 1;
    }

    /// Notes why something failed.
    pub(super) fn failed(&mut self, why: String) {
        *self.failures.entry(why).or_default() += 1;
    }
}
