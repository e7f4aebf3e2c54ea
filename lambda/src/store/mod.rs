//! Where items, configurations, goodbyes and hours are kept: DynamoDB, or memory with a sample feed or the items of a file. Four small traits, because no
//! part of the program needs more than one of them.

pub mod configurations;
pub mod dynamodb;
mod feed;
pub mod memory;
mod replay;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use contract::limits;

use crate::ids::{ConfigId, UserId};
use stream_core::item::Item;
use stream_core::moment::TimeRange;
use stream_core::reading::{PageRequest, PageStart};
use stream_core::shelf::{Head, Scope, Write};
use stream_core::stream_id::StreamId;
use stream_core::timestamp::Timestamp;

pub use self::configurations::{Change, Configuration};

/// A boxed future, so that a store can be chosen when the process starts.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// One page of the items.
#[derive(Debug, Default)]
pub struct Page {
    /// Rows of the range that are ready and parsed, in the order of the texts of their times, from the last.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` where there is none.
    pub next: Option<PageStart>,
    /// Rows that did not parse.
    pub skipped: u64,
    /// Those of them that were not met before.
    pub newly_skipped: u64,
    /// Attributes left out of rows that parsed, of which something could not be read, and that were not met before.
    pub values_newly_skipped: u64,
    /// Read units consumed, where the store counts them.
    pub units: f64,
}

/// What one look for goodbyes brought.
#[derive(Debug, Default)]
pub struct Left {
    /// Streams whose clients have left.
    pub streams: Vec<StreamId>,
    /// Read units consumed, where the store counts them.
    pub units: f64,
}

/// What one look for hours brought.
#[derive(Debug, Default)]
pub struct Heads {
    /// What is there of each hour.
    pub heads: Vec<Head>,
    /// Read units consumed, where the store counts them.
    pub units: f64,
}

/// Bytes of some hours.
#[derive(Debug, Default)]
pub struct HourBytes {
    /// All that a head names, or what is left of it, in the order of the heads.
    pub hours: Vec<Vec<u8>>,
    /// Read units consumed, where the store counts them.
    pub units: f64,
}

/// What a store holds where a read of the whole window found nothing.
#[derive(Debug)]
pub struct Silence {
    /// Why nothing of it counts: a sentence for a person.
    pub found: String,
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
    #[error("the table does not answer: {0}")]
    Unavailable(String),
    /// It refuses: a missing table or index, missing rights, bad credentials. A person is needed.
    #[error("the table refuses: {0}")]
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

/// Where items are read from.
pub trait Items: Send + Sync + 'static {
    /// Reads one page of one label, from the row whose time is the last as a text: as many rows as the store gives at once.
    fn page<'a>(&'a self, request: &'a PageRequest) -> StoreFuture<'a, Page>;

    /// Looks at some rows, whatever their label and time, where no row of any label was in this range; `None` where there is
    /// nothing to say.
    fn look_around(&self, _: TimeRange) -> StoreFuture<'_, Option<Silence>> {
        Box::pin(async { Ok(None) })
    }

    /// Opens connections before the first request, at full CPU; an error is no reason to stop.
    fn warm_up(&self) -> StoreFuture<'_, ()>;
}

/// Where users' configurations are kept.
pub trait Configurations: Send + Sync + 'static {
    /// Reads one configuration of one user; `None` where there is none.
    fn one<'a>(&'a self, user: &'a UserId, id: &'a ConfigId) -> StoreFuture<'a, Option<Configuration>>;

    /// Reads the configurations of one user, sorted by id: all, or one more than a user may have.
    fn all<'a>(&'a self, user: &'a UserId) -> StoreFuture<'a, Vec<Configuration>>;

    /// Changes one configuration of one user, or nothing: `false` where a new one's id is taken, or there is none to change.
    fn change<'a>(&'a self, user: &'a UserId, change: &'a Change, now: Timestamp) -> StoreFuture<'a, bool>;
}

/// Where it is written down that a stream's client has left.
pub trait Goodbyes: Send + Sync + 'static {
    /// Writes down that the client of a stream has left; the store may forget it `expires_at`, seconds since 1970.
    fn say(&self, stream: StreamId, expires_at: u64) -> StoreFuture<'_, ()>;

    /// Reads which of these streams, at most [`limits::GOODBYES_PER_READ`], their clients have left.
    fn look<'a>(&'a self, streams: &'a [StreamId]) -> StoreFuture<'a, Left>;
}

/// Where instances leave hours for one another, and sums of hours for histories; a scope says which. Everything there may be lost at
/// any time: rows are read again, and of lost sums a history says that it does not know them.
pub trait Hours: Send + Sync + 'static {
    /// Reads what is there of some hours, by their numbers since 1970, first and last.
    fn heads(&self, scope: Scope, from: u64, to: u64) -> StoreFuture<'_, Heads>;

    /// Reads the bytes that some heads name, of each hour once.
    fn bytes<'a>(&'a self, scope: Scope, heads: &'a [Head]) -> StoreFuture<'a, HourBytes>;

    /// Writes the bytes, and then the head, if the one that it takes the place of is the one that was seen; `false` where it is
    /// not.
    fn write<'a>(&'a self, scope: Scope, write: &'a Write) -> StoreFuture<'a, bool>;
}

/// The four of one deployment.
#[derive(Clone)]
pub struct Stores {
    /// Items.
    pub items: Arc<dyn Items>,
    /// Configurations.
    pub configurations: Arc<dyn Configurations>,
    /// Goodbyes.
    pub goodbyes: Arc<dyn Goodbyes>,
    /// Hours.
    pub hours: Arc<dyn Hours>,
}

impl Stores {
    /// Takes all four from one.
    #[must_use]
    pub fn of<S: Items + Configurations + Goodbyes + Hours>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            items: Arc::<S>::clone(&store),
            configurations: Arc::<S>::clone(&store),
            goodbyes: Arc::<S>::clone(&store),
            hours: store,
        }
    }
}
