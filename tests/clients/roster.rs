//! The clients that are no browsers, each used as its documentation says, each reporting what it hears.

use std::any::Any;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use eventsource_client::{Client as _, ClientBuilder, SSE};
use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use launchdarkly_sdk_transport::HyperTransport;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::task::JoinSet;

use super::browser::{Browser, Kind};
use super::control::Origin;
use super::cutting::Front;
use super::{Ear, NAMES, Update};
use crate::support::client::Request;
use crate::support::decoder::{Decoder, Item};
use crate::support::external::{python, tool};
use crate::support::http1::Piece;
use crate::support::process::Process;

/// Reconnect delay before any was announced.
const RETRY_DEFAULT: Duration = Duration::from_secs(1);

/// A client behind a proxy of its own.
pub(super) struct Listener {
    pub name: &'static str,
    pub front: Front,
    pub ear: Ear,
    /// Tickers it asked for; all where there are none.
    pub tickers: &'static [&'static str],
    /// What runs the client, ended when dropped.
    _runs: Box<dyn Any>,
}

impl Listener {
    /// Whether the client asked for this update.
    pub(super) fn wants(&self, update: &Update) -> bool {
        self.tickers.is_empty() || self.tickers.contains(&update.ticker.as_str())
    }

    /// Starts a client with its own proxy in front of the servers.
    pub(super) async fn start(name: &'static str, front: Front, tickers: &'static [&'static str]) -> Self {
        let query = if tickers.is_empty() { String::new() } else { format!("?tickers={}", tickers.join(",")) };
        let url = front.url(&query);
        let ear = Ear::default();
        let _runs: Box<dyn Any> = match name {
            "Chromium" => Box::new(Browser::get(Kind::Chromium).await.open(&url, Origin::Other, &ear)),
            "Firefox" => Box::new(Browser::get(Kind::Firefox).await.open(&url, Origin::Other, &ear)),
            "Chromium, same origin" => Box::new(Browser::get(Kind::Chromium).await.open(&url, Origin::Same, &ear)),
            "Firefox, same origin" => Box::new(Browser::get(Kind::Firefox).await.open(&url, Origin::Same, &ear)),
            "npm eventsource" => node("eventsource.mjs", url, ear.clone()),
            "npm eventsource-parser" => node("eventsource_parser.mjs", url, ear.clone()),
            "PyPI httpx-sse" => {
                let python = python();
                program(&python, &[script("httpx_sse_client.py").display().to_string(), url], ear.clone())
            }
            "crate eventsource-client" => task(eventsource_client(url, ear.clone())),
            "crate eventsource-stream" => task(eventsource_stream(front.address(), query, ear.clone())),
            "curl" => task(curl(url, ear.clone())),
            other => panic!("no client `{other}`"),
        };
        Self { name, front, ear, tickers, _runs }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/programs").join(name)
}

fn task(client: impl Future<Output = ()> + Send + 'static) -> Box<dyn Any> {
    let mut tasks = JoinSet::new();
    tasks.spawn(client);
    Box::new(tasks)
}

/// A line of a client that is a program.
#[derive(Deserialize)]
struct Line {
    event: String,
    data: String,
}

fn node(name: &str, url: String, ear: Ear) -> Box<dyn Any> {
    let modules = tool("TOOLS_NODE_MODULES", ".tools/node/node_modules");
    let arguments = [script(name).display().to_string(), modules.display().to_string(), url];
    let names = NAMES.map(str::to_owned);
    program(Path::new("node"), &arguments.into_iter().chain(names).collect::<Vec<_>>(), ear)
}

/// Starts a program that writes each event as a line of JSON.
fn program(program: &Path, arguments: &[String], ear: Ear) -> Box<dyn Any> {
    let path = std::env::var("PATH").expect("programs are found on PATH");
    let env = BTreeMap::from([("PATH".to_owned(), path), ("PYTHONUNBUFFERED".to_owned(), "1".to_owned())]);
    let process = Arc::new(Process::spawn(program, arguments, &env));
    let mut tasks = JoinSet::new();
    let speaker = Arc::clone(&process);
    tasks.spawn(async move {
        let mut count = 0;
        loop {
            let lines = speaker.lines_after(count);
            count += lines.len();
            for line in lines {
                match serde_json::from_str::<Line>(&line.text) {
                    Ok(Line { event, data }) if !line.stderr => ear.hear(&event, &data),
                    _ => ear.complain(&line.text),
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    Box::new((process, tasks))
}

/// Reconnects by itself, with its own defaults.
async fn eventsource_client(url: String, ear: Ear) {
    let transport = HyperTransport::builder().disable_proxy().build_http().expect("plain HTTP needs nothing");
    let client = ClientBuilder::for_url(&url).expect("a valid address").build_with_transport(transport);
    let mut stream = client.stream();
    // An error is not the end: the next poll connects again.
    while let Some(next) = stream.next().await {
        match next {
            Ok(SSE::Event(event)) => ear.hear(&event.event_type, &event.data),
            Ok(_) => {}
            Err(error) => ear.complain(&error.to_string()),
        }
    }
    ear.complain("the stream is exhausted");
}

/// A decoder on top of any stream of bytes; who connects again, and from where, is the caller's business.
async fn eventsource_stream(address: std::net::SocketAddr, query: String, ear: Ear) {
    let (mut last_id, mut retry) = (String::new(), RETRY_DEFAULT);
    loop {
        let request = Request::get(address, &format!("{}{query}", contract::routes::STREAM));
        let mut request = request.header("Accept", "text/event-stream");
        if !last_id.is_empty() {
            request = request.header("Last-Event-ID", &last_id);
        }
        if let Ok(response) = request.try_send().await
            && response.status() == 200
        {
            let pieces = futures_util::stream::unfold(response, |mut response| async move {
                match response.piece().await {
                    Ok(Piece::Data(data)) => Some((Ok::<_, Infallible>(data), response)),
                    Ok(Piece::End(_)) | Err(_) => None,
                }
            });
            let mut events = std::pin::pin!(pieces.eventsource());
            while let Some(event) = events.next().await {
                // A cut within a character is an error of the decoder; nothing after it is complete.
                let Ok(event) = event else { break };
                retry = event.retry.unwrap_or(retry);
                ear.hear(&event.event, &event.data);
                last_id = event.id;
            }
        }
        tokio::time::sleep(retry).await;
    }
}

/// The command line, its output read by a decoder of ours that was written from the standard.
async fn curl(url: String, ear: Ear) {
    let (mut last_id, mut retry) = (String::new(), RETRY_DEFAULT);
    loop {
        let mut command = Command::new("curl");
        command.args(["--silent", "--no-buffer", "--noproxy", "*", "--header", "Accept: text/event-stream"]);
        if !last_id.is_empty() {
            command.args(["--header", &format!("Last-Event-ID: {last_id}")]);
        }
        command.arg(&url).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("`curl` is on PATH; `./justw test` installs it");
        let mut out = child.stdout.take().expect("stdout was asked for");
        let (mut decoder, mut bytes) = (Decoder::default(), [0; 4096]);
        while let Ok(count @ 1..) = out.read(&mut bytes).await {
            for item in decoder.push(&bytes[..count]) {
                match item {
                    Item::Event(event) => {
                        ear.hear(&event.name, &event.data);
                        last_id = event.id;
                    }
                    Item::Retry(delay) => retry = Duration::from_millis(delay),
                    Item::Comment(_) | Item::Ignored(_) => {}
                }
            }
        }
        // Cut connections end it with 18, 52 or 56.
        child.wait().await.expect("it was started");
        tokio::time::sleep(retry).await;
    }
}
