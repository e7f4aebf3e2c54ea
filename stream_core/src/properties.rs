//! The window over random histories of the table, against a full re-read.

use std::sync::Arc;
use std::time::Duration;

use contract::Identity;
use proptest::prelude::*;

use crate::filter::Filter;
use crate::filter_numbers::FilterNumbers;
use crate::item::{Item, tests::item};
use crate::journal::Journal;
use crate::minute::ScoreSums;
use crate::numbers::Numbers;
use crate::reading::{KeyValue, PageRequest, PageStart};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;
use crate::world::{PAGE_ROWS, World, identity, journal, journal_with, tags};

/// The numbers of some rows, counted one by one.
fn counted<'a>(rows: impl IntoIterator<Item = &'a Item>, filter: &Filter, wall: Timestamp) -> Numbers {
    let mut numbers = Numbers { by_label: vec![0; 3], ..Numbers::default() };
    for row in rows.into_iter().filter(|row| filter.matches(row)) {
        numbers.total += 1;
        numbers.by_label[usize::from(row.label)] += 1;
        numbers.last_hour += u32::from(row.at > wall.minus(Duration::from_secs(3600)));
        for tag in row.tags.iter().filter(|tag| filter.matches_tag(tag)) {
            *numbers.by_tag.entry(Arc::new(tag.clone())).or_default() += 1;
        }
    }
    numbers
}

#[derive(Clone, Debug)]
enum Op {
    Insert {
        lag_secs: u64,
        label: u8,
        tags: u8,
    },
    /// The row of an item is written anew, at another time.
    Overwrite {
        pick: usize,
        lag_secs: u64,
        label: u8,
    },
    Relabel {
        pick: usize,
        label: u8,
    },
    Delete {
        pick: usize,
    },
    Pass {
        secs: u64,
    },
    ClockStep {
        secs: i64,
    },
    Poll,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (prop_oneof![Just(0), 0_u64..600, 600_u64..90_000], 0_u8..3, 0_u8..8)
            .prop_map(|(lag_secs, label, tags)| Op::Insert { lag_secs, label, tags }),
        2 => (any::<usize>(), prop_oneof![4 => 0_u64..5, 1 => 0_u64..90_000], 0_u8..3)
            .prop_map(|(pick, lag_secs, label)| Op::Overwrite { pick, lag_secs, label }),
        1 => (any::<usize>(), 0_u8..3).prop_map(|(pick, label)| Op::Relabel { pick, label }),
        1 => any::<usize>().prop_map(|pick| Op::Delete { pick }),
        2 => prop_oneof![0_u64..10, 0_u64..4000, 80_000_u64..90_000].prop_map(|secs| Op::Pass { secs }),
        1 => prop_oneof![-5_i64..5, -4000_i64..4000, -100_000_i64..100_000].prop_map(|secs| Op::ClockStep { secs }),
        3 => Just(Op::Poll),
    ]
}

/// What a change means for what polls can find.
#[derive(Default)]
struct Touched {
    /// Times of the rows that must be read again.
    times: Vec<Timestamp>,
    /// Whether a row left that hid others of its key: the next full re-read shows them.
    uncovers: bool,
}

impl Touched {
    /// Notes a row that is gone, and with it what no poll has seen to have taken another's place.
    fn remove(&mut self, world: &World, gone: &Item) {
        self.times.push(gone.at);
        let overwritten = world.overwritten.iter().filter(|(id, _)| *id == gone.key.id);
        self.times.extend(overwritten.map(|(_, at)| *at));
        let is_key = world.identity == Identity::Key;
        self.uncovers |= is_key && world.rows.values().any(|row| row.key.id == gone.key.id);
    }
}

/// Applies what is no poll.
fn change(world: &mut World, op: &Op, serial: usize) -> Touched {
    let pick = |world: &World, n: usize| world.rows.keys().nth(n % world.rows.len().max(1)).cloned();
    let at = |world: &World, lag_secs: u64| world.now.wall.minus(Duration::from_secs(lag_secs));
    let mut touched = Touched::default();
    match op {
        Op::Insert { lag_secs, label, tags: bits } => {
            let (at, name) = (at(world, *lag_secs), format!("n{serial}"));
            let id = if world.identity == Identity::Key { format!("o{}", serial % 5) } else { name.clone() };
            world.put(&name, item(&id, at.millis(), *label, 0.5, &tags(*bits)));
            touched.times.push(at);
        }
        Op::Overwrite { pick: n, lag_secs, label } => {
            let Some(name) = pick(world, *n) else { return touched };
            let (old, at) = (world.rows[&name].clone(), at(world, *lag_secs));
            let new = Item { label: *label, ..item(&old.key.id, at.millis(), 0, 0.25, &["AAPL"]) };
            world.rows.remove(&name);
            world.put(&name, new.clone());
            touched.times.push(at);
            // The place of the old one is taken at once, whether or not it is read again.
            if world.identity == Identity::KeyAndTime || at <= old.at {
                touched.remove(world, &old);
            } else {
                world.overwritten.push((old.key.id, old.at));
            }
        }
        Op::Relabel { pick: n, label } => {
            let Some(name) = pick(world, *n) else { return touched };
            let row = world.rows.remove(&name).unwrap();
            touched.times.push(row.at);
            world.put(&name, Item { label: *label, ..row });
        }
        Op::Delete { pick: n } => {
            let Some(row) = pick(world, *n).and_then(|name| world.rows.remove(&name)) else { return touched };
            touched.remove(world, &row);
        }
        Op::Pass { secs } => world.pass(Duration::from_secs(*secs)),
        Op::ClockStep { secs } => {
            let millis = world.now.wall.millis().saturating_add_signed(secs * 1000);
            world.now.wall = Timestamp::from_millis(millis);
        }
        Op::Poll => {}
    }
    touched
}

