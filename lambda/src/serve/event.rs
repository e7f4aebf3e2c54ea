//! The event of an invocation → a request: of a Function URL (payload format 2.0), or of a REST API of API Gateway (format 1.0).
//!
//! What of an event is missing or malformed is taken as not there; only what is no request at all is refused. Nothing of it panics:
//! the event is made of what a client sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use contract::routes;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::Value;

use crate::client_key::ClientKey;

/// Which form an event has. The answer in one piece differs with it, a streamed one does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of a REST API: decoded query, several values of a header each on their own.
    V1,
    /// Of a Function URL: query as it was sent, several values of a header joined with commas, cookies beside them.
    V2,
}

/// What an invocation asks.
#[derive(Debug)]
pub struct Asked {
    /// The request. Its target is a path and a query, without an authority.
    pub request: Request<Bytes>,
    /// Who connected, as the platform says; never a header, which a client can write itself.
    pub source: Option<ClientKey>,
    /// Form of the event.
    pub format: Format,
}

/// An event that is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Neither form.
    #[error(
        "the event is no request: it must be one of a Function URL, with `requestContext.http`, or of a REST API, with `requestContext.identity`"
    )]
    Form,
    /// A method or a path that HTTP has not.
    #[error("the event has no method or path that HTTP knows")]
    Target,
}

/// Reads an event.
///
/// # Errors
/// [`EventError`] for one that is no request.
pub fn read(event: &Value) -> Result<Asked, EventError> {
    let context = &event["requestContext"];
    let (format, method, path, source) = if context["http"].is_object() {
        (Format::V2, &context["http"]["method"], &event["rawPath"], &context["http"]["sourceIp"])
    } else if context["identity"].is_object() {
        (Format::V1, &event["httpMethod"], &event["path"], &context["identity"]["sourceIp"])
    } else {
        return Err(EventError::Form);
    };
    let query = match format {
        Format::V1 => query_of_maps(event),
        Format::V2 => event["rawQueryString"].as_str().unwrap_or_default().to_owned(),
    };
    let path = without_stage(path.as_str().unwrap_or_default(), context["stage"].as_str().unwrap_or_default());
    let method = method.as_str().and_then(|text| Method::from_bytes(text.as_bytes()).ok());
    let (Some(method), Some(uri)) = (method, target(path, &query)) else {
        return Err(EventError::Target);
    };
    let mut request = Request::new(body(event));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers(event);
    Ok(Asked { request, source: source.as_str().and_then(ClientKey::parse), format })
}

/// The path without the stage before a route. Whether it is there depends on the name that was asked and on the kind of API.
fn without_stage<'p>(path: &'p str, stage: &str) -> &'p str {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)).filter(|_| !stage.is_empty());
    rest.filter(|rest| rest.starts_with(routes::API) || *rest == routes::HEALTH).unwrap_or(path)
}

/// The path and query as a target. What has no place in one stands in it percent-encoded, as a client should have sent it.
fn target(path: &str, query: &str) -> Option<Uri> {
    let mut text = String::with_capacity(path.len() + query.len() + 2);
    if !path.starts_with('/') {
        text.push('/');
    }
    encode(&mut text, path, b"?#");
    if !query.is_empty() {
        text.push('?');
        encode(&mut text, query, b"#");
    }
    text.parse().ok()
}

/// Appends a text, with every byte encoded that is not printable ASCII, or is one of `more` or of those that no target has.
fn encode(target: &mut String, text: &str, more: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    const NEVER: &[u8] = b"\"<>\\^`{|}";
    for &byte in text.as_bytes() {
        if byte.is_ascii_graphic() && !NEVER.contains(&byte) && !more.contains(&byte) {
            target.push(byte.into());
        } else {
            target.extend(['%', HEX[usize::from(byte >> 4)].into(), HEX[usize::from(byte & 15)].into()]);
        }
    }
}

/// The query of a REST API's event: its parameters come decoded, those of one name in their order, the names in none.
fn query_of_maps(event: &Value) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in several(event, "multiValueQueryStringParameters", "queryStringParameters") {
        query.append_pair(name, value);
    }
    query.finish()
}

/// The texts of a map of lists, or, where there is none, of the map of single texts that stands beside it.
fn several<'e>(event: &'e Value, lists: &str, singles: &str) -> Vec<(&'e String, &'e str)> {
    let all = event[lists].as_object().filter(|lists| !lists.is_empty()).or(event[singles].as_object());
    let mut texts = Vec::new();
    for (name, value) in all.into_iter().flatten() {
        match value {
            Value::Array(list) => texts.extend(list.iter().filter_map(Value::as_str).map(|text| (name, text))),
            single => texts.extend(single.as_str().map(|text| (name, text))),
        }
    }
    texts
}

/// All headers that are ones. Bytes that are not ASCII stay as they are: an id of another server may hold them.
fn headers(event: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, text) in several(event, "multiValueHeaders", "headers") {
        let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(text.as_bytes()));
        // `try_append` refuses more than a header map can hold.
        if let (Ok(name), Ok(value)) = header
            && headers.try_append(name, value).is_err()
        {
            break;
        }
    }
    let cookies: Vec<&str> = event["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Ok(cookies) = HeaderValue::from_bytes(cookies.join("; ").as_bytes())
        && !cookies.is_empty()
    {
        headers.insert(COOKIE, cookies);
    }
    headers
}

