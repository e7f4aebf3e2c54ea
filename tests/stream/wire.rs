//! The bytes: what hostile rows do to a stream, and whether four independent decoders read the same.

use std::time::Duration;

use super::{LIMIT, config, connect, function, names};
use crate::emulator::{Config, Emulator};
use crate::support::decoder::{decode, events};
use crate::support::dynamodb;
use crate::support::external::{Decoded, eventsource_parser, httpx_sse};
use crate::support::table::{Row, SENTIMENTS, Table};

/// So many streams begin without a wait, before so many others have waited.
const QUICK: usize = 5;
const SLOW_MAX: usize = 200;

#[tokio::test]
async fn hostile_rows_stay_data_and_four_decoders_agree() {
    let table = Table::create(SENTIMENTS).await;
    let emulator = function(&table, &[]).await;
    let mut client = connect(&emulator, "").await;
    client.event("metrics", LIMIT).await;
    let hostile = [
        "line\nevent: heartbeat\ndata: {}\n\n",
        "carriage\rid: evt_x\r\r",
        "both\r\n\r\nretry: 1\r\n",
        "separators \u{2028}\u{2029}\u{85}\u{b}\u{c}",
        "nul \0 and \u{feff} mark",
        "</script><img src=x onerror=alert(1)>",
        "漢字 😀 \u{202e}rtl",
        "\"quotes\\ and ${hcl} %{hcl}",
    ];
    for (n, text) in hostile.iter().enumerate() {
        table.put(&Row { source: (*text).into(), ..Row::new(&format!("{n} {text}"), "neutral", &["X"]) }).await;
    }
    for _ in hostile {
        client.event("sentiment_update", LIMIT).await;
    }
    let mut came: Vec<(String, String)> = Vec::new();
    for arrived in client.seen().iter().filter_map(|one| one.event()).filter(|event| event.name == "sentiment_update") {
        let data: serde_json::Value = serde_json::from_str(&arrived.data).unwrap();
        came.push((data["item_id"].as_str().unwrap().to_owned(), data["source"].as_str().unwrap().to_owned()));
    }
    came.sort();
    let expected: Vec<(String, String)> =
        hostile.iter().enumerate().map(|(n, text)| (format!("{n} {text}"), (*text).to_owned())).collect();
    assert_eq!(came, expected);
    assert_eq!(names(client.seen()).iter().filter(|name| *name == "heartbeat").count(), 1);

    client.check().await;
    let ours: Vec<Decoded> =
        events(&decode(client.bytes())).into_iter().map(|one| Decoded { event: one.name, data: one.data }).collect();
    let streams = [client.bytes().to_vec()];
    assert_eq!(httpx_sse(&streams)[0], ours);
    assert_eq!(eventsource_parser(&streams)[0], ours);
}

#[tokio::test]
async fn the_first_event_does_not_wait_for_a_delayed_acknowledgement() {
    let table = Table::create(SENTIMENTS).await;
    // On a busy machine the streams that were left are open for a while, so many that they must not fill it.
    let room = (QUICK + SLOW_MAX + 1).to_string();
    let config = config(&table, dynamodb::address(), &[("SSE_MAX_CONNECTIONS", &room)]);
    let emulator = Emulator::start(Config { concurrency_per_environment: 16, freeze: false, ..config }).await;
    // The first request pays for the start.
    connect(&emulator, "").await.event("metrics", LIMIT).await;
    // Without TCP_NODELAY each second small write waits 40 ms for the other side's acknowledgement; on a busy machine some wait for
    // other reasons.
    let (mut waits, mut quick) = (Vec::new(), 0);
    while quick < QUICK {
        assert!(waits.len() < QUICK + SLOW_MAX, "{waits:?}");
        let mut client = connect(&emulator, "").await;
        let (_, at) = client.arrival("heartbeat", LIMIT).await;
        let wait = at - client.response().sent;
        quick += usize::from(wait < Duration::from_millis(30));
        waits.push(wait);
    }
    println!("{waits:?}");
}
