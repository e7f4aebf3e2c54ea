//! What callers of the REST API send: bodies of configurations and cursors of pages, read or refused, never a panic.
#![no_main]

use contract::limits;
use lambda::dashboard::draft::Draft;
use libfuzzer_sys::fuzz_target;
use stream_core::page::Place;

fuzz_target!(|bytes: &[u8]| {
    if let Some(place) = std::str::from_utf8(bytes).ok().and_then(Place::parse) {
        assert_eq!(Place::parse(&place.to_text()), Some(place));
    }
    let Ok(body) = serde_json::from_slice(bytes) else { return };
    match Draft::parse(&body) {
        Ok(Draft { name, tickers }) => {
            assert!((1..=limits::CONFIGURATION_NAME_CHARS_MAX).contains(&name.chars().count()));
            assert!(name.trim() == name && !name.contains(char::is_control));
            assert!((1..=limits::CONFIGURATION_TICKERS_MAX).contains(&tickers.len()));
            for (index, ticker) in tickers.iter().enumerate() {
                let text = ticker.as_str();
                assert!((1..=limits::TAG_BYTES_MAX).contains(&text.len()));
                // It can stand in a list of the query, and comes back from it.
                assert!(text.trim() == text && !text.contains(',') && !text.contains(char::is_control), "{text:?}");
                assert!(!tickers[..index].contains(ticker));
            }
        }
        // What is said of them is short, whatever was sent: no more than one for each field.
        Err(faults) => assert!((1..=1 + limits::CONFIGURATION_TICKERS_MAX).contains(&faults.len())),
    }
});
