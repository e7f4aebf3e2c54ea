//! A configuration that an open stream follows: looked at once in each poll interval, for as long as the stream lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use crate::ids::{ConfigId, UserId};
use crate::store::{Configurations, StoreError, within};
use stream_core::filter::Filter;

/// Whose configuration, and which.
#[derive(Clone, Debug)]
pub struct ConfigurationKey {
    /// The user, identified.
    pub user_id: UserId,
    /// The configuration's id, checked.
    pub config_id: ConfigId,
}

/// Reads a configuration once; `None` where the user has none of that name.
///
/// # Errors
/// [`StoreError`] where the store does not say.
pub async fn read(store: &dyn Configurations, key: &ConfigurationKey) -> Result<Option<Filter>, StoreError> {
    let found = within(store.one(&key.user_id, &key.config_id), "for a configuration").await?;
    Ok(found.map(|found| Filter::only(found.tickers.into_iter().collect())))
}

/// Follows one configuration. Dropping it ends the reads.
#[derive(Debug)]
pub struct Follower {
    latest: watch::Receiver<Option<Filter>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Reads again and again, the first time after one interval: the stream began with what was read just now. Must be
    /// called within a tokio runtime.
    #[must_use]
    pub fn start(store: Arc<dyn Configurations>, key: ConfigurationKey, began_with: Filter, every: Duration) -> Self {
        let (sender, latest) = watch::channel(Some(began_with));
        let task = tokio::spawn(follow(store, key, every, sender).in_current_span());
        Self { latest, task }
    }

    /// Waits until it is another one, or gone.
    pub async fn changed(&mut self) {
        if self.latest.changed().await.is_err() {
            // The task ends only after it has said that there is nothing to follow any more.
            std::future::pending::<()>().await;
        }
    }

    /// Returns what it says now; `None` when it is gone.
    #[must_use]
    pub fn latest(&self) -> watch::Ref<'_, Option<Filter>> {
        self.latest.borrow()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // Between invocations Lambda freezes the process, as with the hub's poller.
        self.task.abort();
    }
}

async fn follow(
    store: Arc<dyn Configurations>,
    key: ConfigurationKey,
    every: Duration,
    latest: watch::Sender<Option<Filter>>,
) {
    let mut next = Instant::now() + every;
    let mut failing = false;
    loop {
        sleep_until(next).await;
        match read(&*store, &key).await {
            Ok(found) => {
                failing = false;
                let gone = found.is_none();
                latest.send_if_modified(|latest| {
                    let is_new = *latest != found;
                    *latest = found;
                    is_new
                });
                if gone {
                    return;
                }
            }
            // What cannot be read has not changed as far as anybody knows.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(kind = error.kind(), %error, "the stream's configuration cannot be read; it goes on with the last");
            }
            Err(_) => {}
        }
        // A read that took longer than an interval is not made up for.
        next = (next + every).max(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use contract::Tag;
    use tokio::time::timeout;

    use super::*;
    use crate::store::{Change, Configuration, StoreFuture};
    use stream_core::timestamp::Timestamp;

    type Answer = Result<Option<Configuration>, StoreError>;

    /// Answers what it is told to, and counts.
    struct Fake {
        answer: Mutex<Answer>,
        reads: AtomicU32,
    }

    impl Fake {
        fn new(answer: Answer) -> Arc<Self> {
            Arc::new(Self { answer: Mutex::new(answer), reads: AtomicU32::new(0) })
        }
        fn tell(&self, answer: Answer) {
            *self.answer.lock().unwrap() = answer;
        }
    }

    impl Configurations for Fake {
        fn one<'a>(&'a self, _: &'a UserId, _: &'a ConfigId) -> StoreFuture<'a, Option<Configuration>> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let answer = self.answer.lock().unwrap().clone();
            Box::pin(async move { answer })
        }
        fn all<'a>(&'a self, _: &'a UserId) -> StoreFuture<'a, Vec<Configuration>> {
            Box::pin(async { Ok(Vec::new()) })
        }
        fn change<'a>(&'a self, _: &'a UserId, _: &'a Change, _: Timestamp) -> StoreFuture<'a, bool> {
            Box::pin(async { Ok(false) })
        }
    }

    fn of(ticker: &str) -> Answer {
        let tickers = vec![Tag::new(ticker).unwrap()];
        Ok(Some(Configuration { config_id: ConfigId::new("c").unwrap(), name: "mine".into(), tickers }))
    }

    fn follower(store: &Arc<Fake>) -> Follower {
        let key = ConfigurationKey { user_id: UserId::new("u").unwrap(), config_id: ConfigId::new("c").unwrap() };
        let store: Arc<dyn Configurations> = Arc::<Fake>::clone(store);
        Follower::start(store, key, Filter::parse("A").unwrap(), Duration::from_secs(5))
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_and_an_error_or_the_same_again_is_not() {
        let store = Fake::new(of("A"));
        let mut follower = follower(&store);
        let quiet = |limit: u64| Duration::from_millis(limit);
        assert!(timeout(quiet(11_000), follower.changed()).await.is_err());
        assert_eq!(store.reads.load(Ordering::Relaxed), 2);
        store.tell(Err(StoreError::Throttled("slow down".into())));
        assert!(timeout(quiet(10_000), follower.changed()).await.is_err());
        assert_eq!(*follower.latest(), Filter::parse("A").ok());
        store.tell(of("B"));
        timeout(quiet(5_500), follower.changed()).await.unwrap();
        assert_eq!(*follower.latest(), Filter::parse("B").ok());
        store.tell(Ok(None));
        timeout(quiet(5_500), follower.changed()).await.unwrap();
        assert_eq!(*follower.latest(), None);
        let reads = store.reads.load(Ordering::Relaxed);
        assert!(timeout(quiet(60_000), follower.changed()).await.is_err());
        assert_eq!(store.reads.load(Ordering::Relaxed), reads, "reads after the end");
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_it_ends_the_reads() {
        let store = Fake::new(of("A"));
        drop(follower(&store));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(store.reads.load(Ordering::Relaxed), 0);
    }
}
