//! Which of the streams open here their clients have left: looks for what the dashboard function has written down.
//!
//! One look each poll interval for all streams of the instance, running only while there are any. It never delays a poll of
//! the items, and a look that fails costs nothing but that a stream lasts a little longer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::limits;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::store::{Goodbyes, StoreError};
use stream_core::stream_id::StreamId;

/// The looker and the streams that it looks out for.
#[derive(Clone)]
pub struct Lookout {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Goodbyes>,
    interval: Duration,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    streams: HashMap<StreamId, watch::Sender<bool>>,
    looker: Option<JoinHandle<()>>,
}

impl Lookout {
    /// Looks in `store`, every `interval`.
    #[must_use]
    pub fn new(store: Arc<dyn Goodbyes>, interval: Duration) -> Self {
        Self { shared: Arc::new(Shared { store, interval, open: Mutex::default() }) }
    }

    /// Looks out for one stream, as long as the watch lives. Must be called within a tokio runtime.
    #[must_use]
    pub fn watch(&self, stream: StreamId) -> Watch {
        let (sender, receiver) = watch::channel(false);
        let mut open = self.shared.open();
        open.streams.insert(stream, sender);
        if open.looker.as_ref().is_none_or(JoinHandle::is_finished) {
            open.looker = Some(tokio::spawn(look(Arc::clone(&self.shared))));
        }
        drop(open);
        Watch { shared: Arc::clone(&self.shared), stream, receiver }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about every open stream and tells those that were left.
    async fn look(&self) -> Result<(), StoreError> {
        let streams: Vec<StreamId> = self.open().streams.keys().copied().collect();
        let mut units = 0.0;
        for some in streams.chunks(limits::GOODBYES_PER_READ) {
            let found = timeout(limits::GOODBYE_READ_TIMEOUT, self.store.look(some)).await;
            let found = found.map_err(|_| {
                StoreError::Unavailable(format!("no answer about goodbyes within {:?}", limits::GOODBYE_READ_TIMEOUT))
            })??;
            units += found.units;
            let open = self.open();
            for sender in found.streams.iter().filter_map(|stream| open.streams.get(stream)) {
                sender.send_replace(true);
            }
        }
        tracing::debug!(streams = streams.len(), units, "goodbyes read");
        Ok(())
    }
}

/// Looks until it is aborted by the last stream's end. The first look is one interval after the first stream: a page does
/// not leave sooner.
async fn look(shared: Arc<Shared>) {
    let mut fails = false;
    loop {
        sleep_until(Instant::now() + shared.interval).await;
        let failed = match shared.look().await {
            Ok(()) => false,
            Err(error) => {
                // Once for a run of failures: whatever is wrong with the table, the poller says so too.
                if !fails {
                    tracing::warn!(kind = error.kind(), %error, "goodbyes cannot be read; streams end by their length");
                }
                true
            }
        };
        fails = failed;
    }
}

/// One stream that is looked out for.
pub struct Watch {
    shared: Arc<Shared>,
    stream: StreamId,
    receiver: watch::Receiver<bool>,
}

impl Watch {
    /// Whether the client has left.
    #[must_use]
    pub fn is_left(&self) -> bool {
        *self.receiver.borrow()
    }

    /// Waits until the client has left.
    pub async fn left(&mut self) {
        if self.receiver.wait_for(|left| *left).await.is_err() {
            // The sender is taken away by this watch's own end: never reached.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.streams.remove(&self.stream);
        if open.streams.is_empty()
            && let Some(looker) = open.looker.take()
        {
            looker.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::memory::Memory;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn id(number: u8) -> StreamId {
        StreamId::from_bytes([number; 16])
    }

    #[tokio::test(start_paused = true)]
    async fn a_goodbye_is_heard_within_one_interval_by_its_stream_alone() {
        let store = Arc::new(Memory::empty(Clock::system()));
        let goodbyes = Lookout::new(Arc::clone(&store) as Arc<dyn Goodbyes>, INTERVAL);
        // More than one read takes.
        let mut all: Vec<Watch> = (0..=120).map(|number| goodbyes.watch(id(number))).collect();
        tokio::time::sleep(INTERVAL + Duration::from_millis(1)).await;
        store.say(id(120), 0).await.unwrap();
        let said = Instant::now();
        all[120].left().await;
        assert!(said.elapsed() <= INTERVAL, "{:?}", said.elapsed());
        assert_eq!(all.iter().filter(|watch| watch.is_left()).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_behind_a_stream() {
        let goodbyes = Lookout::new(Arc::new(Memory::empty(Clock::system())), INTERVAL);
        for _ in 0..3 {
            let (one, two) = (goodbyes.watch(id(1)), goodbyes.watch(id(2)));
            drop(one);
            assert!(goodbyes.shared.open().looker.is_some());
            drop(two);
            let open = goodbyes.shared.open();
            assert!(open.looker.is_none() && open.streams.is_empty());
        }
    }
}
