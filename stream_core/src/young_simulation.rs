//! Instances that begin with the newest hours as others have left them: what they show at first, what they read after that, and what
//! clients hear that return to them.

use std::sync::Arc;
use std::time::Duration;

use contract::{Identity, limits};

use crate::filter::Filter;
use crate::fleet::{Fleet, POLL, Random, Store};
use crate::item::tests::item;
use crate::session_client::{self, Client, connect, pull_where};
use crate::shelf::{Head, Kind, before_hour, hour_of};
use crate::timestamp::Timestamp;

/// Rows younger than this may be asked for whole: of the replay window, and of the late interval twice.
const WHOLE: Duration = Duration::from_secs(2000);

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
        fleet.read_new(1);
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
        fleet.read_new(number);
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
