//! A client, an instance and the session between them, as the tests of sessions and of resumes have them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::units::{Bare, DataWindow};
use contract::{DataSettings, Identity, TableName};

use crate::cursor::Cursor;
use crate::event::{EndReason, MetricsFrame};
use crate::filter::Filter;
use crate::filter_numbers::FilterNumbers;
use crate::journal::Journal;
use crate::resume::ReplayLimits;
use crate::session::{Session, SessionParams, Shared, Step, View};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;
use crate::world::{World, journal_of, journal_with};
use crate::write::{Place, Write};

/// One instance: its journal and what it published last.
pub(super) struct Instance {
    journal: Journal,
    pub(super) snapshot: Option<Arc<Snapshot>>,
    /// Rows it does not see yet: indexes lag behind each other.
    pub(super) blind_to: BTreeSet<String>,
    pub(super) polls: u32,
    pub(super) polled_at: Timestamp,
    pub(super) shared: Counted,
}

/// Counts a filter's numbers anew each time, and holds every write against those that were made for the same place.
#[derive(Default)]
pub(super) struct Counted {
    writes: RefCell<BTreeMap<(u64, Filter, Place), Arc<Write>>>,
}

impl Shared for Counted {
    fn metrics(&self, filter: &Filter, snapshot: &Snapshot) -> Arc<MetricsFrame> {
        let numbers = FilterNumbers::new(filter).follow(snapshot);
        Arc::new(MetricsFrame::new(snapshot.data.labels.as_slice(), &numbers, snapshot.read_at))
    }

    fn write(&self, filter: &Filter, snapshot: &Snapshot, place: Place, make: &mut dyn FnMut() -> Write) -> Arc<Write> {
        let made = Arc::new(make());
        let key = (snapshot.serial, filter.clone(), place);
        let known = Arc::clone(self.writes.borrow_mut().entry(key).or_insert_with(|| Arc::clone(&made)));
        assert_eq!(known, made, "two clients at one place");
        known
    }
}

impl Instance {
    pub(super) fn new() -> Self {
        Self::of(Identity::KeyAndTime)
    }

    /// One whose ids tell all apart that a sketch can, however late rows are.
    pub(super) fn of(identity: Identity) -> Self {
        Self::with_tail(identity, 0)
    }

    /// One that leaves out of its ids what is late all the time, as instances do.
    pub(super) fn that_notes_disorder() -> Self {
        Self::with(Identity::KeyAndTime, |journal| journal)
    }

    /// One that always has a tail of this level.
    pub(super) fn with_tail(identity: Identity, level: u8) -> Self {
        Self::with(identity, |journal| journal.with_tail(level))
    }

    /// One that shows so much of the table.
    pub(super) fn with_window(window: &str) -> Self {
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let data = DataSettings { window: DataWindow::parse(window, Bare::Refused).unwrap(), ..data };
        let mut instance = Self::new();
        instance.journal = journal_of(data, &[]);
        instance
    }

    fn with(identity: Identity, changed: impl FnOnce(Journal) -> Journal) -> Self {
        // Re-reads often enough to fall into a history.
        let journal = changed(journal_with(identity, &[("SSE_RECONCILE_INTERVAL", "45s")]));
        Self {
            journal,
            snapshot: None,
            blind_to: BTreeSet::new(),
            polls: 0,
            polled_at: Timestamp::EPOCH,
            shared: Counted::default(),
        }
    }

    pub(super) fn poll(&mut self, world: &World) {
        self.polls += 1;
        self.polled_at = world.now.wall;
        let Self { journal, blind_to, .. } = self;
        if let Some(snapshot) = world.poll(journal, &|row| !blind_to.contains(&*row.key.id)) {
            self.snapshot = Some(Arc::new(snapshot));
        }
    }
}

/// An EventSource: keeps the last id, counts what it got.
#[derive(Default)]
pub(super) struct Client {
    pub(super) last_id: Option<String>,
    /// Item, ticker, label and score: no two updates of a history have all four in common.
    pub(super) got: Vec<(String, String, String, String)>,
    pub(super) resets: Vec<String>,
    pub(super) metrics: Vec<String>,
}

impl Client {
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).unwrap();
        for block in text.split_inclusive("\n\n").filter(|block| block.ends_with("\n\n")) {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let Some(event) = field("event: ") else { continue };
            self.last_id = field("id: ").or(self.last_id.take());
            let data: serde_json::Value = serde_json::from_str(&field("data: ").unwrap()).unwrap();
            let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
            match event.as_str() {
                "sentiment_update" => {
                    self.got.push((
                        text("item_id"),
                        data["ticker"].to_string(),
                        text("label"),
                        data["score"].to_string(),
                    ));
                }
                "reset" => self.resets.push(text("reason")),
                "metrics" => self.metrics.push(data.to_string()),
                _ => {}
            }
        }
    }
}

pub(super) fn connect(client: &Client, instance: &Instance, world: &World, filter: &Filter) -> Session {
    let epoch = instance.journal.epoch();
    let params = SessionParams {
        stream_id: "s".into(),
        epoch,
        filter: filter.clone(),
        presented: client.last_id.as_ref().map(|id| Cursor::from_id(id.as_bytes(), epoch)),
        heartbeat_every: Duration::from_secs(15),
        retry: Duration::from_secs(3),
        reconnect: Duration::from_secs(1),
        reconnect_at_shutdown: Duration::from_secs(2),
        ends_at: (world.now.instant + Duration::from_secs(86_400 * 30), EndReason::Session),
        replay: ReplayLimits { window: Duration::from_secs(900), events: 500 },
        early_mark: None,
    };
    Session::new(params, world.now.instant)
}

/// Pulls everything the session has to say now, where the instance has read the table since the client came.
pub(super) fn pull(session: &mut Session, instance: &Instance, world: &World) -> Vec<u8> {
    pull_where(session, instance, world, true)
}

pub(super) fn pull_where(session: &mut Session, instance: &Instance, world: &World, is_confirmed: bool) -> Vec<u8> {
    let view = View {
        snapshot: instance.snapshot.as_ref(),
        is_confirmed,
        shared: &instance.shared,
        connections: 1,
        started: world.now.instant,
        shutdown: false,
        goodbye: false,
    };
    let mut bytes = Vec::new();
    for _ in 0..10_000 {
        let rests = session.take_rest().map(Step::Wait);
        let step = session.step(world.now, view);
        assert!(
            rests.is_none_or(|rests| bytes.is_empty() || rests == step),
            "it had more to say than it said: {step:?}"
        );
        match step {
            Step::Send(more) => bytes.extend_from_slice(&more),
            Step::Wait(_) | Step::Close => return bytes,
        }
    }
    panic!("the session does not come to rest");
}
