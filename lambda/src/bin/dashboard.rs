//! The dashboard function: buffered REST on Lambda.

use std::process::ExitCode;

use contract::{DashboardSettings, limits};
use lambda::clock::Clock;
use lambda::http::dashboard;
use lambda::start::{Fatal, runtime, variable};
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
    let settings = DashboardSettings::from_env(&variable)?;
    let store = dynamodb::shared(DynamoDb::from_env(settings.data.clone(), &variable).map_err(Fatal::new)?);
    match tokio::time::timeout(limits::INIT_READ_TIMEOUT, store.warm_up()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "first read failed; going on"),
        Err(_) => tracing::warn!("first read took too long; going on"),
    }
    let clock = Clock::system();
    let deps = dashboard::Deps::new(settings, store, clock.clone());
    aws::serve_buffered(dashboard::router(deps), clock).await.map_err(Fatal::new)
}
