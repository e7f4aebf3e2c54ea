//! What a Function URL reads of a function's answer: the prelude of a stream, or the JSON of a buffered answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Way;

use crate::support::http1::find;

/// Content type of a stream that begins with a prelude.
pub(super) const CONTENT_TYPE: &str = "application/vnd.awslambda.http-integration-response";

/// Eight NUL bytes end the prelude.
const END: [u8; 8] = [0; 8];

/// Status, headers and cookies of an answer.
#[derive(Debug)]
pub(super) struct Prelude {
    pub json: Value,
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

/// Cuts the prelude off a stream that comes in any pieces.
#[derive(Default)]
pub(super) struct PreludeReader {
    buffer: Vec<u8>,
    done: bool,
}

impl PreludeReader {
    /// From here on everything is body.
    pub(super) fn finish(&mut self) {
        self.done = true;
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the next piece; returns the prelude once, and what belongs to the body.
    pub(super) fn push(&mut self, data: Vec<u8>) -> Result<(Option<Prelude>, Vec<u8>), String> {
        if self.done {
            return Ok((None, data));
        }
        self.buffer.extend_from_slice(&data);
        let Some(end) = find(&self.buffer, &END) else { return Ok((None, Vec::new())) };
        self.done = true;
        let rest = self.buffer.split_off(end + END.len());
        let json =
            serde_json::from_slice(&self.buffer[..end]).map_err(|error| format!("prelude is not JSON: {error}"))?;
        read(json).map(|prelude| (Some(prelude), rest))
    }
}

/// Reads the answer of a function behind a `BUFFERED` URL, or behind a REST API.
pub(super) fn buffered(way: Way, bytes: &[u8]) -> Result<(Prelude, Vec<u8>), String> {
    let json: Value = serde_json::from_slice(bytes).map_err(|error| format!("answer is not JSON: {error}"))?;
    if way == Way::RestApi {
        proxy_response(&json)?;
    } else if json.get("statusCode").is_none() {
        // Any other JSON is the body of a 200.
        let headers = vec![("content-type".into(), "application/json".into())];
        return Ok((Prelude { json, status: 200, headers }, bytes.to_vec()));
    }
    let text = json["body"].as_str().unwrap_or_default();
    let body = match json["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(text).map_err(|error| format!("body is not base64: {error}"))?,
        _ => text.as_bytes().to_vec(),
    };
    read(json).map(|prelude| (prelude, body))
}

/// What API Gateway documents of such an answer; it takes anything else for malformed.
fn proxy_response(json: &Value) -> Result<(), String> {
    const KEYS: [&str; 5] = ["body", "headers", "isBase64Encoded", "multiValueHeaders", "statusCode"];
    let keys = json.as_object().map(|all| all.keys().collect::<Vec<_>>()).unwrap_or_default();
    let is_known = keys.iter().all(|key| KEYS.contains(&key.as_str()));
    if is_known && json["statusCode"].is_u64() && json["body"].is_string() {
        return Ok(());
    }
    Err(format!("malformed Lambda proxy response: {keys:?}"))
}

fn read(json: Value) -> Result<Prelude, String> {
    let status = json["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let mut headers = Vec::new();
    for (name, value) in json["headers"].as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            // A header appended twice becomes an array, which a Function URL does not support.
            _ => return Err(format!("header `{name}` is not a string: {value}")),
        };
        if ["connection", "transfer-encoding", "content-length"].contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        headers.push((name.clone(), text));
    }
    for (name, values) in json["multiValueHeaders"].as_object().into_iter().flatten() {
        for value in values.as_array().into_iter().flatten() {
            headers.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
        }
    }
    for cookie in json["cookies"].as_array().into_iter().flatten() {
        headers.push(("set-cookie".into(), cookie.as_str().unwrap_or_default().to_owned()));
    }
    Ok(Prelude { json, status, headers })
}

/// The answer of the platform itself.
pub(super) fn platform_error(message: &str) -> (Vec<(String, String)>, Vec<u8>) {
    let headers = vec![("content-type".into(), "application/json".into())];
    (headers, json!({ "Message": message }).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prelude_is_found_in_any_pieces() {
        let bytes = b"{\"statusCode\":201,\"headers\":{\"a\":\"b\"},\"cookies\":[\"c=d\"]}\0\0\0\0\0\0\0\0data\0";
        for size in 1..bytes.len() {
            let mut reader = PreludeReader::default();
            let (mut found, mut body) = (None, Vec::new());
            for piece in bytes.chunks(size) {
                let (prelude, rest) = reader.push(piece.to_vec()).unwrap();
                found = found.or(prelude);
                body.extend(rest);
            }
            let prelude = found.unwrap();
            assert_eq!(prelude.status, 201);
            assert_eq!(prelude.headers, [("a".into(), "b".into()), ("set-cookie".into(), "c=d".into())]);
            assert_eq!(body, b"data\0");
        }
    }

    #[test]
    fn a_header_array_is_refused() {
        let error = read(json!({ "statusCode": 200, "headers": { "vary": ["a", "b"] } })).unwrap_err();
        assert_eq!(error, r#"header `vary` is not a string: ["a","b"]"#);
    }

    #[test]
    fn a_buffered_answer_may_be_base64_or_any_json() {
        let (prelude, body) =
            buffered(Way::FunctionUrl, br#"{"statusCode":404,"body":"b2s=","isBase64Encoded":true}"#).unwrap();
        assert_eq!((prelude.status, body.as_slice()), (404, &b"ok"[..]));
        let (prelude, body) = buffered(Way::FunctionUrl, br#"["x"]"#).unwrap();
        assert_eq!((prelude.status, body.as_slice()), (200, &br#"["x"]"#[..]));
        assert!(buffered(Way::FunctionUrl, b"plain").is_err());
    }

    #[test]
    fn a_rest_api_takes_no_key_that_it_does_not_know() {
        let (prelude, body) = buffered(
            Way::RestApi,
            br#"{"statusCode":200,"headers":{},"multiValueHeaders":{"set-cookie":["a=b","c=d"]},"body":"ok"}"#,
        )
        .unwrap();
        assert_eq!((prelude.headers.len(), body.as_slice()), (2, &b"ok"[..]));
        for bad in [r#"{"statusCode":200,"body":"ok","cookies":[]}"#, r#"["x"]"#, r#"{"body":"ok"}"#] {
            assert!(buffered(Way::RestApi, bad.as_bytes()).unwrap_err().starts_with("malformed"), "{bad}");
        }
    }
}
