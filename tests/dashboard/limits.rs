//! How often who may change something: so many times at once, and a time to come back at.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{LIMIT, USER, answer, body, function};
use crate::emulator::Emulator;
use crate::support::client::{Request, Response};
use crate::support::table::{SENTIMENTS, Table};
use contract::limits::{ADDRESS_TOKENS, ADDRESS_WRITES, USER_WRITES};
use contract::routes;

/// Tells the emulator which address a request is to come from.
const FROM: &str = "X-Emulator-Source-IP";

/// A change that is refused for another reason, before or after it is counted: it counts all the same, and costs no write.
async fn change(emulator: &Emulator, user: &str, address: &str) -> Response {
    let request = Request::new(emulator.address(), "POST", routes::CONFIGURATIONS).header(USER, user);
    request.header(FROM, address).json(&json!({})).send().await
}

async fn assert_refused(response: Response, wait: Duration) {
    let after: u64 = response.head.get("retry-after").unwrap().parse().unwrap();
    assert!((1..=wait.as_secs().max(1)).contains(&after), "{after}");
    let found = answer(response, 429).await;
    assert_eq!(found, json!({ "detail": "Too many changes. Try again later.", "retry_after": after }));
}

/// Repeats a change until it is refused, which a slow machine regains one for now and then; how many were not, and the refusal.
async fn until_refused(ask: impl AsyncFn() -> Response) -> (u32, Response) {
    for done in 0..USER_WRITES.burst + 100 {
        let response = ask().await;
        if response.status() == 429 {
            return (done, response);
        }
        assert!([400, 404].contains(&response.status()), "{:?}", response.head);
    }
    panic!("there is no end to it");
}

#[tokio::test]
async fn a_user_may_change_so_much_and_more_later_and_reads_are_free() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let list = async |user: &str| {
        Request::get(emulator.address(), routes::CONFIGURATIONS).header(USER, user).send().await.status()
    };
    let began = Instant::now();
    let (done, refused) = until_refused(async || change(&emulator, "ann", "192.0.2.1").await).await;
    let regained = u32::try_from(began.elapsed().as_millis() / USER_WRITES.every.as_millis()).unwrap();
    let most = USER_WRITES.burst + regained;
    assert!((USER_WRITES.burst..=most).contains(&done), "{done} changes, {regained} regained");
    assert_refused(refused, USER_WRITES.every).await;
    let elsewhere = until_refused(async || change(&emulator, "ann", "192.0.2.9").await).await.1;
    assert_refused(elsewhere, USER_WRITES.every).await;
    assert_eq!(change(&emulator, "bob", "192.0.2.1").await.status(), 400, "somebody else");
    for method in ["PUT", "DELETE"] {
        let target = routes::CONFIGURATION.replace("{config_id}", "a");
        let request = Request::new(emulator.address(), method, &target).header(USER, "ann").header(FROM, "192.0.2.1");
        let request = request.json(&body("a", &["A"]));
        assert_refused(until_refused(async || request.send().await).await.1, USER_WRITES.every).await;
    }
    for _ in 0..USER_WRITES.burst + 5 {
        assert_eq!(list("ann").await, 200);
    }
    let back = async {
        while change(&emulator, "ann", "192.0.2.1").await.status() == 429 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(USER_WRITES.every + LIMIT, back).await.expect("there is one more in time");
}

#[tokio::test]
async fn an_address_may_change_so_much_whoever_its_users_say_they_are() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut refused = 0;
    let began = Instant::now();
    for n in 0..ADDRESS_WRITES.burst + 20 {
        refused += u32::from(change(&emulator, &format!("user{n}"), "192.0.2.1").await.status() == 429);
    }
    let regained = u32::try_from(began.elapsed().as_millis() / ADDRESS_WRITES.every.as_millis()).unwrap();
    assert!(refused + regained + 1 >= 20 && refused <= 20, "{refused} refused, {regained} regained");
    // A header that the client writes itself is no other address.
    let forged = Request::new(emulator.address(), "POST", routes::CONFIGURATIONS).header(USER, "new");
    let forged = forged.header(FROM, "192.0.2.1").header("X-Forwarded-For", "203.0.113.5").json(&json!({}));
    if refused > 2 {
        assert!([400, 429].contains(&forged.send().await.status()));
    }
    assert_eq!(change(&emulator, "new", "192.0.2.2").await.status(), 400, "another address");
}

#[tokio::test]
async fn an_address_gets_so_many_users_and_not_more() {
    let local = crate::support::local::Local::start(&[]).await;
    let ask = |from: [u8; 4]| Request::new(local.dashboard, "POST", routes::AUTH_ANONYMOUS).from(from);
    let mut refusal = None;
    for _ in 0..ADDRESS_TOKENS.burst + 20 {
        let response = ask([127, 0, 0, 1]).send().await;
        if response.status() == 429 {
            refusal = Some(response);
            break;
        }
        assert_eq!(response.status(), 201);
        let _token: Value = response.into_json().await;
    }
    assert_refused(refusal.expect("there is an end to it"), ADDRESS_TOKENS.every).await;
    assert_eq!(ask([127, 0, 0, 2]).send().await.status(), 201, "another address");
}
