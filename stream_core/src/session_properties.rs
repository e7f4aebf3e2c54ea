//! Sessions over random histories of table, instances and cut connections, against a model that remembers everything.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::{Identity, Tag};
use proptest::prelude::*;

use crate::filter::Filter;
use crate::item::{Item, tests::item};
use crate::position::Tail;
use crate::resume::STRANGERS_MAX;
use crate::session::Session;
use crate::sketch::CAPACITY;
use crate::snapshot::SNAPSHOT_AGE_MAX;
use crate::timestamp::Timestamp;
use crate::world::{LATE, START, World, identity, tags};

use crate::session_client::{Client, Instance, connect, pull_where};

#[derive(Clone, Debug)]
enum Act {
    Insert {
        lag_secs: u64,
        tags: u8,
    },
    Relabel {
        pick: usize,
        label: u8,
    },
    Delete {
        pick: usize,
    },
    /// The key of a row appears anew, `lag_secs` late, in the place of the old row or beside it.
    Anew {
        pick: usize,
        lag_secs: u64,
        in_place: bool,
        tags: u8,
    },
    Pass {
        secs: u64,
    },
    /// An instance does not see the newest row for a while.
    Blind {
        instance: usize,
    },
    Sighted,
    Poll {
        instance: usize,
    },
    /// The connection breaks after this share of what was on its way, and the client goes to another instance.
    Cut {
        share: u8,
        instance: usize,
        /// Whether that instance reads the table at once, or goes on with what it knows.
        reads: bool,
    },
    /// A row later than any update may be.
    InsertVeryLate {
        lag_secs: u64,
        tags: u8,
    },
    /// The user saves their configuration with other tickers.
    Narrow {
        filter: usize,
    },
}

/// What a configuration may name.
const FILTERS: [&str; 3] = ["AAPL,NVDA", "AAPL", "NVDA,AAPL,MSFT"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (prop_oneof![3 => Just(0), 1 => 0_u64..500], 0_u8..7).prop_map(|(lag_secs, tags)| Act::Insert { lag_secs, tags }),
        1 => (any::<usize>(), 0_u8..3).prop_map(|(pick, label)| Act::Relabel { pick, label }),
        1 => any::<usize>().prop_map(|pick| Act::Delete { pick }),
        3 => (any::<usize>(), prop_oneof![3 => Just(0), 1 => 0_u64..500], any::<bool>(), 1_u8..8)
            .prop_map(|(pick, lag_secs, in_place, tags)| Act::Anew { pick, lag_secs, in_place, tags }),
        3 => (0_u64..30).prop_map(|secs| Act::Pass { secs }),
        1 => (0_usize..3).prop_map(|instance| Act::Blind { instance }),
        2 => Just(Act::Sighted),
        4 => (0_usize..3).prop_map(|instance| Act::Poll { instance }),
        3 => (0_u8..=100, 0_usize..3, any::<bool>()).prop_map(|(share, instance, reads)| Act::Cut { share, instance, reads }),
        1 => (901_u64..40_000, 1_u8..8).prop_map(|(lag_secs, tags)| Act::InsertVeryLate { lag_secs, tags }),
        1 => (0..FILTERS.len()).prop_map(|filter| Act::Narrow { filter }),
    ]
}

struct Stage {
    world: World,
    instances: Vec<Instance>,
    client: Client,
    session: Session,
    at: usize,
    filter: Filter,
    /// All it had, one after the other.
    filters: Vec<Filter>,
    /// Rows the client must hear of.
    fresh: BTreeSet<String>,
    /// Rows it may have heard of and that are gone.
    deleted: BTreeSet<String>,
    /// Rows that were not the newest of their key at some time: the client need not have heard of them.
    surpassed: BTreeSet<String>,
    /// Scores of those that never were the newest: it must not hear of them.
    untold: BTreeSet<String>,
    /// Polls of its instance when it connected.
    polls_before: u32,
    /// Time of the newest row that ever was: a client may be there, though the row is gone.
    newest: Timestamp,
    /// Time for which instances may have been blind.
    blind_secs: u64,
    /// Late rows, relabels, deletions and blind rows since the client's position was last settled on all instances.
    differences: usize,
    /// Those of them that a table does not have although a client may have had them.
    strangers: usize,
}

