//! The stream function: response streaming on Lambda, native or behind the web adapter.

use std::process::ExitCode;

use contract::settings::both;
use contract::{Adapter, CorsSettings, StreamSettings, limits, web_adapter};
use lambda::clock::Clock;
use lambda::fatal::Fatal;
use lambda::serve::cors::Cors;
use lambda::serve::lambda as functions;
use lambda::serve::start::{self, variable};
use lambda::serve::web_adapter::Server;
use lambda::stream;
use lambda::stream::hub::Hub;
use lambda::stream::sharing::Sources;
use lambda::watch::meter::{self, Meter};
use lambda::watch::xray::XRay;

fn main() -> ExitCode {
    start::function(run())
}

async fn run() -> Result<(), Fatal> {
    let (settings, cors) = both(StreamSettings::from_env(&variable), CorsSettings::from_env(&variable))?;
    settings.check_function()?;
    let cors = Cors::of_function(&cors);
    let server = match settings.adapter {
        Adapter::Native => None,
        Adapter::WebAdapter => Some(Server::bind(web_adapter::port(&variable).map_err(Fatal::new)?).await?),
    };
    let clock = Clock::system();
    let (stores, auth) = start::tables_and_auth(settings.data.clone(), &settings.auth, clock.clone()).await?;
    let meter = Meter::new(&settings.watch, meter::STREAM, clock.clone());
    let (data, poll) = (settings.data.clone(), settings.poll.clone());
    let sources = Sources::of(&stores, &data, true);
    let hub = Hub::new(sources, data, poll, clock.clone(), meter.clone(), start::memory_bytes());
    let xray = XRay::new(settings.watch.tracing, &variable);
    let mut deps =
        stream::Deps::new(settings, &stores, hub, auth, clock.clone(), start::shutdown_flag()?, meter.clone());
    deps.xray = xray;
    let mut stop = deps.shutdown.clone();
    let stopped = async move {
        start::stopped(&mut stop).await;
        tokio::time::sleep(limits::SHUTDOWN_GRACE).await;
    };
    let shutdown = deps.shutdown.clone();
    let router = stream::router(deps);
    let router = match cors {
        Some(cors) => cors.stream(router),
        None => router,
    };
    let served = async {
        match server {
            None => functions::serve_streaming(router, clock, meter).await.map_err(Fatal::new),
            Some(server) => {
                server.serve(router, clock, meter, shutdown).await;
                Ok(())
            }
        }
    };
    tokio::select! {
        served = served => served,
        () = stopped => Ok(()),
    }
}
