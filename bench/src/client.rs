//! Clients of an instance: what they present, and what they get.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stream_core::cursor::Cursor;
use stream_core::event::{EndReason, MetricsFrame};
use stream_core::filter::Filter;
use stream_core::filter_numbers::FilterNumbers;
use stream_core::resume::ReplayLimits;
use stream_core::session::{self, Session, SessionParams, Step, View};
use stream_core::snapshot::Snapshot;

use crate::instance::Instance;

/// Numbers of the filters that clients have, as an instance shares them.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    filters: RefCell<BTreeMap<Filter, Counted>>,
}

#[derive(Debug)]
struct Counted {
    numbers: FilterNumbers,
    latest: Option<(u64, Arc<MetricsFrame>)>,
}

impl session::Shared for Shared {
    fn metrics(&self, filter: &Filter, snapshot: &Snapshot) -> Arc<MetricsFrame> {
        let mut filters = self.filters.borrow_mut();
        let counted = filters
            .entry(filter.clone())
            .or_insert_with(|| Counted { numbers: FilterNumbers::new(filter), latest: None });
        if let Some((_, frame)) = counted.latest.as_ref().filter(|(serial, _)| *serial == snapshot.serial) {
            return Arc::clone(frame);
        }
        let numbers = counted.numbers.follow(snapshot);
        let frame = Arc::new(MetricsFrame::new(snapshot.data.labels.as_slice(), &numbers, snapshot.read_at));
        counted.latest = Some((snapshot.serial, Arc::clone(&frame)));
        frame
    }
}

/// One client: its stream, and what came by it.
pub(crate) struct Client {
    pub(crate) filter: Filter,
    pub(crate) session: Session,
    pub(crate) bytes: Vec<u8>,
}

impl Client {
    /// Connects, with the last event id where there is one.
    pub(crate) fn connect(instance: &Instance, filter: &Filter, last_id: Option<&str>) -> Self {
        let epoch = instance.journal.epoch();
        let params = SessionParams {
            stream_id: "str_0000000000000000000000".into(),
            epoch,
            filter: filter.clone(),
            presented: last_id.map(|id| Cursor::from_id(id.as_bytes(), epoch)),
            heartbeat_every: Duration::from_secs(15),
            retry: Duration::from_secs(3),
            reconnect: Duration::from_secs(1),
            reconnect_at_shutdown: Duration::from_secs(1),
            ends_at: (instance.now.instant + Duration::from_secs(24 * 3600), EndReason::Session),
            replay: ReplayLimits { window: Duration::from_secs(900), events: 500 },
            early_mark: None,
        };
        Self { filter: filter.clone(), session: Session::new(params, instance.now.instant), bytes: Vec::new() }
    }

    /// Takes everything that the session has to say now; returns the number of writes.
    pub(crate) fn pull(&mut self, instance: &Instance, shared: &Shared) -> usize {
        let view = View {
            snapshot: instance.snapshot.as_ref(),
            is_confirmed: true,
            shared,
            connections: 1,
            started: instance.now.instant,
            shutdown: false,
            goodbye: false,
        };
        let mut writes = 0;
        while let Step::Send(bytes) = self.session.step(instance.now, view) {
            self.bytes.extend_from_slice(&bytes);
            writes += 1;
        }
        writes
    }

    /// The id of the last event.
    pub(crate) fn last_id(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        text.lines().rev().find_map(|line| line.strip_prefix("id: "))
    }

    /// Item and ticker of every update that came, in their order.
    pub(crate) fn updates(&self) -> Vec<(String, String)> {
        let text = std::str::from_utf8(&self.bytes).expect("events are text");
        let blocks = text.split("\n\n").filter(|block| block.contains("event: sentiment_update\n"));
        let update = |block: &str| {
            let data = block.lines().find_map(|line| line.strip_prefix("data: ")).expect("an update has data");
            let data: serde_json::Value = serde_json::from_str(data).expect("it is JSON");
            let field = |name: &str| data[name].as_str().expect("it is a string").to_owned();
            (field("item_id"), field("ticker"))
        };
        blocks.map(update).collect()
    }
}
