//! One instance of the stream function, fed by a made-up table and a clock that moves when it is told to.

use std::sync::Arc;
use std::time::Duration;

use contract::{DataSettings, PollSettings, TableName};
use stream_core::journal::Journal;
use stream_core::moment::Now;
use stream_core::reading::PageRequest;
use stream_core::snapshot::Snapshot;
use stream_core::timestamp::Timestamp;

use crate::gauge::{Cost, live_bytes, measured, now};
use crate::table::Table;

/// Time between two polls: the default of the manifest.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// When a run begins.
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Read units of a row, as DynamoDB counts 200 bytes that are read eventually consistent.
const UNITS_PER_ROW: f64 = 0.5 * 200.0 / 4096.0;

/// Journal, table and clock.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) journal: Journal,
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    pub(crate) table: Table,
    pub(crate) now: Now,
}

/// What a reading of many pages cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// All of it.
    pub(crate) cost: Cost,
    /// The longest that the journal was busy without a break, microseconds of processor time.
    pub(crate) longest_us: f64,
    /// Most bytes that were allocated after a page.
    pub(crate) live_max: u64,
    /// Rows that were read.
    pub(crate) rows: usize,
}

impl Reading {
    fn note(&mut self, cost: Cost) {
        self.cost += cost;
        self.longest_us = self.longest_us.max(cost.cpu_us);
    }
}

impl Instance {
    /// Makes an instance that has not read anything, of a table with so many rows.
    pub(crate) fn new(rows: u64) -> Self {
        let name = |text| TableName::new(text).expect("a name of letters");
        let data = DataSettings::with_tables(name("items"), name("users"));
        let poll = PollSettings::from_env(&|_| None).expect("the defaults are valid");
        Self {
            journal: Journal::new(data, poll),
            snapshot: None,
            table: Table::new(rows, START),
            now: Now { instant: now(), wall: START },
        }
    }

    /// Lets time pass, in which rows are written.
    pub(crate) fn pass(&mut self, time: Duration, rows: u64) {
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall.plus(time) };
        if rows > 0 {
            self.table.write(rows, self.now.wall, time.min(POLL_INTERVAL));
        }
    }

    /// Polls once, everything included that is to be read again, which comes after what is new.
    pub(crate) fn poll(&mut self) -> Reading {
        let mut reading = Reading::default();
        let ((), begun) = measured(|| self.journal.begin(self.now));
        reading.note(begun);
        while self.read_pages(&mut reading, &[Journal::requests]) {}
        self.settle(&mut reading);
        if !self.journal.is_catching_up() {
            while self.read_pages(&mut reading, &[Journal::late_requests, Journal::reconciling_requests]) {}
            self.settle(&mut reading);
        }
        reading
    }

    fn settle(&mut self, reading: &mut Reading) {
        let (now, journal, snapshot) = (self.now, &mut self.journal, &mut self.snapshot);
        let ((), settled) = measured(|| {
            if let Some(new) = journal.settle(now) {
                // The one before goes where nobody looks at it any more: that is a part of the cost.
                *snapshot = Some(Arc::new(new));
            }
        });
        reading.note(settled);
    }

    /// Reads the pages that are wanted next in one of these ways; `false` where there are none. What the store does for it is not counted.
    fn read_pages(&mut self, reading: &mut Reading, asked: &[fn(&Journal) -> Vec<PageRequest>]) -> bool {
        let (requests, cost) = measured(|| {
            let mut wanted = asked.iter().map(|ask| ask(&self.journal));
            wanted.find(|requests| !requests.is_empty()).unwrap_or_default()
        });
        reading.note(cost);
        for request in &requests {
            self.read_page(request, reading);
        }
        !requests.is_empty()
    }

    fn read_page(&mut self, request: &PageRequest, reading: &mut Reading) {
        let (items, next) = self.table.page(request);
        reading.rows += items.len();
        #[expect(clippy::cast_precision_loss, reason = "a page")]
        let units = items.len() as f64 * UNITS_PER_ROW;
        let ((), cost) = measured(|| self.journal.take(request, items, next, units));
        reading.note(cost);
        reading.live_max = reading.live_max.max(live_bytes());
    }

    /// The newest snapshot.
    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        self.snapshot.as_ref().expect("the window was loaded")
    }

    /// Polls `polls` times with `rows` new rows each; returns the median.
    pub(crate) fn polls(&mut self, polls: usize, rows: u64) -> Cost {
        let poll = |_| {
            self.pass(POLL_INTERVAL, rows);
            self.poll().cost
        };
        Cost::median((0..polls).map(poll).collect())
    }

    /// Fails where the numbers are not those of the table.
    pub(crate) fn assert_counted(&self) {
        let snapshot = self.snapshot();
        let held = self.table.len() - self.table.until(snapshot.window_after());
        assert_eq!(u64::from(snapshot.numbers.total), held, "rows of the window");
        assert_eq!(snapshot.numbers.by_label.iter().sum::<u32>(), snapshot.numbers.total);
    }
}
