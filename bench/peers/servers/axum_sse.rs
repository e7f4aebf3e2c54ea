//! A stream as axum's documentation shows it: a broadcast channel, and `Sse` for each client. `axum-sse PORT RATE EVERY_MS`.

#![allow(clippy::disallowed_methods, reason = "a program of somebody else's kind: it reads the clock")]

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use bench_peers::data;
use futures_util::{Stream, stream};
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// Updates that a client may be behind: some seconds of the fastest feed.
const BEHIND_MAX: usize = 65_536;

type Update = (u64, String);

fn told((n, data): Update) -> Event {
    Event::default().event("update").id(n.to_string()).data(data)
}

async fn events(State(updates): State<Sender<Update>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let next = |receiver: Option<Receiver<Update>>| async move {
        let mut receiver = receiver?;
        let update = receiver.recv().await.ok()?;
        Some((Ok(told(update)), Some(receiver)))
    };
    let hello = stream::iter([Ok(Event::default().event("hello").data("{}"))]);
    let live = stream::unfold(Some(updates.subscribe()), next);
    Sse::new(futures_util::StreamExt::chain(hello, live)).keep_alive(KeepAlive::default())
}

async fn feed(updates: Sender<Update>, rate: u64, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    let (mut n, mut owed) = (0, 0.0);
    loop {
        ticks.tick().await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let due = rate as f64 * every.as_secs_f64();
        owed += due;
        while owed >= 1.0 {
            owed -= 1.0;
            n += 1;
            // Nobody may be there.
            updates.send((n, data(n))).ok();
        }
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let mut number = || numbers.next().ok_or_else(|| std::io::Error::other("usage: axum-sse PORT RATE EVERY_MS"));
    let (port, rate, every) = (number()?, number()?, Duration::from_millis(number()?));
    let (updates, _) = channel(BEHIND_MAX);
    tokio::spawn(feed(updates.clone(), rate, every));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, Router::new().route("/events", get(events)).with_state(updates)).await
}
