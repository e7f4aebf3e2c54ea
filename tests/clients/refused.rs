//! A full instance: a browser stays away as long as it was told and comes back where it was; unless it is told so by a status.

use std::time::{Duration, Instant};

use contract::routes::STREAM;
use futures_util::future::join_all;

use super::browser::Kind;
use super::cutting::{Cut, How, When};
use super::scene::{LIMIT, Scene, server};
use crate::support::client::Request;
use crate::support::clock::{BUSY, until};
use crate::support::local::Local;
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};

/// A browser may be a little late, never early; timers are exact to some milliseconds.
const EARLY_MAX: Duration = Duration::from_millis(50);
const LATE_MAX: Duration = BUSY;

/// Cuts the browser's connection, and has somebody else take its slot before it is back.
async fn lose_the_slot(scene: &mut Scene<'_>, local: &Local) -> SseClient {
    scene.front.cut([Cut { when: When::BetweenAfter(1), how: How::Reset }]);
    // What makes the bytes flow that the cut waits for.
    scene.write("at-the-cut").await;
    let began = Instant::now();
    loop {
        let mut other = SseClient::open(Request::get(local.stream, STREAM)).await;
        assert!(began.elapsed() < LIMIT, "the slot never became free");
        if other.next(LIMIT).await.event().is_none_or(|event| event.name != "overloaded")
            && other.next(LIMIT).await.event().is_some_and(|event| event.name == "heartbeat")
        {
            return other;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_browser_survives_a_full_instance_and_comes_back_with_its_position() {
    join_all(Kind::ALL.map(|kind| async move {
        let table = Table::create(SENTIMENTS).await;
        let local = server(&table, &[("SSE_MAX_CONNECTIONS", "1")]).await;
        let mut scene = Scene::open(kind, &table, &[&local]).await;
        scene.write("live").await;
        scene.complete().await;
        let other = lose_the_slot(&mut scene, &local).await;
        scene.write("while-away").await;
        scene.hears("overloaded", 1).await;
        let refused = scene.ear.all("overloaded")[0].clone();
        let told = Duration::from_millis(refused.data["retry_after_ms"].as_u64().expect("milliseconds"));
        assert_eq!(refused.data["max_connections"], 1);
        scene.write("while-refused").await;
        drop(other);
        scene.visits(3).await;
        let visits = scene.front.visits();
        let stayed_away = visits[2].at - visits[1].at;
        assert!(told <= stayed_away + EARLY_MAX, "{kind:?}: back after {stayed_away:?}, was told {told:?}");
        assert!(stayed_away <= told + LATE_MAX, "{kind:?}: back after {stayed_away:?}, was told {told:?}");
        // The refusal carried no id: the position is still the one from before it.
        assert_eq!(visits[2].last_event_id, visits[1].last_event_id, "{kind:?}");
        scene.complete().await;
        scene.assert_returned_with_id();
        assert_eq!((visits.len(), scene.source.state()), (3, 1), "{kind:?}");
    }))
    .await;
}

#[tokio::test]
async fn with_reject_a_browser_gives_up_for_good() {
    join_all(Kind::ALL.map(|kind| async move {
        let table = Table::create(SENTIMENTS).await;
        let local = server(&table, &[("SSE_MAX_CONNECTIONS", "1"), ("SSE_WHEN_FULL", "reject")]).await;
        let mut scene = Scene::open(kind, &table, &[&local]).await;
        scene.front.cut([Cut { when: When::BetweenAfter(1), how: How::Reset }]);
        scene.write("at-the-cut").await;
        let other = take_when_rejecting(&local).await;
        until(&format!("{kind:?}: closed for good"), LIMIT, || (scene.source.state() == 2).then_some(())).await;
        // The slot is free again; nobody asks for it, not even after the delays that browsers have of themselves.
        drop(other);
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!((scene.front.visits().len(), scene.source.state()), (2, 2), "{kind:?}");
    }))
    .await;
}

async fn take_when_rejecting(local: &Local) -> SseClient {
    let began = Instant::now();
    loop {
        let mut other = SseClient::open(Request::get(local.stream, STREAM)).await;
        if other.response().status() == 200 {
            other.event("heartbeat", LIMIT).await;
            return other;
        }
        assert!(began.elapsed() < LIMIT, "the slot never became free");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
