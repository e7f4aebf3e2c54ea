//! Other people's EventSource clients against our servers: browsers, libraries and curl, cut at any byte and moved between
//! processes.

mod browser;
mod control;
mod cuts;
mod cutting;
mod endings;
mod place;
mod refused;
mod roster;
mod scene;
mod truncated;
mod writer;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use contract::events;
use serde_json::Value;

use crate::support::process::lock;
use crate::support::table::SENTIMENTS;

/// Every event name that a stream of these tests may send.
const NAMES: [&str; 6] =
    [events::HEARTBEAT, events::METRICS, SENTIMENTS.update_event, events::RESET, events::DEADLINE, events::OVERLOADED];

/// One event as a client reported it.
#[derive(Clone, Debug)]
struct Heard {
    /// When the report came.
    at: Instant,
    /// Its type.
    name: String,
    /// Its data.
    data: Value,
}

/// What an update says: item, ticker, label, score in thousandths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Update {
    item_id: String,
    ticker: String,
    label: String,
    score: i64,
}

impl Update {
    fn of(data: &Value) -> Self {
        let text = |name: &str| data[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {data}")).to_owned();
        let score = thousandths(data["score"].as_f64().expect("a number"));
        Self { item_id: text("item_id"), ticker: text("ticker"), label: text("label"), score }
    }
}

/// A score as it can be compared.
fn thousandths(score: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "scores are within -1 to 1")]
    let whole = (score * 1000.0).round() as i64;
    whole
}

#[derive(Default)]
struct Notes {
    heard: Vec<Heard>,
    updates: Vec<Update>,
    known: BTreeSet<Update>,
    complaints: Vec<String>,
}

/// What a client has reported so far; clones share it.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Notes>>);

impl Ear {
    /// Takes down one event.
    fn hear(&self, name: &str, data: &str) {
        let data: Value = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {name} {data}"));
        let mut notes = lock(&self.0);
        if name == SENTIMENTS.update_event {
            let update = Update::of(&data);
            notes.known.insert(update.clone());
            notes.updates.push(update);
        }
        notes.heard.push(Heard { at: Instant::now(), name: name.to_owned(), data });
    }

    /// Takes down what a client says of its troubles; being cut, it has some.
    fn complain(&self, text: &str) {
        lock(&self.0).complaints.push(text.to_owned());
    }

    /// The last complaints, for messages.
    fn complaints(&self) -> String {
        let notes = lock(&self.0);
        notes.complaints[notes.complaints.len().saturating_sub(10)..].join("\n")
    }

    /// All events with this name.
    fn all(&self, name: &str) -> Vec<Heard> {
        lock(&self.0).heard.iter().filter(|one| one.name == name).cloned().collect()
    }

    /// When the last event came.
    fn last_at(&self) -> Option<Instant> {
        lock(&self.0).heard.last().map(|one| one.at)
    }

    fn has(&self, update: &Update) -> bool {
        lock(&self.0).known.contains(update)
    }

    /// The updates in the order of their arrival, repetitions included.
    fn updates(&self) -> Vec<Update> {
        lock(&self.0).updates.clone()
    }
}

/// Says what is wrong with a client that was to hear exactly `expected`, each once; `None` where nothing is.
fn difference(expected: &[Update], heard: &[Update]) -> Option<String> {
    let count = |list: &[Update], one: &Update| list.iter().filter(|other| *other == one).count();
    let all: BTreeSet<&Update> = expected.iter().chain(heard).collect();
    let wrong: Vec<String> = all
        .into_iter()
        .map(|one| (one, count(expected, one), count(heard, one)))
        .filter(|(_, expected, heard)| expected != heard)
        .map(|(one, expected, heard)| format!("{one:?}: {heard} times instead of {expected}"))
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}
