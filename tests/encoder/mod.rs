//! Any payload comes back through the encoder: read by a decoder of this crate, a Rust crate, Python's `httpx-sse` and Node's
//! `eventsource-parser`, each fed in random pieces.

use bytes::BytesMut;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use stream_core::encode;

use crate::support::decoder::{decode, events};
use crate::support::external::{Decoded, eventsource_parser, httpx_sse};
use crate::support::sse::agree;

const EVENT: &str = "sentiment_update";
const ID: &str = "evt_AdiSAaIIAI_G1XkfDWZrOd29nRAeVSnno7kMhHwDyajSgL9GIWPoFzV952yP";

/// Strings that encoders trip over, and strings of anything.
fn payload() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "",
        " ",
        "\r",
        "\n",
        "\r\n",
        "\n\n",
        "\r\r\n",
        ":",
        "data: x",
        "\nevent: reset\n\n",
        "id: 1",
        "retry: 0",
        "\0",
        "\u{feff}",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\u{b}",
        "\u{c}",
        "😀",
        "é",
        "\u{7f}",
        "\\",
        "\"",
    ]);
    let text = prop_oneof![hostile.prop_map(str::to_owned), any::<String>(), "[a-z]{0,40}"];
    prop::collection::vec(text, 0..8).prop_map(|parts| parts.concat())
}

fn sample(count: usize) -> Vec<String> {
    let mut runner = TestRunner::default();
    let strategy = payload();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("nothing is rejected").current()).collect()
}

fn stream(data: &str) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode::id(&mut out, ID);
    out.extend_from_slice(&encode::event_body(EVENT, data));
    out.to_vec()
}

async fn check(payloads: Vec<(String, String)>) {
    let streams: Vec<Vec<u8>> = payloads.iter().map(|(sent, _)| stream(sent)).collect();
    let (python, node) = (httpx_sse(&streams), eventsource_parser(&streams));
    for (index, (_, expected)) in payloads.iter().enumerate() {
        agree(&streams[index]).await;
        let ours = events(&decode(&streams[index]));
        assert_eq!(ours.len(), 1, "{expected:?}");
        assert_eq!((ours[0].name.as_str(), &ours[0].data), (EVENT, expected));
        let expected = [Decoded { event: EVENT.into(), data: expected.clone() }];
        assert_eq!(python[index], expected);
        assert_eq!(node[index], expected);
    }
}

#[tokio::test]
async fn any_text_in_our_events_comes_back_to_the_byte() {
    let mut payloads = sample(120);
    payloads.push("x\r\n\u{2028}😀\0".repeat(10_000));
    let as_json: Vec<(String, String)> = payloads
        .iter()
        .map(|text| serde_json::json!({ "source": text }).to_string())
        .map(|json| (json.clone(), json))
        .collect();
    for ((json, _), text) in as_json.iter().zip(&payloads) {
        let back: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(back["source"].as_str(), Some(text.as_str()));
    }
    check(as_json).await;
}

#[tokio::test]
async fn any_data_at_all_comes_back_but_for_the_kind_of_its_line_ends() {
    let mut payloads = sample(120);
    payloads.push("line\n".repeat(30_000));
    let normal = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    check(payloads.iter().map(|text| (text.clone(), normal(text))).collect()).await;
}
