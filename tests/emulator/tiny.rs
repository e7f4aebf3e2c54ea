//! A function of its own for the emulator's tests: this very test binary, started again, speaking the Runtime API raw.
//!
//! The request's path says what it does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::Config;

const STREAMING: &str = "Lambda-Runtime-Function-Response-Mode: streaming\r\n\
    Content-Type: application/vnd.awslambda.http-integration-response\r\nTransfer-Encoding: chunked\r\n";
const PRELUDE: &[u8] = b"{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"}}\0\0\0\0\0\0\0\0";
/// Pieces of `/slow`, and the time between two of them.
pub(super) const SLOW_PIECES: usize = 20;
pub(super) const SLOW_GAP: Duration = Duration::from_millis(20);

/// A configuration that runs the tiny function.
pub(super) fn config() -> Config {
    let program = std::env::current_exe().expect("a test knows its own path");
    let mut config = Config::new(program, BTreeMap::from([("TINY_FUNCTION".into(), "1".into())]));
    config.arguments = ["--exact", "emulator::tiny::tiny_function", "--nocapture"].map(String::from).to_vec();
    config
}

/// Not a test: the function, when the emulator starts this binary as one.
#[test]
fn tiny_function() {
    if std::env::var("TINY_FUNCTION").is_err() {
        return;
    }
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    println!("tiny function starts");
    loop {
        let (id, deadline_ms, event) = next(&api);
        let path = event["rawPath"].as_str().unwrap().to_owned();
        println!("{path} {id} {deadline_ms}");
        handle(&api, &id, &path, &event);
    }
}

fn handle(api: &str, id: &str, path: &str, event: &Value) {
    let response = format!("invocation/{id}/response");
    match path {
        "/echo" => stream(api, &response, &[PRELUDE, event.to_string().as_bytes()], ""),
        "/plain" => post(api, &response, "", json!({ "statusCode": 201, "body": "ok" }).to_string().as_bytes()),
        "/trailer" => {
            let trailers = "Lambda-Runtime-Function-Error-Type: Tiny.Broken\r\n\
                            Lambda-Runtime-Function-Error-Body: eyJlcnJvck1lc3NhZ2UiOiJ4In0=\r\n";
            stream(api, &response, &[PRELUDE, b"half"], trailers);
        }
        "/array" => stream(api, &response, &[b"{\"headers\":{\"vary\":[\"a\",\"b\"]}}\0\0\0\0\0\0\0\0", b"x"], ""),
        "/error" => {
            post(api, &format!("invocation/{id}/error"), "Lambda-Runtime-Function-Error-Type: Tiny.Bad\r\n", b"{}");
        }
        "/panic" => panic!("as asked"),
        "/slow" => {
            let mut socket = begin(api, &response, STREAMING);
            write_chunk(&mut socket, PRELUDE);
            for _ in 0..SLOW_PIECES {
                write_chunk(&mut socket, b"piece");
                std::thread::sleep(SLOW_GAP);
            }
            socket.write_all(b"0\r\n\r\n").unwrap();
            accepted(&mut BufReader::new(socket));
        }
        "/hang" => {
            let mut socket = begin(api, &response, STREAMING);
            write_chunk(&mut socket, PRELUDE);
            write_chunk(&mut socket, b"before the deadline");
            std::thread::park();
        }
        "/abort" => {
            let mut socket = begin(api, &response, STREAMING);
            write_chunk(&mut socket, PRELUDE);
            write_chunk(&mut socket, b"before the abort");
            std::process::abort()
        }
        other => panic!("no such path: {other}"),
    }
}

fn next(api: &str) -> (String, String, Value) {
    let mut socket = TcpStream::connect(api).unwrap();
    write!(socket, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut reader = BufReader::new(socket);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        // The emulator is gone: so is this process.
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            std::process::exit(0);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let header = |name: &str| headers[name].clone();
    (
        header("lambda-runtime-aws-request-id"),
        header("lambda-runtime-deadline-ms"),
        serde_json::from_slice(&body).unwrap(),
    )
}

fn begin(api: &str, path: &str, headers: &str) -> TcpStream {
    let mut socket = TcpStream::connect(api).unwrap();
    write!(socket, "POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").unwrap();
    socket
}

fn write_chunk(socket: &mut TcpStream, data: &[u8]) {
    socket.write_all(&crate::support::http1::chunk(data)).unwrap();
}

fn stream(api: &str, path: &str, chunks: &[&[u8]], trailers: &str) {
    let mut socket = begin(api, path, STREAMING);
    chunks.iter().for_each(|data| write_chunk(&mut socket, data));
    write!(socket, "0\r\n{trailers}\r\n").unwrap();
    accepted(&mut BufReader::new(socket));
}

fn post(api: &str, path: &str, headers: &str, body: &[u8]) {
    let mut socket = begin(api, path, &format!("{headers}Content-Length: {}\r\n", body.len()));
    socket.write_all(body).unwrap();
    accepted(&mut BufReader::new(socket));
}

fn accepted(reader: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "HTTP/1.1 202 Accepted");
}
