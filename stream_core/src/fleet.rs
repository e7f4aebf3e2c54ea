//! Instances of a table that share hours, as the hub runs them, and the shelf between them, which can fail, lose and alter what is on it.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Identity, limits};

use crate::hour::Version;
use crate::item::{Item, tests::item};
use crate::journal::Journal;
use crate::moment::Now;
use crate::shelf::{Errand, Head, Kind, Write};
use crate::snapshot::Snapshot;
use crate::split_mix;
use crate::timestamp::Timestamp;
use crate::world::{World, journal_with, tags};

pub(super) const RECONCILE: Duration = Duration::from_secs(3600);
pub(super) const POLL: Duration = Duration::from_secs(5);
/// Rows of the newest hours from which on these are shared too: fewer than these tables have of them.
pub(super) const YOUNG_ROWS: usize = 10;

/// What comes of a seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        split_mix::next(&mut self.0)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1000)).unwrap()) / 1000.0
    }
}

/// What is stored.
#[derive(Default)]
pub(super) struct Store {
    pub(super) heads: BTreeMap<(Kind, u64), Head>,
    pub(super) bytes: BTreeMap<(Kind, u64, Option<Version>), Vec<u8>>,
    /// One request in so many fails.
    pub(super) fails_one_in: Option<u64>,
    pub(super) looks: usize,
    pub(super) fetches: usize,
    pub(super) heads_written: usize,
    pub(super) hours_written: usize,
    /// How often the newest hours were looked for, claimed, and written.
    pub(super) young_looks: usize,
    pub(super) young_claims: usize,
    pub(super) young_written: usize,
}

impl Store {
    pub(super) fn write(&mut self, write: &Write, dies_between: bool) -> bool {
        let Head { kind, hour, version, .. } = write.head;
        let (heads, hours) = match kind {
            Kind::Young => (&mut self.young_claims, &mut self.young_written),
            _ => (&mut self.heads_written, &mut self.hours_written),
        };
        if !write.bytes.is_empty() {
            *hours += 1;
            self.bytes.insert((kind, hour, version), write.bytes.clone());
        }
        let is_it = self.heads.get(&(kind, hour)).map(Head::seen) == write.seen;
        if is_it && !dies_between {
            *heads += usize::from(kind == Kind::Rows || write.head.claimed_until > Timestamp::EPOCH);
            self.heads.insert((kind, hour), write.head.clone());
        }
        is_it && !dies_between
    }

    /// How many hours are there of which nobody needs whole rows.
    pub(super) fn old(&self) -> impl Iterator<Item = &Head> {
        self.heads.values().filter(|head| head.kind == Kind::Rows)
    }
}

pub(super) struct Instance {
    pub(super) journal: Journal,
    pub(super) newest: Option<Snapshot>,
    /// What its clock is ahead, milliseconds.
    pub(super) skew: i64,
}

/// The table, the shelf, the instances, and what they read of the table.
pub(super) struct Fleet {
    pub(super) identity: Identity,
    pub(super) world: World,
    pub(super) store: Store,
    pub(super) instances: Vec<Instance>,
    pub(super) random: Random,
    /// Rows read of the table, and of these, rows that are so old that everybody shares them.
    pub(super) rows_read: usize,
    pub(super) old_rows_read: usize,
    /// Bytes that were refused.
    pub(super) bad: usize,
}

impl Fleet {
    pub(super) fn new(seed: u64, identity: Identity, rows: usize) -> Self {
        let mut world = World::of(identity);
        world.page_rows = 1000;
        for n in 0..rows {
            let at = world.now.wall.minus(limits::WINDOW.mul_f64((n as f64 + 0.5) / rows as f64));
            let keys = if identity == Identity::Key { n / 2 } else { n };
            world.put(
                &format!("r{n}"),
                item(
                    &format!("r{keys}"),
                    at.millis(),
                    u8::try_from(n % 3).unwrap(),
                    0.5,
                    &tags(u8::try_from(n % 8).unwrap()),
                ),
            );
        }
        let (store, instances) = (Store::default(), Vec::new());
        Self { identity, world, store, instances, random: Random(seed), rows_read: 0, old_rows_read: 0, bad: 0 }
    }

    pub(super) fn start(&mut self, skew: i64) {
        self.start_with(skew, &[]);
    }

    pub(super) fn start_with(&mut self, skew: i64, poll: &[(&str, &str)]) {
        let journal = journal_with(self.identity, poll).sharing(true, self.random.share()).young_from(YOUNG_ROWS);
        self.instances.push(Instance { journal, newest: None, skew });
    }

    pub(super) fn run(&mut self, number: usize, errands: Vec<Errand>) {
        for errand in errands {
            let fails = self.store.fails_one_in.is_some_and(|one_in| self.random.below(one_in) == 0);
            let journal = &mut self.instances[number].journal;
            match errand {
                Errand::Look { kind, from, to } => {
                    *if kind == Kind::Young { &mut self.store.young_looks } else { &mut self.store.looks } += 1;
                    let found = self.store.heads.range((kind, from)..=(kind, to));
                    let heads = found.map(|(_, head)| head.clone()).collect();
                    journal.looked(kind, if fails { Vec::new() } else { heads });
                }
                Errand::Fetch(head) => {
                    self.store.fetches += usize::from(head.kind == Kind::Rows);
                    let bytes = self.store.bytes.get(&(head.kind, head.hour, head.version));
                    let bytes = bytes.map_or(&[][..], Vec::as_slice);
                    self.bad += usize::from(journal.fetched(&head, (!fails).then_some(bytes)).is_err());
                }
                Errand::Claim(write) => {
                    let is_done = !fails && self.store.write(&write, false);
                    journal.claimed(&write, is_done);
                }
                Errand::Leave(write) => {
                    let is_done = self.store.write(&write, fails);
                    journal.left(&write, is_done);
                }
            }
        }
    }