/// One page of a table that orders rows by the texts of their times.
fn page_by_text(world: &World, request: &PageRequest) -> (Vec<Item>, Option<PageStart>) {
    let order = |row: &Item| format!("{} {}", row.key.time_text, row.key.id);
    let before = |row: &Item| match request.start.as_ref().map(|start| &start.0[0].1) {
        Some(KeyValue::Text(start) | KeyValue::Number(start)) => *order(row) < **start,
        Some(KeyValue::Bytes(_)) | None => true,
    };
    let wanted = |row: &&Item| row.label == request.label && request.range.contains(row.at) && before(row);
    let mut rows: Vec<Item> = world.rows.values().filter(wanted).cloned().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(order(row)));
    let is_last = rows.len() <= PAGE_ROWS;
    rows.truncate(PAGE_ROWS);
    let key = |row: &Item| PageStart([("at".into(), KeyValue::Text(order(row).into()))].into());
    let next = rows.last().filter(|_| !is_last).map(key);
    (rows, next)
}

#[test]
fn a_load_is_whole_where_texts_sort_otherwise_than_their_times() {
    // The first rows with another zone are on the first page, or come when much has been handed over; or none has one.
    for (first, every) in [(0, 1), (0, 4), (30, 2), (98, 1), (100, 1)] {
        let (mut world, mut journal) = (World::new(), journal());
        for n in 0..100_u64 {
            let at = world.now.wall.minus(Duration::from_secs(n * 800));
            let mut row = item(&format!("r{n}"), at.millis(), u8::try_from(n / 4 % 3).unwrap(), 0.5, &["X"]);
            if n >= first && n % every == 0 {
                let local = at.minus(Duration::from_secs(11 * 1800)).to_string();
                row.key.time_text = format!("{}-0530", &local[..19]).into();
            }
            world.rows.insert(row.key.id.to_string(), row);
        }
        let snapshot = loop {
            journal.begin(world.now);
            loop {
                let requests = journal.requests();
                if requests.is_empty() {
                    break;
                }
                for request in &requests {
                    let (items, next) = page_by_text(&world, request);
                    journal.take(request, items, next, 0.0);
                }
            }
            if let Some(snapshot) = journal.settle(world.now) {
                break snapshot;
            }
        };
        assert_equal(&snapshot, &world, &mut [], world.now.wall);
    }
}

/// A table so expensive that it is not quiet, and what read it first.
/// Rows of another range key than the time: two of one hash key and time, in two labels or in one.
#[test]
fn two_rows_of_one_key_and_time_are_one_item_that_does_not_change_by_itself() {
    for (labels, second_tags) in [([0, 1], 1), ([1, 0], 1), ([2, 2], 2)] {
        let (mut world, mut journal) = (World::new(), journal());
        let at = world.now.wall.millis() - 100_000;
        let row = |label, of| item("twin", at, label, 0.5, &tags(of));
        world.rows.insert("one".to_owned(), row(labels[0], 1));
        world.rows.insert("other".to_owned(), row(labels[1], second_tags));
        let mut poll = |world: &World| {
            journal.begin(world.now);
            world.read_all(&mut journal);
            journal.settle(world.now)
        };
        let first = poll(&world).unwrap();
        assert_eq!(first.numbers.total, 1, "{labels:?}");
        for _ in 0..10 {
            world.pass(Duration::from_secs(5));
            let next = poll(&world);
            assert!(next.is_none_or(|next| next.updates.next() == first.updates.next()), "{labels:?}");
        }
        // What is still there is what counts, and is told.
        let winner = first.rows_between(Timestamp::EPOCH, Timestamp::MAX).next().unwrap().row().unwrap().item.clone();
        world.rows.retain(|_, row| *row != winner);
        world.pass(Duration::from_secs(5));
        let last = poll(&world).unwrap();
        assert!(last.numbers.total == 1 && last.updates.next() > first.updates.next(), "{labels:?}");
    }
}

