//! A label whose queries fail, or take their time, while those of the others are answered.

use std::time::Duration;

use contract::Identity;

use crate::item::tests::item;
use crate::journal::Journal;
use crate::reading::PageRequest;
use crate::snapshot::Snapshot;
use crate::world::{World, journal_with, tags};

const STEP: Duration = Duration::from_millis(250);
/// The label that fails.
const FAILS: u8 = 1;

/// Asks for what is wanted of these pages until there is none; pages of the label that fails are not answered.
fn read(world: &World, journal: &mut Journal, asked: fn(&Journal) -> Vec<PageRequest>, fails: bool) {
    loop {
        let requests: Vec<PageRequest> =
            asked(journal).into_iter().filter(|request| !fails || request.label != FAILS).collect();
        if requests.is_empty() {
            return;
        }
        for request in requests {
            let (items, next) = world.page(&request, &|_| true);
            #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
            let units = items.len() as f64 * world.units_per_row;
            journal.take(&request, items, next, units);
        }
    }
}

fn poll(world: &World, journal: &mut Journal, fails: bool) -> Option<Snapshot> {
    let mut snapshot = None;
    loop {
        journal.begin(world.now);
        read(world, journal, Journal::requests, fails);
        snapshot = journal.settle(world.now).or(snapshot);
        if fails || !journal.is_catching_up() {
            read(world, journal, Journal::late_requests, fails);
            read(world, journal, Journal::reconciling_requests, fails);
            return journal.settle(world.now).or(snapshot);
        }
    }
}

/// Four rows a second for five minutes, read each second; from the second `from` on a label fails for so long. Rows from `ahead` clocks
/// are a minute ahead of their time.
fn run(late_window: &str, (from, fails_for): (u64, u64), is_busy: bool, ahead: bool) {
    let shown = format!("late window {late_window}, {fails_for} s from {from} s on, busy {is_busy}, ahead {ahead}");
    let mut world = World { page_rows: 1000, units_per_row: if is_busy { 1.0 } else { 0.0 }, ..World::new() };
    let settings = [("SSE_LATE_WINDOW", late_window), ("SSE_POLL_INTERVAL", "1s"), ("SSE_LATE_INTERVAL", "5s")];
    let mut journal = journal_with(Identity::KeyAndTime, &settings);
    let (mut last, mut written, mut told_from) = (None, 0_u64, None);
    for step in 0..1200_u64 {
        world.pass(STEP);
        let second = step / 4;
        written += 1;
        let is_ahead = ahead && written.is_multiple_of(7);
        let at = world.now.wall.millis() + if is_ahead { 60_000 } else { 0 };
        let id = format!("r{written}");
        world.rows.insert(id.clone(), item(&id, at, u8::try_from(written % 3).unwrap(), 0.5, &tags(1)));
        if step % 4 == 3 {
            last = poll(&world, &mut journal, (from..from + fails_for).contains(&second)).or(last);
            // What is there when it is read first belongs to the baseline.
            if last.is_some() {
                told_from.get_or_insert(written + 1);
            }
        }
    }
    for _ in 0..3 {
        world.pass(Duration::from_secs(2));
        last = poll(&world, &mut journal, false).or(last);
    }
    let last = last.unwrap();
    let told: Vec<(u64, u64)> = last
        .updates
        .from(0)
        .map(|(_, update)| (update.row.item.at.millis(), update.row.item.key.id[1..].parse().unwrap()))
        .collect();
    assert_eq!(u64::from(last.numbers.total), written, "{shown}");
    let first = told_from.unwrap();
    let mut numbers: Vec<u64> = told.iter().map(|(_, number)| *number).filter(|number| *number >= first).collect();
    if !ahead {
        assert!(told.is_sorted(), "{shown}: {told:?}");
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (first..=written).collect::<Vec<_>>(), "{shown}");
}

#[test]
fn what_comes_while_a_label_fails_is_told_once_and_in_order() {
    for late_window in ["1s", "5s", "60s", "10m"] {
        for failure in [(60, 0), (60, 2), (60, 20), (60, 85), (60, 200)] {
            for is_busy in [false, true] {
                for ahead in [false, true] {
                    run(late_window, failure, is_busy, ahead);
                }
            }
        }
    }
}

#[test]
fn a_label_that_fails_from_the_start_on_lacks_nothing_afterwards() {
    for late_window in ["1s", "5s", "10m"] {
        for fails_for in [3, 20, 85] {
            run(late_window, (0, fails_for), false, false);
            run(late_window, (0, fails_for), true, true);
        }
    }
}
