//! The server of the page that runs in a browser: hands out the page and what it is to do, takes its reports.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Ear, NAMES};
use crate::support::http1::{Connection, Head};
use crate::support::process::lock;

/// Time after which a question for commands is answered with none.
const QUESTION_LIMIT: Duration = Duration::from_secs(5);

/// Where the page of an EventSource comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From elsewhere: the stream allows it by CORS, as with function URLs.
    Other,
    /// From where the stream is, as behind one domain.
    Same,
}

#[derive(Deserialize)]
struct Batch {
    batch: u64,
    reports: Vec<Report>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Report {
    Event { source: usize, event: String, data: String },
    State { source: usize, state: u8 },
}

#[derive(Default)]
struct Told {
    sources: BTreeMap<usize, (Ear, u8)>,
    batch: u64,
}

/// What the test and the page tell each other.
pub(super) struct Control {
    commands: watch::Sender<Vec<Value>>,
    told: Mutex<Told>,
    /// Whether the page has asked for commands.
    pub ready: watch::Sender<bool>,
}

impl Control {
    pub(super) fn new() -> Arc<Self> {
        let (commands, ready) = (watch::Sender::new(Vec::new()), watch::Sender::new(false));
        Arc::new(Self { commands, told: Mutex::default(), ready })
    }

    /// Has the page open an EventSource; returns its number.
    pub(super) fn open(&self, url: &str, origin: Origin, ear: &Ear) -> usize {
        let source = {
            let mut told = lock(&self.told);
            let source = told.sources.len();
            told.sources.insert(source, (ear.clone(), 0));
            source
        };
        let word = match origin {
            Origin::Other => "open",
            Origin::Same => "open-framed",
        };
        let command = json!({ "command": word, "source": source, "url": url, "names": NAMES });
        self.commands.send_modify(|commands| commands.push(command));
        source
    }

    /// Has the page close an EventSource.
    pub(super) fn close(&self, source: usize) {
        self.commands.send_modify(|commands| commands.push(json!({ "command": "close", "source": source })));
    }

    /// `readyState` at the last `open` or `error` of an EventSource.
    pub(super) fn state(&self, source: usize) -> u8 {
        lock(&self.told).sources[&source].1
    }

    fn take(&self, batch: Batch) {
        let mut told = lock(&self.told);
        if batch.batch <= told.batch {
            return;
        }
        told.batch = batch.batch;
        for report in batch.reports {
            match report {
                Report::Event { source, event, data } => told.sources[&source].0.hear(&event, &data),
                Report::State { source, state } => {
                    told.sources.get_mut(&source).expect("only what was opened reports").1 = state;
                }
            }
        }
    }
}

/// Serves the page until dropped.
pub(super) async fn serve(listener: TcpListener, control: Arc<Control>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let control = Arc::clone(&control);
        // A browser closes connections whenever it likes.
        connections.spawn(async move { drop(answers(Connection::new(stream), &control).await) });
    }
}

async fn answers(mut connection: Connection, control: &Control) -> io::Result<()> {
    while let Some(head) = connection.head().await? {
        let (body, _) = connection.body(head.body()?).await?;
        let (status, kind, body) = answer(&head, &body, control).await;
        let head = format!(
            "HTTP/1.1 {status} Test\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        connection.write(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    }
    Ok(())
}

async fn answer(head: &Head, body: &[u8], control: &Control) -> (u16, &'static str, String) {
    let (path, query) = head.word(1).split_once('?').unwrap_or((head.word(1), ""));
    match path {
        "/" => (200, "text/html; charset=utf-8", include_str!("page.html").to_owned()),
        "/page.js" => (200, "text/javascript; charset=utf-8", include_str!("page.js").to_owned()),
        "/commands" => {
            control.ready.send_replace(true);
            let after: usize = query.strip_prefix("after=").and_then(|text| text.parse().ok()).unwrap_or_default();
            let mut commands = control.commands.subscribe();
            let more = commands.wait_for(|commands| commands.len() > after);
            let commands = match tokio::time::timeout(QUESTION_LIMIT, more).await {
                Ok(Ok(commands)) => commands[after..].to_vec(),
                _ => Vec::new(),
            };
            (200, "application/json", json!(commands).to_string())
        }
        "/reports" => {
            control.take(serde_json::from_slice(body).expect("the page is ours"));
            (204, "text/plain", String::new())
        }
        _ => (404, "text/plain", String::new()),
    }
}
