//! A table for tests: its rows and clocks, and how a journal reads it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use compact_str::CompactString;
use contract::{DataSettings, Identity, PollSettings, TableName};
use proptest::prelude::*;

use crate::item::Item;
use crate::journal::Journal;
use crate::moment::Now;
use crate::reading::{KeyValue, PageRequest, PageStart};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

pub(super) const LATE: Duration = Duration::from_secs(600);
pub(super) const START: u64 = 1_800_000_000_000;
/// Rows of a page: few, so that most readings have several.
pub(super) const PAGE_ROWS: usize = 7;

pub(super) fn journal_with(identity: Identity, poll: &[(&str, &str)]) -> Journal {
    let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
    journal_of(DataSettings { identity, ..data }, poll)
}

pub(super) fn journal_of(data: DataSettings, poll: &[(&str, &str)]) -> Journal {
    let lookup = |name: &str| poll.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Journal::new(data, PollSettings::from_env(&lookup).unwrap())
}

pub(super) fn journal() -> Journal {
    journal_with(Identity::KeyAndTime, &[])
}

pub(super) fn any_instant() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant will do; there is no other way to have one")]
    Instant::now()
}

/// What a journal shows that has read these rows.
pub(crate) fn snapshot_of(rows: Vec<Item>, wall: Timestamp) -> Snapshot {
    let rows = rows.into_iter().map(|row| (row.key.id.to_string(), row)).collect();
    let world = World { rows, now: Now { instant: any_instant(), wall }, ..World::new() };
    let mut journal = journal();
    journal.begin(world.now);
    world.read_all(&mut journal);
    journal.settle(world.now).unwrap()
}

/// The table: what is in it, and the clocks.
pub(super) struct World {
    /// What makes rows one item.
    pub(super) identity: Identity,
    pub(super) rows: BTreeMap<String, Item>,
    pub(super) now: Now,
    /// Keys and times of rows that were overwritten since the last poll.
    pub(super) overwritten: Vec<(CompactString, Timestamp)>,
    /// What a page says of its cost.
    pub(super) units_per_row: f64,
    /// Rows of a page.
    pub(super) page_rows: usize,
    /// Pages of each label that a poll reads of the late interval before the store fails.
    pub(super) late_rounds: usize,
}

impl World {
    pub(super) fn new() -> Self {
        let now = Now { instant: any_instant(), wall: Timestamp::from_millis(START) };
        let (identity, rows) = (Identity::KeyAndTime, BTreeMap::new());
        Self {
            identity,
            rows,
            now,
            overwritten: Vec::new(),
            units_per_row: 0.0,
            page_rows: PAGE_ROWS,
            late_rounds: usize::MAX,
        }
    }

    pub(super) fn of(identity: Identity) -> Self {
        Self { identity, ..Self::new() }
    }

    /// Puts a row in, unless there is one with the same key, time and label.
    pub(super) fn put(&mut self, name: &str, row: Item) {
        let is_same = |known: &Item| known.key == row.key && known.label == row.label;
        if !self.rows.values().any(is_same) {
            self.rows.insert(name.to_owned(), row);
        }
    }

    /// Whether a row is an item: where an item is its hash key alone, the newest of these rows. Of equal times the last label.
    pub(super) fn is_item<'a>(&self, row: &Item, mut rows: impl Iterator<Item = &'a Item>) -> bool {
        let rank = |row: &Item| (row.at, row.label);
        self.identity == Identity::KeyAndTime
            || rows.all(|other| other.key.id != row.key.id || rank(other) <= rank(row))
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall.plus(time) };
    }

    /// One page, newest first, of the rows that are seen.
    pub(super) fn page(&self, request: &PageRequest, sees: &dyn Fn(&Item) -> bool) -> (Vec<Item>, Option<PageStart>) {
        let inside = |row: &&Item| row.label == request.label && request.range.contains(row.at) && sees(row);
        let mut rows: Vec<&Item> = self.rows.values().filter(inside).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.at, row.key.clone())));
        let key = |row: &Item| {
            PageStart([(Box::from("id"), KeyValue::Text(format!("{} {}", row.at, row.key.id).into()))].into())
        };
        let start = request.start.as_ref().map(|start| match &start.0[0].1 {
            KeyValue::Text(text) | KeyValue::Number(text) => text.clone(),
            KeyValue::Bytes(_) => unreachable!("the key above is a text"),
        });
        let rest = rows
            .into_iter()
            .skip_while(|row| start.as_ref().is_some_and(|start| **start <= *format!("{} {}", row.at, row.key.id)));
        let mut rest = rest.peekable();
        let page: Vec<Item> = rest.by_ref().take(self.page_rows).cloned().collect();
        let next = rest.peek().and_then(|_| page.last().map(key));
        (page, next)
    }

    /// Reads every page that a journal asks for.
    pub(super) fn read_all(&self, journal: &mut Journal) {
        self.read_seen(journal, &|_| true);
    }

    /// The same, by an index that does not show all rows.
    pub(super) fn read_seen(&self, journal: &mut Journal, sees: &dyn Fn(&Item) -> bool) {
        while self.read_some(journal, sees, &[Journal::requests, Journal::late_requests, Journal::reconciling_requests])
        {
        }
    }

    /// Reads the first pages that are asked for in one of these ways; `false` where there are none.
    fn read_some(
        &self,
        journal: &mut Journal,
        sees: &dyn Fn(&Item) -> bool,
        asked: &[fn(&Journal) -> Vec<PageRequest>],
    ) -> bool {
        let requests = asked.iter().map(|ask| ask(journal)).find(|requests| !requests.is_empty()).unwrap_or_default();
        for request in &requests {
            let (items, next) = self.page(request, sees);
            #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
            let units = items.len() as f64 * self.units_per_row;
            journal.take(request, items, next, units);
        }
        !requests.is_empty()
    }

    /// A poll from beginning to end: what is new is told before anything else is read.
    pub(super) fn poll(&self, journal: &mut Journal, sees: &dyn Fn(&Item) -> bool) -> Option<Snapshot> {
        let mut snapshot = None;
        loop {
            journal.begin(self.now);
            while self.read_some(journal, sees, &[Journal::requests]) {}
            snapshot = journal.settle(self.now).or(snapshot);
            if !journal.is_catching_up() {
                let old = &[Journal::late_requests, Journal::reconciling_requests];
                for _ in 0..self.late_rounds {
                    if !self.read_some(journal, sees, old) {
                        break;
                    }
                }
                return journal.settle(self.now).or(snapshot);
            }
        }
    }

    /// The items of the window at a time, oldest first.
    pub(super) fn held(&self, wall: Timestamp) -> Vec<&Item> {
        let (after, until) = (wall.minus(contract::limits::WINDOW), wall.plus(contract::limits::FUTURE_SKEW));
        let inside = || self.rows.values().filter(|row| after < row.at && row.at <= until);
        let mut held: Vec<&Item> = inside().filter(|row| self.is_item(row, inside())).collect();
        held.sort_by_key(|row| (row.at, row.key.place(self.identity)));
        held
    }
}

pub(super) fn identity() -> impl Strategy<Value = Identity> {
    prop_oneof![Just(Identity::KeyAndTime), Just(Identity::Key)]
}

pub(super) fn tags(bits: u8) -> Vec<&'static str> {
    ["AAPL", "MSFT", "NVDA"].into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, tag)| tag).collect()
}
