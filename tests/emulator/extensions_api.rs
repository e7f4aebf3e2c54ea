//! The Extensions API of one environment, as far as an extension without events of its own uses it.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use super::environment::Environment;
use super::runtime_api::answer;
use crate::support::http1::{Connection, Head};

/// What all of its paths begin with.
pub(super) const ROOT: &str = "/2020-01-01/extension/";
/// The only extension's identifier.
const IDENTIFIER: &str = "3f1c2f0a-0000-4000-8000-000000000001";

/// Answers a call, or keeps it waiting: an event comes to an extension that asked for some, and this one did not.
pub(super) async fn call(
    environment: &Arc<Environment>,
    connection: &mut Connection,
    head: &Head,
    path: &str,
) -> io::Result<()> {
    let (body, _) = connection.body(head.body()?).await?;
    match (head.word(0), path) {
        ("POST", "register") => register(environment, connection, head, &body).await,
        ("GET", "event/next") if head.get("lambda-extension-identifier").as_deref() == Some(IDENTIFIER) => {
            environment.extension_asks();
            connection.closed().await;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        ("GET", "event/next") => {
            answer(connection, "403 Forbidden", r#"{"errorType":"Extension.InvalidExtensionIdentifier"}"#).await
        }
        _ => answer(connection, "404 Not Found", r#"{"errorType":"NotFound"}"#).await,
    }
}

async fn register(
    environment: &Arc<Environment>,
    connection: &mut Connection,
    head: &Head,
    body: &[u8],
) -> io::Result<()> {
    let (named, expected) = (head.get("lambda-extension-name"), environment.extension_name());
    if named.is_none() || named.as_deref() != expected {
        return answer(connection, "403 Forbidden", r#"{"errorType":"Extension.InvalidExtensionName"}"#).await;
    }
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    if asked["events"].as_array().is_none_or(|events| !events.is_empty()) {
        // No extension of these tests asks for any, and the emulator would never send it one.
        return answer(connection, "400 Bad Request", r#"{"errorType":"Extension.InvalidEventType"}"#).await;
    }
    environment.start_function();
    let body = json!({ "functionName": "emulated", "functionVersion": "$LATEST", "handler": "bootstrap" }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Extension-Identifier: {IDENTIFIER}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write(format!("{head}{body}").as_bytes()).await
}
