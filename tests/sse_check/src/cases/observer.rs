//! A stream that nobody cuts, read in the background: what every other client must have had.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Context, Verdict};
use crate::decode::{Event, shown};
use crate::options::Options;
use crate::stream::{End, Stream};

/// Whoever is behind may be so for this many times the time limit, as long as it goes on: on a busy machine it is.
pub(super) const CATCH_UP_TIMEOUTS: u32 = 10;

/// What an observer has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Identities of the updates, in order.
    pub updates: Vec<String>,
    /// How many events came of each type.
    pub events: BTreeMap<String, u64>,
    /// An id that events of different types or data had.
    pub shared_id: Option<String>,
    /// Bytes of the bodies.
    pub bytes: u64,
    /// Why it saw nothing more.
    pub failure: Option<String>,
}

/// The background task; dropping it closes its stream.
pub(super) struct Observer {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Observer {
    /// Connects and waits for the first event, where the first stream of the run had one, and for one with an id, if it had one: until
    /// then a stream has no place (a heartbeat has none), and another client's may begin before it.
    pub(super) async fn start(context: &Context) -> Result<Self, Verdict> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (ready, wait) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(observe(
            context.options.clone(),
            !context.sample.decoder.last_id().is_empty(),
            Arc::clone(&seen),
            ready,
        ));
        let observer = Self { seen, task };
        let talks = context.sample.decoder.events().next().is_some();
        let limit = if talks { context.options.timeout * CATCH_UP_TIMEOUTS } else { Duration::from_millis(100) };
        match (tokio::time::timeout(limit, wait).await, observer.seen().failure) {
            (Ok(Ok(())), _) => Ok(observer),
            (_, Some(failure)) => Err(Verdict::found(format!("a second stream: {failure}"))),
            _ if talks => Err(Verdict::skipped(format!("a second stream had no event within {limit:?}"))),
            _ => Ok(observer),
        }
    }

    /// What it has seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what it has seen is enough: for `limit` after the last update, and for [`CATCH_UP_TIMEOUTS`] times that in all.
    pub(super) async fn catches_up(&self, limit: Duration, enough: impl Fn(&[String]) -> bool) {
        let (began, mut last, mut count) = (Instant::now(), Instant::now(), None);
        while last.elapsed() < limit && began.elapsed() < limit * CATCH_UP_TIMEOUTS {
            let seen = self.seen().updates;
            if count.replace(seen.len()) != Some(seen.len()) {
                last = Instant::now();
                if enough(&seen) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it has seen more than so many updates.
    pub(super) async fn more_than(&self, count: usize, limit: Duration) -> bool {
        let began = Instant::now();
        while self.seen().updates.len() <= count {
            if began.elapsed() > limit {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn observe(options: Options, has_ids: bool, seen: Arc<Mutex<Seen>>, ready: tokio::sync::oneshot::Sender<()>) {
    let mut ready = Some(ready);
    let mut last_id = Vec::new();
    let mut by_id: HashMap<Vec<u8>, (String, String)> = HashMap::new();
    let note = |change: &mut dyn FnMut(&mut Seen)| change(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
    loop {
        let mut stream: Stream = match options.request(0).last_id(&last_id).send().await {
            Ok(stream) if stream.head.is_stream() => stream,
            Ok(stream) => return note(&mut |seen| seen.failure = Some(format!("status {}", stream.head.status))),
            Err(failure) => return note(&mut |seen| seen.failure = Some(failure.to_string())),
        };
        while stream.end.is_none() {
            let before = stream.bytes;
            stream.until(Duration::from_millis(200), |stream| !stream.decoder.items.is_empty()).await;
            let events: Vec<Event> = stream.decoder.events().map(|(_, event)| event.clone()).collect();
            let updates: Vec<String> = events.iter().filter_map(|event| options.identity(event)).collect();
            // Where nobody says what updates are, ids must tell all events apart.
            let ids = events
                .iter()
                .filter(|_| !options.names_updates())
                .filter_map(|event| Some((event.own_id.as_ref()?, event)));
            let mut shared = ids.filter(|(id, event)| {
                let content = (event.name.clone(), event.data.clone());
                *by_id.entry((*id).clone()).or_insert_with(|| content.clone()) != content
            });
            let shared_id = shared.next().map(|(id, _)| shown(id));
            let has_place = !has_ids || !stream.decoder.last_id().is_empty();
            if has_place
                && !events.is_empty()
                && let Some(ready) = ready.take()
            {
                ready.send(()).ok();
            }
            stream.forget();
            note(&mut |seen| {
                seen.updates.extend(updates.iter().cloned());
                seen.shared_id = seen.shared_id.take().or_else(|| shared_id.clone());
                events.iter().for_each(|event| *seen.events.entry(event.name.clone()).or_default() += 1);
                seen.bytes += stream.bytes - before;
            });
        }
        if !stream.decoder.last_id().is_empty() {
            last_id = stream.decoder.last_id().to_vec();
        }
        // The server may end a stream, well or badly; then this client comes back like any other.
        if let Some(End::Broken(why)) = &stream.end {
            return note(&mut |seen| seen.failure = Some(why.clone()));
        }
    }
}
