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
    let ids = pairs.iter().filter(|(name, _)| routes::LAST_EVENT_ID_QUERIES.iter().any(|known| known == name));
    let id = ids.map(|(_, value)| value.trim()).rfind(|id| !id.is_empty());
    assert_eq!(query.last_event_id.as_deref(), id);
    let lists = values(routes::TICKERS_QUERY).flat_map(|list| list.split(','));
    let tickers: BTreeSet<&str> = lists.map(str::trim).filter(|ticker| !ticker.is_empty()).collect();
    assert_eq!(query.filter.is_all(), tickers.is_empty());
    assert!(tickers.len() <= limits::FILTER_TAGS_MAX);
    for ticker in tickers {
        assert!((1..=limits::TAG_BYTES_MAX).contains(&ticker.len()));
        assert!(query.filter.matches_tag(&Tag::new(ticker).expect("it was accepted in the list")));
    }
});
