//! Properties of journal and session over random histories, against models that remember everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{DataSettings, PollSettings, TableName};
use proptest::prelude::*;

use super::event::EndReason;
use super::filter::Filter;
use super::item::{Item, tests::item};
use super::journal::{Journal, Now, TimeRange};
use super::session::{Session, SessionParams, Step, View};
use super::snapshot::{ReplayLimits, Snapshot};
use super::timestamp::Timestamp;
use super::window::Window;
use crate::core::cursor::Cursor;

const LATE: Duration = Duration::from_secs(600);
const START: u64 = 1_800_000_000_000;

fn journal() -> Journal {
    let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
    Journal::new(data, PollSettings::from_env(&|_| None).unwrap())
}

/// The table: what is in it, and the clocks.
struct World {
    rows: BTreeMap<String, Item>,
    now: Now,
}

impl World {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; there is no other way to have one")]
        let base = Instant::now();
        Self { rows: BTreeMap::new(), now: Now { instant: base, wall: Timestamp::from_millis(START) } }
    }

    fn pass(&mut self, time: Duration) {
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall.plus(time) };
    }

    fn read(&self, range: TimeRange) -> Vec<Item> {
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

fn tags(bits: u8) -> Vec<&'static str> {
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

/// One instance: its journal and what it published last.
struct Instance {
    journal: Journal,
    snapshot: Option<Arc<Snapshot>>,
    /// Rows it does not see yet: indexes lag behind each other.
    blind_to: BTreeSet<String>,
}

impl Instance {
    fn new() -> Self {
        Self { journal: journal(), snapshot: None, blind_to: BTreeSet::new() }
    }

    fn poll(&mut self, world: &World) {
        let range = self.journal.next_read(world.now);
        let rows = world.read(range).into_iter().filter(|row| !self.blind_to.contains(&*row.key.id)).collect();
        if let Some(snapshot) = self.journal.apply(range, rows, world.now) {
            self.snapshot = Some(Arc::new(snapshot));
        }
    }
}

/// An EventSource: keeps the last id, counts what it got.
#[derive(Default)]
struct Client {
    last_id: Option<String>,
    got: Vec<(String, String, String)>,
    resets: Vec<String>,
    metrics: Vec<String>,
}

impl Client {
    fn receive(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).unwrap();
        for block in text.split_inclusive("\n\n").filter(|block| block.ends_with("\n\n")) {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let Some(event) = field("event: ") else { continue };
            self.last_id = field("id: ").or(self.last_id.take());
            let data: serde_json::Value = serde_json::from_str(&field("data: ").unwrap()).unwrap();
            let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
            match event.as_str() {
                "sentiment_update" => self.got.push((text("item_id"), text("ticker"), text("label"))),
                "reset" => self.resets.push(text("reason")),
                "metrics" => self.metrics.push(data.to_string()),
                _ => {}
            }
        }
    }
}

fn connect(client: &Client, instance: &Instance, world: &World, filter: &Filter) -> Session {
    let epoch = instance.journal.epoch();
    let params = SessionParams {
        stream_id: "s".into(),
        epoch,
        filter: filter.clone(),
        presented: client.last_id.as_ref().map(|id| Cursor::from_id(id.as_bytes(), epoch)),
        heartbeat_every: Duration::from_secs(15),
        retry: Duration::from_secs(3),
        reconnect: Duration::from_secs(1),
        ends_at: (world.now.instant + Duration::from_secs(86_400 * 30), EndReason::Session),
        replay: ReplayLimits { window: Duration::from_secs(900), events: 500 },
    };
    Session::new(params, world.now.instant)
}

/// Pulls everything the session has to say now.
fn pull(session: &mut Session, instance: &Instance, world: &World) -> Vec<u8> {
    let view = View { snapshot: instance.snapshot.as_ref(), connections: 1, uptime: Duration::ZERO, shutdown: false };
    let mut bytes = Vec::new();
    for _ in 0..10_000 {
        match session.step(world.now, view) {
            Step::Send(more) => bytes.extend_from_slice(&more),
            Step::Wait(_) | Step::Close => return bytes,
        }
    }
    panic!("the session does not come to rest");
}

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
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (prop_oneof![3 => Just(0), 1 => 0_u64..500], 0_u8..7).prop_map(|(lag_secs, tags)| Act::Insert { lag_secs, tags }),
        1 => (any::<usize>(), 0_u8..3).prop_map(|(pick, label)| Act::Relabel { pick, label }),
        1 => any::<usize>().prop_map(|pick| Act::Delete { pick }),
        3 => (0_u64..30).prop_map(|secs| Act::Pass { secs }),
        1 => (0_usize..3).prop_map(|instance| Act::Blind { instance }),
        2 => Just(Act::Sighted),
        4 => (0_usize..3).prop_map(|instance| Act::Poll { instance }),
        3 => (0_u8..=100, 0_usize..3).prop_map(|(share, instance)| Act::Cut { share, instance }),
    ]
}

struct Stage {
    world: World,
    instances: Vec<Instance>,
    client: Client,
    session: Session,
    at: usize,
    filter: Filter,
    /// Rows the client must hear of.
    fresh: BTreeSet<String>,
    /// Rows it may have heard of and that are gone.
    deleted: BTreeSet<String>,
    /// Time for which instances may have been blind.
    blind_secs: u64,
    /// Late rows, relabels and blind rows since the client's position was last settled on all instances.
    differences: usize,
}

