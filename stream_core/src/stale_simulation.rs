//! A busy table whose rows are analysed anew, and clients that go from one instance to another while neither has read all of it again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::filter::Filter;
use crate::fleet::Random;
use crate::item::tests::item;
use crate::session_client::{Client, Instance, connect, pull};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);
/// A row a second for nine minutes, each of two read units: none of their parts is read with what is new.
const ROWS: u64 = 540;
const SECS: u64 = 240;

/// What became of a client.
#[derive(Debug, Default)]
struct Outcome {
    resets: usize,
    /// Changed rows of which it was told another label last, or nothing.
    stale: Vec<String>,
    /// Updates beyond one for each change.
    more: usize,
}

/// One row is analysed anew every `change_secs`, and a new one comes; a client that goes to the other one of two instances every `hop_secs`.
fn hop(seed: u64, change_secs: u64, hop_secs: u64) -> Outcome {
    let (mut world, filter, mut random) = (World::new(), Filter::all(), Random(seed));
    (world.page_rows, world.units_per_row) = (1000, 2.0);
    for n in 0..ROWS {
        let id = format!("b{n}");
        world.rows.insert(id.clone(), item(&id, world.now.wall.millis() - 20_000 - n * 1000, 0, 0.5, &["AAPL"]));
    }
    let mut instances = [Instance::new(), Instance::new()];
    for instance in &mut instances {
        instance.poll(&world);
        // Each is at another part of the interval.
        (0..7).for_each(|_| {
            world.pass(SECOND);
            instance.poll(&world);
        });
    }
    instances.iter_mut().for_each(|instance| instance.poll(&world));
    let (mut client, mut at, mut changed) = (Client::default(), 0, BTreeMap::new());
    let mut session = connect(&client, &instances[at], &world, &filter);
    client.receive(&pull(&mut session, &instances[at], &world));
    for second in 0..SECS {
        world.pass(SECOND);
        if second % change_secs == 0 && second < SECS - 100 {
            let id = format!("b{}", random.below(ROWS / 2));
            let at = world.rows[&id].at.millis();
            let score = 0.001 * f64::from(u32::try_from(second).unwrap());
            world.rows.insert(id.clone(), item(&id, at, 2, score, &["AAPL"]));
            *changed.entry(id).or_insert(0) += 1;
            // One that is new and one that is late must come, whatever is in doubt.
            for (id, behind) in [(format!("n{second}"), 0), (format!("l{second}"), 30_000 + random.below(200_000))] {
                let at = world.now.wall.millis() - behind;
                world.rows.insert(id.clone(), item(&id, at, 1, 0.5, &["AAPL"]));
                changed.insert(id, 1);
            }
        }
        instances.iter_mut().for_each(|instance| instance.poll(&world));
        if second % hop_secs == 0 && second < SECS - 80 {
            at = 1 - at;
            session = connect(&client, &instances[at], &world, &filter);
        }
        client.receive(&pull(&mut session, &instances[at], &world));
    }
    let mut outcome = Outcome { resets: client.resets.len(), ..Outcome::default() };
    for (id, times) in changed {
        let told: Vec<_> = client.got.iter().filter(|got| got.0 == id).collect();
        let expected = ["positive", "neutral", "negative"][usize::from(world.rows[&id].label)];
        if told.last().is_none_or(|last| last.2 != expected) {
            outcome.stale.push(format!("{id}: {told:?}"));
        }
        outcome.more += told.len().saturating_sub(times);
    }
    outcome
}

#[test]
fn who_goes_to_an_instance_that_has_not_read_a_row_again_is_not_told_what_it_was_before() {
    for (seed, change_secs, hop_secs) in [(1, 20, 2), (2, 20, 3), (3, 30, 7), (4, 60, 1), (5, 45, 5), (6, 15, 11)] {
        let outcome = hop(seed, change_secs, hop_secs);
        let what = format!("a change every {change_secs} s, elsewhere every {hop_secs} s: {outcome:?}");
        assert!(outcome.resets == 0 && outcome.stale.is_empty(), "{what}");
        // A late row of which neither instance knows that the other one has told it.
        assert!(outcome.more <= 6, "{what}");
    }
}
