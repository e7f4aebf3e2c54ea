//! Many clients that come back by themselves, as EventSource does, and remember everything that they were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::STREAM;
use crate::support::client::{Request, Response};
use crate::support::clock::until;
use crate::support::decoder::{Decoder, Item};
use crate::support::http1::Piece;
use crate::support::process::lock;
use crate::support::table::{Row, Table};

/// How many clients there are.
pub(super) const CLIENTS: usize = 50;

/// Pause before a client comes back; a browser waits for as long as the stream said.
const RETRY: Duration = Duration::from_millis(200);

/// One update as a client saw it: item, ticker, label, score.
pub(super) type Update = (String, String, String, String);

/// What one client was told.
#[derive(Debug, Default)]
struct Told {
    updates: Vec<Update>,
    /// `total` of each `metrics` event.
    totals: Vec<u64>,
    /// Names of everything that is neither of them nor a heartbeat.
    others: Vec<String>,
    connects: usize,
}

/// Clients, and the rows that they must hear of.
pub(super) struct Fleet {
    told: Vec<Arc<Mutex<Told>>>,
    clients: Vec<JoinHandle<()>>,
    baseline: u64,
    expected: Mutex<BTreeMap<Update, ()>>,
}

impl Fleet {
    /// Connects all clients to these addresses in turn, and waits until each has the numbers. The table holds `baseline` rows.
    pub(super) async fn connect(addresses: &[SocketAddr], baseline: u64, limit: Duration) -> Self {
        let told: Vec<Arc<Mutex<Told>>> = (0..CLIENTS).map(|_| Arc::default()).collect();
        let client =
            |(n, told): (usize, &Arc<Mutex<Told>>)| tokio::spawn(listen(addresses.to_vec(), n, Arc::clone(told)));
        let clients = told.iter().enumerate().map(client).collect();
        let fleet = Self { told, clients, baseline, expected: Mutex::default() };
        fleet.all("the first metrics", limit, |told| !told.totals.is_empty()).await;
        fleet
    }

    /// Writes a row that every client must hear of once for each ticker.
    pub(super) async fn put(&self, table: &Table, row: &Row) {
        let update = |ticker: &String| {
            (row.id.clone(), ticker.clone(), row.label.clone(), serde_json::json!(row.score).to_string())
        };
        lock(&self.expected).extend(row.tags.iter().map(|ticker| (update(ticker), ())));
        table.put(row).await;
    }

    /// Waits until every client has heard of everything so far.
    pub(super) async fn caught_up(&self, what: &str, limit: Duration) {
        let count = lock(&self.expected).len();
        self.all(what, limit, |told| told.updates.len() >= count).await;
    }

    async fn all(&self, what: &str, limit: Duration, fits: impl Fn(&Told) -> bool) {
        let done = || self.told.iter().all(|told| fits(&lock(told))).then_some(());
        until(what, limit, done).await;
    }

    /// How often clients connected, in all.
    pub(super) fn connects(&self) -> usize {
        self.told.iter().map(|told| lock(told).connects).sum()
    }

    /// How many updates all clients have heard of, in all.
    pub(super) fn heard(&self) -> usize {
        self.told.iter().map(|told| lock(told).updates.len()).sum()
    }

    /// Asserts that every client has heard of every row once and of nothing else, and that no number was ever wrong.
    /// `passing` are events that have no place in an undisturbed life and are right here.
    pub(super) async fn check(self, what: &str, limit: Duration, passing: &[&str]) {
        let expected: Vec<Update> = lock(&self.expected).keys().cloned().collect();
        let items: std::collections::BTreeSet<&String> = expected.iter().map(|(item, ..)| item).collect();
        let total = self.baseline + items.len() as u64;
        self.all(&format!("{what}: the last numbers"), limit, |told| told.totals.last() == Some(&total)).await;
        for (n, told) in self.told.iter().enumerate() {
            let told = lock(told);
            let mut updates = told.updates.clone();
            updates.sort_unstable();
            assert_eq!(updates, expected, "{what}: client {n}");
            // Rows are only ever added, so a number that shrinks was never true, and neither is a higher one than in the end.
            assert!(
                told.totals.is_sorted() && told.totals[0] >= self.baseline,
                "{what}: client {n}: {:?}",
                told.totals
            );
            let odd: Vec<_> = told.others.iter().filter(|name| !passing.contains(&name.as_str())).collect();
            assert!(odd.is_empty(), "{what}: client {n}: {odd:?}");
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
    }
}

/// Listens for ever: at the end of a stream, however it comes, goes to the next address with the last id.
async fn listen(addresses: Vec<SocketAddr>, first: usize, told: Arc<Mutex<Told>>) {
    let mut last_id = String::new();
    for n in first.. {
        let mut request = Request::get(addresses[n % addresses.len()], STREAM).header("Accept", "text/event-stream");
        if !last_id.is_empty() {
            request = request.header("Last-Event-ID", &last_id);
        }
        if let Ok(response) = request.try_send().await {
            assert_eq!(response.status(), 200, "{:?}", response.head);
            lock(&told).connects += 1;
            follow(response, &mut last_id, &told).await;
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn follow(mut response: Response, last_id: &mut String, told: &Mutex<Told>) {
    let mut decoder = Decoder::default();
    while let Ok(Piece::Data(bytes)) = response.piece().await {
        for item in decoder.push(&bytes) {
            let Item::Event(event) = item else { continue };
            event.id.clone_into(last_id);
            let data: Value = serde_json::from_str(&event.data).expect("data is JSON");
            let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
            let mut told = lock(told);
            match event.name.as_str() {
                "heartbeat" => {}
                "metrics" => told.totals.push(data["total"].as_u64().expect("a number")),
                "sentiment_update" => {
                    told.updates.push((text("item_id"), text("ticker"), text("label"), data["score"].to_string()));
                }
                other => told.others.push(other.to_owned()),
            }
        }
    }
}
