//! One instance that reads the table: the hub and the store of the stream function, on a thread of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{PollSettings, WatchSettings};
use lambda::clock::Clock;
use lambda::store::dynamodb::DynamoDb;
use lambda::store::{Items, Page, StoreFuture};
use lambda::stream::hub::Hub;
use lambda::stream::sharing::Sources;
use lambda::watch::meter::{self, Meter};
use rustix::time::{ClockId, clock_gettime};
use stream_core::reading::PageRequest;
use stream_core::snapshot::Snapshot;
use stream_core::timestamp::Timestamp;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::table::data;

/// Time that the first reading may take: DynamoDB Local is not quick.
const LOAD_LIMIT: Duration = Duration::from_secs(600);

/// What was read, as the store says.
#[derive(Debug, Default)]
struct Read {
    /// Thousandths of read units.
    milliunits: AtomicU64,
    pages: AtomicU64,
    rows: AtomicU64,
}

/// The store, counted.
struct Counted {
    store: DynamoDb,
    read: Arc<Read>,
}

impl Items for Counted {
    fn page<'a>(&'a self, request: &'a PageRequest) -> StoreFuture<'a, Page> {
        Box::pin(async move {
            let page = self.store.page(request).await?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a page costs some hundred units"
            )]
            let milliunits = (page.units * 1000.0).round() as u64;
            self.read.milliunits.fetch_add(milliunits, Ordering::Relaxed);
            self.read.pages.fetch_add(1, Ordering::Relaxed);
            self.read.rows.fetch_add(page.items.len() as u64, Ordering::Relaxed);
            Ok(page)
        })
    }
    fn warm_up(&self) -> StoreFuture<'_, ()> {
        self.store.warm_up()
    }
}

/// What an instance has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) polls: u64,
    pub(crate) units: f64,
    pub(crate) pages: u64,
    pub(crate) rows: u64,
    /// Processor time of its thread.
    pub(crate) cpu: Duration,
}

/// What is known of it from outside.
#[derive(Debug, Default)]
struct Shown {
    done: Done,
    snapshot: Option<Arc<Snapshot>>,
    /// Ids of updates, and when each was handed out first.
    heard: BTreeMap<String, Timestamp>,
}

/// One instance.
pub(crate) struct Instance {
    shown: Arc<Mutex<Shown>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Instance {
    /// Starts it and waits until it has read the window. `late_interval` is what `SSE_LATE_INTERVAL` says.
    pub(crate) fn start(address: SocketAddr, late_interval: &'static str) -> Result<Self, String> {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let (stop, stopped) = oneshot::channel();
        let (loaded, is_loaded) = std::sync::mpsc::channel();
        let of_thread = Arc::clone(&shown);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let listen = async {
                tokio::select! {
                    () = listen(address, late_interval, of_thread, loaded) => {}
                    _ = stopped => {}
                }
            };
            runtime.expect("a runtime can be made").block_on(listen);
        });
        is_loaded.recv_timeout(LOAD_LIMIT).map_err(|_| "the window was not read".to_owned())?;
        Ok(Self { shown, stop: Some(stop), thread: Some(thread) })
    }

    /// What it has done so far.
    pub(crate) fn done(&self) -> Done {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).done
    }

    /// What it knows.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).snapshot.clone()
    }

    /// When an update of this row was handed out.
    pub(crate) fn heard(&self, id: &str) -> Option<Timestamp> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).heard.get(id).copied()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

async fn listen(
    address: SocketAddr,
    late_interval: &'static str,
    shown: Arc<Mutex<Shown>>,
    loaded: std::sync::mpsc::Sender<()>,
) {
    let clock = Clock::system();
    let lookup = move |name: &str| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(format!("http://{address}")),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("bench".to_owned()),
        "SSE_LATE_INTERVAL" => Some(late_interval.to_owned()),
        _ => None,
    };
    let store = DynamoDb::from_env(data(), &clock, &lookup).expect("region and credentials are given");
    let read = Arc::<Read>::default();
    let items = Arc::new(Counted { store, read: Arc::clone(&read) });
    let poll = PollSettings::from_env(&lookup).expect("the defaults are valid");
    let watched = WatchSettings::from_env(&|_| None).expect("the defaults are valid");
    let meter = Meter::new(&watched, meter::STREAM, clock.clone());
    let hub = Hub::new(Sources::table(items), data(), poll, clock.clone(), meter, None);
    let mut subscription = hub.subscribe(tracing::Span::none(), &watch::channel(false).1);
    let mut next = 0;
    loop {
        // Also where nothing changes: polls are counted.
        tokio::time::timeout(Duration::from_millis(500), subscription.changed()).await.ok();
        let Some(snapshot) = subscription.look().snapshot else { continue };
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, update) in snapshot.updates.from(next) {
            next = number + 1;
            shown.heard.entry(update.row.item.key.id.to_string()).or_insert_with(|| clock.now().wall);
        }
        shown.snapshot = Some(snapshot);
        #[expect(clippy::cast_precision_loss, reason = "some thousand units")]
        let units = read.milliunits.load(Ordering::Relaxed) as f64 / 1000.0;
        let cpu = clock_gettime(ClockId::ThreadCPUTime);
        shown.done = Done {
            polls: subscription.polls(),
            units,
            pages: read.pages.load(Ordering::Relaxed),
            rows: read.rows.load(Ordering::Relaxed),
            cpu: Duration::new(cpu.tv_sec.unsigned_abs(), u32::try_from(cpu.tv_nsec).expect("below a billion")),
        };
        loaded.send(()).ok();
    }
}
