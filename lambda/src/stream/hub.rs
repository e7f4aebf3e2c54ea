//! One poller per process, running only while somebody listens; what it finds is shared by all sessions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::metrics::Metric;
use contract::{DataSettings, PollSettings, limits};
use futures_util::future::{join, join_all};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{Instrument as _, Span};

use super::failures::Failures;
use super::keeping::Keeping;
use super::loading::{Loading, check_memory};
use super::sharing::{Sharing, Sources};
use super::silence::{self, Silence};
use super::subscription::{Board, Subscription};
use crate::clock::Clock;
use crate::store::StoreError;
use crate::watch::meter::Meter;
use crate::watch::panics::{Caught, message};
use stream_core::cursor::Epoch;
use stream_core::filter::Filter;
use stream_core::journal::Journal;
use stream_core::moment::Now;
use stream_core::numbers::Numbers;
use stream_core::reading::PageRequest;
use stream_core::snapshot::{SNAPSHOT_AGE_MAX, Snapshot};

/// Rounds of pages, one page of each label a round, that one poll spends on a reconciliation: some 20,000 rows of a label.
/// The rest waits for the next poll, so that nobody waits for old rows.
const RECONCILING_ROUNDS: usize = 4;
/// A clock that jumped ahead by more makes a first reading begin anew; up to this, what it missed is read afterwards.
const LOAD_GAP_MAX: Duration = Duration::from_secs(3600);

/// The poller and its listeners.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    sources: Sources,
    clock: Clock,
    settings: (DataSettings, PollSettings),
    meter: Meter,
    memory_bytes: Option<usize>,
    poll_interval: Duration,
    epoch: Epoch,
    known: tokio::sync::Mutex<Known>,
    board: Arc<Board>,
}

/// What was read.
struct Known {
    journal: Journal,
    sharing: Sharing,
    keeping: Keeping,
    loading: Loading,
    silence: Silence,
}

impl Known {
    fn new(sources: &Sources, data: DataSettings, poll: PollSettings) -> Self {
        let (journal, sharing, keeping) = sources.journal(data, poll);
        Self { journal, sharing, keeping, loading: Loading::default(), silence: Silence::new() }
    }
}

impl Hub {
    /// Makes a hub that has not read anything. `memory_bytes` is what the process may use, where that is known.
    #[must_use]
    pub fn new(
        sources: Sources,
        data: DataSettings,
        poll: PollSettings,
        clock: Clock,
        meter: Meter,
        memory_bytes: Option<usize>,
    ) -> Self {
        let poll_interval = poll.poll_interval.get();
        let settings = (data.clone(), poll.clone());
        let known = Known::new(&sources, data, poll);
        let shared = Shared {
            sources,
            clock,
            settings,
            meter,
            memory_bytes,
            poll_interval,
            epoch: known.journal.epoch(),
            known: tokio::sync::Mutex::new(known),
            board: Arc::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Epoch of the ids.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// Listens: the poller runs as long as any subscription lives, and what it logs belongs to the oldest of them, which on
    /// classic Lambda is the only one. All are told when `stop` turns true. Must be called within a tokio runtime.
    #[must_use]
    pub fn subscribe(&self, span: Span, stop: &watch::Receiver<bool>) -> Subscription {
        let age_max = (self.shared.poll_interval * 2).min(SNAPSHOT_AGE_MAX);
        Subscription::new(&self.shared.board, span, age_max, || {
            tokio::spawn(supervise(Arc::clone(&self.shared), stop.clone()))
        })
    }

    /// Whether the window was read whole: there is something to show, and it is shown.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.shared.board.snapshot().is_some()
    }

    /// Returns a snapshot that is at most `max_age` old, reading the table if need be: what was read when the time is over
    /// stays read, and the next call goes on from there.
    ///
    /// # Errors
    /// [`StoreError`] when the table cannot be read, or not in time.
    pub async fn current(&self, max_age: Duration) -> Result<Arc<Snapshot>, StoreError> {
        let recent = || {
            let began = (*self.shared.board.read_began.borrow()).filter(|began| began.elapsed() <= max_age);
            began.and_then(|_| self.shared.board.snapshot())
        };
        if let Some(snapshot) = recent() {
            return Ok(snapshot);
        }
        let read = async {
            let mut known = self.shared.known.lock().await;
            // Requests that waited for the lock share the read of the one that had it.
            match recent() {
                Some(snapshot) => Ok(snapshot),
                None => self.shared.guarded(&mut known).await,
            }
        };
        let too_slow =
            |_| StoreError::Unavailable(format!("the window is not read yet after {:?}", limits::STORE_TIMEOUT));
        timeout(limits::STORE_TIMEOUT, read).await.map_err(too_slow)?
    }

    /// The numbers of a snapshot that a filter lets through.
    #[must_use]
    pub fn numbers(&self, filter: &Filter, snapshot: &Snapshot) -> Numbers {
        if filter.is_all() {
            Numbers::clone(&snapshot.numbers)
        } else {
            self.shared.board.filters.living(filter).numbers(snapshot)
        }
    }
}

/// What one poll cost.
#[derive(Default)]
struct Cost {
    pages: u64,
    items: usize,
    skipped: u64,
    newly_skipped: u64,
    values_newly_skipped: u64,
    units: f64,
}

impl Shared {
    /// Polls. A panic takes the journal along: nobody knows what it left half done. Streams that were told something of it
    /// end, and their clients continue by their cursors.
    async fn guarded(&self, known: &mut Known) -> Result<Arc<Snapshot>, StoreError> {
        match Caught::new(self.poll(known)).await {
            Ok(result) => return result,
            Err(panic) => {
                tracing::error!(panic = message(&panic), "the poller failed; the streams of this instance end");
            }
        }
        let (data, poll) = self.settings.clone();
        *known = Known::new(&self.sources, data, poll);
        self.board.lose();
        Err(StoreError::Unavailable("the poller failed".into()))
    }