fn busy(identity: Identity) -> (World, Journal, Snapshot) {
    let (mut world, mut journal) = (World::of(identity), journal_with(identity, &[]));
    for n in 0..60 {
        let at = world.now.wall.minus(Duration::from_secs(n * 9));
        world.rows.insert(format!("busy{n}"), item(&format!("busy{n}"), at.millis(), 0, 0.5, &["AAPL"]));
    }
    // Only a long page tells what a row costs.
    (world.units_per_row, world.page_rows) = (100.0, 60);
    let snapshot = world.poll(&mut journal, &|_| true).unwrap();
    world.page_rows = PAGE_ROWS;
    (world, journal, snapshot)
}

#[test]
fn a_part_of_which_the_store_gives_one_page_at_a_poll_is_whole_in_the_end() {
    let (mut world, mut journal, mut newest) = busy(Identity::KeyAndTime);
    (world.page_rows, world.late_rounds) = (2, 1);
    let at = world.now.wall.minus(Duration::from_secs(300));
    world.rows.insert("late".to_owned(), item("late", at.millis(), 1, 0.5, &["NVDA"]));
    // Six rows in each of eleven parts: four pages for each.
    for _ in 0..50 {
        world.pass(Duration::from_secs(5));
        newest = world.poll(&mut journal, &|_| true).unwrap_or(newest);
    }
    assert_equal(&newest, &world, &mut [], world.now.wall);
}