impl Stage {
    fn new(filter: Filter, identity: Identity) -> Self {
        Self::of(filter, identity, || Instance::of(identity))
    }

    fn of(filter: Filter, identity: Identity, instance: impl Fn() -> Instance) -> Self {
        let mut world = World::of(identity);
        for n in 0..5 {
            let id = format!("base{n}");
            world.rows.insert(id.clone(), item(&id, START - n * 60_000, 0, 0.5, &["AAPL"]));
        }
        let mut instances: Vec<Instance> = (0..3).map(|_| instance()).collect();
        instances.iter_mut().for_each(|instance| instance.poll(&world));
        let client = Client::default();
        let session = connect(&client, &instances[0], &world, &filter);
        let mut stage = Self {
            world,
            instances,
            client,
            session,
            at: 0,
            filters: vec![filter.clone()],
            filter,
            fresh: BTreeSet::new(),
            deleted: BTreeSet::new(),
            surpassed: BTreeSet::new(),
            untold: BTreeSet::new(),
            polls_before: 0,
            newest: Timestamp::from_millis(START),
            blind_secs: 0,
            differences: 0,
            strangers: 0,
        };
        stage.deliver();
        stage
    }

    fn deliver(&mut self) {
        let bytes = self.pull();
        self.client.receive(&bytes);
    }

    fn pull(&mut self) -> Vec<u8> {
        let instance = &self.instances[self.at];
        pull_where(&mut self.session, instance, &self.world, instance.polls > self.polls_before)
    }

    /// Lets every instance see everything, and the client take a heartbeat: its id is up to date.
    fn settle(&mut self) {
        self.see();
        self.world.pass(Duration::from_secs(16));
        self.see();
        (self.differences, self.strangers) = (0, 0);
    }

    /// Ends every blindness.
    fn see(&mut self) {
        for instance in &mut self.instances {
            instance.blind_to.clear();
            instance.poll(&self.world);
        }
        self.deliver();
        self.blind_secs = 0;
    }

    fn picked(&self, pick: usize) -> Option<String> {
        let id = self.fresh.iter().nth(pick % self.fresh.len().max(1))?;
        // Only what is still in sight of a poll: older rows wait for the full re-read.
        (self.world.rows[id].at > self.world.now.wall.minus(LATE / 2)).then(|| id.clone())
    }

    /// Whether a row of that time comes after newer ones.
    fn is_late(&mut self, at: Timestamp) -> bool {
        let late = at <= self.newest;
        self.newest = self.newest.max(at);
        late
    }

    /// The promise of exactly once holds up to eight rows that differ between what a client has had and what a table holds;
    /// at most four of them rows that the table does not have. A history with more is settled in between.
    fn spend(&mut self, differences: usize, strangers: usize) {
        if self.differences + differences > CAPACITY || self.strangers + strangers > STRANGERS_MAX {
            self.settle();
        }
        self.differences += differences;
        self.strangers += strangers;
    }

