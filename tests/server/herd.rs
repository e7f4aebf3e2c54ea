//! A herd: all who were sent away by another server come at once.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{LIMIT, STREAM};
use crate::support::server::Server;
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

const HERD: usize = 2_000;
/// A connection that does not fit into the backlog is tried again by the system after one second, three, seven: a herd that fits is in before
/// the third try of anybody.
const IN_TIME: Duration = Duration::from_secs(7);

#[tokio::test]
async fn two_thousand_who_come_at_once_are_all_let_in() {
    // Each client is a descriptor of this process too.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["AAPL"])).await;
    let more = [("SSE_MAX_CONNECTIONS", "2000"), ("SSE_CONNECTIONS_PER_CLIENT", "2000")];
    let server = Server::start(&table, &more).await.ready().await;
    let began = Instant::now();
    let herd = (0..HERD).map(|_| async {
        let mut client = SseClient::connect(server.get(STREAM)).await;
        client.event("metrics", LIMIT).await;
        client
    });
    let mut herd = join_all(herd).await;
    let took = began.elapsed();
    println!("{HERD} streams had their first metrics after {took:?}");
    assert!(took < IN_TIME, "{took:?}");
    let status = server.ask(contract::routes::STREAM_STATUS).await.into_json().await;
    assert_eq!(status["connections"], HERD);
    table.put(&Row::new("b", "positive", &["AAPL"])).await;
    for client in &mut herd {
        assert_eq!(client.data("sentiment_update", LIMIT).await["item_id"], "b");
    }
}