    async fn poll(&self, known: &mut Known) -> Result<Arc<Snapshot>, StoreError> {
        let began = Instant::now();
        self.board.polls.fetch_add(1, Ordering::Relaxed);
        let mut cost = Cost::default();
        let result = self.read(known, &mut cost).await;
        self.measure(began, &cost, result.as_ref().err());
        result?;
        self.board.read_began.send_replace(Some(began));
        let snapshot = self.board.snapshot();
        let snapshot = snapshot.ok_or_else(|| StoreError::Unavailable("the window is not read yet".into()))?;
        if known.silence.is_due(snapshot.minutes.is_empty()) {
            let units = silence::explain(&*self.sources.items, &self.settings.0, &snapshot).await;
            self.meter.add(Metric::ReadUnits, units);
        }
        Ok(snapshot)
    }

    /// Reads until there is nothing left to ask for now.
    async fn read(&self, known: &mut Known, cost: &mut Cost) -> Result<(), StoreError> {
        let mut tries = 0;
        while tries < limits::CLOCK_TRIES {
            known.journal.begin(self.clock.now());
            if !self.read_planned(known, cost).await? {
                tries += 1;
                continue;
            }
            // What is new is told, and nothing old is read before the first numbers.
            self.publish(&mut known.journal);
            if known.journal.is_catching_up() {
                continue;
            }
            let read = self.read_old(&mut known.journal, cost).await;
            self.publish(&mut known.journal);
            known.sharing.settle(&mut known.journal, &mut cost.units).await;
            known.keeping.settle(&mut known.journal, &mut cost.units).await;
            return read;
        }
        Err(StoreError::Unavailable("nothing was read: the time steps with every try".into()))
    }

    fn publish(&self, journal: &mut Journal) {
        if let Some(snapshot) = journal.settle(self.clock.now()) {
            self.board.publish(snapshot);
        }
    }

    /// Reads a part of the rows that may be late, and some pages of a reconciliation, where one is going on.
    async fn read_old(&self, journal: &mut Journal, cost: &mut Cost) -> Result<(), StoreError> {
        loop {
            let requests = journal.late_requests();
            if requests.is_empty() {
                break;
            }
            self.pages(journal, &requests, cost).await?;
        }
        for _ in 0..RECONCILING_ROUNDS {
            let requests = journal.reconciling_requests();
            if requests.is_empty() {
                break;
            }
            self.pages(journal, &requests, cost).await?;
        }
        Ok(())
    }

