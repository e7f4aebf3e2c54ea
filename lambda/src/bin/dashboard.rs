//! The dashboard function: buffered REST on Lambda.

use std::process::ExitCode;

use contract::DashboardSettings;
use lambda::aws;
use lambda::clock::Clock;
use lambda::http::dashboard;
use lambda::meter::{self, Meter};
use lambda::start::{self, Fatal, variable};

fn main() -> ExitCode {
    start::function(run())
}

async fn run() -> Result<(), Fatal> {
    let settings = DashboardSettings::from_env(&variable)?;
    let clock = Clock::system();
    let (store, auth) = start::tables_and_auth(settings.data.clone(), &settings.auth, clock.clone()).await?;
    let meter = Meter::new(&settings.watch, meter::DASHBOARD, clock.clone());
    let deps = dashboard::Deps::new(settings, store, auth, clock.clone(), meter.clone());
    aws::serve_buffered(dashboard::router(deps), clock, meter).await.map_err(Fatal::new)
}
