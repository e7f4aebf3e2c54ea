//! One listener of the poller, and what the poller tells all of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stream_core::event::MetricsFrame;
use stream_core::filter::Filter;
use stream_core::session::Shared;
use stream_core::snapshot::Snapshot;
use stream_core::write::{Place, Write};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tracing::Span;

use super::filters::{Filters, Living};
use super::writes::Writes;

/// What the poller and its listeners share.
#[derive(Default)]
pub(super) struct Board {
    published: watch::Sender<Published>,
    /// When the last read began that went through: apart from the snapshot, because only who has just come waits for it.
    pub(super) read_began: watch::Sender<Option<Instant>>,
    pub(super) filters: Filters,
    /// What clients without a filter get.
    writes: Writes,
    listeners: Mutex<Listeners>,
    /// Reads begun.
    pub(super) polls: AtomicU64,
}

#[derive(Default)]
struct Listeners {
    /// Where the log lines of each belong, oldest first.
    spans: BTreeMap<u64, Span>,
    next: u64,
    poller: Option<JoinHandle<()>>,
}

/// What every listener is told, in one place: each of them looks at it whenever any of it is another.
#[derive(Default)]
struct Published {
    /// The newest snapshot.
    snapshot: Option<Arc<Snapshot>>,
    /// Journals lost to a panic.
    lost: u64,
    /// Whether the process was told to stop.
    stops: bool,
}

impl Board {
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a listener; starts the poller where it is the first.
    fn join(&self, span: Span, spawn: impl FnOnce() -> JoinHandle<()>) -> u64 {
        let mut listeners = self.listeners();
        let number = listeners.next;
        listeners.next += 1;
        listeners.spans.insert(number, span);
        if listeners.poller.as_ref().is_none_or(JoinHandle::is_finished) {
            listeners.poller = Some(spawn());
        }
        number
    }

    fn leave(&self, number: u64) {
        let mut listeners = self.listeners();
        listeners.spans.remove(&number);
        if listeners.spans.is_empty()
            && let Some(poller) = listeners.poller.take()
        {
            // Between invocations Lambda freezes the process: a read left in flight would wake up to a dead connection.
            poller.abort();
        }
    }

    /// Where the poller's log lines belong: to the oldest listener.
    pub(super) fn span(&self) -> Span {
        self.listeners().spans.first_key_value().map_or_else(Span::none, |(_, span)| span.clone())
    }

    /// The newest snapshot.
    pub(super) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.published.borrow().snapshot.clone()
    }

    /// Shows everybody a snapshot.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        let mut before = Some(Arc::new(snapshot));
        self.published.send_modify(|published| std::mem::swap(&mut published.snapshot, &mut before));
        // Out here, where nobody waits for it.
        drop(before);
    }

    /// Tells everybody that the process ends.
    pub(super) fn stop(&self) {
        self.published.send_modify(|published| published.stops = true);
    }

    /// Tells everybody that what they were told cannot be continued.
    pub(super) fn lose(&self) {
        self.read_began.send_replace(None);
        self.published.send_modify(|published| {
            (published.snapshot, published.lost) = (None, published.lost + 1);
        });
    }
}

/// One listener.
pub struct Subscription {
    board: Arc<Board>,
    number: u64,
    receiver: watch::Receiver<Published>,
    /// Until a read has begun and ended that is newer than this subscription.
    reads: Option<watch::Receiver<Option<Instant>>>,
    since: Instant,
    /// Whether what was published before it came is recent enough to begin with.
    is_fresh: bool,
    polls_before: u64,
    lost_before: u64,
    /// What is counted for its filter.
    living: Mutex<Option<Arc<Living>>>,
}

/// What a listener finds.
pub struct Look {
    /// The newest snapshot, unless the table has not been read for so long that a read has to come first.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Whether a read that began after the listener came found nothing newer.
    pub is_confirmed: bool,
    /// Whether what the listener has heard can no longer be continued: the poller failed and began anew.
    pub is_lost: bool,
    /// Whether the process was told to stop.
    pub stops: bool,
}

impl Subscription {
    /// Begins to listen. `spawn` starts the poller where none runs; a snapshot of that age is recent enough to begin with.
    pub(super) fn new(
        board: &Arc<Board>,
        span: Span,
        age_max: Duration,
        spawn: impl FnOnce() -> JoinHandle<()>,
    ) -> Self {
        // Before the poller may begin: a read that begins from here on is one for this subscription.
        let since = Instant::now();
        let polls_before = board.polls.load(Ordering::Relaxed);
        let receiver = board.published.subscribe();
        let reads = board.read_began.subscribe();
        let is_fresh = reads.borrow().is_some_and(|began| began + age_max >= since);
        let number = board.join(span, spawn);
        let lost_before = receiver.borrow().lost;
        Self {
            board: Arc::clone(board),
            number,
            receiver,
            reads: Some(reads),
            since,
            is_fresh,
            polls_before,
            lost_before,
            living: Mutex::default(),
        }
    }

    /// Reads of the table that have begun since this subscription did.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.board.polls.load(Ordering::Relaxed).saturating_sub(self.polls_before)
    }

    /// Looks at what there is; all that came before is seen then.
    pub fn look(&mut self) -> Look {
        let began = self.reads.as_mut().map(|reads| *reads.borrow_and_update());
        if began.flatten().is_some_and(|began| began >= self.since) {
            self.reads = None;
        }
        let is_confirmed = self.reads.is_none();
        let published = self.receiver.borrow_and_update();
        let snapshot = if is_confirmed || self.is_fresh { published.snapshot.clone() } else { None };
        Look { snapshot, is_confirmed, is_lost: published.lost != self.lost_before, stops: published.stops }
    }

    /// Waits until [`Subscription::look`] may find something else.
    pub async fn changed(&mut self) {
        // The senders live in `board`, which this subscription holds: errors are never reached.
        let result = match &mut self.reads {
            None => self.receiver.changed().await,
            // Boxed: only who has just come waits for it.
            Some(reads) => {
                let read = Box::pin(reads.changed());
                tokio::select! {
                    result = self.receiver.changed() => result,
                    result = read => result,
                }
            }
        };
        if result.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits up to `limit` for a snapshot.
    pub async fn first_snapshot(&mut self, limit: Duration) -> Option<Arc<Snapshot>> {
        let found = async {
            loop {
                if let Some(snapshot) = self.look().snapshot {
                    return snapshot;
                }
                self.changed().await;
            }
        };
        timeout(limit, found).await.ok()
    }
}

impl Subscription {
    /// What is shared by all who have this filter.
    fn living(&self, filter: &Filter) -> Arc<Living> {
        let mut own = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        let living = own.take_if(|living| living.is_of(filter)).unwrap_or_else(|| self.board.filters.living(filter));
        Arc::clone(own.insert(living))
    }
}

impl Shared for Subscription {
    fn metrics(&self, filter: &Filter, snapshot: &Snapshot) -> Arc<MetricsFrame> {
        self.living(filter).metrics(snapshot)
    }

    fn write(&self, filter: &Filter, snapshot: &Snapshot, place: Place, make: &mut dyn FnMut() -> Write) -> Arc<Write> {
        if filter.is_all() {
            self.board.writes.get(snapshot, place, make)
        } else {
            self.living(filter).writes.get(snapshot, place, make)
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.board.leave(self.number);
    }
}
