//! The Runtime API of one environment, as AWS documents it for custom runtimes.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::environment::Environment;
use super::prelude::{self, PreludeReader};
use super::{InvokeMode, Outcome, Part, extensions_api};
use crate::support::http1::{Connection, Head, Piece};

const ROOT: &str = "/2018-06-01/runtime/";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:emulated";

/// Serves the function's connections until it is aborted.
pub(super) async fn serve(environment: Arc<Environment>, listener: TcpListener) {
    // A set, so that aborting this task aborts its connections.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let environment = Arc::clone(&environment);
        connections.spawn(async move { drop(connection(&environment, Connection::new(stream)).await) });
    }
}

async fn connection(environment: &Arc<Environment>, mut connection: Connection) -> io::Result<()> {
    while let Some(head) = connection.head().await? {
        if let Some(path) = head.word(1).strip_prefix(extensions_api::ROOT) {
            let path = path.to_owned();
            extensions_api::call(environment, &mut connection, &head, &path).await?;
            continue;
        }
        let path = head.word(1).strip_prefix(ROOT).unwrap_or_default().to_owned();
        let words: Vec<&str> = path.split('/').collect();
        match (head.word(0), words.as_slice()) {
            ("GET", ["invocation", "next"]) => next(environment, &mut connection).await?,
            ("POST", ["invocation", id, "response"]) => response(environment, &mut connection, &head, id).await?,
            ("POST", ["invocation", id, "error"]) => error(environment, &mut connection, &head, id).await?,
            ("POST", ["init", "error"]) => {
                connection.body(head.body()?).await?;
                answer(&mut connection, "202 Accepted", r#"{"status":"OK"}"#).await?;
            }
            _ => {
                connection.body(head.body()?).await?;
                answer(&mut connection, "404 Not Found", r#"{"errorType":"NotFound"}"#).await?;
            }
        }
    }
    Ok(())
}

async fn next(environment: &Arc<Environment>, connection: &mut Connection) -> io::Result<()> {
    let out = tokio::select! {
        out = environment.next() => out,
        () = connection.closed() => return Err(io::ErrorKind::ConnectionAborted.into()),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: {}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\nLambda-Runtime-Invoked-Function-Arn: {ARN}\r\n\
         Lambda-Runtime-Trace-Id: {}\r\nContent-Length: {}\r\n\r\n",
        out.request_id,
        out.deadline_ms,
        out.trace,
        out.event.len(),
    );
    connection.write(&[head.as_bytes(), &out.event].concat()).await
}

/// Takes the function's answer, to its very end whatever becomes of the viewer.
async fn response(environment: &Environment, connection: &mut Connection, head: &Head, id: &str) -> io::Result<()> {
    let Some((index, parts, started)) = environment.running(id) else {
        connection.body(head.body()?).await?;
        return answer(connection, "400 Bad Request", r#"{"errorType":"InvalidRequestID"}"#).await;
    };
    let sink = Sink { environment, index, parts, started };
    let streaming = head.get("lambda-runtime-function-response-mode").is_some_and(|mode| mode == "streaming");
    let received = if streaming {
        let integration = head.get("content-type").is_some_and(|kind| kind == prelude::CONTENT_TYPE);
        stream(&sink, connection, head, integration).await
    } else {
        connection.body(head.body()?).await.map(|(body, _)| buffered(&sink, &body))
    };
    match received {
        Ok(outcome) => {
            environment.answered(id, outcome);
            answer(connection, "202 Accepted", r#"{"status":"OK"}"#).await
        }
        Err(error) => {
            drop(sink.parts.send(Part::Abort));
            // A dying process closes its sockets first; its end says more than the broken answer.
            tokio::select! {
                _ = environment.first_exit() => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(200)) => environment.answered(id, Outcome::Truncated),
            }
            Err(error)
        }
    }
}

/// Where an answer goes, and its record.
struct Sink<'a> {
    environment: &'a Environment,
    index: usize,
    parts: mpsc::UnboundedSender<Part>,
    started: Instant,
}

impl Sink<'_> {
    fn head(&self, status: u16, headers: Vec<(String, String)>) {
        drop(self.parts.send(Part::Head(status, headers)));
    }

    fn data(&self, data: Vec<u8>) {
        if data.is_empty() {
            return;
        }
        let first_byte = self.started.elapsed();
        self.environment.shared().record(self.index, |record| {
            record.first_byte.get_or_insert(first_byte);
            record.body.extend_from_slice(&data);
        });
        // A viewer that left is nobody's business here.
        drop(self.parts.send(Part::Data(data)));
    }

    fn keep(&self, json: &serde_json::Value) {
        self.environment.shared().record(self.index, |record| record.prelude = Some(json.clone()));
    }

    fn refuse(&self, why: &str) -> Outcome {
        drop(self.parts.send(Part::Abort));
        Outcome::BadResponse(why.to_owned())
    }
}

async fn stream(sink: &Sink<'_>, connection: &mut Connection, head: &Head, integration: bool) -> io::Result<Outcome> {
    let mut body = head.body()?;
    let mut reader = PreludeReader::default();
    let mut refused = None;
    if sink.environment.shared().config.invoke_mode == InvokeMode::Buffered {
        refused = Some(sink.refuse("a streamed answer behind a BUFFERED URL"));
    } else if !integration {
        sink.head(200, vec![("content-type".into(), "application/octet-stream".into())]);
        reader.finish();
    }
    loop {
        let data = match connection.piece(&mut body).await? {
            Piece::Data(data) => data,
            Piece::End(trailers) => return Ok(stream_end(sink, &reader, refused, &trailers)),
        };
        if refused.is_some() {
            continue;
        }
        match reader.push(data) {
            Ok((prelude, rest)) => {
                if let Some(prelude) = prelude {
                    sink.keep(&prelude.json);
                    sink.head(prelude.status, prelude.headers);
                }
                sink.data(rest);
            }
            Err(why) => refused = Some(sink.refuse(&why)),
        }
    }
}

fn stream_end(
    sink: &Sink<'_>,
    reader: &PreludeReader,
    refused: Option<Outcome>,
    trailers: &[(String, String)],
) -> Outcome {
    if let Some(outcome) = refused {
        return outcome;
    }
    if !reader.is_done() {
        return sink.refuse("no prelude with eight NUL bytes after it");
    }
    let trailer =
        |name: &str| trailers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match trailer("lambda-runtime-function-error-type") {
        Some(kind) => {
            let body =
                trailer("lambda-runtime-function-error-body").map(|text| STANDARD.decode(text).unwrap_or_default());
            drop(sink.parts.send(Part::Abort));
            Outcome::FunctionError(kind.clone(), String::from_utf8_lossy(&body.unwrap_or_default()).into_owned())
        }
        None => {
            drop(sink.parts.send(Part::End));
            Outcome::Done
        }
    }
}

fn buffered(sink: &Sink<'_>, body: &[u8]) -> Outcome {
    if sink.environment.shared().config.invoke_mode == InvokeMode::Streaming {
        // The platform hands the function's JSON to the viewer as it is: nothing works, and nothing fails.
        sink.head(200, vec![("content-type".into(), "application/octet-stream".into())]);
        sink.data(body.to_vec());
        drop(sink.parts.send(Part::End));
        return Outcome::BadResponse("a buffered answer behind a RESPONSE_STREAM URL".into());
    }
    match prelude::buffered(sink.environment.shared().config.way, body) {
        Ok((prelude, body)) => {
            sink.keep(&prelude.json);
            sink.head(prelude.status, prelude.headers);
            sink.data(body);
            drop(sink.parts.send(Part::End));
            Outcome::Done
        }
        Err(why) => sink.refuse(&why),
    }
}

async fn error(environment: &Environment, connection: &mut Connection, head: &Head, id: &str) -> io::Result<()> {
    let (body, _) = connection.body(head.body()?).await?;
    let Some((_, parts, _)) = environment.running(id) else {
        return answer(connection, "400 Bad Request", r#"{"errorType":"InvalidRequestID"}"#).await;
    };
    let kind = head.get("lambda-runtime-function-error-type").unwrap_or_default();
    drop(parts.send(Part::Abort));
    environment.answered(id, Outcome::FunctionError(kind, String::from_utf8_lossy(&body).into_owned()));
    answer(connection, "202 Accepted", r#"{"status":"OK"}"#).await
}

pub(super) async fn answer(connection: &mut Connection, status: &str, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    connection.write(format!("{head}{body}").as_bytes()).await
}
