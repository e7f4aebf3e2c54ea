//! Events of invocations, made of what clients send: whatever they hold they are refused or become the request that they describe, never a
//! panic.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::COOKIE;
use lambda::serve::event::{Asked, EventError, Format, read};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    let context = &event["requestContext"];
    let Asked { request, source, format } = match read(&event) {
        Ok(asked) => asked,
        Err(EventError::Form) => {
            assert!(!context["http"].is_object() && !context["identity"].is_object());
            return;
        }
        Err(EventError::Target) => return,
    };
    let (method, from, query) = match format {
        Format::V1 => (&event["httpMethod"], &context["identity"]["sourceIp"], parameters(&event)),
        Format::V2 => (&context["http"]["method"], &context["http"]["sourceIp"], None),
    };
    assert_eq!(request.method().as_str(), method);
    // A header that names another source is never believed, and a source that is no address is none.
    assert_eq!(source.is_some(), from.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()), "{from}");
    // The target is one of this server, with nothing in it that is not ASCII and visible.
    let uri = request.uri();
    let text = uri.to_string();
    assert!(uri.scheme().is_none() && uri.authority().is_none() && uri.path().starts_with('/'), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('#'), "{text}");
    if let Some(expected) = query {
        let found = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        assert_eq!(found.into_owned().collect::<Vec<_>>(), expected, "{text}");
    }
    // No value comes from nowhere.
    let all = request.headers().iter().filter(|(name, _)| *name != COOKIE);
    for (name, value) in all {
        let is_sent = |map: &Value| {
            let named =
                map.as_object().into_iter().flatten().filter(|(sent, _)| sent.eq_ignore_ascii_case(name.as_str()));
            named
                .flat_map(|(_, sent)| sent.as_array().cloned().unwrap_or_else(|| vec![sent.clone()]))
                .any(|sent| sent.as_str().is_some_and(|sent| sent.as_bytes() == value.as_bytes()))
        };
        assert!(is_sent(&event["multiValueHeaders"]) || is_sent(&event["headers"]), "{name}");
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
    }
    let sent = event["body"].as_str().unwrap_or_default();
    let decoded = STANDARD.decode(sent).ok().filter(|_| event["isBase64Encoded"] == true);
    assert_eq!(request.body().as_ref(), decoded.as_deref().unwrap_or(sent.as_bytes()));
});

/// The parameters of a REST API's event; none of an event whose lists are no lists of texts, of which some are left out.
fn parameters(event: &Value) -> Option<Vec<(String, String)>> {
    let lists = event["multiValueQueryStringParameters"].as_object()?;
    let mut all = Vec::new();
    for (name, values) in lists {
        for value in values.as_array()? {
            all.push((name.clone(), value.as_str()?.to_owned()));
        }
    }
    (!lists.is_empty()).then_some(all)
}