impl Stage {
    fn new(filter: Filter) -> Self {
        let mut world = World::new();
        for n in 0..5 {
            let id = format!("base{n}");
            world.rows.insert(id.clone(), item(&id, START - n * 60_000, 0, 0.5, &["AAPL"]));
        }
        let mut instances: Vec<Instance> = (0..3).map(|_| Instance::new()).collect();
        instances.iter_mut().for_each(|instance| instance.poll(&world));
        let client = Client::default();
        let session = connect(&client, &instances[0], &world, &filter);
        let mut stage = Self {
            world,
            instances,
            client,
            session,
            at: 0,
            filter,
            fresh: BTreeSet::new(),
            deleted: BTreeSet::new(),
            blind_secs: 0,
            differences: 0,
        };
        stage.deliver();
        stage
    }

    fn deliver(&mut self) {
        let bytes = pull(&mut self.session, &self.instances[self.at], &self.world);
        self.client.receive(&bytes);
    }

    /// Lets every instance see everything, and the client take a heartbeat: its id is up to date.
    fn settle(&mut self) {
        self.see();
        self.world.pass(Duration::from_secs(16));
        self.see();
        self.differences = 0;
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

    /// The promise of exactly once holds up to eight differences between what a client has had and what a table holds, of
    /// which four may be taken by rows that are gone; a history with more is settled in between.
    fn spend(&mut self, differences: usize) {
        if self.differences + differences > 4 {
            self.settle();
        }
        self.differences += differences;
    }

    fn play(&mut self, act: &Act, serial: usize) {
        match act {
            Act::Insert { lag_secs, tags: bits } => {
                // With three tickers, relabelling one row would be six differences.
                self.spend(tags(*bits).len());
                let id = format!("n{serial}");
                let at = self.world.now.wall.minus(Duration::from_secs(*lag_secs));
                let row = item(&id, at.millis() + serial as u64 % 7, 0, 0.5, &tags(*bits));
                let late = self.world.rows.values().any(|other| row.at <= other.at);
                self.differences -= if late { 0 } else { row.tags.len() };
                self.world.rows.insert(id.clone(), row);
                self.fresh.insert(id);
            }
            Act::Relabel { pick, label } => {
                let Some(id) = self.picked(*pick) else { return };
                self.spend(2 * self.world.rows[&id].tags.len());
                self.world.rows.get_mut(&id).unwrap().label = *label;
            }
            Act::Delete { pick } => {
                let Some(id) = self.picked(*pick) else { return };
                self.spend(self.world.rows[&id].tags.len());
                let row = self.world.rows.remove(&id).unwrap();
                self.fresh.remove(&id);
                self.deleted.insert(row.key.id.to_string());
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
                let newest = self.fresh.iter().max_by_key(|id| self.world.rows[*id].at).cloned();
                self.spend(newest.as_ref().map_or(0, |id| self.world.rows[id].tags.len()));
                self.instances[*instance].blind_to.extend(newest);
            }
            Act::Sighted => self.instances.iter_mut().for_each(|instance| instance.blind_to.clear()),
            Act::Poll { instance } => {
                self.instances[*instance].poll(&self.world);
                if *instance == self.at {
                    self.deliver();
                }
            }
            Act::Cut { share, instance } => self.cut(*share, *instance),
        }
    }

    fn cut(&mut self, share: u8, to: usize) {
        self.instances[self.at].poll(&self.world);
        let bytes = pull(&mut self.session, &self.instances[self.at], &self.world);
        self.client.receive(&bytes[..bytes.len() * usize::from(share) / 100]);
        self.at = to;
        self.instances[self.at].poll(&self.world);
        self.session = connect(&self.client, &self.instances[self.at], &self.world, &self.filter);
        self.deliver();
    }
}

fn expected(stage: &Stage) -> Vec<(String, String, String)> {
    let labels = ["positive", "neutral", "negative"];
    let mut all = Vec::new();
    for id in &stage.fresh {
        let row = &stage.world.rows[id];
        for tag in row.tags.iter().filter(|tag| stage.filter.matches_tag(tag)) {
            all.push((id.clone(), tag.to_string(), labels[usize::from(row.label)].to_owned()));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Whatever is cut, wherever the client goes next: every update once, nothing of the baseline, no reset.
    #[test]
    fn a_client_hears_every_update_exactly_once(
        acts in prop::collection::vec(act(), 1..60),
        narrow: bool,
    ) {
        let filter = if narrow { Filter::parse("AAPL,NVDA").unwrap() } else { Filter::all() };
        let mut stage = Stage::new(filter);
        for (serial, act) in acts.iter().enumerate() {
            stage.play(act, serial);
        }
        stage.settle();
        let got = &stage.client.got;
        let unique: BTreeSet<_> = got.iter().collect();
        // Going back to a label that a row had before is a new update too; only those may look like repetitions.
        let relabels = acts.iter().any(|act| matches!(act, Act::Relabel { .. }));
        prop_assert!(relabels || unique.len() == got.len(), "twice: {got:?}");
        for update in expected(&stage) {
            prop_assert!(unique.contains(&update), "missing {update:?} in {got:?}");
        }
        prop_assert!(got.iter().all(|(id, _, _)| stage.fresh.contains(id) || stage.deleted.contains(id)), "baseline replayed: {got:?}");
        prop_assert_eq!(&stage.client.resets, &Vec::<String>::new());
        for pair in stage.client.metrics.windows(2) {


            prop_assert!(pair[0] != pair[1], "metrics repeated: {pair:?}");
        }
    }
}
