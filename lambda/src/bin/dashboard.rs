//! The dashboard function: buffered REST on Lambda.

use std::process::ExitCode;

use contract::DashboardSettings;
use lambda::aws;
use lambda::clock::Clock;
use lambda::http::dashboard;
use lambda::start::{self, Fatal, variable};

fn main() -> ExitCode {
    start::function(run())
}

async fn run() -> Result<(), Fatal> {
    let settings = DashboardSettings::from_env(&variable)?;
    let clock = Clock::system();
    let store = start::tables(settings.data.clone(), &clock).await?;
    let deps = dashboard::Deps::new(settings, store, clock.clone());
    aws::serve_buffered(dashboard::router(deps), clock).await.map_err(Fatal::new)
}
