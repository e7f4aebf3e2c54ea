//! What a handler wants to know of a request, parsed once.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use contract::routes;
use http::request::Parts;
use http::{HeaderMap, header};

use crate::error::ApiError;
use crate::ids::ConfigId;
use stream_core::filter::Filter;

/// Query parameters of the stream routes. Others are ignored: caches and proxies add them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamQuery {
    /// Tickers to narrow to.
    pub filter: Filter,
    /// Resume position.
    pub last_event_id: Option<String>,
}

impl StreamQuery {
    /// Parses a query string.
    ///
    /// # Errors
    /// [`ApiError`] for a known parameter that is malformed or comes twice.
    pub fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let [tickers, last_event_id] = parameters(query, [routes::TICKERS_QUERY, routes::LAST_EVENT_ID_QUERY])?;
        Ok(Self { filter: filter(tickers.as_deref())?, last_event_id })
    }
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

/// Reads the tickers that a request is narrowed to.
///
/// # Errors
/// [`ApiError`] with the ticker and the rule.
pub fn filter(tickers: Option<&str>) -> Result<Filter, ApiError> {
    Ok(tickers.map_or(Ok(Filter::all()), Filter::parse)?)
}

/// Returns the resume position as raw bytes, header before query; an empty one is none.
#[must_use]
pub fn last_event_id<'a>(headers: &'a HeaderMap, query: &'a StreamQuery) -> Option<&'a [u8]> {
    // Browsers send non-ASCII ids as raw bytes, which `HeaderValue::to_str` refuses.
    let header = headers.get(routes::LAST_EVENT_ID_HEADER).map(http::HeaderValue::as_bytes);
    header.or(query.last_event_id.as_deref().map(str::as_bytes)).filter(|id| !id.is_empty())
}

/// Whether the client is an EventSource, or acts like one.
#[must_use]
pub fn accepts_event_stream(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|text| {
            text.split(',').any(|part| {
                part.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
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

    #[test]
    fn known_parameters_come_once_and_unknown_ones_are_ignored() {
        let query = StreamQuery::parse(Some("tickers=AAPL%2CMSFT&x=1&last_event_id=evt_a")).unwrap();
        assert_eq!(query.last_event_id.as_deref(), Some("evt_a"));
        assert_eq!(query.filter, Filter::parse("AAPL,MSFT").unwrap());
        assert_eq!(StreamQuery::parse(None).unwrap(), StreamQuery::default());
        for bad in ["tickers=A&tickers=B", "tickers=", "tickers=A%00", "last_event_id=a&last_event_id=b"] {
            assert!(StreamQuery::parse(Some(bad)).is_err(), "{bad}");
        }
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
        headers.insert("last-event-id", http::HeaderValue::from_static(""));
        assert_eq!(last_event_id(&headers, &query), None);
    }
}
