//! Credentials that end while the program runs: what the log says, and those that are asked for again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::net::TcpListener;

use super::{LIMIT, STREAM, assert_has, config, connect, counts};
use crate::emulator::Emulator;
use crate::support::clock::{rfc3339, until};
use crate::support::http1::Connection;
use crate::support::local::Local;
use crate::support::process::lock;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sse::SseClient;
use crate::support::table::{Row, SENTIMENTS, Table};

/// What the address of the credentials must be told.
const TOKEN: &str = "Bearer of these tests";
/// Life of the credentials that it gives.
const LIFE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn credentials_that_expire_are_one_line_that_says_what_to_do() {
    let table = Table::create(SENTIMENTS).await;
    table.put(&Row::new("before", "positive", &["X"])).await;
    let proxy = Proxy::start().await;
    let emulator = Emulator::start(config(&table, proxy.address(), &[("SSE_HEARTBEAT_INTERVAL", "500ms")])).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    proxy.set(Mode::Expire);
    let said = || {
        let texts = emulator.logs().into_iter().map(|line| line.text);
        texts.filter(|text| text.contains("ExpiredTokenException")).collect::<Vec<_>>()
    };
    until("a line", LIMIT, || (!said().is_empty()).then_some(())).await;
    for _ in 0..5 {
        client.event("heartbeat", LIMIT).await;
    }
    let said = said();
    assert_eq!(said.len(), 1, "{said:#?}");
    for word in ["refused", "have expired", "AWS_ACCESS_KEY_ID", "start it again", "AWS_PROFILE"] {
        assert!(said[0].contains(word), "`{word}` is not in {}", said[0]);
    }
}

/// Serves keys for [`LIFE`] to whoever has the token, each under another name; the names in the order in which they were given.
async fn keys() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let given = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&given);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let names = Arc::clone(&names);
            tokio::spawn(async move {
                let mut connection = Connection::new(stream);
                while let Ok(Some(head)) = connection.head().await {
                    let (status, body) = match head.get("authorization") {
                        Some(token) if token == TOKEN => {
                            let mut names = lock(&names);
                            let name = format!("KEY{}", names.len());
                            names.push(name.clone());
                            let end = rfc3339(SystemTime::now() + LIFE);
                            let secret = "not secret";
                            (
                                200,
                                json!({ "AccessKeyId": name, "SecretAccessKey": secret, "Token": "t", "Expiration": end }),
                            )
                        }
                        _ => (403, json!({})),
                    };
                    let body = body.to_string();
                    let head = format!("HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: ");
                    let answer = format!("{head}{}\r\n\r\n{body}", body.len());
                    if connection.write(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, given)
}

#[tokio::test]
async fn keys_from_an_address_are_asked_for_again_before_they_expire() {
    let table = Table::create(SENTIMENTS).await;
    let proxy = Proxy::start().await;
    let (address, given) = keys().await;
    let (endpoint, keys) = (format!("http://{}", proxy.address()), format!("http://{address}/keys"));
    let mut env: HashMap<String, String> = table.env().into_iter().collect();
    let own = [
        ("STORE", "dynamodb"),
        ("SSE_POLL_INTERVAL", "500ms"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &keys),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN),
    ];
    env.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let local = Local::start(&env).await;
    let mut client = SseClient::connect(local.get(STREAM)).await;
    client.event("metrics", LIMIT).await;
    // The third ones: the first two have expired by then, or would have before the next poll.
    let third = || lock(&given).get(2).cloned();
    let third = until("keys given three times", LIMIT, third).await;
    until("a read with them", LIMIT, || {
        proxy.exchanges().iter().any(|one| one.key == third && one.status == 200).then_some(())
    })
    .await;
    table.put(&Row::new("after", "negative", &["X"])).await;
    let update = client.event("sentiment_update", LIMIT).await;
    assert!(update.data.contains("after"), "{update:?}");
    assert_has(&client.data("metrics", LIMIT).await, &counts(1, 0, 0, 1));
    // No request without keys, and none with others.
    let names = lock(&given).clone();
    for one in proxy.exchanges() {
        assert!(names.contains(&one.key), "{} with `{}`", one.operation, one.key);
    }
}
