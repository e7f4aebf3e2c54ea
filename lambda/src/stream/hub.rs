//! One poller per instance, running only while somebody listens; what it finds is shared by all sessions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::metrics::Metric;
use contract::{DataSettings, PollSettings, limits};
use futures_util::future::try_join_all;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{Instrument as _, Span};

use crate::clock::Clock;
use crate::store::{Items, Page, StoreError};
use crate::watch::meter::Meter;
use crate::watch::panics::{Caught, message};
use stream_core::cursor::Epoch;
use stream_core::item::Item;
use stream_core::journal::{Journal, TimeRange};
use stream_core::moment;
use stream_core::reading::PageRequest;
use stream_core::snapshot::Snapshot;

/// Pages of one label at most: 24 hours of a busy one are a few dozen; a loop that never ends is worse than an error.
const PAGES_MAX: usize = 2000;

/// The poller and its listeners.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    items: Arc<dyn Items>,
    clock: Clock,
    settings: (DataSettings, PollSettings),
    meter: Meter,
    poll_interval: Duration,
    epoch: Epoch,
    journal: tokio::sync::Mutex<Journal>,
    published: watch::Sender<Published>,
    listeners: Mutex<Listeners>,
    /// Reads begun.
    polls: AtomicU64,
    /// Somebody came who needs a read that begins now.
    nudge: Notify,
}

#[derive(Default)]
struct Listeners {
    /// Where the log lines of each belong, oldest first.
    spans: BTreeMap<u64, Span>,
    next: u64,
    poller: Option<JoinHandle<()>>,
}

/// The newest snapshot, and when the read that confirmed it began.
#[derive(Clone, Default)]
pub struct Published {
    snapshot: Option<Arc<Snapshot>>,
    read_began: Option<Instant>,
    /// Journals lost to a panic.
    lost: u64,
}

impl Hub {
    /// Makes a hub that has not read anything.
    #[must_use]
    pub fn new(items: Arc<dyn Items>, data: DataSettings, poll: PollSettings, clock: Clock, meter: Meter) -> Self {
        let poll_interval = poll.poll_interval.get();
        let settings = (data.clone(), poll.clone());
        let journal = Journal::new(data, poll);
        let shared = Shared {
            items,
            clock,
            settings,
            meter,
            poll_interval,
            epoch: journal.epoch(),
            journal: tokio::sync::Mutex::new(journal),
            published: watch::Sender::new(Published::default()),
            listeners: Mutex::default(),
            polls: AtomicU64::new(0),
            nudge: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Epoch of the ids.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// Listens: the poller runs as long as any subscription lives, and what it logs belongs to the oldest of them, which on
    /// classic Lambda is the only one. Must be called within a tokio runtime.
    #[must_use]
    pub fn subscribe(&self, span: Span) -> Subscription {
        let polls_before = self.shared.polls.load(Ordering::Relaxed);
        let mut listeners = self.shared.listeners();
        let number = listeners.next;
        listeners.next += 1;
        listeners.spans.insert(number, span);
        if listeners.poller.as_ref().is_none_or(JoinHandle::is_finished) {
            listeners.poller = Some(tokio::spawn(supervise(Arc::clone(&self.shared))));
        } else {
            self.shared.nudge.notify_one();
        }
        drop(listeners);
        let receiver = self.shared.published.subscribe();
        let lost_before = receiver.borrow().lost;
        Subscription {
            shared: Arc::clone(&self.shared),
            number,
            receiver,
            since: Instant::now(),
            polls_before,
            lost_before,
        }
    }

    /// Returns a snapshot that is at most `max_age` old, reading the table if need be.
    ///
    /// # Errors
    /// [`StoreError`] when the table cannot be read.
    pub async fn current(&self, max_age: Duration) -> Result<Arc<Snapshot>, StoreError> {
        let recent = |published: &Published| {
            let began = published.read_began?;
            published.snapshot.clone().filter(|_| began.elapsed() <= max_age)
        };
        if let Some(snapshot) = recent(&self.shared.published.borrow()) {
            return Ok(snapshot);
        }
        let mut journal = self.shared.journal.lock().await;
        // Requests that waited for the lock share the read of the one that had it.
        if let Some(snapshot) = recent(&self.shared.published.borrow()) {
            return Ok(snapshot);
        }
        self.shared.read(&mut journal).await
    }
}

impl Shared {
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, journal: &mut Journal) -> Result<Arc<Snapshot>, StoreError> {
        for _ in 0..limits::CLOCK_TRIES {
            if let Some(snapshot) = self.read_once(journal).await? {
                return Ok(snapshot);
            }
        }
        Err(StoreError::Unavailable("nothing was read: the time steps with every try".into()))
    }

    /// Reads once; `None` if the clock was wrong or was stepped meanwhile, so that other rows should have been asked for.
    async fn read_once(&self, journal: &mut Journal) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let began = Instant::now();
        self.polls.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        let range = journal.next_read(now);
        let too_slow = |_| StoreError::Unavailable(format!("no answer within {:?}", limits::STORE_TIMEOUT));
        let read = timeout(limits::STORE_TIMEOUT, self.read_all(range)).await.map_err(too_slow).flatten();
        self.measure(began, &read);
        let read = read?;
        tracing::debug!(
            full = range.full,
            items = read.items.len(),
            skipped = read.skipped,
            units = read.units,
            millis = began.elapsed().as_millis(),
            "table read"
        );
        if !self.clock.agrees_with(now) {
            return Ok(None);
        }
        // At the time for which the read was planned: its bounds must be those of the window.
        let snapshot = journal.apply(range, read.items, now).map(Arc::new);
        self.published.send_modify(|published| {
            published.read_began = Some(began);
            published.snapshot = snapshot.or_else(|| published.snapshot.take());
        });
        Ok(self.published.borrow().snapshot.clone())
    }
}

