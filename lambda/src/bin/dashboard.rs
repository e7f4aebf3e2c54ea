//! The dashboard function: buffered REST on Lambda.

use std::process::ExitCode;

use contract::DashboardSettings;
use lambda::clock::Clock;
use lambda::dashboard;
use lambda::fatal::Fatal;
use lambda::serve::lambda as functions;
use lambda::serve::start::{self, variable};
use lambda::watch::meter::{self, Meter};

fn main() -> ExitCode {
    start::function(run())
}

async fn run() -> Result<(), Fatal> {
    let settings = DashboardSettings::from_env(&variable)?;
    let clock = Clock::system();
    let (store, auth) = start::tables_and_auth(settings.data.clone(), &settings.auth, clock.clone()).await?;
    let meter = Meter::new(&settings.watch, meter::DASHBOARD, clock.clone());
    let deps = dashboard::Deps::new(settings, store, auth, clock.clone(), meter.clone());
    functions::serve_buffered(dashboard::router(deps), clock, meter).await.map_err(Fatal::new)
}
