//! A server that is told to stop: nobody is cut off, nobody is let in, and those who leave come back spread over a time.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{LIMIT, STREAM};
use crate::support::clock::BUSY;
use crate::support::decoder::Item;
use crate::support::server::Server;
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};

const CLIENTS: usize = 40;
const DRAIN: Duration = Duration::from_secs(6);

/// What a client was told at its end: when to come back, in milliseconds.
async fn told(mut client: SseClient) -> u64 {
    let all = client.until_end(LIMIT).await;
    let [.., retry, last] = &all[..] else { panic!("{all:?}") };
    let Item::Retry(retry) = retry.item else { panic!("{all:?}") };
    let last = last.event().unwrap();
    assert_eq!(last.name, "deadline");
    let data: Value = serde_json::from_str(&last.data).unwrap();
    assert_eq!(data, json!({ "reason": "shutdown", "reconnect_ms": retry }));
    retry
}

#[tokio::test]
async fn clients_are_told_to_come_back_over_a_time_and_nobody_new_is_let_in() {
    let table = Table::create(SENTIMENTS).await;
    let env = [("SSE_CONNECTIONS_PER_CLIENT", "100"), ("SERVER_DRAIN", "6s")];
    let server = Server::start(&table, &env).await.ready().await;
    let clients = join_all((0..CLIENTS).map(|_| SseClient::connect(server.get(STREAM)))).await;
    let began = Instant::now();
    server.terminate();
    let spread = join_all(clients.into_iter().map(told)).await;
    assert!(began.elapsed() < BUSY, "they are told at once: {:?}", began.elapsed());
    let (first, last) = (*spread.iter().min().unwrap(), *spread.iter().max().unwrap());
    assert!(500 <= first && u128::from(last) <= DRAIN.as_millis(), "{spread:?}");
    // Of forty that are drawn from six seconds: all within less than half of it is one case in 2^40.
    assert!(last - first > 2_000, "{spread:?}");

    // It answers on, so that whoever has not heard of it gets an answer, and says that it wants nobody.
    let ready = server.ask("/readyz").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.into_json().await, json!({ "status": "stopping" }));
    assert_eq!(server.ask("/livez").await.status(), 200);
    assert_eq!(server.ask(contract::routes::METRICS).await.status(), 200);
    let mut late = SseClient::connect(server.get(STREAM)).await;
    let heard = late.until_end(LIMIT).await;
    let [retry, event] = &heard[..] else { panic!("{heard:?}") };
    let Item::Retry(retry) = retry.item else { panic!("{heard:?}") };
    assert!((500..=6_000).contains(&retry), "{retry}");
    let event = event.event().unwrap();
    assert_eq!((event.name.as_str(), event.has_id), ("unavailable", false));
    let detail = "This server is about to stop. Try again.";
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data, json!({ "detail": detail, "retry_after_ms": retry }));
    let refused = server.ask(STREAM).await;
    assert_eq!((refused.status(), refused.head.all("retry-after")), (503, vec!["1".to_owned()]));
    assert_eq!(refused.into_json().await, json!({ "detail": detail }));

    let status = server.process.exits_within(LIMIT).await;
    assert!(status.success(), "{status}: {}", server.process.text());
    assert!(began.elapsed() >= DRAIN, "it left after {:?}", began.elapsed());
    assert!(began.elapsed() < DRAIN + BUSY, "it left after {:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_that_somebody_keeps_does_not_keep_the_server() {
    let table = Table::create(SENTIMENTS).await;
    let server = Server::start(&table, &[("SERVER_DRAIN", "0s")]).await.ready().await;
    // One that has asked for nothing yet, and a stream that is not read to its end.
    let _idle = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let _unread = SseClient::connect(server.get(STREAM)).await;
    let began = Instant::now();
    server.terminate();
    let status = server.process.exits_within(LIMIT).await;
    assert!(status.success() && began.elapsed() < BUSY, "{status} after {:?}", began.elapsed());
}