    /// Of the first two thirds of the day: none of the newest rows, which are kept whole.
    pub(super) fn is_old(&self, row: &Item) -> bool {
        row.at < self.world.now.wall.minus(limits::WINDOW / 3)
    }

    pub(super) fn pages(&mut self, number: usize, requests: Vec<crate::reading::PageRequest>) {
        for request in requests {
            let (items, next) = self.world.page(&request, &|_| true);
            self.rows_read += items.len();
            self.old_rows_read += items.iter().filter(|row| self.is_old(row)).count();
            self.instances[number].journal.take(&request, items, next, 0.0);
        }
    }

    /// A poll of an instance, and those that follow it at once, as the hub has them.
    pub(super) fn poll(&mut self, number: usize) {
        self.poll_once(number);
        while self.instances[number].journal.is_thin() {
            self.poll_once(number);
        }
    }

    pub(super) fn poll_once(&mut self, number: usize) {
        self.read_new(number);
        for _ in 0..4 {
            let journal = &self.instances[number].journal;
            let requests = [journal.late_requests(), journal.reconciling_requests()].concat();
            self.pages(number, requests);
        }
        self.settle(number);
        for _ in 0..3 {
            let errands = self.instances[number].journal.errands();
            self.run(number, errands);
        }
    }

    fn now_of(&self, number: usize) -> Now {
        let wall = self.world.now.wall.millis().saturating_add_signed(self.instances[number].skew);
        Now { wall: Timestamp::from_millis(wall), ..self.world.now }
    }

    /// The first half of a poll: what an instance tells before it reads anything old.
    pub(super) fn read_new(&mut self, number: usize) {
        let now = self.now_of(number);
        loop {
            self.instances[number].journal.begin(now);
            loop {
                let journal = &mut self.instances[number].journal;
                journal.advance();
                let errands = if journal.is_whole() { Vec::new() } else { journal.errands() };
                if !errands.is_empty() {
                    self.run(number, errands);
                    continue;
                }
                let requests = self.instances[number].journal.requests();
                if requests.is_empty() {
                    break;
                }
                self.pages(number, requests);
            }
            self.settle(number);
            if !self.instances[number].journal.is_catching_up() {
                break;
            }
        }
    }

    fn settle(&mut self, number: usize) {
        let now = self.now_of(number);
        let instance = &mut self.instances[number];
        instance.newest = instance.journal.settle(now).or(instance.newest.take());
    }

    /// Asserts that an instance shows what is in the table.
    pub(super) fn assert_shows_all(&self, number: usize, what: &str) {
        let instance = &self.instances[number];
        let snapshot = instance.newest.as_ref().unwrap_or_else(|| panic!("{what}: nothing was read"));
        let shown: Vec<_> = snapshot
            .rows_between(Timestamp::EPOCH, Timestamp::MAX)
            .filter(|row| !row.is_hidden())
            .map(|row| (row.at(), row.place(), row.label()))
            .collect();
        let held = self.world.held(snapshot.read_at);
        let expected: Vec<_> = held.iter().map(|row| (row.at, row.key.place(self.identity), row.label)).collect();
        let lacks: Vec<_> = expected.iter().filter(|row| !shown.contains(row)).collect();
        let old: Vec<_> = shown.iter().filter(|row| !expected.contains(row)).collect();
        let read_at = snapshot.read_at;
        assert!(lacks.is_empty() && old.is_empty(), "{what} at {read_at}: lacks {lacks:?}, still shows {old:?}");
        assert_eq!(snapshot.numbers.total as usize, held.len(), "{what}");
    }

    /// Changes a row somewhere in the day, or makes one.
    pub(super) fn disturb(&mut self, serial: usize) {
        let at = self.world.now.wall.minus(Duration::from_secs(self.random.below(86_000)));
        let key = self
            .world
            .rows
            .keys()
            .nth(usize::try_from(self.random.next() % self.world.rows.len() as u64).unwrap())
            .cloned()
            .unwrap();
        match self.random.below(4) {
            0 | 1 => {
                let row = item(&format!("d{serial}"), at.millis(), 0, 0.25, &["NVDA"]);
                self.world.put(&format!("d{serial}"), row);
            }
            2 => drop(self.world.rows.remove(&key)),
            _ => {
                let row: Item = self.world.rows.remove(&key).unwrap();
                self.world.put(&key, Item { label: (row.label + 1) % 3, ..row });
            }
        }
    }

    /// Something goes wrong with what is stored.
    pub(super) fn break_something(&mut self) {
        match self.random.below(5) {
            0 => self.store = Store::default(),
            1 => self.store.heads.clear(),
            2 => self.store.bytes.clear(),
            3 => {
                for bytes in self.store.bytes.values_mut() {
                    let at = self.random.below(bytes.len() as u64);
                    bytes[usize::try_from(at).unwrap()] ^= 1;
                }
            }
            _ => {
                // A clock that is days ahead has written.
                for head in self.store.heads.values_mut() {
                    head.read_at = head.read_at.plus(Duration::from_secs(200_000));
                }
            }
        }
    }
}
