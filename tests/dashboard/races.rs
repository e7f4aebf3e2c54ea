//! Writes at the same moment: nobody's row is lost, none comes back, and there are never too many.

use futures_util::future::join_all;
use serde_json::Value;

use super::{USER, answer, body, concurrent, function_at};
use crate::emulator::Emulator;
use crate::support::client::Request;
use crate::support::dynamodb::{call, put_configuration};
use crate::support::proxy::Proxy;
use crate::support::table::{SENTIMENTS, Table};
use contract::routes;

async fn status(emulator: &Emulator, method: &str, target: &str, user: &str, json: Option<&Value>) -> u16 {
    let request = Request::new(emulator.address(), method, target).header(USER, user);
    json.map_or(request.clone(), |json| request.json(json)).send().await.status()
}

async fn list(emulator: &Emulator, user: &str) -> Vec<Value> {
    let request = Request::get(emulator.address(), routes::CONFIGURATIONS).header(USER, user);
    answer(request.send().await, 200).await["configurations"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_configuration_that_is_deleted_while_it_is_changed_stays_deleted() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = concurrent(&table).await;
    for round in 0..8 {
        // A user for each round: a change costs everybody the same.
        let user = format!("user{round}");
        let target = routes::CONFIGURATION.replace("{config_id}", "c");
        put_configuration(&table.users, &user, "c", &["A"]).await;
        let wanted = body("changed", &["B"]);
        let (emulator, user, target, wanted) = (&emulator, user.as_str(), target.as_str(), &wanted);
        let puts = join_all((0..6).map(|_| status(emulator, "PUT", target, user, Some(wanted))));
        let deletes = join_all((0..3).map(|_| status(emulator, "DELETE", target, user, None)));
        let (puts, deletes) = tokio::join!(puts, deletes);
        assert!(puts.iter().all(|status| [200, 404].contains(status)), "{puts:?}");
        assert_eq!(deletes.iter().filter(|status| **status == 204).count(), 1, "{deletes:?}");
        assert_eq!(list(emulator, user).await, Vec::<Value>::new(), "round {round}");
    }
    let rows = call("Scan", &serde_json::json!({ "TableName": table.users, "ConsistentRead": true })).await;
    assert_eq!(rows["Count"], 0, "{rows}");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once_and_told_as_made() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let emulator = function_at(&table, proxy.address()).await;
    for round in 0..3 {
        let user = format!("user{round}");
        proxy.lose("PutItem");
        let wanted = body(&format!("n{round}"), &["A", "B"]);
        let made = Request::new(emulator.address(), "POST", routes::CONFIGURATIONS).header(USER, &user).json(&wanted);
        let made = answer(made.send().await, 201).await;
        assert_eq!(list(&emulator, &user).await, std::slice::from_ref(&made));
        let target = routes::CONFIGURATION.replace("{config_id}", made["config_id"].as_str().unwrap());
        proxy.lose("UpdateItem");
        assert_eq!(status(&emulator, "PUT", &target, &user, Some(&body("other", &["C"]))).await, 200);
        assert_eq!(list(&emulator, &user).await[0]["tickers"], serde_json::json!(["C"]));
        proxy.lose("DeleteItem");
        assert_eq!(status(&emulator, "DELETE", &target, &user, None).await, 204);
        assert_eq!(status(&emulator, "DELETE", &target, &user, None).await, 404, "it is gone");
        proxy.lose("UpdateItem");
        assert_eq!(status(&emulator, "PUT", &target, &user, Some(&body("back", &["C"]))).await, 404);
    }
    let rows = call("Scan", &serde_json::json!({ "TableName": table.users, "ConsistentRead": true })).await;
    assert_eq!(rows["Count"], 0, "{rows}");
    assert_eq!((proxy.count("PutItem"), proxy.count("DeleteItem")), (6, 9));
}

#[tokio::test]
async fn none_is_lost_and_none_is_too_many_when_all_are_made_at_once() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = &concurrent(&table).await;
    let create = async |user: &str, n: usize| {
        status(emulator, "POST", routes::CONFIGURATIONS, user, Some(&body(&format!("n{n}"), &["A"]))).await
    };
    let made = join_all((0..20).map(|n| create("ann", n))).await;
    assert_eq!(made, [201; 20]);
    assert_eq!(list(emulator, "ann").await.len(), 20);

    for n in 0..45 {
        put_configuration(&table.users, "bob", &format!("c{n}"), &["A"]).await;
    }
    let made = join_all((0..20).map(|n| create("bob", n))).await;
    let kept = made.iter().filter(|status| **status == 201).count();
    assert!(made.iter().all(|status| [201, 409].contains(status)), "{made:?}");
    assert!(kept <= 5, "{made:?}");
    assert_eq!(list(emulator, "bob").await.len(), 45 + kept, "who was told 201 has it, and nobody else");
}
