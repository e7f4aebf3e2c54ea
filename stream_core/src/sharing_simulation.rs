//! Many instances that share hours, of which some crash, on a shelf that fails, loses and alters what is on it: whatever happens, an
//! instance shows what a full read would show that is no older than the reconcile interval.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{Identity, limits};

use crate::filter::Filter;
use crate::hour::Version;
use crate::item::{Item, tests::item};
use crate::journal::Journal;
use crate::moment::Now;
use crate::properties::{World, journal_with, tags};
use crate::session_client::{self, Client, connect, pull_where};
use crate::shelf::{Errand, Head, Kind, Write, before_hour, hour_of};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

const RECONCILE: Duration = Duration::from_secs(3600);
const POLL: Duration = Duration::from_secs(5);
/// Rows younger than this may be asked for whole: of the replay window, and of the late interval twice.
const WHOLE: Duration = Duration::from_secs(2000);
/// Rows of the newest hours from which on these are shared too: fewer than these tables have of them.
const YOUNG_ROWS: usize = 10;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1000)).unwrap()) / 1000.0
    }
}

/// What is stored.
#[derive(Default)]
struct Store {
    heads: BTreeMap<(Kind, u64), Head>,
    bytes: BTreeMap<(Kind, u64, Option<Version>), Vec<u8>>,
    /// One request in so many fails.
    fails_one_in: Option<u64>,
    looks: usize,
    fetches: usize,
    heads_written: usize,
    hours_written: usize,
    /// How often the newest hours were looked for, claimed, and written.
    young_looks: usize,
    young_claims: usize,
    young_written: usize,
}