/// Asserts that a snapshot says of a table what counting its rows one by one says.
fn assert_equal(snapshot: &Snapshot, world: &World, filters: &mut [(Filter, FilterNumbers)], wall: Timestamp) {
    let held = world.held(wall);
    assert_eq!(*snapshot.numbers, counted(held.iter().copied(), &Filter::all(), wall));
    for (filter, numbers) in filters {
        assert_eq!(numbers.follow(snapshot), counted(held.iter().copied(), filter, wall), "{filter:?}");
    }
    let shown: Vec<_> = snapshot
        .rows_between(Timestamp::EPOCH, Timestamp::MAX)
        .filter(|row| !row.is_hidden())
        .map(|row| (row.at(), row.place(), row.label(), row.key()))
        .collect();
    let labels = snapshot.data.labels.as_slice();
    let expected: Vec<_> =
        held.iter().map(|row| (row.at, row.key.place(world.identity), row.label, row.row_key(labels))).collect();
    assert_eq!(shown, expected);
    let by_minute = snapshot.minutes.iter().map(|minute| minute.score_sums());
    let sums = by_minute.fold((0, 0.0), |all, ScoreSums { count, sum, .. }| (all.0 + count, all.1 + sum));
    assert_eq!(sums.0, u32::try_from(held.len()).unwrap());
    assert!((sums.1 - held.iter().filter_map(|row| row.score).sum::<f64>()).abs() < 1e-3);
    for row in snapshot.rows_between(Timestamp::EPOCH, Timestamp::MAX) {
        let whole = row.row().unwrap();
        assert_eq!((whole.item.at, whole.place, whole.key), (row.at(), row.place(), row.key()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// At every poll the window equals a full re-read, unless a row was touched that the poll did not read; then it does
    /// from the next full re-read on. On a quiet table every poll reads the whole late interval.
    #[test]
    fn the_incremental_window_equals_a_full_reread(ops in prop::collection::vec(op(), 1..80), identity in identity()) {
        let (mut world, mut journal) = (World::of(identity), journal_with(identity, &[]));
        let mut filters = ["AAPL", "MSFT,NVDA"].map(|text| Filter::parse(text).unwrap()).map(|filter| (filter.clone(), FilterNumbers::new(&filter)));
        let mut touched: Vec<Timestamp> = Vec::new();
        let mut beyond_sight = false;
        let mut newest: Option<Snapshot> = None;
        for (serial, op) in ops.iter().enumerate() {
            if !matches!(op, Op::Poll) {
                let change = change(&mut world, op, serial);
                touched.extend(change.times);
                beyond_sight |= change.uncovers;
                continue;
            }
            journal.begin(world.now);
            let planned = journal.planned().unwrap();
            let ranges = journal.reads();
            beyond_sight = touched.iter().any(|at| !ranges.iter().any(|range| range.contains(*at)) && *at <= planned.wall.plus(contract::limits::FUTURE_SKEW))
                || beyond_sight && !journal.is_reading_all();
            touched.clear();
            world.overwritten.clear();
            world.read_all(&mut journal);
            if let Some(snapshot) = journal.settle(world.now) {
                newest = Some(snapshot);
            }
            // The wall time that the journal went by: it ignores steps back of under a second.
            if !beyond_sight {
                assert_equal(newest.as_ref().unwrap(), &world, &mut filters, planned.wall);
            }
        }
    }

    /// On a busy table a poll reads what is new and a part of the late interval; whatever happened there is in the window
    /// once each part has had its turn, also where a part took some polls because the store failed. What is new waits for none of it.
    #[test]
    fn parts_of_the_late_interval_add_up_to_all_of_it(
        rounds in prop::collection::vec(prop::collection::vec(op(), 0..12), 1..6),
        identity in identity(),
        late_rounds in prop::collection::vec(prop_oneof![Just(usize::MAX), 0_usize..3], 1..8),
    ) {
        let (mut world, mut journal, mut newest) = busy(identity);
        let mut filters = ["AAPL", "NVDA"].map(|text| Filter::parse(text).unwrap()).map(|filter| (filter.clone(), FilterNumbers::new(&filter)));
        for (round, ops) in rounds.iter().enumerate() {
            for (serial, op) in ops.iter().enumerate() {
                match op {
                    Op::Pass { .. } | Op::ClockStep { .. } | Op::Poll => {
                        world.pass(Duration::from_secs(5));
                        world.late_rounds = late_rounds[serial % late_rounds.len()];
                        let id = format!("now{round}-{serial}");
                        world.rows.insert(id.clone(), item(&id, world.now.wall.millis(), 2, 0.5, &["AAPL"]));
                        newest = world.poll(&mut journal, &|_| true).unwrap_or(newest);
                        let shown = newest.rows_between(world.now.wall.before(), world.now.wall);
                        prop_assert!(shown.filter_map(crate::snapshot::RowRef::row).any(|row| *row.item.key.id == *id));
                    }
                    // In sight of the late interval as long as the round takes.
                    Op::Insert { lag_secs, label, tags } => {
                        let op = Op::Insert { lag_secs: lag_secs % 450, label: *label, tags: *tags };
                        change(&mut world, &op, round * 100 + serial);
                    }
                    Op::Overwrite { pick, .. } | Op::Relabel { pick, .. } | Op::Delete { pick } => {
                        let row = world.rows.values().nth(pick % world.rows.len()).unwrap();
                        let is_alone = world.rows.values().filter(|other| other.key.id == row.key.id).count() == 1;
                        let is_seen = row.at > world.now.wall.minus(Duration::from_secs(450));
                        // What a deletion uncovers, only a full re-read shows.
                        if is_seen && (is_alone || !matches!(op, Op::Delete { .. })) {
                            let op = match op {
                                Op::Overwrite { label, .. } => Op::Overwrite { pick: *pick, lag_secs: 0, label: *label },
                                other => other.clone(),
                            };
                            change(&mut world, &op, round * 100 + serial);
                        }
                    }
                }
            }
            world.late_rounds = usize::MAX;
            // One more for a part of which pages were read before.
            for n in 0..14 {
                world.pass(Duration::from_secs(5));
                if n == 0 {
                    let id = format!("new{round}");
                    world.rows.insert(id.clone(), item(&id, world.now.wall.millis(), 1, 0.5, &["NVDA"]));
                }
                newest = world.poll(&mut journal, &|_| true).unwrap_or(newest);
            }
            assert_equal(&newest, &world, &mut filters, world.now.wall);
        }
    }

    /// A load that is given up by the store again and again is whole in the end, and no page of it is read twice.
    #[test]
    fn a_load_goes_on_where_it_failed(rows in 0_usize..200, failures in prop::collection::vec(0_usize..4, 0..30)) {
        let (mut world, mut journal) = (World::new(), journal());
        for n in 0..rows {
            let at = world.now.wall.minus(Duration::from_secs(n as u64 * 431 % 86_000));
            world.rows.insert(format!("r{n}"), item(&format!("r{n}"), at.millis(), u8::try_from(n % 3).unwrap(), 0.5, &tags(5)));
        }
        let mut failures = failures.into_iter();
        let mut asked: Vec<PageRequest> = Vec::new();
        let snapshot = loop {
            journal.begin(world.now);
            while let [first, ..] = &journal.requests()[..] {
                let of_poll = failures.next();
                let requests = journal.requests();
                for (n, request) in requests.iter().enumerate().filter(|(n, _)| Some(*n) != of_poll) {
                    prop_assert!(!asked.contains(request), "{n} {request:?} twice");
                    asked.push(request.clone());
                    let (items, next) = world.page(request, &|_| true);
                    journal.take(request, items, next, 0.0);
                }
                if of_poll.is_some_and(|failed| failed < requests.len()) {
                    let _ = first;
                    break;
                }
            }
            if let Some(snapshot) = journal.settle(world.now) {
                break snapshot;
            }
            prop_assert!(journal.progress().is_some());
            world.now.instant += Duration::from_millis(1);
        };
        assert_equal(&snapshot, &world, &mut [], world.now.wall);
    }
}
