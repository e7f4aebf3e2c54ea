//! A look at a deployment from outside, as a browser would have it: a first event, a return by its position, the REST API.

use std::time::Duration;

use contract::events::METRICS;
use sse_check::stream::{Request, Stream};
use sse_check::target::Target;

/// Longest wait for an answer and for a first event: a cold start, and the first read of a big table.
const LIMIT: Duration = Duration::from_secs(30);

/// What was seen, a sentence each.
///
/// # Errors
/// The first thing that is not as it must be, in one sentence.
pub(super) fn look(stream_url: &str, api_url: &str, is_private: bool) -> Result<Vec<String>, String> {
    if stream_url.is_empty() || api_url.is_empty() {
        return Err("Terraform's state has no output `stream_url` or `dashboard_url`".to_owned());
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut seen = Vec::new();
        stream(&format!("{stream_url}/api/v2/stream"), is_private, &mut seen).await?;
        seen.push(rest(&format!("{api_url}/api/v2/metrics"), is_private).await?);
        Ok(seen)
    })
}

async fn ask(url: &str, id: &[u8]) -> Result<Stream, String> {
    let request = Request::new(&Target::parse(url)?, &[], LIMIT).last_id(id);
    request.send().await.map_err(|failure| format!("{url}: {failure}"))
}

async fn stream(url: &str, is_private: bool, seen: &mut Vec<String>) -> Result<(), String> {
    let mut first = ask(url, b"").await?;
    if is_private && first.head.status == 401 {
        seen.push(format!("{url} asks for a token, as `auth.private` says"));
        return Ok(());
    }
    if !first.head.is_stream() {
        return Err(format!("{url} answered {} and no event stream", first.head.status));
    }
    // Heartbeats come while the table is being read.
    let is_metrics = |stream: &Stream| stream.decoder.events().any(|(_, event)| event.name == METRICS);
    first.until(LIMIT, is_metrics).await;
    let Some((_, event)) = first.decoder.events().find(|(_, event)| event.name == METRICS) else {
        let said: Vec<String> = first.decoder.events().map(|(_, event)| format!("`{}`", event.name)).collect();
        let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
        return Err(format!("{url} sent no `{METRICS}` within {} s, only {said}", LIMIT.as_secs()));
    };
    seen.push(format!("{url}: `{METRICS}` after {} ms", first.sent.elapsed().as_millis()));
    let id = event.own_id.clone().unwrap_or_default();
    drop(first);
    let mut again = ask(url, &id).await?;
    if !again.head.is_stream() {
        return Err(format!("{url} answered {} to a client that came back", again.head.status));
    }
    let event = again.first_event(LIMIT).await;
    match event {
        Some(event) if event.name == "reset" => {
            Err(format!("{url} did not take a position of its own: `reset`, {}", event.data))
        }
        Some(event) => {
            seen.push(format!("{url}: a client that comes back goes on, with `{}`", event.name));
            Ok(())
        }
        None => Err(format!("{url} sent nothing to a client that came back, within {} s", LIMIT.as_secs())),
    }
}

async fn rest(url: &str, is_private: bool) -> Result<String, String> {
    let answer = ask(url, b"").await?;
    match answer.head.status {
        401 if is_private => Ok(format!("{url} asks for a token, as `auth.private` says")),
        200 => Ok(format!("{url} answers after {} ms", answer.opened.as_millis())),
        status => Err(format!("{url} answered {status}")),
    }
}