impl Store {
    fn write(&mut self, write: &Write, dies_between: bool) -> bool {
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
    fn old(&self) -> impl Iterator<Item = &Head> {
        self.heads.values().filter(|head| head.kind == Kind::Rows)
    }
}

struct Instance {
    journal: Journal,
    newest: Option<Snapshot>,
    /// What its clock is ahead, milliseconds.
    skew: i64,
}

/// The table, the shelf, the instances, and what they read of the table.
struct Fleet {
    identity: Identity,
    world: World,
    store: Store,
    instances: Vec<Instance>,
    random: Random,
    /// Rows read of the table, and of these, rows that are so old that everybody shares them.
    rows_read: usize,
    old_rows_read: usize,
    /// Bytes that were refused.
    bad: usize,
}

impl Fleet {
    fn new(seed: u64, identity: Identity, rows: usize) -> Self {
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

    fn start(&mut self, skew: i64) {
        let journal = journal_with(self.identity, &[]).sharing(true, self.random.share()).young_from(YOUNG_ROWS);
        self.instances.push(Instance { journal, newest: None, skew });
    }

    fn run(&mut self, number: usize, errands: Vec<Errand>) {
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
    fn is_old(&self, row: &Item) -> bool {
        row.at < self.world.now.wall.minus(limits::WINDOW / 3)
    }

    fn pages(&mut self, number: usize, requests: Vec<crate::reading::PageRequest>) {
        for request in requests {
            let (items, next) = self.world.page(&request, &|_| true);
            self.rows_read += items.len();
            self.old_rows_read += items.iter().filter(|row| self.is_old(row)).count();
            self.instances[number].journal.take(&request, items, next, 0.0);
        }
    }

    /// A poll of an instance, and those that follow it at once, as the hub has them.
    fn poll(&mut self, number: usize) {
        self.poll_once(number);
        while self.instances[number].journal.is_thin() {
            self.poll_once(number);
        }
    }

    fn poll_once(&mut self, number: usize) {
        let wall =
            Timestamp::from_millis(self.world.now.wall.millis().saturating_add_signed(self.instances[number].skew));
        let now = Now { wall, ..self.world.now };
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
            for _ in 0..4 {
                let requests = self.instances[number].journal.reconciling_requests();
                self.pages(number, requests);
            }
            let instance = &mut self.instances[number];
            instance.newest = instance.journal.settle(now).or(instance.newest.take());
            if !instance.journal.is_catching_up() {
                break;
            }
        }
        for _ in 0..3 {
            let errands = self.instances[number].journal.errands();
            self.run(number, errands);
        }
    }

    /// Asserts that an instance shows what is in the table.
    fn assert_shows_all(&self, number: usize, what: &str) {
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
    fn disturb(&mut self, serial: usize) {
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
    fn break_something(&mut self) {
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

/// Crashes, races, clocks that differ, late rows, deletions: when all has been quiet for the interval, everybody shows the table, those that
/// were there and those that come.
fn chaos(seed: u64) -> usize {
    let what = format!("seed {seed}");
    let identity = if seed.is_multiple_of(3) { Identity::Key } else { Identity::KeyAndTime };
    let mut fleet = Fleet::new(seed, identity, 700);
    for _ in 0..3 {
        let skew = i64::try_from(fleet.random.below(60_000)).unwrap() - 30_000;
        fleet.start(skew);
    }
    // One request in four, all of them, or none.
    fleet.store.fails_one_in = [Some(4), None, Some(1), None][usize::try_from(seed % 4).unwrap()];
    for serial in 0..60 {
        let step = Duration::from_secs(fleet.random.below(600));
        fleet.world.pass(step);
        let number = usize::try_from(fleet.random.below(3)).unwrap();
        match fleet.random.below(8) {
            0 => fleet.disturb(serial),
            1 => fleet.break_something(),
            2 => {
                fleet.instances.remove(number);
                fleet.start(0);
            }
            _ => {
                for _ in 0..1 + fleet.random.below(6) {
                    fleet.poll(number.min(fleet.instances.len() - 1));
                    fleet.world.pass(POLL);
                }
            }
        }
    }
    // Half of an interval later somebody comes, whose hours may be half as old; the others are there all the time.
    fleet.world.pass(RECONCILE / 2);
    fleet.start(0);
    for _ in 0..60 {
        fleet.world.pass(RECONCILE / 2 / 60 + Duration::from_secs(4));
        (0..fleet.instances.len()).for_each(|number| fleet.poll(number));
    }
    for _ in 0..30 {
        fleet.world.pass(POLL);
        (0..fleet.instances.len()).for_each(|number| fleet.poll(number));
    }
    fleet.start(0);
    fleet.poll(fleet.instances.len() - 1);
    (0..fleet.instances.len()).for_each(|number| fleet.assert_shows_all(number, &format!("{what}, instance {number}")));
    fleet.bad
}

#[test]
fn whatever_happens_to_the_shelf_instances_show_the_table() {
    let bad: usize = (0..60).map(chaos).sum();
    assert!(bad > 0, "no altered bytes were met");
}

/// Bounds of a query are a day wider than its range until a form of a time was met: two ranges would be the day twice.
#[test]
fn where_no_hour_can_be_taken_the_first_range_is_the_whole_window() {
    let mut fleet = Fleet::new(1, Identity::KeyAndTime, 960);
    let planned = |fleet: &mut Fleet| {
        fleet.start(0);
        let now = fleet.world.now;
        let number = fleet.instances.len() - 1;
        fleet.instances[number].journal.begin(now);
        let errands = fleet.instances[number].journal.errands();
        assert!(matches!(errands[..], [Errand::Look { .. }]));
        fleet.run(number, errands);
        let read = fleet.instances[number].journal.reads();
        assert_eq!(read.len(), 1);
        (now.wall.millis() - read[0].after.millis()) / 3_600_000
    };
    assert_eq!(planned(&mut fleet), 24, "an empty shelf");
    fleet.poll(0);
    (0..30).for_each(|_| {
        fleet.world.pass(POLL);
        fleet.poll(0);
    });
    assert!(planned(&mut fleet) <= 2, "{} hours are there", fleet.store.old().count());
    let whole = fleet.store.heads.clone();
    // Only the newest is left, which every instance reads anyway.
    fleet.store.heads.retain(|(_, hour), _| hour + 1 >= hour_of(fleet.world.now.wall));
    assert_eq!(planned(&mut fleet), 24, "{:?}", fleet.store.heads);
    fleet.store.heads = whole;
    fleet.store.fails_one_in = Some(1);
    assert_eq!(planned(&mut fleet), 24, "a shelf out of reach");
}

/// A fleet of one instance that has left everything that there is to leave.
fn settled(identity: Identity, rows: usize) -> Fleet {
    let mut fleet = Fleet::new(3, identity, rows);
    fleet.start(0);
    (0..40).for_each(|_| {
        fleet.poll(0);
        fleet.world.pass(POLL);
    });
    fleet
}

#[test]
fn the_first_numbers_of_a_large_table_come_before_the_rows_of_its_newest_hours() {
    for identity in [Identity::KeyAndTime, Identity::Key] {
        // Four a minute.
        let mut fleet = settled(identity, 5760);
        let late = fleet.world.now.wall.minus(Duration::from_secs(1500));
        let changed = item("changed", late.millis(), 1, 0.5, &["AAPL"]);
        fleet.world.put("changed", changed);
        for minute in 0..4 {
            fleet.world.pass(Duration::from_secs(60));
            fleet.world.put(
                &format!("n{minute}"),
                item(&format!("n{minute}"), fleet.world.now.wall.millis(), 0, 0.5, &["NVDA"]),
            );
            fleet.poll(0);
        }
        let (newest, read) = (fleet.world.now.wall, fleet.rows_read);
        fleet.start(0);
        fleet.poll_once(1);
        let first = fleet.instances[1].newest.clone().unwrap();
        let after = first.whole_after.expect("rows are still to be read");
        let rows = fleet.rows_read - read;
        assert!(rows <= 4 * 25, "{rows} rows before the first numbers, {identity:?}");
        assert_eq!(
            first.numbers.total,
            fleet.instances[0].newest.as_ref().unwrap().numbers.total,
            "as the other shows"
        );
        assert!(first.rows_between(after, Timestamp::MAX).all(|row| row.row().is_some()), "what was read is whole");
        // What the other one has left differs from the table by a row that came too late to be told of.
        assert_eq!(first.numbers.total as usize + 1, fleet.world.held(newest).len());
        fleet.poll(1);
        let second = fleet.instances[1].newest.clone().unwrap();
        assert!(second.whole_after.is_none() && first.position == second.position);
        let needed = newest.minus(WHOLE);
        assert!(
            second.rows_between(needed, Timestamp::MAX).all(|row| row.row().is_some()),
            "all is whole that may be asked for"
        );
        fleet.assert_shows_all(1, "after the second read");
        // No more than without: the newest hours once, and what is new.
        let rows = fleet.rows_read - read;
        assert!(rows < 4 * 130, "{rows} rows in all");
    }
}

/// Positions reach further back then than what is read beside the newest hours.
#[test]
fn where_nothing_is_new_the_newest_hours_are_read_from_the_table() {
    let mut fleet = settled(Identity::KeyAndTime, 5760);
    for _ in 0..24 {
        fleet.world.pass(Duration::from_secs(20));
        fleet.poll(0);
    }
    fleet.start(0);
    fleet.poll_once(1);
    assert!(!fleet.instances[1].journal.is_thin());
    fleet.assert_shows_all(1, "at once");
    // Hours that it leaves later have all of their rows.
    fleet.instances.remove(0);
    for minute in 0..90 {
        fleet.world.pass(Duration::from_secs(60));
        let at = fleet.world.now.wall.millis();
        fleet.world.put(&format!("n{minute}"), item(&format!("n{minute}"), at, 0, 0.5, &["NVDA"]));
        fleet.poll(0);
        let oldest = hour_of(fleet.world.now.wall.minus(limits::WINDOW)) + 2;
        let heads = fleet.store.old().filter(|head| head.hour > oldest && head.version.is_some());
        let cut: Vec<&Head> = heads.filter(|head| head.after > before_hour(head.hour)).collect();
        assert!(cut.is_empty(), "{cut:?}");
    }
}

#[test]
fn what_is_missing_of_the_newest_hours_is_read_from_the_table() {
    type Breaks = fn(&mut Store);
    fn move_heads(store: &mut Store, change: impl Fn(Timestamp) -> Timestamp) {
        let young = store.heads.values_mut().filter(|head| head.kind == Kind::Young);
        young.for_each(|head| head.read_at = change(head.read_at));
    }
    let breaks: [(&str, Breaks); 6] = [
        ("no heads", |store| store.heads.retain(|(kind, _), _| *kind != Kind::Young)),
        ("the newest hour alone", |store| {
            let newest = store.heads.keys().filter(|(kind, _)| *kind == Kind::Young).max().copied().unwrap();
            store.heads.retain(|key, _| key.0 != Kind::Young || *key == newest);
        }),
        ("no bytes", |store| store.bytes.retain(|(kind, ..), _| *kind != Kind::Young)),
        ("altered bytes", |store| {
            store.bytes.iter_mut().filter(|((kind, ..), _)| *kind == Kind::Young).for_each(|(_, bytes)| bytes[0] ^= 1);
        }),
        ("too old", |store| move_heads(store, |at| at.minus(limits::YOUNG_AGE_MAX))),
        ("of a clock that is ahead", |store| move_heads(store, |at| at.plus(Duration::from_secs(86_400)))),
    ];
    for (what, change) in breaks {
        let mut fleet = settled(Identity::KeyAndTime, 5760);
        change(&mut fleet.store);
        fleet.start(0);
        fleet.poll_once(1);
        fleet.poll(1);
        fleet.assert_shows_all(1, what);
        let snapshot = fleet.instances[1].newest.as_ref().unwrap();
        let needed = fleet.world.now.wall.minus(WHOLE);
        assert!(snapshot.rows_between(needed, Timestamp::MAX).all(|row| row.row().is_some()), "{what}");
    }
}

/// Clients that are cut and go to an instance that has just begun, whose newest hours are not rows of the table yet: some go on at once,
/// others wait a moment, and each hears of every row once.
fn returns(seed: u64) -> [usize; 2] {
    let identity = if seed.is_multiple_of(3) { Identity::Key } else { Identity::KeyAndTime };
    let mut fleet = settled(identity, 2880);
    fleet.random = Random(seed);
    let mut seen = session_client::Instance::of(identity);
    let show = |fleet: &Fleet, seen: &mut session_client::Instance, number: usize| {
        seen.snapshot = fleet.instances[number].newest.clone().map(Arc::new);
    };
    let mut client = Client::default();
    show(&fleet, &mut seen, 0);
    let mut session = connect(&client, &seen, &fleet.world, &Filter::all());
    client.receive(&pull_where(&mut session, &seen, &fleet.world, true));
    let (mut rows, mut thin, mut waited) = (0, 0, 0);
    for turn in 0..12 {
        let mut number = fleet.instances.len() - 1;
        for step in 0..1 + fleet.random.below(4) {
            fleet.world.pass(Duration::from_secs(1 + fleet.random.below(60)));
            // Few late ones: an id tells eight differences.
            let lag = if step == 0 { fleet.random.below(500) } else { 0 };
            for n in 0..1 + fleet.random.below(3) {
                let at = fleet.world.now.wall.millis() - lag * 1000 - n;
                let id = format!("f{rows}");
                fleet.world.put(&id, item(&id, at, 1, 0.5, &["AAPL"]));
                rows += 1;
            }
            (0..fleet.instances.len()).rev().take(1).chain([0]).for_each(|number| fleet.poll(number));
            show(&fleet, &mut seen, number);
            let bytes = pull_where(&mut session, &seen, &fleet.world, true);
            let cut = fleet.random.below(4) == 0 && step > 0;
            let share = if cut { fleet.random.below(100) } else { 100 };
            client.receive(&bytes[..bytes.len() * usize::try_from(share).unwrap() / 100]);
            if cut {
                break;
            }
        }
        // What happens while it is away, now and then for longer than the interval of late rows.
        let away = if turn % 4 == 3 { 300 + fleet.random.below(300) } else { fleet.random.below(40) };
        fleet.world.pass(Duration::from_secs(away));
        let id = format!("f{rows}");
        fleet.world.put(&id, item(&id, fleet.world.now.wall.millis() - 1, 2, 0.5, &["NVDA"]));
        rows += 1;
        fleet.poll(0);
        fleet.start(0);
        number += 1;
        fleet.poll_once(number);
        show(&fleet, &mut seen, number);
        session = connect(&client, &seen, &fleet.world, &Filter::all());
        let heard = client.got.len();
        client.receive(&pull_where(&mut session, &seen, &fleet.world, true));
        let is_thin = fleet.instances[number].journal.is_thin();
        thin += usize::from(is_thin);
        waited += usize::from(is_thin && client.got.len() == heard);
        fleet.poll(number);
        show(&fleet, &mut seen, number);
        client.receive(&pull_where(&mut session, &seen, &fleet.world, true));
    }
    let mut got: Vec<&str> = client.got.iter().map(|(id, ..)| id.as_str()).collect();
    got.sort_unstable();
    let mut all: Vec<String> = (0..rows).map(|row| format!("f{row}")).collect();
    all.sort_unstable();
    assert_eq!(got, all, "seed {seed}");
    assert_eq!(client.resets, Vec::<String>::new(), "seed {seed}");
    [thin, waited]
}

#[test]
fn who_returns_to_an_instance_that_has_just_begun_hears_of_every_row_once() {
    let [thin, waited] = (0..30).map(returns).reduce(|[a, b], [c, d]| [a + c, b + d]).unwrap();
    assert!(thin > 200, "{thin} starts whose newest hours were shared");
    assert!(thin / 20 < waited && waited < thin * 19 / 20, "{waited} of {thin} had to wait");
}

/// A herd that comes, and an hour and a quarter of polls of it.
#[test]
fn a_thousand_instances_read_old_hours_once_an_hour_in_all() {
    const INSTANCES: usize = 1000;
    let seed = 7;
    let mut fleet = Fleet::new(seed, Identity::KeyAndTime, 960);
    fleet.start(0);
    (0..20).for_each(|_| {
        fleet.poll(0);
        fleet.world.pass(POLL);
    });
    let written = fleet.store.hours_written;
    assert!((15..=24).contains(&written), "{written} hours of a day");
    fleet.old_rows_read = 0;
    for number in 1..INSTANCES {
        fleet.start(0);
        fleet.poll(number);
    }
    assert_eq!(fleet.old_rows_read, 0, "they take what is there");
    assert_eq!(fleet.store.hours_written, written, "nothing is new");
    // Every hour is read again once, and one or two more have become old. Each polls every hundred seconds.
    let (heads, looks, fetches) = (fleet.store.heads_written, fleet.store.looks, fleet.store.fetches);
    for step in 0..225 {
        fleet.world.pass(Duration::from_secs(20));
        (0..INSTANCES).filter(|number| (number + step) % 5 == 0).for_each(|number| fleet.poll(number));
    }
    let old_rows = fleet.world.held(fleet.world.now.wall).iter().filter(|row| fleet.is_old(row)).count();
    let read = fleet.old_rows_read;
    assert!(old_rows / 2 < read && read <= old_rows * 5 / 4, "{read} rows of {old_rows} that are old");
    let heads = fleet.store.heads_written - heads;
    assert!(heads <= 4 * written, "{heads} heads of {written} hours: a claim and what came of it");
    let hours = fleet.store.hours_written - written;
    assert!(hours <= 6, "{hours} hours written again");
    // One leaves the newest hours every five to seven minutes; the others see that it has.
    let Store { young_looks, young_claims, young_written, .. } = fleet.store;
    assert!((10..=18).contains(&young_claims), "{young_claims} times claimed");
    assert!(young_written <= 3 * young_claims, "{young_written} written");
    assert!(young_looks <= 16 * INSTANCES, "{young_looks} looks for young hours");
    let (looks, fetches) = (fleet.store.looks - looks, fleet.store.fetches - fetches);
    assert!(fetches <= 6 * INSTANCES, "{fetches} hours fetched, of which few are new");
    assert!(looks <= 12 * INSTANCES, "{looks} looks in 75 minutes");
    for number in (0..INSTANCES).step_by(50) {
        fleet.assert_shows_all(number, &format!("seed {seed}, instance {number}"));
    }
}
