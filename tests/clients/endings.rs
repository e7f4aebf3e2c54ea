//! A browser survives what ends a stream: its length, a process that is told to stop, a process that dies.

use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;

use super::browser::Kind;
use super::control::Origin;
use super::scene::{LIMIT, Scene, server};
use crate::support::clock::{BUSY, until};
use crate::support::table::{SENTIMENTS, Table};

/// A browser may be a little late, never early.
const EARLY_MAX: Duration = Duration::from_millis(50);
const LATE_MAX: Duration = BUSY;
/// How long nobody answers: some times the delay that the stream announced.
const AWAY: Duration = Duration::from_secs(2);

/// Waits for the announced end, and asserts that the browser comes back when it was told to.
async fn comes_back_as_told(scene: &mut Scene<'_>, reason: &str) {
    scene.hears("deadline", 1).await;
    // While it is away.
    scene.write("between").await;
    let ended = scene.ear.all("deadline")[0].clone();
    assert_eq!(ended.data["reason"], reason);
    let told = Duration::from_millis(ended.data["reconnect_ms"].as_u64().expect("milliseconds"));
    scene.visits(2).await;
    // By the clock of the proxy: what the browser reports, it reports when it has time.
    let visits = scene.front.visits();
    let stayed_away = visits[1].at - visits[0].last_bytes.expect("it was told of the end");
    let kind = scene.kind;
    assert!(told <= stayed_away + EARLY_MAX, "{kind:?}: back after {stayed_away:?}, was told {told:?}");
    assert!(stayed_away <= told + LATE_MAX, "{kind:?}: back after {stayed_away:?}, was told {told:?}");
    scene.write("after").await;
    scene.complete().await;
    scene.assert_returned_with_id();
    assert_eq!((scene.front.visits().len(), scene.source.state()), (2, 1), "{kind:?}");
}

#[tokio::test]
async fn a_browser_comes_back_after_a_planned_end() {
    join_all(Kind::ALL.map(|kind| async move {
        let table = Table::create(SENTIMENTS).await;
        let servers = [server(&table, &[("SSE_MAX_SESSION", "5s")]).await, server(&table, &[]).await];
        let mut scene = Scene::open(kind, &table, &[&servers[0], &servers[1]]).await;
        scene.write("before").await;
        comes_back_as_told(&mut scene, "session").await;
    }))
    .await;
}

#[tokio::test]
async fn a_browser_goes_on_at_another_process_when_its_own_is_told_to_stop() {
    join_all(Kind::ALL.map(|kind| async move {
        let table = Table::create(SENTIMENTS).await;
        let servers = [server(&table, &[]).await, server(&table, &[]).await];
        let mut scene = Scene::open(kind, &table, &[&servers[0], &servers[1]]).await;
        scene.write("before").await;
        servers[0].terminate();
        comes_back_as_told(&mut scene, "shutdown").await;
        assert_eq!(scene.front.visits()[1].server, servers[1].stream, "{kind:?}");
        assert!(servers[0].process.exits_within(LIMIT).await.success(), "{kind:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_browser_goes_on_at_another_process_when_its_own_died() {
    join_all(Kind::ALL.map(|kind| async move {
        let table = Table::create(SENTIMENTS).await;
        let servers = [server(&table, &[]).await, server(&table, &[]).await];
        let mut scene = Scene::open(kind, &table, &[&servers[0]]).await;
        scene.write("before").await;
        scene.complete().await;
        scene.front.route(&[servers[1].stream]);
        servers[0].process.signal(Signal::KILL);
        scene.write("while-away").await;
        scene.complete().await;
        scene.assert_returned_with_id();
        assert_eq!((scene.front.visits().len(), scene.source.state()), (2, 1), "{kind:?}");
    }))
    .await;
}

#[tokio::test]
async fn where_nobody_listens_browsers_go_on_trying_but_for_firefox_from_another_origin() {
    let cases = Kind::ALL.into_iter().flat_map(|kind| [Origin::Same, Origin::Other].map(|origin| (kind, origin)));
    join_all(cases.map(|(kind, origin)| async move {
        let table = Table::create(SENTIMENTS).await;
        let local = server(&table, &[]).await;
        let mut scene = Scene::open_from(origin, kind, &table, &[&local]).await;
        scene.front.listen(false);
        scene.write("while-away").await;
        tokio::time::sleep(AWAY).await;
        // It takes a refused connection for a refusal by CORS; then the page has to open the stream anew.
        if kind == Kind::Firefox && origin == Origin::Other {
            until("closed for good", LIMIT, || (scene.source.state() == 2).then_some(())).await;
        }
        scene.front.listen(true);
        if kind == Kind::Firefox && origin == Origin::Other {
            assert_eq!((scene.front.visits().len(), scene.source.state()), (1, 2), "{kind:?}");
            return;
        }
        scene.complete().await;
        scene.assert_returned_with_id();
        assert_eq!((scene.front.visits().len(), scene.source.state()), (2, 1), "{kind:?}");
    }))
    .await;
}