    fn play(&mut self, act: &Act, serial: usize) {
        match act {
            Act::Insert { lag_secs, tags: bits } => {
                let id = format!("n{serial}");
                let at = self.world.now.wall.minus(Duration::from_secs(*lag_secs));
                let row = item(&id, at.millis() + serial as u64 % 7, 0, 0.5, &tags(*bits));
                let late = self.is_late(row.at);
                // However many tickers.
                self.spend(usize::from(late), 0);
                self.world.rows.insert(id.clone(), row);
                self.fresh.insert(id);
            }
            Act::Relabel { pick, label } => {
                let Some(id) = self.picked(*pick) else { return };
                // The old version and the new.
                self.spend(2, 1);
                let row = self.world.rows.get_mut(&id).unwrap();
                row.label = *label;
                // A score that no other update has, so that a label which comes back is not taken for a repetition.
                row.score = Some(0.5 + (serial + 1) as f64 / 1024.0);
            }
            Act::Delete { pick } => {
                let Some(id) = self.picked(*pick) else { return };
                self.spend(1, 1);
                self.remove(&id);
            }
            Act::Anew { pick, lag_secs, in_place, tags: bits } => {
                self.write_anew(*pick, *lag_secs, *in_place, *bits, serial);
            }
            Act::Pass { secs } => {
                // Indexes lag by seconds, not longer.
                self.blind_secs += secs;
                if self.blind_secs > 10 {
                    self.see();
                }
                self.world.pass(Duration::from_secs(*secs));
            }
            Act::Blind { instance } => {
                let newest = self.fresh.iter().map(|name| &self.world.rows[name]).max_by_key(|row| row.at);
                let Some(id) = newest.map(|row| row.key.id.to_string()) else { return };
                let rows = self.world.rows.values().filter(|row| *row.key.id == *id).count();
                if rows <= STRANGERS_MAX {
                    self.spend(rows, rows);
                    self.instances[*instance].blind_to.insert(id);
                }
            }
            Act::Sighted => self.instances.iter_mut().for_each(|instance| instance.blind_to.clear()),
            Act::Poll { instance } => {
                self.instances[*instance].poll(&self.world);
                if *instance == self.at {
                    self.deliver();
                }
            }
            Act::Cut { share, instance, reads } => self.cut(*share, *instance, *reads),
            Act::InsertVeryLate { lag_secs, tags: bits } => {
                let id = format!("old{serial}");
                // Behind every position that a client may still have: one that knows no newer row would be told of it.
                let at = Timestamp::from_millis(START).minus(Duration::from_secs(*lag_secs));
                self.world.rows.insert(id.clone(), item(&id, at.millis(), 0, 0.5, &tags(*bits)));
            }
            Act::Narrow { filter } => self.narrow(&Filter::parse(FILTERS[*filter]).unwrap()),
        }
    }

    fn remove(&mut self, name: &str) {
        let row = self.world.rows.remove(name).unwrap();
        self.fresh.remove(name);
        // What it hid is the newest now, for those who never saw it.
        for uncovered in self.world.rows.values().filter(|other| other.key.id == row.key.id) {
            self.untold.remove(&serde_json::json!(uncovered.score).to_string());
        }
        self.deleted.insert(row.key.id.to_string());
    }

    /// Where an item is its key and time, this is another item and the old row stays or goes; else it takes its place.
    fn write_anew(&mut self, pick: usize, lag_secs: u64, in_place: bool, bits: u8, serial: usize) {
        let Some(old) = self.picked(pick) else { return };
        let id = self.world.rows[&old].key.id.clone();
        let at = self.world.now.wall.minus(Duration::from_secs(lag_secs));
        // A score that no other update has tells the rows of a key apart.
        let score = 0.5 + (serial + 1) as f64 / 1024.0;
        let row = item(&id, at.millis() + serial as u64 % 7, 1, score, &tags(bits));
        if self.world.rows.values().any(|other| other.at == row.at) {
            return;
        }
        let late = self.is_late(row.at);
        // An instance that does not see the key does not see this row of it either.
        let unseen = usize::from(self.instances.iter().any(|instance| instance.blind_to.contains(&*id)));
        self.spend(usize::from(late) + usize::from(in_place) + unseen, usize::from(in_place) + unseen);
        if in_place {
            self.remove(&old);
        }
        let name = format!("n{serial}");
        self.world.rows.insert(name.clone(), row);
        self.fresh.insert(name.clone());
        let behind: Vec<String> = self.surpassed_now();
        if behind.contains(&name) {
            self.untold.insert(serde_json::json!(score).to_string());
        }
        self.surpassed.extend(behind);
    }

    /// Rows of which a newer one of the key is there.
    fn surpassed_now(&self) -> Vec<String> {
        let rows = &self.world.rows;
        let is_behind = |(_, row): &(&String, &Item)| !self.world.is_item(row, rows.values());
        rows.iter().filter(is_behind).map(|(name, _)| name.clone()).collect()
    }

    /// Only a stream of a configuration can change.
    fn narrow(&mut self, filter: &Filter) {
        if self.filter.is_all() || self.filter == *filter {
            return;
        }
        self.filter = filter.clone();
        self.filters.push(filter.clone());
        self.session.narrow(filter);
        self.client.metrics.push(format!("(of {} filters)", self.filters.len()));
        self.deliver();
        let metrics = self.client.metrics.last().unwrap();
        let is_confirmed = self.instances[self.at].polls > self.polls_before;
        assert!(
            !is_confirmed || metrics.contains("total"),
            "no metrics for the new tickers: {:?}",
            self.client.metrics
        );
    }

