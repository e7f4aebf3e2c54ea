//! One gap in which many rows appeared, and a client that is cut again and again while it catches up.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Identity;
use proptest::prelude::*;

use crate::filter::Filter;
use crate::item::tests::item;
use crate::session_client::{Client, Instance, connect, pull};
use crate::sketch::CAPACITY;
use crate::world::{World, tags};

/// A row of that age with some tickers.
fn insert(world: &mut World, id: &str, ago_millis: u64, bits: u8) {
    let at = world.now.wall.minus(Duration::from_millis(ago_millis));
    world.rows.insert(id.to_owned(), item(id, at.millis(), 0, 0.5, &tags(bits)));
}

/// How often the client heard each update, over a gap with `gap` rows and cuts after these shares of what was on its way;
/// before some of the cuts another row shows up.
fn heard(live: u64, gap: &[(u64, u8)], cuts: &[(u8, usize, bool)]) -> (World, Client) {
    let mut world = World::new();
    insert(&mut world, "base", 400_000, 7);
    let mut instances = [Instance::new(), Instance::new()];
    instances.iter_mut().for_each(|one| one.poll(&world));
    let mut client = Client::default();
    let mut session = connect(&client, &instances[0], &world, &Filter::all());
    client.receive(&pull(&mut session, &instances[0], &world));
    for n in 0..live {
        world.pass(Duration::from_secs(5));
        insert(&mut world, &format!("live{n}"), 0, 7);
        instances[0].poll(&world);
        client.receive(&pull(&mut session, &instances[0], &world));
    }
    for (n, (ago, bits)) in gap.iter().enumerate() {
        insert(&mut world, &format!("gap{n}"), *ago, *bits);
    }
    for (n, (share, to, another)) in cuts.iter().enumerate() {
        if *another {
            insert(&mut world, &format!("another{n}"), 37_000 * n as u64, 3);
        }
        world.pass(Duration::from_secs(2));
        instances[*to].poll(&world);
        let bytes = pull(&mut connect(&client, &instances[*to], &world, &Filter::all()), &instances[*to], &world);
        client.receive(&bytes[..bytes.len() * usize::from(*share) / 100]);
    }
    (world, client)
}

/// Asserts that nothing is missing and nothing came more than `most` times.
fn check(world: &World, client: &Client, most: usize) {
    let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (id, ticker, ..) in &client.got {
        *times.entry((id.clone(), ticker.clone())).or_default() += 1;
    }
    assert_eq!(client.resets, [""; 0]);
    for (id, row) in world.rows.iter().filter(|(id, _)| *id != "base") {
        for ticker in row.tickers() {
            let ticker = serde_json::json!(ticker).to_string();
            let came = times.get(&(id.clone(), ticker.clone())).copied().unwrap_or_default();
            assert!(came >= 1, "{id} {ticker} is missing");
            assert!(came <= most, "{id} {ticker} came {came} times");
        }
    }
    assert!(!times.keys().any(|(id, _)| id == "base" && most == 1), "the baseline was replayed");
}

fn gap(rows: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<(u64, u8)>> {
    prop::collection::vec((1_000_u64..550_000, 0_u8..8), rows)
}

fn cuts() -> impl Strategy<Value = Vec<(u8, usize)>> {
    prop::collection::vec((0_u8..=100, 0_usize..2), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Eight late rows in the gap, whatever their tickers, and cuts within rows: each update once.
    #[test]
    fn eight_late_rows_of_any_tickers_come_once_over_many_cuts(gap in gap(0..=CAPACITY), cuts in cuts(), live in 0_u64..10) {
        let all: Vec<_> = cuts.into_iter().map(|(share, to)| (share, to, false)).chain([(100, 0, false)]).collect();
        let (world, client) = heard(live, &gap, &all);
        check(&world, &client, 1);
    }

    /// More than an id can tell: each update at most twice, once before and once in the repetition, however often the
    /// repetition is cut and whatever else is late meanwhile.
    #[test]
    fn a_repetition_goes_on_where_it_was_cut(gap in gap(9..=60), cuts in cuts(), live in 0_u64..10) {
        let cuts = cuts.into_iter().enumerate().map(|(n, (share, to))| (share, to, n % 3 == 1));
        let all: Vec<_> = cuts.chain([(100, 0, false)]).collect();
        let (world, client) = heard(live, &gap, &all);
        check(&world, &client, 2);
    }
}

#[test]
fn a_repetition_does_not_outlive_the_replay_window() {
    // Fourteen minutes away, cut before the first update, and back: the interval it is set back by does not count.
    let mut world = World::new();
    let mut instance = Instance::new();
    insert(&mut world, "base", 0, 1);
    instance.poll(&world);
    let mut client = Client::default();
    client.receive(&pull(&mut connect(&client, &instance, &world, &Filter::all()), &instance, &world));
    for n in 0..20 {
        insert(&mut world, &format!("late{n}"), 500_000 - n * 10_000, 1);
    }
    world.pass(Duration::from_secs(14 * 60));
    insert(&mut world, "new", 0, 1);
    for share in [20, 40, 100] {
        instance.poll(&world);
        let bytes = pull(&mut connect(&client, &instance, &world, &Filter::all()), &instance, &world);
        client.receive(&bytes[..bytes.len() * share / 100]);
    }
    check(&world, &client, 2);
    // Only what was there before came for no reason.
    assert_eq!(client.got.len(), 22, "{:?}", client.got);
}

#[test]
fn what_newer_rows_of_their_keys_have_hidden_costs_a_resume_nothing() {
    let mut world = World::of(Identity::Key);
    let mut instances = [Instance::of(Identity::Key), Instance::of(Identity::Key)];
    let orders = 4 * u64::try_from(CAPACITY).unwrap();
    let write = |world: &mut World, round: u64| {
        for order in 0..orders {
            world.pass(Duration::from_millis(50));
            let row = item(&format!("o{order}"), world.now.wall.millis(), u8::try_from(round).unwrap(), 0.5, &["X"]);
            world.rows.insert(format!("o{order} {round}"), row);
        }
    };
    write(&mut world, 0);
    instances.iter_mut().for_each(|one| one.poll(&world));
    let mut client = Client::default();
    let mut session = connect(&client, &instances[0], &world, &Filter::all());
    client.receive(&pull(&mut session, &instances[0], &world));
    for round in 1..3 {
        write(&mut world, round);
        // The second instance has not seen any of the states before, as one that has just begun has not.
        let at = usize::from(round == 2);
        instances[at].poll(&world);
        let mut session = connect(&client, &instances[at], &world, &Filter::all());
        client.receive(&pull(&mut session, &instances[at], &world));
    }
    let expected: Vec<_> = (1..3)
        .flat_map(|round| (0..orders).map(move |order| (format!("o{order}"), ["", "neutral", "negative"][round])))
        .collect();
    let got: Vec<_> = client.got.iter().map(|(id, _, label, _)| (id.clone(), &**label)).collect();
    assert_eq!(got, expected);
    assert_eq!(client.resets, [""; 0]);
}