/// The body. A text that says to be base64 and is not is taken as it is: whoever reads it says what is wrong with it.
fn body(event: &Value) -> Bytes {
    let text = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] == true
        && let Ok(bytes) = STANDARD.decode(text)
    {
        return bytes.into();
    }
    Bytes::copy_from_slice(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rest(more: &Value) -> Value {
        let mut event = json!({
            "resource": "/{proxy+}",
            "httpMethod": "GET",
            "path": "/api/v2/stream",
            "requestContext": { "stage": "live", "path": "/live/api/v2/stream", "identity": { "sourceIp": "192.0.2.7" } },
        });
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    }

    fn check_target(more: &Value, expected: &str) {
        assert_eq!(read(&rest(more)).unwrap().request.uri().to_string(), expected, "{more}");
    }

    #[test]
    fn a_rest_apis_path_has_no_stage_and_its_query_is_encoded_again() {
        check_target(&json!({}), "/api/v2/stream");
        check_target(
            &json!({ "queryStringParameters": null, "multiValueQueryStringParameters": null }),
            "/api/v2/stream",
        );
        check_target(&json!({ "path": "/a b/%2F/é?x#y" }), "/a%20b/%2F/%C3%A9%3Fx%23y");
        check_target(&json!({ "path": "api" }), "/api");
        check_target(&json!({ "path": "/live/api/v2/stream" }), "/api/v2/stream");
        check_target(&json!({ "path": "/live/health" }), "/health");
        check_target(&json!({ "path": "/live/other" }), "/live/other");
        check_target(&json!({ "path": "/lives/api/v2/stream" }), "/lives/api/v2/stream");
        check_target(&json!({ "path": "" }), "/");
        check_target(
            &json!({ "queryStringParameters": { "tickers": "B" }, "multiValueQueryStringParameters": { "tickers": ["A&B", "B"] } }),
            "/api/v2/stream?tickers=A%26B&tickers=B",
        );
        check_target(&json!({ "queryStringParameters": { "é": "a b", "y": 7 } }), "/api/v2/stream?%C3%A9=a+b");
    }

    #[test]
    fn every_value_of_a_header_comes_along_in_order() {
        let event = rest(&json!({
            "headers": { "Accept": "text/event-stream", "X-One": "b" },
            "multiValueHeaders": { "Accept": ["text/event-stream"], "X-One": ["a", "b"], "bad name": ["x"], "bad": ["a\nb", "é"] },
        }));
        let headers = read(&event).unwrap().request.headers().clone();
        let all = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        assert_eq!(all("x-one"), [b"a", b"b"]);
        assert_eq!(all("accept"), [b"text/event-stream"]);
        assert_eq!(all("bad"), ["é".as_bytes()]);
        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn a_function_urls_event_says_the_same_in_its_own_way() {
        let asked = read(&json!({
            "version": "2.0", "rawPath": "/api/v2/stream", "rawQueryString": "tickers=A%20B&x=1&x=2",
            "headers": { "x-one": "a,b" }, "cookies": ["s=1", "t=2"],
            "requestContext": { "stage": "$default", "http": { "method": "POST", "sourceIp": "192.0.2.7" } },
            "body": "b2s=", "isBase64Encoded": true,
        }));
        let asked = asked.unwrap();
        assert_eq!((asked.format, asked.source), (Format::V2, ClientKey::parse("192.0.2.7")));
        assert_eq!(asked.request.uri(), "/api/v2/stream?tickers=A%20B&x=1&x=2");
        assert_eq!(asked.request.headers()[COOKIE], "s=1; t=2");
        assert_eq!(asked.request.method(), Method::POST);
        assert_eq!(asked.request.body().as_ref(), b"ok");
    }

    #[test]
    fn a_body_that_is_no_base64_is_what_it_is() {
        for (body, is_encoded, expected) in
            [("b2s=", true, "ok"), ("b2s=", false, "b2s="), ("{}!", true, "{}!"), ("", true, "")]
        {
            let asked = read(&rest(&json!({ "body": body, "isBase64Encoded": is_encoded }))).unwrap();
            assert_eq!(asked.request.body().as_ref(), expected.as_bytes());
            assert_eq!((asked.format, asked.source), (Format::V1, ClientKey::parse("192.0.2.7")));
        }
        assert!(read(&rest(&json!({ "body": null }))).unwrap().request.body().is_empty());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for other in
            [json!(null), json!({}), json!([1]), json!({ "Records": [] }), json!({ "requestContext": { "elb": {} } })]
        {
            assert_eq!(read(&other).unwrap_err(), EventError::Form, "{other}");
        }
        for method in [json!(null), json!(""), json!("GE T"), json!(7)] {
            assert_eq!(read(&rest(&json!({ "httpMethod": method }))).unwrap_err(), EventError::Target);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[ -~]{0,24}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-zA-Z -]{0,8}|.{0,6}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_event_panics_and_a_target_is_read_back(
            fields in proptest::collection::vec(any_json(), 9), kind in 0..3_u8, path in ".{0,40}", value in ".{0,40}",
        ) {
            const KEYS: [&str; 9] = [
                "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "cookies", "body",
                "isBase64Encoded", "rawQueryString", "requestContext",
            ];
            let mut event = rest(&json!({ "path": path }));
            for (key, field) in KEYS.into_iter().zip(fields) {
                event[key] = field;
            }
            drop(read(&event));
            let context = json!({ "http": { "method": "GET", "sourceIp": value }, "identity": { "sourceIp": value } });
            event["requestContext"] = context;
            if kind == 0 {
                event["requestContext"]["http"] = Value::Null;
            }
            event["rawPath"] = path.clone().into();
            drop(read(&event));
            // A parameter arrives as it was sent, whatever it is.
            let asked = rest(&json!({ "path": path, "multiValueQueryStringParameters": { "tickers": [value] } }));
            if let Ok(asked) = read(&asked) {
                let query = asked.request.uri().query().unwrap_or_default().as_bytes();
                let pairs: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
                prop_assert_eq!(pairs, vec![("tickers".to_owned(), value)]);
            }
        }
    }
}
