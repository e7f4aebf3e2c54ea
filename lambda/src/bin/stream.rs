//! The stream function: native response streaming on Lambda.

use std::process::ExitCode;

use contract::{StreamSettings, limits};
use lambda::clock::Clock;
use lambda::http::stream;
use lambda::start::{Fatal, runtime, shutdown_flag, variable};
use lambda::store::dynamodb::{self, DynamoDb};
use lambda::{aws, telemetry};

fn main() -> ExitCode {
    telemetry::start(&variable);
    match runtime().and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => fatal.report(),
    }
}

async fn run() -> Result<(), Fatal> {
    let settings = StreamSettings::from_env(&variable)?;
    let store = dynamodb::shared(DynamoDb::from_env(settings.data.clone(), &variable).map_err(Fatal::new)?);
    // Init runs at full CPU: the TLS handshake is cheapest now.
    match tokio::time::timeout(limits::INIT_READ_TIMEOUT, store.warm_up()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "first read failed; going on"),
        Err(_) => tracing::warn!("first read took too long; going on"),
    }
    let clock = Clock::system();
    let deps = stream::Deps::new(settings, store, clock.clone(), shutdown_flag()?);
    let mut stop = deps.shutdown.clone();
    let stopped = async move {
        // An error means that no signal can come any more; then only the platform ends the process.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(limits::SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        served = aws::serve_streaming(stream::router(deps), clock) => served.map_err(Fatal::new),
        () = stopped => Ok(()),
    }
}
