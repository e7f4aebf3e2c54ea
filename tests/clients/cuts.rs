//! Every client hears every update once, however often and wherever its connection is cut.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cutting::{Cut, Done, Front, How, When};
use super::difference;
use super::place::Place;
use super::roster::Listener;
use super::scene::{LIMIT, POLL, server};
use super::writer::Writer;
use crate::support::clock::until;
use crate::support::seed;
use crate::support::table::{SENTIMENTS, Table};

/// Connections that each client loses.
const CUTS: usize = 20;
/// A hang must end at some time. All of them take half a minute where nothing else runs: a client is away for half a second each
/// time, up to a second where it was cut before the first byte.
const CUTS_LIMIT: Duration = Duration::from_secs(300);
/// Rows that are late, and rows that are analysed anew, at least.
const EACH: usize = 5;
/// Pause between two changes of the table.
const PAUSE: Duration = Duration::from_millis(100);

/// Who takes part, and what it asks for.
const CLIENTS: [(&str, &[&str]); 10] = [
    ("Chromium", &[]),
    ("Chromium, same origin", &[]),
    ("Firefox", &[]),
    ("Firefox, same origin", &[]),
    ("npm eventsource", &[]),
    ("npm eventsource-parser", &["AAPL", "NVDA"]),
    ("PyPI httpx-sse", &[]),
    ("crate eventsource-client", &[]),
    ("crate eventsource-stream", &["MSFT"]),
    ("curl", &[]),
];

/// A cut within the headers; for browsers only where they come back by themselves, see [`super::truncated`].
fn within_headers(name: &str, how: How, random: &mut fastrand::Rng) -> Cut {
    match name {
        "Chromium" => Cut { when: When::After(random.usize(0..150)), how: How::Reset },
        "Firefox" => Cut { when: When::After(0), how },
        "Chromium, same origin" | "Firefox, same origin" if how == How::Fin => {
            Cut { when: When::After(random.usize(60..150)), how }
        }
        _ => Cut { when: When::After(random.usize(0..150)), how },
    }
}

/// Twenty cuts in random order: within the headers, between two events, and anywhere.
fn plan(name: &str, random: &mut fastrand::Rng) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = (0..CUTS)
        .map(|n| {
            let how = if n % 2 == 0 { How::Reset } else { How::Fin };
            match n {
                0..4 => within_headers(name, how, random),
                4..8 => Cut { when: When::BetweenAfter(random.usize(400..1500)), how },
                _ => Cut { when: When::After(random.usize(300..2500)), how },
            }
        })
        .collect();
    random.shuffle(&mut cuts);
    cuts
}

/// How many cuts fell where, with a reset or without.
type Counts = BTreeMap<(Place, bool), usize>;

/// Asserts that the cuts fell everywhere, and counts them.
fn distribution(name: &str, done: &[Done]) -> Counts {
    let mut counts = Counts::new();
    for cut in done {
        *counts.entry((cut.place, cut.how == How::Reset)).or_insert(0) += 1;
    }
    let at = |place| done.iter().filter(|cut| cut.place == place).count();
    assert!(at(Place::Headers) >= 3, "{name}: {counts:?}");
    assert!(at(Place::Within) >= 5, "{name}: {counts:?}");
    assert!(at(Place::Between) >= 4, "{name}: {counts:?}");
    for how in [How::Reset, How::Fin] {
        assert!(done.iter().filter(|cut| cut.how == how).count() >= 4, "{name}: {counts:?}");
    }
    counts
}

#[tokio::test]
async fn every_client_hears_every_update_once_over_twenty_cuts_and_three_processes() {
    let mut random = seed::from_env(20_260_704);
    let table = Table::create(SENTIMENTS).await;
    let servers = [server(&table, &[]).await, server(&table, &[]).await, server(&table, &[]).await];
    let addresses = servers.each_ref().map(|server| server.stream);
    let starting = CLIENTS
        .map(|(name, tickers)| async move { Listener::start(name, Front::start(&addresses).await, tickers).await });
    let clients = futures_util::future::join_all(starting).await;
    for client in &clients {
        let what = format!("{}: the first numbers", client.name);
        until(&what, LIMIT, || (!client.ear.all("metrics").is_empty()).then_some(())).await;
    }
    for client in &clients {
        client.front.cut(plan(client.name, &mut random));
    }
    let mut writer = Writer::new(&table, random);
    let began = std::time::Instant::now();
    while clients.iter().any(|client| client.front.done().len() < CUTS) || writer.late < EACH || writer.anew < EACH {
        let so_far = || {
            clients
                .iter()
                .map(|client| (client.name, client.front.done().len(), client.front.done().last().copied()))
                .collect::<Vec<_>>()
        };
        assert!(began.elapsed() < CUTS_LIMIT, "not {CUTS} cuts each within {CUTS_LIMIT:?}: {:?}", so_far());
        writer.change(&clients).await;
        tokio::time::sleep(PAUSE).await;
    }
    let written = writer.written();
    for client in &clients {
        let expected: Vec<_> = written.iter().filter(|update| client.wants(update)).cloned().collect();
        let missing = || expected.iter().filter(|update| !client.ear.has(update)).collect::<Vec<_>>();
        let all = tokio::time::timeout(LIMIT, async {
            while !missing().is_empty() {
                tokio::time::sleep(POLL / 4).await;
            }
        });
        let heard_all = all.await.is_ok();
        assert!(heard_all, "{} never heard of {:?}; it said:\n{}", client.name, missing(), client.ear.complaints());
    }
    // For what must not come.
    tokio::time::sleep(POLL * 4).await;
    let (late, anew) = (writer.late, writer.anew);
    println!("{} updates, {late} rows late, {anew} anew, in {:?}", written.len(), began.elapsed());
    for client in &clients {
        let expected: Vec<_> = written.iter().filter(|update| client.wants(update)).cloned().collect();
        let wrong = difference(&expected, &client.ear.updates());
        assert!(wrong.is_none(), "{}: {}", client.name, wrong.unwrap_or_default());
        assert!(client.ear.all("reset").is_empty(), "{} was reset", client.name);
        println!("{}: {:?}", client.name, distribution(client.name, &client.front.done()));
        let visits = client.front.visits();
        for address in addresses {
            assert!(visits.iter().any(|visit| visit.server == address), "{} was never at {address}", client.name);
        }
        for visit in &visits[1..] {
            let id = visit.last_event_id.as_deref().unwrap_or_default();
            assert!(id.starts_with("evt_"), "{} came back with {id:?}", client.name);
        }
    }
}
