//! What a handler wants to know of a request, parsed once.

use std::borrow::Cow;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use contract::{events, routes};
use http::request::Parts;
use http::{HeaderMap, header};

use crate::error::ApiError;
use crate::ids::ConfigId;
use stream_core::filter::Filter;

/// Query parameters of the stream routes. Others are ignored: caches and proxies add them. Whatever can be understood is: an
/// EventSource that is refused never comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamQuery {
    /// Tickers to narrow to.
    pub filter: Filter,
    /// Resume position: the last one that is not empty.
    pub last_event_id: Option<String>,
}

impl StreamQuery {
    /// Parses a query string.
    ///
    /// # Errors
    /// [`ApiError`] for tickers that are none, or too many.
    pub fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let ids = values(query, &routes::LAST_EVENT_ID_QUERIES).map(|id| id.trim().to_owned());
        Ok(Self { filter: filter(query)?, last_event_id: ids.filter(|id| !id.is_empty()).last() })
    }
}

/// Returns the values of the parameters with these names, in their order. Others are ignored.
fn values<'a>(query: Option<&'a str>, names: &'a [&str]) -> impl Iterator<Item = Cow<'a, str>> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.filter(|(name, _)| names.iter().any(|known| *known == name)).map(|(_, value)| value)
}

/// Returns the parameters of these names. Others are ignored.
///
/// # Errors
/// [`ApiError`] for one of them that comes twice.
pub fn parameters<const N: usize>(query: Option<&str>, names: [&str; N]) -> Result<[Option<String>; N], ApiError> {
    let mut found = [const { None }; N];
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let Some(index) = names.iter().position(|known| *known == name) else { continue };
        if found[index].replace(value.into_owned()).is_some() {
            return Err(ApiError::BadParameter(format!("`{name}` is given twice; it must be given once")));
        }
    }
    Ok(found)
}

/// Reads the tickers that a request is narrowed to: those of every `tickers` together, as a form with several fields sends them.
///
/// # Errors
/// [`ApiError`] with the ticker and the rule.
pub fn filter(query: Option<&str>) -> Result<Filter, ApiError> {
    let lists: Vec<_> = values(query, &[routes::TICKERS_QUERY]).collect();
    Ok(Filter::parse(&lists.join(","))?)
}

/// Returns the resume position as raw bytes: the header's, else the query's. An empty one is none.
#[must_use]
pub fn last_event_id<'a>(headers: &'a HeaderMap, query: &'a StreamQuery) -> Option<&'a [u8]> {
    // Browsers send non-ASCII ids as raw bytes, which `HeaderValue::to_str` refuses.
    let mut ids = headers.get_all(routes::LAST_EVENT_ID_HEADER).iter().map(|id| id.as_bytes().trim_ascii());
    ids.rfind(|id| !id.is_empty()).or(query.last_event_id.as_deref().map(str::as_bytes))
}

/// Whether the client is an EventSource, or acts like one.
#[must_use]
pub fn accepts_event_stream(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|text| {
            text.split(',').any(|part| {
                part.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(events::CONTENT_TYPE))
            })
        })
    })
}

/// Reads a configuration's id.
///
/// # Errors
/// [`ApiError::BadParameter`] with the rule.
pub fn config_id(text: &str) -> Result<ConfigId, ApiError> {
    ConfigId::new(text).ok_or_else(|| ApiError::BadParameter(format!("`config_id` must be {}", ConfigId::RULE)))
}

/// The configuration's id in the path of a request.
pub struct ConfigIdPath(pub ConfigId);

impl<S: Send + Sync> FromRequestParts<S> for ConfigIdPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        // What does not decode to UTF-8 is no id either; axum's own answer would not be JSON.
        config_id(&id.map_or_else(|_| String::new(), |Path(id)| id)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> StreamQuery {
        StreamQuery::parse(Some(query)).unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    #[test]
    fn a_query_is_understood_however_it_was_put_together() {
        let both = Filter::parse("AAPL,MSFT").unwrap();
        for tickers in [
            "tickers=AAPL,MSFT",
            "tickers=AAPL%2CMSFT",
            "tickers=AAPL%2cMSFT,",
            "tickers=AAPL,+MSFT",
            "tickers=AAPL,%20MSFT%0A",
            "tickers=AAPL&tickers=MSFT",
            "tickers=&tickers=AAPL,MSFT&tickers",
            "tickers=MSFT&x=1&tickers=AAPL,AAPL&",
            "%74ickers=AAPL,MSFT",
        ] {
            assert_eq!(parsed(tickers).filter, both, "{tickers}");
        }
        for all in ["", "&", "tickers", "tickers=", "tickers=,", "tickers=%20&tickers=", "Tickers=AAPL", "utm_source=x"]
        {
            assert_eq!(parsed(all), StreamQuery::default(), "{all}");
        }
        assert_eq!(StreamQuery::parse(None).unwrap(), StreamQuery::default());
        for bad in ["tickers=A%00", "tickers=A&tickers=%FF", &format!("tickers={}", "A".repeat(65))] {
            assert!(StreamQuery::parse(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_last_cursor_of_a_query_that_is_one_counts() {
        for (query, expected) in [
            ("last_event_id=a", Some("a")),
            ("lastEventId=a", Some("a")),
            ("last_event_id=a&last_event_id=b", Some("b")),
            ("last_event_id=a&lastEventId=b", Some("b")),
            ("lastEventId=b&last_event_id=a", Some("a")),
            ("last_event_id=a&lastEventId=", Some("a")),
            ("last_event_id=&lastEventId=a&last_event_id=%20", Some("a")),
            ("last_event_id=%20a+", Some("a")),
            ("last_event_id=", None),
            ("lastEventId&last_event_id", None),
            ("lasteventid=a", None),
        ] {
            assert_eq!(parsed(query).last_event_id.as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn parameters_that_are_one_value_come_once() {
        let [limit, after] = parameters(Some("limit=1&x=2&x=3"), ["limit", "after"]).unwrap();
        assert_eq!((limit.as_deref(), after), (Some("1"), None));
        assert!(parameters(Some("limit=1&limit=1"), ["limit"]).is_err());
    }

    #[test]
    fn the_accept_header_is_read_as_a_list() {
        let accepts = |text: &'static str| {
            accepts_event_stream(&HeaderMap::from_iter([(header::ACCEPT, http::HeaderValue::from_static(text))]))
        };
        assert!(accepts("text/event-stream"));
        assert!(accepts("application/json, Text/Event-Stream;q=0.9"));
        assert!(!accepts("*/*"));
        assert!(!accepts("text/event-streams"));
    }

    #[test]
    fn the_header_wins_over_the_query_and_need_not_be_text() {
        let query = StreamQuery { last_event_id: Some("q".into()), ..StreamQuery::default() };
        let mut headers = HeaderMap::new();
        assert_eq!(last_event_id(&headers, &query), Some(&b"q"[..]));
        headers.insert("last-event-id", http::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(last_event_id(&headers, &query), Some(&b"\xff\xfe"[..]));
        headers.append("last-event-id", http::HeaderValue::from_static(" "));
        assert_eq!(last_event_id(&headers, &query), Some(&b"\xff\xfe"[..]));
        headers.insert("last-event-id", http::HeaderValue::from_static(""));
        assert_eq!(last_event_id(&headers, &query), Some(&b"q"[..]), "an empty header says nothing");
        assert_eq!(last_event_id(&headers, &StreamQuery::default()), None);
    }
}
