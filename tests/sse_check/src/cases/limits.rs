//! What happens when there is no more room, and after.

use std::time::{Duration, Instant};

use super::{Context, Verdict};
use crate::decode::Item;
use crate::stream::{End, Failure, Stream};

/// Time in which a refusal that looks like a stream is over.
const ENDS_WITHIN: Duration = Duration::from_millis(30);

/// The first client that got no stream.
enum Refused {
    /// An answer.
    Answer(Box<Stream>),
    /// None.
    Nothing(Failure),
}

/// Opens streams until one is refused or there are as many as wanted.
async fn fill(context: &Context) -> (Vec<Stream>, Option<Refused>) {
    let options = &context.options;
    let talks = context.sample.decoder.events().next().is_some();
    let mut open = Vec::new();
    for _ in 0..options.connections {
        let mut stream = match options.request(0).send().await {
            Ok(stream) => stream,
            Err(failure) => return (open, Some(Refused::Nothing(failure))),
        };
        if !stream.head.is_stream() {
            return (open, Some(Refused::Answer(Box::new(stream))));
        }
        if talks && stream.first_event(options.timeout).await.is_none() && stream.end.is_none() {
            return (open, Some(Refused::Nothing(Failure::Silent(options.timeout))));
        }
        stream.listen(ENDS_WITHIN).await;
        if stream.end.is_some() {
            return (open, Some(Refused::Answer(Box::new(stream))));
        }
        open.push(stream);
    }
    (open, None)
}

pub(super) async fn refusal(context: &Context) -> Verdict {
    let (open, refused) = fill(context).await;
    let at = open.len();
    let answer = match refused {
        None => return Verdict::passed(format!("{at} streams at once, none refused")),
        Some(Refused::Nothing(failure)) => return Verdict::found(format!("with {at} streams open: {failure}")),
        Some(Refused::Answer(answer)) => answer,
    };
    let status = answer.head.status;
    if !answer.head.is_stream() {
        return Verdict::found(format!("with {at} streams open: status {status}, which ends an EventSource for good"));
    }
    if answer.end != Some(End::Clean) || answer.decoder.unfinished().is_some() {
        return Verdict::found(format!("with {at} streams open: 200 and then no clean end"));
    }
    match answer
        .decoder
        .items
        .iter()
        .find_map(|timed| if let Item::Retry(delay) = timed.item { Some(delay) } else { None })
    {
        Some(delay) => Verdict::passed(format!("with {at} streams open: 200, come back in {delay} ms")),
        None => Verdict::found(format!("with {at} streams open: 200 without `retry`, so that all come back together")),
    }
}

pub(super) async fn slots(context: &Context) -> Verdict {
    let options = &context.options;
    let (open, refused) = fill(context).await;
    let at = open.len();
    let Some(refused) = refused else {
        return Verdict::skipped(format!("no limit up to {at} streams"));
    };
    drop(open);
    let began = Instant::now();
    loop {
        let (one, none) = fill_one(context).await;
        if one {
            break;
        }
        if began.elapsed() > options.timeout {
            return Verdict::found(format!("after {at} streams were closed, there is still no room: {none}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    if let Refused::Answer(mut answer) = refused {
        answer.until(options.timeout, |_| false).await;
        if answer.end == Some(End::Clean) {
            match options.request(0).send_on(answer.into_connection()).await {
                Ok(again) if again.head.is_stream() => {}
                Err(Failure::Closed | Failure::Broken(_)) => {}
                Ok(again) => {
                    return Verdict::found(format!("the refused connection then gets status {}", again.head.status));
                }
                Err(failure) => return Verdict::found(format!("the refused connection: {failure}")),
            }
        }
    }
    Verdict::passed(format!("room again {took:.1?} after {at} streams were closed"))
}

/// Whether a stream opens and stays; why not.
async fn fill_one(context: &Context) -> (bool, String) {
    match context.options.request(0).send().await {
        Err(failure) => (false, failure.to_string()),
        Ok(stream) if !stream.head.is_stream() => (false, format!("status {}", stream.head.status)),
        Ok(mut stream) => {
            stream.listen(ENDS_WITHIN * 8).await;
            (stream.end.is_none(), "a stream that ends at once".to_owned())
        }
    }
}
