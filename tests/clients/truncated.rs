//! What a browser does when it gets no whole answer to a reconnect: the one failure that it may not come back from by itself.
//!
//! Nothing of this is ours to change; it is why the page opens the stream anew where its EventSource has given up.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::browser::Kind;
use super::control::Origin;
use super::cutting::{Cut, How, When};
use super::scene::{LIMIT, Scene, server};
use crate::support::clock::until;
use crate::support::table::{Row, SENTIMENTS, Table};

/// Before the first byte, before the end of the content type, after it but before what allows another origin, and after both: they stand
/// first.
const CUTS: [usize; 4] = [0, 30, 60, 90];

#[tokio::test]
async fn browsers_differ_in_whether_a_cut_within_the_headers_is_final() {
    let table = Table::create(SENTIMENTS).await;
    let local = server(&table, &[]).await;
    let (table, local) = (&table, &local);
    let mut runs = Vec::new();
    for kind in Kind::ALL {
        for origin in [Origin::Same, Origin::Other] {
            for how in [How::Reset, How::Fin] {
                for bytes in CUTS {
                    runs.push(async move {
                        let scene = Scene::open_from(origin, kind, table, &[local]).await;
                        let away = Cut { when: When::BetweenAfter(1), how: How::Reset };
                        scene.front.cut([away, Cut { when: When::After(bytes), how }]);
                        // What makes the bytes flow that the first cut waits for.
                        table.put(&Row::new("x", "neutral", &["AAPL"])).await;
                        let outcome = || match (scene.source.state(), scene.front.visits().len()) {
                            (2, _) => Some("gives up"),
                            (_, 3..) => Some("comes back"),
                            _ => None,
                        };
                        let what = format!("{kind:?} {origin:?} {how:?} {bytes}");
                        let outcome = until(&what, LIMIT, outcome).await;
                        (what, outcome)
                    });
                }
            }
        }
    }
    let outcomes: BTreeMap<String, &str> = join_all(runs).await.into_iter().collect();
    let gave_up: Vec<&str> =
        outcomes.iter().filter(|(_, does)| **does == "gives up").map(|(what, _)| what.as_str()).collect();
    let expected = [
        // An orderly end is taken for the end of the headers: what is missing then was never said.
        "Chromium Other Fin 30",
        "Chromium Other Fin 60",
        "Chromium Same Fin 30",
        // From another origin, a connection that breaks before the headers are complete is taken for a refusal by CORS.
        "Firefox Other Fin 30",
        "Firefox Other Fin 60",
        "Firefox Other Reset 30",
        "Firefox Other Reset 60",
        "Firefox Other Reset 90",
        "Firefox Same Fin 30",
    ];
    assert_eq!(gave_up, expected, "{outcomes:#?}");
}
