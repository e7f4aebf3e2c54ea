//! Where items come from: DynamoDB, or memory with a sample feed.

pub mod configurations;
pub mod dynamodb;
pub mod memory;

use std::future::Future;
use std::pin::Pin;

use contract::limits;
use stream_core::item::Item;
use stream_core::journal::TimeRange;
use stream_core::stream_id::StreamId;
use stream_core::timestamp::Timestamp;

pub use self::configurations::{Change, Configuration};

/// A boxed future, so that a store can be chosen when the process starts.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What one read brought.
#[derive(Debug, Default)]
pub struct Read {
    /// Rows that are ready and parsed.
    pub items: Vec<Item>,
    /// Rows that did not parse.
    pub skipped: u64,
    /// Those of them that were not met before.
    pub newly_skipped: u64,
    /// Read units consumed, where the store counts them.
    pub units: f64,
}

/// What one look for goodbyes brought.
#[derive(Debug, Default)]
pub struct Goodbyes {
    /// Streams whose readers have left.
    pub left: Vec<StreamId>,
    /// Read units consumed, where the store counts them.
    pub units: f64,
}

/// Why the store did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It asks us to slow down.
    #[error("the table throttles: {0}")]
    Throttled(String),
    /// It cannot be reached, is too slow or broken; later it may work.
    #[error("the table cannot be read: {0}")]
    Unavailable(String),
    /// It refuses: a missing table or index, missing rights, bad credentials. A person is needed.
    #[error("the table refuses to be read: {0}")]
    Refused(String),
}

impl StoreError {
    /// One word for logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
        }
    }
}

/// Waits for the store as long as it may take, which is less than a client waits.
pub(crate) async fn within<T>(answer: StoreFuture<'_, T>, what: &str) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(limits::STORE_TIMEOUT, answer).await;
    answer.map_err(|_| StoreError::Unavailable(format!("no answer {what}")))?
}

/// Where items and configurations are read from.
pub trait Store: Send + Sync + 'static {
    /// Reads the items of a time range, all labels.
    fn read(&self, range: TimeRange) -> StoreFuture<'_, Read>;

    /// Reads one configuration of one user; `None` where there is none.
    fn configuration<'a>(&'a self, user_id: &'a str, config_id: &'a str) -> StoreFuture<'a, Option<Configuration>>;

    /// Reads the configurations of one user, sorted by id: all, or one more than a user may have.
    fn configurations<'a>(&'a self, user_id: &'a str) -> StoreFuture<'a, Vec<Configuration>>;

    /// Changes one configuration of one user, or nothing: `false` where a new one's id is taken, or there is none to change.
    fn change_configuration<'a>(
        &'a self,
        user_id: &'a str,
        change: &'a Change,
        now: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// Writes down that the reader of a stream has left; the store may forget it `expires_at`, seconds since 1970.
    fn say_goodbye(&self, stream: StreamId, expires_at: u64) -> StoreFuture<'_, ()>;

    /// Reads which of these streams, at most [`contract::limits::GOODBYES_PER_READ`], their readers have left.
    fn goodbyes<'a>(&'a self, streams: &'a [StreamId]) -> StoreFuture<'a, Goodbyes>;

    /// Opens connections before the first request, at full CPU; an error is no reason to stop.
    fn warm_up(&self) -> StoreFuture<'_, ()>;
}
