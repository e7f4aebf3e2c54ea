//! Query strings, resume positions, and configuration ids: read or refused, never a panic; what is read obeys the limits.
#![no_main]

use std::collections::BTreeSet;

use contract::{Tag, limits, routes};
use lambda::request::{StreamQuery, config_id};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(id) = config_id(text) {
        assert!(
            (1..=64).contains(&id.as_str().len())
                && id.as_str().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
        );
    }
    let Ok(query) = StreamQuery::parse(Some(text)) else { return };
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    let values = |wanted| pairs.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| &**value);
    assert_eq!(values(routes::LAST_EVENT_ID_QUERY).collect::<Vec<_>>(), Vec::from_iter(query.last_event_id.as_deref()));
    let Some(list) = values(routes::TICKERS_QUERY).next() else { return assert!(query.filter.is_all()) };
    assert_eq!(values(routes::TICKERS_QUERY).count(), 1, "the second one must not be ignored");
    let tickers: BTreeSet<&str> = list.split(',').collect();
    assert!(tickers.len() <= limits::FILTER_TAGS_MAX);
    for ticker in tickers {
        assert!((1..=limits::TAG_BYTES_MAX).contains(&ticker.len()));
        assert!(query.filter.matches_tag(&Tag::new(ticker).expect("it was accepted in the list")));
    }
});
