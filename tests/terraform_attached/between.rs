//! Between Terraform and the provider, which speak gRPC.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{UnixListener, UnixStream};

use super::{Failed, schema};

/// Path of the question for all schemas, in the protocol that Terraform speaks with the provider.
const GET_SCHEMA: &str = "/tfplugin5.Provider/GetSchema";
/// Bytes that may be under way at once: an answer with all schemas has tens of millions.
const WINDOW: u32 = 64 * 1024 * 1024;

/// Listens at `place` for Terraform, from a thread of its own, for as long as the process lives.
pub(super) fn serve(place: &Path, provider: PathBuf, schema: PathBuf) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        UnixListener::bind(place)?
    };
    let schema: Arc<Path> = schema.into();
    std::thread::spawn(move || {
        runtime.block_on(async move {
            while let Ok((terraform, _)) = listener.accept().await {
                // A run that is killed breaks it off.
                tokio::spawn(connection(terraform, provider.clone(), Arc::clone(&schema)));
            }
        });
    });
    Ok(())
}

async fn connection(terraform: UnixStream, provider: PathBuf, schema: Arc<Path>) -> Result<(), Failed> {
    let provider = UnixStream::connect(provider).await?;
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake(TokioIo::new(provider))
        .await?;
    tokio::spawn(connection);
    let service = hyper::service::service_fn(move |request| answer(sender.clone(), request, Arc::clone(&schema)));
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .serve_connection(TokioIo::new(terraform), service)
        .await?;
    Ok(())
}

async fn answer(
    mut provider: SendRequest<Incoming>,
    request: Request<Incoming>,
    schema: Arc<Path>,
) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Failed> {
    if request.uri().path() != GET_SCHEMA {
        return Ok(provider.send_request(request).await?.map(BodyExt::boxed));
    }
    let kept = match std::fs::read(&schema) {
        Ok(kept) => kept.into(),
        Err(_) => {
            let whole = provider.send_request(request).await?.into_body().collect().await?.to_bytes();
            let kept = schema::trimmed(whole)?;
            schema::keep(&schema, &kept)?;
            kept
        }
    };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(kept).with_trailers(async { Some(Ok(trailers)) });
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(response)
}