/// Keeps a poller running. One that panics takes its journal along: nobody knows what it left half done. Streams that were
/// told something of it end, and their clients continue by their cursors.
async fn supervise(shared: Arc<Shared>) {
    loop {
        let Err(panic) = Caught::new(run(Arc::clone(&shared))).await else { return };
        tracing::error!(panic = message(&panic), "the poller failed; the streams of this instance end");
        let (data, poll) = shared.settings.clone();
        *shared.journal.lock().await = Journal::new(data, poll);
        shared.published.send_modify(|published| {
            *published = Published { lost: published.lost + 1, ..Published::default() };
        });
        sleep_until(Instant::now() + shared.poll_interval).await;
    }
}

/// What one read of all labels brought.
#[derive(Default)]
struct Read {
    items: Vec<Item>,
    skipped: u64,
    newly_skipped: u64,
    units: f64,
}

impl Read {
    fn take(&mut self, page: Page) {
        self.items.extend(page.items);
        self.skipped += page.skipped;
        self.newly_skipped += page.newly_skipped;
        self.units += page.units;
    }
}

impl Shared {
    /// Reads all labels at once, each page by page.
    async fn read_all(&self, range: TimeRange) -> Result<Read, StoreError> {
        let range = moment::TimeRange { after: range.after, until: range.until };
        let labels = u8::try_from(self.settings.0.labels.as_slice().len()).expect("labels are 16 at most");
        let pages = try_join_all((0..labels).map(|label| self.read_label(label, range))).await?;
        let mut read = Read::default();
        pages.into_iter().flatten().for_each(|page| read.take(page));
        Ok(read)
    }

    async fn read_label(&self, label: u8, range: moment::TimeRange) -> Result<Vec<Page>, StoreError> {
        let mut request = PageRequest { label, range, start: None };
        let mut pages = Vec::new();
        while pages.len() < PAGES_MAX {
            let page = self.items.page(&request).await?;
            request.start.clone_from(&page.next);
            pages.push(page);
            if request.start.is_none() {
                return Ok(pages);
            }
        }
        Err(StoreError::Unavailable(format!("label {label} has more than {PAGES_MAX} pages in the window")))
    }

    fn measure(&self, began: Instant, read: &Result<Read, StoreError>) {
        self.meter.observe(Metric::PollDuration, began.elapsed().as_secs_f64() * 1000.0);
        match read {
            Ok(read) => {
                self.meter.add(Metric::ReadUnits, read.units);
                #[expect(clippy::cast_precision_loss, reason = "rows of one read stay far below 2^52")]
                self.meter.add(Metric::RowsSkipped, read.newly_skipped as f64);
            }
            Err(error) => self.meter.add_by(Metric::PollsFailed, error.kind(), 1.0),
        }
    }
}

/// Polls until it is aborted by the last subscription's end.
async fn run(shared: Arc<Shared>) {
    let mut failures = Failures::default();
    loop {
        let began = Instant::now();
        let span = shared.listeners().spans.first_key_value().map_or_else(Span::none, |(_, span)| span.clone());
        let result = async {
            let mut journal = shared.journal.lock().await;
            shared.read(&mut journal).await
        };
        let result = result.instrument(span.clone()).await;
        shared.meter.flush_if_due();
        match result {
            Ok(_) => {
                span.in_scope(|| failures.recovered());
                let nudged_at = began + (shared.poll_interval / 10).max(Duration::from_millis(50));
                tokio::select! {
                    () = sleep_until(began + shared.poll_interval) => {}
                    () = async { shared.nudge.notified().await; sleep_until(nudged_at).await } => {}
                }
            }
            Err(error) => {
                let pause = span.in_scope(|| failures.failed(&error, shared.poll_interval));
                sleep_until(Instant::now() + pause).await;
            }
        }
    }
}