    /// Reads what the journal planned; `false` if the clock was wrong or was stepped meanwhile, so that other rows should
    /// have been asked for.
    async fn read_planned(&self, known: &mut Known, cost: &mut Cost) -> Result<bool, StoreError> {
        let Known { journal, sharing, loading, .. } = known;
        loop {
            let progress = journal.progress();
            if let Some(progress) = progress {
                loading.report(progress);
                check_memory(progress, journal.footprint(), self.memory_bytes)?;
            }
            if sharing.load(journal, &mut cost.units).await {
                continue;
            }
            let requests = journal.requests();
            if requests.is_empty() {
                loading.end();
                return Ok(true);
            }
            let rows_before = cost.items;
            let read = self.pages(journal, &requests, cost).await;
            if progress.is_some() {
                #[expect(clippy::cast_precision_loss, reason = "rows of some pages")]
                self.meter.add(Metric::RowsLoaded, (cost.items - rows_before) as f64);
            }
            read?;
            if journal.planned().is_some_and(|planned| !self.is_good(planned, progress.is_some())) {
                journal.abandon();
                return Ok(false);
            }
        }
    }

    /// Whether what was planned then is still what should be read. A long first reading may have been frozen in between:
    /// it goes on, and what it missed is read at its end.
    fn is_good(&self, planned: Now, is_load: bool) -> bool {
        let now = self.clock.now();
        let expected = planned.wall.plus(now.instant.saturating_duration_since(planned.instant));
        self.clock.agrees_with(planned) || is_load && expected <= now.wall && now.wall <= expected.plus(LOAD_GAP_MAX)
    }

    /// Reads some pages at once. What arrives is kept, whatever fails beside it.
    async fn pages(&self, journal: &mut Journal, requests: &[PageRequest], cost: &mut Cost) -> Result<(), StoreError> {
        let pages = join_all(requests.iter().map(|request| self.sources.items.page(request))).await;
        let mut failed = Ok(());
        for (request, page) in requests.iter().zip(pages) {
            match page {
                Ok(page) => {
                    cost.pages += 1;
                    cost.items += page.items.len();
                    cost.skipped += page.skipped;
                    cost.newly_skipped += page.newly_skipped;
                    cost.values_newly_skipped += page.values_newly_skipped;
                    cost.units += page.units;
                    journal.take(request, page.items, page.next, page.units);
                }
                Err(error) => failed = Err(error),
            }
        }
        failed
    }

