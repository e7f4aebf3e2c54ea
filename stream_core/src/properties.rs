//! The window over random histories of the table, against a full re-read; and the table itself, for other tests.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::{DataSettings, PollSettings, TableName};
use proptest::prelude::*;

use super::filter::Filter;
use super::item::{Item, tests::item};
use super::journal::{Journal, Now, TimeRange};
use super::timestamp::Timestamp;
use super::window::Window;

pub(super) const LATE: Duration = Duration::from_secs(600);
pub(super) const START: u64 = 1_800_000_000_000;

pub(super) fn journal() -> Journal {
    let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
    Journal::new(data, PollSettings::from_env(&|_| None).unwrap())
}

/// The table: what is in it, and the clocks.
pub(super) struct World {
    pub(super) rows: BTreeMap<String, Item>,
    pub(super) now: Now,
}

impl World {
    pub(super) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; there is no other way to have one")]
        let base = Instant::now();
        Self { rows: BTreeMap::new(), now: Now { instant: base, wall: Timestamp::from_millis(START) } }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall.plus(time) };
    }

    pub(super) fn read(&self, range: TimeRange) -> Vec<Item> {
        self.rows.values().filter(|row| range.after < row.at && row.at <= range.until).cloned().collect()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert { lag_secs: u64, label: u8, tags: u8 },
    Relabel { pick: usize, label: u8 },
    Delete { pick: usize },
    Pass { secs: u64 },
    ClockStep { secs: i64 },
    Poll,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (prop_oneof![Just(0), 0_u64..600, 600_u64..90_000], 0_u8..3, 0_u8..8)
            .prop_map(|(lag_secs, label, tags)| Op::Insert { lag_secs, label, tags }),
        1 => (any::<usize>(), 0_u8..3).prop_map(|(pick, label)| Op::Relabel { pick, label }),
        1 => any::<usize>().prop_map(|pick| Op::Delete { pick }),
        2 => prop_oneof![0_u64..10, 0_u64..4000, 80_000_u64..90_000].prop_map(|secs| Op::Pass { secs }),
        1 => prop_oneof![-5_i64..5, -4000_i64..4000, -100_000_i64..100_000].prop_map(|secs| Op::ClockStep { secs }),
        3 => Just(Op::Poll),
    ]
}

pub(super) fn tags(bits: u8) -> Vec<&'static str> {
    ["AAPL", "MSFT", "NVDA"].into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, tag)| tag).collect()
}

/// Applies what is no poll; returns the time of the row it touched.
fn change(world: &mut World, op: &Op, serial: usize) -> Option<Timestamp> {
    let pick = |world: &World, n: usize| world.rows.keys().nth(n % world.rows.len().max(1)).cloned();
    match op {
        Op::Insert { lag_secs, label, tags: bits } => {
            let at = world.now.wall.minus(Duration::from_secs(*lag_secs));
            let id = format!("n{serial}");
            world.rows.insert(id.clone(), item(&id, at.millis(), *label, 0.5, &tags(*bits)));
            Some(at)
        }
        Op::Relabel { pick: n, label } => {
            let row = world.rows.get_mut(&pick(world, *n)?)?;
            row.label = *label;
            Some(row.at)
        }
        Op::Delete { pick: n } => world.rows.remove(&pick(world, *n)?).map(|row| row.at),
        Op::Pass { secs } => {
            world.pass(Duration::from_secs(*secs));
            None
        }
        Op::ClockStep { secs } => {
            let millis = world.now.wall.millis().saturating_add_signed(secs * 1000);
            world.now.wall = Timestamp::from_millis(millis);
            None
        }
        Op::Poll => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// At every poll the window equals a full re-read, unless a row was touched that the poll did not read; then it does
    /// from the next full re-read on.
    #[test]
    fn the_incremental_window_equals_a_full_reread(ops in prop::collection::vec(op(), 1..80)) {
        let (mut world, mut journal) = (World::new(), journal());
        let mut touched: Vec<Timestamp> = Vec::new();
        let mut beyond_sight = false;
        for (serial, op) in ops.iter().enumerate() {
            if !matches!(op, Op::Poll) {
                touched.extend(change(&mut world, op, serial));
                continue;
            }
            let range = journal.next_read(world.now);
            beyond_sight = !range.full && (beyond_sight || touched.iter().any(|at| *at <= range.after));
            touched.clear();
            journal.apply(range, world.read(range), world.now);
            if beyond_sight {
                continue;
            }
            // `until` tells which wall time the journal went by: it ignores steps back of under a second.
            let wall = range.until.minus(contract::limits::FUTURE_SKEW);
            let mut whole = Window::new(3);
            whole.replace(Timestamp::EPOCH, world.rows.values().cloned().collect(), wall);
            prop_assert_eq!(journal.window().counts(), whole.counts());
            prop_assert_eq!(journal.window().counts(), &journal.window().counts_for(&Filter::all()));
            let all = |window: &Window| window.newest_first().cloned().collect::<Vec<_>>();
            prop_assert_eq!(all(journal.window()), all(&whole));
        }
    }
}
