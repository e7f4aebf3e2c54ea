//! The dashboard function: buffered REST on Lambda.

use std::process::ExitCode;

use contract::settings::both;
use contract::{CorsSettings, DashboardSettings};
use lambda::clock::Clock;
use lambda::dashboard;
use lambda::fatal::Fatal;
use lambda::serve::cors::Cors;
use lambda::serve::lambda as functions;
use lambda::serve::start::{self, variable};
use lambda::stream::hub::Hub;
use lambda::stream::sharing::Sources;
use lambda::watch::meter::{self, Meter};

fn main() -> ExitCode {
    start::function(run())
}

async fn run() -> Result<(), Fatal> {
    let (settings, cors) = both(DashboardSettings::from_env(&variable), CorsSettings::from_env(&variable))?;
    let cors = Cors::of_function(&cors);
    let clock = Clock::system();
    let (stores, auth) = start::tables_and_auth(settings.data.clone(), &settings.auth, clock.clone()).await?;
    let meter = Meter::new(&settings.watch, meter::DASHBOARD, clock.clone());
    let (data, poll) = (settings.data.clone(), settings.poll.clone());
    let sources = Sources::of(&stores, &data, false);
    let hub = Hub::new(sources, data, poll, clock.clone(), meter.clone(), start::memory_bytes());
    let deps = dashboard::Deps::new(settings, &stores, hub, auth, clock.clone());
    let router = dashboard::router(deps);
    let router = match cors {
        Some(cors) => cors.dashboard(router),
        None => router,
    };
    functions::serve_buffered(router, clock, meter).await.map_err(Fatal::new)
}