    fn measure(&self, began: Instant, cost: &Cost, error: Option<&StoreError>) {
        self.meter.observe(Metric::PollDuration, began.elapsed().as_secs_f64() * 1000.0);
        self.meter.add(Metric::ReadUnits, cost.units);
        #[expect(clippy::cast_precision_loss, reason = "rows of one poll stay far below 2^52")]
        let (rows, values) = (cost.newly_skipped as f64, cost.values_newly_skipped as f64);
        self.meter.add(Metric::RowsSkipped, rows);
        self.meter.add(Metric::ValuesSkipped, values);
        if let Some(error) = error {
            self.meter.add_by(Metric::PollsFailed, error.kind(), 1.0);
        }
        tracing::debug!(
            pages = cost.pages,
            items = cost.items,
            skipped = cost.skipped,
            units = cost.units,
            millis = began.elapsed().as_millis(),
            "table read"
        );
    }
}

/// Polls until it is aborted by the last subscription's end, and tells of the process's end.
async fn supervise(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let told = async {
        // An error means that nothing is left to stop us.
        if stop.wait_for(|stop| *stop).await.is_ok() {
            shared.board.stop();
        }
    };
    join(told, poll_on(&shared)).await;
}

async fn poll_on(shared: &Shared) {
    let mut failures = Failures::default();
    loop {
        let began = Instant::now();
        let span = shared.board.span();
        let result = async {
            let mut known = shared.known.lock().await;
            let read = shared.guarded(&mut known).await;
            read.map(|_| known.journal.is_thin())
        };
        let result = result.instrument(span.clone()).await;
        shared.meter.flush_if_due();
        match result {
            // Whoever returns may be waiting for what is read next.
            Ok(true) => {}
            Ok(false) => {
                span.in_scope(|| failures.recovered());
                sleep_until(began + shared.poll_interval).await;
            }
            Err(error) => {
                let pause = span.in_scope(|| failures.failed(&error, shared.poll_interval));
                sleep_until(Instant::now() + pause).await;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use contract::TableName;
    use tokio::sync::Notify;

    use super::*;
    use crate::store::memory::Memory;
    use crate::store::{Items, Page, StoreFuture};
    use stream_core::timestamp::Timestamp;

    /// Nothing in it, and a fault that can be switched on.
    #[derive(Default)]
    struct Faulty {
        panics: AtomicBool,
    }

    impl Items for Faulty {
        fn page<'a>(&'a self, _: &'a PageRequest) -> StoreFuture<'a, Page> {
            assert!(!self.panics.load(Ordering::Relaxed), "as told");
            Box::pin(async { Ok(Page::default()) })
        }
        fn warm_up(&self) -> StoreFuture<'_, ()> {
            Box::pin(async { Ok(()) })
        }
    }

    /// Items that keep coming, of a table that does not answer for those that are not new.
    struct Stuck {
        items: Memory,
        clock: Clock,
        /// Of what it has given.
        newest: Mutex<Timestamp>,
        is_asked: Notify,
    }

    impl Items for Stuck {
        fn page<'a>(&'a self, request: &'a PageRequest) -> StoreFuture<'a, Page> {
            if request.range.until < self.clock.wall().minus(Duration::from_secs(20)) {
                self.is_asked.notify_one();
                return Box::pin(std::future::pending());
            }
            Box::pin(async {
                let page = self.items.page(request).await?;
                let mut newest = self.newest.lock().unwrap();
                *newest = page.items.iter().map(|item| item.at).max().unwrap_or_default().max(*newest);
                Ok(page)
            })
        }
        fn warm_up(&self) -> StoreFuture<'_, ()> {
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test]
    async fn what_is_new_is_told_before_what_may_be_late_is_read() {
        let (data, clock) = (data(), Clock::system());
        let items = Memory::with_feed(clock.clone(), &data, 1, 6000);
        let stuck = Arc::new(Stuck { items, clock: clock.clone(), newest: Mutex::default(), is_asked: Notify::new() });
        let every = |name: &str| (name == "SSE_POLL_INTERVAL").then(|| "400ms".to_owned());
        let poll = PollSettings::from_env(&every).unwrap();
        let sources = Sources::table(Arc::clone(&stuck) as Arc<dyn Items>);
        let hub = Hub::new(sources, data, poll, clock, meter(), None);
        let _listens = hub.subscribe(Span::none(), &watch::channel(false).1);
        timeout(Duration::from_secs(60), stuck.is_asked.notified()).await.unwrap();
        let newest = *stuck.newest.lock().unwrap();
        let told = hub.shared.board.snapshot().unwrap();
        assert!(told.rows_between(newest.before(), newest).next().is_some());
    }

    pub(in crate::stream) fn data() -> DataSettings {
        DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap())
    }

    pub(in crate::stream) fn meter() -> Meter {
        let watch = contract::WatchSettings::from_env(&|_| None).unwrap();
        Meter::new(&watch, crate::watch::meter::STREAM, Clock::system())
    }

    #[tokio::test(start_paused = true)]
    async fn a_poller_that_panics_ends_what_it_told_and_begins_anew() {
        let store = Arc::new(Faulty::default());
        let poll = PollSettings::from_env(&|_| None).unwrap();
        let sources = Sources::table(Arc::clone(&store) as Arc<dyn Items>);
        let hub = Hub::new(sources, data(), poll, Clock::system(), meter(), None);
        let limit = Duration::from_secs(60);
        let stop = watch::channel(false).1;
        let mut before = hub.subscribe(Span::none(), &stop);
        assert!(before.first_snapshot(limit).await.is_some());
        assert!(!before.look().is_lost);
        store.panics.store(true, Ordering::Relaxed);
        timeout(limit, async {
            while !before.look().is_lost {
                before.changed().await;
            }
        })
        .await
        .unwrap();
        assert!(before.look().snapshot.is_none());
        store.panics.store(false, Ordering::Relaxed);
        let mut after = hub.subscribe(Span::none(), &stop);
        assert!(after.first_snapshot(limit).await.is_some());
        assert!(!after.look().is_lost && before.look().is_lost);
    }
}
