//! The event that a REST API of API Gateway makes of a request to a proxy resource: format 1.0.
//!
//! As AWS documents it ("Lambda proxy integrations", input format): the path without the stage, the query decoded, headers with the names
//! that the client wrote, each map twice (the last value, and all of them), `null` where there is nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::event::{SOURCE_IP, decode};
use crate::support::clock::epoch_ms;
use crate::support::http1::Head;

/// The stage, the first part of every path that is asked.
pub(crate) const STAGE: &str = "live";
/// What the API answers, with 403, where there is no such stage or route.
pub(super) const NO_ROUTE: &str = r#"{"message":"Missing Authentication Token"}"#;

const API_ID: &str = "a1b2c3d4e5";

/// Makes the event; nothing where the target is not of the stage.
pub(super) fn event(head: &Head, body: &[u8], peer: IpAddr, request_id: &str) -> Option<Value> {
    let source_ip = head.get(SOURCE_IP).unwrap_or_else(|| peer.to_string());
    let (target, query) = head.word(1).split_once('?').unwrap_or((head.word(1), ""));
    let path = target.strip_prefix('/')?.strip_prefix(STAGE).filter(|path| path.starts_with('/'))?;
    let domain = format!("{API_ID}.execute-api.us-east-1.amazonaws.com");
    let mut headers = headers(head);
    let forwarded = headers.entry("X-Forwarded-For".into()).or_default();
    // Appended to what the client wrote.
    let before = forwarded.join(", ");
    *forwarded = vec![if before.is_empty() { source_ip.clone() } else { format!("{before}, {source_ip}") }];
    headers.insert("X-Forwarded-Proto".into(), vec!["https".into()]);
    headers.insert("Host".into(), vec![domain.clone()]);
    let parameters = parameters(query);
    let text = std::str::from_utf8(body).ok();
    let body = match text {
        Some("") => Value::Null,
        Some(text) => text.into(),
        None => STANDARD.encode(body).into(),
    };
    Some(json!({
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": head.word(0),
        "headers": last(&headers),
        "multiValueHeaders": headers,
        "queryStringParameters": last(&parameters),
        "multiValueQueryStringParameters": if parameters.is_empty() { Value::Null } else { json!(parameters) },
        "pathParameters": { "proxy": path.trim_start_matches('/') },
        "stageVariables": null,
        "requestContext": {
            "resourceId": "0f1e2d",
            "resourcePath": "/{proxy+}",
            "httpMethod": head.word(0),
            "extendedRequestId": "aBcDeFgHIAMEsXg=",
            "requestTime": "29/Nov/2026:10:00:00 +0000",
            "path": target,
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": STAGE,
            "domainPrefix": API_ID,
            "requestTimeEpoch": epoch_ms(),
            "requestId": request_id,
            "identity": {
                "cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null, "caller": null,
                "sourceIp": source_ip, "principalOrgId": null, "accessKey": null, "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null, "userArn": null, "userAgent": head.get("user-agent"), "user": null,
            },
            "domainName": domain,
            "apiId": API_ID,
        },
        "body": body,
        "isBase64Encoded": text.is_none(),
    }))
}

type Lists = BTreeMap<String, Vec<String>>;

/// The last value of each; `null` where there is none.
fn last(lists: &Lists) -> Value {
    let last: BTreeMap<_, _> = lists.iter().filter_map(|(name, values)| Some((name, values.last()?))).collect();
    if last.is_empty() { Value::Null } else { json!(last) }
}

/// Of names that differ in case only the first one's spelling stands for all.
fn headers(head: &Head) -> Lists {
    let mut all = Lists::new();
    for (name, value) in &head.headers {
        if [SOURCE_IP, "connection", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let known = all.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
        all.entry(known.unwrap_or_else(|| name.clone())).or_default().push(String::from_utf8_lossy(value).into_owned());
    }
    all
}

fn parameters(query: &str) -> Lists {
    let mut all = Lists::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        all.entry(decode(name)).or_default().push(decode(value));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_what_a_rest_api_sends() {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let head = Head {
            start: "POST /live/a/b%20c?x=1&x=2&y=%C3%A9+z HTTP/1.1".into(),
            headers: vec![
                header("X-One", "a"),
                header("x-one", "b"),
                header("Cookie", "s=1"),
                header(SOURCE_IP, "192.0.2.7"),
            ],
        };
        let made = event(&head, b"\xff", [127, 0, 0, 1].into(), "id").unwrap();
        assert_eq!((&made["path"], &made["requestContext"]["path"]), (&json!("/a/b%20c"), &json!("/live/a/b%20c")));
        assert_eq!(made["queryStringParameters"], json!({ "x": "2", "y": "é z" }));
        assert_eq!(made["multiValueQueryStringParameters"], json!({ "x": ["1", "2"], "y": ["é z"] }));
        assert_eq!((&made["headers"]["X-One"], &made["multiValueHeaders"]["X-One"]), (&json!("b"), &json!(["a", "b"])));
        assert_eq!(made["headers"]["X-Forwarded-For"], "192.0.2.7");
        assert_eq!(made["requestContext"]["identity"]["sourceIp"], "192.0.2.7");
        assert_eq!((&made["body"], &made["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
        for target in ["GET / HTTP/1.1", "GET /api HTTP/1.1", "GET /lives/api HTTP/1.1"] {
            let head = Head { start: target.into(), headers: Vec::new() };
            assert_eq!(event(&head, b"", [127, 0, 0, 1].into(), "id"), None, "{target}");
        }
    }
}
