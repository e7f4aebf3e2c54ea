//! Servers on one table, and a browser's EventSource before them.

use std::time::Duration;

use super::browser::{Browser, Kind, Source};
use super::control::Origin;
use super::cutting::Front;
use super::{Ear, Update, difference};
use crate::support::clock::until;
use crate::support::dynamodb;
use crate::support::local::Local;
use crate::support::table::{Row, Table};

/// Nothing here takes that long; a hang fails one test and not the run.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// Time between two reads of a server.
pub(super) const POLL: Duration = Duration::from_millis(200);

/// A server on this table, with the shortest intervals that it takes.
pub(super) async fn server(table: &Table, more: &[(&str, &str)]) -> Local {
    let mut env = table.env();
    env.extend(dynamodb::env(dynamodb::address()));
    let own = [
        ("STORE", "dynamodb"),
        ("SSE_POLL_INTERVAL", "200ms"),
        ("SSE_RETRY", "500ms"),
        ("SSE_HEARTBEAT_INTERVAL", "2s"),
        // Everybody here has the same address.
        ("SSE_CONNECTIONS_PER_CLIENT", "100"),
    ];
    let own = own.into_iter().chain(more.iter().copied());
    let all: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(own).collect();
    Local::start(&all).await
}

/// A browser's EventSource behind a proxy.
pub(super) struct Scene<'a> {
    pub kind: Kind,
    pub front: Front,
    pub ear: Ear,
    pub source: Source,
    table: &'a Table,
    expected: Vec<Update>,
}

impl<'a> Scene<'a> {
    /// Opens an EventSource and waits until it has the numbers: from here on it must hear of every row.
    pub(super) async fn open(kind: Kind, table: &'a Table, servers: &[&Local]) -> Self {
        Self::open_from(Origin::Other, kind, table, servers).await
    }

    /// As [`Scene::open`], with the page of this origin.
    pub(super) async fn open_from(origin: Origin, kind: Kind, table: &'a Table, servers: &[&Local]) -> Self {
        let addresses: Vec<_> = servers.iter().map(|server| server.stream).collect();
        let front = Front::start(&addresses).await;
        let ear = Ear::default();
        let source = Browser::get(kind).await.open(&front.url(""), origin, &ear);
        let scene = Self { kind, front, ear, source, table, expected: Vec::new() };
        scene.hears("metrics", 1).await;
        scene
    }

    /// Waits until so many events with this name have come in all.
    pub(super) async fn hears(&self, name: &str, count: usize) {
        until(&format!("{:?}: {count} times `{name}`", self.kind), LIMIT, || {
            (self.ear.all(name).len() >= count).then_some(())
        })
        .await;
    }

    /// Waits until so many requests have come in all.
    pub(super) async fn visits(&self, count: usize) {
        until(&format!("{:?}: {count} requests", self.kind), LIMIT, || {
            (self.front.visits().len() >= count).then_some(())
        })
        .await;
    }

    /// Writes a row with two tickers.
    pub(super) async fn write(&mut self, id: &str) {
        let row = Row::new(id, "neutral", &["AAPL", "MSFT"]);
        self.table.put(&row).await;
        self.expect(&row);
    }

    /// Takes down that this row must be heard of.
    pub(super) fn expect(&mut self, row: &Row) {
        self.expected.extend(super::writer::updates_of(row));
    }

    /// Waits until everything that was written has come, and asserts that each of it comes once.
    pub(super) async fn complete(&self) {
        let all = || self.expected.iter().all(|update| self.ear.has(update)).then_some(());
        until(&format!("{:?}: every update", self.kind), LIMIT, all).await;
        // For what must not come.
        tokio::time::sleep(POLL * 3).await;
        let wrong = difference(&self.expected, &self.ear.updates());
        assert!(wrong.is_none(), "{:?}: {}", self.kind, wrong.unwrap_or_default());
        assert!(self.ear.all("reset").is_empty(), "{:?} was reset", self.kind);
    }

    /// Asserts that every request but the first brought a position along.
    pub(super) fn assert_returned_with_id(&self) {
        for visit in &self.front.visits()[1..] {
            assert!(
                visit.last_event_id.as_ref().is_some_and(|id| id.starts_with("evt_")),
                "{:?}: {visit:?}",
                self.kind
            );
        }
    }
}
