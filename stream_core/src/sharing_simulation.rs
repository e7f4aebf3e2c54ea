//! Many instances that share hours, of which some crash, on a shelf that fails, loses and alters what is on it: whatever happens, an
//! instance shows what a full read would show that is no older than the reconcile interval.

use std::time::Duration;

use contract::Identity;

use crate::fleet::{Fleet, POLL, RECONCILE, Store};
use crate::shelf::{Errand, hour_of};

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

/// An interval in which one instance, which reads an hour at a poll, does not come round: each hour and what nobody shares have their turn
/// all the same, and what was deleted, changed or late is seen after one round.
#[test]
fn an_interval_that_is_too_short_for_a_round_starves_nothing() {
    for (seed, interval, instances) in [(1, "10s", 1), (2, "1m", 1), (3, "20s", 2), (4, "1m", 3)] {
        let mut fleet = Fleet::new(seed, Identity::KeyAndTime, 960);
        (0..instances).for_each(|_| fleet.start_with(0, &[("SSE_RECONCILE_INTERVAL", interval)]));
        let poll_all = |fleet: &mut Fleet, times: usize| {
            for _ in 0..times {
                fleet.world.pass(POLL);
                (0..instances).for_each(|number| fleet.poll(number));
            }
        };
        poll_all(&mut fleet, 40);
        let gone: Vec<String> = fleet.world.rows.keys().step_by(5).cloned().collect();
        gone.iter().for_each(|key| drop(fleet.world.rows.remove(key)));
        // A round is 24 hours and the newest ones, of which each poll reads one.
        poll_all(&mut fleet, 60);
        (0..instances).for_each(|number| fleet.assert_shows_all(number, &format!("{interval}, {instances}, {number}")));
    }
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
