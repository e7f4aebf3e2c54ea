//! The least that a function can be: a runtime that answers every event with the same stream and reads nothing.

use futures_util::stream::{self, BoxStream, StreamExt as _};
use lambda_runtime::streaming::Response;
use lambda_runtime::{Error, LambdaEvent, MetadataPrelude, service_fn};

/// What every client gets, whose stream stays open then.
const EVENTS: &str = "event: heartbeat\ndata: {}\n\nevent: metrics\ndata: {\"total\":0}\n\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(answer)).await
}

async fn answer(
    _: LambdaEvent<serde_json::Value>,
) -> Result<Response<BoxStream<'static, Result<&'static str, Error>>>, Error> {
    let mut head = MetadataPrelude::default();
    head.headers.insert("content-type", "text/event-stream".parse()?);
    let events = stream::once(async { Ok(EVENTS) }).chain(stream::pending());
    Ok(Response { metadata_prelude: head, stream: events.boxed() })
}
