//! The decoder that the tests judge streams with: pieces make no difference, and what our encoder writes comes back.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use stream_core::encode;

#[path = "../../tests/support/decoder.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod decoder;

use decoder::{Decoder, Item, decode, events};

fuzz_target!(|input: (Vec<u8>, Vec<u8>, String)| {
    let (stream, cuts, data) = input;
    let whole = decode(&stream);
    let (mut decoder, mut rest, mut pieces) = (Decoder::default(), &stream[..], Vec::new());
    for cut in cuts {
        let (piece, after) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.extend(decoder.push(piece));
        rest = after;
    }
    pieces.extend(decoder.push(rest));
    assert_eq!(pieces, whole);
    for event in events(&whole) {
        assert!(!event.name.is_empty() && !event.name.contains(['\n', '\r']));
        assert!(!event.data.contains('\r') && !event.id.contains(['\n', '\r', '\0']));
    }

    let mut out = BytesMut::new();
    encode::retry(&mut out, std::time::Duration::from_millis(1234));
    encode::id(&mut out, "evt_a-Z_9");
    out.extend_from_slice(&encode::event_body("update", &data));
    let items = decode(&out);
    assert_eq!(items[0], Item::Retry(1234));
    let [event] = &events(&items)[..] else { panic!("not one event: {items:?}") };
    assert_eq!((event.name.as_str(), event.id.as_str(), event.has_id), ("update", "evt_a-Z_9", true));
    // By the standard every line end of the data comes back as LF.
    assert_eq!(event.data, data.replace("\r\n", "\n").replace('\r', "\n"));
    assert!(items.len() == 2, "nothing of it is ignored: {items:?}");
});
