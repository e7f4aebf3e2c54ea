//! A cold start: the table is reached during init, so that the first request finds everything warm.

use std::time::Duration;

use super::{LIMIT, config, connect};
use crate::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Cold starts of which the median is reported.
const STARTS: usize = 5;

#[tokio::test]
async fn init_reads_once_and_the_first_events_follow_at_once() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("a", "positive", &["X"])).await;
    let (mut inits, mut heartbeats, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let proxy = Proxy::start().await;
        let emulator = Emulator::start(config(&table, proxy.address(), &[])).await;
        let mut client = connect(&emulator, "").await;
        let (_, heartbeat) = client.arrival("heartbeat", LIMIT).await;
        let (_, numbers) = client.arrival("metrics", LIMIT).await;
        let invocation = &emulator.invocations()[0];
        let began = invocation.started.expect("it was answered");
        inits.push(invocation.init.expect("the first request started it"));
        heartbeats.push(heartbeat.saturating_duration_since(began));
        metrics.push(numbers.saturating_duration_since(began));
        // The read of init finds nothing and costs next to nothing; then each label is read once.
        let queries = proxy.exchanges();
        assert!(queries.len() >= 4, "{queries:?}");
        assert!(queries[0].values().iter().any(|text| text.starts_with("1970")), "{:?}", queries[0]);
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    println!(
        "median of {STARTS} cold starts: init {:?}, then heartbeat {:?} and metrics {:?} after the event",
        median(&mut inits),
        median(&mut heartbeats),
        median(&mut metrics)
    );
}
