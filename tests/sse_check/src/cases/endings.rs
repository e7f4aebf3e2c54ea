//! How streams end: as planned, and when the server is told to stop.

use super::{Context, Verdict};
use crate::decode::Item;
use crate::stream::{End, Stream};

/// Streams that are open when the server is told to stop.
const OPEN_AT_SHUTDOWN: usize = 3;

/// What is wrong with an end.
fn bad_end(stream: &Stream) -> Option<String> {
    match (&stream.end, stream.decoder.unfinished()) {
        (None, _) => Some("the stream did not end".to_owned()),
        (Some(End::Cut(why) | End::Broken(why)), _) => Some(format!("the stream broke off: {why}")),
        (Some(End::Clean), Some(block)) => Some(format!("no blank line ends the last block, which is lost: {block}")),
        (Some(End::Clean), None) => None,
    }
}

/// A stream that was read until the server ended it.
async fn ended(context: &Context) -> &Result<Stream, Verdict> {
    context.ended.get_or_init(|| wait_for_end(context)).await
}

async fn wait_for_end(context: &Context) -> Result<Stream, Verdict> {
    let options = &context.options;
    let Some(limit) = options.max_session else {
        return Err(Verdict::skipped("--max-session says when the server ends a stream by itself"));
    };
    let mut stream = options.request(0).send().await.map_err(|failure| Verdict::found(failure.to_string()))?;
    if stream.until(limit + options.timeout, |stream| stream.end.is_some()).await {
        Ok(stream)
    } else {
        Err(Verdict::found(format!("the stream did not end within {:?}", limit + options.timeout)))
    }
}

pub(super) async fn ending(context: &Context) -> Verdict {
    match ended(context).await {
        Err(verdict) => verdict.clone(),
        Ok(stream) => bad_end(stream).map_or(Verdict::Passed(None), Verdict::found),
    }
}

pub(super) async fn ending_retry(context: &Context) -> Verdict {
    let stream = match ended(context).await {
        Ok(stream) => stream,
        Err(Verdict::Found(_)) => return Verdict::skipped("the stream did not end"),
        Err(verdict) => return verdict.clone(),
    };
    let mut last = stream.decoder.items.iter().rev().take(2);
    let delay = last.find_map(|timed| if let Item::Retry(delay) = timed.item { Some(delay) } else { None });
    match delay {
        Some(delay) => Verdict::passed(format!("{delay} ms")),
        None => Verdict::found("the last thing it said is no `retry`"),
    }
}

pub(super) async fn shutdown(context: &Context) -> Verdict {
    let options = &context.options;
    let Some(action) = &options.shutdown else {
        return Verdict::skipped("--terminate or --on-shutdown says how the server is stopped");
    };
    let mut streams = Vec::new();
    for _ in 0..OPEN_AT_SHUTDOWN {
        match options.request(0).send().await {
            Ok(mut stream) => {
                stream.until(options.first_byte, |stream| stream.bytes > 0).await;
                streams.push(stream);
            }
            Err(failure) => return Verdict::found(failure.to_string()),
        }
    }
    if let Err(why) = action.run().await {
        return Verdict::skipped(why);
    }
    let mut found = Vec::new();
    for stream in &mut streams {
        stream.until(options.timeout, |stream| stream.end.is_some()).await;
        found.extend(bad_end(stream));
    }
    found.dedup();
    Verdict::of(found)
}
