//! The event that a Function URL makes of a request: payload format 2.0.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::clock::epoch_ms;
use crate::support::http1::Head;

/// Tells the emulator from which address a request is to come; removed before the event is made.
pub(crate) const SOURCE_IP: &str = "x-emulator-source-ip";

const DOMAIN_PREFIX: &str = "emulated";
const DOMAIN: &str = "emulated.lambda-url.us-east-1.on.aws";

/// Makes the event.
pub(super) fn event(head: &Head, body: &[u8], peer: IpAddr, request_id: &str) -> Value {
    let source_ip = head.get(SOURCE_IP).unwrap_or_else(|| peer.to_string());
    let (path, query) = head.word(1).split_once('?').unwrap_or((head.word(1), ""));
    let mut headers = headers(head);
    // A Function URL hands over the first address only: whatever the client wrote there.
    let forwarded = headers.get("x-forwarded-for").and_then(|before| before.split(',').next()).unwrap_or(&source_ip);
    let forwarded = forwarded.trim().to_owned();
    headers.insert("x-forwarded-for".into(), forwarded);
    headers.insert("x-forwarded-proto".into(), "https".into());
    headers.insert("x-forwarded-port".into(), "443".into());
    headers.insert("host".into(), DOMAIN.into());
    let user_agent = headers.get("user-agent").cloned();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": DOMAIN_PREFIX,
            "domainName": DOMAIN,
            "domainPrefix": DOMAIN_PREFIX,
            "http": {
                "method": head.word(0),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": user_agent,
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:10:00:00 +0000",
            "timeEpoch": epoch_ms(),
        },
        "isBase64Encoded": false,
    });
    if let Some(cookies) = head.get("cookie") {
        event["cookies"] = cookies.split("; ").collect();
    }
    if !query.is_empty() {
        event["queryStringParameters"] = json!(parameters(query));
    }
    if !body.is_empty() {
        match std::str::from_utf8(body).ok().filter(|_| is_text(head)) {
            Some(text) => event["body"] = text.into(),
            None => {
                event["body"] = STANDARD.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Lower-cased, repeated ones joined with commas; cookies have a place of their own.
fn headers(head: &Head) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let name = name.to_ascii_lowercase();
        if [SOURCE_IP, "cookie", "connection", "transfer-encoding"].contains(&name.as_str()) {
            continue;
        }
        let value = String::from_utf8_lossy(value);
        all.entry(name)
            .and_modify(|before| *before = format!("{before},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    all
}

/// Decoded, repeated ones joined with commas.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value);
        all.entry(decode(name)).and_modify(|before| *before = format!("{before},{value}")).or_insert(value);
    }
    all
}

/// Undoes percent-encoding; a plus sign is a blank.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex =
            text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_text(head: &Head) -> bool {
    let kind = head.get("content-type").unwrap_or_else(|| "text/plain".into());
    kind.starts_with("text/") || kind.starts_with("application/json") || kind.starts_with("application/xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_what_a_function_url_sends() {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let head = Head {
            start: "POST /a/b%20c?x=1&x=2&y=%C3%A9+z HTTP/1.1".into(),
            headers: vec![
                header("X-One", "a"),
                header("x-one", "b"),
                header("Cookie", "s=1; t=2"),
                header(SOURCE_IP, "192.0.2.7"),
                header("Content-Type", "application/json"),
            ],
        };
        let event = event(&head, b"{}", [127, 0, 0, 1].into(), "id");
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["rawPath"], "/a/b%20c");
        assert_eq!(event["rawQueryString"], "x=1&x=2&y=%C3%A9+z");
        assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "é z" }));
        assert_eq!(event["headers"]["x-one"], "a,b");
        assert_eq!(event["headers"].get(SOURCE_IP), None);
        assert_eq!(event["cookies"], json!(["s=1", "t=2"]));
        assert_eq!(event["requestContext"]["http"]["sourceIp"], "192.0.2.7");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
    }
}
