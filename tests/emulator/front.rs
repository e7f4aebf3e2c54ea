//! What stands before the function, its URL or a REST API: takes requests from viewers and streams the answers through as they arrive.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::environment::Job;
use super::{Cors, Outcome, Part, Shared, Way, event, prelude, rest_api};
use crate::support::http1::{Connection, Head, chunk};

type Headers = Vec<(String, String)>;

/// Serves viewers until it is aborted.
pub(super) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else { return };
        let shared = Arc::clone(&shared);
        connections.spawn(async move { drop(viewer(&shared, Connection::new(stream), peer.ip()).await) });
    }
}

async fn viewer(shared: &Arc<Shared>, mut connection: Connection, peer: IpAddr) -> io::Result<()> {
    while let Some(head) = connection.head().await? {
        let (body, _) = connection.body(head.body()?).await?;
        let cors = shared.config.cors.as_ref().map_or_else(Vec::new, |cors| cors_headers(cors, &head));
        if !cors.is_empty() && head.word(0) == "OPTIONS" && head.get("access-control-request-method").is_some() {
            // The URL answers preflight requests itself; the function does not run.
            whole(&mut connection, 200, cors, b"").await?;
            continue;
        }
        let (index, request_id) = shared.open(head.word(1));
        let Some(event) = event(shared.config.way, &head, &body, peer, &request_id) else {
            shared.record(index, |record| record.outcome = Some(Outcome::NoRoute));
            whole(&mut connection, 403, json_type(), rest_api::NO_ROUTE.as_bytes()).await?;
            continue;
        };
        let (sender, parts) = super::parts();
        if shared.invoke(Job { index, request_id: request_id.clone(), event, parts: sender }).await.is_none() {
            shared.record(index, |record| record.outcome = Some(Outcome::Throttled));
            let (headers, body) = prelude::platform_error("Rate Exceeded.");
            whole(&mut connection, 429, headers, &body).await?;
            continue;
        }
        let answer = Answer { cors, request_id, is_head: head.word(0) == "HEAD" };
        match forward(&mut connection, parts, answer).await {
            Ok(true) => {}
            Ok(false) => {
                connection.abort();
                return Ok(());
            }
            Err(error) => {
                shared.record(index, |record| record.viewer_left = Some(Instant::now()));
                return Err(error);
            }
        }
    }
    Ok(())
}

fn event(way: Way, head: &Head, body: &[u8], peer: IpAddr, request_id: &str) -> Option<Vec<u8>> {
    let event = match way {
        Way::FunctionUrl => event::event(head, body, peer, request_id),
        Way::RestApi => rest_api::event(head, body, peer, request_id)?,
    };
    Some(event.to_string().into_bytes())
}

fn json_type() -> Headers {
    vec![("content-type".into(), "application/json".into())]
}

/// What the URL adds to an answer.
struct Answer {
    cors: Headers,
    request_id: String,
    is_head: bool,
}

/// Streams an answer; `false` if it must look broken. An error means that the viewer left.
async fn forward(
    connection: &mut Connection,
    mut parts: mpsc::UnboundedReceiver<Part>,
    answer: Answer,
) -> io::Result<bool> {
    let mut begun = false;
    loop {
        let part = tokio::select! {
            part = parts.recv() => part.unwrap_or(Part::Abort),
            () = connection.closed() => return Err(io::ErrorKind::ConnectionReset.into()),
        };
        match part {
            Part::Head(status, mut headers) => {
                begun = true;
                headers.push(("x-amzn-RequestId".into(), answer.request_id.clone()));
                headers.extend(answer.cors.clone());
                headers.push(("Transfer-Encoding".into(), "chunked".into()));
                connection.write(&head(status, &headers)).await?;
            }
            // One chunk for each piece, as it comes.
            Part::Data(data) if !answer.is_head => connection.write(&chunk(&data)).await?,
            Part::Data(_) => {}
            Part::End if answer.is_head => return Ok(true),
            Part::End => {
                connection.write(b"0\r\n\r\n").await?;
                return Ok(true);
            }
            Part::Abort if begun => return Ok(false),
            Part::Abort => {
                let (headers, body) = prelude::platform_error("Internal Server Error");
                whole(connection, 502, headers, &body).await?;
                return Ok(true);
            }
        }
    }
}

async fn whole(connection: &mut Connection, status: u16, mut headers: Headers, body: &[u8]) -> io::Result<()> {
    headers.push(("Content-Length".into(), body.len().to_string()));
    connection.write(&[&head(status, &headers), body].concat()).await
}

fn head(status: u16, headers: &Headers) -> Vec<u8> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Emulated\r\n{lines}\r\n").into_bytes()
}

fn cors_headers(cors: &Cors, head: &Head) -> Headers {
    let Some(origin) = head.get("origin") else { return Vec::new() };
    let any = cors.allow_origins.iter().any(|allowed| allowed == "*");
    if !any && !cors.allow_origins.contains(&origin) {
        return Vec::new();
    }
    let mut headers = vec![("access-control-allow-origin".into(), if any { "*".into() } else { origin })];
    if !any {
        headers.push(("vary".into(), "Origin".into()));
    }
    if head.word(0) == "OPTIONS" {
        headers.push(("access-control-allow-methods".into(), cors.allow_methods.join(",")));
        headers.push(("access-control-allow-headers".into(), cors.allow_headers.join(",")));
    }
    headers
}
