//! The stream function: native response streaming on Lambda.

use std::process::ExitCode;

use contract::{StreamSettings, limits};
use lambda::aws;
use lambda::clock::Clock;
use lambda::http::stream;
use lambda::meter::{self, Meter};
use lambda::start::{self, Fatal, variable};
use lambda::xray::XRay;

fn main() -> ExitCode {
    start::function(run())
}

async fn run() -> Result<(), Fatal> {
    let settings = StreamSettings::from_env(&variable)?;
    let clock = Clock::system();
    let (store, auth) = start::tables_and_auth(settings.data.clone(), &settings.auth, clock.clone()).await?;
    let meter = Meter::new(&settings.watch, meter::STREAM, clock.clone());
    let xray = XRay::new(settings.watch.tracing, &variable);
    let mut deps = stream::Deps::new(settings, store, auth, clock.clone(), start::shutdown_flag()?, meter.clone());
    deps.xray = xray;
    let mut stop = deps.shutdown.clone();
    let stopped = async move {
        // An error means that no signal can come any more; then only the platform ends the process.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(limits::SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        served = aws::serve_streaming(stream::router(deps), clock, meter) => served.map_err(Fatal::new),
        () = stopped => Ok(()),
    }
}