    fn cut(&mut self, share: u8, to: usize, reads: bool) {
        // Within a row, it is one element more; and the table may lose that row before the client is back.
        self.spend(usize::from(share < 100), usize::from(share < 100));
        self.instances[self.at].poll(&self.world);
        let bytes = self.pull();
        self.client.receive(&bytes[..bytes.len() * usize::from(share) / 100]);
        self.at = to;
        self.polls_before = self.instances[to].polls;
        let is_stale = self.instances[to].polled_at.plus(SNAPSHOT_AGE_MAX) < self.world.now.wall;
        if reads || is_stale {
            self.instances[to].poll(&self.world);
        }
        self.session = connect(&self.client, &self.instances[to], &self.world, &self.filter);
        self.deliver();
    }
}

fn expected(stage: &Stage) -> Vec<(String, String, String, String)> {
    let labels = ["positive", "neutral", "negative"];
    let mut all = Vec::new();
    for id in stage.fresh.difference(&stage.surpassed) {
        let row = &stage.world.rows[id];
        let id = row.key.id.to_string();
        // A ticker that came or went in between may have been heard of or not; one that stayed must have been.
        let wanted = |ticker: Option<&Tag>| stage.filters.iter().all(|filter| filter.matches_update(ticker));
        for ticker in row.tickers().filter(|ticker| wanted(*ticker)) {
            let score = serde_json::json!(row.score).to_string();
            let ticker = serde_json::json!(ticker).to_string();
            all.push((id.clone(), ticker, labels[usize::from(row.label)].to_owned(), score));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever is cut, wherever the client goes next: every update once, nothing of the baseline, no reset.
    #[test]
    fn a_client_hears_every_update_exactly_once(
        acts in prop::collection::vec(act(), 1..60),
        narrow: bool,
        identity in identity(),
    ) {
        let filter = if narrow { Filter::parse("AAPL,NVDA").unwrap() } else { Filter::all() };
        let mut stage = Stage::new(filter, identity);
        for (serial, act) in acts.iter().enumerate() {
            stage.play(act, serial);
        }
        stage.settle();
        let got = &stage.client.got;
        let unique: BTreeSet<_> = got.iter().collect();
        prop_assert!(unique.len() == got.len(), "twice: {got:?}");
        for update in expected(&stage) {
            prop_assert!(unique.contains(&update), "missing {update:?} in {got:?}");
        }
        prop_assert!(got.iter().all(|(id, ..)| stage.fresh.contains(id) || stage.deleted.contains(id)), "baseline replayed: {got:?}");
        prop_assert!(got.iter().all(|(.., score)| !stage.untold.contains(score)), "older than what was there: {got:?}");
        prop_assert_eq!(&stage.client.resets, &Vec::<String>::new());
        for pair in stage.client.metrics.windows(2) {
            prop_assert!(pair[0] != pair[1], "metrics repeated: {pair:?}");
        }
        // What is too late to be told is counted all the same, once everything was read again.
        stage.world.pass(Duration::from_secs(46));
        for instance in &mut stage.instances {
            instance.poll(&stage.world);
            let held = stage.world.held(stage.world.now.wall).len();
            prop_assert_eq!(instance.snapshot.as_ref().unwrap().numbers.total, u32::try_from(held).unwrap());
        }
    }
}
proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Where ids leave the tail out, an update may come again, or for the first time what was there when the client came; none is missing, and nobody
    /// begins anew.
    #[test]
    fn a_client_whose_ids_have_a_tail_misses_nothing(
        acts in prop::collection::vec(act(), 1..60),
        narrow: bool,
        identity in identity(),
        levels in prop::collection::vec(0..=Tail::LEVEL_MAX, 3),
    ) {
        let filter = if narrow { Filter::parse("AAPL,NVDA").unwrap() } else { Filter::all() };
        let level = std::cell::Cell::new(0);
        let mut stage = Stage::of(filter, identity, || {
            level.set(level.get() + 1);
            Instance::with_tail(identity, levels[level.get() - 1])
        });
        for (serial, act) in acts.iter().enumerate() {
            stage.play(act, serial);
        }
        stage.settle();
        let got: BTreeSet<_> = stage.client.got.iter().collect();
        for update in expected(&stage) {
            prop_assert!(got.contains(&update), "missing {update:?} in {got:?}");
        }
        prop_assert!(got.iter().all(|(.., score)| !stage.untold.contains(score)), "older than what was there: {got:?}");
        prop_assert_eq!(&stage.client.resets, &Vec::<String>::new());
    }
}

/// Histories in which clients once had an update twice, each for a reason of its own. Times and picks follow from the number of
/// an act, so some of them only count.
#[test]
fn histories_that_once_went_wrong() {
    const NOTHING: Act = Act::Sighted;
    const fn insert(tags: u8) -> Act {
        Act::Insert { lag_secs: 0, tags }
    }
    const fn anew(pick: usize, in_place: bool) -> Act {
        Act::Anew { pick, lag_secs: 0, in_place, tags: 1 }
    }
    const fn cut(share: u8, instance: usize) -> Act {
        Act::Cut { share, instance, reads: false }
    }
    const fn pass(secs: u64) -> Act {
        Act::Pass { secs }
    }
    // A row that another instance showed the client, and that is hidden when it is seen here, was counted twice.
    let hidden: [&[Act]; 3] = [
        &[NOTHING, NOTHING, NOTHING, NOTHING, pass(1), NOTHING, insert(5), anew(0, false), NOTHING, NOTHING, NOTHING],
        &[NOTHING, insert(3), NOTHING, Act::Blind { instance: 1 }, insert(1), cut(20, 1)],
        &[Act::Poll { instance: 1 }, Act::Sighted, Act::Poll { instance: 1 }, cut(0, 1)],
    ];
    // A client further than its instance, because its newest row was deleted, took deleted rows along for good.
    let ahead: [&[Act]; 5] = [
        &[NOTHING, NOTHING, insert(0), NOTHING, insert(0), insert(0)],
        &[
            Act::Insert { lag_secs: 301, tags: 0 },
            NOTHING,
            NOTHING,
            Act::Poll { instance: 0 },
            anew(2, true),
            cut(0, 1),
        ],
        &[Act::Delete { pick: 1 }, NOTHING, Act::Relabel { pick: 1, label: 0 }, anew(0, false), insert(0), pass(11)],
        &[Act::Insert { lag_secs: 27, tags: 0 }, Act::Delete { pick: 0 }, Act::Relabel { pick: 1, label: 0 }],
        &[Act::Anew { pick: 0, lag_secs: 28, in_place: false, tags: 1 }, anew(4, true), insert(0)],
    ];
    // A row that one instance saw replaced was news again at one that had not read since.
    let replaced: [&[Act]; 4] = [
        &[NOTHING, insert(0), anew(0, true), NOTHING, anew(0, true), NOTHING, NOTHING, pass(1), NOTHING],
        &[NOTHING, NOTHING, insert(0), cut(0, 1), insert(0), insert(0), NOTHING, insert(0), NOTHING, NOTHING, NOTHING],
        &[insert(0), NOTHING, anew(0, true), Act::Insert { lag_secs: 285, tags: 0 }, insert(0), insert(0)],
        &[Act::Poll { instance: 0 }, anew(8, true), cut(20, 0)],
    ];
    // A row out of sight for a while was taken for deleted.
    let unseen: [&[Act]; 2] = [
        &[NOTHING, NOTHING, NOTHING, cut(0, 2), insert(3), insert(0), insert(0), cut(0, 2), anew(1, true)],
        &[Act::Delete { pick: 1 }, cut(0, 1), pass(11), pass(4), Act::Blind { instance: 1 }, cut(57, 0)],
    ];
    for (acts, identity) in [
        (hidden.concat(), Identity::Key),
        (ahead.concat(), Identity::KeyAndTime),
        (replaced.concat(), Identity::Key),
        (unseen.concat(), Identity::KeyAndTime),
    ] {
        let mut stage = Stage::new(Filter::all(), identity);
        for (serial, act) in acts.iter().enumerate() {
            stage.play(act, serial);
        }
        stage.settle();
        let (got, resets) = (&stage.client.got, &stage.client.resets);
        let unique: BTreeSet<_> = got.iter().collect();
        assert_eq!(unique.len(), got.len(), "{identity:?} {acts:?}: {got:?}");
        assert!(expected(&stage).iter().all(|update| unique.contains(update)), "{identity:?} {acts:?}: {got:?}");
        assert_eq!(*resets, Vec::<String>::new(), "{identity:?} {acts:?}");
    }
}
