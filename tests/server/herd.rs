//! A herd: all who were sent away by another server come at once.

use std::time::Instant;

use futures_util::future::join_all;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::net::TcpStream;

use super::{LIMIT, STREAM};
use crate::support::clock::BUSY;
use crate::support::server::Server;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

const HERD: usize = 2_000;
#[tokio::test]
async fn two_thousand_who_come_at_once_are_all_let_in() {
    // Each client is a descriptor of this process too.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    let more = [("SSE_MAX_CONNECTIONS", "2000"), ("SSE_CONNECTIONS_PER_CLIENT", "2000")];
    let server = Server::start(&table, &more).await.ready().await;
    // It accepts nobody now: who is let in all the same waits in the backlog, and who does not fit waits for ever.
    server.process.signal(Signal::STOP);
    let waiting = join_all((0..HERD).map(|_| TcpStream::connect(server.address)));
    let waiting = tokio::time::timeout(BUSY, waiting).await.expect("the backlog has room for all");
    assert!(waiting.iter().all(Result::is_ok), "{waiting:?}");
    server.process.signal(Signal::CONT);
    drop(waiting);
    let began = Instant::now();
    let herd = (0..HERD).map(|_| async {
        let mut client = SseClient::connect(server.get(STREAM)).await;
        client.event("metrics", LIMIT).await;
        client
    });
    let mut herd = join_all(herd).await;
    println!("{HERD} streams had their first metrics after {:?}", began.elapsed());
    let status = server.ask(contract::routes::STREAM_STATUS).await.into_json().await;
    assert_eq!(status["connections"], HERD);
    table.put(&Row::new("b", "positive", &["AAPL"])).await;
    for client in &mut herd {
        assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "b");
    }
}
