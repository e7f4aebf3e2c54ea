//! The table fails, throttles, hangs or is gone while streams are open.

use std::time::Duration;

use contract::limits::INIT_READ_TIMEOUT;

use super::{LIMIT, assert_has, config, connect, counts, names, pairs, updates};
use crate::emulator::Emulator;
use crate::support::clock::{BUSY, until};
use crate::support::proxy::{Mode, Proxy};
use crate::support::table::{Row, SENTIMENTS, Table};

/// A read that hangs is given up after ten seconds, and the next try may wait a little.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);

/// Breaks the table under an open stream, looks at what the client gets, and mends it.
async fn check(mode: Mode) {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("before", "positive", &["X"])).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[("SSE_HEARTBEAT_INTERVAL", "500ms")])).await;
    let mut client = connect(&emulator, "").await;
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 1, 0, 0));

    proxy.set(mode);
    // What is under way must not see the row that comes now.
    proxy.settled(LIMIT).await;
    let quiet = emulator.logs().len();
    table.put(&Row::new("meanwhile", "negative", &["X"])).await;
    let from = client.seen().len();
    for _ in 0..5 {
        client.event("heartbeat", LIMIT).await;
    }
    let broken = names(&client.seen()[from..]);
    assert!(broken.iter().all(|name| name == "heartbeat"), "{mode:?}: {broken:?}");

    // A client that comes now hears that the stream lives, and no numbers that nobody knows.
    let second = Emulator::start(config(&table, proxy.address(), &[("SSE_HEARTBEAT_INTERVAL", "500ms")])).await;
    let mut late = connect(&second, "").await;
    for _ in 0..2 {
        late.event("heartbeat", LIMIT).await;
    }
    assert!(names(late.seen()).iter().all(|name| name == "heartbeat"), "{mode:?}: {:?}", names(late.seen()));
    let init = second.invocations()[0].init.expect("its first request");
    assert!(init < INIT_READ_TIMEOUT + BUSY, "{mode:?}: {init:?}");

    proxy.set(Mode::Pass);
    let update = client.event("sentiment_update", RECOVERY_LIMIT).await;
    assert!(update.data.contains("meanwhile"), "{update:?}");
    assert_has(&client.data("metrics", LIMIT).await, &counts(2, 1, 0, 1));
    assert_eq!(updates(client.seen()), pairs(&[("meanwhile", "X")]));
    assert_has(&late.data("metrics", RECOVERY_LIMIT).await, &counts(2, 1, 0, 1));
    client.check().await;

    // One line when it broke and one when it works again, not one for each poll.
    let said = || {
        let texts = emulator.logs().split_off(quiet).into_iter().map(|line| line.text);
        texts.filter(|text| text.contains("table")).collect::<Vec<String>>()
    };
    // Lines are written beside the streams, and may come after what a stream wrote later.
    until("both lines", LIMIT, || (said().len() >= 2).then_some(())).await;
    assert_eq!(said().len(), 2, "{mode:?}: {:#?}", said());
}

#[tokio::test]
async fn a_failing_table_stops_the_numbers_and_not_the_stream() {
    check(Mode::Fail).await;
}

#[tokio::test]
async fn a_throttling_table_stops_the_numbers_and_not_the_stream() {
    check(Mode::Throttle).await;
}

#[tokio::test]
async fn a_throttled_account_stops_the_numbers_and_not_the_stream() {
    check(Mode::ThrottleAccount).await;
}

#[tokio::test]
async fn a_hanging_table_stops_the_numbers_and_not_the_stream() {
    check(Mode::Hang).await;
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_stops_the_numbers_and_not_the_stream() {
    check(Mode::Refuse).await;
}

#[tokio::test]
async fn connections_that_died_while_the_environment_was_frozen_are_not_noticed() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[("SSE_MAX_SESSION", "5s")])).await;
    let mut client = connect(&emulator, "").await;
    client.until_end(LIMIT).await;
    emulator.finished(0, LIMIT).await;
    until("frozen", LIMIT, || emulator.is_frozen(0).then_some(())).await;
    // As a load balancer does with connections that are idle for long.
    proxy.set(Mode::Refuse);
    until("gone", LIMIT, || std::net::TcpStream::connect(proxy.address()).is_err().then_some(())).await;
    proxy.set(Mode::Pass);
    until("back", LIMIT, || std::net::TcpStream::connect(proxy.address()).is_ok().then_some(())).await;
    table.put(&Row::new("a", "positive", &["X"])).await;
    let mut client = connect(&emulator, "").await;
    let (_, at) = client.arrival("metrics", LIMIT).await;
    // A read that is given up takes ten seconds.
    assert!(at - client.response().sent < BUSY, "{:?}", at - client.response().sent);
    assert_eq!(emulator.environments(), 1);
    let said: Vec<String> =
        emulator.logs().into_iter().map(|line| line.text).filter(|text| text.contains("fail")).collect();
    assert_eq!(said, [""; 0]);
}

#[tokio::test]
async fn while_the_table_fails_it_is_asked_less_often() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[("SSE_POLL_INTERVAL", "100ms")])).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    proxy.set(Mode::Fail);
    let before = proxy.count("Query");
    let time = Duration::from_secs(6);
    client.during(time).await;
    let asked = proxy.count("Query") - before;
    // Three queries for each poll, each tried four times within a quarter of a second: 200 without a pause that grows.
    assert!(asked <= 120, "{asked} queries in {time:?}");
}