/// A run of failed reads: logged when it begins, changes kind and ends, not at every poll.
#[derive(Default)]
struct Failures {
    since: Option<Instant>,
    polls: u32,
    kind: &'static str,
}

impl Failures {
    /// Notes a failure and returns the pause before the next try: from one poll interval, doubling up to four (at least
    /// two seconds), half of it random so that instances do not come back together.
    fn failed(&mut self, error: &StoreError, poll_interval: Duration) -> Duration {
        if self.kind != error.kind() {
            tracing::warn!(kind = error.kind(), %error, "table reads fail; streams go on without new data");
        }
        self.kind = error.kind();
        self.since.get_or_insert_with(Instant::now);
        let doubled = poll_interval.saturating_mul(1 << self.polls.min(10));
        self.polls += 1;
        let cap = (poll_interval * 4).clamp(Duration::from_secs(2), limits::BACKOFF_MAX);
        doubled.min(cap).mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    fn recovered(&mut self) {
        if let Some(since) = self.since {
            tracing::info!(polls = self.polls, seconds = since.elapsed().as_secs_f64(), "table reads work again");
        }
        *self = Self::default();
    }
}

/// One listener.
pub struct Subscription {
    shared: Arc<Shared>,
    number: u64,
    receiver: watch::Receiver<Published>,
    since: Instant,
    polls_before: u64,
    lost_before: u64,
}

impl Subscription {
    /// Reads of the table that have begun since this subscription did.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.shared.polls.load(Ordering::Relaxed).saturating_sub(self.polls_before)
    }

    /// Returns the newest snapshot, once a read has confirmed it that began after this subscription: what was there when
    /// the client came must count as there.
    #[must_use]
    pub fn snapshot(&mut self) -> Option<Arc<Snapshot>> {
        let published = self.receiver.borrow_and_update();
        published.snapshot.clone().filter(|_| published.read_began.is_some_and(|began| began >= self.since))
    }

    /// Whether what this listener has heard can no longer be continued: the poller failed and began anew.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.receiver.borrow().lost != self.lost_before
    }

    /// Waits for the next read, whether it brought something new or not.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The sender lives in `shared`, which this subscription holds: never reached.
            std::future::pending::<()>().await;
        }
    }

    /// Waits up to `limit` for [`Subscription::snapshot`].
    pub async fn first_snapshot(&mut self, limit: Duration) -> Option<Arc<Snapshot>> {
        let found = async {
            loop {
                if let Some(snapshot) = self.snapshot() {
                    return snapshot;
                }
                self.changed().await;
            }
        };
        timeout(limit, found).await.ok()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut listeners = self.shared.listeners();
        listeners.spans.remove(&self.number);
        if listeners.spans.is_empty()
            && let Some(poller) = listeners.poller.take()
        {
            // Between invocations Lambda freezes the process: a read left in flight would wake up to a dead connection.
            poller.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use contract::TableName;

    use super::*;
    use crate::store::StoreFuture;

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

    #[tokio::test(start_paused = true)]
    async fn a_poller_that_panics_ends_what_it_told_and_begins_anew() {
        let store = Arc::new(Faulty::default());
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let poll = PollSettings::from_env(&|_| None).unwrap();
        let watch = contract::WatchSettings::from_env(&|_| None).unwrap();
        let meter = Meter::new(&watch, crate::watch::meter::STREAM, Clock::system());
        let hub = Hub::new(Arc::clone(&store) as Arc<dyn Items>, data, poll, Clock::system(), meter);
        let limit = Duration::from_secs(60);
        let mut before = hub.subscribe(Span::none());
        assert!(before.first_snapshot(limit).await.is_some());
        assert!(!before.is_lost());
        store.panics.store(true, Ordering::Relaxed);
        timeout(limit, async {
            while !before.is_lost() {
                before.changed().await;
            }
        })
        .await
        .unwrap();
        assert!(before.snapshot().is_none());
        store.panics.store(false, Ordering::Relaxed);
        let mut after = hub.subscribe(Span::none());
        assert!(after.first_snapshot(limit).await.is_some());
        assert!(!after.is_lost() && before.is_lost());
    }
}
