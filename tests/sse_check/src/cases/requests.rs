//! Requests that are not an EventSource's: other methods, other versions, other forms.

use std::time::{Duration, Instant};

use super::{Context, Verdict};
use crate::stream::{End, Failure, Request, Stream};

/// How long bytes that must not come are waited for.
const SETTLE: Duration = Duration::from_millis(100);

pub(super) async fn compression(context: &Context) -> Verdict {
    let request = context.options.request(0).header("Accept-Encoding", "gzip, deflate, br, zstd");
    match request.send().await {
        Err(failure) => Verdict::found(failure.to_string()),
        Ok(answer) => match answer.head.get("content-encoding") {
            Some(coding) if coding != "identity" => Verdict::found(format!("Content-Encoding: {coding}")),
            _ => Verdict::Passed(None),
        },
    }
}

pub(super) async fn head(context: &Context) -> Verdict {
    let answer = match context.options.request(0).method("HEAD").send().await {
        Ok(answer) => answer,
        Err(failure) => return Verdict::found(failure.to_string()),
    };
    let status = answer.head.status;
    let mut connection = answer.into_connection();
    connection.closes_within(SETTLE).await;
    if !connection.unread().is_empty() {
        return Verdict::found(format!("{} bytes of a body after status {status}", connection.unread().len()));
    }
    if status == 200 || (400..500).contains(&status) {
        Verdict::passed(format!("status {status}"))
    } else {
        Verdict::found(format!("status {status}"))
    }
}

pub(super) async fn options(context: &Context) -> Verdict {
    match finished(context, &context.options.request(0).method("OPTIONS")).await {
        Ok(answer) if answer.head.status >= 500 => Verdict::found(format!("status {}", answer.head.status)),
        Ok(answer) => Verdict::passed(format!("status {}", answer.head.status)),
        Err(why) => Verdict::found(why),
    }
}

pub(super) async fn other_methods(context: &Context) -> Verdict {
    let mut found = Vec::new();
    for method in ["POST", "PUT", "DELETE", "BREW"] {
        let request = context.options.request(0).method(method).header("Content-Length", "0");
        match finished(context, &request).await {
            Ok(answer) => match answer.head.status {
                405 if answer.head.get("allow").is_none() => found.push(format!("{method}: 405 without Allow")),
                501 => {}
                status @ 500.. => found.push(format!("{method}: status {status}")),
                _ => {}
            },
            Err(why) => found.push(format!("{method}: {why}")),
        }
    }
    Verdict::of(found)
}

/// The answer to a request once its body has ended, or once it has turned out to be a stream.
async fn finished(context: &Context, request: &Request) -> Result<Stream, String> {
    let mut answer = request.send().await.map_err(|failure| failure.to_string())?;
    if answer.head.is_stream() {
        return Ok(answer);
    }
    answer.until(context.options.timeout, |_| false).await;
    match &answer.end {
        Some(End::Clean) => Ok(answer),
        Some(End::Cut(why) | End::Broken(why)) => Err(format!("status {}, and then {why}", answer.head.status)),
        None => Err(format!("status {}, and its body does not end", answer.head.status)),
    }
}

pub(super) async fn keep_alive(context: &Context) -> Verdict {
    let mut first = context.options.request(0).method("POST").header("Content-Length", "23");
    // What would happen if nobody read the body: it reads as a request.
    first.body = b"GET /x HTTP/1.1\r\nX: y\r\n".to_vec();
    let answer = match finished(context, &first).await {
        Ok(answer) if answer.head.is_stream() => return Verdict::skipped("POST is answered with a stream"),
        Ok(answer) => answer,
        Err(why) => return Verdict::found(format!("POST: {why}")),
    };
    second(context.options.request(0).send_on(answer.into_connection()).await)
}

/// What may come of a second request on a connection.
fn second(answer: Result<Stream, Failure>) -> Verdict {
    match answer {
        Ok(answer) if answer.head.is_stream() => Verdict::passed("the connection serves the stream"),
        Ok(answer) => Verdict::found(format!("the second request, for the stream, gets status {}", answer.head.status)),
        Err(Failure::Closed) => Verdict::passed("the connection is closed"),
        Err(Failure::Broken(why)) if !why.contains("status line") => {
            Verdict::passed(format!("the connection is closed: {why}"))
        }
        Err(failure) => Verdict::found(format!("the second request: {failure}")),
    }
}

pub(super) async fn pipelining(context: &Context) -> Verdict {
    let stream = context.options.request(0);
    let mut other = stream.clone();
    other.target = "/sse-check/no/such/path".to_owned();
    let both = async {
        let mut connection = stream.connect().await?;
        let sent = Instant::now();
        let bytes = [other.bytes(), stream.bytes()].concat();
        connection.write(&bytes).await.map_err(|error| Failure::Broken(error.to_string()))?;
        let mut first = other.answer(connection, sent).await?;
        if first.head.is_stream() {
            return Ok(None);
        }
        first.until(context.options.timeout, |_| false).await;
        match first.end.clone() {
            Some(End::Clean) => Ok(Some(stream.answer(first.into_connection(), Instant::now()).await)),
            other => Err(Failure::Broken(format!("the first answer ends so: {other:?}"))),
        }
    };
    match both.await {
        Ok(Some(answer)) => second(answer),
        Ok(None) => Verdict::skipped("every path is a stream"),
        Err(failure) => Verdict::found(failure.to_string()),
    }
}

pub(super) async fn http_1_0(context: &Context) -> Verdict {
    let mut request = context.options.request(0);
    request.version = "1.0";
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        Err(failure) => return Verdict::found(failure.to_string()),
    };
    if !answer.head.is_stream() {
        return Verdict::found(format!("status {}", answer.head.status));
    }
    if let Some(coding) = answer.head.get("transfer-encoding") {
        return Verdict::found(format!("Transfer-Encoding: {coding}"));
    }
    let expected = context.sample.decoder.events().next().is_some();
    if expected && answer.first_event(context.options.timeout).await.is_none() {
        return Verdict::found("no event came");
    }
    Verdict::Passed(None)
}

pub(super) async fn absolute_form(context: &Context) -> Verdict {
    let mut request = context.options.request(0);
    request.target = context.options.targets[0].url();
    match request.send().await {
        Ok(answer) if answer.head.is_stream() => Verdict::Passed(None),
        Ok(answer) => Verdict::found(format!("status {}", answer.head.status)),
        Err(failure) => Verdict::found(failure.to_string()),
    }
}

pub(super) async fn chunked_request(context: &Context) -> Verdict {
    let mut request = context.options.request(0).header("Transfer-Encoding", "chunked");
    request.body = b"5;sse-check=\"a;b\"\r\nhello\r\n0;last\r\n\r\n".to_vec();
    match request.send().await {
        Ok(answer) if answer.head.status >= 500 => Verdict::found(format!("status {}", answer.head.status)),
        Ok(answer) => Verdict::passed(format!("status {}", answer.head.status)),
        Err(failure) => Verdict::found(failure.to_string()),
    }
}
