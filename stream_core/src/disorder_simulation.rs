//! A busy table whose rows come out of order, as from many producers, and clients that go from one instance to another.

use std::time::Duration;

use crate::filter::Filter;
use crate::fleet::Random;
use crate::item::tests::item;
use crate::session_client::{Client, Instance, connect, pull};
use crate::world::{World, tags};

const STEP: Duration = Duration::from_millis(250);

/// What became of a client.
#[derive(Debug)]
struct Outcome {
    resets: usize,
    lost: usize,
    /// Updates that it had twice, for each time that it went to another instance.
    twice: usize,
    moves: usize,
}

/// Rows that are written as time passes, so many a second, each up to `jitter` behind its time.
struct Producers {
    random: Random,
    rate: u64,
    jitter: Duration,
    written: u64,
}

impl Producers {
    /// Lets a step pass, and writes what comes in it.
    fn step(&mut self, world: &mut World) {
        world.pass(STEP);
        self.write(world);
    }

    fn write(&mut self, world: &mut World) {
        for _ in 0..self.rate / 4 {
            self.written += 1;
            let late = self.random.below(u64::try_from(self.jitter.as_millis()).unwrap() + 1);
            let at = world.now.wall.minus(Duration::from_millis(late)).millis();
            let (id, label) = (format!("r{}", self.written), u8::try_from(self.written % 3).unwrap());
            let row = item(&id, at, label, 0.5, &tags(1));
            world.rows.insert(id, row);
        }
    }
}

/// `rate` rows a second, each up to `jitter` behind its time; a client that goes to another one of three instances, that poll each
/// `poll_steps` at times of their own, or only when it comes, as those of functions do that were frozen.
fn roam(seed: u64, rate: u64, jitter: Duration, poll_steps: u64, is_frozen: bool) -> Outcome {
    let (mut world, filter) = (World::new(), Filter::all());
    world.page_rows = 1000;
    let mut producers = Producers { random: Random(seed), rate, jitter, written: 0 };
    (0..400).for_each(|_| producers.step(&mut world));
    let mut instances =
        [Instance::that_notes_disorder(), Instance::that_notes_disorder(), Instance::that_notes_disorder()];
    instances.iter_mut().for_each(|instance| instance.poll(&world));
    let (mut client, mut at) = (Client::default(), 0);
    let mut session = connect(&client, &instances[0], &world, &filter);
    client.receive(&pull(&mut session, &instances[0], &world));
    producers.write(&mut world);
    let (first, mut moves) = (producers.written, 0);
    for step in 0..1200_u64 {
        producers.step(&mut world);
        for (number, instance) in instances.iter_mut().enumerate() {
            let is_its_turn = (step + number as u64 * 2).is_multiple_of(poll_steps);
            if is_its_turn && (!is_frozen || number == at) {
                instance.poll(&world);
            }
        }
        // Cut at any step of half a minute, away for one and a half seconds, back elsewhere.
        match step % 120 {
            90 => {
                at = (at + 1 + usize::try_from(producers.random.below(2)).unwrap()) % 3;
                moves += 1;
            }
            91..=95 => {}
            96 => {
                instances[at].poll(&world);
                session = connect(&client, &instances[at], &world, &filter);
                client.receive(&pull(&mut session, &instances[at], &world));
            }
            _ => client.receive(&pull(&mut session, &instances[at], &world)),
        }
    }
    // All that is there is read, and told.
    for _ in 0..3 {
        world.pass(Duration::from_secs(30));
        instances[at].poll(&world);
        client.receive(&pull(&mut session, &instances[at], &world));
    }
    let got: Vec<&str> = client.got.iter().map(|(id, ..)| id.as_str()).collect();
    let had: std::collections::BTreeMap<&str, usize> = got.iter().fold(Default::default(), |mut had, id| {
        *had.entry(*id).or_default() += 1;
        had
    });
    // What was there when it first came belongs to its first numbers.
    let lost = (first + 1..=producers.written).filter(|n| !had.contains_key(&*format!("r{n}"))).count();
    let twice: usize = had.values().map(|times| times - 1).sum();
    Outcome { resets: client.resets.len(), lost, twice, moves }
}

/// A client that is away for so long, and comes back to the instance that it was at.
fn stay(rate: u64, away_steps: u32) -> Outcome {
    let (mut world, filter) = (World::new(), Filter::all());
    world.page_rows = 1000;
    let mut instance = Instance::that_notes_disorder();
    instance.poll(&world);
    let mut client = Client::default();
    let mut session = connect(&client, &instance, &world, &filter);
    client.receive(&pull(&mut session, &instance, &world));
    let mut producers = Producers { random: Random(7), rate, jitter: Duration::from_secs(3), written: 0 };
    let mut pass = |world: &mut World, instance: &mut Instance, steps: u32| {
        for step in 0..steps {
            producers.step(world);
            if step % 4 == 0 {
                instance.poll(world);
            }
        }
    };
    for _ in 0..120 {
        pass(&mut world, &mut instance, 4);
        client.receive(&pull(&mut session, &instance, &world));
    }
    pass(&mut world, &mut instance, away_steps);
    session = connect(&client, &instance, &world, &filter);
    for _ in 0..10 {
        client.receive(&pull(&mut session, &instance, &world));
        world.pass(Duration::from_secs(5));
        instance.poll(&world);
    }
    let got: std::collections::BTreeSet<&str> = client.got.iter().map(|(id, ..)| id.as_str()).collect();
    let lost = world.rows.keys().filter(|id| !got.contains(id.as_str())).count();
    Outcome { resets: client.resets.len(), lost, twice: client.got.len() - got.len(), moves: 1 }
}

#[test]
fn who_comes_back_to_an_instance_that_has_all_of_it_may_be_far_behind() {
    for (rate, away_steps) in [(20, 6), (20, 240), (40, 200)] {
        let outcome = stay(rate, away_steps);
        assert!(outcome.resets == 0 && outcome.lost == 0, "{rate} a second, {away_steps}: {outcome:?}");
        assert!(outcome.twice <= usize::try_from(rate * 6).unwrap(), "{rate} a second, {away_steps}: {outcome:?}");
    }
}

#[test]
fn rows_out_of_order_are_told_to_who_goes_to_another_instance_and_few_of_them_again() {
    for (seed, rate, jitter_secs, poll_steps, is_frozen) in [
        (1, 20, 3, 4, false),
        (2, 20, 3, 4, true),
        (3, 20, 3, 20, true),
        (4, 8, 10, 20, true),
        (5, 40, 1, 4, true),
        (6, 12, 0, 4, true),
        (7, 4, 3, 20, false),
    ] {
        let jitter = Duration::from_secs(jitter_secs);
        let outcome = roam(seed, rate, jitter, poll_steps, is_frozen);
        let what = format!("{rate} rows a second, up to {jitter_secs} s late, frozen: {is_frozen}: {outcome:?}");
        assert!(outcome.moves > 8 && outcome.resets == 0 && outcome.lost == 0, "{what}");
        // As many as were written in twice the time for which they are late.
        assert!(outcome.twice <= outcome.moves * usize::try_from(rate * jitter_secs * 2).unwrap(), "{what}");
    }
}
